"""Schema versions: the writer brings its database up to date, a reader refuses another one.

SQLAlchemy and Alembic are for migrations only: a process that finds its schema up to date, or makes a new
database, never loads them (a quarter of a second of a restart, and of a line that begins a day's segment).
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from edge.store.errors import SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

JOURNAL_SCHEMA = "journal_0004"
"""Alembic revision of journal.db that this build writes and reads."""
LOG_SCHEMAS = ("journal_0001", "journal_0002", "journal_0003", JOURNAL_SCHEMA)
"""Revisions with this build's table ``event``: closed segments stay as they were written."""
INBOX_SCHEMA = "inbox_0003"
GATEWAY_SCHEMA = "gateway_0002"
MIGRATIONS = Path(__file__).parent / "migrations"
WANTED = {"inbox": INBOX_SCHEMA, "journal": JOURNAL_SCHEMA, "gateway": GATEWAY_SCHEMA}
READABLE = {
    "inbox": (INBOX_SCHEMA,),
    "gateway": (GATEWAY_SCHEMA,),
    "journal": (JOURNAL_SCHEMA,),
    "segment": LOG_SCHEMAS,
}


def schema_of(connection: sqlite3.Connection) -> str | None:
    """The revision that a database stands at; None for an empty one."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name='alembic_version'").fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def check_schema(connection: sqlite3.Connection, store: str, path: Path) -> bool:
    """False for a database that its writer has not yet set up. Raises ``SchemaMismatch``."""
    found = schema_of(connection)
    if found is None:
        return False
    if found not in READABLE[store]:
        raise SchemaMismatch(
            f"{path} has schema {found}, this program knows {READABLE[store][-1]}: "
            "upgrade or restart the process that writes it."
        )
    return True


def migrations_config(store: str) -> "Config":
    """Alembic's configuration of one database; works from an installed wheel."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / store).replace("%", "%%"))
    return config


def migrate(connection: sqlite3.Connection, store: str, path: Path) -> None:
    """Writer only: a new database as this build wants it, or all pending migrations; in one transaction, or
    nothing. Raises ``SchemaMismatch`` for a database of a later build, ``sqlite3.Error`` when the disk
    fails."""
    if schema_of(connection) == WANTED[store]:
        return
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
        _make(connection, store)
    else:
        upgrade(connection, store, path)


def newest(store: str) -> Path:
    """The statements that make what all migrations together make of an empty database; a line that ends
    with ``;`` ends one. ``edge.store.schema_dump`` writes it, a test holds both equal."""
    return MIGRATIONS / store / "newest.sql"


def _make(connection: sqlite3.Connection, store: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in newest(store).read_text("utf-8").split(";\n"):
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def upgrade(connection: sqlite3.Connection, store: str, path: Path) -> None:
    """``migrate`` by the migrations, from wherever the database stands."""
    found = schema_of(connection)
    from alembic import command
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import StaticPool

    config = migrations_config(store)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        check_schema(connection, store, path)
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        # Its first connect rolls back, so the transaction begins here; without ``begin`` Alembic would commit
        # after each migration.
        with engine.connect() as wrapped, wrapped.begin():
            connection.execute("BEGIN IMMEDIATE")
            config.attributes["connection"] = wrapped
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
