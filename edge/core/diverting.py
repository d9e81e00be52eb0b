"""Decide once, tell the PLC, and take in how it answered.

A parcel is decided when it is due (its decision position is reached) and all inputs are in, else when
the last of them arrives, at the latest when its deadline wakes. ``decided_from_us`` is the moment of
that input in each case, because the core handles it in the same call.
"""

from edge.core import identify, recirculation, scale_check, verdicts, weighing
from edge.core.intercept import settle
from edge.core.parcel_flow import Action, Step, take
from edge.core.revoking import MAX_REVOKES, command_revoke, withdraw
from edge.core.scope import Scope
from edge.core.state import REVOKE_CAUGHT, REVOKE_TOO_LATE, Track
from edge.core.verdicts import Verdict
from edge.model.commands import SendDivert
from edge.model.divert import AbortCause, CommandStatus
from edge.model.events import CommandAnswered, DivertAborted, DivertFired, WakePurpose
from edge.model.ids import CommandSeq, InboxSeq, OrderNo, PlanId
from edge.model.records import Aborted, Decided, Refused, Revoked, Told
from edge.model.units import Grams, MonoUs, Ticks
from edge.model.verdict import ParcelState, Reason

REFUSAL: dict[CommandStatus, Reason] = {
    CommandStatus.REFUSED_CRC: Reason.DIVERT_ABORTED,
    CommandStatus.REFUSED_SEQ: Reason.DIVERT_ABORTED,
    CommandStatus.REFUSED_EPOCH: Reason.PLC_RESTART,
    CommandStatus.UNKNOWN_NUMBER: Reason.POSITION_UNKNOWN,
    CommandStatus.BAD_EXIT: Reason.DIVERT_ABORTED,
    CommandStatus.STALE: Reason.LINK_LOST,
    CommandStatus.UNTRUSTED: Reason.POSITION_UNKNOWN,
    CommandStatus.TOO_LATE: Reason.LATE_DECISION,
    CommandStatus.EXIT_FULL: Reason.CHUTE_FULL,
    CommandStatus.EXIT_DISABLED: Reason.CHUTE_DISABLED,
    CommandStatus.REVOKED: Reason.CANCELLED,
    CommandStatus.DROPPED: Reason.DIVERT_ABORTED,
}
"""Why a parcel whose divert was not taken ends at the end. APPLIED and DONE mean that it was."""
ABORT: dict[AbortCause, Reason] = {
    AbortCause.EPOCH: Reason.PLC_RESTART,
    AbortCause.STALE_HEARTBEAT: Reason.LINK_LOST,
    AbortCause.UNTRUSTED: Reason.POSITION_UNKNOWN,
    AbortCause.EXIT_DISABLED: Reason.CHUTE_DISABLED,
    AbortCause.EXIT_FULL: Reason.CHUTE_FULL,
    AbortCause.PREVIOUS_NOT_CLEAR: Reason.DIVERT_ABORTED,
    AbortCause.ENCODER_FAULT: Reason.ENCODER_FAULT,
    AbortCause.STOPPED: Reason.FLUSH_ESTOP,
    AbortCause.NOT_HOME: Reason.DIVERT_ABORTED,
}
_TAKEN = frozenset({CommandStatus.APPLIED, CommandStatus.DONE, CommandStatus.PASSED})


def reached(scope: Scope, track: Track, at_us: MonoUs, ticks: Ticks) -> None:
    """The decision position, or the deadline: wakes of the same parcel, extrapolated.

    A wake that came for an older account of the parcel's place is asked for again.
    """
    if track.state is not ParcelState.TRACKED:
        return
    if not track.due:
        due = track.origin + scope.layout.decision + weighing.stood(track, ticks)
        if ticks < due:
            scope.wake(WakePurpose.DECIDE, track, due, proved=False)
            return
        track.due = True
    reconsider(scope, track, at_us)


def deadline_reached(scope: Scope, track: Track, at_us: MonoUs, ticks: Ticks) -> None:
    """Decide with what is known; an input that is still missing is the reason."""
    if track.state is not ParcelState.TRACKED:
        return
    deadline = track.deadline + weighing.stood(track, ticks)
    if ticks < deadline:
        scope.wake(WakePurpose.DEADLINE, track, deadline, proved=False)
        return
    if not track.closed:
        identify.close(scope, track, at_us, by_deadline=True)
    from_mm = max(0, _at_most_mm(scope, track, at_us) - scope.layout.late_mm)
    made = verdicts.verdict(scope, track, from_mm)
    lacking = verdicts.lacking(scope, track)
    decide(scope, track, at_us, made or verdicts.turn_away(scope, track, lacking, from_mm))


def reconsider(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """An input may be the last one: decide, or wait for the deadline. Nothing before the parcel is due
    or after it was decided."""
    if not track.due or track.state is not ParcelState.TRACKED:
        return
    from_mm = _at_most_mm(scope, track, at_us)
    made = verdicts.verdict(scope, track, from_mm)
    if made is not None:
        decide(scope, track, at_us, made)
        return
    deadline = Ticks(track.origin + scope.layout.ticks(verdicts.deadline_mm(scope, track, from_mm)))
    if deadline != track.deadline:
        track.deadline = deadline
        scope.wake(WakePurpose.DEADLINE, track, deadline, proved=False)


def _belt_at_most(scope: Scope, track: Track, at_us: MonoUs) -> Ticks:
    """How far the belt can have carried it by now, in the account of its origin."""
    belt = scope.belt_at_most(at_us)
    return Ticks(belt - weighing.stood(track, belt))


def _at_most_mm(scope: Scope, track: Track, at_us: MonoUs) -> int:
    """How far the leading edge can be by now."""
    return max(0, scope.layout.mm(_belt_at_most(scope, track, at_us) - track.origin))


def decide(scope: Scope, track: Track, at_us: MonoUs, made: Verdict) -> None:
    """Put the verdict on record, once, and tell the PLC if it names a physical exit."""
    take(track, Step.VERDICT)
    track.reason, track.exit, track.chute, track.ships = made.reason, made.exit, made.chute, made.ships
    track.decided_from_us = at_us
    recirculation.decided(scope, track, made.chute)
    if made.reason is Reason.SCALE_CHECK_PARCEL:
        scale_check.compare(scope, track, at_us)
    order, plan = track.order, scope.state.plan
    scope.record(
        Decided(
            at_us=at_us,
            track=track.id,
            waybill=track.waybill,
            order_no=order.order_no if order else OrderNo(""),
            order_version=order.version if order else 0,
            customer_code=order.customer_code if order else "",
            shop=order.shop if order else "",
            carrier=order.carrier if order else "",
            reason=made.reason,
            chute=made.chute,
            exit=made.exit,
            rule=made.rule,
            plan=plan.id if plan else PlanId(""),
            plan_version=plan.version if plan else 0,
            weight_g=track.weight.grams if track.weight else Grams(0),
            expected_g=order.expected_weight_g if order else None,
            slack_mm=scope.layout.mm(
                track.origin + scope.layout.ticks(made.deadline_mm) - _belt_at_most(scope, track, at_us)
            ),
            decided_from_us=at_us,
        )
    )
    if made.exit != scope.layout.end_exit:
        track.standing = True
        command_divert(scope, track)


def command_divert(scope: Scope, track: Track) -> None:
    """Send the decision (again, after a restart)."""
    scope.out.append(SendDivert(track=track.id, epoch=track.epoch, number=track.number, exit=track.exit))


def answered(scope: Scope, track: Track, event: CommandAnswered) -> None:
    """The PLC's status for a divert or a revoke of this track."""
    if event.revoke:
        _revoke_answered(scope, track, event)
        return
    step = Step.APPLIED if event.status in _TAKEN else Step.REFUSED
    match take(track, step):
        case Action.TELL:
            scope.record(
                Told(
                    at_us=event.at_us,
                    track=track.id,
                    exit=event.exit,
                    seq=event.seq,
                    since_us=max(0, event.at_us - track.decided_from_us),
                    plc_wait_us=event.waited_us,
                )
            )
            if track.withdrawn is not Reason.OK:
                withdraw(scope, track, event.at_us, track.withdrawn, track.revoke_seq)
        case Action.REFUSE if track.standing:
            _refused(scope, track, event.at_us, event.status, event.seq)
        case _:
            pass


def _refused(scope: Scope, track: Track, at_us: MonoUs, status: CommandStatus, seq: CommandSeq) -> None:
    reason = _ended_for(track, REFUSAL.get(status, Reason.DIVERT_ABORTED))
    track.standing = False
    scope.record(Refused(at_us=at_us, track=track.id, exit=track.exit, seq=seq, status=status, reason=reason))
    _goes_to_the_end(scope, track, at_us, reason)


def _ended_for(track: Track, cause: Reason) -> Reason:
    """Where the PLC only says *untrusted*, tracking may know why; and *too late* has a cause too."""
    if cause is Reason.LATE_DECISION:
        return verdicts.too_late(track)
    return track.flaw if cause is Reason.POSITION_UNKNOWN and track.flaw is not Reason.OK else cause


def _goes_to_the_end(scope: Scope, track: Track, at_us: MonoUs, reason: Reason) -> None:
    """Nothing stands any more. A reject keeps the reason that it was decided for."""
    if track.reason is Reason.OK:
        track.reason = track.withdrawn if track.withdrawn is not Reason.OK else reason
    settle(scope, track, at_us, shipped=False, place="")


def _revoke_answered(scope: Scope, track: Track, event: CommandAnswered) -> None:
    if event.status in REVOKE_CAUGHT:
        step = Step.CAUGHT
    elif event.status in REVOKE_TOO_LATE:
        step = Step.ESCAPED
    else:
        step = Step.UNHEARD
    match take(track, step):
        case Action.CATCH:
            _record_revoked(scope, track, event, caught=True)
            track.standing = False
            _goes_to_the_end(scope, track, event.at_us, track.withdrawn)
        case Action.ESCAPE:
            _record_revoked(scope, track, event, caught=False)
            track.too_late = True
            settle(scope, track, event.at_us, shipped=True, place=track.chute)
        case Action.REVOKE_AGAIN if track.revokes < MAX_REVOKES:
            track.revokes += 1
            command_revoke(scope, track)
        case _:
            pass


def _record_revoked(scope: Scope, track: Track, event: CommandAnswered, *, caught: bool) -> None:
    scope.record(Revoked(at_us=event.at_us, track=track.id, status=event.status, caught=caught))


def fired(scope: Scope, track: Track, event: DivertFired) -> None:
    """The arm moves: from here on only its confirm eye can tell."""
    if take(track, Step.FIRED) is Action.FIRE:
        track.fired = event.exit
        watch_confirm(scope, track)


def watch_confirm(scope: Scope, track: Track) -> None:
    """Its confirm window, by its whole length: the eye may see it up to then."""
    confirm_to = scope.layout.confirm_to[track.fired - 1]
    due = track.origin + confirm_to + scope.layout.ticks(track.length_mm)
    scope.wake(WakePurpose.CONFIRM, track, due, proved=True)


def aborted(scope: Scope, track: Track, event: DivertAborted) -> None:
    """The command was dropped; the parcel goes straight on."""
    if take(track, Step.ABORTED) is not Action.ABORT or not track.standing:
        return
    track.standing = False
    scope.record(Aborted(at_us=event.at_us, track=track.id, exit=event.exit, cause=event.cause))
    _goes_to_the_end(scope, track, event.at_us, _ended_for(track, ABORT[event.cause]))


def spoiled(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """A code came that makes the parcel unfit to ship, perhaps after it was decided."""
    if track.ships:
        reason = track.flaw if track.flaw is not Reason.OK else track.fault
        withdraw(scope, track, at_us, reason, InboxSeq(0))
    reconsider(scope, track, at_us)


def sent_to_reject(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """A person wants it in the reject lane: the verdict, if there is none yet; what was told to ship is
    taken back, and goes to the end."""
    track.by_hand = True
    if track.ships:
        withdraw(scope, track, at_us, Reason.MANUAL, InboxSeq(0))
    reconsider(scope, track, at_us)


def order_changed(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """An order row about this track came: for an undecided one it may be the missing input, for one
    that is told to ship a hold, a cancel or a flag takes it back."""
    if track.ships and track.order is not None:
        if verdicts.is_cancelled(track):
            withdraw(
                scope, track, at_us, Reason.CANCELLED, InboxSeq(max(track.cancelled_seq, track.order_seq))
            )
        elif verdicts.is_held(track):
            withdraw(scope, track, at_us, Reason.HELD, track.order_seq)
        elif verdicts.lacks_review(scope, track):
            withdraw(scope, track, at_us, Reason.NOT_REVIEWED, track.order_seq)
        elif verdicts.flagged(track) is not Reason.OK:
            withdraw(scope, track, at_us, verdicts.flagged(track), track.order_seq)
        return
    reconsider(scope, track, at_us)


def review_reopened(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """Its order is to be reviewed anew: it ships no more, unless it is too late."""
    track.reviewed = False
    if track.ships and verdicts.lacks_review(scope, track):
        withdraw(scope, track, at_us, Reason.NOT_REVIEWED, InboxSeq(0))
    reconsider(scope, track, at_us)
