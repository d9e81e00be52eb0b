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
