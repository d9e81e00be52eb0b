"""The line as a process: signals, exit codes, and the one sentence when it cannot begin."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from edge.app import CameraCommand, LineFailed, opened
from edge.ports.journal import JournalFailed
from edge.runtime.build import build_id
from edge.runtime.clock import wall_utc_us
from edge.runtime.logs import log_to_stderr
from edge.runtime.slices import short_slice
from edge.store.errors import WriterLocked
from line_config.description import LineDescription

FAILED = 1
BAD_ENVIRONMENT = 3
ENDING = (signal.SIGTERM, signal.SIGINT)
SWITCH_S = 0.0005
"""The record's writer and reader are threads: CPython lets the loop keep the interpreter for 5 ms while they
wait for it, and a decision is not told before the writer has had it several times."""
UMASK = 0o007
"""Databases and sockets belong to the group that the gateway process is in."""

log = structlog.get_logger("app")


class Unfit(Exception):
    """Nothing runs here as things stand (folder, file, another process): one sentence for a person."""


class _Stopping:
    """SIGTERM and SIGINT end the process in order: what was appended becomes durable first. Only the
    first signal counts, and none once the end has begun, to the process' very end."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        for number in ENDING:
            self._loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self.over()

    def over(self) -> None:
        self._task = None
        for number in ENDING:
            # Not only unheard: a loop that closes gives its signals back to what kills.
            self._loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


async def _serve(line: LineDescription, data: Path, utc_us: Callable[[], int], camera: CameraCommand) -> None:
    """Raises ``Unfit`` when it cannot begin, else what ``LineApp.run`` raises."""
    stopping = _Stopping()
    async with AsyncExitStack() as stack:
        try:
            app = await opened(stack, line, data, utc_us, camera)
        except (WriterLocked, JournalFailed, OSError) as error:
            raise Unfit(str(error)) from error
        asyncio.get_running_loop().set_exception_handler(app.callback_raised)
        # What stands by now stands to the end: to look through it again would hold the loop up for 50 ms.
        gc.collect()
        gc.freeze()
        log.info("line process begins", line=line.topology.line_id, data=str(data), build=build_id())
        try:
            await app.run()
        finally:
            stopping.over()


def offset_clock(file: Path) -> Callable[[], int]:
    """A wall clock that is wrong by the microseconds written in a file: for simulated clock steps."""

    def utc_us() -> int:
        text = file.read_text() if file.exists() else ""
        return wall_utc_us() + int(text or "0")

    return utc_us


def run_line(line: LineDescription, data: Path, wall_offset: Path | None, camera: CameraCommand) -> int:
    """Run the line process to its end; the exit code of the command: 0 after a signal, 3 with one
    sentence when it cannot begin, 1 with its cause in the log when it had to end."""
    os.umask(UMASK)
    sys.setswitchinterval(SWITCH_S)
    log_to_stderr()
    if not short_slice():
        log.info("no short slice of the scheduler's time here: answers may come some milliseconds later")
    utc_us = wall_utc_us if wall_offset is None else offset_clock(wall_offset)
    try:
        asyncio.run(_serve(line, data, utc_us, camera))
    except asyncio.CancelledError:
        log.info("line process ends: stopped by a signal")
        return 0
    except Unfit as unfit:
        sys.stderr.write(f"beltkeeper: {unfit}\n")
        return BAD_ENVIRONMENT
    except (LineFailed, JournalFailed, OSError) as failed:
        log.critical("line process ends", why=str(failed), cause=repr(failed.__cause__))
        return FAILED
    return FAILED
