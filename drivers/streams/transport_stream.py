"""A ``ByteStream`` over any asyncio transport: TCP, serial, or a pipe in memory."""

import asyncio
from collections import deque
from typing import cast

from edge.model.units import US_PER_S, MonoUs
from edge.ports.byte_stream import LinkFailed

MAX_UNREAD = 65_536
"""Bytes that wait for a reader: more than a minute of a 9600-baud scale. A link that is further
behind than that works on the past: the cable is dropped and opened again."""
MAX_UNSENT = 65_536
"""Bytes that the other end does not take."""
CLOSE_S = 1.0
"""For a transport to say that it has closed; then it is aborted."""


class TransportStream(asyncio.Protocol):
    """Stamps each chunk when it comes, however late it is read; one reader, one writer.

    The stamp is the loop's own clock in whole microseconds, so that virtual time needs no other
    stream. ``theirs`` are the errors by which this kind of transport tells that the cable failed.
    """

    def __init__(self, name: str, theirs: tuple[type[Exception], ...] = (OSError,)) -> None:
        self._name = name
        self._theirs = theirs
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[tuple[bytes, MonoUs]] = deque()
        self._unread = 0
        self._waiter: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._failure: str | None = None
        self._cause: Exception | None = None
        self._transport: asyncio.Transport | None = None

    async def read(self) -> tuple[bytes, MonoUs]:
        """One chunk as it came, with its own stamp: what came before a failure is still read."""
        while not self._chunks:
            if self._failure is not None:
                raise LinkFailed(f"{self._name}: {self._failure}") from self._cause
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        chunk = self._chunks.popleft()
        self._unread -= len(chunk[0])
        return chunk

    async def write(self, data: bytes) -> None:
        if self._failure is not None or self._transport is None:
            raise LinkFailed(f"{self._name}: {self._failure or 'not open'}") from self._cause
        try:
            self._transport.write(data)
            unsent = self._transport.get_write_buffer_size()
        except self._theirs as error:
            self._fail(f"write failed: {error}", error)
            raise LinkFailed(f"{self._name}: write failed: {error}") from error
        if unsent > MAX_UNSENT:
            self._fail(f"does not take what is sent ({unsent} bytes wait)", None)
            self._transport.abort()
            raise LinkFailed(f"{self._name}: {self._failure}")

    async def close(self) -> None:
        self._fail("closed by us", None)
        if self._transport is None or self._closed.done():
            return
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.shield(self._closed)
        except TimeoutError:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # By contract of create_connection and serialx: readable and writable.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._failure is not None:
            return
        self._chunks.append((bytes(data), MonoUs(round(self._loop.time() * US_PER_S))))
        self._unread += len(data)
        if self._unread > MAX_UNREAD:
            self._chunks.clear()
            self._unread = 0
            self._fail(f"more than {MAX_UNREAD} bytes unread", None)
            if self._transport is not None:
                self._transport.abort()
            return
        self._wake()

    def eof_received(self) -> bool:
        self._fail("closed by the other end", None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("closed by the other end" if exc is None else f"lost: {exc}", exc)
        if not self._closed.done():
            self._closed.set_result(None)

    def _fail(self, why: str, cause: Exception | None) -> None:
        if self._failure is None:
            self._failure, self._cause = why, cause
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
