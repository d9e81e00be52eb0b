"""What arrived in one instant is handled by (source, arrival), never by task order."""

import asyncio
from contextlib import suppress

import pytest

from edge.model.events import ClockRead, Event, HoldCause, HoldCleared, PlcDetached
from edge.model.ids import InboxSeq
from edge.model.units import MonoUs, UtcUs
from edge.runtime import event_queue
from edge.runtime.event_queue import EventQueue, InboxRead, QueueOverflow, Source

CLOCK = ClockRead(at_us=MonoUs(1), utc_us=UtcUs(2))
GONE = PlcDetached(at_us=MonoUs(1), why="cable")
FREE = HoldCleared(at_us=MonoUs(1), cause=HoldCause.DISK_LOW)


async def served(queue: EventQueue, turns: int, *, failing: bool = False) -> list[list[Event | InboxRead]]:
    """What so many turns are given."""
    given: list[list[Event | InboxRead]] = []
    enough = asyncio.Event()

    def turn(batch: list[Event | InboxRead]) -> None:
        given.append(batch)
        if failing:
            raise ValueError("a turn that fails")
        if len(given) == turns:
            enough.set()

    serving = asyncio.create_task(queue.serve(turn))
    seen = asyncio.create_task(enough.wait())
    await asyncio.wait((serving, seen), timeout=10, return_when=asyncio.FIRST_COMPLETED)
    seen.cancel()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    return given


def test_sorted_by_source_then_by_arrival() -> None:
    queue = EventQueue()
    queue.sink(Source.TIMER).post(CLOCK)
    queue.put(Source.INBOX, InboxRead(InboxSeq(4)))
    queue.sink(Source.PLC).post(GONE)
    queue.sink(Source.PLC).post(FREE)
    assert queue.take_now() == [GONE, FREE, InboxRead(InboxSeq(4)), CLOCK]
    assert len(queue) == 0


async def test_a_pulse_turns_the_loop_with_nothing() -> None:
    queue = EventQueue()
    queue.pulse()
    assert await served(queue, 1) == [[]]


async def test_batches_are_bounded_and_nothing_is_left_behind() -> None:
    queue = EventQueue()
    sink = queue.sink(Source.TIMER)
    for _ in range(event_queue.BATCH_LIMIT + 1):
        sink.post(CLOCK)
    assert [len(batch) for batch in await served(queue, 2)] == [event_queue.BATCH_LIMIT, 1]


async def test_what_a_turn_puts_comes_in_the_next_one() -> None:
    queue = EventQueue()
    queue.put(Source.TIMER, CLOCK)
    given: list[list[Event | InboxRead]] = []
    enough = asyncio.Event()

    def turn(batch: list[Event | InboxRead]) -> None:
        given.append(batch)
        if len(given) == 1:
            queue.put(Source.PLC, GONE)
        else:
            enough.set()

    async with asyncio.timeout(10):
        serving = asyncio.create_task(queue.serve(turn))
        await enough.wait()
        serving.cancel()
    assert given == [[CLOCK], [GONE]]


async def test_what_a_turn_raises_is_raised_where_it_is_served_and_no_further_turn_comes() -> None:
    queue = EventQueue()
    queue.put(Source.TIMER, CLOCK)
    with pytest.raises(ValueError, match="a turn that fails"):
        await served(queue, 1, failing=True)
    queue.put(Source.TIMER, CLOCK)
    await asyncio.sleep(0)
    assert len(queue) == 1


async def test_nothing_is_taken_for_who_has_been_cancelled() -> None:
    queue = EventQueue()
    given: list[list[Event | InboxRead]] = []
    serving = asyncio.create_task(queue.serve(given.append))
    await asyncio.sleep(0)
    queue.put(Source.TIMER, CLOCK)
    serving.cancel()
    await asyncio.wait((serving,))
    assert not given
    assert queue.take_now() == [CLOCK]


def test_a_hopeless_backlog_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_queue, "QUEUE_LIMIT", 2)
    queue = EventQueue()
    for _ in range(2):
        queue.put(Source.TIMER, CLOCK)
    with pytest.raises(QueueOverflow, match="more than 2 inputs"):
        queue.put(Source.TIMER, CLOCK)
