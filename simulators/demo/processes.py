"""The demo's child processes: started, watched, kept up, ended; none of them outlives the demo."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the parent is gone, however it went."""
READY_S = 30.0
"""A cold start with imports on two busy cores."""
LOOK_S = 0.02
STOP_S = 10.0
"""After SIGTERM; then SIGKILL."""
TAIL_LINES = 12
TAIL_BYTES = 8_192
QUICK_S = 2.0
QUICK_DEATHS = 5
"""A process that ends so soon after its start so often in a row will not come up any more."""
FAILED, BAD_CONFIGURATION, BAD_ENVIRONMENT = 1, 2, 3
HOPELESS = (BAD_CONFIGURATION, BAD_ENVIRONMENT)
"""Exit codes of a child that a new start does not help."""

_LIBC = ctypes.CDLL(None, use_errno=True)


class DemoFailed(Exception):
    """One clear sentence, and the exit status of the command."""

    def __init__(self, what: str, code: int = FAILED) -> None:
        super().__init__(what)
        self.code = code


def _dies_with(parent: int) -> Callable[[], None]:
    def before_exec() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(FAILED)

    return before_exec


class Child:
    """One process, in a group of its own (Ctrl-C is the demo's). What it says goes into ``log``.

    ``ended`` is called as soon as it has ended, whoever ended it.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, ended: Callable[["Child"], None]
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.started_s = 0.0
        self._log = log
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._descriptor = -1
        self._said_from = 0
        self._gone = asyncio.Event()

    @property
    def pid(self) -> int:
        """0 before the first start."""
        return 0 if self._process is None else self._process.pid

    @property
    def code(self) -> int | None:
        """Exit code of the last run; None while it runs, and before the first."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """A new process; the log goes on, and says so."""
        assert not self.running
        self._gone.clear()
        self.started_s = monotonic()
        with self._log.open("ab") as log:
            log.write(f"--- {self.name} is started, {self.started_s:.3f} s of the monotonic clock\n".encode())
            log.flush()
            self._said_from = log.tell()
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 - the demo has one thread
            )
        self._descriptor = os.pidfd_open(self._process.pid)
        asyncio.get_running_loop().add_reader(self._descriptor, self._reap)

    def signal(self, number: signal.Signals) -> None:
        """Nothing happens if it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    async def said(self, word: str, within_s: float = READY_S) -> str:
        """The first line of this run with ``word`` in it. Raises ``DemoFailed`` with the end of its log
        when it ends, or time is up, before it says so."""
        until = monotonic() + within_s
        while True:
            ended = not self.running
            for line in self._said():
                if word in line:
                    return line
            if ended:
                raise self.failure(f"{self.name} ended with status {self.code}")
            if monotonic() > until:
                raise self.failure(f"{self.name} is not ready after {within_s:.0f} s")
            await asyncio.sleep(LOOK_S)

    def failure(self, what: str) -> DemoFailed:
        """``what``, with the end of the log and the exit code that fits."""
        code = self.code if self.code in HOPELESS else FAILED
        assert code is not None
        said = self._said()[-TAIL_LINES:]
        return DemoFailed("\n  ".join([f"{what}; {self._log}:", *said]), code)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not help. Idempotent."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.running:
                return
            self.signal(number)
            try:
                async with asyncio.timeout(STOP_S):
                    await self._gone.wait()
            except TimeoutError:
                continue

    def _said(self) -> list[str]:
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._said_from, size - TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        assert self._process is not None
        self._process.wait()
        self._gone.set()
        self._ended(self)


class Keeper:
    """Keeps one process up as a service manager does: a new start at once, whatever ended it.

    ``failed`` is told when that does not help, or when the process is not to be started ``anew``.
    ``restarts`` counts.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        failed: Callable[[DemoFailed], None],
        *,
        anew: bool,
    ) -> None:
        self.child = Child(name, command, log, self._ended)
        self._anew = anew
        self.restarts = 0
        self._failed = failed
        self._quick = 0
        self._down_s = 0.0
        self._wanted = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._wanted = True
        self.child.start()

    def crash(self, down_s: float) -> None:
        """kill -9; it is started anew after ``down_s``. Nothing happens while it is away."""
        if self.child.running:
            self._down_s = down_s
            self.child.signal(signal.SIGKILL)

    async def stop(self) -> None:
        self._wanted = False
        if self._timer is not None:
            self._timer.cancel()
        await self.child.stop()

    def _ended(self, child: Child) -> None:
        if not self._wanted:
            return
        self._quick = self._quick + 1 if monotonic() - child.started_s < QUICK_S else 0
        if not self._anew or child.code in HOPELESS or self._quick >= QUICK_DEATHS:
            self._wanted = False
            self._failed(child.failure(f"{child.name} ended with status {child.code}"))
            return
        self.restarts += 1
        self._timer = asyncio.get_running_loop().call_later(self._down_s, child.start)
        self._down_s = 0.0
