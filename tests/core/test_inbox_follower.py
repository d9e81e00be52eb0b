"""The inbox in order: rows become inputs, each with its cursor, no faster than they are worked off."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from edge.model.coding import CodingCheck
from edge.model.events import CodeKeyed, OperatorCommanded, OrderCancelled, OrderChanged, PlanActivated
from edge.model.ids import InboxSeq, MessageId, OrderNo, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import CancelRequest
from edge.model.units import UtcUs
from edge.ports.inbox import (
    CancelRow,
    CodeRow,
    Inbox,
    InboxFailed,
    InboxRow,
    OperatorRow,
    OrderRow,
    OtherRow,
    PlanRow,
)
from edge.runtime import inbox_follower
from edge.runtime.event_queue import EventQueue, InboxRead
from edge.runtime.inbox_follower import InboxFollower
from edge.store.inbox_writer import InboxWriter
from edge.store.reader_thread import InlineInbox
from tests.core import store_kit
from tests.core.core_line import DEMO, order, plan
from tests.core.runtime_kit import clock, logs, virtual


def cancel(seq: int) -> CancelRow:
    request = CancelRequest(
        order_no=OrderNo(f"O{seq}"), message_id=MessageId(f"m{seq}"), waybills=(Waybill("W1"),)
    )
    return CancelRow(seq=InboxSeq(seq), request=request)


class Shelf:
    """An ``Inbox`` with these rows; ``fails`` times it cannot be read."""

    def __init__(self, *rows: InboxRow, fails: int = 0) -> None:
        self.rows = list(rows)
        self.fails = fails
        self.reads: list[int] = []
        self.asked_for: frozenset[Waybill] | None = None
        self.limits: list[int] = []

    async def rows_after(
        self, seq: InboxSeq, limit: int, wanted: frozenset[Waybill] | None
    ) -> tuple[InboxRow, ...]:
        await asyncio.sleep(0)
        self.reads.append(seq)
        self.limits.append(limit)
        self.asked_for = wanted
        if self.fails:
            self.fails -= 1
            raise InboxFailed("locked")
        return tuple(row for row in self.rows if row.seq > seq)[:limit]


class Bench:
    def __init__(self, inbox: object, *, cursor: int = 0, room: Callable[[], bool] = lambda: True) -> None:
        self.queue = EventQueue()
        self.wanted: frozenset[Waybill] | None = frozenset({Waybill("W1")})
        self.follower = InboxFollower(
            cast(Inbox, inbox),
            self.queue,
            clock(),
            cursor=InboxSeq(cursor),
            wanted=lambda: self.wanted,
            room=room,
        )

    def take(self) -> list[InboxRead]:
        taken: list[InboxRead] = []
        while batch := self.queue.take_now():
            taken += [item for item in batch if isinstance(item, InboxRead)]
        return taken

    async def run(self, for_s: float) -> None:
        try:
            async with asyncio.timeout(for_s):
                await self.follower.run()
        except TimeoutError:
            pass


def test_each_row_that_concerns_the_core_carries_its_inputs_and_its_cursor_together() -> None:
    rows: tuple[InboxRow, ...] = (
        OrderRow(seq=InboxSeq(1), orders=(order("W1"), order("W2"))),
        OrderRow(seq=InboxSeq(2), orders=(order("W3"),)),
        cancel(3),
        PlanRow(seq=InboxSeq(4), plan=plan(DEMO)),
        OperatorRow(seq=InboxSeq(5), action=OperatorAction.PURGE, subject="x", by="Li"),
        CodeRow(
            seq=InboxSeq(6),
            track=TrackId(7),
            text="SF1",
            check=CodingCheck.TWICE,
            by="Wu",
            keyed_utc_us=UtcUs(9),
        ),
        OtherRow(seq=InboxSeq(7)),
    )

    async def main() -> list[InboxRead]:
        bench = Bench(Shelf(*rows))
        await bench.follower.catch_up(lambda: None)
        return bench.take()

    changed, cancelled, activated, commanded, coded, rest = virtual(main)
    assert [read.seq for read in (changed, cancelled, activated, commanded, coded, rest)] == [
        1,
        3,
        4,
        5,
        6,
        7,
    ]
    (one,) = changed.events
    assert isinstance(one, OrderChanged)
    assert (one.inbox_seq, one.waybill, one.order) == (1, "W1", order("W1"))
    (two,) = cancelled.events
    assert isinstance(two, OrderCancelled)
    assert (two.inbox_seq, two.request.message_id) == (3, "m3")
    (three,) = activated.events
    assert isinstance(three, PlanActivated)
    assert (three.inbox_seq, three.plan) == (4, plan(DEMO))
    (four,) = commanded.events
    assert isinstance(four, OperatorCommanded)
    assert (four.inbox_seq, four.action, four.subject, four.by) == (5, OperatorAction.PURGE, "x", "Li")
    (five,) = coded.events
    assert isinstance(five, CodeKeyed)
    assert (five.inbox_seq, five.track, five.text, five.check) == (6, 7, "SF1", CodingCheck.TWICE)
    assert (five.by, five.keyed_utc_us) == ("Wu", 9)
    assert rest.events == ()


def test_orders_are_handed_over_by_what_is_wanted_when_they_come() -> None:
    """While all are wanted, all are; what is wanted by then is looked up behind these rows."""
    rows = [OrderRow(seq=InboxSeq(n), orders=(order(f"W{n}"),)) for n in (1, 2)]

    async def main(wanted: frozenset[Waybill] | None) -> list[list[str]]:
        shelf = Shelf(*rows)
        bench = Bench(shelf)
        bench.wanted = wanted
        await bench.follower.catch_up(lambda: None)
        assert shelf.asked_for == wanted
        changes = [
            [event for event in read.events if isinstance(event, OrderChanged)] for read in bench.take()
        ]
        return [[change.waybill for change in some] for some in changes]

    assert virtual(lambda: main(None)) == [["W1"], ["W2"]]
    assert virtual(lambda: main(frozenset({Waybill("W2")}))) == [["W2"]]
    assert virtual(lambda: main(frozenset())) == [[]]


def test_a_days_cancels_are_handled_batch_by_batch_before_anything_else() -> None:
    many = 3 * inbox_follower.ROWS_AT_ONCE + 1

    async def main() -> tuple[list[int], list[int]]:
        bench = Bench(Shelf(*(cancel(n) for n in range(1, many + 1))), cursor=0)
        waiting: list[int] = []
        handled: list[InboxRead] = []

        def drain() -> None:
            waiting.append(len(bench.queue))
            handled.extend(bench.take())

        await bench.follower.catch_up(drain)
        return waiting, [read.seq for read in handled]

    waiting, handled = virtual(main)
    assert waiting == [inbox_follower.ROWS_AT_ONCE] * 3 + [1]
    assert handled == list(range(1, many + 1))


def test_it_begins_after_its_cursor_and_goes_on_from_there() -> None:
    shelf = Shelf(*(cancel(n) for n in range(1, 6)))

    async def main() -> list[int]:
        bench = Bench(shelf, cursor=3)
        await bench.follower.catch_up(lambda: None)
        shelf.rows.append(cancel(6))
        await bench.run(0.15)
        return [read.seq for read in bench.take()]

    assert virtual(main) == [4, 5, 6]


def test_a_ring_is_answered_at_once_and_a_lost_one_costs_a_poll() -> None:
    shelf = Shelf()

    async def main() -> list[tuple[int, int]]:
        bench = Bench(shelf)
        time = clock()
        seen: list[tuple[int, int]] = []
        loop = asyncio.get_running_loop()

        def arrives(seq: int, *, rings: bool) -> None:
            shelf.rows.append(cancel(seq))
            if rings:
                bench.follower.ring()

        loop.call_later(0.230, lambda: arrives(1, rings=True))
        loop.call_later(0.330, lambda: arrives(2, rings=False))

        def look() -> None:
            seen.extend((read.seq, time.now_us()) for read in bench.take())
            loop.call_later(0.001, look)

        look()
        await bench.run(0.6)
        return seen

    (first, first_us), (second, second_us) = virtual(main)
    assert (first, second) == (1, 2)
    assert first_us <= 1_232_000
    assert 1_330_000 < second_us <= 1_432_000


def test_nothing_is_read_while_there_is_no_room() -> None:
    shelf = Shelf(cancel(1))
    full = True

    async def main() -> tuple[int, int]:
        nonlocal full
        bench = Bench(shelf, room=lambda: not full)
        await bench.run(0.5)
        before = len(shelf.reads)
        full = False
        await bench.run(0.5)
        return before, len(bench.take())

    assert virtual(main) == (0, 1)


def test_an_inbox_that_cannot_be_read_is_told_once_and_read_again() -> None:
    shelf = Shelf(cancel(1), fails=4)

    async def main() -> list[InboxRead]:
        bench = Bench(shelf)
        await bench.follower.catch_up(lambda: None)
        await bench.run(1)
        return bench.take()

    with logs() as told_logs:
        assert [read.seq for read in virtual(main)] == [1]
    assert [(log["log_level"], log["event"]) for log in told_logs] == [
        ("error", "inbox cannot be read"),
        ("info", "inbox can be read again"),
    ]


@pytest.mark.parametrize("damage", ["UPDATE inbox SET kind='telepathy'", "DROP TABLE orders"])
def test_a_damaged_store_is_a_failed_inbox_not_the_end_of_the_process(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "inbox.db"
    writer = InboxWriter(path)
    writer.put_orders([store_kit.put("m", store_kit.order("A-1"))])
    writer._db.execute(damage)

    async def main() -> list[InboxRead]:
        bench = Bench(InlineInbox(path, tmp_path / "journal.db", lambda: 0))
        await bench.run(1)
        return bench.take()

    with logs() as told_logs:
        assert virtual(main) == []
    assert [log["event"] for log in told_logs] == ["inbox cannot be read"]
    writer.close()


def test_a_poll_looks_whether_anything_has_come_and_a_ring_reads_at_once() -> None:
    """What the doorbell tells of, a cancel perhaps, does not wait for a look of its own."""

    async def main(rung: bool) -> list[int]:
        shelf = Shelf(cancel(1))
        bench = Bench(shelf)
        if rung:
            bench.follower.ring()
        await bench.run(0.15)
        assert [read.seq for read in bench.take()] == [1]
        return shelf.limits

    assert virtual(lambda: main(rung=True)) == [inbox_follower.ROWS_AT_ONCE, 1]
    assert virtual(lambda: main(rung=False)) == [1, inbox_follower.ROWS_AT_ONCE]
