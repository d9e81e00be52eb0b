"""The simulated PLC over real Modbus TCP on loopback, met by pymodbus' client and by raw frames."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient

from edge.model.divert import CommandStatus
from simulators.devices.plc import faults as wrong
from simulators.devices.plc.faults import BusFaults, Mangle, Silence
from simulators.devices.plc.modbus_server import ModbusPlcServer
from tests.clauses import clause
from tests.core.plc_bench import Bench, PlcRegisters, bench_topology
from tests.core.plc_golden import COMMANDS
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.wire


@asynccontextmanager
async def served(bench: Bench, *, read_write: bool = True) -> AsyncIterator[ModbusPlcServer]:
    server = ModbusPlcServer(
        PlcRegisters(bench.program, bench.step),
        host="127.0.0.1",
        port=0,
        unit=1,
        read_write=read_write,
        faults=BusFaults(turnaround_us=0),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client_of(server: ModbusPlcServer) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(
        "127.0.0.1", port=server.port, timeout=PATIENCE_S, retries=0, reconnect_delay=0
    )
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def asked(server: ModbusPlcServer, pdu: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """One frame in; what is to be read from then on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(struct.pack(">HHHB", 7, 0, len(pdu) + 1, 1) + pdu)
    yield reader
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


async def comes(reader: asyncio.StreamReader, wait_s: float = PATIENCE_S) -> bytes:
    """Nothing where it is hung up, or nothing has come within ``wait_s``."""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        async with asyncio.timeout(wait_s):
            return await reader.read(512)
    return b""


async def raw(server: ModbusPlcServer, pdu: bytes) -> bytes:
    """One frame in, its answer out."""
    async with asked(server, pdu) as reader:
        return await comes(reader)


READ_IDENTITY = struct.pack(">BHH", 3, 0, 16)


@clause("REG-1", "ID-8")
async def test_reads_and_writes_reach_the_program() -> None:
    bench = Bench()
    async with served(bench) as server, client_of(server) as client:
        identity = await client.read_holding_registers(0, count=16, device_id=1)
        assert identity.registers == list(bench.program.read(0, 16))
        assert identity.registers[4:8] == [0x1234, 0x5678, 0x3F80, 0]
        answer = await client.write_registers(4096, [9] + [0] * 11, device_id=1)
        assert not answer.isError()
        assert bench.status("heartbeat_echo") == 9


@clause("REG-1")
async def test_foreign_addresses_counts_and_functions_are_refused() -> None:
    bench = Bench()
    async with served(bench, read_write=False) as server, client_of(server) as client:
        assert (await client.read_holding_registers(40, count=1, device_id=1)).exception_code == 2
        assert (await client.read_holding_registers(0, count=17, device_id=1)).exception_code == 2
        assert (await client.read_holding_registers(64, count=33, device_id=1)).exception_code == 3
        assert (await client.write_registers(16, [1], device_id=1)).exception_code == 2
        assert (await client.read_input_registers(0, count=1, device_id=1)).exception_code == 1
        assert (await client.write_register(4096, 1, device_id=1)).exception_code == 1
        both = await client.readwrite_registers(
            read_address=16, read_count=22, write_address=4096, values=[1] * 12, device_id=1
        )
        assert both.exception_code == 1


async def test_fc23_writes_then_reads() -> None:
    bench = Bench()
    async with served(bench) as server, client_of(server) as client:
        both = await client.readwrite_registers(
            read_address=16, read_count=22, write_address=4096, values=[77] + [0] * 11, device_id=1
        )
        assert both.registers[2] == 77


@clause("CMD-4")
async def test_a_command_is_answered_in_the_status_block() -> None:
    bench = Bench().ready()
    parcel = bench.put()
    bench.run_to(parcel, 2500)
    async with served(bench) as server, client_of(server) as client:
        words = list(COMMANDS[0].words)
        await client.write_registers(4112, words, device_id=1)
        status = await client.read_holding_registers(16, count=22, device_id=1)
        assert status.registers[17:20] == [101, CommandStatus.UNKNOWN_NUMBER.value, 0xD45E]


@clause("LINK-13")
@pytest.mark.parametrize("turnaround_us", [5_000, 60_000])
async def test_a_slow_answer_is_the_same_answer(turnaround_us: int) -> None:
    bench = Bench()
    async with served(bench) as server, client_of(server) as client:
        server.faults.turnaround_us = turnaround_us
        start = asyncio.get_running_loop().time()
        identity = await client.read_holding_registers(0, count=16, device_id=1)
        assert asyncio.get_running_loop().time() - start >= turnaround_us / 1e6 - 0.001
        assert identity.registers == list(bench.program.read(0, 16))


@pytest.mark.parametrize(
    ("mangle", "expected"),
    [
        (wrong.wrong_id, lambda frame: frame[:2] == b"\0\6"),
        (wrong.zero_id, lambda frame: frame[:2] == b"\0\0"),
        (wrong.wrong_unit, lambda frame: frame[6] == 2),
        (wrong.wrong_function, lambda frame: frame[7] == 4),
        (wrong.truncated, lambda frame: len(frame) == 40),
        (wrong.too_few, lambda frame: frame[4:6] == b"\0\x21" and frame[8] == 30 and len(frame) == 39),
    ],
)
async def test_spoilt_answers(mangle: Mangle, expected: object) -> None:
    bench = Bench()
    async with served(bench) as server:
        server.faults.mangle, server.faults.mangled = mangle, 1
        assert callable(expected)
        assert expected(await raw(server, READ_IDENTITY))
        assert (await raw(server, READ_IDENTITY))[:2] == b"\0\7", "one answer is spoilt, then none"


async def test_a_wrong_echo_names_another_address() -> None:
    bench = Bench()
    async with served(bench) as server:
        server.faults.mangle, server.faults.mangled = wrong.wrong_echo, 1
        frame = await raw(server, struct.pack(">BHHBH", 16, 4096, 1, 2, 5))
        assert struct.unpack(">BHH", frame[7:12]) == (16, 4097, 1)


async def test_deaf_does_nothing_and_mute_does_it_silently() -> None:
    bench = Bench()
    write = struct.pack(">BHHBH", 16, 4096, 1, 2, 5)
    async with served(bench) as server:
        server.faults.silence = Silence.DEAF
        async with asked(server, write) as reader:
            assert await comes(reader, 0.05) == b""
        assert bench.status("heartbeat_echo") == 0
        server.faults.silence = Silence.MUTE
        async with asked(server, write) as reader:
            await until(lambda: bench.status("heartbeat_echo") == 5)
            assert await comes(reader, 0.05) == b""
        server.faults.silence = Silence.NONE
        assert len(await raw(server, READ_IDENTITY)) == 41


async def test_refused_connections_are_hung_up_on() -> None:
    async with served(Bench()) as server:
        server.faults.refuse = True
        assert await raw(server, READ_IDENTITY) == b""
        server.faults.refuse = False
        assert len(await raw(server, READ_IDENTITY)) == 41


async def test_a_taken_port_is_told() -> None:
    async with served(Bench()) as server:
        second = ModbusPlcServer(
            PlcRegisters(Bench().program, lambda: None),
            host="127.0.0.1",
            port=server.port,
            unit=1,
            read_write=True,
        )
        with pytest.raises(OSError, match="cannot listen"):
            await second.start()


def test_the_bench_is_the_lines_default_map() -> None:
    registers = bench_topology().plc.registers
    assert (registers.identity, registers.status, registers.ring) == (0, 16, 64)
    assert (registers.pc_status, registers.command) == (4096, 4112)
