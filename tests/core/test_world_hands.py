"""Parcels that slip, are turned, put in between, or stick behind a diverter: what the sensors make of it."""

from dataclasses import replace

import pytest

from edge.model.codes import Code, Symbology
from simulators.world.hands import Hands
from simulators.world.parcel import NM_PER_MM, Body, Hazard, Label, ParcelSpec
from simulators.world.truth import Carried, Inducted, Left, Moved, OnScale, Placed, Removed
from tests.core.world_kit import Hall, spec

S = 1_000_000
STRAY = Label(from_lead_mm=60, codes=(Code(text="STRAY", symbology=Symbology.CODE128),))


def moving(*specs: ParcelSpec, pitch_mm: int = 1_000) -> tuple[Hall, list[Body]]:
    """The belt runs, and these stand on it so far apart; the first has come 3,000 mm."""
    hall = Hall()
    hall.drive()
    hall.run(S)
    bodies = []
    for one in specs:
        bodies.append(hall.world.place(one))
        hall.run(hall.world.now_us + pitch_mm * S // 1_800)
    lead = bodies[0].lead_nm(hall.world.belt_nm)
    hall.run(hall.world.now_us + (3_000 * NM_PER_MM - lead) // 1_800)
    return hall, bodies


def lead_mm(hall: Hall, body: Body) -> int:
    return body.lead_nm(hall.world.belt_nm) // NM_PER_MM


def seen(body: Body) -> list[int]:
    return [eye for eye, _ in body.item.seen]


def leads(hall: Hall) -> list[int]:
    """Who left the line, in order."""
    return [one.parcel for one in hall.of(Left) if isinstance(one, Left)]


def test_one_that_slips_comes_earlier_or_later_by_as_much() -> None:
    for by_mm in (-200, 0, 200):
        hall, (body,) = moving(spec())
        Hands(hall.world).slip(body, by_mm)
        hall.run(8 * S)
        (left,) = hall.of(Left)
        assert isinstance(left, Left)
        ticks = dict(left.seen)
        assert ticks[4] - ticks[3] == 2_240 - by_mm
        assert len(hall.of(Moved)) == (by_mm != 0)


@pytest.mark.parametrize(("by_mm", "first", "second"), [(-900, 2_320, 2_000), (900, 3_000, 2_680)])
def test_nothing_slips_onto_another(by_mm: int, first: int, second: int) -> None:
    hall, bodies = moving(spec(0), spec(1))
    Hands(hall.world).slip(bodies[0] if by_mm < 0 else bodies[1], by_mm)
    assert [lead_mm(hall, body) for body in bodies] == pytest.approx([first, second], abs=1)


def test_one_that_slips_back_over_an_eye_is_seen_by_it_twice() -> None:
    hall, (body,) = moving(spec())
    Hands(hall.world).slip(body, -900)
    assert lead_mm(hall, body) == pytest.approx(2_100, abs=1)
    hall.run(8 * S)
    assert seen(body) == [1, 2, 3, 3, 4, 5, 6]


def test_one_that_slips_back_a_little_on_the_scale_has_been_whole_on_it_since_the_first_time() -> None:
    hall = Hall()
    hall.drive()
    hall.run(S)
    body = hall.world.place(spec(length_mm=400))
    hall.run(hall.world.now_us + 1_800 * S // 1_800)
    whole_us, steps = body.whole_us, body.load_steps
    assert 0 < whole_us < hall.world.now_us
    Hands(hall.world).slip(body, -200)
    assert body.load_steps < steps, "a part of it is off again"
    hall.run(8 * S)
    (on,) = hall.of(OnScale)
    assert isinstance(on, OnScale)
    assert on.whole_us == on.alone_from_us == whole_us


def test_an_eye_sees_the_tail_that_slips_back_before_it_and_the_edge_that_is_put_there() -> None:
    hall, (body,) = moving(spec())
    Hands(hall.world).slip(body, -600)
    assert (body.covered, seen(body)[-1]) == (1 << 2, 3)
    assert not body.astray
    Hands(hall.world).slip(body, 600)
    assert (body.covered, body.astray) == (0, True)


def test_nothing_slips_back_before_the_induction_eye() -> None:
    hall, (body,) = moving(spec())
    Hands(hall.world).slip(body, -5_000)
    assert lead_mm(hall, body) == 320
    assert len(hall.of(Inducted)) == 1


def test_the_scale_bears_what_lies_on_it_now() -> None:
    hall, (body,) = moving(spec(weight_g=1_000))
    hands = Hands(hall.world)
    loads = []
    for by_mm in (-600, -700, -200, 1_500):
        hands.slip(body, by_mm)
        loads.append(hall.world.platform.grams)
    # 140 mm of it are off at the outfeed eye; all of it on; 200 mm on at the infeed eye; away.
    assert loads == [750, 1_000, 500, 0]
    hall.run(8 * S)
    assert hall.world.platform.grams == 0
    assert len(hall.of(OnScale)) == 2


def test_one_that_slips_back_onto_the_scale_is_alone_there_once_more() -> None:
    hall, (body,) = moving(spec())
    Hands(hall.world).slip(body, -1_000)
    hall.run(8 * S)
    first, second = (one for one in hall.of(OnScale) if isinstance(one, OnScale))
    assert first.alone_from_us < first.alone_to_us < second.alone_from_us < second.alone_to_us


def test_one_that_is_turned_is_longer_about_its_middle() -> None:
    hall, (body, behind) = moving(spec(), spec(1))
    Hands(hall.world).turn(body, 400)
    assert lead_mm(hall, body) == pytest.approx(3_050, abs=1)
    assert body.length_nm == 400 * NM_PER_MM
    (label,) = body.item.spec.labels
    assert label.from_lead_mm == 133
    hall.run(8 * S)
    covered = [at for at, name, bits in hall.edges if name == "eyes" and bits & 8]
    open_ = [at for at, name, bits in hall.edges if name == "eyes" and not bits & 8 and at > covered[0]]
    assert open_[0] - covered[0] == pytest.approx(400 * S // 1_800, abs=1)
    assert leads(hall) == [1, 2]
    assert behind.item.spec.length_mm == 300


def test_there_must_be_room_to_turn() -> None:
    hall, (body, _) = moving(spec(), spec(1), pitch_mm=330)
    Hands(hall.world).turn(body, 400)
    assert body.length_nm == 300 * NM_PER_MM
    Hands(hall.world).turn(body, 250)
    assert body.length_nm == 250 * NM_PER_MM


def test_a_stray_is_put_into_the_middle_of_a_gap_and_is_nobodys_order() -> None:
    hall, (first, second) = moving(spec(0), spec(1))
    hall.run(hall.world.now_us + 500 * S // 1_800)
    stray = Hands(hall.world).insert(first, 300, STRAY)
    assert stray is not None
    assert lead_mm(hall, stray) == pytest.approx(3_000, abs=1)
    assert hall.world.bodies == [first, stray, second]
    hall.run(8 * S)
    assert leads(hall) == [1, 3, 2]
    assert seen(stray) == [4, 5, 6]
    placed = hall.of(Placed)[-1]
    assert isinstance(placed, Placed)
    assert (placed.parcel, placed.index, placed.order_no, placed.candidates) == (3, -1, "", ("STRAY",))


def test_no_stray_where_there_is_no_room() -> None:
    hall, (first, _) = moving(spec(0), spec(1))
    assert Hands(hall.world).insert(first, 690, STRAY) is None
    hall, (only,) = moving(spec(0))
    hall.run(hall.world.now_us)
    assert Hands(hall.world).insert(only, 300, STRAY) is not None


def test_what_an_arm_does_to_one_that_was_moved_unseen_is_the_accidents_doing() -> None:
    for moved in (False, True):
        hall, (body,) = moving(spec())
        if moved:
            Hands(hall.world).slip(body, -100)
        hall.drive(diverters=(1, 0))
        hall.run(8 * S)
        assert [one.forced for one in hall.of(Carried) if isinstance(one, Carried)] == [moved]


def test_an_arm_that_acts_takes_one_that_slips_over_it() -> None:
    hall, (body,) = moving(spec())
    hall.drive(diverters=(2, 0))
    hall.run(hall.world.now_us + 900 * S // 1_800)
    assert hall.of(Carried) == []
    Hands(hall.world).slip(body, 300)
    assert body.lane == 2
    hall.run(8 * S)
    assert leads(hall) == [1]


def test_one_that_sticks_behind_a_diverter_stops_those_that_follow_it_until_all_are_taken_out() -> None:
    hall = Hall()
    hall.drive(diverters=(1, 0))
    hall.run(S)
    stuck: list[int] = []
    hall.world.mouths.on_stuck.append(lambda exit_no, _at_us: stuck.append(exit_no))
    hall.world.place(replace(spec(0), sticks=True))
    hall.run(2 * S)
    hall.world.place(spec(1))
    hall.run(7 * S)
    assert stuck == [1]
    assert not hall.of(Left)
    held = hall.world.mouths.in_mouth(1)
    assert [body.item.uid for body in held] == [1, 2]
    for body in held:
        hall.world.remove(body)
    assert [one.parcel for one in hall.of(Removed) if isinstance(one, Removed)] == [1, 2]
    hall.world.place(spec(2))
    hall.run(12 * S)
    assert leads(hall) == [3]


def test_a_hazard_that_has_struck_does_not_strike_again_when_the_parcel_slips_back() -> None:
    hall, (body,) = moving(spec(hazards=(Hazard(kind="slipped", at_mm=2_900, arg=0),)))
    struck: list[str] = []
    hall.world.on_hazard.append(lambda _body, hazard: struck.append(hazard.kind))
    Hands(hall.world).slip(body, -500)
    hall.run(8 * S)
    assert struck == []
