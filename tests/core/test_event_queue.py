"""What arrived in one instant is handled by (source, arrival), never by task order."""

import pytest

from edge.model.events import ClockRead, HoldCause, HoldCleared, PlcDetached
from edge.model.ids import InboxSeq
from edge.model.units import MonoUs, UtcUs
from edge.runtime import event_queue
from edge.runtime.event_queue import EventQueue, InboxRead, QueueOverflow, Source

CLOCK = ClockRead(at_us=MonoUs(1), utc_us=UtcUs(2))
GONE = PlcDetached(at_us=MonoUs(1), why="cable")
FREE = HoldCleared(at_us=MonoUs(1), cause=HoldCause.DISK_LOW)


async def test_sorted_by_source_then_by_arrival() -> None:
    queue = EventQueue()
    queue.sink(Source.TIMER).post(CLOCK)
    queue.put(Source.INBOX, InboxRead(InboxSeq(4)))
    queue.sink(Source.PLC).post(GONE)
    queue.sink(Source.PLC).post(FREE)
    assert await queue.take() == [GONE, FREE, InboxRead(InboxSeq(4)), CLOCK]
    assert len(queue) == 0


async def test_a_pulse_turns_the_loop_with_nothing() -> None:
    queue = EventQueue()
    queue.pulse()
    assert await queue.take() == []


async def test_batches_are_bounded_and_nothing_is_left_behind() -> None:
    queue = EventQueue()
    sink = queue.sink(Source.TIMER)
    for _ in range(event_queue.BATCH_LIMIT + 1):
        sink.post(CLOCK)
    assert len(await queue.take()) == event_queue.BATCH_LIMIT
    assert len(await queue.take()) == 1


def test_a_hopeless_backlog_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_queue, "QUEUE_LIMIT", 2)
    queue = EventQueue()
    for _ in range(2):
        queue.put(Source.TIMER, CLOCK)
    with pytest.raises(QueueOverflow, match="more than 2 inputs"):
        queue.put(Source.TIMER, CLOCK)
