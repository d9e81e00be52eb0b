"""gateway.db: how far each target is, and what it would not take. Losing it repeats, and loses nothing.

One thread owns the connection; WAL and NORMAL, for a cursor that a power cut sets back only repeats.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from api.relay.messages import Outgoing
from edge.model.ids import JournalSeq
from edge.model.units import UtcUs
from edge.store.files import WriterLock, make_directory, open_writer
from edge.store.schema import migrate

T = TypeVar("T")
DEAD_LETTERS_MAX: Final = 10_000
"""Of one target. More than a person will ever look at: the target waits then, and nothing is dropped."""
CHECKPOINT_EVERY: Final = 1_000
"""Writes between two moves of the WAL into the database."""


@dataclass(frozen=True, slots=True)
class Place:
    """``seen``: the last row dealt with; ``sent``: the last one that was a message for the target."""

    seen: JournalSeq
    sent: JournalSeq


START: Final = Place(JournalSeq(0), JournalSeq(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that ``target`` refused ``tries`` times, last because of ``why``; of them ``retries`` out of
    turn. ``due_utc_us``: when it is sent again by itself; None: only when a person wants it."""

    id: int
    target: str
    seq: JournalSeq
    message_id: str
    kind: str
    body: str
    tries: int
    why: str
    tried_utc_us: UtcUs
    wanted: bool
    retries: int
    due_utc_us: UtcUs | None


class Cursors:
    """Every call may raise ``sqlite3.Error``; ``open`` also ``WriterLocked`` and ``SchemaMismatch``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay-cursors")
        self._lock: WriterLock | None = None
        self._connection: sqlite3.Connection | None = None
        self._writes = 0

    async def open(self) -> None:
        await self._run(self._open)

    async def close(self) -> None:
        """Idempotent."""
        if self._connection is not None:
            await self._run(self._close)
        await asyncio.to_thread(self._thread.shutdown)

    async def place(self, target: str) -> Place:
        """Where the target goes on; the beginning for a new one."""
        found = await self._ask("SELECT seen, sent FROM relay_cursor WHERE target=?", target)
        return Place(JournalSeq(found[0][0]), JournalSeq(found[0][1])) if found else START

    async def advance(self, target: str, place: Place) -> None:
        await self._write(
            "INSERT OR REPLACE INTO relay_cursor VALUES (?, ?, ?)", target, place.seen, place.sent
        )

    async def bury(
        self, target: str, message: Outgoing, tries: int, why: str, utc_us: UtcUs, due_utc_us: UtcUs
    ) -> bool:
        """Keep a message that was refused. False: the target has too many already."""
        if await self.dead(target) >= DEAD_LETTERS_MAX:
            return False
        await self._write(
            "INSERT INTO dead_letter"
            " (target, seq, message_id, kind, body, tries, why, tried_utc_us, wanted, retries, due_utc_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?) ON CONFLICT (target, seq) DO UPDATE SET"
            " tries=excluded.tries, why=excluded.why, tried_utc_us=excluded.tried_utc_us, wanted=0,"
            " retries=0, due_utc_us=excluded.due_utc_us",
            *(target, message.seq, message.id, message.kind, message.text, tries, why, utc_us, due_utc_us),
        )
        return True

    async def dead(self, target: str) -> int:
        """How many of the target's are kept."""
        found = await self._ask("SELECT count(*) FROM dead_letter WHERE target=?", target)
        return int(found[0][0])

    async def dead_letters(self, after: int, limit: int) -> tuple[DeadLetter, ...]:
        """Of every target, in the order of their refusals."""
        rows = await self._ask(f"{_SELECT} WHERE id>? ORDER BY id LIMIT ?", after, limit)
        return tuple(_letter(row) for row in rows)

    async def next_letter(self, target: str, now: UtcUs) -> DeadLetter | None:
        """The oldest that a person wants sent again, else the one that has been due for longest."""
        rows = await self._ask(
            f"{_SELECT} WHERE target=? AND (wanted OR due_utc_us<=?)"
            " ORDER BY wanted DESC, due_utc_us, id LIMIT 1",
            target,
            now,
        )
        return _letter(rows[0]) if rows else None

    async def want(self, letter: int) -> bool:
        """Have it sent again. False: there is none of that number."""
        return await self._write("UPDATE dead_letter SET wanted=1 WHERE id=?", letter) > 0

    async def forget(self, letter: int) -> None:
        """It was taken after all."""
        await self._write("DELETE FROM dead_letter WHERE id=?", letter)

    async def refused_again(
        self, letter: DeadLetter, why: str, utc_us: UtcUs, retries: int, due_utc_us: UtcUs | None
    ) -> None:
        await self._write(
            "UPDATE dead_letter SET tries=tries+1, why=?, tried_utc_us=?, wanted=0, retries=?, due_utc_us=?"
            " WHERE id=?",
            *(why, utc_us, retries, due_utc_us, letter.id),
        )

    def _open(self) -> None:
        make_directory(self._path.parent)
        self._lock = WriterLock(self._path)
        try:
            self._connection = open_writer(self._path, synchronous="NORMAL")
            migrate(self._connection, "gateway", self._path)
        except BaseException:
            self._lock.release()
            raise

    def _close(self) -> None:
        assert self._connection is not None
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._connection = None
        if self._lock is not None:
            self._lock.release()

    async def _run(self, what: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, what)

    async def _ask(self, query: str, *values: object) -> list[tuple[int, ...]]:
        def ask() -> list[tuple[int, ...]]:
            assert self._connection is not None
            return self._connection.execute(query, values).fetchall()

        return await self._run(ask)

    async def _write(self, statement: str, *values: object) -> int:
        def write() -> int:
            assert self._connection is not None
            changed = self._connection.execute(statement, values).rowcount
            self._writes += 1
            if self._writes % CHECKPOINT_EVERY == 0:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return changed

        return await self._run(write)


_SELECT: Final = (
    "SELECT id, target, seq, message_id, kind, body, tries, why, tried_utc_us, wanted,"
    " retries, due_utc_us FROM dead_letter"
)


def _letter(row: tuple[object, ...]) -> DeadLetter:
    number, target, seq, message_id, kind, body, tries, why, tried, wanted, retries, due = row
    return DeadLetter(
        id=int(str(number)),
        target=str(target),
        seq=JournalSeq(int(str(seq))),
        message_id=str(message_id),
        kind=str(kind),
        body=str(body),
        tries=int(str(tries)),
        why=str(why),
        tried_utc_us=UtcUs(int(str(tried))),
        wanted=bool(wanted),
        retries=int(str(retries)),
        due_utc_us=None if due is None else UtcUs(int(str(due))),
    )
