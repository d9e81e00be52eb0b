"""First tables of gateway.db: how far each target of the relay is, and what it would not take."""

from alembic import op

revision = "gateway_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE relay_cursor (
        target TEXT NOT NULL,
        seen BIGINT NOT NULL,
        sent BIGINT NOT NULL,
        PRIMARY KEY (target)
    )
    """,
    """
    CREATE TABLE dead_letter (
        id INTEGER NOT NULL,
        target TEXT NOT NULL,
        seq BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL,
        why TEXT NOT NULL,
        tried_utc_us BIGINT NOT NULL,
        wanted BOOLEAN NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (target, seq)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
