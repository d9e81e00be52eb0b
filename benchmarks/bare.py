"""The floor: the same rows, disk and bus through sqlite3 and pymodbus alone, nothing of the house between."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from edge.ports.journal import JournalItem
from edge.store.rows import encode

BareRow = tuple[int, str, str]


def bare_rows(items: Sequence[JournalItem]) -> list[BareRow]:
    """What the journal's rows say, encoded beforehand: no hash chain, no read models."""
    return [(item.at_us, type(item).__name__, encode(item)) for item in items]


class BareJournal:
    """SQLite as durable as the journal's (WAL, synchronous FULL), one table."""

    def __init__(self, path: Path) -> None:
        self._connection = connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, at_us INTEGER, kind TEXT, body TEXT)"
        )

    def commit(self, rows: Sequence[BareRow]) -> None:
        """They are durable when it returns."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO event (at_us, kind, body) VALUES (?, ?, ?)", rows)
        execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
