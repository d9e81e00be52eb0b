"""Parcels that no reader could read, waiting for a person to key their code."""

from alembic import op

revision = "journal_0004"
down_revision = "journal_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE coding (
        track INTEGER NOT NULL,
        since_utc_us BIGINT,
        codes TEXT NOT NULL,
        waybill TEXT DEFAULT '' NOT NULL,
        coded_by TEXT DEFAULT '' NOT NULL,
        coded_utc_us BIGINT,
        coded_check TEXT DEFAULT '' NOT NULL,
        outcome TEXT DEFAULT '' NOT NULL,
        PRIMARY KEY (track)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
