"""The journal in virtual time: the real schema and the real rows, no thread and no fsync.

Each commit takes the virtual time that ``commit_us`` draws. Until it ends its rows exist for
nobody: they are written into the file only then, and ``crash`` drops them. Commits go one at a
time, in order; what is appended meanwhile makes the next one, as on the writer thread.

Commits that have ended may be gathered in memory and written with others in one transaction of the
file (``gathered_rows``): an hour of a line is then some thousand of them instead of ten thousands.
They are durable all the same: ``flush`` writes them before anyone reads, and so does ``crash``; a
look-up, which reads one table by one key, needs them in the file only where they move what it reads.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from edge.model.ids import InboxSeq, JournalSeq, Waybill
from edge.model.records import Exited, Identified, Missing, ReviewReopened, WorkLeft
from edge.ports.journal import JournalFailed, JournalItem
from edge.store.journal_file import Batch, JournalFile, Snapshot
from edge.store.projections import Row

US = 1_000_000
Moment = Callable[[JournalSeq], None]
"""Told the last row of a commit, just before it is written or just after; may call ``crash``."""


Waiting = tuple[Batch | Snapshot, "Future[JournalSeq] | None"]
_MOVING: Final = frozenset(kind.__name__ for kind in (Identified, Exited, Missing, WorkLeft, ReviewReopened))


class Follower(Protocol):
    """Told all that is durable, in order, when its commit has ended."""

    def note(self, row: Row) -> None: ...

    def note_snapshot(self, state: bytes) -> None: ...


class InlineJournal:
    """A ``Journal`` for simulation. ``path`` may hold an earlier run's record, which goes on.

    ``gathered_rows``: so many rows of ended commits may wait for ``flush``; 0: each commit is written
    as it ends.
    """

    def __init__(
        self,
        path: Path,
        *,
        line_id: str,
        timezone: str,
        commit_us: Callable[[], int],
        before_commit: Moment | None = None,
        after_commit: Moment | None = None,
        gathered_rows: int = 0,
        follower: Follower | None = None,
    ) -> None:
        self._file = JournalFile(path, line_id=line_id, timezone=timezone, synchronous="OFF")
        self._maker = self._file.row_maker()
        self._commit_us = commit_us
        self._before = before_commit
        self._after = after_commit
        self._gathered_rows = gathered_rows
        self._follower = follower
        self._ended: list[Batch | Snapshot] = []
        """Of commits that have ended, not yet in the file."""
        self._ended_rows = 0
        self._moved: set[Waybill] = set()
        """Of those: whose place in table ``shipped``, or whose release in table ``review``, they move."""
        self._reopened = False
        """Among those: an order, of whichever waybills, is to be reviewed anew."""
        self._unproved = self._file.unproved_waybills()
        """Every waybill that ever had an unproved place there, which its next induction takes away."""
        self._last_ended = JournalSeq(self._file.last_seq)
        self._queue: list[Waiting] = []
        self._flying: list[Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle: Future[None] | None = None
        self._failed: JournalFailed | None = None
        self._backlog = 0

    @property
    def last_seq(self) -> JournalSeq:
        """The last row appended, durable or not."""
        return JournalSeq(self._maker.last_seq)

    @property
    def backlog(self) -> int:
        return self._backlog

    def append(self, items: Sequence[JournalItem], inbox_cursor: InboxSeq) -> "Future[JournalSeq]":
        """See ``Journal``; raises ``RowTooLarge``, and ``JournalFailed`` after a failure or crash."""
        if self._failed is not None:
            raise self._failed
        rows = self._maker.make(items)
        done: Future[JournalSeq] = asyncio.get_running_loop().create_future()
        self._queue.append((Batch(rows, inbox_cursor), done))
        self._backlog += len(rows)
        if self._timer is None:
            self._start()
        return done

    def snapshot(self, state: bytes) -> None:
        if self._failed is not None:
            raise self._failed
        self._queue.append((self._maker.snapshot(state), None))
        if self._timer is None:
            self._start()

    def _start(self) -> None:
        """The commit of all that waits."""
        self._flying, self._queue = self._queue, []
        self._timer = asyncio.get_running_loop().call_later(self._commit_us() / US, self._end)

    def _end(self) -> None:
        """The virtual fsync is over."""
        work = self._flying
        pieces = [piece for piece, _ in work]
        rows = [row for piece in pieces if isinstance(piece, Batch) for row in piece.rows]
        last = JournalSeq(rows[-1].seq) if rows else self._last_ended
        if self._before is not None:
            self._before(last)
        if self._failed is not None:
            return
        self._ended += pieces
        self._ended_rows += len(rows)
        for row in rows:
            if row.kind in _MOVING:
                self._note_moved(row.item)
        if self._ended_rows >= self._gathered_rows:
            try:
                self._write()
            except JournalFailed as error:
                self._fail(error)
                return
        self._last_ended = last
        if self._follower is not None:
            _tell(self._follower, pieces)
        if self._after is not None:
            self._after(last)
        if self._failed is not None:
            return
        self._backlog -= len(rows)
        self._flying = []
        self._timer = None
        for piece, done in work:
            if done is not None and isinstance(piece, Batch) and not done.done():
                done.set_result(JournalSeq(piece.rows[-1].seq if piece.rows else last))
        if self._queue:
            self._start()
        elif self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _note_moved(self, item: JournalItem) -> None:
        if isinstance(item, Identified):
            if item.waybill in self._unproved:
                self._moved.add(item.waybill)
        elif isinstance(item, Exited | Missing):
            if item.counts_as_shipped:
                self._moved.add(item.waybill)
                if isinstance(item, Missing) or not item.shipped:
                    self._unproved.add(item.waybill)
        elif isinstance(item, WorkLeft):
            if item.released:
                self._moved.add(item.waybill)
        elif isinstance(item, ReviewReopened):
            self._reopened = True

    def flush_about(self, waybills: Iterable[Waybill]) -> None:
        """What has ended is in the file now as far as look-ups of these waybills can tell; see ``flush``."""
        if self._reopened or not self._moved.isdisjoint(waybills):
            self.flush()

    def flush(self) -> None:
        """What has ended is in the file now. Nothing happens after a failure, a crash or the close.
        Raises ``JournalFailed``, and is of no more use then."""
        if self._failed is not None:
            return
        try:
            self._write()
        except JournalFailed as error:
            self._fail(error)
            raise

    def _write(self) -> None:
        if self._ended:
            self._file.write(self._ended)
            self._ended = []
            self._ended_rows = 0
            self._moved.clear()
            self._reopened = False
            self._file.checkpoint(quiet=False)

    def _fail(self, error: JournalFailed) -> None:
        self._failed = error
        self._drop(lambda done: done.set_exception(error))
        self._file.close()

    def _drop(self, end: Callable[["Future[JournalSeq]"], object]) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _, done in (*self._flying, *self._queue):
            if done is not None and not done.done():
                end(done)
        self._flying = []
        self._queue = []
        self._backlog = 0
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def crash(self) -> None:
        """The process is gone: what was not committed never happened; the file is let go of."""
        self.flush()
        self._failed = JournalFailed("the process has crashed")
        self._drop(lambda done: done.cancel())
        self._file.close()

    async def close(self) -> None:
        """Raises ``JournalFailed`` when something appended could not be made durable."""
        if self._timer is not None:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        self.flush()
        self._file.close()
        if self._failed is not None:
            raise self._failed
        self._failed = JournalFailed("the journal is closed")


def _tell(follower: Follower, pieces: Iterable[Batch | Snapshot]) -> None:
    for piece in pieces:
        if isinstance(piece, Snapshot):
            follower.note_snapshot(piece.state)
        else:
            for row in piece.rows:
                follower.note(row)
