"""A device server for a simulated device: whoever calls hears what the device says, and is heard.

The device writes as a UART does: whether anybody listens or not.
"""

import asyncio
from collections.abc import Callable


class TcpPort:
    """Closed by ``unplug``."""

    def __init__(self) -> None:
        self._hear: Callable[[bytes], object] | None = None
        self._callers: list[asyncio.Transport] = []
        self._server: asyncio.AbstractServer | None = None

    async def listen(self, host: str, port: int) -> int:
        """Answer calls; port 0 takes a free one. The port; raises OSError when it is taken."""
        server = await asyncio.get_running_loop().create_server(lambda: _Caller(self), host, port)
        self._server = server
        return port or int(server.sockets[0].getsockname()[1])

    def write(self, data: bytes) -> None:
        for caller in self._callers:
            caller.write(data)

    def on_heard(self, hear: Callable[[bytes], object]) -> None:
        """``hear`` gets what callers say from now on."""
        self._hear = hear

    def unplug(self) -> None:
        """Nobody is answered any more, and every connection breaks. Idempotent."""
        if self._server is not None:
            self._server.close()
        for caller in tuple(self._callers):
            caller.abort()

    def called(self, caller: asyncio.Transport) -> None:
        self._callers.append(caller)

    def hung_up(self, caller: asyncio.Transport) -> None:
        if caller in self._callers:
            self._callers.remove(caller)

    def heard(self, data: bytes) -> None:
        if self._hear is not None:
            self._hear(data)


class _Caller(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.called(transport)

    def data_received(self, data: bytes) -> None:
        self._port.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._port.hung_up(self._transport)
