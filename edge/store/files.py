"""Files of a store: who may write them, how they are opened, and how much room is left.

A database has a directory of its own, mode 2770: readers of the group must be able to make WAL
files after a clean close, and SQLite gives those the mode of the database, so that is made 0660
here before SQLite opens it (its own default is 0644).
"""

import fcntl
import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from edge.store.errors import WriterLocked

DIRECTORY_MODE = 0o2770
FILE_MODE = 0o660
BUSY_MS = 5_000
"""A writer waits this long for a lock; readers hold theirs for milliseconds."""
CLOSE_BUSY_MS = 500
"""What a process that ends may wait for readers."""
STATEMENTS_KEPT = 256
"""Prepared statements a connection keeps: more than the projections have."""
WAL_KEPT_BYTES = 64 << 20
"""A WAL that grew over this under a slow reader is cut back when it starts anew."""
_NEEDS_DIRECTORY_SYNC = os.O_RDONLY | os.O_DIRECTORY


class WriterLock:
    """At most one writer per database, by ``flock`` on a file beside it; ends with the process."""

    def __init__(self, database: Path) -> None:
        """Raises ``WriterLocked`` at once when it is taken."""
        path = database.with_suffix(".lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise WriterLocked(f"{database} is already being written by another process.") from error

    def release(self) -> None:
        """Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def make_directory(path: Path) -> None:
    """The database's own directory, usable by the group whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    with suppress(PermissionError):  # made by the administrator for another owner: theirs to set
        path.chmod(DIRECTORY_MODE)


def open_writer(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """The writer's connection: WAL, explicit transactions, checkpoints only when asked for."""
    if not path.exists():
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        os.fchmod(fd, FILE_MODE)
        os.close(fd)
        sync_directory(path.parent)
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_KEPT
    )
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute(f"PRAGMA journal_size_limit={WAL_KEPT_BYTES}")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Idempotent. The WAL is moved into the database and cut to nothing, also where a reader still has the
    file open: SQLite itself takes it away with the last connection only. Everything is durable before; a
    reader that does not let go, or a disk that is full, leaves the WAL to the next writer."""
    with suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={CLOSE_BUSY_MS}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection; raises ``sqlite3.OperationalError`` where there is no file."""
    connection = sqlite3.connect(
        path.absolute().as_uri() + "?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.execute("PRAGMA query_only=ON")
    return connection


def sync_directory(path: Path) -> None:
    """Makes the entries of a directory durable."""
    fd = os.open(path, _NEEDS_DIRECTORY_SYNC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def free_bytes(path: Path) -> int:
    """Room left for this user on the file system of ``path``."""
    return shutil.disk_usage(path).free
