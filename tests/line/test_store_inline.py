"""The journal in virtual time: commits take time, come in order, and a crash forgets what is not in."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edge.model.ids import InboxSeq, JournalSeq, OrderNo, TrackId, Waybill
from edge.ports.inbox import Inbox
from edge.ports.journal import Journal, JournalFailed
from edge.store.inbox_writer import InboxWriter
from edge.store.inline_journal import InlineJournal
from edge.store.journal_reader import JournalReader
from edge.store.projections import Row
from edge.store.reader_thread import InlineInbox
from simulators.loop import VirtualLoop
from tests.core.store_kit import LINE, ZONE, eye, identified, missing, opened, order, parcel_life, put

T = TypeVar("T")
NO_CURSOR = InboxSeq(0)
COMMIT_US = 5_000


def run(main: Coroutine[Any, Any, T]) -> T:
    return VirtualLoop().run(main)


def now_us() -> int:
    return round(asyncio.get_running_loop().time() * 1_000_000)


class Followed:
    """``told``: the numbers of rows and the states of snapshots."""

    def __init__(self) -> None:
        self.told: list[int | bytes] = []

    def note(self, row: Row) -> None:
        self.told.append(row.seq)

    def note_snapshot(self, state: bytes) -> None:
        self.told.append(state)


def open_journal(
    path: Path,
    before_commit: Callable[[JournalSeq], None] | None = None,
    after_commit: Callable[[JournalSeq], None] | None = None,
    follower: Followed | None = None,
) -> InlineJournal:
    return InlineJournal(
        path,
        line_id=LINE,
        timezone=ZONE,
        commit_us=lambda: COMMIT_US,
        before_commit=before_commit,
        after_commit=after_commit,
        follower=follower,
    )


def test_a_follower_hears_rows_and_snapshots_in_their_order_once_they_are_durable(tmp_path: Path) -> None:
    followed = Followed()

    async def main() -> None:
        journal = open_journal(tmp_path / "journal.db", follower=followed)
        journal.append(parcel_life(1, 10)[:2], NO_CURSOR)
        journal.snapshot(b"after two")
        journal.append(parcel_life(1, 10)[2:3], NO_CURSOR)
        assert followed.told == []
        await journal.close()

    run(main())
    assert followed.told == [1, 2, b"after two", 3]


def test_rows_exist_for_nobody_until_their_commit_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> list[tuple[int, int, int]]:
        seen: list[tuple[int, int, int]] = []
        began = now_us()
        journal: Journal = open_journal(path)
        reader = JournalReader(path)
        done = journal.append(parcel_life(1, 10), NO_CURSOR)
        for _ in range(3):
            seen.append((now_us() - began, reader.last_seq(), journal.backlog))
            await asyncio.sleep(0.0024)
        seen.append((await done, reader.last_seq(), journal.backlog))
        await journal.close()
        reader.close()
        return seen

    assert run(main()) == [(0, 0, 7), (2_400, 0, 7), (4_800, 0, 7), (7, 7, 0)]


def test_commits_go_one_at_a_time_and_take_what_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> list[tuple[int, int]]:
        began = now_us()
        journal = open_journal(path)
        done: list[tuple[int, int]] = []

        def append(n: int) -> None:
            future = journal.append([eye(n, 0), eye(n, 0)], InboxSeq(n))
            future.add_done_callback(lambda it: done.append((it.result(), now_us() - began)))

        append(1)
        append(2)
        await asyncio.sleep(0.001)
        append(3)
        journal.snapshot(b"after six")
        append(4)
        assert journal.last_seq == 8
        await journal.close()
        return done

    assert run(main()) == [(2, 5_000), (4, 10_000), (6, 10_000), (8, 10_000)]
    recovery = JournalReader(path).recovery()
    assert (recovery.state, recovery.snapshot_seq, recovery.last_seq) == (b"after six", 6, 8)
    assert recovery.inbox_cursor == 4


def test_a_crash_forgets_what_was_not_committed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> list[str]:
        journal = open_journal(path)
        first = journal.append(parcel_life(1, 10), NO_CURSOR)
        await first
        flying = journal.append(parcel_life(2, 20), NO_CURSOR)
        await asyncio.sleep(0.001)
        queued = journal.append(parcel_life(3, 30), NO_CURSOR)
        journal.crash()
        await asyncio.sleep(1)
        with pytest.raises(JournalFailed, match="crashed"):
            journal.append([eye(1, 0)], NO_CURSOR)
        again = open_journal(path)
        assert again.last_seq == 7
        await again.append(parcel_life(2, 40), NO_CURSOR)
        await again.close()
        return ["cancelled" if it.cancelled() else "done" for it in (first, flying, queued)]

    assert run(main()) == ["done", "cancelled", "cancelled"]
    report = JournalReader(path).verify_chain()
    assert (report.rows, report.bad_seq) == (14, None)


@pytest.mark.parametrize(("moment", "durable"), [("before_commit", 7), ("after_commit", 14)])
def test_a_crash_point_lies_on_each_side_of_a_commit(tmp_path: Path, moment: str, durable: int) -> None:
    path = tmp_path / "journal.db"
    told: list[int] = []

    async def main() -> bool:
        crash_at = 14

        def strike(last: JournalSeq) -> None:
            told.append(last)
            if last == crash_at:
                journal.crash()

        journal = open_journal(
            path,
            before_commit=strike if moment == "before_commit" else None,
            after_commit=strike if moment == "after_commit" else None,
        )
        await journal.append(parcel_life(1, 10), NO_CURSOR)
        second = journal.append(parcel_life(2, 20), NO_CURSOR)
        await asyncio.sleep(1)
        return second.cancelled()

    assert run(main())
    assert told == [7, 14]
    assert JournalReader(path).last_seq() == durable


def test_a_failed_commit_fails_every_future_and_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def main() -> list[str]:
        journal = open_journal(path)
        await journal.append(parcel_life(1, 10), InboxSeq(3))
        futures = [journal.append([eye(1, 0)], InboxSeq(2))]  # a cursor that falls is our own error
        await asyncio.sleep(0.001)
        futures.append(journal.append([eye(2, 0)], InboxSeq(3)))
        texts = [str(it) for it in await asyncio.gather(*futures, return_exceptions=True)]
        with pytest.raises(JournalFailed):
            journal.snapshot(b"")
        with pytest.raises(JournalFailed):
            await journal.close()
        return texts

    assert run(main()) == ["the inbox cursor fell from 3 to 2"] * 2
    assert JournalReader(path).last_seq() == 7


@pytest.mark.parametrize("gathered_rows", [0, 8, 15, 1_000])
def test_ended_commits_may_wait_to_be_written_but_a_crash_keeps_them(
    tmp_path: Path, gathered_rows: int
) -> None:
    path = tmp_path / "journal.db"
    followed = Followed()

    async def main() -> list[int]:
        journal = InlineJournal(
            path,
            line_id=LINE,
            timezone=ZONE,
            commit_us=lambda: COMMIT_US,
            gathered_rows=gathered_rows,
            follower=followed,
        )
        reader = JournalReader(path)
        seen: list[int] = []
        for n in range(1, 4):
            assert await journal.append(parcel_life(n, n * 10), InboxSeq(n)) == n * 7
            assert followed.told == list(range(1, n * 7 + 1))
            seen.append(reader.last_seq())
        journal.flush()
        seen.append(reader.last_seq())
        await journal.append(parcel_life(4, 40), InboxSeq(4))
        journal.append(parcel_life(5, 50), InboxSeq(5))
        journal.crash()
        journal.flush()
        seen.append(reader.last_seq())
        reader.close()
        return seen

    written = {0: [7, 14, 21], 8: [0, 14, 14], 15: [0, 0, 21], 1_000: [0, 0, 0]}[gathered_rows]
    assert run(main()) == [*written, 21, 28]
    assert followed.told == list(range(1, 29))
    assert JournalReader(path).recovery().inbox_cursor == 4
    assert JournalReader(path).verify_chain().bad_seq is None


def test_the_inbox_has_the_journal_written_before_it_reads_it(tmp_path: Path) -> None:
    inbox_path, path = tmp_path / "inbox" / "inbox.db", tmp_path / "journal" / "journal.db"

    async def main() -> list[bool]:
        InboxWriter(inbox_path, durable=False).close()
        journal = InlineJournal(
            path, line_id=LINE, timezone=ZONE, commit_us=lambda: COMMIT_US, gathered_rows=1_000
        )
        inbox = InlineInbox(inbox_path, path, lambda: 0, journal.flush_about)
        seen = []
        for n, counts in enumerate((False, True), start=1):
            waybill = Waybill(f"W{n}")
            await journal.append([opened(n, n), missing(n, n, waybill, counts=counts)], NO_CURSOR)
            seen.append((await inbox.look_up(waybill)).shipped_before is not None)
        place = await inbox.place_of(OrderNo("A-1"), (Waybill("W2"),))
        seen.append(place.shipped_before is not None)
        # On the belt again: what was not proved is withdrawn, in this run and in one that finds it on file.
        await journal.append([opened(3, 3), identified(3, 3, "W2")], NO_CURSOR)
        seen.append((await inbox.look_up(Waybill("W2"))).shipped_before is not None)
        await journal.append([missing(4, 3, "W2", counts=True)], NO_CURSOR)
        await journal.close()
        journal = InlineJournal(
            path, line_id=LINE, timezone=ZONE, commit_us=lambda: COMMIT_US, gathered_rows=1_000
        )
        inbox = InlineInbox(inbox_path, path, lambda: 0, journal.flush_about)
        seen.append((await inbox.look_up(Waybill("W2"))).shipped_before is not None)
        await journal.append([opened(5, 4), identified(5, 4, "W2")], NO_CURSOR)
        seen.append((await inbox.look_up(Waybill("W2"))).shipped_before is not None)
        await journal.close()
        await inbox.close()
        return seen

    assert run(main()) == [False, True, True, False, True, False]


def test_gathered_commits_that_cannot_be_written_fail_the_journal(tmp_path: Path) -> None:
    async def main() -> None:
        journal = InlineJournal(
            tmp_path / "journal.db",
            line_id=LINE,
            timezone=ZONE,
            commit_us=lambda: COMMIT_US,
            gathered_rows=99,
        )
        await journal.append([eye(1, 0)], InboxSeq(2))
        await journal.append([eye(2, 0)], InboxSeq(1))  # a cursor that falls is our own error
        with pytest.raises(JournalFailed, match="the inbox cursor fell from 2 to 1"):
            journal.flush()
        with pytest.raises(JournalFailed, match="the inbox cursor fell"):
            journal.append([eye(3, 0)], InboxSeq(3))

    run(main())


def test_the_same_run_writes_the_same_bytes(tmp_path: Path) -> None:
    async def main(path: Path) -> list[bytes]:
        journal = open_journal(path)
        for n in range(1, 20):
            journal.append(parcel_life(n, n * 10), NO_CURSOR)
            await asyncio.sleep(0.003)
        await journal.close()
        return [row.hash for row in JournalReader(path).rows(JournalSeq(0))]

    first = run(main(tmp_path / "a" / "journal.db"))
    assert len(first) == 19 * 7
    assert run(main(tmp_path / "b" / "journal.db")) == first


def test_the_inbox_in_virtual_time_sees_what_is_committed(tmp_path: Path) -> None:
    inbox_path, path = tmp_path / "inbox" / "inbox.db", tmp_path / "journal" / "journal.db"
    waybill = Waybill("W1")

    async def main() -> list[tuple[object, ...]]:
        seen: list[tuple[object, ...]] = []
        inbox: Inbox = InlineInbox(inbox_path, path, lambda: 700)

        async def look(label: str) -> None:
            began = now_us()
            answer = await inbox.look_up(waybill)
            number = None if answer.order is None else answer.order.order_no
            shipped = None if answer.shipped_before is None else answer.shipped_before.place.value
            seen.append((label, answer.inbox_seq, number, shipped, now_us() - began))

        assert await inbox.rows_after(NO_CURSOR, 10) == ()
        await look("no inbox, no journal")
        writer = InboxWriter(inbox_path, durable=False)
        journal = open_journal(path)
        writer.put_orders([put("m", order("A-1", 1, ["W1"]))])
        await journal.append([opened(1, 1), identified(1, 1, "W1")], NO_CURSOR)
        await look("ordered")
        lost = journal.append([missing(2, 1, "W1", counts=True)], NO_CURSOR)
        await look("lost, not yet on record")
        await lost
        await look("lost")
        place = await inbox.place_of(OrderNo("A-1"), (waybill,))
        assert place.known
        assert place.shipped_before is not None
        await journal.append([opened(3, 2), identified(3, 2, "W1")], NO_CURSOR)
        await look("inducted again")
        assert [row.seq for row in await inbox.rows_after(NO_CURSOR, 10)] == [1]
        await journal.close()
        await inbox.close()  # type: ignore[attr-defined]
        writer.close()
        return seen

    assert run(main()) == [
        ("no inbox, no journal", 0, None, None, 700),
        ("ordered", 1, "A-1", None, 700),
        ("lost, not yet on record", 1, "A-1", None, 700),
        ("lost", 1, "A-1", "unproved", 700),
        ("inducted again", 1, "A-1", None, 700),
    ]
    assert JournalReader(path).parcel(TrackId(2)) is not None
