"""The simulated PLC on Modbus TCP: FC3, FC16 and FC23 on its holding registers.

pymodbus' server, unmodified, so that the driver meets a foreign implementation; it listens through
the running loop, which may be the one of virtual time with its in-memory network.
"""

import asyncio
from typing import Any, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.transport import ModbusProtocol

from simulators.devices.plc.bank import ModbusRefused
from simulators.devices.plc.faults import BusFaults, Silence
from simulators.devices.plc.port import Registers

READ, WRITE, READ_WRITE = 3, 16, 23
ADDRESS_SPACE = 65_536
TURNS_TO_SERVE = 3
"""Turns of the loop from the last byte of a request to the task that serves it, in pymodbus' server."""


class ModbusPlcServer:
    """Serves ``registers`` as unit ``unit``. ``faults`` may be changed while it runs."""

    def __init__(
        self,
        registers: Registers,
        *,
        host: str,
        port: int,
        unit: int,
        read_write: bool,
        faults: BusFaults | None = None,
    ) -> None:
        self._registers = registers
        self._address = (host, port)
        self._unit = unit
        self._read_write = read_write
        self.faults = faults if faults is not None else BusFaults()
        self._server: ModbusTcpServer | None = None
        self._serving: set[asyncio.Task[object]] = set()
        """Requests whose turnaround runs."""

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken."""
        space = SimData(0, values=0, count=ADDRESS_SPACE, datatype=DataType.REGISTERS)
        server = _Listener(
            self.faults,
            SimDevice(self._unit, simdata=[space], action=self._act),
            address=self._address,
            ignore_missing_devices=True,
            trace_packet=self._trace,
        )
        try:
            await server.serve_forever(background=True)
        except RuntimeError as failure:
            raise OSError(f"cannot listen on {self._address[0]}:{self._address[1]}") from failure
        self._server = server

    async def stop(self) -> None:
        """Close the listener and every connection, and see requests in progress to their end; idempotent."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]
            for _ in range(TURNS_TO_SERVE):
                await asyncio.sleep(0)
            if self._serving:
                await asyncio.wait(self._serving)

    @property
    def port(self) -> int:
        """The port it listens on, also when 0 was asked for."""
        if self._server is None:
            raise RuntimeError("the server is not started")
        listener = cast(asyncio.Server, self._server.transport)
        return int(listener.sockets[0].getsockname()[1])

    async def _act(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """pymodbus' hook before each access: the program answers instead of its memory."""
        if function not in (READ, WRITE) and not (function == READ_WRITE and self._read_write):
            return ExcCodes.ILLEGAL_FUNCTION
        if function != READ_WRITE or values is not None:
            # FC23 writes, then reads: one turnaround for both.
            await self._turn_around()
        if self.faults.silence is Silence.DEAF:
            return ExcCodes.DEVICE_BUSY
        try:
            if values is not None:
                self._registers.write(address, [int(value) for value in values])
            else:
                at = address - start
                current[at : at + count] = self._registers.read(address, count)
        except ModbusRefused as refusal:
            return ExcCodes(refusal.code)
        return None

    async def _turn_around(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        if task not in self._serving:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        await asyncio.sleep(self.faults.next_turnaround_us() / 1_000_000)

    def _trace(self, sending: bool, data: bytes) -> bytes:
        """pymodbus' hook on the cable: what is lost or spoilt."""
        if not sending:
            return data
        faults = self.faults
        if faults.silence is not Silence.NONE:
            return b""
        if faults.mangle is not None and faults.mangled > 0:
            faults.mangled -= 1
            return faults.mangle(data)
        return data


class _Listener(ModbusTcpServer):
    """Hangs up at once on who connects while connections are refused."""

    def __init__(self, faults: BusFaults, device: SimDevice, **options: Any) -> None:
        super().__init__(device, **options)
        self._faults = faults

    def callback_new_connection(self) -> ModbusProtocol:
        connection = cast(ModbusProtocol, super().callback_new_connection())  # type: ignore[no-untyped-call]
        if self._faults.refuse:
            # The transport is made after this call and comes to the protocol one turn later.
            self.loop.call_soon(lambda: self.loop.call_soon(connection.close))
        return connection
