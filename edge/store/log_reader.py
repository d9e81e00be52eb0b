"""The event log as one sequence over its closed segments and the open file. Read-only."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from edge.model.ids import JournalSeq
from edge.store.chain import genesis, link
from edge.store.errors import StoreUnreadable
from edge.store.journal_types import ChainReport, JournalRow
from edge.store.read_file import ReadFile
from edge.store.segments import segment_path

PAGE_ROWS = 1_000
"""Rows read under one read transaction: a few milliseconds."""
COLUMNS = "seq, at_us, utc_us, kind, track, body, hash"


class LogReader:
    """Pages of rows. ``file`` is shared with the reader that owns it."""

    def __init__(self, file: ReadFile) -> None:
        self._file = file
        self._segment: ReadFile | None = None

    def close(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def page(self, after: int, limit: int = PAGE_ROWS) -> tuple[JournalRow, ...]:
        """Rows above ``after`` in order, at most ``limit``, from one file only (the next call goes
        on in the next file). Raises ``StoreUnreadable``."""
        return self._read(after, None, min(limit, PAGE_ROWS), None)[0]

    def _read(
        self, after: int, upto: int | None, limit: int, track: int | None
    ) -> tuple[tuple[JournalRow, ...], int | None]:
        """Rows of the file that holds row ``after`` + 1, and that file's last row (None: it is open)."""
        with self._file.reading() as connection:
            if connection is None:
                return (), None
            closed = connection.execute(
                "SELECT file, last_seq FROM segment WHERE last_seq>? ORDER BY no LIMIT 1", (after,)
            ).fetchone()
            if closed is None:
                return _select(connection, after, upto, limit, track), None
        file, last = closed
        with self._segment_file(file).reading() as segment:
            if segment is None:
                raise StoreUnreadable(f"{segment_path(self._file.path, file)} is missing")
            end = last if upto is None else min(last, upto)
            return _select(segment, after, end, limit, track), last

    def rows(self, after: int) -> Iterator[JournalRow]:
        """All rows above ``after``, page by page, up to the last at the time of reading."""
        while page := self.page(after):
            yield from page
            after = page[-1].seq

    def between(self, first: int, last: int, track: int) -> tuple[JournalRow, ...]:
        """A track's rows within ``first…last``."""
        found: list[JournalRow] = []
        after: int | None = first - 1
        while after is not None and after < last:
            rows, after = self._read(after, last, PAGE_ROWS, track)
            found += rows
        return tuple(found)

    def _segment_file(self, file: str) -> ReadFile:
        path = segment_path(self._file.path, file)
        if self._segment is None or self._segment.path != path:
            self.close()
            self._segment = ReadFile(path, "segment")
        return self._segment

    def verify(self, newest: int | None = None) -> ChainReport:
        """Computes the chain from its beginning, or of so many newest rows, which the row before them
        begins. Never raises for a damaged record: it names it."""
        after, expected = 0, 1
        self.close()
        self._file.close()  # read from the disk, not from what SQLite remembers of it
        try:
            line_id, heads, last = self._links()
            after = 0 if newest is None else max(0, last - newest)
            expected = after + 1
            head = self._head(after) if after else genesis(line_id)
            for row in self.rows(after):
                if row.seq != expected:
                    return _missing(after, expected)
                head = link(head, row.seq, row.at_us, row.utc_us, row.kind, row.track, row.body)
                if head != row.hash:
                    return _bad(after, expected, f"row {expected} is not what was written")
                if heads.get(row.seq, head) != head:
                    why = f"the segment that ends with row {expected} is not the one closed"
                    return _bad(after, expected, why)
                expected += 1
            if expected <= last:
                return _missing(after, expected)
        except StoreUnreadable as error:
            return _bad(after, expected, str(error))
        return ChainReport(rows=expected - 1 - after, bad_seq=None, why="")

    def _head(self, seq: int) -> bytes:
        """The hash that row ``seq`` has. Raises ``StoreUnreadable`` where it is not there."""
        found = self.page(seq - 1, 1)
        if not found or found[0].seq != seq:
            raise StoreUnreadable(f"row {seq} is not there")
        return found[0].hash

    def _links(self) -> tuple[str, dict[int, bytes], int]:
        """The line's id, the heads at which segments end, and the last row there must be."""
        with self._file.reading() as connection:
            if connection is None:
                raise StoreUnreadable(f"{self._file.path} is missing")
            line = connection.execute("SELECT value FROM meta WHERE key='line_id'").fetchone()
            closed = connection.execute("SELECT last_seq, head FROM segment").fetchall()
            last = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
        heads = {seq: bytes(head) for seq, head in closed}
        return ("" if line is None else str(line[0])), heads, max(last, *heads, 0)


def _bad(after: int, seq: int, why: str) -> ChainReport:
    return ChainReport(rows=seq - 1 - after, bad_seq=JournalSeq(seq), why=why)


def _missing(after: int, seq: int) -> ChainReport:
    return _bad(after, seq, f"row {seq} is not there")


def _select(
    connection: sqlite3.Connection, after: int, last: int | None, limit: int, track: int | None
) -> tuple[JournalRow, ...]:
    wanted: list[Any] = [after]
    where = "seq>?"
    if last is not None:
        where += " AND seq<=?"
        wanted.append(last)
    if track is not None:
        where += " AND track=?"
        wanted.append(track)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM event WHERE {where} ORDER BY seq LIMIT ?",  # noqa: S608 - constants only
        (*wanted, limit),
    )
    return tuple(
        JournalRow(seq=seq, at_us=at_us, utc_us=utc_us, kind=kind, track=of, body=body, hash=bytes(digest))
        for seq, at_us, utc_us, kind, of, body, digest in rows
    )
