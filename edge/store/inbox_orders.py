"""Taking orders in: many in one commit, each judged against what stands after the one before."""

import sqlite3
from collections.abc import Sequence

from edge.model.ids import InboxSeq, OrderNo
from edge.model.order import Order, OrderStatus
from edge.store.inbox_rows import (
    INSERT_ANSWER,
    INSERT_ROW,
    Known,
    answer_of,
    canonical,
    known_messages,
    repeat,
    row_of,
    taken,
)
from edge.store.inbox_types import OrderPut, Outcome, RowKind, Taken

Stored = tuple[int, str, str]
"""Version, status and body of an order."""
Owner = tuple[str, bool]
"""Order of a waybill, and whether a later version gave it up."""
INSERT_ORDER = "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_PARCEL = "INSERT OR REPLACE INTO order_parcel VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)"


class OrderIntake:
    """One call of ``put_orders``, inside its transaction. ``seq``: the last row written."""

    def __init__(self, db: sqlite3.Connection, seq: InboxSeq, puts: Sequence[OrderPut]) -> None:
        self.seq = seq
        self._db = db
        self._puts = puts
        self._waiting: dict[str, list[tuple[object, ...]]] = {
            INSERT_ROW: [],
            INSERT_ORDER: [],
            INSERT_PARCEL: [],
            INSERT_ANSWER: [],
        }
        """Rows to be written, a statement at a time: what is judged is judged in memory."""
        self._known: dict[str, Known] = known_messages(db, [put.message for put in puts])
        waybills = [parcel.waybill_no for put in puts for parcel in put.order.parcels]
        self._owners: dict[str, Owner] = {
            waybill: (order_no, bool(removed))
            for waybill, order_no, removed in db.execute(
                "SELECT waybill, order_no, removed FROM order_parcel"
                " WHERE waybill IN (SELECT value FROM json_each(?))",
                (canonical(waybills),),
            )
        }
        numbers = {put.order.order_no for put in puts} | {owner for owner, _ in self._owners.values()}
        self._orders: dict[str, Stored] = {
            order_no: (version, status, body)
            for order_no, version, status, body in db.execute(
                "SELECT order_no, version, status, body FROM orders"
                " WHERE order_no IN (SELECT value FROM json_each(?))",
                (canonical(sorted(numbers)),),
            )
        }

    def take(self, bodies: Sequence[str]) -> tuple[Taken, ...]:
        """``bodies``: each order's canonical JSON."""
        answers = tuple(self._take(put, body) for put, body in zip(self._puts, bodies, strict=True))
        self._write()
        return answers

    def _write(self) -> None:
        for statement, rows in self._waiting.items():
            if rows:
                self._db.executemany(statement, rows)
                rows.clear()

    def _take(self, put: OrderPut, body: str) -> Taken:
        message = put.message
        known = self._known.get(message.message_id)
        if known is not None:
            return repeat(known, message, RowKind.PUT_ORDER)
        answer = self._judge(put.order, body)
        if answer.outcome is Outcome.STORED:
            self.seq = answer.inbox_seq
            row = f'{{"order":{body},"order_no":{canonical(put.order.order_no)}}}'
            self._waiting[INSERT_ROW].append(row_of(self.seq, message, RowKind.PUT_ORDER, row))
            self._store(put.order, body)
        self._waiting[INSERT_ANSWER].append(answer_of(message, RowKind.PUT_ORDER, answer))
        again = Taken(
            outcome=answer.outcome,
            repeated=True,
            inbox_seq=answer.inbox_seq,
            version=answer.version,
            detail=answer.detail,
        )
        self._known[message.message_id] = (RowKind.PUT_ORDER, message.body_sha256, again)
        return answer

    def _judge(self, order: Order, body: str) -> Taken:
        stored = self._orders.get(order.order_no)
        if stored is not None and order.version <= stored[0]:
            if (order.version, body) == (stored[0], stored[2]):
                return taken(Outcome.UNCHANGED, version=stored[0])
            return taken(Outcome.STALE_VERSION, version=stored[0], detail=f"version {stored[0]} stands")
        seen: set[str] = set()
        for parcel in order.parcels:
            waybill = parcel.waybill_no
            if waybill in seen or self._belongs_elsewhere(waybill, order.order_no):
                return taken(
                    Outcome.WAYBILL_TAKEN, version=0 if stored is None else stored[0], detail=waybill
                )
            seen.add(waybill)
        return taken(Outcome.STORED, seq=InboxSeq(self.seq + 1), version=order.version)

    def _belongs_elsewhere(self, waybill: str, order_no: OrderNo) -> bool:
        owner, removed = self._owners.get(waybill, (order_no, False))
        if owner == order_no or removed:
            return False
        return self._orders[owner][1] != OrderStatus.CANCELLED

    def _store(self, order: Order, body: str) -> None:
        stored = self._orders.get(order.order_no)
        status = OrderStatus.RELEASED.value if stored is None else stored[1]
        region = order.region
        self._waiting[INSERT_ORDER].append(
            (
                order.order_no,
                order.version,
                status,
                self.seq,
                order.customer_code,
                order.shop,
                order.carrier,
                region.province,
                region.city,
                region.district,
                body,
                order.pick_slip_no,
            ),
        )
        if stored is not None:
            self._write()  # a parcel of the version before may be among the rows that wait
            self._db.execute("UPDATE order_parcel SET removed=1 WHERE order_no=?", (order.order_no,))
            for waybill, (owner, _) in self._owners.items():
                if owner == order.order_no:
                    self._owners[waybill] = (owner, True)
        self._orders[order.order_no] = (order.version, status, body)
        self._waiting[INSERT_PARCEL] += [
            (
                parcel.waybill_no,
                order.order_no,
                position,
                parcel.routing_code,
                parcel.bag_place,
                parcel.tare_g,
                parcel.expected_weight_g,
                parcel.tolerance_g,
                canonical([[line.sku, line.qty] for line in parcel.lines]),
            )
            for position, parcel in enumerate(order.parcels)
        ]
        for parcel in order.parcels:
            self._owners[parcel.waybill_no] = (order.order_no, False)
