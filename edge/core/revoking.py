"""Taking a told command back: once, towards the end of the line only (plc.md section 4).

The wish may come before the PLC's acknowledge: it is kept in ``Track.withdrawn`` and carried out when
the answer is in. ``RevokeOrdered`` goes on record before the REVOKE is sent.
"""

from edge.core.parcel_flow import Action, Step, take
from edge.core.scope import Scope
from edge.core.state import Track
from edge.model.commands import Revoke
from edge.model.ids import InboxSeq
from edge.model.records import RevokeOrdered
from edge.model.units import MonoUs
from edge.model.verdict import Reason

MAX_REVOKES = 3
"""A revoke that is not judged this often waits for what the belt says; more would only fill the link."""


def command_revoke(scope: Scope, track: Track) -> None:
    """Send it (again). Absolute: the PLC answers a repeated one alike."""
    scope.out.append(
        Revoke(track=track.id, epoch=track.epoch, number=track.number, end=scope.layout.end_exit)
    )


def withdraw(scope: Scope, track: Track, at_us: MonoUs, reason: Reason, inbox_seq: InboxSeq) -> None:
    """Take back what stands for ``track``, now or as soon as it is acknowledged. Nothing happens when
    nothing stands, or when a revoke has already been tried."""
    if not track.standing or track.revokes or track.fired:
        return
    if track.withdrawn is Reason.OK:
        track.withdrawn, track.revoke_seq = reason, inbox_seq
    if take(track, Step.WITHDRAWN) is Action.REVOKE:
        track.revokes = 1
        scope.record(RevokeOrdered(at_us=at_us, track=track.id, inbox_seq=track.revoke_seq))
        command_revoke(scope, track)
