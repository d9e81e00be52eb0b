"""Belt physics: edges at exact times, the encoder, diverters, lanes, the scale, the reader."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.codes import Code
from edge.model.ids import ZoneNo
from edge.model.topology import GuardZone, ReaderSpeaks
from edge.model.units import Mm
from simulators.world.motion import RAMP_STEP_US, RAMP_STEPS, BeltMotion, Encoder
from simulators.world.parcel import NM_PER_MM, Hazard
from simulators.world.truth import Carried, Inducted, Left, OnScale, Removed
from tests.core.world_kit import Hall, line, spec

S = 1_000_000
RAMPED_US = RAMP_STEP_US * RAMP_STEPS


def at_speed() -> Hall:
    """The belt has run for one second and stands at a known position."""
    hall = Hall()
    hall.drive()
    hall.run(1 * S)
    return hall


def passage_us(hall: Hall, at_mm: int, from_us: int) -> int:
    """When a leading edge placed at ``from_us`` (30 mm before the eye) is at ``at_mm``, at full speed."""
    nm = (at_mm + 30) * NM_PER_MM
    return from_us - (-nm // 1800)


def test_each_edge_comes_at_its_own_microsecond() -> None:
    hall = at_speed()
    hall.world.place(spec(length_mm=300))
    placed = hall.world.now_us
    hall.run(5 * S)
    eyes = [(at, bits) for at, name, bits in hall.edges if name == "eyes"]
    expected = []
    for eye, place in ((1, 0), (2, 1300), (3, 2260), (4, 4500), (5, 5500), (6, 6000)):
        expected.append((passage_us(hall, place, placed), 1 << (eye - 1)))
        expected.append((passage_us(hall, place + 300, placed), 0))
    assert eyes == expected
    left = hall.of(Left)
    assert [(one.exit, one.at_us) for one in left if isinstance(one, Left)] == [
        (5, passage_us(hall, 6000, placed))
    ]
    assert hall.world.bodies == []


def test_a_ramp_takes_its_time_and_the_belt_never_goes_back() -> None:
    motion = BeltMotion(1800, 0)
    motion.drive(True, 0)
    for step in range(1, RAMP_STEPS + 1):
        assert motion.wake_at_us == step * RAMP_STEP_US
        motion.step(step * RAMP_STEP_US)
    assert motion.wake_at_us is None
    assert motion.speed == 1800
    assert motion.position_nm(RAMPED_US) == 1800 * RAMP_STEP_US * (1 + 2 + 3) // 4


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 400_000)), min_size=1, max_size=30), st.integers(1, 3000)
)
@settings(max_examples=60, deadline=None)
def test_time_of_and_time_when_agree_with_the_position(moves: list[tuple[bool, int]], speed: int) -> None:
    motion = BeltMotion(speed, 0)
    now, before = 0, 0
    for on, wait in moves:
        motion.drive(on, now)
        until = now + wait
        while motion.wake_at_us is not None and motion.wake_at_us <= until:
            now = motion.wake_at_us
            motion.step(now)
        now = until
        here = motion.position_nm(now)
        assert here >= before
        before = here
        ahead = motion.time_of(here + 12_345)
        if ahead is None:
            assert motion.speed == 0
        else:
            assert motion.position_nm(ahead) >= here + 12_345 > motion.position_nm(ahead - 1)
        assert motion.time_when(here) <= now


def test_the_encoder_counts_exactly_stands_and_runs_away() -> None:
    encoder = Encoder(400)
    assert encoder.ticks(2_500_000, 0) == 1
    assert encoder.ticks(2_499_999, 0) == 0
    encoder.freeze(1_000_000_000, 10)
    assert encoder.ticks(3_000_000_000, 20) == 400
    encoder.mend(3_000_000_000, 30)
    assert encoder.ticks(3_002_500_000, 40) == 401
    encoder.run_away(40, 1000)
    assert encoder.ticks(3_002_500_000, 40 + S) == 1401
    encoder.mend(3_002_500_000, 40 + S)
    assert encoder.ticks(3_005_000_000, 40 + S) == 1402


def test_an_arm_that_is_out_carries_to_its_exit_and_the_confirm_eye_sees_it() -> None:
    hall = at_speed()
    hall.world.place(spec())
    placed = hall.world.now_us
    fire = passage_us(hall, 4000, placed) - 130_000
    hall.run(fire)
    hall.drive(diverters=(1, 0))
    hall.run(fire + 400_000)
    hall.drive()
    hall.run(6 * S)
    carried, left = hall.of(Carried), hall.of(Left)
    assert [(one.exit, one.forced) for one in carried if isinstance(one, Carried)] == [(1, False)]
    assert isinstance(carried[0], Carried) and carried[0].at_us == passage_us(hall, 4000, placed)
    nm = (4030 * 1000 - 1890 * 125) * 1000
    assert carried[0].fire_us == placed - (-nm // 1800)
    assert isinstance(left[0], Left) and left[0].exit == 1
    low, high = (passage_us(hall, at, placed) for at in (4200, 4600))
    assert low <= left[0].at_us <= high
    assert [bits for _, name, bits in hall.edges if name == "confirm"] == [1, 0]
    assert not any(bits & 0b111000 for _, name, bits in hall.edges if name == "eyes")
    assert [bits for _, name, bits in hall.edges if name == "home"] == [0b10, 0b11]


def test_an_arm_too_late_for_the_edge_still_sweeps_what_lies_over_it_and_one_after_that_does_not() -> None:
    for late_mm, exits in ((100, [1]), (700, [5])):
        hall = at_speed()
        hall.world.place(spec(length_mm=300))
        placed = hall.world.now_us
        hall.run(passage_us(hall, 4000 + late_mm, placed) - 120_000)
        hall.drive(diverters=(1, 0))
        hall.run(6 * S)
        assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == exits


def test_a_retreating_arm_acts_until_it_is_home() -> None:
    for early_ms, exits in ((100, [2]), (130, [5])):
        hall = at_speed()
        hall.drive(diverters=(2, 0))
        hall.world.place(spec())
        placed = hall.world.now_us
        hall.run(passage_us(hall, 4000, placed) - early_ms * 1000)
        hall.drive()
        hall.run(7 * S)
        assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == exits


def test_the_scale_feels_quarters_and_knows_who_was_alone() -> None:
    hall = at_speed()
    loads: list[tuple[int, int]] = []
    hall.world.platform.listeners.append(lambda at, grams: loads.append((at, grams)))
    hall.world.place(spec(0, weight_g=1_000, length_mm=400))
    placed = hall.world.now_us
    hall.run(5 * S)
    assert [grams for _, grams in loads] == [250, 500, 750, 1000, 750, 500, 250, 0]
    assert loads[3][0] == passage_us(hall, 1700, placed)
    assert loads[4][0] == passage_us(hall, 2260 + 100, placed)
    (on,) = hall.of(OnScale)
    assert isinstance(on, OnScale)
    assert (on.alone_from_us, on.alone_to_us) == (
        passage_us(hall, 1700, placed),
        passage_us(hall, 2260, placed),
    )


def test_a_neighbour_on_the_scale_ends_being_alone() -> None:
    hall = at_speed()
    hall.world.place(spec(0, length_mm=200))
    first = hall.world.now_us
    hall.run(first + 500_000 * 1000 // 1800)
    hall.world.place(spec(1, length_mm=200))
    second = hall.world.now_us
    hall.run(6 * S)
    one, two = (fact for fact in hall.of(OnScale) if isinstance(fact, OnScale))
    assert one.alone_from_us == passage_us(hall, 1500, first)
    assert one.alone_to_us == passage_us(hall, 1300, second)
    assert two.alone_from_us == passage_us(hall, 2260 + 200, first)
    assert two.alone_to_us == passage_us(hall, 2260, second)


def test_labels_are_read_in_the_field_and_an_unreadable_parcel_says_so() -> None:
    for readable in (True, False):
        hall = at_speed()
        seen: list[tuple[int, str, tuple[Code, ...]]] = []
        hall.world.on_label.append(lambda at, reader, codes, seen=seen: seen.append((at, reader, codes)))  # type: ignore[misc]
        hall.world.place(spec(read=readable, length_mm=300))
        placed = hall.world.now_us
        hall.run(4 * S)
        ((at, reader, codes),) = seen
        assert reader == "top"
        assert [code.text for code in codes] == (["YT0000000001"] if readable else [])
        if readable:
            low, high = (passage_us(hall, 640 + 100 + spot, placed) for spot in (0, 120))
            assert low < at < high
        else:
            assert at == passage_us(hall, 700 + 150, placed)


def test_a_reader_that_speaks_at_trigger_end_says_all_codes_when_the_tail_leaves_its_field() -> None:
    topology = line()
    reader = replace(topology.readers[0], speaks=ReaderSpeaks.AT_TRIGGER_END)
    hall = Hall(replace(topology, readers=(reader,)))
    hall.drive()
    hall.run(1 * S)
    seen: list[int] = []
    hall.world.on_label.append(lambda at, _reader, _codes: seen.append(at))
    hall.world.place(spec(length_mm=300))
    placed = hall.world.now_us
    hall.run(4 * S)
    assert seen == [passage_us(hall, 760 + 300, placed)]


def test_touching_parcels_are_one_trigger() -> None:
    topology = line()
    reader = replace(topology.readers[0], speaks=ReaderSpeaks.AT_TRIGGER_END)
    hall = Hall(replace(topology, readers=(reader,)))
    hall.drive()
    hall.run(1 * S)
    seen: list[tuple[int, list[str]]] = []
    hall.world.on_label.append(lambda at, _reader, codes: seen.append((at, [code.text for code in codes])))
    here = hall.world.place(spec(0, length_mm=300, waybill="A")).origin_nm - 30 * NM_PER_MM
    placed = hall.world.now_us
    hall.run(passage_us(hall, 270, placed))
    hall.world.place(spec(1, length_mm=250, waybill="B"), here + 300 * NM_PER_MM)
    hall.run(passage_us(hall, 300 + 250 + 40, placed))
    hall.world.place(spec(2, length_mm=200, read=False))
    hall.run(4 * S)
    assert [codes for _, codes in seen] == [["A", "B"], []]
    assert seen[0][0] == passage_us(hall, 760 + 550, placed)


def test_touching_parcels_are_one_blocked_eye_and_the_second_induction_is_merged() -> None:
    hall = at_speed()
    here = hall.world.place(spec(0, length_mm=300)).origin_nm - 30 * NM_PER_MM
    placed = hall.world.now_us
    hall.run(passage_us(hall, 270, placed))
    hall.world.place(spec(1, length_mm=300), here + 300 * NM_PER_MM)
    hall.run(passage_us(hall, 1000, placed))
    assert [bits for _, name, bits in hall.edges if name == "eyes"] == [1, 0]
    inducted = [one for one in hall.of(Inducted) if isinstance(one, Inducted)]
    assert [(one.merged, one.gap_mm) for one in inducted] == [(False, -1), (True, 0)]


def test_a_stopped_belt_stops_everything_and_a_long_stop_touches() -> None:
    hall = at_speed()
    hall.world.place(spec())
    hall.run(hall.world.now_us + 500_000)
    hall.drive(belt=False)
    stopped = hall.world.now_us
    hall.run(stopped + 10 * S)
    here = hall.world.belt_nm
    assert hall.world.wake_at() is None
    hall.drive()
    hall.run(stopped + 20 * S)
    assert here < hall.world.belt_nm
    (left,) = hall.of(Left)
    assert isinstance(left, Left) and left.touched_us == stopped + 2 * S


def test_a_short_stop_touches_nobody() -> None:
    hall = at_speed()
    hall.world.place(spec())
    hall.drive(belt=False)
    hall.run(hall.world.now_us + 1_900_000)
    hall.drive()
    hall.run(hall.world.now_us + 10 * S)
    (left,) = hall.of(Left)
    assert isinstance(left, Left) and left.touched_us == -1


def test_a_parcel_taken_off_clears_its_eyes_and_the_scale() -> None:
    hall = at_speed()
    body = hall.world.place(spec(hazards=(Hazard(kind="taken_off", at_mm=1400),)))
    hall.world.on_hazard.append(lambda one, _hazard: hall.world.remove(one))
    hall.run(5 * S)
    assert hall.world.bodies == [] and body.covered == 0
    (gone,) = hall.of(Removed)
    assert isinstance(gone, Removed) and gone.lead_mm == 1400
    assert hall.world.platform.grams == 0
    assert hall.edges[-1][2] == 0


def test_parcels_pile_up_behind_one_that_is_jammed_and_go_on_when_it_is_gone() -> None:
    hall = at_speed()
    jammed = hall.world.place(spec(0, length_mm=300))
    placed = hall.world.now_us
    hall.run(placed + 600_000)
    behind = hall.world.place(spec(1, length_mm=300))
    hall.run(passage_us(hall, 1450, placed))
    jammed.jammed = True
    hall.world.standing.hold(jammed)
    hall.run(5 * S)
    assert jammed.held_nm is not None and behind.held_nm is not None
    assert abs(jammed.held_nm - 1450 * NM_PER_MM) < 1800
    assert 0 <= behind.held_nm - (jammed.held_nm - 300 * NM_PER_MM) < 1800
    hall.world.remove(jammed)
    hall.run(10 * S)
    assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == [5]
    assert hall.world.bodies == []


def test_a_held_zone_holds_what_is_in_it_and_shifts_it_by_the_belt_meanwhile() -> None:
    topology = line()
    assert topology.scale is not None
    scale = replace(topology.scale, zone=1)  # type: ignore[arg-type]
    hall = Hall(replace(topology, scale=scale))
    hall.drive()
    hall.run(1 * S)
    hall.world.place(spec(length_mm=300))
    placed = hall.world.now_us
    held_at = passage_us(hall, 1800, placed)
    hall.run(held_at)
    hall.drive(zones_hold=1)
    hall.run(held_at + 1 * S)
    assert hall.world.platform.grams == 1_000
    hall.drive()
    hall.run(10 * S)
    (left,) = hall.of(Left)
    assert isinstance(left, Left)
    assert left.at_us == pytest.approx(passage_us(hall, 6000, placed) + 1 * S, abs=2)


def test_time_does_not_go_back() -> None:
    hall = at_speed()
    with pytest.raises(ValueError, match="cannot go back"):
        hall.world.advance(5)


def test_what_has_reached_a_lane_is_pushed_on_into_it_and_counts_once() -> None:
    hall = at_speed()
    first = hall.world.place(spec(0))
    placed = hall.world.now_us
    hall.run(passage_us(hall, 6100, placed))
    hall.drive(belt=False)
    hall.run(hall.world.now_us + S)
    hall.world.remove(first)
    hall.run(hall.world.now_us + S)
    assert hall.edges[-1][1:] == ("eyes", 0)
    assert hall.world.bodies == [] and hall.of(Removed) == []
    assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == [5]


def test_what_is_seen_by_a_confirm_eye_can_be_pushed_on_too() -> None:
    hall = at_speed()
    body = hall.world.place(spec(0))
    placed = hall.world.now_us
    hall.run(passage_us(hall, 4000, placed) - 130_000)
    hall.drive(diverters=(1, 0))
    hall.run(hall.world.now_us + 2 * S, lambda seen: hall.drive(belt=False) if seen.confirm else None)
    assert body.entered
    hall.world.remove(body)
    hall.run(hall.world.now_us + S)
    assert hall.world.lanes.confirm == 0 and hall.world.lanes.of(1).count == 1


def test_an_arm_on_its_way_to_the_other_side_lets_go_half_way() -> None:
    for late_ms, exits in ((50, [1]), (70, [5]), (130, [2])):
        hall = at_speed()
        hall.drive(diverters=(1, 0))
        hall.run(2 * S)
        hall.world.place(spec(length_mm=200))
        placed = hall.world.now_us
        hall.run(passage_us(hall, 4000, placed) - late_ms * 1000)
        hall.drive(diverters=(2, 0))
        hall.run(passage_us(hall, 4000, placed))
        hall.drive(diverters=(2 if late_ms == 130 else 0, 0))
        hall.run(8 * S)
        assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == exits


def test_an_arm_told_to_rest_on_its_way_to_the_other_side_has_let_go_of_the_first() -> None:
    hall = at_speed()
    hall.drive(diverters=(1, 0))
    hall.run(2 * S)
    hall.world.place(spec(length_mm=200))
    arrives_us = passage_us(hall, 4000, hall.world.now_us)
    hall.run(arrives_us - 90_000)
    hall.drive(diverters=(2, 0))
    hall.run(arrives_us - 70_000)
    hall.drive()
    hall.run(8 * S)
    assert [one.exit for one in hall.of(Left) if isinstance(one, Left)] == [5]


def test_what_an_arm_does_before_anybody_can_know_that_the_encoder_lies_is_the_faults_doing() -> None:
    for age_ms, forced in ((300, True), (400, False)):
        hall = at_speed()
        hall.drive(diverters=(1, 0))
        hall.world.place(spec())
        placed = hall.world.now_us
        hall.run(passage_us(hall, 4000, placed) - age_ms * 1000)
        hall.world.encoder.freeze(hall.world.belt_nm, hall.world.now_us)
        hall.run(5 * S)
        assert [one.forced for one in hall.of(Carried) if isinstance(one, Carried)] == [forced]


def test_a_guard_keeps_hands_off_what_lies_wholly_behind_it_while_the_belt_merely_stands() -> None:
    zones = (
        GuardZone(no=ZoneNo(1), from_mm=Mm(0), to_mm=Mm(2_000), guarded=False),
        GuardZone(no=ZoneNo(2), from_mm=Mm(2_000), to_mm=Mm(6_000), guarded=True),
    )
    hall = Hall(replace(line(), guard_zones=zones))
    hall.drive()
    hall.run(S)
    bodies = []
    for _ in range(4):
        bodies.append(hall.world.place(spec(length_mm=300)))
        hall.run(hall.world.now_us + 700 * S // 1_800)
    hall.drive(belt=False)
    hall.run(hall.world.now_us + 3 * S)
    belt_nm = hall.world.belt_nm
    behind = [body.lead_nm(belt_nm) - body.length_nm >= 2_000 * NM_PER_MM for body in bodies]
    assert set(behind) == {True, False}
    assert [body.item.touched_us < 0 for body in bodies] == behind
    hall.world.set_door(True)
    assert all(body.item.touched_us >= 0 for body in bodies)
