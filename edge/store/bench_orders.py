"""The order behind a pick slip as a review bench needs it: its goods with all their barcodes, bundles
expanded down to goods that are none."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from edge.model.ids import OrderNo, Sku, Waybill
from edge.model.order import BenchGoods, BenchOrder, OrderLine, OrderStatus
from edge.model.review import ReviewRefusal
from edge.store.inbox_queries import MAX_BUNDLE_DEPTH, contents_of

Parts = dict[str, list[tuple[str, int]]]
"""Goods that are bundles, with what one of each contains; also bundles."""
Barcodes = dict[str, tuple[str, ...]]
_SELECT = (
    "SELECT o.order_no, o.version, o.status, p.waybill, p.lines FROM orders o"
    " JOIN order_parcel p ON p.order_no = o.order_no AND NOT p.removed "
)
_SELECT_GOODS = (
    "SELECT named.key, nullif(goods.parts, '[]'), goods_barcode.barcode FROM json_each(?) named"
    " LEFT JOIN goods ON goods.sku = named.value LEFT JOIN goods_barcode ON goods_barcode.sku = named.value"
)
"""Of a list of skus, a row for each barcode of each: the sku's place in it, a bundle's parts, the barcode."""


class _Endless(Exception):
    """A bundle contains itself, or is nested too deep."""


def bench_order_of(connection: sqlite3.Connection, slip: str) -> BenchOrder | ReviewRefusal:
    """By the slip's number, else by the order's own. A cancelled order has its slip only while no other
    order has."""
    rows = connection.execute(_SELECT + "WHERE o.pick_slip_no=? AND o.pick_slip_no != ''", (slip,)).fetchall()
    rows = rows or connection.execute(_SELECT + "WHERE o.order_no=?", (slip,)).fetchall()
    rows = [row for row in rows if row[2] != OrderStatus.CANCELLED] or rows[:1]
    if not rows:
        return ReviewRefusal.UNKNOWN_SLIP
    if len(rows) > 1:
        return ReviewRefusal.AMBIGUOUS_SLIP
    order_no, version, status, waybill, lines = rows[0]
    try:
        goods = _goods(connection, json.loads(lines))
    except _Endless:
        return ReviewRefusal.ENDLESS_BUNDLE
    return BenchOrder(
        order_no=OrderNo(order_no),
        version=version,
        status=OrderStatus(status),
        waybill=Waybill(waybill),
        contents=contents_of(lines),
        goods=goods,
    )


def _goods(connection: sqlite3.Connection, lines: list[tuple[str, int]]) -> tuple[BenchGoods, ...]:
    """Goods to be counted in the order of the lines, then the bundles. Raises ``_Endless``."""
    parts, barcodes = _named(connection, [sku for sku, _ in lines])
    leaves = {sku: _leaves(sku, parts, MAX_BUNDLE_DEPTH) for sku in parts}
    wanted: dict[str, int] = defaultdict(int)
    for sku, qty in lines:
        if sku in leaves:
            for leaf, pieces in leaves[sku].items():
                wanted[leaf] += pieces * qty
        else:
            wanted[sku] += qty
    singles = [BenchGoods(sku=Sku(sku), qty=qty, barcodes=barcodes[sku]) for sku, qty in wanted.items()]
    bundles = [
        BenchGoods(
            sku=Sku(sku),
            qty=0,
            barcodes=barcodes[sku],
            parts=tuple(OrderLine(sku=Sku(leaf), qty=pieces) for leaf, pieces in leaves[sku].items()),
        )
        for sku in parts
    ]
    return (*singles, *bundles)


def _named(connection: sqlite3.Connection, skus: Iterable[str]) -> tuple[Parts, Barcodes]:
    """Every bundle among ``skus`` and their parts, and the barcodes of them all. Raises ``_Endless``."""
    parts: Parts = {}
    barcodes: Barcodes = {}
    level, depth = list(dict.fromkeys(skus)), 0
    while level:
        if depth > MAX_BUNDLE_DEPTH:
            raise _Endless
        bundles: dict[str, str] = {}
        found: list[tuple[str, ...]] = [()] * len(level)
        for place, contained, barcode in connection.execute(_SELECT_GOODS, (json.dumps(level),)):
            if barcode is not None:
                found[place] += (barcode,)
            if contained is not None:
                bundles[level[place]] = contained
        for sku, codes in zip(level, found, strict=True):
            barcodes[sku] = codes if len(codes) < 2 else tuple(sorted(codes))
        for sku in sorted(bundles):
            parts[sku] = [(part, qty) for part, qty in json.loads(bundles[sku])]
        inner = (part for sku in sorted(bundles) for part, _ in parts[sku])
        level, depth = list(dict.fromkeys(inner)), depth + 1
    return parts, barcodes


def _leaves(sku: str, parts: Parts, depth: int) -> dict[str, int]:
    if depth < 0:
        raise _Endless
    if sku not in parts:
        return {sku: 1}
    found: dict[str, int] = defaultdict(int)
    for part, qty in parts[sku]:
        for leaf, pieces in _leaves(part, parts, depth - 1).items():
            found[leaf] += pieces * qty
    return dict(found)
