"""pymodbus behind our checks, over real TCP, against a server that lies (reliability.md section 3)."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from drivers.streams.modbus import ModbusTcpPort
from edge.ports.byte_stream import LinkFailed
from simulators.seeds import SeededBits
from tests.clauses import clause
from tests.lines_for_tests import small_topology
from tests.patience import until
from tests.wire.modbus_mangler import Answer, Mangler, Request, frame

pytestmark = pytest.mark.wire

TIMEOUT_MS = 20_000
"""Both ends are in this process: a machine that stands still for a moment is no late answer."""
SILENT_MS = 3_000
"""Where a test waits for the time-out itself."""


@asynccontextmanager
async def served(server: Mangler, timeout_ms: int = TIMEOUT_MS) -> AsyncIterator[ModbusTcpPort]:
    listening = await server.start()
    assert isinstance(listening, asyncio.Server)
    port = listening.sockets[0].getsockname()[1]
    modbus = ModbusTcpPort("127.0.0.1", port, 1, timeout_ms=timeout_ms, max_block=32)
    try:
        yield modbus
    finally:
        await modbus.close()
        listening.close()
        await listening.wait_closed()


def sockets() -> int:
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    return count


@clause("REG-4", "LINK-5")
async def test_blocks_are_read_written_and_exchanged() -> None:
    server = Mangler()
    async with served(server) as port:
        await port.open()
        assert await port.read(16, 22) == tuple(16 + 1 + n for n in range(22))
        await port.write(4096, (1, 2, 65_535))
        assert await port.exchange(4096, (7, 8), 64, 3) == (67, 68, 69)
        assert server.writes == [(1, 2, 65_535)]
        assert [request.function for request in server.served] == [3, 16, 23]
        assert [request.unit for request in server.served] == [1, 1, 1]
        assert [request.transaction for request in server.served] == [1, 2, 3]


def lie(**change: int) -> Callable[[Mangler, Request, bytes], Answer]:
    def mangle(_: Mangler, request: Request, right: bytes) -> Answer:
        return [(0, frame(request, right[8:], **change))]

    return mangle


def body(change: Callable[[bytes], bytes]) -> Callable[[Mangler, Request, bytes], Answer]:
    return lambda _server, request, right: [(0, frame(request, change(right[8:])))]


LIES: dict[str, tuple[Callable[[Mangler, Request, bytes], Answer | None], str]] = {
    "transaction 0": (lie(transaction=0), "transaction 0000"),
    "other transaction": (lie(transaction=77), "transaction 004d"),
    "other unit": (lie(unit=2), "unit 02"),
    "other protocol": (lie(protocol=1), "protocol"),
    "other function": (lie(function=4), "function 04"),
    "too few registers": (body(lambda b: bytes((b[0] - 2,)) + b[1:-2]), "length"),
    "too many registers": (body(lambda b: bytes((b[0] + 2,)) + b[1:] + b"\x00\x01"), "length"),
    "a byte count that lies": (body(lambda b: bytes((b[0] - 2,)) + b[1:]), "echo"),
    "exception": (lambda _s, r, _w: [(0, frame(r, b"\x02", function=0x83))], "illegal address"),
    "exception of another function": (
        lambda _s, r, _w: [(0, frame(r, b"\x02", function=0x90))],
        "instead of",
    ),
    "two answers": (lambda _s, _r, right: [(0, right + right)], "behind the answer"),
    "cut": (lambda _s, _r, right: [(0, right[:-3])], f"no answer within {SILENT_MS} ms"),
    "silent": (lambda _s, _r, _w: [], f"no answer within {SILENT_MS} ms"),
    "closed": (lambda _s, _r, _w: None, "closed the connection"),
    "garbage": (lambda _s, _r, _w: [(0, bytes(range(1, 200)))], "instead of"),
    "a flood": (lambda _s, _r, right: [(0, right + bytes(70_000))], "behind|no answer"),
}


@clause("LINK-4", "LINK-5")
@pytest.mark.parametrize(("mangle", "why"), LIES.values(), ids=LIES.keys())
async def test_a_wrong_answer_is_never_used_and_the_port_is_closed(
    mangle: Callable[[Mangler, Request, bytes], Answer | None], why: str
) -> None:
    server = Mangler(mangle=mangle)
    async with served(server, SILENT_MS if "no answer" in why else TIMEOUT_MS) as port:
        await port.open()
        with pytest.raises(LinkFailed, match=why):
            await port.read(16, 4)
        with pytest.raises(LinkFailed, match="not open"):
            await port.read(16, 4)
        server.mangle = Mangler.mangle
        await port.open()
        assert await port.read(16, 4) == server.values(16, 4)
        assert len({request.transaction for request in server.served}) == len(server.served)


@clause("LINK-5")
@pytest.mark.parametrize("change", [b"\x10\x01\x00\x02", b"\x10\x00\x00\x01"])
async def test_the_echo_of_a_write_must_be_its_address_and_count(change: bytes) -> None:
    async with served(Mangler(mangle=body(lambda _: change))) as port:
        await port.open()
        with pytest.raises(LinkFailed, match="echo"):
            await port.write(4096, (1, 2))


@clause("LINK-5")
async def test_an_answer_in_single_bytes_is_still_the_answer() -> None:
    def drip(_: Mangler, __: Request, right: bytes) -> Answer:
        return [(0.001 * n, right[n : n + 1]) for n in range(len(right))]

    server = Mangler(mangle=drip)
    async with served(server) as port:
        await port.open()
        assert await port.read(16, 4) == server.values(16, 4)
        assert await port.read(16, 5) == server.values(16, 5)


@clause("LINK-5")
async def test_bytes_that_nobody_asked_for_fail_the_next_request() -> None:
    server = Mangler()
    async with served(server) as port:
        await port.open()
        await port.read(16, 4)
        assert server.newest is not None
        server.newest.write(frame(server.served[-1], b"\x02\x00\x00"))
        await until(lambda: port._fault)
        with pytest.raises(LinkFailed, match="nobody asked for"):
            await port.read(16, 4)


@clause("LINK-4", "LINK-5")
@pytest.mark.parametrize("gateway", [False, True], ids=["tcp", "gateway"])
async def test_fifteen_hundred_reads_with_late_answers_give_no_wrong_value(gateway: bool) -> None:
    """3 % of the answers come after the time-out; a gateway gives them to whoever is connected then, one
    in two of them with transaction id 0."""
    bits = SeededBits(7, f"late/{gateway}")

    def mangle(server: Mangler, request: Request, right: bytes) -> Answer:
        if not bits.chance(30):
            return [(0, right)]
        if not gateway:
            return [(0.03, right)]
        late = b"\x00\x00" + right[2:] if bits.chance(500) else right

        def hand_over() -> None:
            if server.newest is not None and not server.newest.is_closing():
                server.newest.write(late)

        asyncio.get_running_loop().call_later(0.022, hand_over)
        return []

    server = Mangler(mangle=mangle)
    wrong = faults = reads = 0
    is_open = False
    before = sockets()
    async with served(server, timeout_ms=20) as port:
        while reads < 1500:
            try:
                if not is_open:  # a machine that stands still is late to connect, too
                    await port.open()
                    is_open = True
                got = await port.read(reads % 900, 4)
            except LinkFailed:
                faults += 1
                is_open = False
                continue
            reads += 1
            wrong += got != server.values((reads - 1) % 900, 4)
    assert wrong == 0
    assert faults > 25
    await until(lambda: sockets() <= before)


async def test_swapped_answers_are_refused() -> None:
    held: list[bytes] = []

    def swap(_: Mangler, request: Request, right: bytes) -> Answer:
        held.append(right)
        return [(0, held[-2])] if len(held) % 2 == 0 else [(0, right)]

    server = Mangler(mangle=swap)
    async with served(server) as port:
        await port.open()
        await port.read(16, 4)
        with pytest.raises(LinkFailed, match="transaction"):
            await port.read(16, 4)


async def test_a_fault_leaves_no_socket_behind() -> None:
    server = Mangler(mangle=lie(unit=9))
    before = sockets()
    async with served(server) as port:
        for _ in range(50):
            await port.open()
            with pytest.raises(LinkFailed):
                await port.read(16, 4)
        await until(lambda: sockets() <= before + 2)
        for _ in range(5):
            await port.open()
        await until(lambda: server.connections == 55)
        await until(lambda: sockets() <= before + 3)
    await until(lambda: sockets() <= before)


async def test_a_refused_connection_fails_fast_and_the_next_open_tries_again() -> None:
    taken = socket.socket()  # by nobody else meanwhile; without a listener it refuses
    taken.bind(("127.0.0.1", 0))
    port = ModbusTcpPort("127.0.0.1", taken.getsockname()[1], 1, timeout_ms=TIMEOUT_MS, max_block=32)
    before = sockets()
    for _ in range(3):
        with pytest.raises(LinkFailed, match="no connection"):
            await port.open()
    assert sockets() == before
    again = await Mangler().start(taken)
    await port.open()
    assert len(await port.read(0, 16)) == 16
    await port.close()
    again.close()


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.01])
async def test_a_cancel_during_a_request_ends_the_task_and_closes_the_port(after_s: float) -> None:
    server = Mangler(mangle=lambda _s, _r, right: [(0.02, right)])
    async with served(server) as port:
        await port.open()
        task = asyncio.create_task(port.read(16, 4))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(LinkFailed, match="not open"):
            await port.read(16, 4)
        server.mangle = Mangler.mangle
        await port.open()
        assert await port.read(16, 4) == server.values(16, 4)


async def test_a_cancel_that_comes_with_the_answer_is_not_swallowed() -> None:
    server = Mangler()
    async with served(server) as port:
        await port.open()
        swallowed = 0
        for turns in range(40):
            task: asyncio.Task[Any] = asyncio.create_task(port.read(16, 4))
            for _ in range(turns % 20):
                await asyncio.sleep(0)
            if task.done():
                continue
            task.cancel()
            try:
                await task
                swallowed += 1
            except asyncio.CancelledError:
                await port.open()
        assert swallowed == 0


async def test_two_requests_at_once_are_our_error() -> None:
    async with served(Mangler()) as port:
        await port.open()
        first = asyncio.create_task(port.read(16, 4))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="two requests"):
            await port.read(16, 4)
        assert len(await first) == 4


Ask = Callable[[ModbusTcpPort], Awaitable[Any]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda port: port.read(16, 33),
        lambda port: port.read(16, 0),
        lambda port: port.read(-1, 2),
        lambda port: port.read(65_535, 2),
        lambda port: port.write(0, ()),
        lambda port: port.write(0, (0,) * 33),
        lambda port: port.exchange(0, (1,), 0, 33),
    ],
)
@clause("REG-2")
async def test_a_block_that_the_device_cannot_take_is_our_error(ask: Ask) -> None:
    server = Mangler()
    async with served(server) as port:
        await port.open()
        with pytest.raises(ValueError, match="at once"):
            await ask(port)
        assert server.served == []


def test_wrong_settings_are_our_error() -> None:
    with pytest.raises(ValueError, match="unit 0"):
        ModbusTcpPort("x", 502, 0, timeout_ms=100, max_block=32)
    with pytest.raises(ValueError, match="max_block"):
        ModbusTcpPort("x", 502, 1, timeout_ms=100, max_block=124)
    assert isinstance(ModbusTcpPort.of(small_topology().plc), ModbusTcpPort)


async def test_transaction_ids_go_on_over_connections_and_skip_zero() -> None:
    server = Mangler()
    async with served(server) as port:
        port._transaction = 64_999
        await port.open()
        for _ in range(4):
            await port.read(16, 4)
        await port.open()
        await port.read(16, 4)
        assert [request.transaction for request in server.served] == [65_000, 1, 2, 3, 4]
