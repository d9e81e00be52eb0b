"""A Modbus TCP device as blocks of registers: pymodbus, with the checks that it leaves out.

Its traps (each has a conformance test): it takes an answer with transaction id 0, of another function, too
short or for another address; a request that is cancelled or timed out shifts every later answer; a second
``connect`` leaks the first socket; it reconnects by itself, later and later. So: one client object a
connection, no retries, no reconnecting, every byte checked before pymodbus sees it, and after any fault
the connection is gone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Self

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from drivers.streams.modbus_answer import ExpectedAnswer, expected_answer, fault_in
from edge.model.topology import PlcLink
from edge.model.units import UINT16_MAX
from edge.ports.byte_stream import LinkFailed

MAX_BLOCK = 123
"""Registers of one FC16 request (Modbus Application Protocol V1.1b3, 6.12); FC23 takes 121."""
_PYMODBUS_LOG = logging.getLogger("pymodbus.logging")


class ModbusTcpPort:
    """``edge.ports.plc.BlockPort`` and ``ExchangePort``; holding registers, addresses from 0.

    Not for two tasks at once. A cancel during a request closes the port.
    """

    def __init__(self, host: str, port: int, unit: int, *, timeout_ms: int, max_block: int) -> None:
        """``unit`` 1…255. ``timeout_ms`` for the connect and for each answer. ``max_block`` registers."""
        if not 1 <= unit <= 255:
            raise ValueError(f"unit {unit}: 0 is the broadcast, 255 the last")
        if not 1 <= max_block <= MAX_BLOCK:
            raise ValueError(f"max_block {max_block} is not 1…{MAX_BLOCK}")
        # Each fault is raised; pymodbus would print it as well, at every try.
        _PYMODBUS_LOG.setLevel(logging.CRITICAL)
        self._address = (host, port)
        self._unit = unit
        self._timeout_ms = timeout_ms
        self._max_block = max_block
        self._client: AsyncModbusTcpClient | None = None
        self._busy = False
        self._expected: ExpectedAnswer | None = None
        self._fault = ""
        self._transaction = 0

    @classmethod
    def of(cls, plc: PlcLink) -> Self:
        """The port of a line's PLC."""
        return cls(
            plc.host,
            plc.port,
            plc.unit,
            timeout_ms=plc.timeout_ms,
            max_block=plc.registers.max_block,
        )

    async def open(self) -> None:
        """Connect once. Raises ``LinkFailed``; an open port is closed first."""
        await self.close()
        host, port = self._address
        client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=self._timeout_ms / 1000,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._see_packet,
            trace_connect=self._see_connection,
        )
        self._client = client
        self._fault = ""
        connected = False
        try:
            connected = await client.connect()
        finally:
            if not connected:
                await self.close()
        if not connected:
            raise LinkFailed(f"no connection to {host}:{port}")
        await self._end_if_cancelled()
        # A gateway may still hold an answer for the connection before: no transaction id comes again soon.
        client.ctx.next_tid = self._transaction

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        self._check_block(address, count)
        answer = await self._ask(
            lambda client: client.read_holding_registers(address, count=count, device_id=self._unit)
        )
        return tuple(answer.registers)

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        self._check_block(address, len(values))
        await self._ask(lambda client: client.write_registers(address, list(values), device_id=self._unit))

    async def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        self._check_block(address, len(values))
        self._check_block(at, count)
        answer = await self._ask(
            lambda client: client.readwrite_registers(
                read_address=at,
                read_count=count,
                write_address=address,
                values=list(values),
                device_id=self._unit,
            )
        )
        return tuple(answer.registers)

    async def close(self) -> None:
        """Idempotent, never raises; the socket is free when it returns."""
        client, self._client = self._client, None
        self._expected = None
        if client is None:
            return
        transport = client.ctx.transport
        client.close()
        if isinstance(transport, asyncio.WriteTransport):
            # Nothing that is still unsent may reach the device later.
            transport.abort()
            await asyncio.sleep(0)

    async def _ask(self, request: "Callable[[AsyncModbusTcpClient], Any]") -> ModbusPDU:
        client = self._client
        if client is None:
            raise LinkFailed("the port is not open")
        if self._busy:
            raise RuntimeError("two requests at once on one port")
        self._busy = True
        done = False
        try:
            if self._fault:
                raise LinkFailed(self._fault)
            answer: ModbusPDU = await request(client)
            self._transaction = client.ctx.next_tid
            if self._fault:
                raise LinkFailed(self._fault)
            done = True
        except ModbusException as silent:
            raise LinkFailed(self._fault or f"no answer within {self._timeout_ms} ms") from silent
        finally:
            self._busy = False
            self._transaction = client.ctx.next_tid
            if not done:
                await self.close()
        await self._end_if_cancelled()
        return answer

    async def _end_if_cancelled(self) -> None:
        """``asyncio.wait_for``, inside pymodbus, can swallow a cancel on Python 3.11: it is raised here."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            await self.close()
            raise asyncio.CancelledError

    def _check_block(self, address: int, count: int) -> None:
        if not 1 <= count <= self._max_block or not 0 <= address <= UINT16_MAX + 1 - count:
            raise ValueError(f"{count} registers at {address}: this device takes {self._max_block} at once")

    def _see_packet(self, sending: bool, packet: bytes) -> bytes:
        """pymodbus' hook: what is sent says what must come back; what is not that, it does not see."""
        if sending:
            self._expected = expected_answer(packet)
            return packet
        expected = self._expected
        fault = "bytes that nobody asked for" if expected is None else fault_in(packet, expected)
        if not fault and expected is not None:
            if len(packet) == expected.size:
                self._expected = None
            return packet
        self._fail(fault)
        return b""

    def _see_connection(self, up: bool) -> None:
        if not up:
            self._fail("the other end closed the connection")

    def _fail(self, fault: str) -> None:
        """The request in flight, or else the next one, fails with the first fault."""
        self._fault = self._fault or fault
        self._expected = None
        client = self._client
        if client is not None and self._busy and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ModbusException(self._fault))
