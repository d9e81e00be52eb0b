"""State of the line (PackML, ISA-TR88) and the permit of induction, from what is known now.

Induction is permitted when the PLC is attached and agreed with, the belt is known to be empty or
tracked (a purge after a new epoch or an untrusted belt), nothing inside this process or in the hall
holds the line, and no person does. A sort plan may be absent: everything then leaves as ``no_rule``.
Purging: the request is a rising edge (START-4 of the PLC contract); it is given when the belt runs, and
withdrawn as soon as the PLC purges.
"""

from edge.core import zeroing
from edge.core.alarms import clear_alarm, set_alarm
from edge.core.scope import Scope
from edge.core.state import PurgeStage
from edge.model.alarm import AlarmKind
from edge.model.commands import PermitInduction, RequestPurge, SetIndicators
from edge.model.line import LineState
from edge.model.records import InductionSwitched, LineStateChanged
from edge.model.register_map import StateBit
from edge.model.units import MonoUs

EMERGENCY = int(StateBit.E_STOP | StateBit.DOOR | StateBit.PULL_CORD)
LATCHED, JAM, ENCODER_FAULT, FULL_END, PURGING = (
    int(bit)
    for bit in (
        StateBit.LATCHED,
        StateBit.JAM,
        StateBit.ENCODER_FAULT,
        StateBit.FULL_END,
        StateBit.PURGING,
    )
)
"""As plain ints: the line's state is worked out after most inputs."""
ALARM_BITS: tuple[tuple[StateBit, AlarmKind, str], ...] = (
    (StateBit.E_STOP, AlarmKind.E_STOP, ""),
    (StateBit.DOOR, AlarmKind.E_STOP, "door"),
    (StateBit.PULL_CORD, AlarmKind.E_STOP, "pull-cord"),
    (StateBit.ENCODER_FAULT, AlarmKind.ENCODER_FAULT, ""),
    (StateBit.FULL_END, AlarmKind.END_FULL, ""),
    (StateBit.LATCHED, AlarmKind.PLC_LATCHED, ""),
    (StateBit.JAM, AlarmKind.JAM, ""),
)
EMPTIED = (
    AlarmKind.BELT_UNTRUSTED,
    AlarmKind.PLC_RESTARTED,
    AlarmKind.RING_OVERFLOW,
    AlarmKind.REPLAY_DIFFERS,
)
"""Alarms that an emptied belt ends."""
INDICATORS: dict[LineState, int] = {
    LineState.EXECUTE: 1,
    LineState.STARTING: 2,
    LineState.HELD: 2,
    LineState.SUSPENDED: 2,
    LineState.STOPPED: 4,
    LineState.ABORTED: 4,
}
"""Stack light: bit 0 green, 1 amber, 2 red (IEC 60204-1: normal, abnormal, emergency)."""


def _line_state(scope: Scope) -> tuple[LineState, str]:
    """The first cause that holds, worst first; the text says it to people."""
    state, plc = scope.state, scope.state.plc
    bits = int(plc.bits.state)
    if plc.refused:
        return LineState.STOPPED, f"PLC refused: {plc.refused}"
    if not plc.attached:
        if plc.detached:
            return LineState.SUSPENDED, f"PLC silent: {plc.detached}"
        return LineState.STOPPED, "PLC not attached"
    if bits & EMERGENCY:
        return LineState.ABORTED, "stopped in the hall"
    if bits & LATCHED:
        return LineState.STOPPED, "latched, waits for a reset"
    if bits & JAM:
        return LineState.HELD, "jam"
    if bits & ENCODER_FAULT:
        return LineState.HELD, "encoder fault"
    if bits & FULL_END:
        return LineState.SUSPENDED, "end lane full"
    if state.purge is not PurgeStage.CLEAN or bits & PURGING:
        return LineState.STARTING, "belt to be emptied"
    if state.holds:
        return LineState.HELD, ", ".join(state.holds)
    if state.held_by:
        return LineState.HELD, f"by {state.held_by}"
    if zeroing.wants_gap(scope):
        return LineState.HELD, "the scale is to be seen empty"
    return LineState.EXECUTE, "ready"


def review(scope: Scope, at_us: MonoUs) -> None:
    """Work out state and permit again; each change once on record and once as a command."""
    state = scope.state
    line, why = _line_state(scope)
    if line is not state.line:
        state.line = line
        scope.record(LineStateChanged(at_us=at_us, state=line, why=why))
        scope.out.append(SetIndicators(bits=INDICATORS[line]))
    permitted = line is LineState.EXECUTE
    if permitted is not state.permitted:
        state.permitted = permitted
        scope.record(InductionSwitched(at_us=at_us, permitted=permitted, why=why))
        scope.out.append(PermitInduction(on=permitted))


def step_purge(scope: Scope) -> None:
    """Follow the PLC's bits through a purge."""
    state = scope.state
    bits = state.plc.bits.state
    purging, running = bool(bits & StateBit.PURGING), bool(bits & StateBit.RUN)
    match state.purge:
        case PurgeStage.WANTED if purging:
            state.purge = PurgeStage.RUNNING
        case PurgeStage.WANTED if running and state.plc.attached:
            state.purge = PurgeStage.ASKED
            scope.out.append(RequestPurge(on=True))
        case PurgeStage.ASKED if purging:
            state.purge = PurgeStage.RUNNING
            scope.out.append(RequestPurge(on=False))
        case PurgeStage.ASKED if not running:
            state.purge = PurgeStage.WANTED
            scope.out.append(RequestPurge(on=False))
        case PurgeStage.RUNNING if not purging:
            state.purge = PurgeStage.CLEAN if running else PurgeStage.WANTED
            state.scale_fouled = False
        case _:
            pass


def want_purge(scope: Scope) -> None:
    """The belt must be emptied before anything is inducted."""
    state = scope.state
    if state.purge is PurgeStage.ASKED:
        return
    state.purge = PurgeStage.WANTED
    step_purge(scope)


def alarms_of_bits(scope: Scope, at_us: MonoUs) -> None:
    """Alarms that follow the PLC's state bits, and those that an emptied belt ends."""
    bits = scope.state.plc.bits.state
    for bit, kind, subject in ALARM_BITS:
        set_alarm(scope, at_us, kind, on=bool(bits & bit), subject=subject)
    if scope.state.purge is PurgeStage.CLEAN:
        for kind in EMPTIED:
            clear_alarm(scope, at_us, kind, "")
