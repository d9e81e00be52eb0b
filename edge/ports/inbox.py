"""What the line reads of the inbox and of its own record: short, read-only, off the loop."""

from dataclasses import dataclass
from typing import Protocol

from edge.model.coding import CodingCheck
from edge.model.ids import InboxSeq, OrderNo, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import BeltOrder, BenchOrder, CancelRequest, ShippedBefore
from edge.model.quick import quick
from edge.model.review import ReviewRefusal
from edge.model.route import SortPlan
from edge.model.units import UtcUs


class InboxFailed(Exception):
    """The inbox or the record could not be read just now (locked, disk, unknown schema)."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """A put, hold or release: the latest state of the order as of this row, one per parcel; none, if it is
    no order that the reader wanted to hear of."""

    seq: InboxSeq
    orders: tuple[BeltOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRow:
    seq: InboxSeq
    request: CancelRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    seq: InboxSeq
    plan: SortPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    seq: InboxSeq
    action: OperatorAction
    subject: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A person keyed the code of a parcel."""

    seq: InboxSeq
    track: TrackId
    text: str
    check: CodingCheck
    by: str
    keyed_utc_us: UtcUs


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRow:
    """A row that never concerns the core (goods, plan put)."""

    seq: InboxSeq


InboxRow = OrderRow | CancelRow | PlanRow | OperatorRow | CodeRow | OtherRow


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswer:
    """``order`` is None when the waybill is unknown. ``reviewed``: with these contents."""

    inbox_seq: InboxSeq
    order: BeltOrder | None
    reviewed: bool
    shipped_before: ShippedBefore | None
    laps: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SlipAnswer:
    """``order`` is the one order of a slip, or why there is none to be reviewed. ``released``: it is
    through its review, with these contents; ``shipped``: a parcel of it counts as shipped."""

    inbox_seq: InboxSeq
    order: BenchOrder | ReviewRefusal
    released: bool
    shipped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswer:
    known: bool
    shipped_before: ShippedBefore | None


class Inbox(Protocol):
    """Every call may raise ``InboxFailed``. A missing inbox.db means "no orders" and is never
    created here."""

    async def rows_after(
        self, seq: InboxSeq, limit: int, wanted: frozenset[Waybill] | None = None
    ) -> tuple[InboxRow, ...]:
        """In order. ``wanted``: of other orders than those of these waybills only the row is told."""
        ...

    async def look_up(self, waybill: Waybill) -> LookUpAnswer: ...

    async def look_up_slip(self, slip: str) -> SlipAnswer: ...

    async def place_of(self, order_no: OrderNo, waybills: tuple[Waybill, ...]) -> PlaceAnswer: ...
