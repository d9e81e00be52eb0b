"""Two cameras at one reading point of a line in real time, one of them killed again and again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from benchmarks.real_line import RealRun, measure
from edge.model.alarm import AlarmKind
from edge.model.codes import ReadQuality
from edge.model.ids import JournalSeq
from edge.model.records import AlarmRaised, Exited, Identified
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from simulators.demo.play import Play
from simulators.demo.summary import MUST_BE_ZERO

pytestmark = [pytest.mark.wire, pytest.mark.slow]

FIRST_S = 3
AGAIN_S = 0.2


def camera_pids(line_pid: int, reader: str) -> list[int]:
    """Of the processes that look through this camera, children of the line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == line_pid and b"camera" in words and reader.encode() in words:
                    found.append(int(folder.name))
    return found


async def kill(play: Play, reader: str) -> None:
    await asyncio.sleep(FIRST_S)
    while True:
        for pid in camera_pids(play.line_pid, reader):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def without_top(play: Play) -> AsyncIterator[None]:
    killing = asyncio.get_running_loop().create_task(kill(play, "top"))
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


def test_what_one_camera_reads_ships_while_the_other_is_away(tmp_path: Path) -> None:
    run = RealRun(
        line="tunnel",
        seconds=40,
        answer_ms=5,
        orders_per_s=0,
        folder=tmp_path,
        settings=("line.nominal_per_h=4000",),
        pinned=False,
    )
    ended = measure(run, without_top).ended
    assert {name: ended.report.summary[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    assert ended.report.violations == ()
    alarms, alone, shipped = set[str](), set[int](), set[int]()
    with closing(JournalReader(Places(ended.data).journal)) as record:
        for row in record.rows(JournalSeq(0)):
            match row.item():
                case AlarmRaised() as raised if raised.kind is AlarmKind.READER_DOWN:
                    alarms.add(raised.subject)
                case Identified() as read if read.away == ("top",) and read.quality is ReadQuality.GOOD:
                    if {reader for code in read.codes for reader in code.readers} == {"side"}:
                        alone.add(read.track)
                case Exited() as left if left.shipped:
                    shipped.add(left.track)
                case _:
                    pass
    assert "top" in alarms
    assert alone & shipped, "read by the other camera alone"
