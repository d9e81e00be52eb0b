"""Cancels, exactly as architecture.md section 3: answered once, truthfully, in force until answered.

A cancel is settled by the open track of its waybill that may still ship, else by the record:

- decided for shipping and the command may stand: REVOKE; caught, refused or aborted: accepted; passed,
  fired or confirmed: too late, with the place;
- open, not decided for shipping: accepted, unless the record proved an earlier parcel of that waybill
  as shipped (then too late); while its look-up is out, the record is asked for the place first;
- no open track: the record is asked: unknown, too late with the place, or accepted.

What is not settled 350 ms after its row was read is answered ``pending``; the outcome follows.
"""

from edge.core.revoking import withdraw
from edge.core.scope import Scope
from edge.core.state import Cancel, Track
from edge.model.commands import LookUpPlace, WakeAt
from edge.model.events import OrderCancelled, WakePurpose, WaybillPlaceFound
from edge.model.ids import InboxSeq
from edge.model.order import CancelOutcome, ShippedPlace
from edge.model.records import CancelAnswered
from edge.model.units import US_PER_MS, MonoUs, Ticks
from edge.model.verdict import Reason

PENDING_AFTER_MS = 350
"""The gateway waits 400 ms for a row (architecture.md section 3)."""


def _answer(scope: Scope, cancel: Cancel, at_us: MonoUs, outcome: CancelOutcome, place: str = "") -> None:
    final = outcome is not CancelOutcome.PENDING
    if final:
        del scope.state.cancels[cancel.inbox_seq]
    else:
        cancel.pending = True
    scope.record(
        CancelAnswered(
            at_us=at_us,
            inbox_seq=cancel.inbox_seq,
            message_id=cancel.message_id,
            order_no=cancel.order_no,
            outcome=outcome,
            track=cancel.track,
            place=place,
            final=final,
        )
    )


def _open_tracks(scope: Scope, cancel: Cancel) -> list[Track]:
    """Every open track that the cancel names, by waybill or by its order."""
    wanted = set(cancel.waybills)
    return [
        track
        for track in scope.state.tracks.values()
        if track.waybill in wanted
        or not wanted.isdisjoint(track.unsettled)
        or (track.order is not None and track.order.order_no == cancel.order_no)
    ]


def _ask_place(scope: Scope, cancel: Cancel) -> None:
    cancel.asked = True
    scope.out.append(
        LookUpPlace(inbox_seq=cancel.inbox_seq, order_no=cancel.order_no, waybills=cancel.waybills)
    )


def cancelled(scope: Scope, event: OrderCancelled) -> tuple[Track, ...]:
    """A cancel row. Gives the open tracks that it concerns, for a decision that now has its input."""
    limit_us = MonoUs(event.at_us + PENDING_AFTER_MS * US_PER_MS)
    request = event.request
    cancel = Cancel(
        inbox_seq=event.inbox_seq,
        message_id=request.message_id,
        order_no=request.order_no,
        waybills=request.waybills,
        limit_us=limit_us,
    )
    scope.state.cancels[cancel.inbox_seq] = cancel
    tracks = _open_tracks(scope, cancel)
    for track in tracks:
        track.cancelled_seq = InboxSeq(max(track.cancelled_seq, event.inbox_seq))
        if track.ships and track.cancelled_seq > track.order_seq:
            withdraw(scope, track, event.at_us, Reason.CANCELLED, event.inbox_seq)
    _settle_open(scope, cancel, tracks, event.at_us)
    if cancel.inbox_seq in scope.state.cancels:
        command_limit(scope, cancel)
    return tuple(tracks)


def _settle_open(scope: Scope, cancel: Cancel, tracks: list[Track], at_us: MonoUs) -> None:
    """Answer from the open tracks, wait for one of them, or ask the record.

    A track that ships by an order row newer than the cancel (put anew) is gone: too late.
    """
    for track in tracks:
        if track.ships and track.standing:
            cancel.track = track.id
            if track.too_late or track.fired or track.order_seq > cancel.inbox_seq:
                _answer(scope, cancel, at_us, CancelOutcome.TOO_LATE, track.chute)
            return
    for track in tracks:
        cancel.track = track.id
        before = track.shipped_before
        if before is not None and before.place is ShippedPlace.PROVED:
            _answer(scope, cancel, at_us, CancelOutcome.TOO_LATE, before.chute)
            return
    if tracks and not any(track.unsettled for track in tracks):
        _answer(scope, cancel, at_us, CancelOutcome.ACCEPTED)
        return
    _ask_place(scope, cancel)


def place_found(scope: Scope, event: WaybillPlaceFound) -> None:
    """The record's word about a cancel whose waybill is on no open track, or not yet looked up.

    ``UNPROVED`` counts only while no track is open: inducted again, the parcel is on the belt.
    """
    cancel = scope.state.cancels.get(event.inbox_seq)
    if cancel is None or not cancel.asked:
        return
    cancel.asked = False
    tracks = _open_tracks(scope, cancel)
    before = event.shipped_before
    if before is not None and (before.place is ShippedPlace.PROVED or not tracks):
        _answer(scope, cancel, event.at_us, CancelOutcome.TOO_LATE, before.chute)
    elif event.known or tracks:
        _answer(scope, cancel, event.at_us, CancelOutcome.ACCEPTED)
    else:
        _answer(scope, cancel, event.at_us, CancelOutcome.UNKNOWN)


def settle(scope: Scope, track: Track, at_us: MonoUs, *, shipped: bool, place: str) -> None:
    """What a cancel waited for is known of this track: it will not ship, or it counts as shipped, and
    where (empty: its place is not known). Called when a command ends, a revoke is answered, a track
    ends."""
    if not scope.state.cancels:
        return
    for cancel in [cancel for cancel in scope.state.cancels.values() if cancel.track == track.id]:
        if cancel.asked:
            continue
        if shipped:
            _answer(scope, cancel, at_us, CancelOutcome.TOO_LATE, place)
        else:
            _answer(scope, cancel, at_us, CancelOutcome.ACCEPTED)


def command_limit(scope: Scope, cancel: Cancel) -> None:
    """The wake that answers ``pending``."""
    scope.out.append(
        WakeAt(
            purpose=WakePurpose.CANCEL_LIMIT,
            ref=cancel.inbox_seq,
            ticks=Ticks(0),
            at_us=cancel.limit_us,
            proved=False,
        )
    )


def limit_reached(scope: Scope, inbox_seq: InboxSeq, at_us: MonoUs) -> None:
    cancel = scope.state.cancels.get(inbox_seq)
    if cancel is not None and not cancel.pending:
        _answer(scope, cancel, at_us, CancelOutcome.PENDING)


def restarted(scope: Scope, at_us: MonoUs) -> None:
    """A new run may have a new monotonic clock: the limits count from here."""
    for cancel in scope.state.cancels.values():
        if not cancel.pending:
            cancel.limit_us = MonoUs(at_us + PENDING_AFTER_MS * US_PER_MS)
            command_limit(scope, cancel)
