"""Who asked for each change, and what has become of the keys."""

from alembic import op

revision = "inbox_0002"
down_revision = "inbox_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE inbox ADD COLUMN asked_by TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE inbox ADD COLUMN asked_role TEXT DEFAULT '' NOT NULL",
    """
    CREATE TABLE key_change (
        no INTEGER NOT NULL,
        at_utc_us BIGINT NOT NULL,
        what TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        asked_role TEXT NOT NULL,
        PRIMARY KEY (no)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
