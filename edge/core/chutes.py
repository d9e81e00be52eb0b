"""Chutes: enabled by people, full by the PLC, and how many parcels may still be on their way to one.

The PLC knows exits only: an exit is enabled while one of its chutes is, and its full signal is that of
all its chutes.
"""

from edge.core.alarms import set_alarm
from edge.core.scope import Scope
from edge.model.alarm import AlarmKind
from edge.model.commands import EnableExits
from edge.model.ids import ChuteId, ExitNo
from edge.model.records import ChuteSwitched
from edge.model.topology import Chute, ChuteKind, Exit
from edge.model.units import MonoUs
from edge.model.verdict import Reason


def is_enabled(scope: Scope, chute: ChuteId) -> bool:
    return chute not in scope.state.disabled


def is_full(scope: Scope, exit: ExitNo) -> bool:
    """As the PLC said last; the end of the line is never full here (it stops the belt instead)."""
    return bool(scope.state.plc.bits.exits_full >> (exit - 1) & 1)


def in_flight(scope: Scope, chute: ChuteId) -> int:
    """Parcels commanded into a chute and not yet confirmed; a lost one is open no more."""
    return sum(1 for track in scope.state.tracks.values() if track.standing and track.chute == chute)


def obstacle(scope: Scope, chute: Chute) -> Reason:
    """``OK``, or why a chute at a physical exit takes no decision now: no more than its reserve."""
    if not is_enabled(scope, chute.id):
        return Reason.CHUTE_DISABLED
    if is_full(scope, chute.exit) or in_flight(scope, chute.id) >= chute.reserve:
        return Reason.CHUTE_FULL
    return Reason.OK


def choose(
    scope: Scope, candidates: tuple[ChuteId, ...], from_mm: int
) -> tuple[Chute | None, Exit | None, Reason]:
    """The first open shipping chute whose exit's deadline is not behind ``from_mm``.

    Else no chute and the first candidate's obstacle; ``no_rule`` when the plan names no shipping chute
    of this line.
    """
    first = Reason.OK
    for candidate in candidates:
        chute = scope.layout.chutes.get(candidate)
        if chute is None or chute.kind is not ChuteKind.SHIPPING or chute.exit == scope.layout.end_exit:
            continue
        reason = obstacle(scope, chute)
        exit = scope.layout.exit(chute.exit)
        if reason is Reason.OK and from_mm > exit.deadline_mm:
            reason = Reason.LATE_DECISION
        if reason is Reason.OK:
            return chute, exit, Reason.OK
        if first is Reason.OK:
            first = reason
    return None, None, Reason.NO_RULE if first is Reason.OK else first


def _record(scope: Scope, at_us: MonoUs, chute: Chute) -> None:
    scope.record(
        ChuteSwitched(
            at_us=at_us,
            chute=chute.id,
            enabled=is_enabled(scope, chute.id),
            full=is_full(scope, chute.exit),
        )
    )


def command_exits(scope: Scope) -> None:
    """The PLC's enabled bits, absolute."""
    bits = 0
    for exit in scope.layout.topology.exits:
        if any(is_enabled(scope, chute.id) for chute in scope.layout.chutes_of[exit.no]):
            bits |= 1 << (exit.no - 1)
    scope.out.append(EnableExits(bits=bits))


def switch(scope: Scope, at_us: MonoUs, chute_id: str, *, enabled: bool) -> None:
    """A person's order; a chute that this line does not have, or that stands so already, changes nothing."""
    chute = scope.layout.chutes.get(ChuteId(chute_id))
    if chute is None or chute.exit == scope.layout.end_exit or is_enabled(scope, chute.id) == enabled:
        return
    if enabled:
        scope.state.disabled.remove(chute.id)
    else:
        scope.state.disabled.append(chute.id)
    _record(scope, at_us, chute)
    command_exits(scope)


def full_changed(scope: Scope, at_us: MonoUs, before: int) -> None:
    """The PLC's full bits are other ones than ``before``."""
    changed = scope.state.plc.bits.exits_full ^ before
    for chute in scope.layout.topology.chutes:
        if changed >> (chute.exit - 1) & 1:
            _record(scope, at_us, chute)
            full = is_full(scope, chute.exit)
            set_alarm(scope, at_us, AlarmKind.CHUTE_FULL, on=full, subject=chute.id, detail="exit full")


def started(scope: Scope, disabled: tuple[ChuteId, ...]) -> None:
    """Disabled by the configuration, on top of what people disabled before."""
    for chute in disabled:
        if chute in scope.layout.chutes and chute not in scope.state.disabled:
            scope.state.disabled.append(chute)
    command_exits(scope)
