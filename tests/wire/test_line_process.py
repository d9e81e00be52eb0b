"""The real line process: ends in order, refuses in one sentence, outlives a full disk with nothing lost."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from tests.wire.line_process import LOOK_S, START_S, HallBeside, LineProcess, hall_beside, logged

pytestmark = [pytest.mark.wire, pytest.mark.slow]


def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", options, "beltkeeper-test", str(folder)]
    mount = subprocess.run(words, capture_output=True, text=True, check=False)
    if mount.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    yield from mounted(tmp_path / "disk", "size=8m")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "frozen", "size=1m,ro")


def scraped(places: Places) -> str:
    """The metrics over the Unix socket, as any scraper would ask for them; empty where it is hung up on, as
    who is slow must be, or the line was."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(START_S)
        asking.connect(str(places.line_metrics))
        answer = b""
        with suppress(ConnectionError):
            asking.sendall(b"GET /metrics HTTP/1.1\r\nHost: line\r\n\r\n")
            while piece := asking.recv(65_536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert not head or head.startswith(b"HTTP/1.1 200 OK\r\n")
    return body.decode()


RUNNING = (
    'beltkeeper_device_up{device="plc"} 1.0',
    'beltkeeper_line_state{state="execute"} 1.0',
    "beltkeeper_induction_permitted 1.0",
)


def each_change_once(log: list[dict[str, Any]], device: str) -> bool:
    """Up and down by turns: a hall that stands still for a second is away for the line."""
    changes = ("link up", "link down")
    told = [entry["event"] for entry in log if entry["event"] in changes and entry["device"] == device]
    return "link up" in told and all(one != next_one for one, next_one in pairwise(told))


async def test_a_signal_ends_it_in_order_and_the_next_run_goes_on_where_it_was(tmp_path: Path) -> None:
    async with hall_beside(tmp_path, parcels=40) as hall:
        first = await hall.line_process()
        try:
            await first.until(lambda: hall.inducted() >= 8, "eight parcels inducted")
            async with asyncio.timeout(START_S):
                while not _says_all(await asyncio.to_thread(scraped, hall.places)):
                    await asyncio.sleep(LOOK_S)
            await _refused_beside(hall)
            first.tell(signal.SIGTERM)
            async with asyncio.timeout(START_S):
                while first.process.returncode is None:  # whoever waits presses again
                    await asyncio.sleep(0.02)
                    first.tell(signal.SIGINT, signal.SIGTERM)
            code, said = await first.ended()
        finally:
            await first.kill()
        log = logged(said)
        assert code == 0, said
        assert log[-1]["event"] == "line process ends: stopped by a signal"
        assert all(each_change_once(log, device) for device in ("plc", "top"))
        kept = hall.asked(JournalReader.recovery)
        assert kept.snapshot_seq == kept.last_seq > 0, "all is durable, and the next run replays nothing"
        assert hall.asked(JournalReader.verify_chain).bad_seq is None
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"journal"}, "no socket is left behind"

        second = await hall.line_process()
        try:
            await second.until(lambda: hall.hall.empty and not hall.open_parcels(), "all have left")
            code, said = await second.end()
        finally:
            await second.kill()
        assert code == 0, said
        _nothing_lost(hall, 40)


def _says_all(metrics: str) -> bool:
    return all(one in metrics for one in RUNNING)


async def _refused_beside(hall: HallBeside) -> None:
    """A second process on the same folder: one sentence, exit 3, and the first goes on."""
    second = await hall.line_process()
    try:
        code, said = await second.ended()
    finally:
        await second.kill()
    assert code == 3
    assert said == f"beltkeeper: {hall.places.journal} is already being written by another process.\n"


def _nothing_lost(hall: HallBeside, parcels: int) -> None:
    report = hall.proved()
    assert report.violations == ()
    figures = report.summary
    assert figures["parcels"] == figures["exited"] == parcels
    assert (figures["lost"], figures["mis_sorted"], figures["unverified_shipped"]) == (0, 0, 0)
    reasons = figures["by_reason"]
    assert isinstance(reasons, dict)
    assert sum(reasons.values()) >= parcels


LOW = ("store.min_free_mb=2", "store.ballast_mb=1")
LOW_SAID = "disk is low: induction off"
WATCHED = 160
"""Looks, while it might permit induction after all."""


def fill(disk: Path, name: str, *, leave_bytes: int) -> None:
    """Somebody else fills the disk up."""
    free = os.statvfs(disk)
    with (disk / name).open("wb") as file:
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - leave_bytes)))


async def test_a_disk_that_fills_stops_induction_then_the_process_and_loses_nothing(small_disk: Path) -> None:
    data = small_disk / "line"
    async with hall_beside(data, parcels=50) as hall:
        first = await hall.line_process(*LOW)
        try:
            await first.until(lambda: hall.inducted() >= 8, "eight parcels inducted")
            assert (data / "journal" / "ballast").stat().st_size == 1 << 20
            fill(small_disk, "a", leave_bytes=1_500_000)
            await first.until(
                lambda: "disk_low" in hall.alarms() and not hall.permitted(),
                "the disk is found to be low, and induction stops long before a commit fails",
            )
            fill(small_disk, "b", leave_bytes=0)
            async with asyncio.timeout(START_S):
                while first.process.returncode is None:
                    await asyncio.to_thread(_fill_quietly, small_disk)
                    await asyncio.sleep(0.05)
            code, said = await first.ended()
        finally:
            await first.kill()
        assert code == 1
        last = logged(said)[-1]
        assert last["level"] == "critical"
        assert last["event"] == "line process ends"
        assert "disk is full" in last["why"] + last["cause"]

        await _started_on_a_full_disk(hall)
        for name in ("a", "b", "more"):
            (small_disk / name).unlink(missing_ok=True)
        again = await hall.line_process(*LOW)
        try:
            await again.until(lambda: hall.hall.empty and not hall.open_parcels(), "all have left")
            code, said = await again.end()
        finally:
            await again.kill()
        assert code == 0, said
        assert "disk_low" not in hall.alarms()
        _nothing_lost(hall, 50)


async def _started_on_a_full_disk(hall: HallBeside) -> None:
    """It says so and ends, or finds room enough for the exits of what is on the belt: then it permits
    nothing, and a signal ends it as ever."""
    process = await hall.line_process(*LOW)

    def ended() -> bool:
        return process.process.returncode is not None

    try:
        async with asyncio.timeout(START_S):
            while not ended() and not any(LOW_SAID.encode() in line for line in process.said):
                await asyncio.sleep(LOOK_S)
        for _ in range(WATCHED):
            assert not hall.permitted()
            if ended():
                break
            await asyncio.sleep(LOOK_S)
        code, said = await process.end()
    finally:
        await process.kill()
    assert "Traceback" not in said
    assert code in (0, 1, 3), said
    if code:
        assert "journal" in said
    else:
        assert [entry["event"] for entry in logged(said)].count(LOW_SAID) == 1


def _fill_quietly(disk: Path) -> None:
    """What the ballast gave up, too."""
    try:
        with (disk / "more").open("ab") as file:
            file.write(bytes(1 << 20))
    except OSError:
        return


async def _ended_by_itself(data: Path) -> tuple[int, str]:
    process = await LineProcess.start("fast", data)
    try:
        return await process.ended()
    finally:
        await process.kill()


@pytest.mark.parametrize("wrong", ["a file", "another line's record", "no database", "another build's"])
async def test_what_cannot_begin_says_why_in_one_sentence(tmp_path: Path, wrong: str) -> None:
    places = Places(tmp_path)
    if wrong == "a file":
        places.journal.parent.write_text("")
    elif wrong == "no database":
        places.journal.parent.mkdir()
        places.journal.write_bytes(b"no database" * 1000)
    else:
        from edge.store.journal_file import JournalFile

        line = "other" if wrong == "another line's record" else "fast"
        made = JournalFile(places.journal, line_id=line, timezone="Asia/Shanghai", synchronous="OFF")
        if wrong == "another build's":
            made.connection.execute("UPDATE alembic_version SET version_num='9999'")
        made.close()
    code, said = await _ended_by_itself(tmp_path)
    assert code == 3, said
    assert len(said.splitlines()) == 1, said
    assert str(tmp_path) in said
    assert "Traceback" not in said


async def test_a_folder_that_cannot_be_written_is_one_sentence(read_only: Path) -> None:
    code, said = await _ended_by_itself(read_only)
    assert code == 3
    assert len(said.splitlines()) == 1
    assert "Read-only file system" in said
