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
    def read(self, address: int, count: int) -> tuple[int, ...]:
        return (0,) * count

    def write(self, address: int, values: Sequence[int]) -> None:
        raise AssertionError("nothing is written here")


@pytest.mark.parametrize("waited_us", [0, 1, 39_000, 60_000])
def test_a_request_in_its_turnaround_leaves_nothing_behind(waited_us: int) -> None:
    loop = VirtualLoop(network=Network(1))

    async def main() -> None:
        server = ModbusPlcServer(
            Zeros(), host="plc", port=502, unit=1, read_write=True, faults=BusFaults(turnaround_us=40_000)
        )
        await server.start()
        transport, _ = await loop.create_connection(asyncio.Protocol, "plc", 502)
        transport.write(READ_STATUS)
        await asyncio.sleep(waited_us / 1_000_000)
        transport.close()
        await server.stop()

    loop.run(main())
