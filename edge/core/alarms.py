"""Alarms: raised once, cleared once (ISA-18.2). What stands is state; each change is a record."""

from dataclasses import replace

from edge.core.scope import Scope
from edge.model.alarm import Alarm, AlarmKind
from edge.model.records import AlarmAcknowledged, AlarmCleared, AlarmRaised
from edge.model.units import MonoUs


def _key(kind: AlarmKind, subject: str) -> str:
    return f"{kind}:{subject}"


def raise_alarm(scope: Scope, at_us: MonoUs, kind: AlarmKind, subject: str, detail: str) -> None:
    """Nothing happens while the same alarm stands."""
    key = _key(kind, subject)
    if key in scope.state.alarms:
        return
    scope.state.alarms[key] = Alarm(kind=kind, subject=subject)
    scope.record(AlarmRaised(at_us=at_us, kind=kind, subject=subject, detail=detail))


def clear_alarm(scope: Scope, at_us: MonoUs, kind: AlarmKind, subject: str) -> None:
    """Nothing happens unless it stands."""
    if scope.state.alarms.pop(_key(kind, subject), None) is not None:
        scope.record(AlarmCleared(at_us=at_us, kind=kind, subject=subject))


def set_alarm(
    scope: Scope, at_us: MonoUs, kind: AlarmKind, *, on: bool, subject: str = "", detail: str = ""
) -> None:
    """An alarm that follows a condition."""
    if on:
        raise_alarm(scope, at_us, kind, subject, detail)
    else:
        clear_alarm(scope, at_us, kind, subject)


EVENTS = frozenset(
    {
        AlarmKind.DIVERT_UNCONFIRMED,
        AlarmKind.MIS_SORT,
        AlarmKind.POSITION_DISAGREES,
        AlarmKind.GATE_WRONG,
    }
)
"""Alarms about something that happened: a person ends them, and ``DIVERT_UNCONFIRMED`` also the next parcel
that arrives at that exit."""


def acknowledge(scope: Scope, at_us: MonoUs, subject: str, by: str) -> None:
    """Each standing alarm that ``subject`` names (``kind`` or ``kind:subject``), once. It ends those
    about events; the others stand as long as their cause does."""
    for key, alarm in tuple(scope.state.alarms.items()):
        if subject not in (key, alarm.kind.value):
            continue
        if not alarm.acknowledged_by:
            scope.state.alarms[key] = replace(alarm, acknowledged_by=by)
            scope.record(AlarmAcknowledged(at_us=at_us, kind=alarm.kind, subject=alarm.subject, by=by))
        if alarm.kind in EVENTS:
            clear_alarm(scope, at_us, alarm.kind, alarm.subject)
