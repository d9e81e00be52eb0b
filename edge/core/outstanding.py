"""What was commanded and not answered, worked out of the state alone: given again after a replay.

Every command is absolute and idempotent, so giving one twice changes nothing. A weight capture is not
given again: its frames are gone with the old process (see ``weighing.restarted``, ``zeroing.started``).
"""

from edge.core import chutes, diverting, intercept, packml, review, weighing
from edge.core.revoking import command_revoke
from edge.core.scope import Scope
from edge.core.state import PurgeStage, Track
from edge.model.commands import LookUp, LookUpPlace, PermitInduction, RequestPurge, SetIndicators
from edge.model.events import WakePurpose
from edge.model.verdict import ParcelState


def _wakes(scope: Scope, track: Track) -> None:
    layout, capture = scope.layout, track.capture
    if track.state is ParcelState.TRACKED:
        if not track.closed:
            due = layout.read_due(track.origin, track.length_mm)
            scope.wake(WakePurpose.READ_WINDOW, track, due, proved=True)
        if not track.due:
            scope.wake(WakePurpose.DECIDE, track, track.origin + layout.decision, proved=False)
        elif track.deadline:
            scope.wake(WakePurpose.DEADLINE, track, track.deadline, proved=False)
    if capture is not None and capture.last and track.weight is None:
        weighing.watch_capture(scope, track, capture)
    weighing.hold_zone(scope, track)
    if capture is not None and capture.hold_until_us:
        weighing.watch_hold(scope, track, capture)
    if track.fired:
        diverting.watch_confirm(scope, track)
    scope.wake(WakePurpose.MISSING, track, track.origin + layout.missing, proved=True)


def _commands(scope: Scope, track: Track) -> None:
    for waybill in track.unsettled:
        scope.out.append(LookUp(track=track.id, waybill=waybill))
    if track.state is ParcelState.REVOKING:
        command_revoke(scope, track)
    elif track.state is ParcelState.DECIDED and track.standing:
        diverting.command_divert(scope, track)


def collect(scope: Scope) -> None:
    """Put them into ``scope.out``: the line's outputs, then each track's commands and wakes, then the
    cancels'."""
    state = scope.state
    chutes.command_exits(scope)
    scope.out.append(PermitInduction(on=state.permitted))
    scope.out.append(RequestPurge(on=state.purge is PurgeStage.ASKED))
    scope.out.append(SetIndicators(bits=packml.INDICATORS[state.line]))
    for track in state.tracks.values():
        _commands(scope, track)
        _wakes(scope, track)
    review.command(scope)
    for cancel in state.cancels.values():
        if cancel.asked:
            scope.out.append(
                LookUpPlace(inbox_seq=cancel.inbox_seq, order_no=cancel.order_no, waybills=cancel.waybills)
            )
        if not cancel.pending:
            intercept.command_limit(scope, cancel)
