"""What may enter the inbox: called by the routers and, without HTTP, by the simulation.

Synchronous and without a clock; every call that returns ``Taken`` is durable. Calls belong to the
one thread that owns the writer. A ``Refused`` left no trace: it follows from the message and the
line's description alone, so the same message is refused again.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from api.settings import BATCH_MAX
from edge.model.alarm import AlarmKind
from edge.model.codes import WaybillPattern
from edge.model.coding import CodingCheck
from edge.model.ids import ChuteId, MessageId, OrderNo, PlanId, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import Goods, Order
from edge.model.route import SortPlan
from edge.model.topology import Chute, ChuteKind
from edge.model.units import UtcUs
from edge.store.errors import RowTooLarge
from edge.store.inbox_types import Actor, Message, OrderPut, OrderState, Outcome, Taken
from edge.store.inbox_writer import InboxWriter
from edge.store.rows import encode

__all__ = [
    "Actor",
    "Intake",
    "IntakeAnswer",
    "Message",
    "OrderPut",
    "OrderState",
    "Outcome",
    "Refusal",
    "Refused",
    "Taken",
    "message_about",
    "open_intake",
]


class Refusal(StrEnum):
    """Why a well-formed message cannot be taken by this line."""

    MULTI_PARCEL = "multi_parcel"
    BATCH_TOO_LARGE = "batch_too_large"
    TOO_LARGE = "too_large"
    """Well-formed, but more than one inbox row may hold."""
    DOUBLED = "doubled"
    """One thing is named twice in one message."""
    CHUTE_UNKNOWN = "chute_unknown"
    CHUTE_NOT_SHIPPING = "chute_not_shipping"
    SUBJECT_INVALID = "subject_invalid"
    CODES_DIFFER = "codes_differ"
    """A code was typed twice, and not alike."""
    CODE_UNCHECKED = "code_unchecked"
    """A code that was typed once has no carrier's shape, or no order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    refusal: Refusal
    detail: str


IntakeAnswer = Taken | Refused


def message_about(message_id: MessageId, at_utc_us: UtcUs, *asked: object, by: Actor) -> Message:
    """A message whose body hash covers ``asked``: the house's dataclasses, enumerations, str and int.

    Name what is wanted first: ``message_about(id, at, "cancel", order_no, by=erp)``. Who asks is on
    record, and no part of what was asked.
    """
    digest = hashlib.sha256()
    for part in asked:
        text = str(part) if isinstance(part, str | int) else encode(part)
        digest.update(f"{len(text)}:{text}".encode())
    return Message(message_id=message_id, body_sha256=digest.digest(), at_utc_us=at_utc_us, by=by)


def open_intake(inbox: Path, chutes: Iterable[Chute]) -> "Intake":
    """The intake of a simulation, on an inbox that need not survive a power cut. Raises as
    ``InboxWriter``."""
    return Intake(InboxWriter(inbox, durable=False), chutes)


class Intake:
    """The inbox as the outside may use it, for a line with ``chutes``."""

    def __init__(
        self, writer: InboxWriter, chutes: Iterable[Chute], patterns: Iterable[WaybillPattern] = ()
    ) -> None:
        """``patterns``: waybills of the carriers that the line serves."""
        self._writer = writer
        self._patterns = tuple(re.compile(one.regex) for one in patterns)
        self._kinds: dict[ChuteId, ChuteKind] = {chute.id: chute.kind for chute in chutes}

    def close(self) -> None:
        """Let go of the inbox. Idempotent."""
        self._writer.close()

    def put_order(self, message: Message, order: Order) -> IntakeAnswer:
        return self.put_orders((OrderPut(message=message, order=order),))[0]

    def put_orders(self, puts: Sequence[OrderPut]) -> tuple[IntakeAnswer, ...]:
        """One commit and one answer each, in order. More than ``BATCH_MAX``: all are refused."""
        if len(puts) > BATCH_MAX:
            refused = Refused(refusal=Refusal.BATCH_TOO_LARGE, detail=f"at most {BATCH_MAX}")
            return (refused,) * len(puts)
        refusals = [_unfit(put.order) for put in puts]
        fit = [put for put, refusal in zip(puts, refusals, strict=True) if refusal is None]
        taken = iter(self._writer.put_orders(fit) if fit else ())
        return tuple(next(taken) if refusal is None else refusal for refusal in refusals)

    def put_all_orders(self, puts: Sequence[OrderPut]) -> tuple[Taken, ...]:
        """All of them in one commit, or none: then at least one answer is neither STORED nor UNCHANGED.
        One parcel an order."""
        return self._writer.put_all_orders(puts)

    def cancel(self, message: Message, order_no: OrderNo) -> Taken:
        """On record; whether the order is still to be caught, the line alone answers."""
        return self._writer.cancel(message, order_no)

    def hold(self, message: Message, order_no: OrderNo) -> Taken:
        return self._writer.hold(message, order_no)

    def release(self, message: Message, order_no: OrderNo) -> Taken:
        return self._writer.release(message, order_no)

    def order(self, order_no: OrderNo) -> OrderState | None:
        """As it stands in the inbox; what became of its parcel is in the journal."""
        return self._writer.order(order_no)

    def put_goods(self, message: Message, goods: Sequence[Goods]) -> IntakeAnswer:
        """All of them, in one commit."""
        if len(goods) > BATCH_MAX:
            return Refused(refusal=Refusal.BATCH_TOO_LARGE, detail=f"at most {BATCH_MAX}")
        doubled = _first_doubled(item.sku for item in goods)
        if doubled is not None:
            return Refused(refusal=Refusal.DOUBLED, detail=f"sku {doubled}")
        try:
            return self._writer.put_goods(message, goods)
        except RowTooLarge as error:
            return Refused(refusal=Refusal.TOO_LARGE, detail=str(error))

    def put_plan(self, message: Message, plan: SortPlan) -> IntakeAnswer:
        """A plan names shipping chutes of this line only; it decides nothing until it is activated."""
        doubled = _first_doubled(rule.id for rule in plan.rules)
        if doubled is not None:
            return Refused(refusal=Refusal.DOUBLED, detail=f"rule {doubled}")
        for rule in plan.rules:
            for chute in rule.chutes:
                kind = self._kinds.get(chute)
                if kind is None:
                    return Refused(refusal=Refusal.CHUTE_UNKNOWN, detail=f"rule {rule.id}: {chute}")
                if kind is not ChuteKind.SHIPPING:
                    return Refused(refusal=Refusal.CHUTE_NOT_SHIPPING, detail=f"rule {rule.id}: {chute}")
        try:
            return self._writer.put_plan(message, plan)
        except RowTooLarge as error:
            return Refused(refusal=Refusal.TOO_LARGE, detail=str(error))

    def activate_plan(self, message: Message, plan_id: PlanId, version: int) -> Taken:
        return self._writer.activate_plan(message, plan_id, version)

    def operate(self, message: Message, action: OperatorAction, subject: str, by: str) -> IntakeAnswer:
        """``by`` is the id of the key or person that asked; it goes on record."""
        refused = self._subject_refused(action, subject)
        if refused is not None:
            return refused
        return self._writer.operator_command(message, action, subject, by)

    def key_code(self, message: Message, track: TrackId, code: Waybill, again: str, by: str) -> IntakeAnswer:
        """The code of a parcel that no reader could read: typed twice alike, or typed once (``again`` empty)
        where it fits a carrier that the line serves and an order has it. ``by``: who keyed it."""
        if again:
            if again != code:
                return Refused(refusal=Refusal.CODES_DIFFER, detail="type it twice again")
            return self._writer.key_code(message, track, code, CodingCheck.TWICE, by)
        if not any(pattern.fullmatch(code) for pattern in self._patterns):
            return Refused(refusal=Refusal.CODE_UNCHECKED, detail="it fits no carrier of this line")
        if not self._writer.knows(code):
            return Refused(refusal=Refusal.CODE_UNCHECKED, detail="no order has it")
        return self._writer.key_code(message, track, code, CodingCheck.PATTERN_AND_ORDER, by)

    def _subject_refused(self, action: OperatorAction, subject: str) -> Refused | None:
        match action:
            case OperatorAction.ENABLE_CHUTE | OperatorAction.DISABLE_CHUTE:
                if ChuteId(subject) in self._kinds:
                    return None
                return Refused(refusal=Refusal.CHUTE_UNKNOWN, detail=subject)
            case OperatorAction.ACKNOWLEDGE_ALARM:
                if subject.partition(":")[0] in _ALARMS:
                    return None
                return Refused(refusal=Refusal.SUBJECT_INVALID, detail="the alarm's kind, or kind:subject")
            case OperatorAction.REJECT_PARCEL:
                if _PARCEL.fullmatch(subject):
                    return None
                return Refused(refusal=Refusal.SUBJECT_INVALID, detail="the parcel's waybill, or track:N")
            case OperatorAction.REOPEN_REVIEW:
                if subject:
                    return None
                return Refused(refusal=Refusal.SUBJECT_INVALID, detail="an order's number")
            case (
                OperatorAction.HOLD_LINE
                | OperatorAction.RELEASE_LINE
                | OperatorAction.PURGE
                | OperatorAction.CONFIRM_CLOCK
            ):
                if not subject:
                    return None
                return Refused(refusal=Refusal.SUBJECT_INVALID, detail="this action has no subject")
            case _:
                assert_never(action)


_PARCEL = re.compile(r"track:[1-9][0-9]{0,17}|[^:]+")
_ALARMS = frozenset(kind.value for kind in AlarmKind)


def _unfit(order: Order) -> Refused | None:
    if len(order.parcels) != 1:
        return Refused(refusal=Refusal.MULTI_PARCEL, detail=f"{len(order.parcels)} parcels")
    return None


def _first_doubled(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
