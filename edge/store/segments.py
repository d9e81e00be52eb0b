"""Past days leave journal.db: each becomes a closed file, linked by its chain heads.

A segment is written under a temporary name and made durable, slice by slice, between commits;
renaming it changes nothing yet. Its row in table ``segment`` is the moment that counts: from that
commit on its rows are read from the file, and what is left of them in ``event`` is only rubbish,
cleared slice by slice. A crash before that leaves a file that nobody refers to, which the next
writer makes anew; a crash after it leaves rubbish, which the next writer clears. No row is lost or
read twice at any point.
"""

import os
import sqlite3
from itertools import pairwise
from pathlib import Path

from edge.ports.journal import JournalFailed
from edge.store.files import FILE_MODE, make_directory, open_writer, sync_directory
from edge.store.journal_file import JournalFile
from edge.store.schema import migrate

SLICE_ROWS = 500
"""Rows copied or cleared at once: some 10 ms, which is the most that a commit waits for it."""
FOLDER = "segments"


def segment_path(journal: Path, file: str) -> Path:
    """Where a segment of this journal lies; ``file`` as in table ``segment``."""
    return journal.parent / FOLDER / file


class Rotation:
    """Moves days that are over, a slice at a time, on the writer's thread and connection."""

    def __init__(self, journal: JournalFile) -> None:
        self._journal = journal
        self._file: sqlite3.Connection | None = None
        self._plan: tuple[int, str, int, int] | None = None
        self._copied_to = 0
        self._rubbish_to = self._closed_to()
        self._seen_days = -1

    def due(self) -> bool:
        """Whether ``step`` has something to do."""
        if self._rubbish_to or self._plan is not None:
            return True
        days = self._journal.days_begun
        if days != self._seen_days:
            self._seen_days = days
            self._plan = self._next()
        return self._plan is not None

    def step(self) -> None:
        """One slice. Raises ``JournalFailed``."""
        if not self.due():
            return
        try:
            if self._rubbish_to:
                self._clear()
            elif self._plan is not None:
                self._copy(*self._plan)
        except (sqlite3.Error, OSError) as error:
            raise JournalFailed(f"{self._journal.path}: {error}; a past day cannot be closed") from error

    def _closed_to(self) -> int:
        row = self._journal.connection.execute("SELECT max(last_seq) FROM segment").fetchone()
        return row[0] or 0

    def _next(self) -> tuple[int, str, int, int] | None:
        """(number, file, first row, last row) of the oldest day that is over and not yet moved."""
        execute = self._journal.connection.execute
        first = self._closed_to() + 1
        rows = execute("SELECT day, first_seq FROM day ORDER BY first_seq").fetchall()
        for (day, _), (_, next_first) in pairwise(rows):
            if next_first > first:
                no = execute("SELECT count(*) FROM segment").fetchone()[0] + 1
                return no, f"journal-{day}-{no}.db", first, next_first - 1
        return None

    def _copy(self, no: int, file: str, first: int, last: int) -> None:
        final = segment_path(self._journal.path, file)
        temporary = final.with_suffix(".tmp")
        if self._file is None:
            self._file = self._new(temporary)
            self._copied_to = first - 1
        rows = self._journal.connection.execute(
            "SELECT * FROM event WHERE seq>? AND seq<=? ORDER BY seq LIMIT ?",
            (self._copied_to, last, SLICE_ROWS),
        ).fetchall()
        self._file.execute("BEGIN IMMEDIATE")
        self._file.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._file.execute("COMMIT")
        self._copied_to = rows[-1][0]
        if self._copied_to == last:
            self._close(no, final, temporary, first, last)

    def _new(self, temporary: Path) -> sqlite3.Connection:
        make_directory(temporary.parent)
        for rest in ("", "-journal", "-wal", "-shm"):  # left by a crash
            temporary.with_name(temporary.name + rest).unlink(missing_ok=True)
        file = open_writer(temporary, synchronous="FULL")
        file.execute("PRAGMA journal_mode=DELETE")
        migrate(file, "journal", temporary)
        line_id = self._journal.connection.execute("SELECT value FROM meta WHERE key='line_id'").fetchone()[0]
        file.execute("INSERT INTO meta VALUES ('line_id', ?)", (line_id,))
        return file

    def _close(self, no: int, final: Path, temporary: Path, first: int, last: int) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        fd = os.open(temporary, os.O_RDWR)
        try:
            os.fchmod(fd, FILE_MODE)
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.rename(final)
        sync_directory(final.parent)
        execute = self._journal.connection.execute
        before = self._journal.hash_before(first)
        head = execute("SELECT hash FROM event WHERE seq=?", (last,)).fetchone()[0]
        execute("BEGIN IMMEDIATE")
        execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)", (no, final.name, first, last, before, head))
        execute("COMMIT")
        self._plan = None
        self._seen_days = -1
        self._rubbish_to = last

    def _clear(self) -> None:
        execute = self._journal.connection.execute
        execute("BEGIN IMMEDIATE")
        cleared = execute(
            "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq<=? ORDER BY seq LIMIT ?)",
            (self._rubbish_to, SLICE_ROWS),
        ).rowcount
        execute("COMMIT")
        if cleared < SLICE_ROWS:
            self._rubbish_to = 0
