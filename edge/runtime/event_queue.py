"""The bounded queue between the links and the line loop.

What arrives in one instant is handled sorted by (source, rank within it, arrival), never by the order in
which tasks happened to run.
"""

import asyncio
import contextvars
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

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


Turn = Callable[[list[Event | InboxRead]], None]


class _Serving(NamedTuple):
    turn: Turn
    over: "asyncio.Future[None]"
    context: Context


class EventQueue:
    """``settled(callback)`` calls back when nothing else can run in this instant (virtual time); without
    it what waits is handed over in the loop's next turn. One serves."""

    def __init__(self, settled: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._items: list[tuple[int, int, Event | InboxRead]] = []
        self._n = 0
        self._settled = settled
        self._filled = False
        """Something is to be taken, or a ``pulse`` is to be passed on."""
        self._serving: _Serving | None = None

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
            self.pulse()

    def pulse(self) -> None:
        """Let the loop turn once although nothing arrived."""
        if not self._filled:
            self._filled = True
            if self._serving is not None:
                self._hand_over_soon(self._serving)

    async def serve(self, turn: Turn) -> None:
        """Hand the next inputs to ``turn``, in order, as often as there are some; none after a ``pulse``.
        Until it is cancelled; raises what ``turn`` raised.

        ``turn`` is called by the loop itself, in this task's context: no task has to be woken for it.
        """
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._serving = serving = _Serving(turn, over, contextvars.copy_context())
        if self._filled:
            self._hand_over_soon(serving)
        try:
            await over
        finally:
            self._serving = None

    def _hand_over_soon(self, serving: "_Serving") -> None:
        if self._settled is None:
            serving.over.get_loop().call_soon(self._hand_over)
        else:
            self._settled(self._hand_over)

    def _hand_over(self) -> None:
        serving = self._serving
        if serving is None or serving.over.done():
            return
        batch = self.take_now()
        more = self._filled
        try:
            serving.context.run(serving.turn, batch)
        except Exception as error:  # noqa: BLE001 - it is raised where ``serve`` is awaited
            serving.over.set_exception(error)
            return
        if more:
            self._hand_over_soon(serving)

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
