"""The journal as a stream: every durable row once, encoded once for everybody who follows.

A follower is a cursor, never a queue: what is no longer among the rows kept is read from the journal
again, so none of it can be lost, and a follower costs no memory but the page it is being sent.
"""

import asyncio
import contextlib
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog

from api.moments import moment
from edge.model.ids import JournalSeq
from edge.store.journal_types import JournalRow

ReadRows = Callable[[JournalSeq, int], Awaitable[tuple[JournalRow, ...]]]
"""Durable rows above a sequence, at most so many. Raises ``OSError`` when they cannot be read now."""
ReadLast = Callable[[], Awaitable[JournalSeq]]

PAGE_ROWS: Final = 200
"""Rows handed on at once."""
PAGE_BYTES: Final = 256 * 1024
"""The same in bytes, once there is one row: a sort plan is a row of up to 1 MB."""
KEPT_ROWS: Final = 1_000
"""Newest rows kept for those who follow live: some 10 s at 12,000 parcels an hour."""
KEPT_BYTES: Final = 4 * 1024 * 1024
POLL_MS: Final = 250
"""Looks at the journal beside the line's bell."""

_log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class FedRow:
    """``text``: the row as clients get it, one JSON object."""

    seq: JournalSeq
    kind: str
    text: str


class FeedFull(Exception):
    """As many follow already as may."""


def fed(row: JournalRow) -> FedRow:
    """The body is canonical JSON already and goes on as it stands."""
    track = "null" if row.track is None else row.track
    at = json.dumps(moment(row.utc_us))
    text = (
        f'{{"seq":{row.seq},"at":{at},"at_us":{row.at_us},"kind":"{row.kind}",'
        f'"track":{track},"body":{row.body}}}'
    )
    return FedRow(seq=row.seq, kind=row.kind, text=text)


def page_of(rows: tuple[JournalRow, ...], kinds: frozenset[str]) -> tuple[tuple[FedRow, ...], JournalSeq]:
    """Those of ``kinds`` (empty: of any kind) up to ``PAGE_BYTES``, and the last row looked at, 0 if none."""
    page: list[FedRow] = []
    size, seen = 0, JournalSeq(0)
    for row in rows:
        if page and size + len(row.body) > PAGE_BYTES:
            break
        seen = row.seq
        if not kinds or row.kind in kinds:
            page.append(fed(row))
            size += len(row.body)
    return tuple(page), seen


class EventFeed:
    """One task reads the journal while anybody follows it. ``places`` may follow at once, ``per_key``
    of them with one key."""

    def __init__(self, read: ReadRows, last: ReadLast, *, places: int, per_key: int) -> None:
        self._read = read
        self._last = last
        self._places = places
        self._per_key = per_key
        self._followers: Counter[str] = Counter()
        self._kept: deque[FedRow] = deque()
        self._kept_bytes = 0
        self._rung = asyncio.Event()
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._unreadable = False

    def rung(self) -> None:
        """The line has committed something: look now."""
        self._rung.set()

    @property
    def followers(self) -> int:
        return self._followers.total()

    async def last(self) -> JournalSeq:
        """The newest durable row. Raises ``OSError``."""
        return await self._last()

    @contextmanager
    def place(self, key: str) -> Iterator[None]:
        """One follower's. Raises ``FeedFull``."""
        if self._followers.total() >= self._places or self._followers[key] >= self._per_key:
            raise FeedFull
        self._followers[key] += 1
        try:
            yield
        finally:
            self._followers[key] -= 1

    async def follow(self, after: JournalSeq, *, beat_ms: int) -> AsyncGenerator[tuple[FedRow, ...], None]:
        """Pages of rows above ``after``, in order and without a gap, for ever; an empty one whenever
        nothing has come for ``beat_ms``. Ends when the feed is closed; raises ``OSError`` when rows
        that are no longer kept cannot be read."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            moved = self._watch()
            page = self._kept_after(after)
            if page is None:
                page = tuple(fed(row) for row in await self._read(after, PAGE_ROWS))
            if page:
                page = _cut(page)
                after = page[-1].seq
                yield page
                continue
            until = loop.time() + beat_ms / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await moved.wait()
                    continue
            if not self._closed:
                yield ()

    async def close(self) -> None:
        """Everybody's stream ends. Idempotent."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def end(self) -> None:
        """As ``close``, without waiting for the reader."""
        self._closed = True
        self._wake()

    def _watch(self) -> asyncio.Event:
        """What is set when more has come; the reader is started where it does not run."""
        if self._task is None or self._task.done():
            self._kept.clear()
            self._kept_bytes = 0
            self._task = asyncio.create_task(self._keep(), name="event-feed")
        return self._moved

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _kept_after(self, after: JournalSeq) -> tuple[FedRow, ...] | None:
        """None: not all that comes after ``after`` is kept."""
        if not self._kept or after + 1 < self._kept[0].seq:
            return None
        first = after + 1 - self._kept[0].seq
        return tuple(islice(self._kept, first, first + PAGE_ROWS))

    async def _keep(self) -> None:
        """Reads on from the newest row while anybody follows."""
        cursor: JournalSeq | None = None
        while self._followers.total() and not self._closed:
            self._rung.clear()
            try:
                cursor = await self._last() if cursor is None else cursor
                while rows := await self._read(cursor, PAGE_ROWS):
                    cursor = rows[-1].seq
                    self._keep_rows(rows)
                    self._wake()
                self._readable()
            except OSError as error:
                self._not_readable(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_MS / 1000):
                    await self._rung.wait()

    def _keep_rows(self, rows: tuple[JournalRow, ...]) -> None:
        for row in map(fed, rows):
            self._kept.append(row)
            self._kept_bytes += len(row.text)
        while len(self._kept) > KEPT_ROWS or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().text)

    def _not_readable(self, error: OSError) -> None:
        if not self._unreadable:
            _log.warning("journal_unreadable", why=str(error))
        self._unreadable = True

    def _readable(self) -> None:
        if self._unreadable:
            _log.info("journal_readable")
        self._unreadable = False


def _cut(page: tuple[FedRow, ...]) -> tuple[FedRow, ...]:
    """Up to ``PAGE_BYTES``, at least one."""
    size = 0
    for count, row in enumerate(page):
        size += len(row.text)
        if size > PAGE_BYTES and count:
            return page[:count]
    return page
