"""State of the line: every state and every event, and what people and PLC are told of the change."""

from collections.abc import Callable

import pytest

from edge.core.packml import INDICATORS
from edge.model.commands import PermitInduction, SetIndicators
from edge.model.events import HoldCause, HoldRaised, PlcDetached, PlcRefused, WarningCause, WarningRaised
from edge.model.line import LineState, OperatorAction
from edge.model.records import InductionSwitched, LineStateChanged
from edge.model.register_map import StateBit
from tests.core.core_bench import CoreBench, operator
from tests.core.core_line import READY, bits

Does = Callable[[CoreBench], None]


def bit(one: StateBit) -> Does:
    """It joins those that stand."""
    return lambda bench: bench.status(bits(bench.core.state.plc.bits.state | one))


def silent(bench: CoreBench) -> None:
    bench.post(PlcDetached(at_us=bench.at_us, why="time-out"))


def refused(bench: CoreBench) -> None:
    bench.post(PlcRefused(at_us=bench.at_us, why="map hash"))


def held(bench: CoreBench) -> None:
    bench.post(HoldRaised(at_us=bench.at_us, cause=HoldCause.DISK_LOW))


def warned(bench: CoreBench) -> None:
    bench.post(WarningRaised(at_us=bench.at_us, cause=WarningCause.DISK_SHORT))


def person(bench: CoreBench) -> None:
    operator(bench, OperatorAction.HOLD_LINE, by="lin")


def purge(bench: CoreBench) -> None:
    operator(bench, OperatorAction.PURGE)


def over(bench: CoreBench) -> None:
    """Whatever brought the line into its state is over, and the belt was emptied."""
    operator(bench, OperatorAction.RELEASE_LINE)
    bench.status(bits(READY | StateBit.PURGING))
    bench.status(bits())


EVENTS: dict[str, Does] = {
    "e-stop": bit(StateBit.E_STOP),
    "door": bit(StateBit.DOOR),
    "pull-cord": bit(StateBit.PULL_CORD),
    "latch": bit(StateBit.LATCHED),
    "jam": bit(StateBit.JAM),
    "encoder": bit(StateBit.ENCODER_FAULT),
    "end full": bit(StateBit.FULL_END),
    "silent": silent,
    "refused": refused,
    "disk": held,
    "short": warned,
    "person": person,
    "purge": purge,
    "over": over,
}
INTO: dict[LineState, Does | None] = {
    LineState.EXECUTE: None,
    LineState.ABORTED: bit(StateBit.E_STOP),
    LineState.STOPPED: bit(StateBit.LATCHED),
    LineState.STARTING: purge,
    LineState.HELD: person,
    LineState.SUSPENDED: bit(StateBit.FULL_END),
}
A, T, S, X, H, U = (
    LineState.ABORTED,
    LineState.STOPPED,
    LineState.STARTING,
    LineState.EXECUTE,
    LineState.HELD,
    LineState.SUSPENDED,
)
TABLE: dict[LineState, tuple[LineState, ...]] = {
    # one column for each of EVENTS
    X: (A, A, A, T, H, H, U, U, T, H, X, H, S, X),
    A: (A, A, A, A, A, A, A, U, T, A, A, A, A, X),
    T: (A, A, A, T, T, T, T, U, T, T, T, T, T, X),
    S: (A, A, A, T, H, H, U, U, T, S, S, S, S, X),
    H: (A, A, A, T, H, H, U, U, T, H, H, H, S, X),
    U: (A, A, A, T, H, H, U, U, T, U, U, U, U, X),
}


def test_the_table_has_every_pair() -> None:
    assert set(TABLE) == set(INTO) == set(LineState)
    assert {len(row) for row in TABLE.values()} == {len(EVENTS)}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", LineState)
def test_every_state_and_event(state: LineState, event: str) -> None:
    bench = CoreBench()
    into = INTO[state]
    if into is not None:
        into(bench)
    assert bench.core.state.line is state
    bench.out.clear()
    EVENTS[event](bench)
    then = TABLE[state][list(EVENTS).index(event)]
    assert bench.core.state.line is then
    # Each change is on record once and shown by the light; induction is permitted in Execute alone.
    changes = [row.state for row in bench.records(LineStateChanged)]
    lights = [command.bits for command in bench.commands(SetIndicators)]
    assert lights == [INDICATORS[one] for one in changes]
    assert all(before is not after for before, after in zip([state, *changes], changes, strict=False))
    assert (changes or [state])[-1] is then
    assert bench.core.state.permitted is (then is LineState.EXECUTE)
    switched = [row.permitted for row in bench.records(InductionSwitched)]
    assert [command.on for command in bench.commands(PermitInduction)] == switched
