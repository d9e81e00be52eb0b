"""Waits for what the line put on record about a cancel; the gateway never answers out of the inbox."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from edge.model.ids import InboxSeq
from edge.store.journal_types import CancelAnswerRow

LookUp = Callable[[Sequence[InboxSeq]], Awaitable[dict[InboxSeq, CancelAnswerRow]]]
"""The journal's standing answers to some inbox rows. Raises ``OSError`` when it cannot be read now."""

_log = structlog.get_logger("gateway")


class CancelWatch:
    """One task looks for all the cancels that wait; it ends when none does."""

    def __init__(self, look_up: LookUp, *, poll_ms: int) -> None:
        self._look_up = look_up
        self._poll_s = poll_ms / 1000
        self._waiting: defaultdict[InboxSeq, list[asyncio.Future[CancelAnswerRow]]] = defaultdict(list)
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unreadable = False

    def rung(self) -> None:
        """The line has committed something: look now."""
        self._rung.set()

    async def answer(self, seq: InboxSeq, *, within_ms: int) -> CancelAnswerRow | None:
        """The line's answer to row ``seq`` (it may be *pending*), or None when none is on record in
        time. A journal that cannot be read is one that has not answered."""
        waiter: asyncio.Future[CancelAnswerRow] = asyncio.get_running_loop().create_future()
        self._waiting[seq].append(waiter)
        self._rung.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="cancel-watch")
        try:
            async with asyncio.timeout(within_ms / 1000):
                return await waiter
        except TimeoutError:
            return None
        finally:
            self._forget(seq, waiter)

    async def close(self) -> None:
        """Requests that still wait go on to their time-out. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _look(self) -> None:
        while self._waiting:
            self._rung.clear()
            for seq, answer in (await self._answers(tuple(self._waiting))).items():
                for waiter in self._waiting.pop(seq, ()):
                    if not waiter.done():
                        waiter.set_result(answer)
            if self._waiting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await self._rung.wait()

    async def _answers(self, seqs: tuple[InboxSeq, ...]) -> dict[InboxSeq, CancelAnswerRow]:
        try:
            found = await self._look_up(seqs)
        except OSError as error:
            if not self._unreadable:
                _log.warning("journal_unreadable", why=str(error))
            self._unreadable = True
            return {}
        if self._unreadable:
            _log.info("journal_readable")
        self._unreadable = False
        return found

    def _forget(self, seq: InboxSeq, waiter: "asyncio.Future[CancelAnswerRow]") -> None:
        waiters = self._waiting.get(seq)
        if waiters is not None:
            with contextlib.suppress(ValueError):
                waiters.remove(waiter)
            if not waiters:
                del self._waiting[seq]
