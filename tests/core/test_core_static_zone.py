"""A static scale's zone is held in time: from a parcel's induction on, however slow its PLC is."""

import pytest

from edge.core.line import LineCore
from edge.model.commands import SetZone
from edge.model.records import Decided, Weighed
from edge.model.verdict import Reason
from line_config.load import load_line
from line_config.slower import with_slower_plc
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import READY, bits
from tests.core.test_core_weighing import static_bench, still

STATIC = load_line("small").topology


def zones(bench: CoreBench) -> list[tuple[bool, int]]:
    return [(one.hold, one.number) for one in bench.commands(SetZone)]


@clause("ZONE-1")
def test_the_zone_is_held_from_the_induction_on() -> None:
    bench = CoreBench(STATIC)
    bench.parcel(1)
    bench.run(600)
    assert zones(bench) == [(True, 1)]


def test_a_release_leaves_the_zone_held_for_the_next_one_on_its_way() -> None:
    bench = CoreBench(STATIC)
    bench.parcel(1)
    bench.parcel(2, at_mm=1_500)
    assert STATIC.scale is not None
    bench.run(STATIC.eyes[STATIC.scale.infeed_eye - 1].position_mm + 700)
    bench.status(bits(READY, zones_held=1))
    assert zones(bench) == [(True, 1), (True, 2)]
    bench.post(still(bench, 1_000))
    assert zones(bench) == [(True, 1), (True, 2), (False, 1), (True, 2)]


def test_a_parcel_that_never_comes_to_the_scale_lets_go_of_it() -> None:
    bench = CoreBench(STATIC)
    bench.parcel(1).taken_mm = 700
    bench.run(3_000)
    assert bench.core.state.tracks == {}
    assert zones(bench) == [(True, 1), (False, 1)]


def test_a_restart_holds_the_zone_again_for_a_parcel_on_its_way() -> None:
    bench = CoreBench(STATIC)
    bench.parcel(1)
    bench.run(600)
    again = LineCore(STATIC, bench.core.state).outstanding()
    assert [(one.hold, one.number) for one in again if isinstance(one, SetZone)] == [(True, 1)]


@pytest.mark.parametrize(("seen_mm", "agrees"), [(150, True), (170, False)])
def test_a_release_that_is_seen_late_is_within_two_cycles(seen_mm: int, agrees: bool) -> None:
    """The body did not stand at all: the line saw it held for ``seen_mm`` of belt, tolerance 50 mm and
    two cycles of 100 ms at 525 mm/s."""
    bench = static_bench()
    bench.status(bits(READY, zones_held=1))
    bench.run(seen_mm)
    bench.status(bits())
    bench.run(1_100)
    (track,) = bench.core.state.tracks.values()
    assert track.last_eye == 3
    assert track.disagrees is not agrees


def test_a_deadline_does_not_come_nearer_while_the_parcel_stands() -> None:
    """With a PLC of 200 ms the belt runs past the deadline before the line sees the zone released."""
    line = with_slower_plc(load_line("small"), 200).topology
    stood_mm = 850 + 560
    bench = CoreBench(line)
    bench.parcel(1, shifts={eye.no: stood_mm for eye in line.eyes[2:]})
    bench.run(2_060)
    bench.status(bits(READY, zones_held=1))
    bench.run(850)
    bench.post(still(bench, 1_000))
    bench.run(560)
    assert bench.now > bench.ticks(min(exit.deadline_mm for exit in line.exits))
    assert bench.records(Decided) == []
    bench.status(bits())
    bench.run(1_000)
    assert bench.the(Weighed).reading.grams == 1_000
    assert bench.the(Decided).reason is Reason.OK
    assert bench.the(Decided).slack_mm > 0
