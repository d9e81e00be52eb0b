"""Wakes: proved by the ring, extrapolated along the belt, or by time; each comes due once."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.belt_clock import BeltClock
from edge.model.events import WakePurpose, Woke
from edge.runtime.wakes import Wakes
from tests.core.core_line import DEMO
from tests.core.runtime_kit import Posted, at, clock, status, ticks_at, virtual, wake

DECIDE, MISSING, LIMIT = WakePurpose.DECIDE, WakePurpose.MISSING, WakePurpose.CANCEL_LIMIT
S = 1_000_000
EARLY_US = 12_000
"""Extrapolation takes the earliest that can be: a scan, a PLC millisecond, and 5 % of a cycle at v_max."""


class Belt:
    """Wakes on a belt clock that is told a status every 100 ms."""

    def __init__(self) -> None:
        self.clock = BeltClock(
            ticks_per_m=DEMO.ticks_per_m, max_speed_mm_s=DEMO.max_speed_mm_s, scan_ms=DEMO.plc.scan_ms
        )
        self.posted = Posted()
        self.time = clock()
        self.wakes = Wakes(self.clock, self.time, self.posted)

    def see(self, **changes: object) -> None:
        sample = status(self.time.now_us(), **changes)  # type: ignore[arg-type]
        self.clock.feed(
            asked_us=sample.asked_us,
            answered_us=sample.answered_us,
            epoch=sample.epoch,
            plc_ms=sample.plc_ms,
            ticks=sample.ticks,
            running=sample.running,
            ring_read=sample.ring_read,
        )
        self.wakes.belt_moved()

    async def run(self, until_us: int, **changes: object) -> None:
        while self.time.now_us() < until_us:
            self.see(**changes)
            await asyncio.sleep(0.1)

    def woken(self) -> list[tuple[str, int, int]]:
        """(purpose, ref, when)."""
        return [(e.purpose.value, e.ref, e.at_us) for e in self.posted.events if isinstance(e, Woke)]


def on_a_belt(play: Callable[[Belt], object]) -> Belt:
    async def main() -> Belt:
        belt = Belt()
        result = play(belt)
        if asyncio.iscoroutine(result):
            await result
        belt.wakes.close()
        return belt

    return virtual(main)


def test_an_extrapolated_wake_comes_between_two_statuses_at_its_place() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(DECIDE, 3, ticks=9_100))
        await belt.run(4 * S)

    belt = on_a_belt(play)
    assert [(purpose, ref) for purpose, ref, _ in belt.woken()] == [("decide", 3)]
    assert at(9_100) - EARLY_US <= belt.woken()[0][2] <= at(9_100)
    assert belt.posted.events[0].ticks == 9_100  # type: ignore[union-attr]
    assert len(belt.wakes) == 0


def test_a_proved_wake_waits_for_a_status_beyond_it_whose_ring_was_read() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(MISSING, 3, ticks=5_000, proved=True))
        await belt.run(3 * S, ring_read=False)
        assert belt.woken() == []
        belt.see()

    assert on_a_belt(play).woken() == [("missing", 3, 3 * S)]


def test_exactly_there_is_not_beyond() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(MISSING, 1, ticks=ticks_at(2 * S), proved=True))
        await asyncio.sleep(1)
        belt.see()
        assert belt.woken() == []
        await asyncio.sleep(0.001)
        belt.see()

    assert len(on_a_belt(play).woken()) == 1


def test_a_stopped_belt_stops_what_is_reckoned_along_it() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(DECIDE, 1, ticks=9_000))
        await belt.run(2 * S)
        stands = ticks_at(2 * S)
        await belt.run(60 * S, ticks=stands, running=False)

    belt = on_a_belt(play)
    assert belt.woken() == []
    assert len(belt.wakes) == 1


def test_a_link_that_is_down_lets_no_wake_come_and_its_return_does() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(DECIDE, 1, ticks=9_000))
        await belt.run(2 * S)
        belt.clock.unseen()
        await asyncio.sleep(3)
        assert belt.woken() == []
        belt.see()

    assert on_a_belt(play).woken() == [("decide", 1, 5 * S)]


def test_a_timed_wake_comes_at_its_moment_whatever_the_belt_does() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(LIMIT, 9, at_us=3 * S + 1))
        belt.wakes.set(wake(LIMIT, 8, at_us=2 * S))
        belt.wakes.set(wake(LIMIT, 7, at_us=S // 2))
        await asyncio.sleep(5)

    belt = on_a_belt(play)
    assert belt.woken() == [
        ("cancel_limit", 7, S),
        ("cancel_limit", 8, 2 * S),
        ("cancel_limit", 9, 3 * S + 1),
    ]


def test_a_second_wake_of_the_same_name_replaces_the_first() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(LIMIT, 1, at_us=2 * S))
        belt.wakes.set(wake(LIMIT, 1, at_us=4 * S))
        belt.wakes.set(wake(MISSING, 1, ticks=4_000, proved=True))
        belt.wakes.set(wake(MISSING, 1, ticks=12_000, proved=True))
        belt.wakes.set(wake(DECIDE, 1, ticks=12_000))
        belt.wakes.set(wake(DECIDE, 1, ticks=9_000))
        await belt.run(5 * S)

    belt = on_a_belt(play)
    assert [(purpose, ref) for purpose, ref, _ in belt.woken()] == [
        ("decide", 1),
        ("missing", 1),
        ("cancel_limit", 1),
    ]
    assert len(belt.wakes) == 0


def test_a_new_count_of_ticks_forgets_the_marks_of_the_old_and_keeps_time() -> None:
    async def play(belt: Belt) -> None:
        belt.wakes.set(wake(DECIDE, 1, ticks=9_000))
        belt.wakes.set(wake(MISSING, 1, ticks=9_000, proved=True))
        belt.wakes.set(wake(LIMIT, 2, at_us=2 * S))
        belt.wakes.forget_ticks()
        belt.wakes.set(wake(DECIDE, 5, ticks=10_000))
        await belt.run(4 * S)

    belt = on_a_belt(play)
    assert [(purpose, ref) for purpose, ref, _ in belt.woken()] == [("cancel_limit", 2), ("decide", 5)]


def test_closed_wakes_stay_asleep() -> None:
    async def play(belt: Belt) -> None:
        belt.see()
        belt.wakes.set(wake(LIMIT, 1, at_us=2 * S))
        belt.wakes.set(wake(DECIDE, 1, ticks=9_000))
        belt.wakes.close()
        await asyncio.sleep(5)

    assert on_a_belt(play).woken() == []


@settings(max_examples=60, deadline=None)
@given(
    marks=st.lists(
        st.tuples(
            st.integers(1, 4),
            st.sampled_from(["proved", "extrapolated", "timed"]),
            st.integers(3_700, 20_000),
            st.integers(0, 30),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_every_last_mark_comes_due_once_and_none_before_its_place(
    marks: list[tuple[int, str, int, int]],
) -> None:
    """Marks are set at any time, again and again under few names; the last one of each name stands."""
    last: dict[tuple[WakePurpose, int], tuple[str, int]] = {}

    async def play(belt: Belt) -> None:
        for ref, kind, ticks, later in marks:
            await belt.run(belt.time.now_us() + later * 1_000)
            purpose = {"proved": MISSING, "extrapolated": DECIDE, "timed": LIMIT}[kind]
            before = len(belt.woken())
            last[purpose, ref] = (kind, before)
            if kind == "timed":
                belt.wakes.set(wake(purpose, ref, at_us=at(ticks)))
            else:
                belt.wakes.set(wake(purpose, ref, ticks=ticks, proved=kind == "proved"))
        await belt.run(belt.time.now_us() + 8 * S)

    belt = on_a_belt(play)
    assert len(belt.wakes) == 0
    woken = belt.woken()
    for (purpose, ref), (_, before) in last.items():
        assert [w[:2] for w in woken[before:]].count((purpose.value, ref)) == 1
    for event in belt.posted.events:
        assert isinstance(event, Woke)
        early_us = EARLY_US if event.purpose is DECIDE else 0
        assert event.ticks <= ticks_at(event.at_us + early_us)
