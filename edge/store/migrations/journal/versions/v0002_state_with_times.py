"""Ends by cursor, devices as they stand, who acknowledged an alarm, and since when by the wall clock."""

from alembic import op

revision = "journal_0002"
down_revision = "journal_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX parcel_ended ON parcel (last_seq) WHERE last_seq IS NOT NULL",
    "ALTER TABLE alarm ADD COLUMN acknowledged_by TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE alarm ADD COLUMN acknowledged_utc_us BIGINT",
    "ALTER TABLE line_state ADD COLUMN since_utc_us BIGINT",
    "ALTER TABLE chute_state ADD COLUMN since_utc_us BIGINT",
    """
    CREATE TABLE device_state (
        device TEXT NOT NULL,
        up BOOLEAN NOT NULL,
        why TEXT NOT NULL,
        since_us BIGINT NOT NULL,
        since_utc_us BIGINT,
        PRIMARY KEY (device)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
