"""The formulas of edge.core.timing against the figures of the three lines (docs/line-configuration.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import timing
from edge.model.units import Ticks

DEMO = {"v_max": 1890, "actuator_ms": 120, "scan_ms": 5, "margin_mm": 20}
SMALL = {"v_max": 525, "actuator_ms": 300, "scan_ms": 5, "margin_mm": 20}
FAST = {"v_max": 2100, "actuator_ms": 60, "scan_ms": 5, "margin_mm": 20}


@pytest.mark.parametrize(
    ("line", "turnaround_ms", "commit", "deadline"),
    [(DEMO, 5, 256, 428), (SMALL, 20, 180, 267), (FAST, 5, 156, 348)],
)
def test_commit_point_and_deadline_of_the_three_lines(
    line: dict[str, int], turnaround_ms: int, commit: int, deadline: int
) -> None:
    assert timing.commit_mm(4000, **line) == 4000 - commit
    assert timing.deadline_mm(4000, **line, turnaround_ms=turnaround_ms) == 4000 - deadline


@pytest.mark.parametrize(("speed", "v_max"), [(1800, 1890), (500, 525), (2000, 2100), (1001, 1052)])
def test_largest_speed_is_rounded_up(speed: int, v_max: int) -> None:
    assert timing.max_speed_mm_s(speed) == v_max


@pytest.mark.parametrize(
    ("speed", "length", "gap", "per_h"),
    [(1500, 400, 300, 7714), (1800, 300, 700, 6480), (2000, 300, 300, 12000)],
)
def test_throughput(speed: int, length: int, gap: int, per_h: int) -> None:
    assert timing.throughput_per_h(speed, length, gap) == per_h


def test_a_static_scale_bears_650_an_hour_with_a_plc_of_200_ms() -> None:
    held = timing.hold_ms(300, 100, 500, timing.cycle_ms(200))
    assert held == 2100
    assert timing.static_throughput_per_h(500, 600, 1100, held) == 654
    assert timing.static_throughput_per_h(500, 600, 1100, held + 60) == 647


def test_the_demo_belt_scale_needs_300_ms_and_960_mm() -> None:
    time_ms = timing.weighing_ms(150, 30, 6, 50)
    assert time_ms == 300
    assert timing.belt_scale_mm(1800, time_ms, 200, 400, 700) == (940, 1060)


def test_a_line_that_cannot_weigh_in_motion_has_an_empty_span() -> None:
    low, high = timing.belt_scale_mm(2000, 300, 150, 300, 300)
    assert low > high


@pytest.mark.parametrize(
    ("zone", "v_max", "change", "gap"), [(350, 1890, 120, 577), (500, 525, 600, 815), (160, 2100, 60, 286)]
)
def test_gap_for_a_change_of_side(zone: int, v_max: int, change: int, gap: int) -> None:
    assert timing.change_gap_mm(zone, v_max, change) == gap


@pytest.mark.parametrize(
    ("turnaround", "cycle", "time_out", "heartbeat"),
    [(5, 100, 100, 310), (20, 100, 100, 340), (100, 300, 300, 900), (200, 600, 600, 1700)],
)
def test_link_rules(turnaround: int, cycle: int, time_out: int, heartbeat: int) -> None:
    assert timing.cycle_ms(turnaround) == cycle
    assert timing.timeout_ms(turnaround) == time_out
    assert timing.heartbeat_floor_ms(time_out, turnaround) == heartbeat


@pytest.mark.parametrize(
    ("nominal", "events", "turnaround", "load"),
    [(6400, 678, 41, 699), (6400, 678, 42, 708), (12000, 850, 26, 694), (12000, 850, 27, 720)],
)
def test_link_budget_bears_41_ms_on_the_demo_and_26_on_the_fast_line(
    nominal: int, events: int, turnaround: int, load: int
) -> None:
    reads = timing.reads_per_parcel(events, max_block=32)
    assert reads == 3
    assert timing.link_load_permille(nominal, reads, turnaround, 1) == load


def test_reads_take_whole_slots() -> None:
    assert timing.reads_per_parcel(600, 32) == 2
    assert timing.reads_per_parcel(601, 32) == 3
    assert timing.reads_per_parcel(600, 29) == 3


def test_ring_holds_ten_seconds_of_peak_events() -> None:
    assert timing.ring_slots(1800, 200, 700, 678) == 256
    assert timing.ring_slots(2000, 150, 300, 850) == 378


def test_code_uncertainty_and_the_gap_that_it_needs() -> None:
    error = timing.belt_clock_error_ms(26, 5)
    width = timing.code_uncertainty_mm(2100, 5, 15, error)
    assert width == 87  # 2100 mm/s × 41 ms = 86.1 mm
    assert timing.code_gap_mm(50, width, 25) == 274


def test_chute_reserve_and_end_room() -> None:
    assert timing.chute_reserve(7700, 3000, 1000, 2000, 6400) == 5 + 4
    assert timing.parcels_on_belt(9000, 200, 700) == 11


ints = st.integers(min_value=-(10**7), max_value=10**7)
tick_rates = st.integers(min_value=100, max_value=20_000)


@given(distance=ints, rate=tick_rates)
def test_ticks_round_as_they_say(distance: int, rate: int) -> None:
    down, near, up = (
        f(distance, rate) for f in (timing.mm_to_ticks_down, timing.mm_to_ticks, timing.mm_to_ticks_up)
    )
    assert down <= near <= up <= down + 1
    assert down * 1000 <= distance * rate <= up * 1000
    assert abs(near * 1000 - distance * rate) * 2 <= 1000


@given(ticks=ints, rate=tick_rates)
def test_millimetres_round_as_they_say(ticks: int, rate: int) -> None:
    near, up = timing.ticks_to_mm(ticks, rate), timing.ticks_to_mm_up(ticks, rate)
    assert up - 1 <= near <= up
    assert (up - 1) * rate < ticks * 1000 <= up * rate


@pytest.mark.parametrize(("distance", "ticks"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_half_a_tick_goes_to_the_even_one(distance: int, ticks: int) -> None:
    assert timing.mm_to_ticks(distance, 500) == ticks


@given(
    position=st.integers(0, 50_000),
    v_max=st.integers(1, 5_000),
    actuator=st.integers(0, 2_000),
    turnaround=st.integers(1, 200),
)
def test_deadline_is_always_upstream_of_the_commit_point(
    position: int, v_max: int, actuator: int, turnaround: int
) -> None:
    commit = timing.commit_mm(position, v_max, actuator, 5, 20)
    deadline = timing.deadline_mm(position, v_max, actuator, 5, 20, turnaround)
    assert deadline <= commit < position
    assert timing.deadline_mm(position, v_max, actuator, 5, 20, turnaround + 1) <= deadline


def test_a_tick_window_is_closed() -> None:
    window = timing.TickWindow(first=Ticks(10), last=Ticks(20))
    assert 10 in window
    assert 20 in window
    assert 21 not in window
    assert window.holds(10, 20)
    assert not window.holds(9, 20)
    assert window.touches(20, 30)
    assert window.touches(0, 10)
    assert not window.touches(21, 30)


def test_travel() -> None:
    assert timing.travel_mm(1890, 100) == 189
    assert timing.travel_mm(1891, 100) == 190
    assert timing.samples_in(219, 1800, 50) == 6
    assert timing.samples_in(-5, 1800, 50) == 0
