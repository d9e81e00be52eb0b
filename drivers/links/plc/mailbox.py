"""The owner of the bus to a mailbox PLC: one task, one request in flight (plc.md sections 3, 4, 7).

Priority: the due cycle, a command and its read-back, the ring. A due cycle is postponed by one command at
most, never by two: so a command waits for one request of it, and the cycle's status reads it back.
A session ends with the first fault: what a late answer could be taken for is never asked.
"""

import asyncio
from collections.abc import Callable

from drivers.codecs.plc import WrongBlock
from drivers.codecs.plc import identity as identity_block
from drivers.codecs.plc import ring as ring_block
from drivers.codecs.plc import status as status_block
from drivers.codecs.plc.identity import decode_identity
from drivers.codecs.plc.pc_status import encode_pc_status
from drivers.codecs.plc.status import decode_status
from drivers.links.plc.command_lane import CommandLane
from drivers.links.plc.image import MustNotCommand, PlcImage, TimedStatus
from drivers.links.plc.ring_reader import RingReader, SlotRun
from edge.model.commands import Revoke, SendDivert
from edge.model.ids import DeviceId
from edge.model.register_map import PcStatus
from edge.model.topology import Topology
from edge.model.units import US_PER_MS, US_PER_S, MonoUs
from edge.ports.byte_stream import LinkFailed
from edge.ports.clock import Clock
from edge.ports.plc import BlockPort, ExchangePort, ReadOutputs, RingMark
from edge.ports.sinks import BeltSink, EventSink

JUDGE_SCANS = 40
"""A block that the PLC has not judged after so many scans and two time-outs will not be: reopen."""


class PlcMailboxLink:
    """``edge.ports.link.Link`` and ``edge.ports.plc.PlcPort``."""

    def __init__(
        self,
        *,
        topology: Topology,
        bus: BlockPort,
        clock: Clock,
        events: EventSink,
        belt: BeltSink,
        outputs: ReadOutputs,
        resume: RingMark,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        """``bus`` is asked by FC23 where the PLC's file says so and it is an ``ExchangePort`` too. ``room()``
        is False while what was read before is not worked off: the ring is left to the PLC until then."""
        self._plc = topology.plc
        self._map = topology.plc.registers
        if self._map.max_block < status_block.SIZE:
            raise ValueError(f"max_block {self._map.max_block} cannot hold a status of one instant")
        self._bus = bus
        self._exchange = bus if self._map.read_write and isinstance(bus, ExchangePort) else None
        self._clock = clock
        self._outputs = outputs
        self._room = room
        self._lane = CommandLane()
        self._image = PlcImage(topology=topology, lane=self._lane, events=events, belt=belt, resume=resume)
        self._due_us = 0
        self._read_back_us = 0
        self._judge_by_us = 0
        self._wake: asyncio.Future[None] | None = None

    @property
    def device(self) -> DeviceId:
        return self._plc.device

    def send(self, command: SendDivert | Revoke) -> None:
        """As ``PlcPort.send``. A command of an epoch that is over is dropped: ``PlcAttached`` told so."""
        if self._image.epoch and command.epoch != self._image.epoch:
            return
        self._lane.put(command, self._clock.now_us())
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def forget(self, epoch: int) -> None:
        """As ``PlcPort.forget``; a block of it that is out is not waited for either."""
        self._lane.forget(epoch)

    async def session(self, went_up: Callable[[], None]) -> None:
        """As ``Link.session``. Posts ``PlcAttached``, or ``PlcRefused`` once for one reason, and
        ``PlcDetached`` when an attached PLC is lost."""
        try:
            await self._run(went_up)
        except (LinkFailed, WrongBlock, MustNotCommand) as failed:
            self._image.end(failed, self._clock.now_us())
            raise LinkFailed(str(failed)) from failed

    async def _run(self, went_up: Callable[[], None]) -> None:
        try:
            await self._bus.open()
            await self._attach()
            went_up()
            await self._serve()
        finally:
            await self._bus.close()

    async def _attach(self) -> None:
        words = await self._bus.read(self._map.identity, identity_block.SIZE)
        try:
            identity = decode_identity(words, self._map.word_order)
        except WrongBlock as wrong:
            raise (MustNotCommand(str(wrong)) if any(words) else wrong) from wrong
        self._image.recognise(identity)
        if self._exchange is None:
            await self._write_pc_status()
            self._image.attach(await self._read_status())
        else:
            self._image.attach(await self._exchange_status(self._exchange))

    async def _serve(self) -> None:
        ring = self._image.ring
        assert ring is not None
        loop = asyncio.get_running_loop()
        owed = postponed = False
        while True:
            now = self._clock.now_us()
            idle_us = self._due_us - now
            due = idle_us <= 0
            if self._lane.ready and not postponed:
                await self._write_command()
                postponed = due or owed
            elif due and self._exchange is None:
                await self._write_pc_status()
                owed = True
            elif due and self._exchange is not None:
                self._image.take(await self._exchange_status(self._exchange))
                self._watch_judgement()
                postponed = False
            elif owed or (self._lane.awaiting and now >= self._read_back_us):
                self._image.take(await self._read_status())
                self._watch_judgement()
                owed = postponed = False
            elif (run := ring.wanted(self._image.head)) is not None and self._room():
                await self._read_ring(ring, run)
            elif ring.unproved and idle_us >= self._plc.turnaround_ms * US_PER_MS:
                self._image.take(await self._read_status())
            else:
                await self._idle(loop)

    async def _exchange_status(self, bus: ExchangePort) -> TimedStatus:
        asked_us = self._clock.now_us()
        words = await bus.exchange(
            self._map.pc_status, self._pc_status(asked_us), self._map.status, status_block.SIZE
        )
        return self._timed(asked_us, words)

    async def _read_status(self) -> TimedStatus:
        asked_us = self._clock.now_us()
        return self._timed(asked_us, await self._bus.read(self._map.status, status_block.SIZE))

    def _timed(self, asked_us: MonoUs, words: tuple[int, ...]) -> TimedStatus:
        status = decode_status(words, self._map.word_order)
        return TimedStatus(asked_us, self._clock.now_us(), status)

    async def _write_pc_status(self) -> None:
        await self._bus.write(self._map.pc_status, self._pc_status(self._clock.now_us()))

    def _pc_status(self, now: MonoUs) -> tuple[int, ...]:
        """What the PLC is told in this cycle; the next one is due a cycle after this moment."""
        self._due_us = now + self._plc.cycle_ms * US_PER_MS
        wanted = self._outputs()
        return encode_pc_status(
            PcStatus(
                heartbeat=wanted.heartbeat,
                mode=wanted.mode,
                gates=wanted.gates,
                zones_hold=wanted.zones_hold,
                release_number=wanted.release_number,
                exits_enabled=wanted.exits_enabled,
                ring_ack=self._image.ring_ack,
                indicators=wanted.indicators,
            ),
            self._map.word_order,
        )

    async def _write_command(self) -> None:
        """The read-back may follow at once."""
        await self._bus.write(self._map.command, self._lane.take())
        self._read_back_us = self._clock.now_us()
        patience_ms = JUDGE_SCANS * self._plc.scan_ms + 2 * self._plc.timeout_ms
        self._judge_by_us = self._read_back_us + patience_ms * US_PER_MS

    def _watch_judgement(self) -> None:
        """The PLC judges at the end of a scan: a read-back is not repeated faster than that."""
        now = self._clock.now_us()
        self._read_back_us = now + self._plc.scan_ms * US_PER_MS
        if self._lane.awaiting and now >= self._judge_by_us:
            raise LinkFailed("the PLC does not judge its command block")

    async def _read_ring(self, ring: RingReader, run: SlotRun) -> None:
        address = self._map.ring + run.index * ring_block.SIZE
        ring.take(run, await self._bus.read(address, run.slots * ring_block.SIZE))

    async def _idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Until the next request is due or a command is given."""
        until_us = min(self._due_us, self._read_back_us) if self._lane.awaiting else self._due_us
        wake: asyncio.Future[None] = loop.create_future()
        self._wake = wake
        handle = loop.call_at(until_us / US_PER_S, _release, wake)
        try:
            await wake
        finally:
            handle.cancel()
            self._wake = None


def _release(wake: "asyncio.Future[None]") -> None:
    if not wake.done():
        wake.set_result(None)
