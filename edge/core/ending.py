"""How a track ends: exited or missing, exactly once, whatever was decided.

``shipped`` is only what a confirm eye saw in the decided shipping chute while the command stood and the
PC agreed with the PLC about the place. What was told to ship and is not proved to be anywhere counts as
shipped for look-ups and cancels, but is not reported as shipped.
"""

from edge.core import alone, weighing, zeroing
from edge.core.alarms import raise_alarm
from edge.core.intercept import settle
from edge.core.parcel_flow import Action, Step, take
from edge.core.scope import Scope
from edge.core.state import ENDED_KEPT, Track
from edge.model.alarm import AlarmKind
from edge.model.divert import ConfirmReason
from edge.model.events import DivertConfirmed
from edge.model.ids import ChuteId, ExitNo
from edge.model.records import Exited, Missing
from edge.model.units import MonoUs
from edge.model.verdict import ParcelState, Reason

NOT_SEEN = (Step.LOST, Step.UNCONFIRMED)
"""Proofs that it did not come where it was waited for."""


def _forget(scope: Scope, track: Track) -> None:
    state = scope.state
    alone.ended(scope, track)
    if weighing.awaits_zone(scope, track):
        weighing.let_go(scope, track)
    zeroing.ended(scope, track)
    del state.tracks[track.id]
    del state.numbers[track.number]
    state.ended[track.number] = track.id
    if len(state.ended) > ENDED_KEPT:
        del state.ended[next(iter(state.ended))]


def _actual_chute(scope: Scope, track: Track, exit: ExitNo) -> ChuteId:
    if exit == track.exit and track.chute:
        return track.chute
    chutes = scope.layout.chutes_of.get(exit, ())
    return chutes[0].id if chutes else ChuteId("")


def _undecided(track: Track) -> Reason:
    """Why a parcel is at its end before anything was decided."""
    if track.flaw is not Reason.OK:
        return track.flaw
    return Reason.LINK_LOST if track.unwatched else Reason.LATE_DECISION


def _exit_reason(track: Track, *, as_commanded: bool, mis_sorted: bool) -> Reason:
    if track.state is ParcelState.TRACKED:
        return _undecided(track)
    if track.disagrees and track.reason is Reason.OK:
        return track.flaw
    if track.reason is Reason.OK and not as_commanded:
        return Reason.DIVERT_UNCONFIRMED if mis_sorted else Reason.DIVERT_ABORTED
    return track.reason


def confirmed(scope: Scope, track: Track, event: DivertConfirmed) -> None:
    """A confirm eye saw it at ``event.exit``."""
    end = scope.layout.end_exit
    as_commanded = track.standing and event.exit == track.exit
    at_end = event.exit == end
    astray = track.standing and event.reason is ConfirmReason.MISSORT
    mis_sorted = astray if at_end else not as_commanded
    reason = _exit_reason(track, as_commanded=as_commanded, mis_sorted=mis_sorted)
    told_to_ship = track.ships and track.standing
    shipped = as_commanded and track.ships and reason is Reason.OK
    stray = mis_sorted and not at_end and scope.layout.is_shipping(event.exit)
    counts = shipped or (told_to_ship and (mis_sorted or as_commanded)) or stray
    chute = _actual_chute(scope, track, event.exit)
    if take(track, Step.CONFIRMED) is Action.EXIT:
        scope.record(
            Exited(
                at_us=event.at_us,
                track=track.id,
                waybill=track.waybill,
                exit=event.exit,
                chute=chute,
                reason=reason,
                shipped=shipped,
                counts_as_shipped=counts,
                mis_sorted=mis_sorted,
            )
        )
    settle(scope, track, event.at_us, shipped=counts, place=chute)
    if mis_sorted:
        detail = f"track {track.id} at exit {event.exit}, commanded {track.exit if track.standing else 0}"
        raise_alarm(scope, event.at_us, AlarmKind.MIS_SORT, f"exit {event.exit}", detail)
    _forget(scope, track)


def went_straight(scope: Scope, track: Track) -> bool:
    """An eye behind the diverter that was fired for it has seen it since."""
    eyes, exit = scope.layout.topology.eyes, scope.layout.exit(track.fired)
    return bool(track.last_eye) and eyes[track.last_eye - 1].position_mm > exit.position_mm


def missing(scope: Scope, track: Track, at_us: MonoUs, step: Step, reason: Reason) -> None:
    """Proved absent (LOST, UNCONFIRMED, VANISHED), or the epoch is over."""
    counts = track.ships and track.standing
    if take(track, step) is Action.MISS:
        scope.record(
            Missing(
                at_us=at_us,
                track=track.id,
                waybill=track.waybill,
                reason=reason,
                last_eye=track.last_eye,
                counts_as_shipped=counts,
            )
        )
    settle(scope, track, at_us, shipped=counts, place="")
    if track.fired and step in NOT_SEEN and not went_straight(scope, track):
        detail = f"track {track.id} was diverted, and no eye has seen it since"
        raise_alarm(scope, at_us, AlarmKind.DIVERT_UNCONFIRMED, f"exit {track.fired}", detail)
    _forget(scope, track)


def missing_reason(track: Track) -> Reason:
    """Why a parcel that was waited for in vain did not come: what was wrong with it, else ``lost``."""
    if track.fired and track.standing:
        return Reason.DIVERT_UNCONFIRMED
    return Reason.LOST if track.flaw is Reason.OK else track.flaw
