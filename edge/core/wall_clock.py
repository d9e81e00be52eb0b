"""Wall time: one offset, agreed once; a step waits for a person (architecture.md section 2).

Nothing here decides anything about a parcel: the offset only dates the records.
"""

from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.scope import Scope
from edge.model.alarm import AlarmKind
from edge.model.events import ClockRead
from edge.model.records import ClockAgreed
from edge.model.units import US_PER_S, MonoUs, UtcUs

STEP_US = 2 * US_PER_S
"""More than this between two readings is a step, not drift."""
DRIFT_US = 1_000
"""Less than this is not worth a record."""


def _agree(scope: Scope, at_us: MonoUs, offset_us: int, stepped_us: int) -> None:
    clock = scope.state.clock
    clock.known, clock.suspect = True, False
    clock.offset_us = offset_us
    scope.record(ClockAgreed(at_us=at_us, utc_us=UtcUs(at_us + offset_us), stepped_us=stepped_us))


def read(scope: Scope, event: ClockRead) -> None:
    """The first reading of a run is taken, unless it lies before the last one known; drift is followed;
    a step of more than 2 s alarms and the old offset stays until ``confirm`` (or until it steps back)."""
    clock = scope.state.clock
    offset_us = event.utc_us - event.at_us
    if not clock.known:
        _agree(scope, event.at_us, offset_us, 0)
        if event.utc_us < clock.last_utc_us - STEP_US:
            clock.suspect, clock.suspect_us = True, offset_us
            raise_alarm(scope, event.at_us, AlarmKind.CLOCK_STEP, "", "wall time went back while stopped")
        clock.last_utc_us = max(clock.last_utc_us, event.utc_us)
        return
    moved_us = offset_us - clock.offset_us
    if abs(moved_us) > STEP_US:
        clock.suspect, clock.suspect_us = True, offset_us
        raise_alarm(scope, event.at_us, AlarmKind.CLOCK_STEP, "", f"{moved_us} us")
        return
    clear_alarm(scope, event.at_us, AlarmKind.CLOCK_STEP, "")
    clock.suspect = False
    clock.last_utc_us = max(clock.last_utc_us, event.utc_us)
    if abs(moved_us) >= DRIFT_US:
        _agree(scope, event.at_us, offset_us, moved_us)


def confirm(scope: Scope, at_us: MonoUs) -> None:
    """A person says that the stepped clock is right. Without a step nothing happens."""
    clock = scope.state.clock
    if not clock.suspect:
        return
    _agree(scope, at_us, clock.suspect_us, clock.suspect_us - clock.offset_us)
    clock.last_utc_us = UtcUs(at_us + clock.offset_us)
    clear_alarm(scope, at_us, AlarmKind.CLOCK_STEP, "")


def restarted(scope: Scope) -> None:
    """A new run may have a new monotonic clock: the next reading is taken afresh."""
    scope.state.clock.known = False
