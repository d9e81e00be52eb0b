"""The one writer of inbox.db, opened by the gateway's writer thread; every call is one commit.

Idempotent by message id: the answer to a message is kept beside its body's hash, and a repeat gets
that answer, whatever has happened since. The same id with another body, or for another kind of
message, is CONFLICT and changes nothing.

Idempotent by version: an order's version never falls. A newer version of an order that is held or
cancelled is stored and stays held or cancelled: only ``release`` lifts a hold, nothing a cancel.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from edge.model.coding import CodingCheck
from edge.model.ids import InboxSeq, OrderNo, PlanId, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import Goods, OrderStatus
from edge.model.route import SortPlan
from edge.model.units import UtcUs
from edge.store import inbox_queries as queries
from edge.store.files import WriterLock, close_writer, make_directory, open_writer, sync_directory
from edge.store.inbox_orders import OrderIntake
from edge.store.inbox_rows import (
    Transaction,
    bounded,
    canonical,
    keep_answer,
    known_messages,
    repeat,
    taken,
    write_row,
)
from edge.store.inbox_types import (
    Actor,
    ApiKey,
    KeyAct,
    Message,
    OrderPut,
    OrderState,
    Outcome,
    RowKind,
    Taken,
)
from edge.store.rows import encode
from edge.store.schema import migrate

KEYS_PER_NAME = 2
"""Keys of one client valid at once: the old and the new one of a rotation."""
KEYS_MAX = 64
"""Each is compared at every request."""
CHECKPOINT_PAGES = 1_000

Act = Callable[[InboxSeq], tuple[Taken, str]]
"""Does a message's work as inbox row ``seq``; the answer, and the row's body (empty: no row)."""


class _NotAll(Exception):
    """Takes a transaction back."""

    def __init__(self, answers: tuple[Taken, ...]) -> None:
        super().__init__()
        self.answers = answers


class InboxWriter:
    """Opens inbox.db, making, migrating and locking it.

    ``durable`` False is for simulation only. Raises ``WriterLocked`` or ``SchemaMismatch`` when
    made. All calls are synchronous, from one thread at a time, and durable when they return; they
    raise ``RowTooLarge``, and ``sqlite3.Error`` when the disk fails: nothing is changed then.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        make_directory(path.parent)
        self._lock = WriterLock(path)
        try:
            self._db = open_writer(path, synchronous="FULL" if durable else "OFF")
            try:
                migrate(self._db, "inbox", path)
                sync_directory(path.parent)
                self._db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
                self._seq = queries.last_seq(self._db)
            except BaseException:
                self._db.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @property
    def last_seq(self) -> InboxSeq:
        """The last row written."""
        return self._seq

    def put_orders(self, puts: Sequence[OrderPut]) -> tuple[Taken, ...]:
        """Any number of orders in one commit, judged one after the other; one answer each.

        STORED, UNCHANGED, STALE_VERSION, WAYBILL_TAKEN or CONFLICT. A waybill may be taken over
        from a cancelled order, and from one whose later version gave it up.
        """
        bodies = [bounded(encode(put.order)) for put in puts]
        with Transaction(self._db):
            intake = OrderIntake(self._db, self._seq, puts)
            answers = intake.take(bodies)
        self._seq = intake.seq
        return answers

    def put_all_orders(self, puts: Sequence[OrderPut]) -> tuple[Taken, ...]:
        """As ``put_orders``, but when one of them cannot be taken none is, and no answer is kept."""
        bodies = [bounded(encode(put.order)) for put in puts]
        try:
            with Transaction(self._db):
                intake = OrderIntake(self._db, self._seq, puts)
                answers = intake.take(bodies)
                if any(answer.outcome not in (Outcome.STORED, Outcome.UNCHANGED) for answer in answers):
                    raise _NotAll(answers)
        except _NotAll as refused:
            return refused.answers
        self._seq = intake.seq
        return answers

    def cancel(self, message: Message, order_no: OrderNo) -> Taken:
        """STORED with its ``inbox_seq``, also for an unknown order: the line alone says what became
        of it (``CancelAnswered``). The order's state is CANCELLED from here on."""

        def act(seq: InboxSeq) -> tuple[Taken, str]:
            waybills = self._db.execute(
                "SELECT waybill FROM order_parcel WHERE order_no=? ORDER BY waybill", (order_no,)
            ).fetchall()
            self._set_status(order_no, OrderStatus.CANCELLED, seq)
            body = canonical({"order_no": order_no, "waybills": [waybill for (waybill,) in waybills]})
            return taken(Outcome.STORED, seq=seq, version=self._version(order_no)), body

        return self._once(message, RowKind.CANCEL, act)

    def hold(self, message: Message, order_no: OrderNo) -> Taken:
        """STORED, UNCHANGED (held already), CANCELLED, UNKNOWN or CONFLICT."""
        return self._switch(message, RowKind.HOLD, order_no, OrderStatus.HELD)

    def release(self, message: Message, order_no: OrderNo) -> Taken:
        """STORED, UNCHANGED (not held), CANCELLED, UNKNOWN or CONFLICT."""
        return self._switch(message, RowKind.RELEASE, order_no, OrderStatus.RELEASED)

    def put_goods(self, message: Message, goods: Sequence[Goods]) -> Taken:
        """STORED or CONFLICT; each replaces what stood under its sku."""

        def act(seq: InboxSeq) -> tuple[Taken, str]:
            for item in goods:
                parts = canonical([[part.sku, part.qty] for part in item.parts])
                self._db.execute(
                    "INSERT OR REPLACE INTO goods VALUES (?, ?, ?)", (item.sku, item.unit_weight_g, parts)
                )
                self._db.execute("DELETE FROM goods_barcode WHERE sku=?", (item.sku,))
                self._db.executemany(
                    "INSERT OR IGNORE INTO goods_barcode VALUES (?, ?)",
                    [(code, item.sku) for code in item.barcodes],
                )
            return taken(Outcome.STORED, seq=seq), "[" + ",".join(encode(item) for item in goods) + "]"

        return self._once(message, RowKind.PUT_GOODS, act)

    def put_plan(self, message: Message, plan: SortPlan) -> Taken:
        """STORED, UNCHANGED, STALE_VERSION or CONFLICT. Storing is not activating."""
        body = bounded(encode(plan))

        def act(seq: InboxSeq) -> tuple[Taken, str]:
            stored = dict(self._db.execute("SELECT version, body FROM plan WHERE plan_id=?", (plan.id,)))
            newest = max(stored, default=0)
            if stored.get(plan.version) == body:
                return taken(Outcome.UNCHANGED, version=newest), ""
            if plan.version <= newest:
                return taken(Outcome.STALE_VERSION, version=newest, detail=f"version {newest} stands"), ""
            self._db.execute("INSERT INTO plan VALUES (?, ?, ?, ?, 0)", (plan.id, plan.version, body, seq))
            row = canonical({"plan": plan.id, "version": plan.version})
            return taken(Outcome.STORED, seq=seq, version=plan.version), row

        return self._once(message, RowKind.PUT_PLAN, act)

    def activate_plan(self, message: Message, plan_id: PlanId, version: int) -> Taken:
        """STORED, UNKNOWN or CONFLICT; ``version`` 0 takes the newest. An older one may come back."""

        def act(seq: InboxSeq) -> tuple[Taken, str]:
            plan = queries.plan_of(self._db, plan_id, version)
            if plan is None:
                return taken(Outcome.UNKNOWN), ""
            self._db.execute("UPDATE plan SET active=0 WHERE active")
            self._db.execute(
                "UPDATE plan SET active=1 WHERE plan_id=? AND version=?", (plan_id, plan.version)
            )
            row = canonical({"plan": plan_id, "version": plan.version})
            return taken(Outcome.STORED, seq=seq, version=plan.version), row

        return self._once(message, RowKind.ACTIVATE_PLAN, act)

    def operator_command(self, message: Message, action: OperatorAction, subject: str, by: str) -> Taken:
        """STORED, UNKNOWN (no such order to be reviewed anew) or CONFLICT. ``subject``: the chute, alarm,
        device or order meant; ``by``: who asked."""

        def act(seq: InboxSeq) -> tuple[Taken, str]:
            if action is OperatorAction.REOPEN_REVIEW and not self._version(OrderNo(subject)):
                return taken(Outcome.UNKNOWN), ""
            body = canonical({"action": action.value, "by": by, "subject": subject})
            return taken(Outcome.STORED, seq=seq), body

        return self._once(message, RowKind.OPERATOR, act)

    def key_code(self, message: Message, track: TrackId, code: Waybill, check: CodingCheck, by: str) -> Taken:
        """STORED or CONFLICT. What became of it, the line alone says (``KeyedCodeTaken``)."""
        body = canonical(
            {
                "by": by,
                "check": check.value,
                "code": code,
                "keyed_utc_us": message.at_utc_us,
                "track": track,
            }
        )
        return self._once(message, RowKind.CODE, lambda seq: (taken(Outcome.STORED, seq=seq), body))

    def knows(self, waybill: Waybill) -> bool:
        """An order has it as the waybill of one of its parcels."""
        return queries.belt_order(self._db, waybill) is not None

    def add_api_key(self, key: ApiKey, by: Actor) -> bool:
        """False when the client already has ``KEYS_PER_NAME`` keys, there are ``KEYS_MAX`` in all, or
        this very key stands."""
        with Transaction(self._db):
            keys = queries.api_keys(self._db)
            names = sum(one.name == key.name for one in keys)
            same = any(one.key_sha256 == key.key_sha256 for one in keys)
            if same or names >= KEYS_PER_NAME or len(keys) >= KEYS_MAX:
                return False
            self._db.execute(
                "INSERT INTO api_key VALUES (?, ?, ?, ?)",
                (key.key_sha256, key.name, key.role, key.added_utc_us),
            )
            self._key_changed(KeyAct.ADDED, key, by, key.added_utc_us)
        return True

    def remove_api_key(self, key: ApiKey, by: Actor, at_utc_us: UtcUs) -> bool:
        """False when there is no such key."""
        with Transaction(self._db):
            sql = "DELETE FROM api_key WHERE key_sha256=?"
            if self._db.execute(sql, (key.key_sha256,)).rowcount == 0:
                return False
            self._key_changed(KeyAct.WITHDRAWN, key, by, at_utc_us)
        return True

    def _key_changed(self, what: KeyAct, key: ApiKey, by: Actor, at_utc_us: UtcUs) -> None:
        self._db.execute(
            "INSERT INTO key_change SELECT coalesce(max(no), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM key_change",
            (at_utc_us, what.value, key.name, key.role, key.fingerprint, by.id, by.role),
        )

    def api_keys(self) -> tuple[ApiKey, ...]:
        return queries.api_keys(self._db)

    def order(self, order_no: OrderNo) -> OrderState | None:
        return queries.order_state(self._db, order_no)

    def close(self) -> None:
        """Idempotent; leaves no WAL to move."""
        close_writer(self._db)
        self._lock.release()

    # -- one message -------------------------------------------------------------------------------

    def _once(self, message: Message, kind: RowKind, act: Act) -> Taken:
        with Transaction(self._db):
            known = known_messages(self._db, [message]).get(message.message_id)
            if known is not None:
                return repeat(known, message, kind)
            seq = InboxSeq(self._seq + 1)
            answer, body = act(seq)
            if body:
                write_row(self._db, seq, message, kind, bounded(body))
            keep_answer(self._db, message, kind, answer)
        if body:
            self._seq = seq
        return answer

    def _switch(self, message: Message, kind: RowKind, order_no: OrderNo, status: OrderStatus) -> Taken:
        def act(seq: InboxSeq) -> tuple[Taken, str]:
            row = self._db.execute(
                "SELECT status, version FROM orders WHERE order_no=?", (order_no,)
            ).fetchone()
            if row is None:
                return taken(Outcome.UNKNOWN), ""
            if row[0] == OrderStatus.CANCELLED:
                return taken(Outcome.CANCELLED, version=row[1]), ""
            if row[0] == status:
                return taken(Outcome.UNCHANGED, version=row[1]), ""
            self._set_status(order_no, status, seq)
            return taken(Outcome.STORED, seq=seq, version=row[1]), canonical({"order_no": order_no})

        return self._once(message, kind, act)

    def _set_status(self, order_no: OrderNo, status: OrderStatus, seq: InboxSeq) -> None:
        self._db.execute(
            "UPDATE orders SET status=?, inbox_seq=? WHERE order_no=?", (status.value, seq, order_no)
        )

    def _version(self, order_no: OrderNo) -> int:
        row = self._db.execute("SELECT version FROM orders WHERE order_no=?", (order_no,)).fetchone()
        return 0 if row is None else row[0]
