"""The ways to the simulated PLC in virtual time: the register bus, and Modbus on in-memory pipes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.devices.plc.faults import BusFaults, Silence
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.register_bus import RegisterBus
from simulators.loop import VirtualLoop
from simulators.network import Network
from tests.clauses import clause
from tests.core.plc_bench import Bench, PlcRegisters


class LinkLost(Exception):
    pass


def on_bus(work: Coroutine[Any, Any, None]) -> None:
    VirtualLoop(network=Network(0)).run(work)


def bus_of(bench: Bench, faults: BusFaults) -> RegisterBus:
    registers = PlcRegisters(bench.program, bench.step)
    return RegisterBus(registers, failed=LinkLost, timeout_us=100_000, faults=faults)


@clause("LINK-13")
@pytest.mark.parametrize("turnaround_us", [5_000, 20_000, 100_000])
def test_the_bus_takes_its_turnaround(turnaround_us: int) -> None:
    async def work() -> None:
        bus = bus_of(Bench(), BusFaults(turnaround_us=turnaround_us))
        await bus.open()
        start = asyncio.get_running_loop().time()
        words = await bus.read(0, 16)
        await bus.write(4096, (3, *[0] * 11))
        both = await bus.exchange(4096, (4, *[0] * 11), 16, 22)
        assert round((asyncio.get_running_loop().time() - start) * 1e6) == 3 * turnaround_us
        assert words[4:6] == (0x1234, 0x5678)
        assert both[2] == 4

    on_bus(work())


@pytest.mark.parametrize(
    ("faults", "words", "obeyed"),
    [
        (BusFaults(silence=Silence.DEAF), "no answer", False),
        (BusFaults(silence=Silence.MUTE), "no answer", True),
        (BusFaults(turnaround_us=150_000), "no answer", True),
        (BusFaults(draw_us=lambda: 300_000), "no answer", False),
    ],
)
def test_the_bus_fails_after_its_time_out(faults: BusFaults, words: str, obeyed: bool) -> None:
    bench = Bench()

    async def work() -> None:
        bus = bus_of(bench, faults)
        await bus.open()
        start = asyncio.get_running_loop().time()
        with pytest.raises(LinkLost, match=words):
            await bus.write(4096, (3, *[0] * 11))
        assert round((asyncio.get_running_loop().time() - start) * 1e6) == 100_000
        with pytest.raises(LinkLost, match="not connected"):
            await bus.read(0, 16)

    on_bus(work())
    assert (bench.status("heartbeat_echo") == 3) is obeyed


def test_the_bus_refuses_and_closes() -> None:
    async def work() -> None:
        faults = BusFaults(refuse=True)
        bus = bus_of(Bench(), faults)
        with pytest.raises(LinkLost, match="refused"):
            await bus.open()
        faults.refuse = False
        await bus.open()
        with pytest.raises(LinkLost, match="exception response 2"):
            await bus.read(40, 1)
        with pytest.raises(LinkLost, match="not connected"):
            await bus.read(0, 1)
        await bus.open()
        first = asyncio.get_running_loop().create_task(bus.read(0, 1))
        await asyncio.sleep(0.001)
        with pytest.raises(RuntimeError, match="in flight"):
            await bus.read(0, 1)
        assert await first == (1,)
        await bus.close()
        await bus.close()

    on_bus(work())


@clause("LINK-13")
@pytest.mark.parametrize("turnaround_us", [5_000, 200_000])
def test_modbus_on_the_in_memory_network(turnaround_us: int) -> None:
    bench = Bench()

    async def work() -> None:
        server = ModbusPlcServer(
            PlcRegisters(bench.program, bench.step),
            host="plc",
            port=502,
            unit=1,
            read_write=True,
            faults=BusFaults(turnaround_us=turnaround_us),
        )
        await server.start()
        client = AsyncModbusTcpClient("plc", port=502, timeout=1, retries=0, reconnect_delay=0)
        assert await client.connect()
        start = asyncio.get_running_loop().time()
        answer = await client.readwrite_registers(
            read_address=16, read_count=22, write_address=4096, values=[6] + [0] * 11, device_id=1
        )
        took_us = round((asyncio.get_running_loop().time() - start) * 1e6)
        assert answer.registers == list(bench.program.read(16, 22))
        assert answer.registers[2] == 6
        assert turnaround_us <= took_us <= turnaround_us + 2_000
        client.close()
        await server.stop()
        await server.stop()
        await asyncio.sleep(1)

    on_bus(work())
