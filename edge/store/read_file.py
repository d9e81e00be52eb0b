"""One read-only connection that is opened when there is something to read, and checked then."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.store.errors import StoreUnreadable
from edge.store.files import open_reader
from edge.store.schema import check_schema


class ReadFile:
    """Read transactions on a database that another process writes.

    A database that is missing, or not yet set up by its writer, yields None; it is never created.
    One that was put in place of another is opened anew. One thread at a time.
    """

    def __init__(self, path: Path, store: str) -> None:
        self.path = path
        self._name = str(path)
        self._store = store
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One consistent state, for as long as the block lasts: keep it short, the writer's WAL
        grows meanwhile. Raises ``SchemaMismatch``, and ``StoreUnreadable`` for SQLite's errors."""
        try:
            connection = self._open()
            if connection is None:
                yield None
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise StoreUnreadable(f"{self.path}: {error}") from error

    def find(self, query: str, values: tuple[object, ...]) -> list[Any]:
        """The rows of one query, which is a read transaction by itself; none where there is no database.
        Raises as ``reading`` does."""
        try:
            connection = self._open()
            return [] if connection is None else connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise StoreUnreadable(f"{self.path}: {error}") from error

    def _open(self) -> sqlite3.Connection | None:
        try:
            inode = os.stat(self._name).st_ino
        except FileNotFoundError:
            self.close()
            return None
        except OSError as error:
            raise StoreUnreadable(f"{self.path}: {error.strerror}") from error
        if self._connection is not None and inode == self._inode:
            return self._connection
        self.close()
        connection = open_reader(self.path)
        try:
            ready = check_schema(connection, self._store, self.path)
        except BaseException:
            connection.close()
            raise
        if not ready:
            connection.close()
            return None
        self._connection, self._inode = connection, inode
        return connection

    def close(self) -> None:
        """Idempotent; the next read opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
