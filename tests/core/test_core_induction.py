"""When induction is permitted, and the state that the line says it is in."""

import pytest

from edge.model.alarm import AlarmKind
from edge.model.commands import PermitInduction, RequestPurge
from edge.model.events import (
    DeviceWentUp,
    HoldCause,
    HoldCleared,
    HoldRaised,
    LineStarted,
    PlcAttached,
    PlcRefused,
    StatusBitsChanged,
)
from edge.model.ids import BootEpoch, CommandSeq, RingSeq
from edge.model.line import LineState, OperatorAction
from edge.model.records import (
    AlarmCleared,
    AlarmRaised,
    Decided,
    Exited,
    InductionSwitched,
    LineStateChanged,
)
from edge.model.register_map import StateBit
from edge.model.units import Ticks
from tests.core.core_bench import CoreBench, alarms, operator, states
from tests.core.core_line import DEMO, EPOCH, READY, bits

END = 10


def test_induction_waits_for_a_purge_asked_for_once_the_belt_runs() -> None:
    bench = CoreBench(started=False)
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    bench.attach(bits(StateBit.LATCHED))
    assert (bench.commands(RequestPurge), bench.core.state.line) == ([], LineState.STOPPED)
    bench.status(bits())
    assert [c.on for c in bench.commands(RequestPurge)] == [True]
    bench.status(bits(StateBit.LATCHED))
    bench.status(bits())
    assert [c.on for c in bench.commands(RequestPurge)] == [True, False, True]
    bench.status(bits(StateBit.RUN | StateBit.PURGING))
    assert bench.core.state.line is LineState.STARTING
    bench.status(bits(StateBit.LATCHED))
    bench.status(bits(StateBit.RUN | StateBit.PURGING))
    bench.status(bits())
    assert [c.on for c in bench.commands(PermitInduction)] == [True]


CAUSES: list[tuple[StateBit, LineState]] = [
    (StateBit.E_STOP, LineState.ABORTED),
    (StateBit.DOOR, LineState.ABORTED),
    (StateBit.PULL_CORD, LineState.ABORTED),
    (StateBit.FULL_END, LineState.SUSPENDED),
    (StateBit.JAM, LineState.HELD),
    (StateBit.LATCHED, LineState.STOPPED),
    (StateBit.ENCODER_FAULT, LineState.HELD),
]


@pytest.mark.parametrize(("bit", "state"), CAUSES)
def test_a_stop_in_the_hall_stops_induction_and_comes_back(bit: StateBit, state: LineState) -> None:
    bench = CoreBench()
    bench.status(bits(READY | bit))
    assert (bench.core.state.line, bench.commands(PermitInduction)[-1].on) == (state, False)
    bench.status(bits(READY | StateBit.PURGING))
    bench.status(bits())
    assert bench.core.state.line is LineState.EXECUTE
    assert alarms(bench) == set()


def test_a_cause_of_our_own_holds_the_line() -> None:
    bench = CoreBench()
    bench.post(HoldRaised(at_us=bench.at_us, cause=HoldCause.DISK_LOW))
    bench.post(HoldRaised(at_us=bench.at_us, cause=HoldCause.DISK_LOW))
    assert states(bench)[-1] is LineState.HELD
    bench.post(HoldCleared(at_us=bench.at_us, cause=HoldCause.DISK_LOW))
    bench.post(HoldCleared(at_us=bench.at_us, cause=HoldCause.STORE_SLOW))
    assert bench.core.state.line is LineState.EXECUTE
    raised = [row.kind for row in bench.records(AlarmRaised) if row.kind is AlarmKind.DISK_LOW]
    cleared = [row.kind for row in bench.records(AlarmCleared) if row.kind is AlarmKind.DISK_LOW]
    assert (len(raised), len(cleared)) == (1, 1)


def test_a_person_holds_and_releases_the_line() -> None:
    bench = CoreBench()
    operator(bench, OperatorAction.HOLD_LINE, by="lin")
    assert bench.records(LineStateChanged)[-1].why == "by lin"
    operator(bench, OperatorAction.RELEASE_LINE)
    assert bench.core.state.line is LineState.EXECUTE


def test_a_refused_plc_is_commanded_nothing() -> None:
    bench = CoreBench()
    bench.post(PlcRefused(at_us=bench.at_us, why="map hash"))
    assert bench.core.state.line is LineState.STOPPED
    assert AlarmKind.PLC_MISMATCH in alarms(bench)
    bench.attach(bits())
    assert (bench.core.state.line, alarms(bench)) == (LineState.EXECUTE, set())


def test_bits_of_an_old_epoch_are_nobodys() -> None:
    bench = CoreBench()
    before = bench.core.state.plc.bits
    bench.post(
        StatusBitsChanged(at_us=bench.at_us, epoch=BootEpoch(3), ticks=Ticks(1), bits=bits(StateBit.E_STOP))
    )
    assert bench.core.state.plc.bits == before


def test_a_restart_permits_nothing_before_the_plc_is_back_and_keeps_the_epochs_tracks() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_500)
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    assert bench.records(InductionSwitched)[-1].permitted is False
    for reader in DEMO.readers:
        bench.post(DeviceWentUp(at_us=bench.at_us, device=reader.device))
    bench.attach(bits())
    assert bench.records(InductionSwitched)[-1].permitted is True
    bench.run(12_000)
    assert bench.the(Exited).shipped
    assert len(bench.records(Decided)) == 1


def test_a_plc_attached_twice_without_news_changes_nothing() -> None:
    bench = CoreBench()
    again = PlcAttached(
        at_us=bench.at_us,
        epoch=EPOCH,
        last_seq=CommandSeq(0),
        ring_next=RingSeq(1),
        ticks=Ticks(bench.now),
        bits=bits(),
    )
    assert bench.post(again) == ()
