"""The verdict on a parcel: a chain of checks over what is known, first failure wins.

Order: tracking, a person's word, a check parcel, reading, cancel, look-up, hold, shipped before, review,
flags of the order, weight, plan, chute, the record's disk. A check whose input is not in yet stops the
chain: there is no verdict (None) until it arrives or the deadline makes its absence the reason.
"""

from dataclasses import dataclass

from edge.core import chutes, recirculation
from edge.core.readings import weight_fault
from edge.core.scale_check import check_of
from edge.core.scope import Scope
from edge.core.state import Track
from edge.model.events import HoldCause
from edge.model.ids import ChuteId, ExitNo
from edge.model.order import BeltOrder, OrderFlag, OrderStatus, ShippedPlace
from edge.model.quick import quick
from edge.model.topology import Chute, Exit
from edge.model.units import Mm
from edge.model.verdict import Reason

TO_THE_END = frozenset(
    {
        Reason.UNEXPECTED,
        Reason.GAP_TOO_SMALL,
        Reason.POSITION_UNKNOWN,
        Reason.LATE_DECISION,
        Reason.PURGED,
        Reason.FLUSH_ESTOP,
        Reason.ENCODER_FAULT,
        Reason.LINK_LOST,
    }
)
"""Nothing is commanded for these: the place is not sure, or a divert could touch a neighbour, or (late,
CMD-17 of the PLC contract) it would come too late. All others take their reason's chute."""


FLAGGED: dict[OrderFlag, Reason] = {
    OrderFlag.RETURN_CHANGED: Reason.RETURN_CHANGED,
    OrderFlag.ADDRESS_CHANGED: Reason.ADDRESS_CHANGED,
    OrderFlag.RESTRICTED: Reason.RESTRICTED,
}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``exit`` n+1: nothing is commanded. ``rule``: the sort rule's id, or the check that failed."""

    reason: Reason
    exit: ExitNo
    chute: ChuteId
    deadline_mm: Mm
    ships: bool
    rule: str


def reject(scope: Scope, reason: Reason, from_mm: int, rule: str = "", *, straight: bool = False) -> Verdict:
    """By its reason's chute where that is a physical exit that is open and can still be commanded;
    else (or ``straight``: its place is not agreed) straight on to the end of the line."""
    layout = scope.layout
    rule = rule or reason.value
    chute = layout.reject_chute(reason)
    straight = straight or reason in TO_THE_END or bool(scope.state.plc.refused)
    if not straight and chute.exit != layout.end_exit:
        made = _into(scope, chute, reason, from_mm, rule)
        if made is not None:
            return made
    return Verdict(
        reason=reason,
        exit=layout.end_exit,
        chute=layout.end_chute(),
        deadline_mm=layout.reject_deadline_mm,
        ships=False,
        rule=rule,
    )


def _into(scope: Scope, chute: Chute, reason: Reason, from_mm: int, rule: str) -> Verdict | None:
    """Into a chute at a physical exit that ships nothing; None where that cannot be commanded."""
    deadline_mm = scope.layout.exit(chute.exit).deadline_mm
    if chutes.obstacle(scope, chute) is not Reason.OK or from_mm > deadline_mm:
        return None
    return Verdict(
        reason=reason, exit=chute.exit, chute=chute.id, deadline_mm=deadline_mm, ships=False, rule=rule
    )


def turn_away(scope: Scope, track: Track, reason: Reason, from_mm: int, rule: str = "") -> Verdict:
    """Round again where the line has a loop and the reason may heal; else rejected."""
    stands, lane = recirculation.lane(scope, track, reason)
    if stands is not reason:
        return reject(scope, stands, from_mm, f"{stands}:{reason}")
    made = None if lane is None else _into(scope, lane, reason, from_mm, rule or reason.value)
    return made or reject(scope, reason, from_mm, rule)


def is_cancelled(track: Track) -> bool:
    """A cancel holds against every order row before it."""
    if track.cancelled_seq > track.order_seq:
        return True
    return track.order is not None and track.order.status is OrderStatus.CANCELLED


def is_held(track: Track) -> bool:
    return track.order is not None and track.order.status is OrderStatus.HELD


def flagged(track: Track) -> Reason:
    """What the order's first flag makes of it, ``OK`` without one."""
    order = track.order
    return FLAGGED[order.flags[0]] if order is not None and order.flags else Reason.OK


def lacks_review(scope: Scope, track: Track) -> bool:
    """The line ships reviewed orders only, and this one was not, or has other contents by now."""
    return scope.layout.topology.review_required and not track.reviewed


def _order_fault(scope: Scope, track: Track) -> Reason:
    if is_held(track):
        return Reason.HELD
    before = track.shipped_before
    if before is not None and before.place is ShippedPlace.PROVED:
        return Reason.SECOND_PASS
    return Reason.NOT_REVIEWED if lacks_review(scope, track) else flagged(track)


def _route(scope: Scope, order: BeltOrder, from_mm: int) -> tuple[Chute | None, Exit | None, Reason, str]:
    way = scope.routes.find(order)
    if way.blind_spot:
        return None, None, Reason.BLIND_SPOT, ""
    if way.rule is None:
        return None, None, Reason.NO_RULE, ""
    chute, exit, reason = chutes.choose(scope, way.rule.chutes, from_mm)
    return chute, exit, reason, way.rule.id


def verdict(scope: Scope, track: Track, from_mm: int) -> Verdict | None:
    """The verdict with the parcel's leading edge at ``from_mm``; None while an input is missing.

    What the line can no longer have (its PLC refused: ``link_lost``) is a verdict at once; what comes
    too late because the PLC was silent is ``link_lost`` too, and because its look-up was
    ``upstream_timeout``: neither is a late decision.
    """
    if track.flaw is not Reason.OK:
        return reject(scope, track.flaw, from_mm, straight=track.disagrees)
    if scope.state.plc.refused:
        return reject(scope, Reason.LINK_LOST, from_mm)
    if track.by_hand:
        return reject(scope, Reason.MANUAL, from_mm)
    if not track.closed:
        return None
    if check_of(scope, track) is not None:
        return None if track.weight is None else reject(scope, Reason.SCALE_CHECK_PARCEL, from_mm)
    if track.fault is not Reason.OK:
        return turn_away(scope, track, track.fault, from_mm)
    if is_cancelled(track):
        return reject(scope, Reason.CANCELLED, from_mm)
    if track.unsettled or track.order is None:
        return None
    fault = _order_fault(scope, track)
    if fault is not Reason.OK:
        return turn_away(scope, track, fault, from_mm)
    if scope.layout.topology.scale is not None:
        if track.weight is None:
            return None
        fault = weight_fault(scope.layout.topology.weigh, track.weight, track.order)
        if fault is not Reason.OK:
            return turn_away(scope, track, fault, from_mm)
    chute, exit, reason, rule = _route(scope, track.order, from_mm)
    if reason is Reason.LATE_DECISION:
        reason = too_late(track)
    if chute is None or exit is None:
        return turn_away(scope, track, reason, from_mm, f"{reason}:{rule}" if rule else "")
    if HoldCause.DISK_LOW in scope.state.holds:
        return reject(scope, Reason.DISK_FULL, from_mm)
    return Verdict(
        reason=Reason.OK,
        exit=exit.no,
        chute=chute.id,
        deadline_mm=exit.deadline_mm,
        ships=True,
        rule=rule,
    )


def too_late(track: Track) -> Reason:
    """Why the exit of its order is behind it, or the PLC heard of it too late: the link or the look-up where
    they kept it waiting (answers that come all at once have their commands stand in a queue)."""
    if track.unwatched:
        return Reason.LINK_LOST
    return Reason.UPSTREAM_TIMEOUT if track.waited else Reason.LATE_DECISION


def lacking(scope: Scope, track: Track) -> Reason:
    """The reason when the deadline comes before the missing input: the link, where it was away."""
    if check_of(scope, track) is not None:
        return Reason.SCALE_CHECK_PARCEL
    if track.unwatched:
        return Reason.LINK_LOST
    return Reason.UPSTREAM_TIMEOUT if track.unsettled or track.order is None else Reason.WEIGHT_INVALID


def deadline_mm(scope: Scope, track: Track, from_mm: int) -> Mm:
    """The position at which the parcel is decided with whatever is known.

    While its order is not known the only exit that it may need is that of its reject chute. With the
    order, its own shipping exit too: then the earlier of the two, so that whatever the missing input
    turns out to be, the command can still be given.
    """
    reject_mm = scope.layout.reject_deadline_mm
    if track.unsettled or track.order is None:
        return reject_mm
    exit = _route(scope, track.order, from_mm)[1]
    return reject_mm if exit is None else min(reject_mm, exit.deadline_mm)
