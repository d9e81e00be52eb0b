"""The inbox as the line reads it: rows in order, and the order behind a waybill. Read-only."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

from edge.model.coding import CodingCheck
from edge.model.ids import InboxSeq, MessageId, OrderNo, PlanId, Sku, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import BeltOrder, CancelRequest, Goods, ShippedBefore
from edge.model.review import ReviewRefusal
from edge.model.route import SortPlan
from edge.model.units import UtcUs
from edge.ports.inbox import (
    CancelRow,
    CodeRow,
    InboxRow,
    LookUpAnswer,
    OperatorRow,
    OrderRow,
    OtherRow,
    PlaceAnswer,
    PlanRow,
    SlipAnswer,
)
from edge.store import inbox_queries as queries
from edge.store.bench_orders import bench_order_of
from edge.store.errors import RowMalformed, StoreUnreadable
from edge.store.inbox_types import ApiKey, Change, KeyChange, OrderState, RowKind
from edge.store.read_file import ReadFile

T = TypeVar("T")
ShippedLookUp = Callable[[tuple[Waybill, ...]], ShippedBefore | None]
RecordLookUp = Callable[[Waybill, OrderNo], tuple[ShippedBefore | None, str | None]]
"""The earlier parcel of a waybill, and the contents with which an order has passed its review."""
MAX_ROWS = 1_000
"""Rows read at once, whatever the caller asks."""
_OF_ORDERS: Final = (RowKind.PUT_ORDER, RowKind.HOLD, RowKind.RELEASE)
_NO_ORDER = OrderNo("")
_ANY_AFTER = "SELECT 1 FROM inbox WHERE inbox_seq>? LIMIT 1"
_ROWS_AFTER = (
    "SELECT inbox_seq, kind, message_id,"  # noqa: S608 - the kinds are our own
    f" CASE WHEN kind NOT IN ({', '.join(repr(kind.value) for kind in _OF_ORDERS)}) THEN body"
    " WHEN json_valid(body) THEN json_extract(body, '$.order_no') END"
    " FROM inbox WHERE inbox_seq>? ORDER BY inbox_seq LIMIT ?"
)
"""Of an order its number only (NULL: there is none): the whole body, parsed here, would be most of what such
a row costs."""


class InboxReader:
    """Synchronous, one thread. A missing inbox.db means "no orders". Every call may raise
    ``StoreUnreadable`` (an ``OSError``), of which ``SchemaMismatch`` is one."""

    def __init__(self, path: Path) -> None:
        self._file = ReadFile(path, "inbox")

    def close(self) -> None:
        self._file.close()

    def rows_after(
        self, seq: InboxSeq, limit: int, wanted: frozenset[Waybill] | None = None
    ) -> tuple[InboxRow, ...]:
        """At most ``limit`` rows above ``seq``, in order. An order row carries the order as it
        stands when read: its own state or a later one's, whose row is then still to come; with
        ``wanted``, nothing of an order that none of these waybills is of."""
        if not self._file.find(_ANY_AFTER, (seq,)):  # nine times of ten nothing has come
            return ()
        with self._file.reading() as connection:
            if connection is None:
                return ()
            found = connection.execute(_ROWS_AFTER, (seq, min(limit, MAX_ROWS))).fetchall()
            orders = None if wanted is None else queries.orders_of(connection, wanted)
            rows: list[InboxRow] = []
            for number, kind, message_id, said in found:
                try:
                    rows.append(_row(connection, InboxSeq(number), kind, message_id, said, orders))
                except (ValueError, KeyError, TypeError) as error:
                    raise StoreUnreadable(f"{self._file.path}: row {number}: {error}") from error
            return tuple(rows)

    def look_up(self, waybill: Waybill, on_record: RecordLookUp) -> LookUpAnswer:
        """``on_record`` asks the journal."""
        seq, order = self._order_for(waybill)
        shipped, released = on_record(waybill, _NO_ORDER if order is None else order.order_no)
        return LookUpAnswer(
            inbox_seq=seq,
            order=order,
            reviewed=order is not None and released == order.contents,
            shipped_before=shipped,
        )

    def _order_for(self, waybill: Waybill) -> tuple[InboxSeq, BeltOrder | None]:
        """With the last row of the same state."""
        found = self._file.find(queries.LOOK_UP, (waybill,))
        if not found:
            return InboxSeq(0), None
        if (answer := queries.looked_up(found[0])) is not None:
            return answer
        with self._file.reading() as connection:
            if connection is None:
                return InboxSeq(0), None
            return queries.last_seq(connection), queries.belt_order(connection, waybill)

    def belt_order(self, waybill: Waybill) -> BeltOrder | None:
        """The order that stands for a waybill."""
        return self._ask(lambda it: queries.belt_order(it, waybill))

    def look_up_slip(self, slip: str, on_record: RecordLookUp) -> SlipAnswer:
        """The order to be reviewed by a slip's number, or by its own. As ``look_up``."""
        with self._file.reading() as connection:
            seq = InboxSeq(0) if connection is None else queries.last_seq(connection)
            order = ReviewRefusal.UNKNOWN_SLIP if connection is None else bench_order_of(connection, slip)
        if isinstance(order, ReviewRefusal):
            return SlipAnswer(inbox_seq=seq, order=order, released=False, shipped=False)
        shipped, released = on_record(order.waybill, order.order_no)
        return SlipAnswer(
            inbox_seq=seq,
            order=order,
            released=released == order.contents,
            shipped=shipped is not None,
        )

    def goods_with(self, code: str) -> tuple[Sku, ...]:
        """All goods that have this barcode."""
        return self._ask(lambda connection: queries.goods_with(connection, code)) or ()

    def place_of(
        self, order_no: OrderNo, waybills: tuple[Waybill, ...], shipped_before: ShippedLookUp
    ) -> PlaceAnswer:
        """``known``: an order of that number exists."""
        known = self._ask(lambda connection: queries.order_state(connection, order_no)) is not None
        return PlaceAnswer(known=known, shipped_before=shipped_before(waybills))

    def cancel_of(self, message_id: MessageId) -> CancelRow | None:
        """The cancel that came under this message id; None: none has."""
        found = self._ask(
            lambda connection: connection.execute(
                "SELECT i.inbox_seq, i.body FROM message m JOIN inbox i ON i.inbox_seq = m.inbox_seq"
                " WHERE m.message_id=? AND m.kind=?",
                (message_id, RowKind.CANCEL.value),
            ).fetchone()
        )
        return None if found is None else _cancel(InboxSeq(found[0]), message_id, json.loads(found[1]))

    def order(self, order_no: OrderNo) -> OrderState | None:
        return self._ask(lambda connection: queries.order_state(connection, order_no))

    def goods(self, sku: Sku) -> Goods | None:
        return self._ask(lambda connection: queries.goods_of(connection, sku))

    def plan(self, plan_id: PlanId, version: int) -> SortPlan | None:
        """``version`` 0: the newest."""
        return self._ask(lambda connection: queries.plan_of(connection, plan_id, version))

    def active_plan(self) -> SortPlan | None:
        return self._ask(queries.active_plan)

    def api_keys(self) -> tuple[ApiKey, ...]:
        return self._ask(queries.api_keys) or ()

    def key_changes(self) -> tuple[KeyChange, ...]:
        """Keys added and withdrawn, oldest first."""
        return self._ask(queries.key_changes) or ()

    def changes_after(self, seq: InboxSeq, limit: int) -> tuple[Change, ...]:
        """Who asked for the rows above ``seq``, in order."""
        return self._ask(lambda connection: queries.changes_after(connection, seq, limit)) or ()

    def _ask(self, question: Callable[[Any], T]) -> T | None:
        with self._file.reading() as connection:
            try:
                return None if connection is None else question(connection)
            except ValueError as error:
                raise StoreUnreadable(f"{self._file.path}: {error}") from error


def _row(
    connection: Any,
    seq: InboxSeq,
    kind: str,
    message_id: str,
    said: str | None,
    orders: frozenset[OrderNo] | None,
) -> InboxRow:
    """``said``: the number of the order that the row is about, else its body. ``orders``: those that are
    wanted, None for all."""
    row_kind = RowKind(kind)
    if said is None:
        raise RowMalformed("it names no order")
    if row_kind in _OF_ORDERS:
        unwanted = orders is not None and said not in orders
        return OrderRow(seq=seq, orders=() if unwanted else queries.belt_orders(connection, OrderNo(said)))
    if row_kind in (RowKind.PUT_GOODS, RowKind.PUT_PLAN):
        return OtherRow(seq=seq)
    body = json.loads(said)
    match row_kind:
        case RowKind.CANCEL:
            return _cancel(seq, MessageId(message_id), body)
        case RowKind.ACTIVATE_PLAN:
            plan = queries.plan_of(connection, PlanId(body["plan"]), body["version"])
            if plan is None:
                raise RowMalformed(f"plan {body['plan']} version {body['version']} is not there")
            return PlanRow(seq=seq, plan=plan)
        case RowKind.OPERATOR:
            return OperatorRow(
                seq=seq,
                action=OperatorAction(body["action"]),
                subject=str(body["subject"]),
                by=str(body["by"]),
            )
        case RowKind.CODE:
            return CodeRow(
                seq=seq,
                track=TrackId(int(body["track"])),
                text=str(body["code"]),
                check=CodingCheck(body["check"]),
                by=str(body["by"]),
                keyed_utc_us=UtcUs(int(body["keyed_utc_us"])),
            )
        case _:
            assert_never(row_kind)


def _cancel(seq: InboxSeq, message_id: MessageId, body: dict[str, Any]) -> CancelRow:
    return CancelRow(
        seq=seq,
        request=CancelRequest(
            order_no=OrderNo(body["order_no"]),
            message_id=message_id,
            waybills=tuple(Waybill(waybill) for waybill in queries.strings(body["waybills"])),
        ),
    )
