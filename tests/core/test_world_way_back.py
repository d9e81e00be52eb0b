"""The way back: what goes into the loop's lane is placed again, before anything new, as itself."""

from line_config.load import load_line
from simulators.seeds import SeededBits
from simulators.world.people import Crew, Infeed
from simulators.world.truth import Inducted, LaneEmptied, Left, Placed
from simulators.world.way_back import WayBack
from tests.core.test_world_people import Parcels
from tests.core.world_kit import Hall, line

S = 1_000_000
LOOP = load_line("loop").topology


def test_a_line_without_a_loop_has_no_way_back() -> None:
    hall = Hall()
    infeed = Infeed(hall.world, Parcels(1), SeededBits(1, "infeed"))
    back = WayBack(hall.world, infeed)
    assert back.exit == hall.world.loop_exit == 0
    assert line().recirculation is None


def looping(parcels: int) -> tuple[Hall, WayBack, Infeed]:
    """Its fourth arm is out to the right: everything goes round."""
    hall = Hall(LOOP)
    infeed = Infeed(hall.world, Parcels(parcels), SeededBits(1, "infeed"))
    back = WayBack(hall.world, infeed)
    hall.drive(belt=True, induction=True, diverters=(0, 0, 0, 2))
    return hall, back, infeed


def placed(hall: Hall) -> list[tuple[int, int, int]]:
    return [(one.parcel, one.index, one.again) for one in hall.of(Placed) if isinstance(one, Placed)]


def test_who_goes_round_is_placed_again_after_his_way() -> None:
    hall, back, infeed = looping(1)
    hall.run(10 * S)
    assert (back.under_way, infeed.exhausted, hall.world.bodies) == (1, True, [])
    assert hall.world.lanes.of(back.exit).count == 1
    hall.run(14 * S)
    assert placed(hall) == [(1, 0, 0), (2, 0, 1)]
    assert (back.under_way, hall.world.lanes.of(back.exit).count) == (0, 0)
    (left,) = hall.of(Left)
    assert isinstance(left, Left)
    assert LOOP.recirculation is not None
    again_us = hall.of(Placed)[1].at_us
    tail_us = left.at_us + 300 * S // 1_800
    assert abs(again_us - tail_us - LOOP.recirculation.back_mm * S // 1_800) < 10


def test_he_comes_before_anything_new_and_with_a_gap() -> None:
    hall, _, _ = looping(40)
    hall.run(40 * S)
    rows = placed(hall)
    first_again = next(n for n, (_, _, again) in enumerate(rows) if again)
    assert [again for _, _, again in rows[first_again : first_again + 6]] == [1, 2, 3, 4, 5, 6]
    gaps = [one.gap_mm for one in hall.of(Inducted) if isinstance(one, Inducted)]
    assert min(gaps[1:]) >= LOOP.gap_min_mm


def test_nobody_empties_the_lane_that_leads_on() -> None:
    hall, _, _ = looping(30)
    Crew(hall.world, SeededBits(1, "crew"))
    hall.run(60 * S)
    assert hall.of(LaneEmptied) == []
