"""The PLC's clauses once more, with every register access of the bench as a Modbus request.

The bench's program answers only through pymodbus' server, and the bench asks only through pymodbus'
client, on whatever loop the lane gives: the one of virtual time with its in-memory network, or a real
one with TCP on loopback. The bench's own time stands still meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.devices.plc.bank import ModbusRefused
from simulators.devices.plc.faults import BusFaults
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.plc.program import PlcProgram
from tests.core import (
    plc_bench,
    test_sim_plc_behind,
    test_sim_plc_commands,
    test_sim_plc_diverting,
    test_sim_plc_gates,
    test_sim_plc_registers,
    test_sim_plc_stops,
    test_sim_plc_tracking,
    test_sim_plc_way,
)
from tests.core.test_sim_plc_clauses import clauses
from tests.patience import PATIENCE_S

SOURCES: tuple[ModuleType, ...] = (
    test_sim_plc_behind,
    test_sim_plc_commands,
    test_sim_plc_diverting,
    test_sim_plc_gates,
    test_sim_plc_registers,
    test_sim_plc_stops,
    test_sim_plc_tracking,
    test_sim_plc_way,
)
UNIT = 1
NOT_SENT = frozenset({"test_reads_that_are_refused"})
"""A count of 0 pymodbus' client refuses itself; raw frames ask it in tests/wire/test_sim_plc_modbus.py."""
OF_THE_BUS = frozenset({"LINK-13"})
"""No clause of the program: turnarounds are the bus' (tests/wire/test_sim_plc_modbus.py)."""


class Cable:
    """Server and client of one program at a time, on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self.requests = 0
        self._loop = loop
        self._program: PlcProgram | None = None
        self._server = ModbusPlcServer(
            self, host="127.0.0.1", port=port, unit=UNIT, read_write=True, faults=BusFaults(turnaround_us=0)
        )
        self._client = loop.run_until_complete(self._connect())

    async def _connect(self) -> AsyncModbusTcpClient:
        await self._server.start()
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=self._server.port, timeout=PATIENCE_S, retries=0, reconnect_delay=0
        )
        assert await client.connect()
        return client

    def close(self) -> None:
        self._client.close()
        self._loop.run_until_complete(self._server.stop())

    # --- the server's registers ---------------------------------------------------------------------

    def read(self, address: int, count: int) -> tuple[int, ...]:
        assert self._program is not None
        return PlcProgram.read(self._program, address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        assert self._program is not None
        PlcProgram.write(self._program, address, values)

    # --- the bench's side ---------------------------------------------------------------------------

    def ask_read(self, program: PlcProgram, address: int, count: int) -> tuple[int, ...]:
        answer = self._ask(
            program, lambda: self._client.read_holding_registers(address, count=count, device_id=UNIT)
        )
        return tuple(answer.registers)

    def ask_write(self, program: PlcProgram, address: int, values: Sequence[int]) -> None:
        self._ask(program, lambda: self._client.write_registers(address, list(values), device_id=UNIT))

    def _ask(self, program: PlcProgram, request: Callable[[], Any]) -> Any:
        self._program = program
        self.requests += 1
        answer = self._loop.run_until_complete(request())
        if answer.isError():
            raise ModbusRefused(answer.exception_code)
        return answer


@contextmanager
def cabled(loop: asyncio.AbstractEventLoop, port: int) -> Iterator[Cable]:
    """Every bench that is made meanwhile reaches its program's registers over the cable only."""
    cable = Cable(loop, port)

    class CabledProgram(PlcProgram):
        def read(self, address: int, count: int) -> tuple[int, ...]:
            return cable.ask_read(self, address, count)

        def write(self, address: int, values: Sequence[int]) -> None:
            cable.ask_write(self, address, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plc_bench, "PlcProgram", CabledProgram)
        try:
            yield cable
        finally:
            cable.close()


def goes_round(cable: Cable) -> bool:
    """Whether what a bench reads is asked over the cable."""
    bench, before = plc_bench.Bench(), cable.requests
    bench.status("epoch")
    return cable.requests == before + 1


def clause_tests() -> dict[str, Any]:
    """The tests of the sources that name a clause, by name; drawn examples (Hypothesis) and
    ``NOT_SENT`` apart."""
    found: dict[str, Any] = {}
    for module in SOURCES:
        for name, test in vars(module).items():
            marks = {mark.name for mark in getattr(test, "pytestmark", ())}
            if not name.startswith("test_") or name in NOT_SENT or hasattr(test, "hypothesis"):
                continue
            if "clause" in marks:
                assert name not in found, f"two tests are called {name}"
                found[name] = test
    return found


def not_proved(tests: dict[str, Any]) -> set[str]:
    """Clauses of the PLC's program that none of them names."""
    named = {
        str(one)
        for test in tests.values()
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "clause"
        for one in mark.args
    }
    own = {name for name, owner in clauses().items() if owner == "PLC"}
    return own - named - OF_THE_BUS
