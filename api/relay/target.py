"""What every target of the relay has: a place in the record, a state to show, and a bell."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from api.relay.cursors import START
from edge.model.ids import JournalSeq
from edge.store.journal_types import JournalRow

ReadRows = Callable[[JournalSeq, int], Awaitable[tuple[JournalRow, ...]]]
"""Durable rows above a sequence, at most so many. Raises ``OSError`` when they cannot be read now."""

PAGE_ROWS: Final = 200
"""Rows read at once: with what is under way, all that a target keeps in memory."""
POLL_MS: Final = 250
"""Looks at the journal beside the line's bell."""
FIRST_DELAY_MS: Final = 500
LAST_DELAY_MS: Final = 30_000
"""Between two tries to reach a target that is away."""

_log = structlog.get_logger("relay")


class Target(ABC):
    """Where the record goes. ``place``: how far it has come there; ``why``: what is wrong, else empty."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.up = False
        self.why = "not tried yet"
        self.place = START
        self.sent = 0
        self.failed = 0
        self.dead = 0
        """Dead letters that are kept."""
        self._rung = asyncio.Event()
        self._delay_ms = FIRST_DELAY_MS

    @property
    def seen(self) -> int:
        """The last row of the record that it has dealt with."""
        return self.place.seen

    def ring(self) -> None:
        """There may be more in the journal, or a dead letter is wanted again."""
        self._rung.set()

    def came_up(self) -> None:
        self._delay_ms = FIRST_DELAY_MS
        if not self.up:
            _log.info("relay_up", target=self.name)
        self.up, self.why = True, ""

    def went_down(self, why: str) -> None:
        """Logged once; counted each time."""
        self.failed += 1
        if self.up or self.why in ("", "not tried yet"):
            _log.warning("relay_down", target=self.name, why=why)
        self.up, self.why = False, why

    @abstractmethod
    async def run(self) -> None:
        """Never ends by itself; what the target, the record or gateway.db cannot do now is tried again."""

    async def pause(self, at_least_s: float = 0.0) -> None:
        """Before the next try; longer each time that it fails."""
        await asyncio.sleep(max(at_least_s, self._delay_ms / 1000))
        self._delay_ms = min(self._delay_ms * 2, LAST_DELAY_MS)

    async def more(self) -> None:
        """Until the bell rings, or for the poll's time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_MS / 1000):
                await self._rung.wait()
        self._rung.clear()
