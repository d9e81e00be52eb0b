"""People, mishaps, fault plans and the plant: the hall as a whole, driven by a scripted PLC."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from edge.model.codes import WaybillPattern
from edge.model.divert import CommandStatus
from edge.model.ids import ReaderId
from edge.model.register_map import WordOrder
from edge.model.topology import CheckParcel, Topology
from edge.model.units import Grams, Mm
from line_config.problems import LineConfigError
from simulators.cables import Actuators, Sensors
from simulators.fault_plan import BLOCK, FaultPlan, ScriptedPlan
from simulators.faults import FaultLevel, LineFault, LineFaultKind, ParcelFault, ParcelFaultKind
from simulators.loop import VirtualLoop
from simulators.orders.waybills import FOREIGN
from simulators.plant import Plant, PlantDriver, PlantRegisters, unpack
from simulators.seeds import SeededBits
from simulators.world.buslog import BusLog
from simulators.world.mishaps import Mishaps, OtherWaybills, SpoiledSource, spoil
from simulators.world.parcel import ParcelSpec
from simulators.world.people import Crew, Infeed, gap_range_mm
from simulators.world.scenario import load_scenario, packaged_scenario, scenario_names
from simulators.world.truth import (
    TRUTH_KINDS,
    BeltSwitched,
    Carried,
    CommandJudged,
    CommandWritten,
    FaultInjected,
    HeartbeatMoved,
    Inducted,
    LaneEmptied,
    LaneFull,
    Left,
    Placed,
    PlcStarted,
    PlcStopped,
    Removed,
    Swapped,
    from_json_line,
    to_json_line,
)
from tests.core.world_kit import REST, Hall, line, spec

S = 1_000_000


class Parcels:
    """A source of ``n`` parcels of 300 mm, or of the lengths given."""

    def __init__(self, n: int, lengths: Sequence[int] = (300,)) -> None:
        self._n = n
        self._lengths = lengths
        self.taken = 0

    def take(self) -> ParcelSpec | None:
        if self.taken == self._n:
            return None
        self.taken += 1
        index = self.taken - 1
        length = self._lengths[index % len(self._lengths)]
        return spec(index, length_mm=length, waybill=f"W{index}")


class ToyPlc:
    """Belt and induction run from the first reset on; registers are a bare memory."""

    def __init__(self) -> None:
        self.epoch = 0
        self.running = False
        self.on = False
        self.seen: list[Sensors] = []
        self.wake: int | None = None
        self.words: dict[int, int] = {}
        self.judge: tuple[int, int, int] = (0, 0, 0)

    def update(self, sensors: Sensors) -> tuple[Actuators, int | None]:
        if not self.on:
            self.on = True
            self.epoch += 1
            self.running = False
        self.seen.append(sensors)
        self.running = (self.running or sensors.reset) and not sensors.e_stop
        self.words.update({16: self.epoch, 21: 0, 22: 0})
        self.words.update(zip((33, 34, 35), self.judge, strict=True))
        wake = self.wake if self.wake is None or self.wake > sensors.at_us else None
        return replace(REST, belt=self.running, induction=self.running), wake

    def tick(self, at_us: int, encoder_ticks: int) -> bool:
        return False

    def read(self, address: int, count: int) -> tuple[int, ...]:
        return tuple(self.words.get(address + n, 0) for n in range(count))

    def write(self, address: int, values: Sequence[int]) -> None:
        self.words.update({address + n: value for n, value in enumerate(values)})

    def restart(self) -> None:
        self.on = False


def hall_of(source: Parcels, plan: FaultPlan | None = None) -> tuple[Hall, Plant, ToyPlc, Infeed]:
    hall = Hall()
    program = ToyPlc()
    plant = Plant(hall.world, program)
    plan = plan or FaultPlan(line(), FaultLevel.NONE, 1)
    spoiled = SpoiledSource(source, plan, hall.world, OtherWaybills())
    infeed = Infeed(hall.world, spoiled, SeededBits(3, "infeed"))
    Crew(hall.world, SeededBits(3, "crew"))
    Mishaps(hall.world, plan, OtherWaybills())
    plant.power(True)
    return hall, plant, program, infeed


# --- people -----------------------------------------------------------------------------------------


def test_a_person_presses_reset_and_places_at_the_nominal_pitch() -> None:
    hall, plant, program, infeed = hall_of(Parcels(100, (200, 400, 300)))
    plant.advance(80 * S)
    presses = [one.at_us for one in program.seen if one.reset]
    assert 1_500_000 <= presses[0] <= 2_500_000
    assert infeed.exhausted and not hall.world.bodies
    placed = [one.at_us for one in hall.of(Placed)]
    pitch_us = (placed[-1] - placed[0]) // 99
    assert pitch_us == pytest.approx(3_600 * S // 6_400, rel=0.01)
    gaps = [one.gap_mm for one in hall.of(Inducted) if isinstance(one, Inducted)]
    low, high = gap_range_mm(line())
    assert low >= line().gap_min_mm + 5
    assert all(low - 1 <= gap <= high for gap in gaps[1:])


def test_the_same_seed_gives_the_same_day() -> None:
    days = []
    for _ in range(2):
        hall, plant, _, _ = hall_of(Parcels(60), FaultPlan(line(), FaultLevel.HARSH, 5))
        plant.advance(60 * S)
        days.append(hall.truth)
    assert days[0] == days[1]


def test_nothing_is_placed_while_induction_is_off() -> None:
    hall = Hall()
    Infeed(hall.world, Parcels(5), SeededBits(1, "infeed"))
    hall.drive(induction=False)
    hall.run(5 * S)
    assert not hall.of(Placed)
    hall.drive()
    hall.run(10 * S)
    assert len(hall.of(Placed)) == 5


def test_people_press_again_when_the_belt_runs_and_nothing_may_be_placed() -> None:
    hall = Hall()
    Crew(hall.world, SeededBits(1, "crew"))
    presses: list[int] = []
    hall.drive(induction=False)
    hall.run(20 * S, lambda seen: presses.append(seen.at_us) if seen.reset else None)
    assert presses and presses[0] == 8 * S


def test_lanes_are_emptied_before_they_overflow() -> None:
    hall, plant, _, _ = hall_of(Parcels(200))
    plant.advance(150 * S)
    assert len(hall.of(Left)) == 200
    emptied = [one for one in hall.of(LaneEmptied) if isinstance(one, LaneEmptied)]
    assert sum(one.parcels for one in emptied) + hall.world.lanes.end.count == 200
    assert hall.world.lanes.end.count < hall.world.lanes.end.capacity


# --- mishaps ----------------------------------------------------------------------------------------


def one_fault(kind: ParcelFaultKind, arg: int = 0) -> FaultPlan:
    return ScriptedPlan(line(), {1: ParcelFault(kind=kind, arg=arg)}, ())


def run_of(plan: FaultPlan, parcels: int = 4) -> Hall:
    hall, plant, _, _ = hall_of(Parcels(parcels, (300, 250)), plan)
    plant.advance(40 * S)
    assert not hall.world.bodies
    return hall


def test_a_parcel_is_taken_off() -> None:
    hall = run_of(one_fault(ParcelFaultKind.TAKEN_OFF, 3_000))
    assert [(one.parcel, one.lead_mm) for one in hall.of(Removed) if isinstance(one, Removed)] == [(2, 3_000)]
    assert [one.parcel for one in hall.of(Left) if isinstance(one, Left)] == [1, 3, 4]


def test_a_parcel_is_forced_into_a_lane() -> None:
    hall = run_of(one_fault(ParcelFaultKind.MIS_SORT, 1))
    carried = [one for one in hall.of(Carried) if isinstance(one, Carried)]
    assert [(one.parcel, one.exit, one.forced) for one in carried] == [(2, 3, True)]
    assert sorted(one.exit for one in hall.of(Left) if isinstance(one, Left)) == [3, 5, 5, 5]


def test_two_parcels_change_places_unseen() -> None:
    hall = run_of(one_fault(ParcelFaultKind.SWAP, 3_000))
    assert [(one.parcel, one.other, one.running) for one in hall.of(Swapped) if isinstance(one, Swapped)] == [
        (3, 2, True)
    ]
    left = [one for one in hall.of(Left) if isinstance(one, Left)]
    assert [one.parcel for one in left] == [1, 3, 2, 4]
    placed = {one.parcel: one.length_mm for one in hall.of(Placed) if isinstance(one, Placed)}
    assert placed[2] == placed[3]


def test_what_waits_for_a_parcel_waits_for_its_place_whoever_stands_there() -> None:
    swap = ParcelFault(kind=ParcelFaultKind.SWAP, arg=3_000)
    off = ParcelFault(kind=ParcelFaultKind.TAKEN_OFF, arg=5_000)
    hall = run_of(ScriptedPlan(line(), {1: swap, 2: off}, ()))
    assert [one.parcel for one in hall.of(Removed) if isinstance(one, Removed)] == [2]


def test_a_jammed_parcel_stands_until_somebody_takes_it_off() -> None:
    hall = run_of(one_fault(ParcelFaultKind.JAM, 4_600))
    (gone,) = (one for one in hall.of(Removed) if isinstance(one, Removed))
    assert gone.parcel == 2 and gone.lead_mm == 4_600


@pytest.mark.parametrize("gap_mm", [0, 150])
def test_two_parcels_come_too_close(gap_mm: int) -> None:
    hall = run_of(one_fault(ParcelFaultKind.TOO_CLOSE, gap_mm))
    second = hall.of(Inducted)[1]
    assert isinstance(second, Inducted)
    assert (second.gap_mm, second.merged) == (gap_mm, gap_mm == 0)


def test_labels_and_weights_are_spoiled() -> None:
    hall = run_of(one_fault(ParcelFaultKind.NO_READ))
    placed = hall.of(Placed)[1]
    assert isinstance(placed, Placed)
    assert (placed.candidates, placed.faults) == (("W1",), ("no_read",))
    placed = run_of(one_fault(ParcelFaultKind.DOUBLE_LABEL, 1)).of(Placed)[1]
    assert isinstance(placed, Placed) and placed.candidates == ("W1", "YT9100000001")
    placed = run_of(one_fault(ParcelFaultKind.WRONG_WEIGHT, 600)).of(Placed)[1]
    assert isinstance(placed, Placed) and placed.weight_g == 600


def line_fault(kind: LineFaultKind, duration_ms: int, arg: int = 0) -> Hall:
    fault = LineFault(kind=kind, index=1, after_ms=100, duration_ms=duration_ms, arg=arg)
    return run_of(ScriptedPlan(line(), {}, (fault,)))


def test_an_e_stop_cuts_the_belt_and_everything_on_it_was_touched() -> None:
    hall = line_fault(LineFaultKind.E_STOP, 1_500)
    switched = [one for one in hall.of(BeltSwitched) if isinstance(one, BeltSwitched)]
    assert [(one.running, one.cause) for one in switched] == [(True, "plc"), (False, "e_stop"), (True, "plc")]
    left = [one for one in hall.of(Left) if isinstance(one, Left)]
    assert [one.touched_us >= 0 for one in left] == [True, True, False, False]


def test_a_full_chute_an_encoder_that_stands_and_one_that_runs() -> None:
    hall = line_fault(LineFaultKind.FULL_CHUTE, 5_000, 2)
    full = [one for one in hall.of(LaneFull) if isinstance(one, LaneFull)]
    assert [(one.exit, one.full) for one in full] == [(2, True), (2, False)]
    assert full[1].at_us - full[0].at_us == 5 * S
    still = line_fault(LineFaultKind.ENCODER_STANDS, 1_000).of(Left)
    fast = line_fault(LineFaultKind.ENCODER_RUNS, 1_000, 3_600).of(Left)
    plain = run_of(FaultPlan(line(), FaultLevel.NONE, 1)).of(Left)
    ticks = [[one.ticks for one in left if isinstance(one, Left)][-1] for left in (still, plain, fast)]
    assert ticks[1] - ticks[0] == pytest.approx(1_800, abs=1)
    assert ticks[2] - ticks[1] == pytest.approx(3_600, abs=1)


def with_everything() -> Topology:
    """Two readers at one point and one behind them, a carrier that the line does not serve, and a check
    parcel."""
    found = line()
    first = found.readers[0]
    side = replace(first, id=ReaderId("side"), position_mm=Mm(first.position_mm + first.field_mm // 2))
    second = replace(first, id=ReaderId("second"), position_mm=Mm(first.position_mm + 2 * first.field_mm))
    foreign = (WaybillPattern(carrier=FOREIGN, regex="DPK.*"),)
    assert found.scale is not None
    check = CheckParcel(id="c", code="CHECK", weight_g=Grams(2_000), tolerance_g=Grams(10))
    return replace(
        found,
        readers=(first, side, second),
        read=replace(found.read, foreign=foreign),
        scale=replace(found.scale, checks=(check,)),
    )


# --- fault plans ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [FaultLevel.DEFAULT, FaultLevel.HARSH])
@pytest.mark.parametrize("seed", [0, 7, 12345])
def test_every_fault_of_a_plan_comes_in_the_first_block_and_leaves_neighbours_alone(
    level: FaultLevel, seed: int
) -> None:
    """A drift is only scripted: a scale that cannot be set costs every weight from then on."""
    plan = FaultPlan(with_everything(), level, seed)
    faults = {index: plan.of(index) for index in range(BLOCK)}
    disturbed = [index for index, fault in faults.items() if fault is not None]
    assert all(after - before > 1 for before, after in pairwise(disturbed))
    kinds = Counter(fault.kind for fault in faults.values() if fault is not None)
    strikes = Counter(fault.kind for index in range(BLOCK) for fault in plan.at(index))
    harsh_parcels = {
        ParcelFaultKind.MIS_SORT,
        ParcelFaultKind.SWAP,
        ParcelFaultKind.JAM,
        ParcelFaultKind.ARRIVAL_JAM,
    }
    harsh_line = {
        LineFaultKind.E_STOP,
        LineFaultKind.DOOR,
        LineFaultKind.PURGE,
        LineFaultKind.DISK_SLOW,
        LineFaultKind.DISK_LOW,
        LineFaultKind.ENCODER_STANDS,
        LineFaultKind.ENCODER_RUNS,
        LineFaultKind.LINE_CRASH,
        LineFaultKind.SCALE_FROZEN,
    }
    harsh = level is FaultLevel.HARSH
    strays = {fault.kind: fault for fault in faults.values() if fault is not None}
    moved = [strays[kind].arg for kind in (ParcelFaultKind.SLIPPED, ParcelFaultKind.INSERTED)]
    assert harsh or max(moved) < line().eyes[2].position_mm, "an eye sees it before any arm"
    assert set(kinds) == set(ParcelFaultKind) - (set() if harsh else harsh_parcels)
    assert set(strikes) == set(LineFaultKind) - {LineFaultKind.SCALE_DRIFT} - (set() if harsh else harsh_line)


def test_a_line_has_no_faults_that_it_cannot_have() -> None:
    """One reading point, and no carrier that is known and not served."""
    plan = FaultPlan(line(), FaultLevel.DEFAULT, 7)
    kinds = {fault.kind for index in range(BLOCK) if (fault := plan.of(index)) is not None}
    assert kinds.isdisjoint({ParcelFaultKind.CODE_CHANGED, ParcelFaultKind.FOREIGN_LABEL})


def test_a_code_that_changes_is_seen_from_the_second_reading_point_on() -> None:
    fault = ParcelFault(kind=ParcelFaultKind.CODE_CHANGED)
    changed = spoil(spec(), fault, "OTHER", with_everything())
    shown = {
        reader: {code.text for label in changed.labels if label.seen_by(reader) for code in label.codes}
        for reader in (ReaderId("top"), ReaderId("side"), ReaderId("second"))
    }
    own = set(spec().candidates)
    assert own
    assert shown == {"top": own, "side": own, "second": {"OTHER"}}
    assert set(changed.candidates) == own | {"OTHER"}


def test_a_plan_is_a_function_of_seed_and_index_alone() -> None:
    first, second = (FaultPlan(line(), FaultLevel.HARSH, 3) for _ in range(2))
    forth = [(first.of(index), first.at(index)) for index in range(3 * BLOCK)]
    back = [(second.of(index), second.at(index)) for index in reversed(range(3 * BLOCK))]
    assert forth == back[::-1]
    assert forth != [(FaultPlan(line(), FaultLevel.HARSH, 4).of(n), ()) for n in range(3 * BLOCK)]


def test_no_faults_means_none() -> None:
    plan = FaultPlan(line(), FaultLevel.NONE, 3)
    assert not any(plan.of(index) or plan.at(index) for index in range(BLOCK))


def test_a_harsh_plc_is_slow_but_within_what_the_line_bears() -> None:
    for seed in range(20):
        assert FaultPlan(line(), FaultLevel.HARSH, seed).turnaround_ms(41) in (20, 40)
    assert FaultPlan(line(), FaultLevel.HARSH, 1).turnaround_ms(10) is None
    assert FaultPlan(line(), FaultLevel.DEFAULT, 1).turnaround_ms(200) is None


def test_packaged_scenarios_load_and_a_wrong_one_says_where(tmp_path: Path) -> None:
    assert {"golden_plain", "golden_cancels", "golden_plc"} <= set(scenario_names())
    for name in scenario_names():
        scenario = packaged_scenario(name)
        plan = scenario.plan(line())
        written = [plan.of(one.index) for one in scenario.parcel_faults]
        assert all(written)
        assert sum(len(plan.at(index)) for index in range(scenario.parcels)) == len(scenario.line_faults)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("why: x\nline: demo\nparcels: 0\nseed: 1\nfalts: none\n")
    with pytest.raises(LineConfigError, match=r"wrong\.yaml:3"):
        load_scenario(wrong)


# --- the plant --------------------------------------------------------------------------------------


def test_the_plc_sees_each_edge_at_its_own_time_however_late_the_call() -> None:
    seen = []
    for step in (80 * S, 70_000):
        hall, plant, program, _ = hall_of(Parcels(10))
        for at in range(step, 20 * S + step, step):
            plant.advance(min(at, 20 * S))
        edges = [(one.at_us, one.eyes, one.encoder_ticks) for one in program.seen]
        seen.append(list(dict.fromkeys(edges)))
        assert len(hall.of(Left)) == 10
    assert seen[0] == seen[1]


def test_power_off_rests_everything_and_a_new_start_has_a_new_epoch() -> None:
    hall, plant, _, _ = hall_of(Parcels(3))
    plant.advance(4 * S)
    assert hall.world.actuators.belt
    plant.power(False)
    assert not hall.world.actuators.belt
    plant.advance(6 * S)
    ticks = hall.world.ticks_at(6 * S)
    plant.power(True)
    plant.advance(12 * S)
    lives = [one for one in hall.truth if isinstance(one, PlcStarted | PlcStopped)]
    assert [type(one) for one in lives] == [PlcStarted, PlcStopped, PlcStarted]
    assert isinstance(lives[2], PlcStarted) and lives[2].epoch == 2
    assert lives[2].shift == ticks > 0


def test_a_plc_that_asks_again_at_once_for_ever_is_found() -> None:
    _, plant, program, _ = hall_of(Parcels(0))

    def stuck(sensors: Sensors) -> tuple[Actuators, int | None]:
        return REST, sensors.at_us

    program.update = stuck  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="do not settle"):
        plant.read(1_000, 16, 1)
        plant.advance(1_000)


def test_the_bus_log_knows_commands_answers_and_heartbeats() -> None:
    hall, plant, program, _ = hall_of(Parcels(0))
    plant.bus_listeners.append(BusLog(line(), hall.truth.append))
    registers = PlantRegisters(plant, lambda: 5 * S)
    registers.write(4096, (7, *[0] * 11))
    registers.write(4096, (7, *[0] * 11))
    registers.write(4096, (0, *[0] * 11))
    registers.write(4096, (8, *[0] * 11))
    assert len(hall.of(HeartbeatMoved)) == 2
    registers.write(4112, (1, 0, 18, 5, 0, 0xD45E, 101))
    assert hall.of(CommandWritten) == [CommandWritten(5 * S, 1, 18, 5, False, 101, 0xD45E)]
    assert hall.of(CommandJudged) == []
    program.judge = (101, int(CommandStatus.APPLIED), 0xD45E)
    plant.read(5 * S + 5_000, 16, 1)
    registers.read(16, 1)
    assert hall.of(CommandJudged) == [CommandJudged(5 * S + 5_000, 1, 18, 5, False, 101, 1)]
    registers.write(4112, (1, 0, 18, 6, 1, 0x1111, 102))
    program.judge = (101, int(CommandStatus.REFUSED_SEQ), 0x1111)
    plant.read(6 * S, 16, 1)
    last = hall.of(CommandJudged)[-1]
    assert isinstance(last, CommandJudged) and (last.revoke, last.status) == (True, CommandStatus.REFUSED_SEQ)


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ((0x1234, 0x5678), WordOrder.ABCD),
        ((0x5678, 0x1234), WordOrder.CDAB),
        ((0x3412, 0x7856), WordOrder.BADC),
        ((0x7856, 0x3412), WordOrder.DCBA),
    ],
)
def test_a_u32_in_each_word_order(words: tuple[int, int], order: WordOrder) -> None:
    assert unpack(*words, order) == 0x12345678


def test_the_driver_runs_the_plant_on_a_loop_with_one_timer() -> None:
    loop = VirtualLoop(start_us=0)

    async def main() -> None:
        import asyncio

        hall, plant, _, infeed = hall_of(Parcels(5))
        driver = PlantDriver(plant, loop)
        driver.start()
        await asyncio.sleep(30)
        driver.stop()
        assert infeed.exhausted
        assert len(hall.of(Left)) == 5
        assert driver.now_us() == 30 * S

    loop.run(main())


# --- the truth log ------------------------------------------------------------------------------------


def test_every_fact_survives_its_json_line() -> None:
    hall, plant, _, _ = hall_of(Parcels(60), FaultPlan(line(), FaultLevel.HARSH, 5))
    plant.bus_listeners.append(BusLog(line(), hall.truth.append))
    plant.advance(60 * S)
    assert {type(fact) for fact in hall.truth} <= set(TRUTH_KINDS.values())
    assert len({type(fact) for fact in hall.truth}) > 8
    assert any(isinstance(fact, FaultInjected) for fact in hall.truth)
    for fact in hall.truth:
        assert from_json_line(to_json_line(fact)) == fact


@pytest.mark.parametrize("wrong", ['{"fact":"Nothing"}', "[]", '{"fact":"HeartbeatMoved"}', "{"])
def test_a_line_that_is_no_fact_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        from_json_line(wrong)
