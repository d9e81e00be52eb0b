"""Round again: what may heal by itself comes back to the infeed, so often and no oftener.

A parcel that has gone round is inducted anew, with a number and a track of its own; nothing follows it on
its way back. Its laps are those that the record has of its waybill, told with the look-up. Where there is
no waybill, or no answer, nobody can count them: such a parcel goes round only if so many tracks were
opened since the last of them did that this cannot be the same one again.
"""

from edge.core import chutes
from edge.core.scope import Scope
from edge.core.state import Track
from edge.model.ids import ChuteId
from edge.model.topology import Chute
from edge.model.verdict import Reason


def lane(scope: Scope, track: Track, reason: Reason) -> tuple[Reason, Chute | None]:
    """The reason for which the parcel is turned away, and the lane that leads it round, if it goes."""
    loop = scope.layout.topology.recirculation
    if loop is None or reason not in loop.reasons:
        return reason, None
    if _is_counted(track):
        if track.laps >= loop.limit:
            return Reason.MAX_RECIRCULATION, None
    elif scope.state.unread_round and track.id - scope.state.unread_round <= loop.apart:
        return reason, None
    chute = scope.layout.chutes[loop.chute]
    return reason, chute if chutes.obstacle(scope, chute) is Reason.OK else None


def decided(scope: Scope, track: Track, chute: ChuteId) -> None:
    """Remember one whose laps nobody can count, on its way round."""
    loop = scope.layout.topology.recirculation
    if loop is not None and chute == loop.chute and not _is_counted(track):
        scope.state.unread_round = track.id


def _is_counted(track: Track) -> bool:
    return track.waybill != "" and track.laps >= 0
