"""A raw Modbus TCP server that answers as a test wants: late, wrong, cut, swapped, or rightly.

Registers: reading ``count`` from ``address`` gives (generation + address + n) mod 2¹⁶, where the
generation grows with every request served: so an answer to another request is a wrong value.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

MASK = 0xFFFF


@dataclass(frozen=True)
class Request:
    transaction: int
    unit: int
    function: int
    address: int
    count: int


def parse(frame: bytes) -> Request:
    number = int.from_bytes
    return Request(
        number(frame[0:2], "big"), frame[6], frame[7], number(frame[8:10], "big"), number(frame[10:12], "big")
    )


def frame(request: Request, body: bytes, *, function: int | None = None, **change: int) -> bytes:
    """An answer; ``change``: transaction, unit, protocol, length, for what a test falsifies."""
    pdu = bytes((request.function if function is None else function,)) + body
    return (
        change.get("transaction", request.transaction).to_bytes(2, "big")
        + change.get("protocol", 0).to_bytes(2, "big")
        + change.get("length", len(pdu) + 1).to_bytes(2, "big")
        + bytes((change.get("unit", request.unit),))
        + pdu
    )


Answer = list[tuple[float, bytes]]
"""(delay in s, bytes) pieces."""


@dataclass
class Mangler:
    """``mangle(server, request, right answer) -> pieces``; None closes the connection."""

    mangle: Callable[["Mangler", Request, bytes], Answer | None] = lambda server, request, right: [(0, right)]
    generation: int = 0
    served: list[Request] = field(default_factory=list)
    connections: int = 0
    writes: list[tuple[int, ...]] = field(default_factory=list)
    newest: asyncio.Transport | None = None

    async def start(self, at: socket.socket | None = None) -> asyncio.AbstractServer:
        """``at``: one that is bound already; else any free port."""
        loop = asyncio.get_running_loop()
        if at is not None:
            return await loop.create_server(lambda: _Connection(self), sock=at)
        return await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)

    def values(self, address: int, count: int) -> tuple[int, ...]:
        return tuple((self.generation + address + n) & MASK for n in range(count))

    def right(self, request: Request, values: bytes) -> bytes:
        self.generation += 1
        if request.function == 16:
            self.writes.append(
                tuple(int.from_bytes(values[n : n + 2], "big") for n in range(0, len(values), 2))
            )
            return frame(request, request.address.to_bytes(2, "big") + request.count.to_bytes(2, "big"))
        words = b"".join(word.to_bytes(2, "big") for word in self.values(request.address, request.count))
        return frame(request, bytes((len(words),)) + words)


class _Connection(asyncio.Protocol):
    def __init__(self, server: Mangler) -> None:
        self._server = server
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._server.newest = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 6:
            size = 6 + int.from_bytes(self._buffer[4:6], "big")
            if len(self._buffer) < size:
                return
            whole, self._buffer = self._buffer[:size], self._buffer[size:]
            self._serve(whole)

    def _serve(self, whole: bytes) -> None:
        server, request = self._server, parse(whole)
        server.served.append(request)
        values = {16: whole[13:], 23: whole[17:]}.get(request.function, b"")
        pieces = server.mangle(server, request, server.right(request, values))
        if pieces is None:
            self._transport.close()
            return
        for delay_s, piece in pieces:
            if delay_s:
                asyncio.get_running_loop().call_later(delay_s, self._transport.write, piece)
            else:
                self._transport.write(piece)
