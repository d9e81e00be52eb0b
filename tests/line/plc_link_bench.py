"""The mailbox link, its Modbus port and the simulated PLC on one bench, in either kind of time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from drivers.links.plc import PlcMailboxLink
from drivers.streams.modbus import ModbusTcpPort
from edge.model.ids import BootEpoch, RingSeq
from edge.model.register_map import WordOrder
from edge.model.units import MonoUs, Ticks
from edge.ports.byte_stream import LinkFailed
from edge.ports.plc import RingMark
from simulators.devices.plc.faults import BusFaults
from simulators.devices.plc.modbus_server import ModbusPlcServer
from tests.core.plc_bench import HEARTBEAT_MS, Bench, PlcRegisters, bench_topology
from tests.line.plc_link_bank import Outputs, Seen

NOTHING = RingMark(epoch=BootEpoch(0), ring_last=RingSeq(0), ticks=Ticks(0))


class LoopClock:
    def now_us(self) -> MonoUs:
        return MonoUs(round(asyncio.get_running_loop().time() * 1_000_000))

    def utc_us(self) -> Any:
        raise AssertionError("a link asks no wall clock")


class Joined:
    """``pace``: how much faster the plant's time runs than the PC's. ``timeout_ms`` and ``heartbeat_ms``
    as in the line's description, the one in the PC's time and the other in the plant's."""

    def __init__(
        self,
        *,
        order: WordOrder = WordOrder.ABCD,
        read_write: bool = True,
        port: int = 502,
        pace: int = 1,
        timeout_ms: int = 100,
        heartbeat_ms: int = HEARTBEAT_MS,
    ) -> None:
        topology = bench_topology(order=order)
        registers = replace(topology.plc.registers, read_write=read_write)
        self.topology = replace(
            topology,
            plc=replace(
                topology.plc,
                port=port,
                registers=registers,
                timeout_ms=timeout_ms,
                heartbeat_ms=heartbeat_ms,
            ),
        )
        self.bench = Bench(topology=self.topology)
        if order is WordOrder.ABCD:  # the bench's own PC speaks no other
            self.bench.ready()
        self.bench.pc.alive = False
        self.faults = BusFaults(turnaround_us=5_000)
        self.seen = Seen()
        self.outputs = Outputs()
        self.outputs.gates, self.outputs.exits_enabled = 0, 0b1111
        self.ends: list[str] = []
        self._pace = pace
        self._clock = LoopClock()
        self._zero_us = self._ran_ms = 0
        self.link = self.fresh_link(NOTHING)

    def fresh_link(self, resume: RingMark) -> PlcMailboxLink:
        """As after a restart of the line process."""
        self.link = PlcMailboxLink(
            topology=self.topology,
            bus=ModbusTcpPort.of(self.topology.plc),
            clock=self._clock,
            events=self.seen,
            belt=self.seen,
            outputs=self.outputs,
            resume=resume,
        )
        return self.link

    def step(self) -> None:
        """Bring the plant to now."""
        elapsed_ms = (self._clock.now_us() - self._zero_us) * self._pace // 1000
        behind_ms = elapsed_ms - self._ran_ms
        if behind_ms > 0:
            self._ran_ms = elapsed_ms
            self.bench.run(behind_ms)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Joined"]:
        self._zero_us, self._ran_ms = self._clock.now_us(), 0
        server = ModbusPlcServer(
            PlcRegisters(self.bench.program, self.step),
            host=self.topology.plc.host,
            port=self.topology.plc.port,
            unit=self.topology.plc.unit,
            read_write=self.topology.plc.registers.read_write,
            faults=self.faults,
        )
        await server.start()
        keeper = asyncio.create_task(self.keep())
        try:
            yield self
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            await server.stop()
            await asyncio.sleep(0.05)

    async def keep(self) -> None:
        while True:
            try:
                await self.link.session(lambda: None)
            except LinkFailed as failed:
                self.ends.append(str(failed))
            await asyncio.sleep(0.1)

    async def until(self, kind: type[Any], wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of that kind that is wanted; it comes within 20 s."""
        async with asyncio.timeout(20):
            while True:
                for event in self.seen.of(kind):
                    if wanted(event):
                        return event
                self.step()
                await asyncio.sleep(0.01)
