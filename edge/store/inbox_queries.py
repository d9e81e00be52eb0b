"""What inbox.db says, on any open connection of it: the writer's own or a reader's."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from edge.model.ids import InboxSeq, MessageId, OrderNo, PlanId, Sku, Waybill
from edge.model.order import BeltOrder, Goods, Order, OrderFlag, OrderLine, OrderStatus, Region
from edge.model.route import SortPlan
from edge.model.units import Grams, UtcUs
from edge.store.errors import RowMalformed
from edge.store.inbox_types import Actor, ApiKey, Change, KeyAct, KeyChange, OrderState
from edge.store.rows import decode

MAX_BUNDLE_DEPTH = 8
"""Bundles of bundles: deeper, or in a circle, has no weight."""
CONTENTS_DIGITS = 16
"""Of one order at most a few versions are told apart."""

_LAST_SEQ = "SELECT coalesce(max(inbox_seq), 0) FROM inbox"
_GOODS_WEIGHT = (
    "SELECT CASE WHEN min(coalesce(g.unit_weight_g, 0)) > 0"
    " THEN sum(g.unit_weight_g * json_extract(line.value, '$[1]')) END"
    " FROM json_each(p.lines) line LEFT JOIN goods g ON g.sku = json_extract(line.value, '$[0]')"
)
"""NULL where one of them is a bundle, or has no weight on record."""
_COLUMNS = (
    "o.order_no, o.version, o.status, o.customer_code, o.shop, o.carrier, o.province, o.city,"
    " o.district, p.waybill, p.routing_code, p.bag_place,"
    " CASE WHEN p.removed THEN p.expected_weight_g"
    f" ELSE coalesce(p.expected_weight_g, p.tare_g + ({_GOODS_WEIGHT})) END,"
    " p.tolerance_g, p.tare_g, p.lines, p.removed, json_extract(o.body, '$.flags')"
)
_WEIGHT_COLUMN = 12
_BELT_ORDER = (
    f"SELECT {_COLUMNS} FROM order_parcel p"  # noqa: S608 - our own
    " JOIN orders o ON o.order_no = p.order_no "
)
LOOK_UP = (
    f"SELECT {_COLUMNS}, ({_LAST_SEQ}) FROM (SELECT 1)"  # noqa: S608 - our own
    " LEFT JOIN order_parcel p ON p.waybill=? AND NOT p.removed LEFT JOIN orders o ON o.order_no = p.order_no"
)
"""One row, for ``looked_up``."""


def last_seq(connection: sqlite3.Connection) -> InboxSeq:
    return InboxSeq(connection.execute(_LAST_SEQ).fetchone()[0])


def looked_up(row: tuple[Any, ...]) -> tuple[InboxSeq, BeltOrder | None] | None:
    """The last row of the inbox and a waybill's order as ``belt_order`` gives it, of what ``LOOK_UP`` found.
    None: bundles must be looked into, or a weight is missing."""
    *order, seq = row
    if order[0] is None:
        return InboxSeq(seq), None
    weight = order[_WEIGHT_COLUMN]
    return None if weight is None else (InboxSeq(seq), _belt_order_of(order, weight))


def belt_order(connection: sqlite3.Connection, waybill: Waybill) -> BeltOrder | None:
    """The order of a waybill as it stands; None when unknown or no longer a parcel of its order."""
    row = connection.execute(_BELT_ORDER + "WHERE p.waybill=? AND NOT p.removed", (waybill,)).fetchone()
    return None if row is None else _belt_order(connection, row)


def belt_orders(connection: sqlite3.Connection, order_no: OrderNo) -> tuple[BeltOrder, ...]:
    """Every parcel of an order. One that a later version took away is told as CANCELLED: a parcel
    on the belt under its label must not ship."""
    rows = connection.execute(
        _BELT_ORDER + "WHERE p.order_no=? ORDER BY p.removed, p.position, p.waybill", (order_no,)
    ).fetchall()
    return tuple(_belt_order(connection, row) for row in rows)


def orders_of(connection: sqlite3.Connection, waybills: Iterable[Waybill]) -> frozenset[OrderNo]:
    """The orders that these waybills are of, or were."""
    found = connection.execute(
        "SELECT DISTINCT order_no FROM order_parcel WHERE waybill IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(waybills)),),
    )
    return frozenset(OrderNo(order_no) for (order_no,) in found)


def _belt_order(connection: sqlite3.Connection, row: Sequence[Any]) -> BeltOrder:
    weight, _, tare_g, lines, removed = row[_WEIGHT_COLUMN : _WEIGHT_COLUMN + 5]
    if weight is None and not removed:
        weight = _weight(connection, tare_g, lines)
    return _belt_order_of(row, weight)


def _belt_order_of(row: Sequence[Any], weight_g: Grams | None) -> BeltOrder:
    (order_no, version, status, customer, shop, carrier, province, city, district, waybill) = row[:10]
    (routing_code, bag_place, _, tolerance_g, _, lines, removed, flags) = row[10:]
    return BeltOrder(
        order_no=order_no,
        version=version,
        status=OrderStatus.CANCELLED if removed else OrderStatus(status),
        customer_code=customer,
        shop=shop,
        carrier=carrier,
        region=Region(province=province, city=city, district=district),
        waybill=waybill,
        routing_code=routing_code,
        bag_place=bag_place,
        expected_weight_g=weight_g,
        tolerance_g=tolerance_g,
        flags=_flags(flags),
        contents=contents_of(lines),
    )


def contents_of(lines: str) -> str:
    """Digest of a parcel's lines as they are stored."""
    return hashlib.sha256(lines.encode()).hexdigest()[:CONTENTS_DIGITS]


def _flags(text: str) -> tuple[OrderFlag, ...]:
    """Those that mean something to the line, of the order's JSON list."""
    if text == "[]":
        return ()
    given = strings(json.loads(text))
    return tuple(flag for flag in OrderFlag if flag in given)


def _weight(connection: sqlite3.Connection, tare_g: int, lines: str) -> Grams | None:
    """Tare and goods; None when a goods weight is missing or its bundle has no end."""
    wanted: dict[str, int] = {}
    for sku, qty in json.loads(lines):
        wanted[sku] = wanted.get(sku, 0) + qty
    total = tare_g
    for _ in range(MAX_BUNDLE_DEPTH):
        if not wanted:
            return Grams(total)
        found = connection.execute(
            "SELECT sku, unit_weight_g, parts FROM goods WHERE sku IN (SELECT value FROM json_each(?))",
            (json.dumps(list(wanted)),),
        ).fetchall()
        if len(found) < len(wanted):
            return None
        inner: dict[str, int] = {}
        for sku, unit_weight_g, parts in found:
            if unit_weight_g:
                total += unit_weight_g * wanted[sku]
                continue
            pieces = json.loads(parts)
            if not pieces:
                return None
            for part, qty in pieces:
                inner[part] = inner.get(part, 0) + qty * wanted[sku]
        wanted = inner
    return Grams(total) if not wanted else None


def order_state(connection: sqlite3.Connection, order_no: OrderNo) -> OrderState | None:
    row = connection.execute(
        "SELECT body, status, inbox_seq FROM orders WHERE order_no=?", (order_no,)
    ).fetchone()
    if row is None:
        return None
    removed = connection.execute(
        "SELECT waybill FROM order_parcel WHERE order_no=? AND removed ORDER BY waybill", (order_no,)
    ).fetchall()
    return OrderState(
        order=decode(Order, row[0]),
        status=OrderStatus(row[1]),
        inbox_seq=InboxSeq(row[2]),
        removed=tuple(Waybill(waybill) for (waybill,) in removed),
    )


def goods_of(connection: sqlite3.Connection, sku: Sku) -> Goods | None:
    row = connection.execute("SELECT unit_weight_g, parts FROM goods WHERE sku=?", (sku,)).fetchone()
    if row is None:
        return None
    codes = connection.execute("SELECT barcode FROM goods_barcode WHERE sku=? ORDER BY barcode", (sku,))
    return Goods(
        sku=sku,
        barcodes=tuple(code for (code,) in codes),
        unit_weight_g=Grams(row[0]),
        parts=tuple(OrderLine(sku=Sku(part), qty=qty) for part, qty in json.loads(row[1])),
    )


def goods_with(connection: sqlite3.Connection, code: str) -> tuple[Sku, ...]:
    """All goods that have this barcode."""
    rows = connection.execute("SELECT sku FROM goods_barcode WHERE barcode=? ORDER BY sku", (code,))
    return tuple(Sku(sku) for (sku,) in rows)


def plan_of(connection: sqlite3.Connection, plan_id: PlanId, version: int) -> SortPlan | None:
    """One version of a plan; ``version`` 0 is the newest."""
    row = connection.execute(
        "SELECT body FROM plan WHERE plan_id=? AND (version=? OR ?=0) ORDER BY version DESC LIMIT 1",
        (plan_id, version, version),
    ).fetchone()
    return None if row is None else decode(SortPlan, row[0])


def active_plan(connection: sqlite3.Connection) -> SortPlan | None:
    """The plan activated last, whether the line has taken it yet or not."""
    row = connection.execute("SELECT body FROM plan WHERE active").fetchone()
    return None if row is None else decode(SortPlan, row[0])


def api_keys(connection: sqlite3.Connection) -> tuple[ApiKey, ...]:
    rows = connection.execute(
        "SELECT name, role, key_sha256, added_utc_us FROM api_key ORDER BY name, added_utc_us, key_sha256"
    )
    return tuple(
        ApiKey(name=name, role=role, key_sha256=bytes(key), added_utc_us=UtcUs(added))
        for name, role, key, added in rows
    )


def changes_after(connection: sqlite3.Connection, seq: int, limit: int) -> tuple[Change, ...]:
    """Inbox rows above ``seq`` as audit records, in order."""
    rows = connection.execute(
        "SELECT inbox_seq, at_utc_us, kind, message_id, asked_by, asked_role FROM inbox WHERE inbox_seq>?"
        " ORDER BY inbox_seq LIMIT ?",
        (seq, limit),
    )
    return tuple(
        Change(
            seq=InboxSeq(number),
            at_utc_us=UtcUs(at),
            kind=kind,
            message_id=MessageId(message_id),
            by=Actor(id=by, role=role),
        )
        for number, at, kind, message_id, by, role in rows
    )


def key_changes(connection: sqlite3.Connection) -> tuple[KeyChange, ...]:
    """All of them, oldest first."""
    rows = connection.execute(
        "SELECT at_utc_us, what, name, role, fingerprint, asked_by, asked_role FROM key_change ORDER BY no"
    )
    return tuple(
        KeyChange(
            at_utc_us=UtcUs(at),
            what=KeyAct(what),
            name=name,
            role=role,
            fingerprint=fingerprint,
            by=Actor(id=by, role=by_role),
        )
        for at, what, name, role, fingerprint, by, by_role in rows
    )


def strings(obj: object) -> Sequence[str]:
    """A JSON list of strings. Raises ``RowMalformed``."""
    if not isinstance(obj, list) or not all(isinstance(item, str) for item in obj):
        raise RowMalformed(f"a list of strings expected, found {obj!r}")
    return obj
