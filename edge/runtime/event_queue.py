"""The bounded queue between the links and the line loop.

What arrives in one instant is handled sorted by (source, rank within it, arrival), never by the order in
which tasks happened to run.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from edge.model.events import Event
from edge.model.ids import InboxSeq

QUEUE_LIMIT = 8_192
"""Ten seconds of a fast line's ring are about 600 entries; a loop this far behind is dead."""
BATCH_LIMIT = 64
"""Inputs handled before the loop looks at its clock again."""


class Source(IntEnum):
    """Order of what arrived in one instant. The room between two is for ranks: a source that several
    tasks post for (each device, each bench) gives each of them its own."""

    START = 0
    PLC = 64
    BELT = 128
    DEVICE = 192
    LOOK_UP = 256
    INBOX = 320
    TIMER = 384
    STORE = 448
    BENCH = 512


@dataclass(frozen=True, slots=True)
class InboxRead:
    """Every inbox row up to here has been handed over or did not concern the core.

    ``events``: what row ``seq`` says to it. They and the cursor are handled together, so that one commit
    holds both.
    """

    seq: InboxSeq
    events: tuple[Event, ...] = ()


class QueueOverflow(Exception):
    """Ours: the line loop does not keep up; the process must end."""


class SourceSink:
    """The queue's end that one source posts to (an ``EventSink``)."""

    def __init__(self, queue: "EventQueue", source: int) -> None:
        self._queue = queue
        self._source = source

    def post(self, event: Event) -> None:
        self._queue.put(self._source, event)


class EventQueue:
    """``settled(callback)`` calls back when nothing else can run in this instant (virtual time); without
    it what waits is taken as soon as the loop's task runs. One task takes."""

    def __init__(self, settled: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._items: list[tuple[int, int, Event | InboxRead]] = []
        self._n = 0
        self._settled = settled
        self._filled = False
        """Something is to be taken, or a ``pulse`` is to be passed on."""
        self._taker: asyncio.Future[None] | None = None

    def sink(self, source: Source, rank: int = 0) -> SourceSink:
        """``rank``: 0…63, where several tasks post for one source."""
        return SourceSink(self, source + rank)

    def put(self, source: int, item: Event | InboxRead) -> None:
        """Raises ``QueueOverflow`` when the loop is hopelessly behind."""
        if len(self._items) >= QUEUE_LIMIT:
            raise QueueOverflow(f"more than {QUEUE_LIMIT} inputs wait for the line loop")
        self._n += 1
        self._items.append((source, self._n, item))
        if not self._filled:
            self._fill()

    def pulse(self) -> None:
        """Let the loop turn once although nothing arrived."""
        if not self._filled:
            self._fill()

    def _fill(self) -> None:
        self._filled = True
        if self._taker is not None:
            self._when_settled()

    def _when_settled(self) -> None:
        if self._settled is None:
            self._release()
        else:
            self._settled(self._release)

    def _release(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    async def take(self) -> list[Event | InboxRead]:
        """The next inputs in order; empty after a ``pulse``."""
        taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taker = taker
        if self._filled:
            self._when_settled()
        try:
            await taker
        finally:
            self._taker = None
        return self.take_now()

    def take_now(self) -> list[Event | InboxRead]:
        """What waits now, in order, without waiting for more of this instant."""
        self._filled = False
        items = self._items
        if len(items) < 2:  # the usual turn: one input, or a pulse
            self._items = []
            return [item for _, _, item in items]
        items.sort()
        taken, self._items = items[:BATCH_LIMIT], items[BATCH_LIMIT:]
        self._filled = bool(self._items)
        return [item for _, _, item in taken]

    def __len__(self) -> int:
        return len(self._items)
