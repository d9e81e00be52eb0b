"""The journal on a real disk: threads, fsync, kill -9, a full file system."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from edge.model.ids import InboxSeq, JournalSeq, OrderNo, Waybill
from edge.ports.inbox import Inbox
from edge.ports.journal import Journal, JournalFailed
from edge.store import journal_writer, reader_thread
from edge.store.errors import StoreUnreadable, WriterLocked
from edge.store.files import free_bytes
from edge.store.inbox_writer import InboxWriter
from edge.store.journal_file import Batch
from edge.store.journal_reader import JournalReader
from edge.store.journal_writer import JournalWriter
from edge.store.reader_thread import ReaderThread
from tests.core.store_kit import DAY_US, LINE, MIDNIGHT, ZONE, clock, eye, order, parcel_life, put
from tests.patience import PATIENCE_S
from tests.wire.store_child import ROWS_A_PARCEL

pytestmark = pytest.mark.wire
NO_CURSOR = InboxSeq(0)
ROOT = Path(__file__).parents[2]
KILLS = 5


def open_writer(path: Path) -> JournalWriter:
    return JournalWriter(path, line_id=LINE, timezone=ZONE)


async def test_what_is_told_durable_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "journal" / "journal.db"
    journal: Journal = open_writer(path)
    reader = JournalReader(path)
    for n in range(1, 6):
        last = await journal.append(parcel_life(n, n * 10), InboxSeq(n))
        assert reader.last_seq() == last == 7 * n
        assert reader.recovery().inbox_cursor == n
    assert journal.backlog == 0
    await journal.close()
    assert reader.verify_chain().rows == 35
    reader.close()


async def test_what_waits_becomes_one_transaction_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = open_writer(path)
    done: list[int] = []
    for n in range(1, 501):
        future = journal.append(parcel_life(n, n * 10), NO_CURSOR)
        future.add_done_callback(lambda it: done.append(it.result()))
    journal.snapshot(b"after all")
    assert journal.backlog == 3_500
    assert journal.last_seq == 3_500
    await journal.close()
    await journal.close()
    assert done == [7 * n for n in range(1, 501)]
    recovery = JournalReader(path).recovery()
    assert (recovery.state, recovery.snapshot_seq, recovery.last_seq) == (b"after all", 3_500, 3_500)
    with pytest.raises(JournalFailed, match="closed"):
        journal.append([eye(1, 0)], NO_CURSOR)


async def test_the_group_is_bounded_and_so_is_the_backlog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "MAX_BACKLOG_ROWS", 100)
    sizes: list[int] = []
    journal = open_writer(tmp_path / "journal.db")
    gate = threading.Event()
    write = journal._file.write

    def slow(work: list[Batch]) -> None:
        sizes.append(sum(len(piece.rows) for piece in work))
        gate.wait()
        write(work)

    monkeypatch.setattr(journal_writer, "MAX_COMMIT_ROWS", 20)
    monkeypatch.setattr(journal._file, "write", slow)
    futures = [journal.append(parcel_life(n, n), NO_CURSOR) for n in range(1, 15)]
    with pytest.raises(JournalFailed, match="98 rows wait for the disk"):
        journal.append(parcel_life(15, 15), NO_CURSOR)
    gate.set()
    assert await asyncio.gather(*futures) == [7 * n for n in range(1, 15)]
    assert max(sizes) <= 20
    await journal.close()


async def test_past_days_are_closed_while_the_line_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = open_writer(path)
    for day in range(3):
        await journal.append([clock(0, MIDNIGHT + day * DAY_US)], NO_CURSOR)
        await asyncio.gather(*[journal.append(parcel_life(day * 100 + n, n), NO_CURSOR) for n in range(100)])
    reader = JournalReader(path)
    folder = tmp_path / "segments"
    async with asyncio.timeout(PATIENCE_S):
        while len(list(folder.glob("*.db"))) < 2 or reader.rows_after(JournalSeq(0), 1)[0].seq != 1:
            await asyncio.sleep(0.01)
    await journal.append(parcel_life(900, 1), NO_CURSOR)
    await journal.close()
    assert [file.name for file in sorted(folder.iterdir())] == [
        "journal-20231117-1.db",
        "journal-20231118-2.db",
    ]
    assert (reader.verify_chain().rows, reader.verify_chain().bad_seq) == (3 * 701 + 7, None)
    reader.close()


async def test_a_failed_commit_is_told_to_all_and_nothing_of_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    journal = open_writer(path)
    await journal.append(parcel_life(1, 1), InboxSeq(5))
    broken = journal.append([eye(1, 0)], InboxSeq(4))
    with pytest.raises(JournalFailed, match="fell from 5 to 4"):
        await broken
    with pytest.raises(JournalFailed, match="fell from 5 to 4"):
        journal.append([eye(1, 0)], InboxSeq(5))
    with pytest.raises(JournalFailed, match="fell from 5 to 4"):
        await journal.close()
    again = open_writer(path)
    assert await again.append([eye(2, 0)], InboxSeq(5)) == 8
    await again.close()


async def test_an_error_of_ours_on_the_thread_is_a_failed_journal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_writer(tmp_path / "journal.db")

    def broken(_work: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(journal._file, "write", broken)
    with pytest.raises(JournalFailed, match="ZeroDivisionError") as failed:
        await journal.append([eye(1, 0)], NO_CURSOR)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    with pytest.raises(JournalFailed):
        await journal.close()


async def test_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = open_writer(path)
    with pytest.raises(WriterLocked, match=r"journal\.db is already being written by another process\."):
        open_writer(path)
    child = subprocess.run(
        [sys.executable, "-m", "tests.wire.store_child", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 1
    assert "already being written by another process." in child.stderr.splitlines()[-1]
    await journal.close()
    await open_writer(path).close()


def acknowledged(child: "subprocess.Popen[bytes]", until: int) -> int:
    """The last seq told durable: reads lines until ``until`` appends are acknowledged, kills, drains."""
    assert child.stdout is not None
    fd = child.stdout.fileno()
    text = b""
    while text.count(b"\n") < until:
        ready, _, _ = select.select([fd], [], [], PATIENCE_S)
        assert ready, "the child says nothing"
        chunk = os.read(fd, 65536)
        assert chunk, "the child has ended by itself"
        text += chunk
    child.send_signal(signal.SIGKILL)
    while chunk := os.read(fd, 65536):
        text += chunk
    child.wait()
    child.stdout.close()
    return int(text.splitlines()[-1] if text.endswith(b"\n") else text.splitlines()[-2])


def test_kill_9_loses_nothing_that_was_told_durable(tmp_path: Path) -> None:
    path = tmp_path / "journal" / "journal.db"
    before = 0
    for run in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.wire.store_child", str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        wait = int.from_bytes(sha256(b"kill %d" % run).digest()[:2], "big") % 900
        told = acknowledged(child, wait + 2)
        reader = JournalReader(path)
        report = reader.verify_chain()
        assert report.bad_seq is None, report.why
        assert report.rows == reader.last_seq() >= told > before
        assert report.rows % ROWS_A_PARCEL == 0, "a torn append"
        recovery = reader.recovery()
        assert recovery.inbox_cursor == recovery.next_track - 1 == report.rows // ROWS_A_PARCEL
        assert reader.counts(recovery.next_track - 1).shipped == 1  # type: ignore[arg-type]
        if recovery.snapshot_seq:
            parcels = recovery.snapshot_seq // ROWS_A_PARCEL
            assert recovery.state == b"state of %d" % parcels
        reader.close()
        before = told
    assert before > 100


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "beltkeeper-test", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_full_disk_fails_clearly_and_room_heals_it(small_disk: Path) -> None:
    path = small_disk / "journal.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(512 * 1024))
    journal = open_writer(path)
    durable = 0
    with pytest.raises(JournalFailed, match=r"journal\.db: database or disk is full"):
        for n in range(1, 100_000):
            durable = await journal.append(parcel_life(n, n), NO_CURSOR)
    with pytest.raises(JournalFailed, match="disk is full"):
        await journal.close()
    assert free_bytes(small_disk) < 64 * 1024
    reader = JournalReader(path)
    assert (reader.last_seq(), reader.verify_chain().bad_seq) == (durable, None)
    reader.close()
    ballast.unlink()
    again = open_writer(path)
    assert await again.append([eye(1, 0)], NO_CURSOR) == durable + 1
    await again.close()


async def test_the_readers_thread_answers_off_the_loop(tmp_path: Path) -> None:
    inbox_path, path = tmp_path / "inbox" / "inbox.db", tmp_path / "journal" / "journal.db"
    inbox: Inbox = ReaderThread(inbox_path, path)
    assert await inbox.rows_after(NO_CURSOR, 10) == ()
    assert (await inbox.look_up(Waybill("W1"))).order is None
    writer, journal = InboxWriter(inbox_path), open_writer(path)
    writer.put_orders([put(f"m{n}", order(f"A-{n}", 1, [f"W{n}"])) for n in range(50)])
    await journal.append(parcel_life(1, 1), NO_CURSOR)
    answers = await asyncio.gather(*[inbox.look_up(Waybill(f"W{n}")) for n in range(50)])
    assert [answer.order.order_no for answer in answers if answer.order] == [f"A-{n}" for n in range(50)]
    assert [n for n, answer in enumerate(answers) if answer.shipped_before] == [1]
    assert len(await inbox.rows_after(InboxSeq(20), 100)) == 30
    assert (await inbox.place_of(OrderNo("A-1"), (Waybill("W1"),))).known
    writer.close()
    await journal.close()
    for file in inbox_path.parent.iterdir():
        file.unlink()
    inbox_path.write_bytes(b"no database at all" * 100)
    with pytest.raises(OSError, match=r"inbox\.db: file is not a database"):
        await inbox.look_up(Waybill("W1"))
    inbox_path.unlink()
    assert (await inbox.look_up(Waybill("W1"))).shipped_before is not None
    await inbox.close()  # type: ignore[attr-defined]
    await inbox.close()  # type: ignore[attr-defined]
    with pytest.raises(StoreUnreadable, match="closed"):
        await inbox.look_up(Waybill("W1"))


async def test_questions_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = ReaderThread(tmp_path / "inbox.db", tmp_path / "journal.db")
    gate = threading.Event()
    monkeypatch.setattr(reader_thread, "MAX_WAITING", 4)
    monkeypatch.setattr(inbox._inbox, "rows_after", lambda *_: gate.wait() and ())
    asked = [asyncio.ensure_future(inbox.rows_after(NO_CURSOR, 1)) for _ in range(9)]
    await asyncio.sleep(0.05)
    gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [it for it in answers if isinstance(it, StoreUnreadable)]
    assert len(refused) in (4, 5)
    assert str(refused[0]) == "4 questions wait for the store"
    await inbox.close()
