"""The in-memory network of virtual time: ordered byte streams between addresses, with faults.

It behaves as TCP does for a program: bytes arrive in order or not at all, a connection is refused, hangs
or breaks. What a cable does is set on its ``Route``; a protocol at either end cannot tell it from a socket.
"""

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Protocol

from edge.model.units import US_PER_S
from simulators.seeds import SeededBits

ANY_HOST = ("", "0.0.0.0", "::")
LATENCY_US = 50
"""One way on a switch in the cabinet."""
CONNECT_TIMEOUT_US = 127 * US_PER_S
"""Linux gives up after six SYN retries (tcp(7), tcp_syn_retries)."""
FIRST_FREE_PORT = 32_768

Tamper = Callable[[bytes, bool], list[tuple[int, bytes]]]
"""(what was written, from the server) -> (extra delay µs, bytes) pieces that go on instead."""
Factory = Callable[[], asyncio.BaseProtocol]


class VirtualTimeLoop(Protocol):
    """What the network needs of its loop."""

    def now_us(self) -> int: ...
    def time(self) -> float: ...
    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle: ...
    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle: ...
    def create_future(self) -> "asyncio.Future[Any]": ...
    def call_exception_handler(self, context: dict[str, Any]) -> None: ...


class Route:
    """How one listening address is reached; may be changed at any moment of the run.

    ``latency_us`` one way, plus up to ``jitter_us`` drawn by seed. ``chunk``: at most so many bytes
    arrive at once, 0 for any; drawn by seed from 1…chunk when ``ragged``. ``refuse``: connects are
    refused. ``held``: a partition; bytes wait and connects hang until it is lifted. ``drop_permille``:
    a whole write vanishes, as in a gateway that loses a request or an answer. ``tamper``: anything else.
    """

    def __init__(self, bits: SeededBits) -> None:
        self.latency_us = LATENCY_US
        self.jitter_us = 0
        self.chunk = 0
        self.ragged = False
        self.refuse = False
        self.drop_permille = 0
        self.tamper: Tamper | None = None
        self.bits = bits
        self._held = False
        self._ends: list[MemoryTransport] = []

    @property
    def held(self) -> bool:
        return self._held

    @held.setter
    def held(self, on: bool) -> None:
        self._held = on
        if not on:
            for end in tuple(self._ends):
                end.pump()

    def reset(self) -> None:
        """Break every connection of this route now; both ends see ConnectionResetError."""
        for end in tuple(self._ends):
            end.break_off(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))

    @property
    def connections(self) -> int:
        return sum(end.is_server for end in self._ends)

    def attach(self, *ends: "MemoryTransport") -> None:
        self._ends.extend(ends)

    def detach(self, end: "MemoryTransport") -> None:
        if end in self._ends:
            self._ends.remove(end)


class Network:
    """Addresses and the routes to them."""

    def __init__(self, seed: int) -> None:
        self._bits = SeededBits(seed, "network")
        self._servers: dict[tuple[str, int], MemoryServer] = {}
        self._routes: dict[tuple[str, int], Route] = {}
        self._next_port = FIRST_FREE_PORT
        self._owned: list[MemoryTransport] = []

    def route(self, host: str, port: int) -> Route:
        """The route to an address as clients name it; made on first use, also before it listens."""
        key = (_plain(host), port)
        if key not in self._routes:
            self._routes[key] = Route(self._bits.child(f"{key[0]}:{port}"))
        return self._routes[key]

    def listen(
        self, loop: VirtualTimeLoop, factory: Factory, host: str, port: int, owner: str
    ) -> "MemoryServer":
        """A server that does not accept yet. Raises OSError(EADDRINUSE)."""
        if port == 0:
            port, self._next_port = self._next_port, self._next_port + 1
        key = (_plain(host), port)
        if key in self._servers:
            raise OSError(errno.EADDRINUSE, f"{host}:{port} is in use")
        server = MemoryServer(self, loop, factory, key, owner)
        self._servers[key] = server
        return server

    async def connect(
        self, loop: VirtualTimeLoop, factory: Factory, host: str, port: int, owner: str
    ) -> "tuple[MemoryTransport, asyncio.BaseProtocol]":
        route = self.route(host, port)
        deadline_us = loop.now_us() + CONNECT_TIMEOUT_US
        await _sleep_us(loop, 2 * route.latency_us)
        while route.held:
            if loop.now_us() >= deadline_us:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            await _sleep_us(loop, US_PER_S)
        server = self._server_at(_plain(host), port)
        if server is None or route.refuse or not server.is_serving():
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{host}:{port} refused the connection")
        names = ((_plain(host), port), ("127.0.0.1", self._next_port))
        self._next_port += 1
        near = MemoryTransport(self, loop, route, owner, is_server=False, names=names)
        far = server.context.run(
            MemoryTransport, self, loop, route, server.owner, is_server=True, names=names
        )
        near.peer, far.peer = far, near
        route.attach(near, far)
        self._owned.extend(end for end in (near, far) if end.owner)
        server.accept(far)
        protocol = factory()
        near.open(protocol)
        return near, protocol

    def forget(self, server: "MemoryServer") -> None:
        if self._servers.get(server.address) is server:
            del self._servers[server.address]

    def drop(self, end: "MemoryTransport") -> None:
        if end.owner:
            self._owned.remove(end)

    def sever(self, owner: str) -> None:
        """A process died: its servers are gone, its peers see the end of the stream, it sees nothing."""
        for server in [server for server in self._servers.values() if server.owner == owner]:
            server.close()
        for end in [end for end in self._owned if end.owner == owner]:
            end.die()

    def _server_at(self, host: str, port: int) -> "MemoryServer | None":
        for name in (host, *ANY_HOST):
            if (server := self._servers.get((name, port))) is not None:
                return server
        return None


class ListeningName:
    """What a program asks of a listening socket."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address


class MemoryServer(asyncio.AbstractServer):
    """What ``create_server`` returns. Closing it leaves its connections open, as asyncio's does."""

    def __init__(
        self, network: Network, loop: VirtualTimeLoop, factory: Factory, address: tuple[str, int], owner: str
    ) -> None:
        self._network = network
        self._loop = loop
        self._factory = factory
        self._serving = False
        self._closed: asyncio.Future[None] = loop.create_future()
        self.address = address
        self.owner = owner
        self.context = copy_context()

    def accept(self, end: "MemoryTransport") -> None:
        """In the server's context, not in that of the client that knocks."""
        self.context.run(lambda: end.open(self._factory()))

    def close(self) -> None:
        self._serving = False
        self._network.forget(self)
        if not self._closed.done():
            self._closed.set_result(None)

    @property
    def sockets(self) -> "tuple[ListeningName, ...]":
        """As asyncio's servers have: each knows its ``getsockname()``."""
        return () if self._closed.done() else (ListeningName(self.address),)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop  # type: ignore[return-value]

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        self._serving = not self._closed.done()

    async def serve_forever(self) -> None:
        await self.start_serving()
        await asyncio.shield(self._closed)

    async def wait_closed(self) -> None:
        await asyncio.shield(self._closed)


class MemoryTransport(asyncio.Transport):
    """One end of a connection; what it writes arrives at ``peer`` in order."""

    peer: "MemoryTransport"

    def __init__(
        self,
        network: Network,
        loop: VirtualTimeLoop,
        route: Route,
        owner: str,
        *,
        is_server: bool,
        names: tuple[tuple[str, int], tuple[str, int]],
    ) -> None:
        mine, theirs = names if is_server else reversed(names)
        super().__init__({"sockname": mine, "peername": theirs, "socket": None})
        self.is_server = is_server
        self.owner = owner
        self._network = network
        self._loop = loop
        self._route = route
        self._protocol: asyncio.BaseProtocol | None = None
        self._inbound: deque[tuple[int, bytes | None]] = deque()
        """(due µs, bytes or end of stream) on their way to this end."""
        self._timer: asyncio.Handle | None = None
        self._paused = False
        self._closing = False
        self._eof_sent = False
        self._lost = False
        self._context = copy_context()
        """Whose end this is: what arrives is handled in its context, not in the sender's."""

    def open(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol
        protocol.connection_made(self)

    # --- the protocol's side ----------------------------------------------------------------------

    def write(self, data: Any) -> None:
        if self._closing or not data:
            return
        if self._eof_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        self.peer.send(bytes(data), from_server=self.is_server)

    def write_eof(self) -> None:
        if not self._eof_sent and not self._closing:
            self._eof_sent = True
            self.peer.send(None, from_server=self.is_server)

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if not self._closing:
            self.write_eof()
            self._closing = True
            self._loop.call_soon(self._lose, None, context=self._context)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self.pump()

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever kept back."""

    # --- the cable's side -------------------------------------------------------------------------

    def send(self, data: bytes | None, *, from_server: bool) -> None:
        """Put bytes (None: end of stream) on their way to this end."""
        if self._lost:
            return
        route = self._route
        pieces: list[tuple[int, bytes | None]]
        if data is None:
            pieces = [(0, None)]
        elif route.drop_permille and route.bits.chance(route.drop_permille):
            return
        elif route.tamper is not None:
            pieces = [(delay, piece) for delay, piece in route.tamper(data, from_server) if piece]
        else:
            pieces = [(0, data)]
        for delay_us, piece in pieces:
            due_us = self._loop.now_us() + route.latency_us + delay_us
            if route.jitter_us:
                due_us += route.bits.between(0, route.jitter_us)
            if self._inbound:
                due_us = max(due_us, self._inbound[-1][0])
            self._inbound.extend((due_us, part) for part in self._parts(piece))
        self.pump()

    def pump(self) -> None:
        """See that one timer stands for the next piece."""
        if self._timer is None and self._inbound and not self._lost and not self._route.held:
            due_us = max(self._inbound[0][0], self._loop.now_us())
            self._timer = self._loop.call_at(due_us / US_PER_S, self._deliver, context=self._context)

    def break_off(self, error: OSError) -> None:
        """This end learns that the connection is gone; the other one is not told here."""
        if not self._lost:
            self._closing = True
            self._loop.call_soon(self._lose, error, context=self._context)

    def die(self) -> None:
        """The process of this end is gone: what it wrote still arrives, then the end of the stream."""
        self.write_eof()
        self._closing = self._lost = True
        self._detach()

    def _parts(self, piece: bytes | None) -> list[bytes | None]:
        route = self._route
        if piece is None or route.chunk == 0:
            return [piece]
        parts: list[bytes | None] = []
        while piece:
            size = route.bits.between(1, route.chunk) if route.ragged else route.chunk
            parts.append(piece[:size])
            piece = piece[size:]
        return parts

    def _deliver(self) -> None:
        self._timer = None
        now_us = self._loop.now_us()
        while self._inbound and self._inbound[0][0] <= now_us:
            if self._lost or self._closing or self._paused or self._route.held:
                return
            _, data = self._inbound.popleft()
            try:
                self._hand_over(data)
            except Exception as error:  # noqa: BLE001 - as asyncio's transports: report, then close
                self._loop.call_exception_handler(
                    {"message": "protocol failed on received data", "exception": error, "transport": self}
                )
                self.abort()
                return
        self.pump()

    def _hand_over(self, data: bytes | None) -> None:
        protocol = self._protocol
        if data is None:
            if not protocol.eof_received():  # type: ignore[union-attr]
                self.close()
        else:
            protocol.data_received(data)  # type: ignore[union-attr]

    def _lose(self, error: OSError | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._detach()
        assert self._protocol is not None
        self._protocol.connection_lost(error)

    def _detach(self) -> None:
        self._route.detach(self)
        self._network.drop(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._inbound.clear()


def _plain(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


async def _sleep_us(loop: VirtualTimeLoop, for_us: int) -> None:
    waiter = loop.create_future()
    handle = loop.call_at((loop.now_us() + for_us) / US_PER_S, _set_unless_done, waiter)
    try:
        await waiter
    finally:
        handle.cancel()


def _set_unless_done(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
