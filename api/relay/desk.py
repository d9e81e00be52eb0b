"""All targets of one gateway's relay, each with a task of its own: one that is away holds up no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from api.moments import moment
from api.record import LineRecord
from api.relay.cursors import Cursors, DeadLetter
from api.relay.messages import Source
from api.relay.mqtt import MqttTarget
from api.relay.target import Target
from api.relay.webhooks import WebhookTarget
from edge.model.ids import JournalSeq
from edge.store.places import Places
from line_config.relay import Relay

_log = structlog.get_logger("relay")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayTo:
    """The line's description of it; ``site`` is its own place in every topic."""

    site: str
    settings: Relay


NOWHERE: Final = RelayTo(site="", settings=Relay())


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetNow:
    """``lag_rows``: rows of the record that the target has not seen yet."""

    name: str
    kind: str
    up: bool
    why: str
    seen: JournalSeq
    lag_rows: int
    dead_letters: int


class RelayDesk:
    """``open`` may raise ``WriterLocked``, ``SchemaMismatch``, ``SecretUnusable``, ``OSError`` or
    ``sqlite3.Error``. Without targets nothing is opened."""

    def __init__(self, relay: RelayTo, line: str, record: LineRecord, places: Places) -> None:
        self._settings = relay.settings
        self._source = Source(site=relay.site, line=line)
        self._record = record
        self._cursors = Cursors(places.gateway)
        self._tasks: list[asyncio.Task[None]] = []
        self.targets: tuple[Target, ...] = ()

    async def open(self) -> None:
        targets = self._make()
        if targets:
            await self._cursors.open()
        self.targets = targets
        self._tasks = [
            asyncio.create_task(_for_ever(target), name=f"relay {target.name}") for target in targets
        ]

    async def close(self) -> None:
        """What is under way and not acknowledged goes out again at the next start. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._cursors.close()

    def ring(self) -> None:
        """The line has committed something."""
        for target in self.targets:
            target.ring()

    async def now(self) -> tuple[TargetNow, ...]:
        """Raises ``OSError`` or ``sqlite3.Error``."""
        last = await self._record.last_seq()
        return tuple(
            [
                TargetNow(
                    name=target.name,
                    kind=target.kind,
                    up=target.up,
                    why=target.why,
                    seen=target.place.seen,
                    lag_rows=max(0, last - target.place.seen),
                    dead_letters=await self._cursors.dead(target.name),
                )
                for target in self.targets
            ]
        )

    async def dead_letters(self, after: int, limit: int) -> Sequence[DeadLetter]:
        """In the order of their refusals. Raises ``sqlite3.Error``."""
        return await self._cursors.dead_letters(after, limit) if self.targets else ()

    async def send_again(self, letter: int) -> bool:
        """False: there is none of that number. Raises ``sqlite3.Error``."""
        found = bool(self.targets) and await self._cursors.want(letter)
        self.ring()
        return found

    def _make(self) -> tuple[Target, ...]:
        rows, source, one = self._record.rows_after, self._source, self._settings
        webhooks = [WebhookTarget(each, source, rows, self._cursors) for each in one.webhooks]
        if one.mqtt is None:
            return tuple(webhooks)
        return (MqttTarget(one.mqtt, source, rows, self._state, self._cursors), *webhooks)

    async def _state(self) -> dict[str, object]:
        """The line as its record has it, for those who come later."""
        now = await self._record.now()
        line = now.line
        return {
            "site": self._source.site,
            "line": self._source.line,
            "seq": now.seq,
            "state": "" if line is None else line.state,
            "why": "" if line is None else line.why,
            "since": None if line is None else moment(line.since_utc_us),
            "permitted": line is not None and line.permitted,
            "plan": "" if line is None else line.plan,
            "plan_version": 0 if line is None else line.plan_version,
        }


async def _for_ever(target: Target) -> None:
    """An error of ours ends no relay: it is logged whole, shown as the target's, and it begins anew."""
    while True:
        try:
            await target.run()
        except Exception as error:  # noqa: BLE001 - shown and logged; the journal keeps what is to be sent
            _log.error("relay_broke", target=target.name, exc_info=True)
            target.went_down(f"our error: {error!r}")
        await target.pause()
