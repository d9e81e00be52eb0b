"""Migrations, permissions and the writer's lock."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from edge.ports.journal import JournalFailed
from edge.store import journal_file, schema, tables
from edge.store.errors import SchemaMismatch, WriterLocked
from edge.store.files import free_bytes, open_reader, open_writer
from edge.store.inbox_reader import InboxReader
from edge.store.inbox_writer import InboxWriter
from edge.store.journal_file import JournalFile
from edge.store.journal_reader import JournalReader
from edge.store.migrations.gateway.versions import v0001_first
from edge.store.schema_dump import dumped
from tests.core.store_kit import ZONE, message

STORES = ["inbox", "journal"]
ALL = [*STORES, "gateway"]


WAYS = pytest.mark.parametrize("make", [schema.migrate, schema.upgrade], ids=["new", "by migrations"])
Make = Callable[[sqlite3.Connection, str, Path], None]


def fresh(path: Path, store: str, make: Make = schema.migrate) -> sqlite3.Connection:
    connection = open_writer(path, synchronous="OFF")
    make(connection, store, path)
    return connection


def contents(connection: sqlite3.Connection) -> dict[str, tuple[str, list[object]]]:
    """Statement and rows of each table, statement of each index."""
    objects = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {
        name: (sql, connection.execute(f'SELECT * FROM "{name}"').fetchall() if kind == "table" else [])
        for kind, name, sql in objects
    }


@pytest.mark.parametrize("store", ALL)
def test_a_new_database_is_what_all_migrations_make(tmp_path: Path, store: str) -> None:
    """Where not: ``python -m edge.store.schema_dump``."""
    new, migrated = fresh(tmp_path / "a.db", store), fresh(tmp_path / "b.db", store, schema.upgrade)
    assert contents(new) == contents(migrated)
    assert schema.schema_of(new) == schema.WANTED[store]
    new.close()
    migrated.close()


@pytest.mark.parametrize("store", ALL)
def test_the_dump_of_a_new_database_is_the_one_that_is_kept(store: str) -> None:
    assert dumped(store) == schema.newest(store).read_text("utf-8")


def test_a_new_database_loads_no_library(tmp_path: Path) -> None:
    """A line that begins a day's segment does not stand still for it."""
    program = (
        "import sys; from pathlib import Path; from edge.store.journal_file import JournalFile;"
        f"JournalFile(Path(sys.argv[1]), line_id='l', timezone='{ZONE}', synchronous='OFF');"
        "print(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "j.db")], capture_output=True, check=True
    )
    assert said.stdout == b"[]\n"


def shape(connection: sqlite3.Connection) -> dict[str, list[object]]:
    """Columns of each table with types, nullability, defaults and keys; text of each index."""
    objects = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        name: connection.execute(f"PRAGMA table_info({name})").fetchall() if kind == "table" else sql.split()
        for kind, name, sql in objects
        if name != "alembic_version"
    }


@WAYS
@pytest.mark.parametrize("store", ALL)
def test_the_tables_made_are_exactly_those_of_this_build(tmp_path: Path, store: str, make: Make) -> None:
    migrated = fresh(tmp_path / "a.db", store, make)
    declared = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: declared, poolclass=StaticPool)
    getattr(tables, store).create_all(engine)
    assert shape(migrated) == shape(declared)
    assert len(shape(migrated)) >= (10 if store in STORES else 2)
    migrated.close()
    declared.close()


@pytest.mark.parametrize("store", ALL)
def test_the_schema_known_is_the_newest_migration(store: str) -> None:
    scripts = ScriptDirectory.from_config(schema.migrations_config(store))
    assert scripts.get_heads() == [schema.WANTED[store]]


@pytest.mark.parametrize("store", ALL)
def test_migrating_again_changes_nothing(tmp_path: Path, store: str) -> None:
    connection = fresh(tmp_path / "a.db", store)
    before = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    schema.migrate(connection, store, tmp_path / "a.db")
    assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
    connection.close()


@WAYS
@pytest.mark.parametrize("store", STORES)
def test_one_that_cannot_be_made_whole_leaves_nothing(tmp_path: Path, store: str, make: Make) -> None:
    connection = open_writer(tmp_path / "a.db", synchronous="OFF")
    denied = 0

    def deny(action: int, name: str | None, *_: object) -> int:
        nonlocal denied
        if action == sqlite3.SQLITE_CREATE_INDEX and not str(name).startswith("sqlite_"):
            denied += 1
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(deny)
    with pytest.raises(Exception, match="not authorized"):
        make(connection, store, tmp_path / "a.db")
    connection.set_authorizer(None)
    assert denied == 1
    assert not connection.in_transaction
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    make(connection, store, tmp_path / "a.db")
    assert schema.schema_of(connection) == schema.WANTED[store]
    connection.close()


def test_dead_letters_of_an_older_build_wait_for_a_person(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "gateway.db", synchronous="OFF")
    for statement in v0001_first.STATEMENTS:
        connection.execute(statement)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.execute("INSERT INTO alembic_version VALUES ('gateway_0001')")
    connection.execute(
        "INSERT INTO dead_letter VALUES (7, 'erp', 709, 'demo/709', 'Told', '{}', 5, 'x', 1, 0)"
    )
    schema.migrate(connection, "gateway", tmp_path / "gateway.db")
    found = connection.execute("SELECT id, tries, wanted, retries, due_utc_us FROM dead_letter").fetchall()
    assert found == [(7, 5, 0, 0, None)]
    connection.close()


def from_the_future(path: Path, store: str) -> None:
    connection = fresh(path, store)
    connection.execute("UPDATE alembic_version SET version_num='later_0099'")
    connection.close()


def test_a_database_of_a_later_build_is_refused_with_one_sentence(tmp_path: Path) -> None:
    inbox, journal = tmp_path / "inbox.db", tmp_path / "journal.db"
    from_the_future(inbox, "inbox")
    from_the_future(journal, "journal")
    for refuses in (
        lambda: InboxReader(inbox).rows_after(0, 10),  # type: ignore[arg-type]
        lambda: JournalReader(journal).alarms(),
        lambda: InboxWriter(inbox),
        lambda: JournalFile(journal, line_id="demo", timezone=ZONE, synchronous="OFF"),
    ):
        with pytest.raises(SchemaMismatch, match=r"has schema later_0099, this .*_\d{4}: upgrade"):
            refuses()


def test_a_missing_or_empty_database_reads_as_nothing_and_is_not_made(tmp_path: Path) -> None:
    inbox = InboxReader(tmp_path / "inbox.db")
    journal = JournalReader(tmp_path / "journal.db")
    assert inbox.rows_after(0, 10) == ()  # type: ignore[arg-type]
    assert journal.rows_after(0, 10) == ()  # type: ignore[arg-type]
    assert journal.line() is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "inbox.db").touch()  # its writer is about to set it up
    assert inbox.rows_after(0, 10) == ()  # type: ignore[arg-type]
    assert journal.verify_chain().why.endswith("journal.db is missing")


def test_a_damaged_database_is_unreadable_not_empty(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(OSError, match="not a database"):
        JournalReader(tmp_path / "journal.db").line()
    for _ in range(2):  # the lock is let go of
        with pytest.raises(JournalFailed, match=r"journal\.db: file is not a database; the journal cannot"):
            JournalFile(tmp_path / "journal.db", line_id="a", timezone=ZONE, synchronous="OFF")


def test_a_disk_that_is_full_at_the_first_start_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tiny(path: Path, *, synchronous: str) -> sqlite3.Connection:
        connection = open_writer(path, synchronous=synchronous)
        connection.execute("PRAGMA max_page_count=4")
        return connection

    monkeypatch.setattr(journal_file, "open_writer", tiny)
    with pytest.raises(JournalFailed, match="database or disk is full; the journal cannot be opened"):
        JournalFile(tmp_path / "journal.db", line_id="a", timezone=ZONE, synchronous="OFF")
    monkeypatch.undo()
    JournalFile(tmp_path / "journal.db", line_id="a", timezone=ZONE, synchronous="OFF").close()


def test_a_second_writer_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = InboxWriter(tmp_path / "inbox.db")
    with pytest.raises(WriterLocked, match=r"inbox\.db is already being written by another process\."):
        InboxWriter(tmp_path / "inbox.db")
    first.close()
    first.close()
    InboxWriter(tmp_path / "inbox.db").close()


def test_a_journal_of_another_line_is_refused_and_not_kept_locked(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    JournalFile(path, line_id="a", timezone=ZONE, synchronous="OFF").close()
    with pytest.raises(JournalFailed, match="is the record of line a, not of b"):
        JournalFile(path, line_id="b", timezone=ZONE, synchronous="OFF")
    JournalFile(path, line_id="a", timezone=ZONE, synchronous="OFF").close()


@pytest.mark.parametrize("umask", [0o022, 0o007, 0o077])
def test_the_group_may_read_and_make_wal_files_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        writer = InboxWriter(tmp_path / "inbox" / "inbox.db")
        writer.put_goods(message("g"), [])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "inbox").stat().st_mode) == 0o2770
    for name in ("inbox.db", "inbox.db-wal", "inbox.db-shm"):
        assert stat.S_IMODE((tmp_path / "inbox" / name).stat().st_mode) == 0o660, name
    writer.close()


def test_the_writer_is_durable_and_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    InboxWriter(path).close()
    writer = open_writer(path, synchronous="FULL")
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM inbox")
    reader.close()
    writer.close()
    assert free_bytes(tmp_path) > 0


@WAYS
@pytest.mark.parametrize("store", STORES)
def test_it_is_made_in_one_transaction(tmp_path: Path, store: str, make: Make) -> None:
    """A reader that looks meanwhile sees no database, or the whole of it."""
    path = tmp_path / f"{store}.db"
    connection = open_writer(path, synchronous="OFF")
    said: list[str] = []
    connection.set_trace_callback(lambda statement: said.append(statement.split()[0].upper()))
    make(connection, store, path)
    connection.set_trace_callback(None)
    assert said.count("CREATE") > 1
    last = max(len(said) - 1 - said[::-1].index(word) for word in ("CREATE", "INSERT"))
    assert "COMMIT" not in said[said.index("CREATE") : last]
    assert "COMMIT" in said[last:]
    connection.close()
