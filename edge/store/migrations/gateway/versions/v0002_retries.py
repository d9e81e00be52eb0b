"""Messages that a target refused are sent again by themselves, on a schedule."""

from alembic import op

revision = "gateway_0002"
down_revision = "gateway_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE dead_letter ADD COLUMN retries INTEGER DEFAULT '0' NOT NULL",
    "ALTER TABLE dead_letter ADD COLUMN due_utc_us BIGINT",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
