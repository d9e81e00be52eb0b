"""The databases as tables. Migrations make them; a test holds both equal.

Times end in ``_us``: ``at_us`` is the line's monotonic clock, ``utc_us`` wall time where it was
known. Bodies are the canonical JSON of ``edge.store.rows``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

journal = MetaData()
inbox = MetaData()
gateway = MetaData()

# -- journal.db: the log ---------------------------------------------------------------------------

event = Table(
    "event",
    journal,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("utc_us", BigInteger),
    Column("kind", Text, nullable=False),
    Column("track", BigInteger),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Contiguous from 1 over the closed segments and this table. ``hash``: see edge.store.chain."""

meta = Table(
    "meta",
    journal,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""``line_id``; ``inbox_cursor``: the last inbox row whose effects are on record."""

day = Table(
    "day",
    journal,
    Column("day", Text, primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
)
"""Calendar days of the line (YYYYMMDD) and the row each begins with; days never go back."""

segment = Table(
    "segment",
    journal,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
)
"""Closed files: rows up to ``last_seq`` count from there, whatever is left of them in ``event``."""

snapshot = Table(
    "snapshot",
    journal,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)
"""Core state after row ``seq``; the last two are kept."""

# -- journal.db: read models, moved by edge.store.projections in the transaction of their rows ---------

parcel = Table(
    "parcel",
    journal,
    Column("track", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger),
    Column("inducted_at_us", BigInteger, nullable=False),
    Column("inducted_utc_us", BigInteger),
    Column("length_mm", Integer, nullable=False),
    Column("read_quality", Text),
    Column("waybill", Text, nullable=False, server_default=""),
    Column("order_no", Text),
    Column("order_version", Integer),
    Column("customer_code", Text),
    Column("shop", Text),
    Column("carrier", Text),
    Column("weight_g", Integer),
    Column("weight_quality", Text),
    Column("expected_g", Integer),
    Column("decided_at_us", BigInteger),
    Column("decided_reason", Text),
    Column("decided_chute", Text),
    Column("decided_exit", Integer),
    Column("rule", Text),
    Column("plan", Text),
    Column("plan_version", Integer),
    Column("told_at_us", BigInteger),
    Column("decide_to_told_us", BigInteger),
    Column("plc_wait_us", BigInteger),
    Column("exited_at_us", BigInteger),
    Column("exited_utc_us", BigInteger),
    Column("actual_exit", Integer),
    Column("actual_chute", Text),
    Column("exit_reason", Text),
    Column("shipped", Boolean, nullable=False, server_default="0"),
    Column("counts_as_shipped", Boolean, nullable=False, server_default="0"),
    Column("mis_sorted", Boolean, nullable=False, server_default="0"),
)
Index("parcel_waybill", parcel.c.waybill, sqlite_where=parcel.c.waybill != "")
Index("parcel_open", parcel.c.track, sqlite_where=parcel.c.last_seq.is_(None))
Index("parcel_ended", parcel.c.last_seq, sqlite_where=parcel.c.last_seq.is_not(None))

shipped = Table(
    "shipped",
    journal,
    Column("waybill", Text, nullable=False),
    Column("track", Integer, nullable=False),
    Column("place", Text, nullable=False),
    Column("chute", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("waybill", "track"),
)
"""Waybills that count as shipped. An UNPROVED one goes when its waybill is inducted again."""

cancel_answer = Table(
    "cancel_answer",
    journal,
    Column("inbox_seq", Integer, primary_key=True, autoincrement=False),
    Column("message_id", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("track", BigInteger, nullable=False),
    Column("place", Text, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
Index("cancel_answer_message", cancel_answer.c.message_id)

alarm = Table(
    "alarm",
    journal,
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raised_at_us", BigInteger, nullable=False),
    Column("raised_utc_us", BigInteger),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("acknowledged_utc_us", BigInteger),
    PrimaryKeyConstraint("kind", "subject"),
)
"""Standing alarms only; history is in the log. ``acknowledged_by`` empty: by nobody yet."""

line_state = Table(
    "line_state",
    journal,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("permitted", Boolean, nullable=False),
    Column("permit_why", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("since_utc_us", BigInteger),
)
"""One row, id 1."""

chute_state = Table(
    "chute_state",
    journal,
    Column("chute", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("full", Boolean, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("since_utc_us", BigInteger),
)

device_state = Table(
    "device_state",
    journal,
    Column("device", Text, primary_key=True),
    Column("up", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("since_utc_us", BigInteger),
)
"""As the line said last. Whether the line process itself is alive, no table can say."""
review = Table(
    "review",
    journal,
    Column("order_no", Text, primary_key=True),
    Column("waybill", Text, nullable=False),
    Column("slip", Text, nullable=False),
    Column("order_version", BigInteger, nullable=False),
    Column("contents", Text, nullable=False),
    Column("bench", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("opened_utc_us", BigInteger),
    Column("reason", Text),
    Column("pieces", Integer),
    Column("missing", Text, nullable=False),
    Column("extra", Text, nullable=False),
    Column("judged_at_us", BigInteger),
    Column("judged_utc_us", BigInteger),
)
"""The latest review of each order; from ``reason`` on its latest verdict (``state``: ReviewState)."""
Index("review_waybill", review.c.waybill)

coding = Table(
    "coding",
    journal,
    Column("track", Integer, primary_key=True, autoincrement=False),
    Column("since_utc_us", BigInteger),
    Column("codes", Text, nullable=False),
    Column("waybill", Text, nullable=False, server_default=""),
    Column("coded_by", Text, nullable=False, server_default=""),
    Column("coded_utc_us", BigInteger),
    Column("coded_check", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default=""),
)
"""Parcels that no reader could read; ``waybill`` empty: waits for a person. ``codes``: what was read."""

# -- inbox.db --------------------------------------------------------------------------------------

inbox_row = Table(
    "inbox",
    inbox,
    Column("inbox_seq", Integer, primary_key=True, autoincrement=False),
    Column("at_utc_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    Column("asked_by", Text, nullable=False, server_default=""),
    Column("asked_role", Text, nullable=False, server_default=""),
)
"""``asked_by``: the key or person, with the role that it had then; empty in rows of an earlier build."""

message = Table(
    "message",
    inbox,
    Column("message_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("inbox_seq", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)
"""What each message id was answered, also where nothing was done."""

orders = Table(
    "orders",
    inbox,
    Column("order_no", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("inbox_seq", BigInteger, nullable=False),
    Column("customer_code", Text, nullable=False),
    Column("shop", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("province", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("pick_slip_no", Text, nullable=False, server_default=""),
)
Index("orders_pick_slip", orders.c.pick_slip_no, sqlite_where=orders.c.pick_slip_no != "")

order_parcel = Table(
    "order_parcel",
    inbox,
    Column("waybill", Text, primary_key=True),
    Column("order_no", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("routing_code", Text, nullable=False),
    Column("bag_place", Text, nullable=False),
    Column("tare_g", Integer, nullable=False),
    Column("expected_weight_g", Integer),
    Column("tolerance_g", Integer, nullable=False),
    Column("lines", Text, nullable=False),
)
"""``removed``: of an earlier version; kept so that a cancel or a change still reaches its label."""
Index("order_parcel_order", order_parcel.c.order_no)

goods = Table(
    "goods",
    inbox,
    Column("sku", Text, primary_key=True),
    Column("unit_weight_g", Integer, nullable=False),
    Column("parts", Text, nullable=False),
)

goods_barcode = Table(
    "goods_barcode",
    inbox,
    Column("barcode", Text, nullable=False),
    Column("sku", Text, nullable=False),
    PrimaryKeyConstraint("barcode", "sku"),
)
Index("goods_barcode_sku", goods_barcode.c.sku)

plan = Table(
    "plan",
    inbox,
    Column("plan_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("inbox_seq", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("plan_id", "version"),
)

api_key = Table(
    "api_key",
    inbox,
    Column("key_sha256", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("added_utc_us", BigInteger, nullable=False),
)

key_change = Table(
    "key_change",
    inbox,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("at_utc_us", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_role", Text, nullable=False),
)
"""Keys added and withdrawn, by whom; no row is ever taken away."""
# -- gateway.db: the gateway's own; losing it repeats, and loses nothing -----------------------------

relay_cursor = Table(
    "relay_cursor",
    gateway,
    Column("target", Text, primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
)
"""Of each target: the last journal row dealt with, and the last one that was sent."""

dead_letter = Table(
    "dead_letter",
    gateway,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("tried_utc_us", BigInteger, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("due_utc_us", BigInteger),
    UniqueConstraint("target", "seq"),
)
"""Messages that a target refused. ``wanted``: a person asked to have it sent again; ``due_utc_us``: when it
is by itself, NULL after the last of its ``retries``."""
