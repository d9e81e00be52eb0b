"""The gateway's parts, opened together and closed in turn."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog

from api.bells import LineBell, OwnBell
from api.bulk import BulkTurns
from api.cancels import CancelWatch
from api.clock import utc_now
from api.console import ConsoleSocket, Json, answered
from api.feed import EventFeed
from api.http.auth import FIRST_KEYS, KeyRing, issue_key, write_first_keys
from api.http.metrics import GatewayMetrics
from api.http.problems import Problem, Slug
from api.intake import Intake, IntakeAnswer, OrderPut
from api.key_desk import ADMIN_ROLE, Asked
from api.line_process import LineProcess
from api.pictures import LabelPictures
from api.record import LineRecord
from api.relay.desk import NOWHERE, RelayDesk, RelayTo
from api.settings import GatewaySettings
from api.writer import WriterBusy, WriterThread
from edge.model.topology import Topology
from edge.store.inbox_types import Actor
from edge.store.inbox_writer import InboxWriter
from edge.store.places import Places
from line_config.reasons import ReasonEntry

RETRY_AFTER_S = 1
FIRST_KEYS_FILE = "first-keys.json"
"""The first start's keys in clear, 0600: taken and deleted by a person."""
FIRST_START = Actor(id="first-start", role=ADMIN_ROLE)
T = TypeVar("T")
_log = structlog.get_logger("gateway")


class Gateway:
    """What every router works with. ``open`` before the first request, ``close`` after the last."""

    def __init__(
        self,
        settings: GatewaySettings,
        line: Topology,
        places: Places,
        relay: RelayTo = NOWHERE,
        reasons: Sequence[ReasonEntry] = (),
    ) -> None:
        self.settings = settings
        self.line = line
        self.places = places
        self.reasons = {entry.reason.value: entry for entry in reasons}
        self.chute_kinds = {chute.id: chute.kind for chute in line.chutes}
        self.metrics = GatewayMetrics()
        self.keys = KeyRing(())
        self.record = LineRecord(places)
        self.pictures = LabelPictures(places, line.readers)
        self.cancels = CancelWatch(self.record.cancel_answers, poll_ms=settings.cancel_poll_ms)
        self.feed = EventFeed(
            self.record.rows_after,
            self.record.last_seq,
            places=settings.streams_max,
            per_key=settings.streams_per_key,
        )
        self.bulk_turns = BulkTurns()
        self.exporting = asyncio.Semaphore(settings.exports_max)
        self.metrics.streams.set_function(lambda: self.feed.followers)
        self.relay = RelayDesk(relay, line.line_id, self.record, places)
        self.metrics.watch_relay(lambda: self.relay.targets)
        self.process = LineProcess(places.line_metrics, settings)
        self.writer = WriterThread(
            self._open_inbox,
            self._close_inbox,
            limit=settings.writes_max,
            committed=self._committed,
        )
        self.metrics.writes_waiting.set_function(lambda: self.writer.waiting)
        self._inbox: InboxWriter | None = None
        self._line_bell = LineBell(places.line_bell)
        self._console = ConsoleSocket(places.console, self._console_asks)
        self._own_bell = OwnBell(places.gateway_bell, self._rung)

    async def open(self) -> None:
        """Raises ``WriterLocked``, ``KeysUnreadable``, ``SecretUnusable``, ``SchemaMismatch``, ``OSError`` or
        ``sqlite3.Error``."""
        await self.writer.start()
        self.keys = await self.writer.call(self._key_ring, writes=False)
        await self.relay.open()
        self._own_bell.open()
        await self._console.open()

    async def close(self) -> None:
        """Everything that was taken is written. Idempotent."""
        self._own_bell.close()
        await self._console.close()
        await self.feed.close()
        await self.relay.close()
        await self.writer.stop()
        await self.cancels.close()
        await self.record.close()
        await self.pictures.close()
        self._line_bell.close()

    async def write(self, run: Callable[[Intake], T]) -> T:
        """One message to the inbox, durable. Raises ``Problem`` (503)."""
        async with self._store():
            return await self.writer.call(run)

    async def read(self, run: Callable[[Intake], T]) -> T:
        """One look into the inbox. Raises ``Problem`` (503)."""
        async with self._store():
            return await self.writer.call(run, writes=False)

    async def put_orders(self, puts: Sequence[OrderPut]) -> tuple[IntakeAnswer, ...]:
        """All of them durable, in groups between which other requests are served. Raises ``Problem``."""
        async with self._store():
            return await self.writer.put_orders(puts)

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[None]:
        """Bounds the wait, and makes the store's troubles ours to tell."""
        try:
            async with asyncio.timeout(self.settings.write_wait_ms / 1000):
                yield
        except WriterBusy as error:
            raise Problem(Slug.OVERLOADED, retry_after_s=RETRY_AFTER_S) from error
        except TimeoutError as error:
            raise Problem(Slug.STORE_UNAVAILABLE, "too slow", retry_after_s=RETRY_AFTER_S) from error
        except (sqlite3.Error, OSError) as error:
            _log.error("inbox_failed", why=str(error))
            raise Problem(Slug.STORE_UNAVAILABLE, retry_after_s=RETRY_AFTER_S) from error

    async def recorded(self, asked: Awaitable[T]) -> T:
        """What the record says. Raises ``Problem`` (503) when it cannot be read now."""
        try:
            return await asked
        except (OSError, sqlite3.Error) as error:
            _log.error("record_unreadable", why=str(error))
            raise Problem(Slug.STORE_UNAVAILABLE, retry_after_s=RETRY_AFTER_S) from error

    async def _console_asks(self, question: Json, asked: Asked) -> Json:
        """A new key is good, and a withdrawn one refused, from the answer on."""

        def run(_: Intake) -> tuple[Json, KeyRing]:
            assert self._inbox is not None
            return answered(self._inbox, question, asked), KeyRing(self._inbox.api_keys())

        said, self.keys = await self.writer.call(run, writes=False)
        return said

    def _rung(self) -> None:
        self.cancels.rung()
        self.feed.rung()
        self.relay.ring()

    def _open_inbox(self) -> Intake:
        self._inbox = InboxWriter(self.places.inbox)
        return Intake(self._inbox, self.line.chutes, self.line.read.patterns)

    def _close_inbox(self) -> None:
        if self._inbox is not None:
            self._inbox.close()

    def _committed(self, took_s: float) -> None:
        self._line_bell.ring()
        self.metrics.committed(took_s)
        if self._inbox is not None:
            self.metrics.inbox_seq.set(self._inbox.last_seq)

    def _key_ring(self, _: Intake) -> KeyRing:
        """The keys in force; at the first start, new ones. Their texts are durable before their hashes,
        so no key can be in force that nobody was given."""
        assert self._inbox is not None
        keys = self._inbox.api_keys()
        if not keys:
            pairs = [issue_key(name, role, utc_now()) for name, role in FIRST_KEYS]
            write_first_keys(self.places.data / FIRST_KEYS_FILE, [pair[0] for pair in pairs])
            for pair in pairs:
                self._inbox.add_api_key(pair[1], FIRST_START)
            keys = self._inbox.api_keys()
            _log.warning(
                "first_keys_written", file=str(self.places.data / FIRST_KEYS_FILE), do="take them, delete it"
            )
        return KeyRing(keys)
