"""Who else is on the scale, as far as eyes know.

A body is between the scale's eyes from its leading edge at the first to its trailing edge at the second, and
may have stopped there as long as the second has not let it go. What a hand lays between the eyes nobody
sees before it leaves; then it is known how long it may have lain beside another (``beside``).
"""

from edge.core.scope import Scope
from edge.core.state import Capture, Track
from edge.model.topology import Scale


def shared(scope: Scope, scale: Scale, track: Track, capture: Capture) -> bool:
    """Some part of another parcel was between the scale's eyes during the capture, or may have been: one
    ahead that the outfeed eye has not let go yet. (Of a parcel whose place or length is not agreed nobody
    can say that it was alone.)"""
    if scope.state.scale_fouled:
        return True
    for other in scope.state.tracks.values():
        if other is not track:
            if beside(scope, scale, other, capture):
                return True
            if other.origin < track.origin and _stays(scale, other):
                return True
    return False


def beside(scope: Scope, scale: Scale, other: Track, capture: Capture) -> bool:
    """Some part of it was between the scale's eyes during the capture, if it came there by the belt."""
    eyes = scope.layout.eye_ticks
    infeed, outfeed = eyes[scale.infeed_eye - 1], eyes[scale.outfeed_eye - 1]
    leaves = other.origin + outfeed + scope.layout.ticks(other.length_mm)
    return other.origin + infeed <= capture.last and capture.first <= leaves


def _stays(scale: Scale, track: Track) -> bool:
    """The scale's infeed eye has seen its tail, the outfeed eye has not: it may have stopped there."""
    return scale.infeed_eye <= track.last_eye < scale.outfeed_eye


def ended(scope: Scope, track: Track) -> None:
    """The track is over. A body that never left the scale may lie on it still."""
    scale = scope.layout.topology.scale
    if scale is not None and _stays(scale, track):
        scope.state.scale_fouled = True


def passed(scope: Scope) -> None:
    """A parcel has passed the whole scale: nothing lies in its way."""
    scope.state.scale_fouled = False
