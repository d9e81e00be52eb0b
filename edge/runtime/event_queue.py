"""The bounded queue between the links and the line loop.

What arrives in one instant is handled sorted by (source, arrival within the source), never by the
order in which tasks happened to run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum

from edge.model.events import Event
from edge.model.ids import InboxSeq

QUEUE_LIMIT = 8_192
"""Ten seconds of a fast line's ring are about 600 entries; a loop this far behind is dead."""
BATCH_LIMIT = 64
"""Inputs handled before the loop looks at its clock again."""


class Source(IntEnum):
    """Order of what arrived in one instant."""

    START = 0
    PLC = 1
    BELT = 2
    DEVICE = 3
    LOOK_UP = 4
    INBOX = 5
    TIMER = 6
    STORE = 7


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

    def __init__(self, queue: "EventQueue", source: Source) -> None:
        self._queue = queue
        self._source = source

    def post(self, event: Event) -> None:
        self._queue.put(self._source, event)


class EventQueue:
    """``settle`` waits until nothing else can run in this instant (virtual time); by default not at all."""

    def __init__(self, settle: Callable[[], Awaitable[None]] | None = None) -> None:
        self._items: list[tuple[int, int, Event | InboxRead]] = []
        self._n = 0
        self._filled = asyncio.Event()
        self._settle = settle

    def sink(self, source: Source) -> SourceSink:
        return SourceSink(self, source)

    def put(self, source: Source, item: Event | InboxRead) -> None:
        """Raises ``QueueOverflow`` when the loop is hopelessly behind."""
        if len(self._items) >= QUEUE_LIMIT:
            raise QueueOverflow(f"more than {QUEUE_LIMIT} inputs wait for the line loop")
        self._n += 1
        self._items.append((source, self._n, item))
        self._filled.set()

    def pulse(self) -> None:
        """Let the loop turn once although nothing arrived."""
        self._filled.set()

    async def take(self) -> list[Event | InboxRead]:
        """The next inputs in order; empty after a ``pulse``."""
        await self._filled.wait()
        if self._settle is not None:
            await self._settle()
        return self.take_now()

    def take_now(self) -> list[Event | InboxRead]:
        """What waits now, in order, without waiting for more of this instant."""
        self._filled.clear()
        items = self._items
        if len(items) < 2:  # the usual turn: one input, or a pulse
            self._items = []
            return [item for _, _, item in items]
        items.sort()
        taken, self._items = items[:BATCH_LIMIT], items[BATCH_LIMIT:]
        if self._items:
            self._filled.set()
        return [item for _, _, item in taken]

    def __len__(self) -> int:
        return len(self._items)
