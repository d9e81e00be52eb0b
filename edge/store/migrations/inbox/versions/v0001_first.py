"""First tables of inbox.db."""

from alembic import op

revision = "inbox_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE inbox (
        inbox_seq INTEGER NOT NULL,
        at_utc_us BIGINT NOT NULL,
        kind TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body_sha256 BLOB NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (inbox_seq)
    )
    """,
    """
    CREATE TABLE message (
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        body_sha256 BLOB NOT NULL,
        outcome TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        version BIGINT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (message_id)
    )
    """,
    """
    CREATE TABLE orders (
        order_no TEXT NOT NULL,
        version BIGINT NOT NULL,
        status TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        customer_code TEXT NOT NULL,
        shop TEXT NOT NULL,
        carrier TEXT NOT NULL,
        province TEXT NOT NULL,
        city TEXT NOT NULL,
        district TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (order_no)
    )
    """,
    """
    CREATE TABLE order_parcel (
        waybill TEXT NOT NULL,
        order_no TEXT NOT NULL,
        position INTEGER NOT NULL,
        removed BOOLEAN NOT NULL,
        routing_code TEXT NOT NULL,
        bag_place TEXT NOT NULL,
        tare_g INTEGER NOT NULL,
        expected_weight_g INTEGER,
        tolerance_g INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (waybill)
    )
    """,
    """
    CREATE INDEX order_parcel_order ON order_parcel (order_no)
    """,
    """
    CREATE TABLE goods (
        sku TEXT NOT NULL,
        unit_weight_g INTEGER NOT NULL,
        parts TEXT NOT NULL,
        PRIMARY KEY (sku)
    )
    """,
    """
    CREATE TABLE goods_barcode (
        barcode TEXT NOT NULL,
        sku TEXT NOT NULL,
        PRIMARY KEY (barcode, sku)
    )
    """,
    """
    CREATE INDEX goods_barcode_sku ON goods_barcode (sku)
    """,
    """
    CREATE TABLE "plan" (
        plan_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        active BOOLEAN NOT NULL,
        PRIMARY KEY (plan_id, version)
    )
    """,
    """
    CREATE TABLE api_key (
        key_sha256 BLOB NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        added_utc_us BIGINT NOT NULL,
        PRIMARY KEY (key_sha256)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
