"""What the review of each order came to."""

from alembic import op

revision = "journal_0003"
down_revision = "journal_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE review (
            order_no TEXT NOT NULL,
            waybill TEXT NOT NULL,
            slip TEXT NOT NULL,
            order_version BIGINT NOT NULL,
            contents TEXT NOT NULL,
            bench TEXT NOT NULL,
            state TEXT NOT NULL,
            opened_at_us BIGINT NOT NULL,
            opened_utc_us BIGINT,
            reason TEXT,
            pieces INTEGER,
            missing TEXT NOT NULL,
            extra TEXT NOT NULL,
            judged_at_us BIGINT,
            judged_utc_us BIGINT,
            PRIMARY KEY (order_no)
        )
        """
    )
    op.execute("CREATE INDEX review_waybill ON review (waybill)")
