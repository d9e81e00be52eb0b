"""Orders are found by their pick slip: a review bench scans it."""

from alembic import op

revision = "inbox_0003"
down_revision = "inbox_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN pick_slip_no TEXT DEFAULT '' NOT NULL")
    op.execute("UPDATE orders SET pick_slip_no = json_extract(body, '$.pick_slip_no')")
    op.execute("CREATE INDEX orders_pick_slip ON orders (pick_slip_no) WHERE pick_slip_no != ''")
