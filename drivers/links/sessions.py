"""What the links of talking devices share: one cable a session, and nothing old taken for new."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from edge.model.units import US_PER_MS, US_PER_S, MonoUs
from edge.ports.byte_stream import ByteStream, OpenStream

BACKLOG_MS = 100
"""What comes so soon after the opening has lain in a device server, an adapter or a driver since
before it. A message that really is so new is lost with it: its parcel goes to the exception end."""


@asynccontextmanager
async def opened(
    open_stream: OpenStream, feed: Callable[[bytes, MonoUs], object]
) -> AsyncIterator[ByteStream]:
    """The cable for one session, past its backlog; closed however the session ends.

    The backlog goes through ``feed``, a codec's, and what it makes of it is dropped: so the codec is in
    step, and a message that began before the opening is no message of its own.
    """
    stream = await open_stream()
    try:
        await _discard_backlog(stream, feed)
        yield stream
    finally:
        await stream.close()


async def _discard_backlog(stream: ByteStream, feed: Callable[[bytes, MonoUs], object]) -> None:
    try:
        async with asyncio.timeout(BACKLOG_MS * US_PER_MS / US_PER_S):
            while True:
                feed(*await stream.read())
    except TimeoutError:
        return


class Hearing:
    """When a device was heard last. One timer stands for many messages: it looks when it fires, and is
    set anew for what was heard meanwhile. Before it judges the loop takes a turn: what has come while this
    process stood still is heard. Whole microseconds: virtual time has no smaller ones."""

    def __init__(self, limit_us: int, timeout: asyncio.Timeout) -> None:
        self._limit_us = limit_us
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._due_us = self._now_us() + limit_us
        self._timer: asyncio.Handle = self._loop.call_at(self._due_us / US_PER_S, self._look)

    def heard(self, at_us: MonoUs) -> None:
        """Something came at ``at_us``: from then on it may be silent for the limit."""
        self._due_us = at_us + self._limit_us

    def stop(self) -> None:
        """Nobody listens any more."""
        self._timer.cancel()

    def _now_us(self) -> int:
        return round(self._loop.time() * US_PER_S)

    def _look(self) -> None:
        if not self._heard_anew():
            self._timer = self._loop.call_soon(self._judge)

    def _judge(self) -> None:
        if not self._heard_anew():
            self._timeout.reschedule(self._due_us / US_PER_S)

    def _heard_anew(self) -> bool:
        """Then the timer is set for it."""
        if self._now_us() >= self._due_us:
            return False
        self._timer = self._loop.call_at(self._due_us / US_PER_S, self._look)
        return True


@asynccontextmanager
async def heard_within(limit_us: int) -> AsyncIterator[Hearing]:
    """Raises ``TimeoutError`` when nothing is heard for ``limit_us``, counted from the entry."""
    async with asyncio.timeout(None) as timeout:
        hearing = Hearing(limit_us, timeout)
        try:
            yield hearing
        finally:
            hearing.stop()
