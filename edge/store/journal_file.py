"""journal.db from the writer's side: rows made in order, and written whole commits at a time.

``RowMaker`` numbers and encodes on the thread that appends; ``JournalFile`` chains and writes on
the thread that commits. Both are pure of asyncio; ``journal_writer`` and ``inline_journal`` differ
only in when they call them.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from edge.model.events import LineStarted, WakePurpose, Woke
from edge.model.ids import InboxSeq, Waybill
from edge.model.order import ShippedPlace
from edge.model.records import ClockAgreed, Exited, Missing, TrackOpened
from edge.ports.journal import JournalFailed, JournalItem
from edge.store.chain import genesis, link
from edge.store.errors import RowTooLarge
from edge.store.files import WriterLock, close_writer, make_directory, open_writer, sync_directory
from edge.store.projections import Row, prepare_models, project
from edge.store.rows import encode
from edge.store.schema import migrate

MAX_BODY_BYTES = 1 << 20
"""Largest body of a row: a sort plan of some 5,000 rules; a parcel's rows have hundreds of bytes."""
MAX_SNAPSHOT_BYTES = 16 << 20
"""A core holds open tracks, exits and plans only; ten of the largest plans fit."""
SNAPSHOTS_KEPT = 2
WAL_QUIET_ROWS = 2_000
"""Rows in the WAL (about 1 MB) from which it is moved into the database when nothing waits."""
WAL_LIMIT_ROWS = 20_000
"""The same between two commits although more are waiting."""
_CLOCKS = (ClockAgreed, LineStarted)
_ENDS = (Exited, Missing)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Batch(NamedTuple):
    """One ``append``: whole inputs with all their effects, and the snapshot taken after them."""

    rows: tuple[Row, ...]
    inbox_cursor: InboxSeq


class Snapshot(NamedTuple):
    seq: int
    state: bytes


class RowMaker:
    """Numbers, dates and encodes rows, in the order of the appends."""

    def __init__(self, last_seq: int, open_tracks: dict[tuple[int, int], int]) -> None:
        self.last_seq = last_seq
        self._offset_us: int | None = None
        self._tracks = open_tracks
        """(epoch, PLC number) of open tracks, so that a ring entry's row carries its track."""

    def make(self, items: Sequence[JournalItem]) -> tuple[Row, ...]:
        """Raises ``RowTooLarge`` (nothing is numbered then) and ``TypeError`` for a broken item."""
        bodies = []
        for item in items:
            body = encode(item)
            if len(body) > MAX_BODY_BYTES:
                raise RowTooLarge(f"{type(item).__name__}: {len(body)} bytes, at most {MAX_BODY_BYTES}")
            bodies.append(body)
            if type(item) is TrackOpened:  # comes after the ring entry that it names
                self._tracks[item.epoch, item.number] = item.track
        rows = []
        ended = []
        seq = self.last_seq
        offset_us = self._offset_us
        for item, body in zip(items, bodies, strict=True):
            seq += 1
            cls = type(item)
            if cls in _CLOCKS:
                offset_us = self._offset_us = _offset_of(item)
            elif cls in _ENDS:
                ended.append(item)
            at_us = item.at_us
            utc_us = None if offset_us is None else at_us + offset_us
            track = getattr(item, "track", None)
            track = self._track_named(item) if track is None else track or None
            rows.append(Row(seq, at_us, utc_us, cls.__name__, track, body, item))
        self.last_seq = seq
        for item in ended:
            self._forget(item)
        return tuple(rows)

    def snapshot(self, state: bytes) -> Snapshot:
        """As of the last row made. Raises ``RowTooLarge``."""
        if len(state) > MAX_SNAPSHOT_BYTES:
            raise RowTooLarge(f"core snapshot: {len(state)} bytes, at most {MAX_SNAPSHOT_BYTES}")
        return Snapshot(seq=self.last_seq, state=state)

    def _forget(self, item: JournalItem) -> None:
        track = getattr(item, "track", 0)
        for key in [key for key, open_track in self._tracks.items() if open_track == track]:
            del self._tracks[key]

    def _track_named(self, item: JournalItem) -> int | None:
        """By an item without a field ``track``."""
        number = getattr(item, "number", 0)
        if number:
            return self._tracks.get((getattr(item, "epoch", 0), number))
        if isinstance(item, Woke) and item.purpose is not WakePurpose.CANCEL_LIMIT:
            return item.ref or None
        return None


def _offset_of(item: JournalItem) -> int | None:
    """From the monotonic clock to UTC; None: a new run has a new monotonic clock."""
    return item.utc_us - item.at_us if isinstance(item, ClockAgreed) else None


class JournalFile:
    """The open journal of one line. Raises ``WriterLocked``, ``SchemaMismatch``, ``JournalFailed``.

    ``timezone`` (IANA) is the site's: it says where a day of the record ends.
    ``synchronous``: ``FULL``, or ``OFF`` in simulation only.
    """

    def __init__(self, path: Path, *, line_id: str, timezone: str, synchronous: str) -> None:
        make_directory(path.parent)
        self.path = path
        self._zone = ZoneInfo(timezone)
        self._lock = WriterLock(path)
        try:
            self.connection = open_writer(path, synchronous=synchronous)
            try:
                migrate(self.connection, "journal", path)
                sync_directory(path.parent)
                self._load(line_id)
            except BaseException:
                self.connection.close()
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, sqlite3.Error):
                raise JournalFailed(f"{path}: {error}; the journal cannot be opened") from error
            raise

    def _load(self, line_id: str) -> None:
        connection = self.connection
        known = dict(connection.execute("SELECT key, value FROM meta"))
        if known.setdefault("line_id", line_id) != line_id:
            raise JournalFailed(f"{self.path} is the record of line {known['line_id']}, not of {line_id}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('line_id', ?)", (line_id,))
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('inbox_cursor', '0')")
        prepare_models(connection)
        connection.execute("COMMIT")
        self.inbox_cursor = int(known.get("inbox_cursor", "0"))
        last = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        closed = connection.execute("SELECT last_seq, head FROM segment ORDER BY no DESC LIMIT 1").fetchone()
        ends = [end for end in (last, closed) if end is not None]
        self.last_seq: int
        self._head: bytes
        self.last_seq, self._head = max(ends) if ends else (0, genesis(line_id))
        self._unmoved_rows = 0
        self.days_begun = connection.execute("SELECT count(*) FROM day").fetchone()[0]
        newest = connection.execute("SELECT day FROM day ORDER BY day DESC LIMIT 1").fetchone()
        self._day: str | None = None if newest is None else newest[0]
        self._day_ends_us = 0 if self._day is None else self._end_of(self._day)

    def row_maker(self) -> RowMaker:
        """Goes on where the file ends."""
        tracks = {
            (epoch, number): track
            for epoch, number, track in self.connection.execute(
                "SELECT epoch, number, track FROM parcel WHERE last_seq IS NULL"
            )
        }
        return RowMaker(self.last_seq, tracks)

    def unproved_waybills(self) -> set[Waybill]:
        """Those that count as shipped and whose place is not proved."""
        found = self.connection.execute(
            "SELECT waybill FROM shipped WHERE place=?", (ShippedPlace.UNPROVED.value,)
        )
        return {Waybill(waybill) for (waybill,) in found}

    def write(self, work: Sequence[Batch | Snapshot]) -> None:
        """One durable transaction of whole batches, in order. After ``JournalFailed`` nothing of
        it is in the file, and the object is of no more use."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            batches = [piece for piece in work if isinstance(piece, Batch)]
            self._write_rows([row for batch in batches for row in batch.rows])
            self._move_cursor(batches)
            for piece in work:
                if isinstance(piece, Snapshot):
                    self._write_snapshot(piece)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalFailed(f"{self.path}: {error}; the journal cannot be written") from error

    def _write_rows(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        execute = self.connection.execute
        head = self._head
        chained = []
        for row in rows:
            seq, at_us, utc_us, kind, track, body, _ = row
            head = link(head, seq, at_us, utc_us, kind, track, body)
            chained.append((seq, at_us, utc_us, kind, track, body, head))
            if utc_us is not None and utc_us >= self._day_ends_us:
                self._begin_day(seq, utc_us)
        self.connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", chained)
        self._head = head
        for row in rows:
            project(execute, row)
        self.last_seq = rows[-1].seq
        self._unmoved_rows += len(rows)

    def _move_cursor(self, batches: Sequence[Batch]) -> None:
        cursor = self.inbox_cursor
        for batch in batches:
            if batch.inbox_cursor < cursor:
                raise JournalFailed(f"the inbox cursor fell from {cursor} to {batch.inbox_cursor}")
            cursor = batch.inbox_cursor
        if cursor != self.inbox_cursor:
            self.inbox_cursor = cursor
            self.connection.execute("UPDATE meta SET value=? WHERE key='inbox_cursor'", (str(cursor),))

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        execute = self.connection.execute
        execute(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)",
            (snapshot.seq, snapshot.state, sha256(snapshot.state).digest()),
        )
        execute(
            "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT ?)",
            (SNAPSHOTS_KEPT,),
        )

    def _begin_day(self, seq: int, utc_us: int) -> None:
        day = (_EPOCH + timedelta(microseconds=utc_us)).astimezone(self._zone).strftime("%Y%m%d")
        first = 1 if self._day is None else seq
        self.connection.execute("INSERT INTO day VALUES (?, ?)", (day, first))
        self._day = day
        self._day_ends_us = self._end_of(day)
        self.days_begun += 1

    def hash_before(self, seq: int) -> bytes:
        """The chain's head before row ``seq``, which is the first of the log or follows a segment."""
        execute = self.connection.execute
        row = execute("SELECT head FROM segment WHERE last_seq=?", (seq - 1,)).fetchone()
        if row is not None:
            return bytes(row[0])
        return genesis(execute("SELECT value FROM meta WHERE key='line_id'").fetchone()[0])

    def _end_of(self, day: str) -> int:
        """The first microsecond of the day after."""
        date = datetime.strptime(day, "%Y%m%d").date() + timedelta(days=1)  # noqa: DTZ007 - only its date
        midnight = datetime(date.year, date.month, date.day, tzinfo=self._zone)
        return (midnight - _EPOCH) // timedelta(microseconds=1)

    def checkpoint(self, *, quiet: bool) -> bool:
        """Move the WAL into the database once enough rows are in it; True when it was done."""
        if self._unmoved_rows < (WAL_QUIET_ROWS if quiet else WAL_LIMIT_ROWS):
            return False
        self._unmoved_rows = 0
        try:
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise JournalFailed(f"{self.path}: {error}; the journal cannot be checkpointed") from error
        return True

    def close(self) -> None:
        """Idempotent; leaves no WAL to move."""
        close_writer(self.connection)
        self._lock.release()
