"""The belt clock against a true belt: its bounds hold always, and are as tight as the link allows."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.belt_clock import BeltClock
from edge.model.ids import BootEpoch
from edge.model.units import MonoUs, Ticks
from tests.clauses import clause

TICKS_PER_M = 70_000
NOMINAL, FASTEST = 2000, 2100
SCAN_US = 5_000


class TrueBelt:
    """A belt, a PLC with a clock of its own, and a link with a turnaround, all in integer µs.

    ``speed_at(ms)`` in mm/s at the PLC's millisecond; positions are kept for each ms.
    """

    def __init__(
        self,
        speed_at: Callable[[int], int],
        *,
        ms: int = 4000,
        skew_us: int = 123_456_789,
        drift_ppm: int = 0,
        start_ms: int = 0,
    ) -> None:
        self.nm = [0]
        for n in range(ms):
            self.nm.append(self.nm[-1] + speed_at(n) * 1000)
        self.skew_us, self.drift_ppm, self.start_ms = skew_us, drift_ppm, start_ms

    def plc_us(self, pc_us: int) -> int:
        own = pc_us - self.skew_us
        return own + own * self.drift_ppm // 1_000_000

    def ticks(self, pc_us: int) -> int:
        ms, us = divmod(self.plc_us(pc_us), 1000)
        nm = self.nm[ms] + (self.nm[ms + 1] - self.nm[ms]) * us // 1000
        return nm * TICKS_PER_M // 1_000_000_000

    def at(self, ms: int) -> int:
        """PC time ``ms`` after the PLC's start."""
        return self.skew_us + ms * 1000

    def feed(self, clock: BeltClock, pc_us: int, *, rtt_us: int, taken: int, scan: int, read: bool) -> None:
        """Asked at ``pc_us``, served ``taken`` ‰ into the trip; the status is ``scan`` ‰ of a scan old."""
        moment = pc_us + rtt_us * taken // 1000 - SCAN_US * scan // 1000
        clock.feed(
            asked_us=MonoUs(pc_us),
            answered_us=MonoUs(pc_us + rtt_us),
            epoch=BootEpoch(7),
            plc_ms=(self.plc_us(moment) // 1000 + self.start_ms) % 2**32,
            ticks=Ticks(self.ticks(moment)),
            running=True,
            ring_read=read,
        )


def belt_clock() -> BeltClock:
    return BeltClock(ticks_per_m=TICKS_PER_M, max_speed_mm_s=FASTEST, scan_ms=5)


def seen(true: TrueBelt, *, until_ms: int, rtt_us: int = 5_000, taken: int = 500, scan: int = 0) -> BeltClock:
    clock = belt_clock()
    for ms in range(100, until_ms + 1, 100):
        true.feed(clock, true.at(ms), rtt_us=rtt_us, taken=taken, scan=scan, read=True)
    return clock


@clause("LINK-10")
@given(
    stops=st.lists(st.tuples(st.integers(1, 900), st.sampled_from([0, 300, NOMINAL, FASTEST])), min_size=1),
    trips=st.lists(
        st.tuples(st.integers(200, 200_000), st.integers(0, 1000), st.integers(0, 1000)),
        min_size=12,
        max_size=12,
    ),
    drift_ppm=st.integers(-100, 100),
    start_ms=st.sampled_from([0, 2**32 - 1000, 2**31]),
    asked=st.lists(st.tuples(st.integers(310, 3300), st.integers(0, 60)), min_size=1, max_size=5),
)
@settings(max_examples=120, deadline=None)
def test_the_true_position_lies_within_the_bounds_whatever_the_belt_and_the_link_do(
    stops: list[tuple[int, int]],
    trips: list[tuple[int, int, int]],
    drift_ppm: int,
    start_ms: int,
    asked: list[tuple[int, int]],
) -> None:
    speeds: list[int] = []
    while len(speeds) < 4000:
        for length, speed in stops:
            speeds.extend([speed] * length)
    true = TrueBelt(lambda n: speeds[n], drift_ppm=drift_ppm, start_ms=start_ms)
    clock = belt_clock()
    for n, (rtt_us, taken, scan) in enumerate(trips):
        true.feed(clock, true.at(100 + n * 250), rtt_us=rtt_us, taken=taken, scan=scan, read=n % 2 == 0)
        proved = true.ticks(true.at(100 + n * 250) + rtt_us)
        assert not clock.proved(Ticks(proved + 1))
        assert not clock.ring_read_past(MonoUs(true.at(100 + n * 250) + rtt_us))
    for from_ms, width_ms in asked:
        first, last = true.at(from_ms), true.at(from_ms + width_ms)
        bounds = clock.ticks_between(MonoUs(first), MonoUs(last))
        if bounds is None:
            assert from_ms < 310 + 200
            continue
        assert bounds[0] <= true.ticks(first)
        assert true.ticks(last) <= bounds[1]


@pytest.mark.parametrize(
    ("rtt_us", "scan", "speed", "extra_us"),
    [
        (5_000, 0, NOMINAL, 6_000),
        (5_000, 1000, NOMINAL, 6_000),
        (20_000, 500, NOMINAL, 6_000),
        (5_000, 0, 0, 0),
    ],
)
def test_bounds_are_as_wide_as_a_round_trip_a_scan_and_the_belts_freedom(
    rtt_us: int, scan: int, speed: int, extra_us: int
) -> None:
    true = TrueBelt(lambda _: speed)
    clock = seen(true, until_ms=3000, rtt_us=rtt_us, scan=scan)
    for ms in range(1000, 2900, 37):
        bounds = clock.ticks_between(MonoUs(true.at(ms)), MonoUs(true.at(ms)))
        assert bounds is not None
        assert bounds[0] <= true.ticks(true.at(ms)) <= bounds[1]
        wide_us = rtt_us + SCAN_US + 2_000 + extra_us
        assert bounds[1] - bounds[0] <= FASTEST * TICKS_PER_M * wide_us // 1_000_000_000 + 2


def test_one_short_round_trip_makes_all_later_bounds_tight() -> None:
    true = TrueBelt(lambda _: NOMINAL)
    slow, mixed = belt_clock(), belt_clock()
    for n, ms in enumerate(range(100, 3000, 100)):
        true.feed(slow, true.at(ms), rtt_us=60_000, taken=500, scan=0, read=True)
        rtt_us = 2_000 if n == 5 else 60_000
        true.feed(mixed, true.at(ms), rtt_us=rtt_us, taken=500, scan=0, read=True)

    def width(clock: BeltClock) -> int:
        bounds = clock.ticks_between(MonoUs(true.at(2500)), MonoUs(true.at(2500)))
        assert bounds is not None
        return bounds[1] - bounds[0]

    assert width(mixed) * 3 < width(slow)


def test_nothing_is_known_before_the_first_sample_or_after_the_last_of_a_lost_link() -> None:
    true = TrueBelt(lambda _: NOMINAL)
    clock = belt_clock()
    assert clock.ticks_between(MonoUs(1), MonoUs(1)) is None
    assert clock.due_us(Ticks(1), MonoUs(1)) is None
    assert not clock.proved(Ticks(0))
    assert not clock.ring_read_past(MonoUs(0))
    clock = seen(true, until_ms=1000)
    assert clock.ticks_between(MonoUs(true.at(50)), MonoUs(true.at(60))) is None
    beyond = MonoUs(true.at(1300))
    bounds = clock.ticks_between(beyond, beyond)
    assert bounds is not None
    assert bounds[0] <= true.ticks(beyond) <= bounds[1]
    clock.unseen()
    assert clock.ticks_between(beyond, beyond) is None
    assert clock.due_us(Ticks(10**9), beyond) is None
    within = MonoUs(true.at(800))
    assert clock.ticks_between(within, within) is not None
    true.feed(clock, true.at(1300), rtt_us=5000, taken=500, scan=0, read=True)
    assert clock.ticks_between(beyond, beyond) is not None


@pytest.mark.parametrize("speed", [NOMINAL, FASTEST, 500])
def test_a_mark_is_due_never_late_and_hardly_early(speed: int) -> None:
    true = TrueBelt(lambda _: speed)
    clock = seen(true, until_ms=1000)
    for ahead_ms in (1, 20, 100, 400, 1500):
        reach = true.at(1000) + ahead_ms * 1000
        due = clock.due_us(Ticks(true.ticks(reach)), MonoUs(true.at(1005)))
        assert due is not None
        assert (
            reach - 5_000 - SCAN_US - 2_000 - ahead_ms * 10
            <= due
            <= max(reach + 1_000 + ahead_ms * 10, true.at(1005))
        )
    passed = Ticks(true.ticks(true.at(900)))
    assert clock.due_us(passed, MonoUs(true.at(1005))) == true.at(1005)


def test_a_belt_that_speeds_up_is_taken_for_the_fastest_it_can_be() -> None:
    true = TrueBelt(lambda ms: 0 if ms < 850 else NOMINAL)
    clock = seen(true, until_ms=1000)
    reach = true.at(1090)
    due = clock.due_us(Ticks(true.ticks(reach)), MonoUs(true.at(1005)))
    assert due is not None
    assert reach - 25_000 < due <= reach


def test_a_standing_belt_reaches_nothing() -> None:
    clock = belt_clock()
    for n in range(5):
        clock.feed(
            asked_us=MonoUs(n * 100_000),
            answered_us=MonoUs(n * 100_000 + 5000),
            epoch=BootEpoch(1),
            plc_ms=n * 100,
            ticks=Ticks(500),
            running=False,
            ring_read=True,
        )
    assert clock.due_us(Ticks(501), MonoUs(500_000)) is None
    assert clock.due_us(Ticks(500), MonoUs(500_000)) == 500_000
    assert clock.ticks_between(MonoUs(150_000), MonoUs(320_000)) == (500, 500)


@clause("LINK-11", "CONF-6")
def test_proof_needs_the_ring_and_a_position_that_is_passed_not_reached() -> None:
    clock = belt_clock()

    def status(n: int, ring_read: bool) -> None:
        clock.feed(
            asked_us=MonoUs(n * 100_000),
            answered_us=MonoUs(n * 100_000 + 5000),
            epoch=BootEpoch(1),
            plc_ms=n * 100,
            ticks=Ticks(n * 10_000),
            running=True,
            ring_read=ring_read,
        )

    status(1, True)
    assert clock.proved(Ticks(9_999))
    assert not clock.proved(Ticks(10_000))
    status(2, False)
    assert not clock.proved(Ticks(10_001))
    assert not clock.ring_read_past(MonoUs(150_000))
    status(2, True)
    assert clock.proved(Ticks(19_999))
    assert clock.ring_read_past(MonoUs(150_000))
    assert not clock.ring_read_past(MonoUs(205_000))


@clause("ID-2")
def test_a_new_epoch_forgets_everything() -> None:
    clock = seen(TrueBelt(lambda _: NOMINAL), until_ms=1000)
    clock.feed(
        asked_us=MonoUs(200_000_000),
        answered_us=MonoUs(200_005_000),
        epoch=BootEpoch(8),
        plc_ms=50,
        ticks=Ticks(10),
        running=True,
        ring_read=False,
    )
    assert not clock.proved(Ticks(0))
    assert not clock.ring_read_past(MonoUs(0))
    assert clock.ticks_between(MonoUs(124_000_000), MonoUs(124_000_000)) is None
    due = clock.due_us(Ticks(210_010), MonoUs(200_005_000))
    assert due is not None
    assert due < 200_005_000 + 210_000 * 1_000_000 // (TICKS_PER_M * FASTEST // 1000)


def test_a_plc_whose_clock_was_set_is_related_anew() -> None:
    true = TrueBelt(lambda _: NOMINAL)
    clock = seen(true, until_ms=1000)
    jumped = TrueBelt(lambda _: NOMINAL, start_ms=60_000)
    for ms in (1100, 1200):
        jumped.feed(clock, jumped.at(ms), rtt_us=5000, taken=500, scan=0, read=True)
    assert clock.ticks_between(MonoUs(true.at(900)), MonoUs(true.at(900))) is None
    bounds = clock.ticks_between(MonoUs(true.at(1150)), MonoUs(true.at(1150)))
    assert bounds is not None
    assert bounds[0] <= true.ticks(true.at(1150)) <= bounds[1]


def test_what_is_kept_is_bounded_and_covers_ten_seconds() -> None:
    true = TrueBelt(lambda _: NOMINAL, ms=60_000)
    clock = seen(true, until_ms=59_000)
    assert len(clock._plc_us) <= 256
    assert clock.ticks_between(MonoUs(true.at(47_000)), MonoUs(true.at(47_000))) is not None


@pytest.mark.parametrize("speed", [300, NOMINAL])
def test_where_the_belt_has_been_tells_about_when(speed: int) -> None:
    true = TrueBelt(lambda ms: 0 if 1_000 <= ms < 2_000 else speed)
    clock = seen(true, until_ms=3_500)
    for ms in (450, 900, 2_300, 3_290):
        told = clock.passed_us(Ticks(true.ticks(true.at(ms))))
        assert told is not None
        assert abs(told - true.at(ms)) < 8_000
    assert clock.passed_us(Ticks(true.ticks(true.at(50)))) is None, "before the first sample"
    assert clock.passed_us(Ticks(true.ticks(true.at(3_900)))) is None, "not seen yet"
    assert belt_clock().passed_us(Ticks(0)) is None
