"""The scale's zero: looked at while eyes prove it empty, asked for, missing, drifting; check parcels."""

import pytest

from edge.core.state import ZeroState
from edge.model.alarm import AlarmKind
from edge.model.codes import Symbology
from edge.model.commands import CaptureZero, PermitInduction, SetZero
from edge.model.events import DeviceWentDown, DeviceWentUp, LineStarted, WakePurpose, Woke, ZeroCaptured
from edge.model.records import (
    AlarmCleared,
    AlarmRaised,
    Decided,
    Exited,
    LineStateChanged,
    ScaleChecked,
    ScaleZeroed,
    Weighed,
)
from edge.model.register_map import StateBit
from edge.model.units import MonoUs, Ticks
from edge.model.verdict import Reason
from edge.model.weight import SampleState, WeightQuality
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, READY, bits, order, waybill

assert DEMO.scale is not None
SCALE = DEMO.scale
EVERY_US, WITHIN_US = SCALE.zero_every_ms * 1_000, SCALE.zero_within_ms * 1_000


def zero(bench: CoreBench) -> ZeroState:
    return bench.core.state.zero


def looked(bench: CoreBench) -> list[tuple[int, bool]]:
    return [(row.offset_g, row.good) for row in bench.records(ScaleZeroed)]


def pass_time(bench: CoreBench, us: int) -> None:
    """The belt runs on, and is heard of now and then."""
    for _ in range(us // 5_000_000 + 1):
        bench.run(5 * DEMO.speed_mm_s)
        bench.status(bits())


def known(bench: CoreBench) -> CoreBench:
    """Looked at once, and right."""
    bench.run(2_000)
    assert looked(bench) == [(0, True)]
    return bench


def alarms(bench: CoreBench) -> list[tuple[AlarmKind, bool]]:
    raised = [(row.at_us, row.kind, True) for row in bench.records(AlarmRaised)]
    cleared = [(row.at_us, row.kind, False) for row in bench.records(AlarmCleared)]
    return [(kind, on) for _, kind, on in sorted(raised + cleared) if kind.value.startswith("scale")]


def test_at_start_nothing_is_inducted_until_the_scale_was_seen_empty() -> None:
    bench = CoreBench(zeroed=False)
    assert bench.core.state.permitted is False
    assert bench.records(LineStateChanged)[-1].why == "the scale is to be seen empty"
    known(bench)
    assert bench.core.state.permitted is True


def test_a_look_keeps_off_the_settling_and_counts_only_when_proved() -> None:
    bench = CoreBench(zeroed=False)
    begun = bench.now
    bench.run(600)
    (look,) = bench.commands(CaptureZero)
    assert look.from_ticks - begun >= bench.ticks(DEMO.max_speed_mm_s * SCALE.settle_ms // 1_000)
    assert bench.now > look.to_ticks
    assert looked(bench) == [], "frames are in, the proof is not"
    bench.run(600)
    assert looked(bench) == [(0, True)]


def test_somebody_on_the_scale_meanwhile_spoils_the_look() -> None:
    bench = CoreBench(zeroed=False)
    bench.parcel(9, at_mm=-900, appears_mm=1_290)
    bench.run(700)
    assert len(bench.commands(CaptureZero)) == 1
    bench.run(400)
    assert looked(bench) == []
    bench.run(4_000)
    assert looked(bench) == [(0, True)]


def test_no_look_while_a_parcel_is_on_its_way_over_the_scale() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.parcel(1)
    bench.run(1_700)
    zero(bench).due_us = bench.at_us
    bench.post(Woke(at_us=bench.at_us, purpose=WakePurpose.ZERO_DUE, ref=0, ticks=Ticks(0)))
    assert len(bench.commands(CaptureZero)) == 1
    bench.run(1_100)
    assert len(bench.commands(CaptureZero)) == 2, "once it has left"


def test_an_idle_line_looks_in_half_of_the_time_and_asks_for_no_gap() -> None:
    bench = known(CoreBench(zeroed=False))
    count = len(bench.commands(PermitInduction))
    pass_time(bench, 3 * EVERY_US)
    assert 6 <= len(looked(bench)) <= 7
    assert len(bench.commands(PermitInduction)) == count
    assert alarms(bench) == []


def busy(bench: CoreBench, until_us: int) -> None:
    """So much traffic that the scale is never seen empty."""
    number = 100
    while bench.at_us < until_us:
        number += 1
        bench.parcel(number)
        bench.run(1_000)


def test_an_overdue_zero_asks_for_a_gap_then_no_weight_counts() -> None:
    bench = known(CoreBench(zeroed=False))
    zero(bench).gap_us, zero(bench).limit_us = (
        MonoUs(bench.at_us + 5_000_000),
        MonoUs(bench.at_us + 9_000_000),
    )
    zero(bench).due_us = zero(bench).gap_us
    limit = zero(bench).limit_us
    bench.post(Woke(at_us=bench.at_us, purpose=WakePurpose.ZERO_DUE, ref=0, ticks=Ticks(0)))
    busy(bench, zero(bench).gap_us - 1_000_000)
    assert bench.core.state.permitted
    busy(bench, zero(bench).gap_us + 1_000_000)
    assert not bench.core.state.permitted
    assert alarms(bench) == []
    busy(bench, limit + 3_000_000)
    assert alarms(bench) == [(AlarmKind.SCALE_ZERO_OVERDUE, True)]
    assert bench.core.state.permitted, "the gap did not come: the line goes on, without weights"
    assert {row.reading.quality for row in bench.records(Weighed)[:3]} == {WeightQuality.GOOD}
    late = [row for row in bench.records(Weighed) if row.at_us >= limit]
    assert {row.reading.quality for row in late} == {WeightQuality.ZERO}
    bench.run(4_000)
    assert looked(bench) == [(0, True)] * 2
    assert alarms(bench) == [(AlarmKind.SCALE_ZERO_OVERDUE, True), (AlarmKind.SCALE_ZERO_OVERDUE, False)]
    bench.parcel(900)
    bench.run(4_000)
    assert bench.records(Weighed)[-1].reading.quality is WeightQuality.GOOD


def test_a_drift_alarms_sets_the_zero_and_no_weight_counts_until_it_is_right() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.empty_g = SCALE.zero_g + 5
    pass_time(bench, EVERY_US // 2 + 1_000_000)
    assert looked(bench)[1] == (SCALE.zero_g + 5, False)
    assert alarms(bench) == [(AlarmKind.SCALE_DRIFT, True)]
    assert len(bench.commands(SetZero)) >= 1
    bench.parcel(1)
    bench.run(4_000)
    assert bench.the(Weighed).reading.quality is WeightQuality.ZERO
    bench.run(6_000)
    assert bench.the(Exited).reason is Reason.WEIGHT_INVALID
    bench.empty_g = 0
    pass_time(bench, 2 * WITHIN_US)
    assert looked(bench)[-1] == (0, True)
    assert alarms(bench)[-1] == (AlarmKind.SCALE_DRIFT, False)


def test_a_scale_that_cannot_be_set_is_not_looked_at_without_end() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.empty_g = -50
    pass_time(bench, EVERY_US // 2 + 10 * WITHIN_US)
    assert 10 <= len(looked(bench)) <= 14


def test_a_scale_under_zero_or_without_a_word_has_no_zero() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.empty_state = SampleState.UNDER
    pass_time(bench, EVERY_US // 2 + 1_000_000)
    assert looked(bench)[1] == (0, False)
    bench = CoreBench(zeroed=False)
    bench.empty_state = SampleState.NO_WEIGHT
    pass_time(bench, 20_000_000)
    assert looked(bench) == []
    assert 3 <= len(bench.commands(CaptureZero)) <= 5, "asked again, not without end"


@pytest.mark.parametrize("within", [True, False])
def test_what_the_empty_scale_may_show(within: bool) -> None:
    bench = CoreBench(zeroed=False)
    bench.empty_g = SCALE.zero_g if within else -SCALE.zero_g - 1
    bench.run(2_000)
    assert looked(bench)[0] == (bench.empty_g, within)


def test_who_was_not_seen_to_leave_the_scale_may_lie_there() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.parcel(1).taken_mm = 1_800
    bench.run(4_000)
    assert zero(bench).doubtful
    pass_time(bench, EVERY_US)
    assert looked(bench) == [(0, True)]
    bench.parcel(2)
    bench.run(6_000)
    assert not zero(bench).doubtful
    assert looked(bench)[1:] == [(0, True)]


def test_a_scale_that_was_away_begins_anew() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.post(DeviceWentDown(at_us=bench.at_us, device=SCALE.device, why="silent"))
    assert bench.core.state.permitted, "who waits for a scale that is away waits for ever"
    bench.post(DeviceWentUp(at_us=bench.at_us, device=SCALE.device))
    assert not bench.core.state.permitted
    bench.run(2_000)
    assert looked(bench) == [(0, True)] * 2
    assert bench.core.state.permitted


def test_a_restart_keeps_what_was_seen_and_looks_again_soon() -> None:
    bench = known(CoreBench(zeroed=False))
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    assert zero(bench).good
    assert zero(bench).due_us == bench.at_us
    assert zero(bench).gap_us == bench.at_us + WITHIN_US


def test_a_purge_ends_a_doubt_and_a_new_epoch_a_look() -> None:
    bench = CoreBench(zeroed=False)
    zero(bench).doubtful = True
    bench.status(bits(READY | StateBit.PURGING))
    bench.core.state.purge = type(bench.core.state.purge).WANTED
    bench.status(bits(READY | StateBit.PURGING | StateBit.DOOR))
    assert not zero(bench).doubtful
    bench = CoreBench(zeroed=False)
    assert zero(bench).last
    bench.attach(bits(), epoch=type(bench.core.state.plc.epoch)(9))
    assert not zero(bench).last


def test_frames_that_nobody_asked_for_change_nothing() -> None:
    bench = known(CoreBench(zeroed=False))
    answer = ZeroCaptured(at_us=bench.at_us, scale=SCALE.id, whole=True, samples=())
    assert bench.post(answer) == ()


# -- check parcels


def checked(grams: int, *codes: str) -> CoreBench:
    bench = CoreBench()
    check = SCALE.checks[0]
    bench.parcel(1, grams=grams)
    bench.bodies[1].codes = (check.code, *codes)
    bench.run(12_000)
    return bench


def test_a_check_parcel_is_compared_and_leaves_as_one() -> None:
    check = SCALE.checks[0]
    bench = checked(check.weight_g + check.tolerance_g)
    row = bench.the(ScaleChecked)
    assert (row.check, row.reference_g, row.passed) == (check.id, check.weight_g, True)
    assert bench.the(Exited).reason is Reason.SCALE_CHECK_PARCEL
    assert not bench.the(Exited).shipped
    assert alarms(bench) == []


def test_a_difference_alarms_until_a_check_passes() -> None:
    check = SCALE.checks[0]
    bench = checked(check.weight_g + check.tolerance_g + 1)
    assert not bench.the(ScaleChecked).passed
    assert alarms(bench) == [(AlarmKind.SCALE_CHECK_FAILED, True)]
    bench.parcel(2, grams=check.weight_g)
    bench.bodies[2].codes = (check.code,)
    bench.run(12_000)
    assert alarms(bench)[-1] == (AlarmKind.SCALE_CHECK_FAILED, False)


def test_a_check_parcel_never_ships_whatever_else_is_on_it() -> None:
    name = waybill(1)
    bench = CoreBench()
    bench.orders[name] = order(name, grams=SCALE.checks[0].weight_g)
    bench.parcel(1, grams=SCALE.checks[0].weight_g)
    bench.bodies[1].codes = (name, SCALE.checks[0].code)
    bench.run(12_000)
    assert bench.the(Decided).reason is Reason.SCALE_CHECK_PARCEL


def test_a_check_without_a_weight_is_one_that_failed() -> None:
    bench = CoreBench()
    from edge.model.commands import CaptureWeight

    bench.mute.add(CaptureWeight)
    bench.parcel(1, grams=5_000)
    bench.bodies[1].codes = (SCALE.checks[0].code,)
    bench.run(12_000)
    assert bench.the(ScaleChecked).reading is None
    assert alarms(bench) == [(AlarmKind.SCALE_CHECK_FAILED, True)]
    assert bench.the(Exited).reason is Reason.SCALE_CHECK_PARCEL


def test_a_check_code_counts_in_any_symbology() -> None:
    bench = CoreBench()
    bench.parcel(1, grams=5_000)
    bench.bodies[1].codes = (SCALE.checks[0].code,)
    bench.bodies[1].symbology = Symbology.EAN13
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.SCALE_CHECK_PARCEL
