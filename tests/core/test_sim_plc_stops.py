"""The simulated PLC's stops: start, homing, purge, marks, encoder, full ends."""

from dataclasses import replace

import pytest

from edge.model.divert import AbortCause, CommandStatus, ConfirmReason, RingKind
from edge.model.ids import ZoneNo
from edge.model.register_map import ModeBit, StateBit
from edge.model.topology import GuardZone
from edge.model.units import Mm
from simulators.devices.plc.settings import PlcSettings
from tests.clauses import clause
from tests.core.plc_bench import Bench, Parcel, bench_topology

EYE, LOST, FIRED = RingKind.EYE, RingKind.LOST, RingKind.FIRED
ABORTED, CONFIRMED = RingKind.ABORTED, RingKind.CONFIRMED
PERMIT, PURGE, STOP = ModeBit.PERMIT_INDUCTION, ModeBit.REQUEST_PURGE, ModeBit.REQUEST_STOP
STOPPED = AbortCause.STOPPED.value


def told(exit_no: int = 2, lead: int = 2500) -> tuple[Bench, Parcel]:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, lead)
    assert bench.command(1, exit_no) is CommandStatus.APPLIED
    bench.entries()
    return bench, parcel


# --- start ----------------------------------------------------------------------------------------


@clause("START-2")
def test_a_diverter_homes_only_when_its_eye_is_free() -> None:
    bench = Bench()
    bench.run(300)
    bench.sense(home=0b10)
    bench.obstacles = 0b1000
    bench.press_reset()
    assert StateBit.LATCHED in bench.state
    bench.obstacles = 0
    bench.press_reset()
    assert StateBit.LATCHED not in bench.state
    assert not bench.out.belt, "homing"
    bench.sense(home=0b11)
    assert bench.out.belt


@clause("START-2")
def test_not_home_in_time_latches_again() -> None:
    bench = Bench()
    bench.run(300)
    bench.sense(home=0b01)
    bench.press_reset()
    bench.run(319)
    assert StateBit.LATCHED not in bench.state
    bench.run(1)
    assert StateBit.LATCHED in bench.state
    bench.sense(home=0b11)
    assert not bench.out.belt


@clause("START-3")
def test_passages_in_the_purge_carry_number_0_and_the_line_stays_at_rest() -> None:
    bench = Bench()
    bench.run(300)
    parcel = bench.put(300, lead=2100)
    bench.press_reset()
    bench.run(5300)
    assert bench.shorts() == [
        (EYE, eye, length, 0) for eye, length in ((3, 200), (4, 300), (5, 300), (6, 300))
    ]
    assert parcel.exit == 0
    assert not bench.out.induction


@clause("START-4", "STOP-3")
def test_a_purge_on_request() -> None:
    bench, parcel = told()
    bench.pc.mode = PERMIT | PURGE
    bench.run(100)
    assert StateBit.PURGING in bench.state
    assert not bench.out.induction
    assert bench.shorts() == [(ABORTED, 2, AbortCause.UNTRUSTED.value, 1)]
    assert bench.status("zones_untrusted") == 1
    bench.put(200, lead=0)
    bench.run_to(parcel, 7400)
    found = bench.shorts()
    assert (CONFIRMED, 5, ConfirmReason.ABORTED.value, 1) in found
    assert (EYE, 1, 200, 0) in found
    bench.run(8000 - (7400 - 2600) + 100)
    assert StateBit.PURGING not in bench.state
    assert bench.out.induction, "the bit still stands, the purge is over"
    bench.pc.mode = PERMIT
    bench.run(100)
    bench.pc.mode = PERMIT | PURGE
    bench.run(100)
    assert StateBit.PURGING in bench.state


@clause("START-4")
def test_a_purge_asked_for_while_latched_comes_after_the_reset() -> None:
    bench, _ = told()
    bench.sense(e_stop=True)
    bench.pc.mode = PERMIT | PURGE
    bench.run(200)
    bench.sense(e_stop=False)
    bench.press_reset()
    assert StateBit.PURGING in bench.state


# --- stops ----------------------------------------------------------------------------------------


@clause("STOP-1", "STOP-3", "STOP-4")
@pytest.mark.parametrize(
    ("level", "bit"),
    [("e_stop", StateBit.E_STOP), ("door", StateBit.DOOR), ("pull_cord", StateBit.PULL_CORD)],
)
def test_a_safety_input_marks_what_is_on_the_belt(level: str, bit: StateBit) -> None:
    bench, parcel = told()
    bench.sense(**{level: True})
    assert not bench.out.belt
    assert not bench.out.induction
    assert bit in bench.state
    assert StateBit.LATCHED in bench.state
    assert bench.shorts() == [(ABORTED, 2, STOPPED, 1)]
    bench.press_reset()
    assert StateBit.LATCHED in bench.state, "still pressed"
    bench.sense(**{level: False})
    bench.run(100)
    assert not bench.out.belt, "waits for the reset"
    bench.press_reset()
    assert bench.out.belt
    assert bench.out.induction
    following = bench.put(200)
    bench.run_to(parcel, 3000)
    assert bench.command(1, 2) is CommandStatus.DROPPED
    bench.run_to(following, 2500)
    assert bench.command(2, 2) is CommandStatus.APPLIED
    assert bench.status("zones_untrusted") == 1
    bench.run_to(parcel, 7000)
    assert bench.status("zones_untrusted") == 0
    assert (CONFIRMED, 5, ConfirmReason.ABORTED.value, 1) in bench.shorts()


@clause("STOP-1")
def test_an_e_stop_takes_the_power_from_the_arms() -> None:
    bench, parcel = told()
    bench.run_to(parcel, 3900)
    assert bench.out.diverters == (2, 0)
    bench.sense(e_stop=True)
    assert bench.out.diverters == (0, 0)


@clause("STOP-1")
def test_a_parcel_that_coasts_past_the_induction_eye_is_marked_too() -> None:
    bench = Bench().ready()
    bench.sense(e_stop=True)
    parcel = bench.put(300)
    bench.sense(e_stop=False)
    bench.press_reset()
    bench.run_to(parcel, 2500)
    assert bench.command(1, 2) is CommandStatus.UNTRUSTED


@clause("STOP-5", "STOP-2")
@pytest.mark.parametrize(("ms", "marked"), [(1900, False), (2200, True)])
def test_a_stop_marks_after_two_seconds(ms: int, marked: bool) -> None:
    bench, parcel = told()
    bench.pc.mode = PERMIT | STOP
    bench.run(100)
    assert not bench.out.belt
    assert StateBit.LATCHED not in bench.state
    bench.run(ms - 100)
    bench.pc.mode = PERMIT
    bench.run(100)
    assert bench.out.belt, "the stop ends with its request"
    assert bench.shorts() == ([(ABORTED, 2, STOPPED, 1)] if marked else [])
    bench.run(3000)
    assert parcel.exit == (0 if marked else 2)


@clause("STOP-6")
def test_what_the_induction_needs() -> None:
    bench = Bench().ready()
    assert bench.out.induction
    bench.pc.mode = ModeBit(0)
    bench.run(100)
    assert not bench.out.induction
    bench.pc.mode = PERMIT
    bench.run(100)
    assert bench.out.induction
    bench.pc.alive = False
    bench.run(500)
    assert not bench.out.induction
    assert bench.out.belt
    bench.pc.alive = True
    bench.pc.mode = PERMIT | STOP
    bench.run(200)
    assert not bench.out.induction


# --- encoder --------------------------------------------------------------------------------------


@clause("ENC-1", "ENC-2")
def test_ticks_that_stop_on_a_running_belt() -> None:
    bench, parcel = told()
    bench.encoder_slips = True
    bench.run(301)
    assert StateBit.ENCODER_FAULT | StateBit.LATCHED in bench.state
    assert bench.out.belt, "what is on the belt goes to the end"
    assert not bench.out.induction
    assert bench.shorts() == [(ABORTED, 2, AbortCause.ENCODER_FAULT.value, 1), (LOST, 4, 0, 1)]
    bench.run(3000)
    assert parcel.exit == 0
    assert [entry[3] for entry in bench.shorts() if entry[0] is EYE] == [0, 0]
    bench.encoder_slips = False
    bench.press_reset()
    assert StateBit.ENCODER_FAULT not in bench.state
    assert StateBit.PURGING in bench.state
    bench.run(8100)
    assert bench.out.induction


@clause("ENC-1")
def test_ticks_on_a_standing_belt() -> None:
    bench, _ = told()
    bench.pc.mode = PERMIT | STOP
    bench.run(700)
    assert StateBit.ENCODER_FAULT not in bench.state
    bench.ghost_ticks = True
    bench.run(400)
    assert StateBit.ENCODER_FAULT in bench.state
    bench.pc.mode = PERMIT
    bench.run(200)
    assert not bench.out.belt, "it did not run, it waits for the reset"


@clause("ENC-1")
def test_ticks_that_race() -> None:
    bench, _ = told()
    for _ in range(6):
        bench.run(50)
        bench.ticks += 20
    assert StateBit.ENCODER_FAULT not in bench.state, "1.4 times is still a belt"
    for _ in range(6):
        bench.run(50)
        bench.ticks += 40
    assert StateBit.ENCODER_FAULT in bench.state


@clause("ENC-1")
def test_starting_and_stopping_is_no_fault() -> None:
    bench, _ = told()
    for _ in range(4):
        bench.pc.mode = PERMIT | STOP
        bench.run(800)
        bench.pc.mode = PERMIT
        bench.run(800)
    assert StateBit.ENCODER_FAULT not in bench.state


@clause("ENC-2")
def test_an_arm_that_is_out_returns_before_the_next_parcel_comes() -> None:
    bench, first = told()
    bench.put(300, lead=first.lead - 1000)
    bench.run_to(first, 3880)
    bench.encoder_slips = True
    bench.run(201)
    assert bench.out.diverters == (0, 0)


# --- full ------------------------------------------------------------------------------------------


@clause("END-1", "STOP-4")
def test_a_full_end_stops_the_line() -> None:
    bench, parcel = told()
    bench.sense(end_full=True)
    bench.run(2000)
    assert bench.out.belt
    assert bench.shorts()[-1] == (CONFIRMED, 2, ConfirmReason.COMMANDED.value, 1)
    bench.put(300)
    bench.run(1)
    assert not bench.out.belt
    assert StateBit.FULL_END | StateBit.LATCHED in bench.state
    bench.press_reset()
    assert StateBit.FULL_END in bench.state
    bench.sense(end_full=False)
    bench.press_reset()
    assert bench.out.belt
    bench.run(7000)
    assert parcel.exit == 2
    assert bench.parcels[-1].exit == 0, "no parcel is redirected"


@clause("END-1")
def test_a_parcel_passing_the_full_eye_is_no_full_end() -> None:
    bench = Bench().ready()
    bench.sense(end_full=True)
    bench.run(1999)
    bench.sense(end_full=False)
    bench.run(3000)
    assert bench.out.belt


@clause("FULL-1")
def test_on_and_off_delay_of_an_exit() -> None:
    bench = Bench().ready()
    bench.sense(lane_full=0b0100)
    bench.run(1999)
    assert bench.status("exits_full") == 0
    bench.run(1)
    assert bench.status("exits_full") == 0b0100
    bench.sense(lane_full=0)
    bench.run(999)
    bench.sense(lane_full=0b0100)
    bench.run(10)
    bench.sense(lane_full=0)
    bench.run(999)
    assert bench.status("exits_full") == 0b0100
    bench.run(1)
    assert bench.status("exits_full") == 0


@clause("FULL-1")
def test_a_parcel_that_passes_the_full_eye_fills_nothing() -> None:
    bench = Bench().ready()
    bench.sense(lane_full=0b0100)
    bench.run(500)
    bench.sense(lane_full=0)
    bench.run(3000)
    assert bench.status("exits_full") == 0


@clause("STOP-1")
def test_indicators_are_driven_as_wanted() -> None:
    bench = Bench().ready()
    bench.pc.indicators = 0x8001
    bench.run(100)
    assert bench.out.indicators == 0x8001


def test_two_runs_are_equal() -> None:
    def run() -> list[object]:
        bench, _ = told()
        bench.put(250)
        bench.run(9000)
        return list(bench.entries())

    assert run() == run()


@clause("START-1")
def test_a_started_program_is_off() -> None:
    bench = Bench(settings=PlcSettings())
    assert bench.out == bench.program.off()


# --- guard zones ----------------------------------------------------------------------------------


@clause("STOP-2", "STOP-3")
@pytest.mark.parametrize(("lead", "marked"), [(850, True), (1100, True), (1450, False)])
def test_a_stop_marks_what_lies_where_hands_can_reach(lead: int, marked: bool) -> None:
    line = bench_topology()
    zones = (
        GuardZone(no=ZoneNo(1), from_mm=Mm(0), to_mm=Mm(1000), guarded=False),
        GuardZone(no=ZoneNo(2), from_mm=Mm(1000), to_mm=line.end_mm, guarded=True),
    )
    bench = Bench(topology=replace(line, guard_zones=zones)).ready()
    parcel = bench.put(300)
    bench.run_to(parcel, lead)
    assert bench.command(1, 2) is CommandStatus.APPLIED
    bench.entries()
    bench.pc.mode = PERMIT | STOP
    bench.run(2300)
    assert bench.status("zones_untrusted") == int(marked)
    assert bench.shorts() == ([(ABORTED, 2, STOPPED, 1)] if marked else [])
    bench.pc.mode = PERMIT
    bench.run(12_000)
    assert parcel.exit == (0 if marked else 2)
    assert bench.status("zones_untrusted") == 0


@clause("STOP-1")
def test_an_emergency_stop_marks_behind_guards_too() -> None:
    line = bench_topology()
    zones = (GuardZone(no=ZoneNo(1), from_mm=Mm(0), to_mm=line.end_mm, guarded=True),)
    bench = Bench(topology=replace(line, guard_zones=zones)).ready()
    parcel = bench.put(300)
    bench.run_to(parcel, 1500)
    bench.sense(e_stop=True)
    bench.run(100)
    assert bench.status("zones_untrusted") == 1
