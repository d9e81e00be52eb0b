"""Readers, scales and bench scanners come and go. While a reader is away a second label may pass unseen,
so what it would have seen is not a good read (see ``identify``); what a bench scanner said while it was
away is lost (see ``review``)."""

from edge.core import review, zeroing
from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.scope import Scope
from edge.core.state import ReaderWatch
from edge.model.alarm import AlarmKind
from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import DeviceId
from edge.model.units import Ticks


def _alarm_of(scope: Scope, device: DeviceId) -> AlarmKind | None:
    """None: the PLC, whose link has events of its own, or a device that decides nothing."""
    if device in scope.layout.reader_of or device in scope.layout.bench_of:
        return AlarmKind.READER_DOWN
    scale = scope.layout.topology.scale
    return AlarmKind.SCALE_DOWN if scale is not None and scale.device == device else None


def went_up(scope: Scope, event: DeviceWentUp) -> None:
    kind = _alarm_of(scope, event.device)
    if kind is None:
        return
    clear_alarm(scope, event.at_us, kind, event.device)
    if kind is AlarmKind.SCALE_DOWN:
        zeroing.heard(scope, event.at_us, up=True)
    reader = scope.layout.reader_of.get(event.device)
    if reader is not None:
        known = scope.state.plc.attached
        blind_until = scope.belt_at_most(event.at_us) if known else Ticks(-1)
        scope.state.readers[reader] = ReaderWatch(up=True, blind_until=blind_until)


def went_down(scope: Scope, event: DeviceWentDown) -> None:
    kind = _alarm_of(scope, event.device)
    if kind is None:
        return
    raise_alarm(scope, event.at_us, kind, event.device, event.why)
    if kind is AlarmKind.SCALE_DOWN:
        zeroing.heard(scope, event.at_us, up=False)
    reader = scope.layout.reader_of.get(event.device)
    if reader is not None:
        scope.state.readers[reader] = ReaderWatch()
    bench = scope.layout.bench_of.get(event.device)
    if bench is not None:
        review.broken_off(scope, bench, event.at_us)


def restarted(scope: Scope) -> None:
    """Whatever the readers said while no process listened is gone."""
    for reader in scope.state.readers:
        scope.state.readers[reader] = ReaderWatch()
