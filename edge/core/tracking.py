"""Where each parcel is, in belt ticks: opened once, moved by every eye, never mixed up.

The PLC assigns passages to numbers; from the same ticks the core works out each window again. Where the
two disagree (another place, another length, a number where it cannot be), nothing is commanded for that
parcel, or what was told is revoked: its neighbours stay untouched. A stopped belt stops every window by
itself, because they are distances.
"""

from edge.core import alone, diverting, ending, weighing, zeroing
from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.parcel_flow import Step
from edge.core.revoking import withdraw
from edge.core.scope import Scope
from edge.core.state import Passage, Track
from edge.core.timing import merged_length_mm
from edge.model.alarm import AlarmKind
from edge.model.divert import AbortCause
from edge.model.events import (
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    EyePassed,
    ParcelLost,
    ParcelUnexpected,
    WakePurpose,
)
from edge.model.ids import EyeNo, InboxSeq, PlcNumber, TrackId
from edge.model.records import TrackOpened
from edge.model.topology import EyeRole
from edge.model.units import Mm, MonoUs, Ticks
from edge.model.verdict import ParcelState, Reason

INDUCTION = EyeNo(1)


def _open(
    scope: Scope,
    event: EyePassed | ParcelUnexpected,
    flaw: Reason,
) -> Track:
    return _open_at(scope, event.at_us, event.number, event.eye, event.ticks, event.length_mm, flaw)


def _open_at(
    scope: Scope, at_us: MonoUs, number: PlcNumber, eye: EyeNo, ticks: Ticks, length_mm: Mm, flaw: Reason
) -> Track:
    state = scope.state
    track = Track(
        id=state.next_track,
        epoch=state.plc.epoch,
        number=number,
        origin=Ticks(ticks - (scope.layout.eye_ticks[eye - 1] if eye else 0)),
        length_mm=length_mm,
        last_eye=eye,
        flaw=flaw,
        unwatched=ticks < state.plc.attached_ticks,
    )
    state.next_track = TrackId(track.id + 1)
    state.tracks[track.id] = track
    state.numbers[number] = track.id
    scope.record(
        TrackOpened(
            at_us=at_us,
            track=track.id,
            epoch=track.epoch,
            number=number,
            eye=eye,
            ticks=ticks,
            length_mm=length_mm,
        )
    )
    return track


def _watch(scope: Scope, track: Track) -> None:
    """The positions at which something must have become known."""
    layout = scope.layout
    scope.wake(WakePurpose.READ_WINDOW, track, layout.read_due(track.origin, track.length_mm), proved=True)
    scope.wake(WakePurpose.DECIDE, track, track.origin + layout.decision, proved=False)
    scope.wake(WakePurpose.MISSING, track, track.origin + layout.missing, proved=True)


def mark(track: Track, reason: Reason) -> None:
    """The first thing found wrong stays: it is the cause, what follows are its effects."""
    if track.flaw is Reason.OK:
        track.flaw = reason


def disagree(scope: Scope, track: Track, at_us: MonoUs, reason: Reason) -> None:
    """The parcel is not where, or not what, it should be: command nothing, take back what was told."""
    mark(track, reason)
    track.disagrees = True
    withdraw(scope, track, at_us, track.flaw, InboxSeq(0))


def passed(scope: Scope, event: EyePassed) -> None:
    """A passage that the PLC gave to a number; 0 is a passage during a purge and nobody's."""
    if not event.number or event.number in scope.state.ended:
        return
    track = scope.track_of(event.number)
    if track is None:
        first = event.eye == INDUCTION
        track = _open(scope, event, Reason.OK if first else Reason.POSITION_UNKNOWN)
        _check_length(scope, track)
        _check_gap(scope, track, event)
        _watch(scope, track)
        weighing.hold_zone(scope, track)
        return
    _check_place(scope, track, event)
    _check_gap(scope, track, event)
    role = scope.layout.topology.eyes[event.eye - 1].role
    if role is EyeRole.SCALE_INFEED:
        weighing.at_infeed(scope, track, event.at_us)
    elif role is EyeRole.SCALE_OUTFEED:
        alone.passed(scope)


def _check_length(scope: Scope, track: Track) -> None:
    line = scope.layout.topology
    if track.length_mm > line.length_max_mm + line.length_tolerance_mm:
        merged = track.length_mm >= merged_length_mm(line)
        mark(track, Reason.TWO_ON_ONE if merged else Reason.OVERSIZE)


def _check_place(scope: Scope, track: Track, event: EyePassed) -> None:
    """Re-synchronise, or disagree. A body that grew is two; one that shrank is another."""
    layout = scope.layout
    moved = event.ticks - layout.eye_ticks[event.eye - 1] - track.origin
    grown_mm = event.length_mm - track.length_mm
    backwards = event.eye <= track.last_eye
    tolerance = layout.tolerance + track.hold_slack
    misplaced = backwards or not -tolerance <= moved <= tolerance
    if misplaced or abs(grown_mm) > layout.topology.length_tolerance_mm:
        grown = not misplaced and grown_mm > 0
        disagree(scope, track, event.at_us, Reason.TWO_ON_ONE if grown else Reason.POSITION_UNKNOWN)
        raise_alarm(
            scope,
            event.at_us,
            AlarmKind.POSITION_DISAGREES,
            f"eye {event.eye}",
            f"track {track.id}: {layout.mm(moved)} mm from its place, {grown_mm} mm longer",
        )
    if not backwards:
        track.last_eye = event.eye
    track.hold_slack = Ticks(0)
    track.origin = Ticks(track.origin + moved)
    if moved < 0 and track.deadline and track.state is ParcelState.TRACKED:
        track.deadline = Ticks(track.deadline + moved)
        scope.wake(WakePurpose.DEADLINE, track, track.deadline, proved=False)
    elif moved < 0 and not track.due and track.state is ParcelState.TRACKED:
        scope.wake(WakePurpose.DECIDE, track, track.origin + layout.decision, proved=False)


def _check_gap(scope: Scope, track: Track, event: EyePassed | ParcelUnexpected) -> None:
    """Too close to the one ahead at this eye: neither ships."""
    state, layout = scope.state, scope.layout
    ahead = state.passages.get(event.eye)
    state.passages[event.eye] = Passage(
        track=track.id, tail=Ticks(event.ticks + layout.ticks(event.length_mm))
    )
    if ahead is None:
        return
    allowed = layout.induction_gap if event.eye == INDUCTION else layout.later_gap
    if event.ticks - ahead.tail >= allowed:
        return
    for near in (state.tracks.get(ahead.track), track):
        if near is not None:
            mark(near, Reason.GAP_TOO_SMALL)
            near.disagrees = True
            withdraw(scope, near, event.at_us, near.flaw, InboxSeq(0))
            diverting.reconsider(scope, near, event.at_us)


def unexpected(scope: Scope, event: ParcelUnexpected) -> None:
    """First seen downstream of the induction eye: its own track, decided for the end at once."""
    if not event.number or event.number in scope.state.numbers or event.number in scope.state.ended:
        return
    track = _open(scope, event, Reason.UNEXPECTED)
    _check_gap(scope, track, event)
    for weighed in weighing.disproved(scope, track, event.eye, event.at_us):
        disagree(scope, weighed, event.at_us, Reason.WEIGHT_INVALID)
        diverting.reconsider(scope, weighed, event.at_us)
    scope.wake(WakePurpose.MISSING, track, track.origin + scope.layout.missing, proved=True)
    track.due = True
    diverting.reconsider(scope, track, event.at_us)


def lost(scope: Scope, event: ParcelLost) -> None:
    """The PLC waited in vain: the last word about that number."""
    track = _known(scope, event, event.eye)
    if track is not None:
        ending.missing(scope, track, event.at_us, Step.LOST, ending.missing_reason(track))


def confirmed(scope: Scope, event: DivertConfirmed) -> None:
    """A confirm eye. A body without a number in an exit is a mis-sort of nobody: it alarms. Nothing sticks
    in the mouth of a lane through which something has come, if only one that was given up (CONF-8)."""
    if scope.state.alarms:
        clear_alarm(scope, event.at_us, AlarmKind.DIVERT_UNCONFIRMED, f"exit {event.exit}")
    if not event.number:
        detail = f"a body without a number at ticks {event.ticks}"
        raise_alarm(scope, event.at_us, AlarmKind.MIS_SORT, f"exit {event.exit}", detail)
        return
    track = _known(scope, event, EyeNo(0))
    if track is not None:
        ending.confirmed(scope, track, event)


def fired(scope: Scope, event: DivertFired) -> None:
    track = scope.track_of(event.number)
    if track is not None:
        diverting.fired(scope, track, event)


def aborted(scope: Scope, event: DivertAborted) -> None:
    if event.cause is AbortCause.ENCODER_FAULT:
        # ENC-2: every number is reported LOST behind this entry, and before the status bit is seen.
        mark_all(scope, Reason.ENCODER_FAULT)
    track = scope.track_of(event.number)
    if track is not None:
        diverting.aborted(scope, track, event)


def _known(scope: Scope, event: ParcelLost | DivertConfirmed, eye: EyeNo) -> Track | None:
    """The track of a number. One whose first entries were lost with an overflow is opened here, so that
    each body that the PLC has counted has its end on record; one that has ended already is not."""
    track = scope.track_of(event.number)
    if track is None and event.number and event.number not in scope.state.ended:
        track = _open_at(scope, event.at_us, event.number, eye, event.ticks, Mm(0), Reason.POSITION_UNKNOWN)
    return track


def confirm_over(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """Proved: fired, and no confirm eye saw it in its window. A parcel that an eye behind the diverter
    saw since went straight on and is not absent: its end will tell."""
    if not ending.went_straight(scope, track):
        reason = Reason.DIVERT_UNCONFIRMED if track.flaw is Reason.OK else track.flaw
        ending.missing(scope, track, at_us, Step.UNCONFIRMED, reason)


def end_passed(scope: Scope, track: Track, at_us: MonoUs, ticks: Ticks) -> None:
    """Proved: the end of the line is behind it, and no eye confirmed it."""
    due = track.origin + scope.layout.missing
    if ticks < due:
        scope.wake(WakePurpose.MISSING, track, due, proved=True)
        return
    ending.missing(scope, track, at_us, Step.VANISHED, ending.missing_reason(track))


def mark_all(scope: Scope, reason: Reason) -> None:
    """Something touched the whole belt: what is not told yet does not ship; what is told is the PLC's,
    which drops it (aborts) or vouches for it (confirms)."""
    for track in scope.state.tracks.values():
        mark(track, reason)


def mark_zones(scope: Scope, zones: int, ticks: Ticks, reason: Reason) -> None:
    """The belt stands at ``ticks``, and hands may have been in these guard zones (bit zone-1)."""
    reach = scope.layout.zones(zones)
    for track in scope.state.tracks.values():
        at = ticks - track.origin - weighing.stood(track, ticks)
        if any(first <= at <= last for first, last in reach):
            mark(track, reason)


def untrust_all(scope: Scope, at_us: MonoUs, reason: Reason) -> None:
    """We have lost our own account of the belt: nothing ships, what was told is taken back."""
    for track in tuple(scope.state.tracks.values()):
        disagree(scope, track, at_us, reason)


def end_epoch(scope: Scope, at_us: MonoUs) -> None:
    """A new PLC epoch: every open track ends at once, its place is not known any more."""
    for track in tuple(scope.state.tracks.values()):
        ending.missing(scope, track, at_us, Step.EPOCH_OVER, Reason.PLC_RESTART)
    zeroing.forget(scope)
    scope.state.ended.clear()
    scope.state.passages.clear()
