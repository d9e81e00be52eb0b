"""What people and this process order about the line: plans, chutes, holds, purges, the clock, alarms."""

from typing import assert_never

from edge.core import chutes, diverting, packml, review, tracking, wall_clock
from edge.core.alarms import acknowledge, set_alarm
from edge.core.routing import Routes
from edge.core.scope import Scope
from edge.model.alarm import AlarmKind
from edge.model.events import HoldCause, OperatorCommanded, PlanActivated, WarningCause
from edge.model.ids import OrderNo
from edge.model.line import OperatorAction
from edge.model.records import PlanTaken
from edge.model.units import MonoUs
from edge.model.verdict import Reason

SOMEBODY = "an operator"
"""Of whom no name came with the command."""
HOLD_ALARM: dict[HoldCause, AlarmKind] = {
    HoldCause.STORE_SLOW: AlarmKind.STORE_SLOW,
    HoldCause.DISK_LOW: AlarmKind.DISK_LOW,
}
WARNING_ALARM: dict[WarningCause, AlarmKind] = {WarningCause.DISK_SHORT: AlarmKind.DISK_SHORT}


def plan_activated(scope: Scope, event: PlanActivated) -> None:
    """From here on this plan decides, for every track that is not decided yet."""
    state = scope.state
    if event.inbox_seq <= state.plan_seq:
        return
    state.plan, state.plan_seq = event.plan, event.inbox_seq
    scope.routes = Routes(event.plan)
    scope.record(
        PlanTaken(
            at_us=event.at_us, inbox_seq=event.inbox_seq, plan=event.plan.id, version=event.plan.version
        )
    )


def commanded(scope: Scope, event: OperatorCommanded) -> None:
    """A person's order; what this line does not have changes nothing."""
    match event.action:
        case OperatorAction.ENABLE_CHUTE:
            chutes.switch(scope, event.at_us, event.subject, enabled=True)
        case OperatorAction.DISABLE_CHUTE:
            chutes.switch(scope, event.at_us, event.subject, enabled=False)
        case OperatorAction.HOLD_LINE:
            scope.state.held_by = event.by or SOMEBODY
        case OperatorAction.RELEASE_LINE:
            scope.state.held_by = ""
        case OperatorAction.PURGE:
            tracking.mark_all(scope, Reason.PURGED)
            packml.want_purge(scope)
        case OperatorAction.CONFIRM_CLOCK:
            wall_clock.confirm(scope, event.at_us)
        case OperatorAction.ACKNOWLEDGE_ALARM:
            acknowledge(scope, event.at_us, event.subject, event.by or SOMEBODY)
        case OperatorAction.REJECT_PARCEL:
            for track in scope.named(event.subject):
                diverting.sent_to_reject(scope, track, event.at_us)
        case OperatorAction.REOPEN_REVIEW:
            _reopen_review(scope, event)
        case _:
            assert_never(event.action)


def _reopen_review(scope: Scope, event: OperatorCommanded) -> None:
    """Wherever its parcel is by now, it ships no more without a new review."""
    order_no = OrderNo(event.subject)
    review.reopened(scope, event.at_us, event.inbox_seq, order_no, event.by)
    for track in tuple(scope.state.tracks.values()):
        if track.order is not None and track.order.order_no == order_no:
            diverting.review_reopened(scope, track, event.at_us)


def hold(scope: Scope, at_us: MonoUs, cause: HoldCause, *, on: bool) -> None:
    """A cause inside this process begins or ends to stop induction."""
    holds = scope.state.holds
    if on and cause not in holds:
        holds.append(cause)
    elif not on and cause in holds:
        holds.remove(cause)
    set_alarm(scope, at_us, HOLD_ALARM[cause], on=on)


def warn(scope: Scope, at_us: MonoUs, cause: WarningCause, *, on: bool) -> None:
    """A cause inside this process begins or ends to want a person; nothing stops."""
    set_alarm(scope, at_us, WARNING_ALARM[cause], on=on)
