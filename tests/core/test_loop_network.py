"""The in-memory network: what a protocol sees of it is what it would see of TCP."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.exceptions import ModbusIOException
from pymodbus.server import ModbusTcpServer

from simulators.loop import VirtualLoop
from simulators.network import Network, Route

HOST, PORT = "plc", 502


def run_with_echo(
    check: Callable[[asyncio.StreamReader, asyncio.StreamWriter, Route], Awaitable[Any]],
    *,
    seed: int = 0,
    shuffle_seed: int | None = None,
    setup: Callable[[Route], None] = lambda route: None,
) -> Any:
    network = Network(seed)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    async def main() -> Any:
        setup(network.route(HOST, PORT))
        server = await asyncio.start_server(echo, HOST, PORT)
        reader, writer = await asyncio.open_connection(HOST, PORT)
        try:
            return await check(reader, writer, network.route(HOST, PORT))
        finally:
            writer.close()
            await asyncio.sleep(1)
            server.close()
            await server.wait_closed()
            assert network.route(HOST, PORT).connections == 0

    return VirtualLoop(network=network, shuffle_seed=shuffle_seed).run(main())


def now_us() -> int:
    return round(asyncio.get_running_loop().time() * 1_000_000)


async def there_and_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Route) -> int:
    began = now_us()
    writer.write(b"hello ")
    writer.write(b"world")
    assert await reader.readexactly(11) == b"hello world"
    return now_us() - began


def test_bytes_arrive_in_order_after_two_latencies() -> None:
    assert run_with_echo(there_and_back) == 100


@pytest.mark.parametrize("shuffle_seed", [None, 1, 2, 3])
def test_order_holds_with_chunks_jitter_and_a_shuffled_loop(shuffle_seed: int | None) -> None:
    def setup(route: Route) -> None:
        route.jitter_us, route.chunk, route.ragged = 3000, 3, True

    async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Route) -> bytes:
        sent = bytes(range(256))
        for start in range(0, 256, 16):
            writer.write(sent[start : start + 16])
            await asyncio.sleep(0.0005)
        return await reader.readexactly(256)

    assert run_with_echo(check, shuffle_seed=shuffle_seed, setup=setup) == bytes(range(256))


def test_a_held_route_keeps_bytes_and_delivers_them_when_it_heals() -> None:
    async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route) -> int:
        route.held = True
        began = now_us()
        writer.write(b"x")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await reader.read(1)
        route.held = False
        assert await reader.read(1) == b"x"
        return now_us() - began

    assert run_with_echo(check) == 1_000_050


def test_a_dropped_write_never_arrives() -> None:
    async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route) -> bytes:
        route.drop_permille = 1000
        writer.write(b"gone")
        await asyncio.sleep(1)
        route.drop_permille = 0
        writer.write(b"here")
        return await reader.readexactly(4)

    assert run_with_echo(check) == b"here"


def test_tampering_may_replace_delay_and_double() -> None:
    def tamper(data: bytes, from_server: bool) -> list[tuple[int, bytes]]:
        return [(2000, data.upper()), (0, b"!")] if from_server else [(0, data)]

    def setup(route: Route) -> None:
        route.tamper = tamper

    async def check(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Route
    ) -> tuple[bytes, int]:
        began = now_us()
        writer.write(b"ab")
        return await reader.readexactly(3), now_us() - began

    assert run_with_echo(check, setup=setup) == (b"AB!", 2100)


def test_a_reset_is_an_error_and_a_refused_route_refuses() -> None:
    async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route) -> str:
        route.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        route.refuse = True
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, PORT)
        route.refuse = False
        _, again = await asyncio.open_connection(HOST, PORT)
        again.close()
        return "ok"

    assert run_with_echo(check) == "ok"


def test_nobody_listens_a_port_is_taken_and_a_held_connect_hangs() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("nobody", 1)
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        taken = server.sockets[0].getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_server(lambda r, w: None, "localhost", taken)
        network.route("localhost", taken).held = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100):
                await asyncio.open_connection("localhost", taken)
        with pytest.raises(TimeoutError, match="timed out"):
            await asyncio.open_connection("localhost", taken)
        server.close()

    network = Network(1)
    VirtualLoop(network=network).run(main())


def test_a_wildcard_server_is_found_under_any_name_and_closes() -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "", 80)
        _, writer = await asyncio.open_connection("10.0.0.7", 80)
        writer.close()
        forever = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
        await forever
        assert server.sockets == ()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("10.0.0.7", 80)

    VirtualLoop().run(main())


def test_a_slow_reader_is_paused_and_loses_nothing() -> None:
    async def check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Route) -> int:
        for _n in range(300):
            writer.write(bytes(1000))
        await asyncio.sleep(1)
        return len(await reader.readexactly(300_000))

    assert run_with_echo(check) == 300_000


async def modbus(network: Network) -> tuple[list[int], int]:
    block = ModbusSequentialDataBlock(1, list(range(100)))  # type: ignore[no-untyped-call]
    store = ModbusServerContext(devices=ModbusDeviceContext(hr=block), single=True)
    server = ModbusTcpServer(store, address=(HOST, PORT))
    await server.listen()
    client = AsyncModbusTcpClient(HOST, port=PORT, timeout=0.3, retries=0, reconnect_delay=0)
    assert await client.connect()
    await client.write_registers(10, [7, 8, 9])
    answer = await client.read_holding_registers(8, count=6)
    network.route(HOST, PORT).held = True
    began = now_us()
    with pytest.raises(ModbusIOException):
        await client.read_holding_registers(0, count=1)
    silent_us = now_us() - began
    client.close()
    network.route(HOST, PORT).held = False
    await asyncio.sleep(1)
    await server.shutdown()  # type: ignore[no-untyped-call]
    return list(answer.registers), silent_us


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shuffle_seed", [None, 1, 2])
def test_pymodbus_runs_unmodified_at_both_ends(shuffle_seed: int | None) -> None:
    network = Network(3)
    network.route(HOST, PORT).chunk = 1
    registers, silent_us = VirtualLoop(network=network, shuffle_seed=shuffle_seed).run(modbus(network))
    assert registers == [8, 9, 7, 8, 9, 13]
    assert silent_us == 300_000
