"""TCP cables, both ways round: most devices listen, some call us."""

import asyncio
import socket

from drivers.streams.transport_stream import TransportStream
from edge.model.units import US_PER_MS, US_PER_S
from edge.ports.byte_stream import LinkFailed

KEEPALIVE_IDLE_S = 2
KEEPALIVE_EVERY_S = 1
KEEPALIVE_PROBES = 3
"""A device that lost its power says no goodbye: it is missed after five seconds."""
CONNECT_MS = 1_000
CALLED_MS = 5_000


async def open_tcp(host: str, port: int, *, connect_ms: int = CONNECT_MS) -> TransportStream:
    """Call a device that listens; raises ``LinkFailed`` when it does not answer in ``connect_ms``.

    ``host`` is an address: a name would be looked up in a thread, and device networks have no DNS.
    """
    name = f"tcp {host}:{port}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connect_ms * US_PER_MS / US_PER_S):
            transport, stream = await loop.create_connection(lambda: TransportStream(name), host, port)
    except TimeoutError as error:
        raise LinkFailed(f"{name}: no answer within {connect_ms} ms") from error
    except OSError as error:
        raise LinkFailed(f"{name}: {error.strerror or error}") from error
    _watch(transport)
    return stream


async def accept_tcp(host: str, port: int, *, called_ms: int = CALLED_MS) -> TransportStream:
    """Listen for a device that calls us, and take its first call; while it is served nobody else
    is answered. Raises ``LinkFailed`` when the port is taken or nobody calls within ``called_ms``."""
    name = f"tcp call on {host}:{port}"
    loop = asyncio.get_running_loop()
    called: asyncio.Future[TransportStream] = loop.create_future()
    try:
        server = await loop.create_server(lambda: _Caller(name, called), host, port)
    except OSError as error:
        raise LinkFailed(f"{name}: {error.strerror or error}") from error
    try:
        async with asyncio.timeout(called_ms * US_PER_MS / US_PER_S):
            return await called
    except TimeoutError as error:
        raise LinkFailed(f"{name}: nobody called within {called_ms} ms") from error
    finally:
        server.close()


class _Caller(TransportStream):
    """One incoming call; a second one before the door is shut is hung up on."""

    def __init__(self, name: str, called: "asyncio.Future[TransportStream]") -> None:
        super().__init__(name)
        self._called = called

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._called.done():
            transport.close()
            return
        _watch(transport)
        self._called.set_result(self)


def _watch(transport: asyncio.BaseTransport) -> None:
    wire = transport.get_extra_info("socket")
    if wire is None:  # in memory
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
