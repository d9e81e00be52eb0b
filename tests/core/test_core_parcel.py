"""The normal parcel through the core, event by event: given, the belt moves, then."""

from edge.model.codes import ReadQuality
from edge.model.commands import LookUp, PermitInduction, Record, SendDivert
from edge.model.line import LineState
from edge.model.records import (
    Decided,
    Exited,
    Identified,
    InductionSwitched,
    LineStateChanged,
    Told,
    TrackOpened,
    Weighed,
)
from edge.model.verdict import Reason
from edge.model.weight import WeightQuality
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, chute, order, waybill


def test_the_line_is_ready_after_its_purge() -> None:
    bench = CoreBench()
    assert [change.state for change in bench.records(LineStateChanged)] == [
        LineState.STARTING,
        LineState.EXECUTE,
    ]
    assert [command.on for command in bench.commands(PermitInduction)] == [True]
    assert bench.the(InductionSwitched).permitted is True


def test_a_good_parcel_ships_in_its_chute() -> None:
    bench = CoreBench()
    bench.parcel(3)
    bench.run(1_350)
    assert bench.the(TrackOpened).eye == 1
    assert bench.the(Identified).quality is ReadQuality.GOOD
    assert bench.the(Identified).waybill == waybill(3)
    assert len(bench.commands(LookUp)) == 1
    bench.run(1_640)
    assert bench.the(Weighed).reading.quality is WeightQuality.GOOD
    assert bench.the(Weighed).reading.grams == 1_000
    assert bench.records(Decided) == []
    bench.run(20)
    decided = bench.the(Decided)
    assert (decided.reason, decided.chute, decided.exit) == (Reason.OK, chute(3), 3)
    assert (decided.rule, decided.plan, decided.order_no) == ("r3", "P", "O-" + waybill(3))
    assert decided.slack_mm == DEMO.exits[2].deadline_mm - DEMO.decision_mm
    bench.run(60)
    told = bench.the(Told)
    assert (told.exit, told.plc_wait_us) == (3, 4_000)
    assert told.at_us - decided.decided_from_us == told.since_us > 0
    bench.run(8_000)
    exited = bench.the(Exited)
    assert (exited.exit, exited.chute, exited.reason) == (3, chute(3), Reason.OK)
    assert (exited.shipped, exited.counts_as_shipped, exited.mis_sorted) == (True, True, False)
    assert bench.core.state.tracks == {}


def test_the_decision_is_on_record_before_the_plc_is_told() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(3_050)
    decided = next(
        n for n, c in enumerate(bench.out) if isinstance(c, Record) and isinstance(c.body, Decided)
    )
    assert isinstance(bench.out[decided + 1], SendDivert)
    assert sum(isinstance(c, SendDivert) for c in bench.out) == 1


def test_many_parcels_at_the_nominal_pitch_each_get_their_own_chute() -> None:
    bench = CoreBench()
    for n in range(1, 25):
        bench.parcel(n, at_mm=n * 1_110, length_mm=200 + 8 * n)
    bench.run(40_000)
    for n in range(1, 25):
        exited = bench.end_of(n)
        assert isinstance(exited, Exited)
        assert (exited.shipped, exited.exit) == (True, n % 8 or 8), n


def test_rows_of_one_parcel_stay_few() -> None:
    bench = CoreBench()
    before, records = len(bench.events), sum(isinstance(c, Record) for c in bench.out)
    bench.parcel(8)
    bench.run(20_000)
    rows = len(bench.events) - before + sum(isinstance(c, Record) for c in bench.out) - records
    assert rows <= 29


def test_an_input_that_comes_late_decides_the_parcel_when_it_comes() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(4)
    bench.run(3_300)
    assert bench.records(Decided) == []
    bench.look_up(bench.commands(LookUp)[0])
    decided = bench.the(Decided)
    assert (decided.reason, decided.exit, decided.at_us) == (Reason.OK, 4, bench.at_us)


def test_the_second_candidate_takes_what_the_first_cannot_be_told_any_more() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(2)
    bench.run(3_700)
    bench.look_up(bench.commands(LookUp)[0])
    assert (bench.the(Decided).reason, bench.the(Decided).chute) == (Reason.OK, chute(3))


def test_an_order_without_an_expected_weight_is_not_compared() -> None:
    bench = CoreBench()
    bench.orders[waybill(1)] = order(waybill(1), grams=None)
    bench.parcel(1, grams=7_000)
    bench.run(9_000)
    assert bench.the(Exited).shipped
    assert bench.the(Decided).weight_g == 7_000
