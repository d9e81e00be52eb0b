"""Reads the inbox in order and turns what concerns the core into its inputs."""

import asyncio
from collections.abc import Callable
from typing import assert_never

import structlog

from edge.model.events import (
    CodeKeyed,
    Event,
    OperatorCommanded,
    OrderCancelled,
    OrderChanged,
    PlanActivated,
)
from edge.model.ids import InboxSeq, Waybill
from edge.model.units import US_PER_MS
from edge.ports.clock import Clock
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
from edge.runtime.event_queue import EventQueue, InboxRead, Source
from edge.runtime.quiet import Quiet

POLL_US = 100 * US_PER_MS
"""Covers a lost ring of the doorbell."""
ROWS_AT_ONCE = 256
NOBODYS: frozenset[Waybill] = frozenset()
"""Wanted by a look whether any row has come."""
WAIT_S = 0.01
"""Between two looks whether there is room again."""

log = structlog.get_logger("inbox")


class InboxFollower:
    """``wanted()``: the waybills that orders are handed over for, None for all. Starts after ``cursor``.

    ``room()`` is False while what was read before is not worked off: then nothing more is read, for the
    inbox may hold a day of cancels when the line comes back.
    """

    def __init__(
        self,
        inbox: Inbox,
        queue: EventQueue,
        clock: Clock,
        *,
        cursor: InboxSeq,
        wanted: Callable[[], frozenset[Waybill] | None],
        room: Callable[[], bool],
    ) -> None:
        self._inbox = inbox
        self._queue = queue
        self._clock = clock
        self._cursor = cursor
        self._wanted = wanted
        self._room = room
        self._look = asyncio.Event()
        self._rung = False
        self._down = False

    def ring(self) -> None:
        """The doorbell: look now."""
        self._rung = True
        self._look.set()

    async def catch_up(self, handed: Callable[[], None]) -> None:
        """Hand over every row that stands: cancels must be in before induction is permitted. ``handed``
        is called after each batch, to have it handled."""
        more = True
        while more:
            more = await self._read(rung=True)
            handed()

    async def run(self) -> None:
        quiet = Quiet(POLL_US, self._look.set)
        try:
            while True:
                quiet.put_off()
                await self._look.wait()
                self._look.clear()
                rung, self._rung = self._rung, False
                while await self._read(rung=rung):
                    rung = True
        finally:
            quiet.stop()

    async def _read(self, *, rung: bool) -> bool:
        """True when there may be more. ``rung``: something has come, as far as is known."""
        while not self._room():  # noqa: ASYNC110 - the line loop and the look-ups know nothing of this
            await asyncio.sleep(WAIT_S)
        try:
            # To say what is wanted costs more than to see that nothing has come, as at nearly every poll.
            rows: tuple[InboxRow, ...] = ()
            if rung or await self._inbox.rows_after(self._cursor, 1, NOBODYS):
                rows = await self._inbox.rows_after(self._cursor, ROWS_AT_ONCE, self._wanted())
        except InboxFailed as failed:
            if not self._down:
                log.error("inbox cannot be read", why=str(failed))
            self._down = True
            return False
        if self._down:
            log.info("inbox can be read again")
        self._down = False
        if not rows:
            return False
        # Asked again: what is wanted by now was looked up behind these rows, and what no longer is has ended.
        wanted = self._wanted()
        for row in rows:
            events = self._events(row, wanted)
            self._cursor = row.seq
            if events or row is rows[-1]:
                self._queue.put(Source.INBOX, InboxRead(row.seq, events))
        return len(rows) == ROWS_AT_ONCE

    def _events(self, row: InboxRow, wanted: frozenset[Waybill] | None) -> tuple[Event, ...]:
        now = self._clock.now_us()
        match row:
            case OrderRow():
                return tuple(
                    OrderChanged(
                        at_us=now, inbox_seq=row.seq, waybill=order.waybill, status=order.status, order=order
                    )
                    for order in row.orders
                    if wanted is None or order.waybill in wanted
                )
            case CancelRow():
                return (OrderCancelled(at_us=now, inbox_seq=row.seq, request=row.request),)
            case PlanRow():
                return (PlanActivated(at_us=now, inbox_seq=row.seq, plan=row.plan),)
            case OperatorRow():
                return (
                    OperatorCommanded(
                        at_us=now, inbox_seq=row.seq, action=row.action, subject=row.subject, by=row.by
                    ),
                )
            case CodeRow():
                return (
                    CodeKeyed(
                        at_us=now,
                        inbox_seq=row.seq,
                        track=row.track,
                        text=row.text,
                        check=row.check,
                        by=row.by,
                        keyed_utc_us=row.keyed_utc_us,
                    ),
                )
            case OtherRow():
                return ()
            case _:
                assert_never(row)
