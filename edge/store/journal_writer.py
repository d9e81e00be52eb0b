"""The journal on disk: one writer thread, one transaction for all that waits, one fsync.

Rows are numbered and encoded where they are appended; the thread chains and writes them and
tells the loop once per transaction. A failed commit ends everything: the file is as it was, every
future fails, and every later append raises.
"""

import asyncio
import threading
from asyncio import Future
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.model.ids import InboxSeq, JournalSeq
from edge.ports.journal import JournalFailed, JournalItem
from edge.store.journal_file import Batch, JournalFile, Snapshot
from edge.store.segments import Rotation

MAX_COMMIT_ROWS = 1_024
"""Rows of one transaction (about 10 ms of work): those behind it wait no longer than that."""
MAX_BACKLOG_ROWS = 65_536
"""Far over the 4,096 at which the runtime stops induction: beyond it the disk has stood for
minutes, and the process ends rather than hold the day's record in memory."""

Piece = tuple[Batch | Snapshot, "Future[JournalSeq] | None"]


class JournalWriter:
    """A ``Journal``. ``append``, ``snapshot`` and ``close`` are called from the loop it is made on.

    Raises ``WriterLocked``, ``SchemaMismatch`` or ``JournalFailed`` when made.
    """

    def __init__(self, path: Path, *, line_id: str, timezone: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._file = JournalFile(path, line_id=line_id, timezone=timezone, synchronous="FULL")
        self._maker = self._file.row_maker()
        self._queue: deque[Piece] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._backlog = 0
        self._failed: JournalFailed | None = None
        self._ended: Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def last_seq(self) -> JournalSeq:
        """The last row appended, durable or not."""
        return JournalSeq(self._maker.last_seq)

    @property
    def backlog(self) -> int:
        return self._backlog

    def append(self, items: Sequence[JournalItem], inbox_cursor: InboxSeq) -> "Future[JournalSeq]":
        """See ``Journal``; raises ``RowTooLarge``, and ``JournalFailed`` once the journal is closed
        or has failed."""
        self._check_open()
        if self._backlog + len(items) > MAX_BACKLOG_ROWS:
            raise JournalFailed(f"{self._file.path}: {self._backlog} rows wait for the disk")
        rows = self._maker.make(items)
        done: Future[JournalSeq] = self._loop.create_future()
        self._backlog += len(rows)
        self._push((Batch(rows=rows, inbox_cursor=inbox_cursor), done))
        return done

    def snapshot(self, state: bytes) -> None:
        """See ``Journal``; raises as ``append``."""
        self._check_open()
        self._push((self._maker.snapshot(state), None))

    def _check_open(self) -> None:
        if self._failed is not None:
            raise self._failed
        if self._closing:
            raise JournalFailed("the journal is closed")

    def _push(self, piece: Piece) -> None:
        with self._wake:
            self._queue.append(piece)
            self._wake.notify()

    async def close(self) -> None:
        """Idempotent. Raises ``JournalFailed`` when something appended was not made durable."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.shield(self._ended)
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    # -- on the loop, called by the thread ---------------------------------------------------------

    def _committed(self, pieces: list[Piece]) -> None:
        for piece, done in pieces:
            if isinstance(piece, Batch):
                self._backlog -= len(piece.rows)
                if done is not None and not done.done():
                    done.set_result(JournalSeq(piece.rows[-1].seq if piece.rows else 0))

    def _has_failed(self, error: JournalFailed, pieces: list[Piece]) -> None:
        self._failed = error
        with self._wake:
            pieces = [*pieces, *self._queue]
            self._queue.clear()
        for _, done in pieces:
            if done is not None and not done.done():
                done.set_exception(error)

    def _has_ended(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    # -- on the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        pieces: list[Piece] = []
        try:
            rotation = Rotation(self._file)
            while True:
                pieces = self._take(idle=not rotation.due())
                if pieces:
                    self._file.write([piece for piece, _ in pieces])
                    self._tell(self._committed, pieces)
                    pieces = []
                elif self._closing:
                    break
                with self._wake:
                    quiet = not self._queue
                if not self._file.checkpoint(quiet=quiet) and quiet:
                    rotation.step()
        except JournalFailed as error:
            self._tell(self._has_failed, error, pieces)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the process: as JournalFailed
            failed = JournalFailed(f"{self._file.path}: {error!r}")
            failed.__cause__ = error
            self._tell(self._has_failed, failed, pieces)
        finally:
            self._file.close()
            self._tell(self._has_ended)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            # Nobody is left to tell: the loop ended without ``close``, as in a crash.

    def _take(self, *, idle: bool) -> list[Piece]:
        """What waits, at most ``MAX_COMMIT_ROWS`` rows or one append; waits for it when ``idle``."""
        taken: list[Piece] = []
        rows = 0
        with self._wake:
            while idle and not self._queue and not self._closing:
                self._wake.wait()
            while self._queue:
                piece = self._queue[0][0]
                rows += len(piece.rows) if isinstance(piece, Batch) else 1
                if taken and rows > MAX_COMMIT_ROWS:
                    break
                taken.append(self._queue.popleft())
        return taken
