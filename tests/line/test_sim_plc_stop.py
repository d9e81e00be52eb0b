"""The simulated PLC's server ends whole: a request in its turnaround is seen to its end."""

import asyncio
from collections.abc import Sequence

import pytest

from simulators.devices.plc.faults import BusFaults
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.loop import VirtualLoop
from simulators.network import Network

READ_STATUS = bytes.fromhex("0001 0000 0006 01 03 0010 0016")


class Zeros:
    def __init__(self) -> None:
        self.reads = 0

    def read(self, address: int, count: int) -> tuple[int, ...]:
        self.reads += 1
        return (0,) * count

    def write(self, address: int, values: Sequence[int]) -> None:
        raise AssertionError("nothing is written here")


@pytest.mark.parametrize(("waited_us", "arrived"), [(0, 0), (1, 0), (39_000, 1), (60_000, 1)])
def test_a_request_in_its_turnaround_leaves_nothing_behind(waited_us: int, arrived: int) -> None:
    """What had arrived has been read when the server has stopped; a task left behind ends the run."""
    loop, zeros = VirtualLoop(network=Network(1)), Zeros()

    async def main() -> int:
        server = ModbusPlcServer(
            zeros, host="plc", port=502, unit=1, read_write=True, faults=BusFaults(turnaround_us=40_000)
        )
        await server.start()
        transport, _ = await loop.create_connection(asyncio.Protocol, "plc", 502)
        transport.write(READ_STATUS)
        await asyncio.sleep(waited_us / 1_000_000)
        transport.close()
        await server.stop()
        return zeros.reads

    assert loop.run(main()) == arrived
