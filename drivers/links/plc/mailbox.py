"""The owner of the bus to a mailbox PLC: one task, one request in flight (plc.md sections 3, 4, 7).

Priority: the due cycle, a command and its read-back, the ring. A due cycle is postponed by one command at
most, never by two: so a command waits for one request of it, and the cycle's status reads it back.
A session ends with the first fault: what a late answer could be taken for is never asked.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.codecs.plc import WrongBlock
from drivers.codecs.plc import identity as identity_block
from drivers.codecs.plc import ring as ring_block
from drivers.codecs.plc import status as status_block
from drivers.codecs.plc.identity import decode_identity
from drivers.codecs.plc.pc_status import encode_pc_status
from drivers.codecs.plc.ring import RingSlot, entry_of
from drivers.codecs.plc.status import decode_status
from drivers.links.plc.agreement import disagreement
from drivers.links.plc.command_lane import CommandLane
from drivers.links.plc.ring_reader import RingReader, SlotRun
from edge.model.commands import Revoke, SendDivert
from edge.model.events import PlcAttached, PlcDetached, PlcRefused, RingOverflowed, StatusBitsChanged
from edge.model.ids import BootEpoch, DeviceId, RingSeq
from edge.model.register_map import PcStatus, PlcBits, PlcIdentity, PlcStatus, StateBit
from edge.model.topology import Topology
from edge.model.units import UINT32_MAX, US_PER_MS, US_PER_S, MonoUs, Ticks
from edge.ports.byte_stream import LinkFailed
from edge.ports.clock import Clock
from edge.ports.plc import BlockPort, ExchangePort, ReadOutputs
from edge.ports.sinks import BeltSample, BeltSink, EventSink

JUDGE_SCANS = 40
"""A block that the PLC has not judged after so many scans and two time-outs will not be: reopen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """What is on record of the PLC: its epoch, the last ring entry and the last belt position of it.

    All 0: nothing. ``ticks`` are unwrapped.
    """

    epoch: BootEpoch
    ring_seq: RingSeq
    ticks: Ticks


class _Refused(Exception):
    """The PLC speaks and must not be commanded."""


class PlcMailboxLink:
    """``edge.ports.link.Link`` and ``edge.ports.plc.PlcPort``.

    Every status becomes a ``BeltSample`` at once; when ring entries older than it are still to be read
    it is given with ``ring_read`` False, and again with True behind them. Changes of its bits are posted
    behind those entries too.
    """

    def __init__(
        self,
        *,
        topology: Topology,
        bus: BlockPort,
        clock: Clock,
        events: EventSink,
        belt: BeltSink,
        outputs: ReadOutputs,
        resume: Resume,
    ) -> None:
        """``bus`` is asked by FC23 where the PLC's file says so and it is an ``ExchangePort`` too."""
        self._topology = topology
        self._plc = topology.plc
        self._map = topology.plc.registers
        if self._map.max_block < status_block.SIZE:
            raise ValueError(f"max_block {self._map.max_block} cannot hold a status of one instant")
        self._bus = bus
        self._exchange = bus if self._map.read_write and isinstance(bus, ExchangePort) else None
        self._clock = clock
        self._events = events
        self._belt = belt
        self._outputs = outputs
        self._lane = CommandLane()
        self._epoch = resume.epoch
        self._ticks = resume.ticks
        self._ring_next = RingSeq(resume.ring_seq + 1)
        self._ring: RingReader | None = None
        self._head = RingSeq(0)
        self._unread: list[tuple[RingSeq, PlcBits, BeltSample]] = []
        """Statuses whose ring entries are not all handed on, oldest first."""
        self._bits: PlcBits | None = None
        self._beat = (0, MonoUs(0))
        """The PLC's heartbeat and when it last moved."""
        self._stood_at = 0
        self._attached = False
        self._refused = ""
        self._due_us = 0
        self._read_back_us = 0
        self._judge_by_us = 0
        self._wake: asyncio.Future[None] | None = None

    @property
    def device(self) -> DeviceId:
        return self._plc.device

    def send(self, command: SendDivert | Revoke) -> None:
        """As ``PlcPort.send``. A command of an epoch that is over is dropped: ``PlcAttached`` told so."""
        if self._epoch and command.epoch != self._epoch:
            return
        self._lane.put(command, self._clock.now_us())
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def forget(self, epoch: int) -> None:
        """As ``PlcPort.forget``; a block of it that is out is not waited for either."""
        self._lane.forget(epoch)

    async def session(self, went_up: Callable[[], None]) -> None:
        """As ``Link.session``. Posts ``PlcAttached`` or ``PlcRefused`` (once for one reason), and
        ``PlcDetached`` when an attached PLC is lost."""
        try:
            await self._run(went_up)
        except (LinkFailed, WrongBlock, _Refused) as failed:
            self._detach(failed)
            raise LinkFailed(str(failed)) from failed
        finally:
            self._attached = False

    async def _run(self, went_up: Callable[[], None]) -> None:
        try:
            await self._bus.open()
            await self._attach()
            went_up()
            await self._serve()
        finally:
            await self._bus.close()

    # --- attach and detach ------------------------------------------------------------------------

    async def _attach(self) -> None:
        words = await self._bus.read(self._map.identity, identity_block.SIZE)
        try:
            identity = decode_identity(words, self._map.word_order)
        except WrongBlock as wrong:
            raise (wrong if not any(words) else _Refused(str(wrong))) from wrong
        if why := disagreement(identity, self._topology):
            raise _Refused(why)
        if identity.epoch != self._epoch:
            self._epoch, self._ring_next = identity.epoch, RingSeq(1)
            self._ticks = Ticks(0)
        self._ring = self._ring_from(identity, self._ring_next)
        self._unread = []
        if self._exchange is None:
            await self._write_pc_status()
            asked_us, answered_us, status = await self._read_status()
        else:
            asked_us, answered_us, status = await self._exchange_status(self._exchange)
        if status.heartbeat == self._stood_at:
            raise LinkFailed("the PLC answers and its program stands")
        if status.ring_head < self._ring_next - 1:
            raise _Refused(
                f"epoch {self._epoch} again, but its ring is at {status.ring_head} "
                f"and {self._ring_next - 1} is on record"
            )
        self._stood_at = 0
        self._beat = (status.heartbeat, answered_us)
        self._lane.attach(status)
        self._attached = True
        self._refused = ""
        self._bits = status.bits
        # However long nobody looked: within an epoch the belt only went forward.
        self._ticks = Ticks(self._ticks + ((status.ticks - self._ticks) & UINT32_MAX))
        self._events.post(
            PlcAttached(
                at_us=answered_us,
                epoch=self._epoch,
                last_seq=status.last_seq,
                ring_next=self._ring_next,
                ticks=self._ticks,
                bits=status.bits,
            )
        )
        self._take(asked_us, answered_us, status)

    def _ring_from(self, identity: PlcIdentity, ring_next: RingSeq) -> RingReader:
        return RingReader(
            order=self._map.word_order,
            max_block=min(self._map.max_block, identity.max_block),
            capacity=identity.ring_capacity,
            ring_next=ring_next,
        )

    def _detach(self, why: Exception) -> None:
        now = self._clock.now_us()
        if self._attached:
            self._belt.belt_unseen()
            self._events.post(PlcDetached(at_us=now, why=str(why)))
        if isinstance(why, _Refused) and str(why) != self._refused:
            self._refused = str(why)
            self._events.post(PlcRefused(at_us=now, why=str(why)))

    # --- the bus ----------------------------------------------------------------------------------

    async def _serve(self) -> None:
        assert self._ring is not None
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
                self._take(*await self._exchange_status(self._exchange))
                self._watch_judgement()
                postponed = False
            elif owed or (self._lane.awaiting and now >= self._read_back_us):
                self._take(*await self._read_status())
                self._watch_judgement()
                owed = postponed = False
            elif (run := self._ring.wanted(self._head)) is not None:
                await self._read_ring(self._ring, run)
            elif self._ring.unproved and idle_us >= self._plc.turnaround_ms * US_PER_MS:
                self._take(*await self._read_status())
            else:
                await self._idle()

    async def _exchange_status(self, bus: ExchangePort) -> tuple[MonoUs, MonoUs, PlcStatus]:
        asked_us = self._clock.now_us()
        words = await bus.exchange(
            self._map.pc_status, self._pc_status(asked_us), self._map.status, status_block.SIZE
        )
        return asked_us, self._clock.now_us(), decode_status(words, self._map.word_order)

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
                ring_ack=RingSeq(self._ring_next - 1),
                indicators=wanted.indicators,
            ),
            self._map.word_order,
        )

    async def _read_status(self) -> tuple[MonoUs, MonoUs, PlcStatus]:
        asked_us = self._clock.now_us()
        words = await self._bus.read(self._map.status, status_block.SIZE)
        return asked_us, self._clock.now_us(), decode_status(words, self._map.word_order)

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

    async def _idle(self) -> None:
        until_us = min(self._due_us, self._read_back_us) if self._lane.awaiting else self._due_us
        loop = asyncio.get_running_loop()
        wake: asyncio.Future[None] = loop.create_future()
        self._wake = wake
        handle = loop.call_at(until_us / US_PER_S, _release, wake)
        try:
            await wake
        finally:
            handle.cancel()
            self._wake = None

    # --- what a status says -----------------------------------------------------------------------

    def _take(self, asked_us: MonoUs, answered_us: MonoUs, status: PlcStatus) -> None:
        """Hand on what it proves, in this order: ring entries, the command's answer, bits, the belt."""
        assert self._ring is not None
        if status.epoch != self._epoch:
            raise LinkFailed(f"the PLC has restarted: epoch {self._epoch} became {status.epoch}")
        self._watch_beat(status.heartbeat, answered_us)
        ticks = self._unwrap(status)
        slots, overflowed = self._ring.prove(status.ring_head)
        for slot in slots:
            self._post_entry(slot, ticks)
        self._ring_next = self._ring.next
        self._head = status.ring_head
        if overflowed:
            self._events.post(
                RingOverflowed(at_us=answered_us, epoch=self._epoch, ring_next=self._ring_next, ticks=ticks)
            )
        answer = self._lane.judge(status, answered_us)
        if answer is not None:
            self._events.post(answer)
        sample = BeltSample(
            asked_us=asked_us,
            answered_us=answered_us,
            epoch=self._epoch,
            plc_ms=status.plc_ms,
            ticks=ticks,
            running=StateBit.RUN in status.bits.state,
            ring_read=False,
        )
        self._unread.append((status.ring_head, status.bits, sample))
        while self._unread and self._unread[0][0] < self._ring_next:
            self._settle(*self._unread.pop(0)[1:])
        if self._unread:
            self._belt.belt_seen(sample)

    def _settle(self, bits: PlcBits, sample: BeltSample) -> None:
        """All that is older than this status has been handed on."""
        if bits != self._bits:
            self._bits = bits
            self._events.post(
                StatusBitsChanged(at_us=sample.answered_us, epoch=sample.epoch, ticks=sample.ticks, bits=bits)
            )
        self._belt.belt_seen(replace(sample, ring_read=True))

    def _post_entry(self, slot: RingSlot, status_ticks: Ticks) -> None:
        """An entry is older than the status that proved it: its ticks are the nearest ones behind."""
        behind = (status_ticks - slot.ticks) & UINT32_MAX
        ticks = Ticks(status_ticks - behind)
        self._events.post(entry_of(slot, epoch=self._epoch, ticks=ticks, at_us=self._clock.now_us()))

    def _unwrap(self, status: PlcStatus) -> Ticks:
        """Belt ticks only grow within an epoch, and by less than half the circle between two statuses."""
        ahead = (status.ticks - self._ticks) & UINT32_MAX
        if ahead > UINT32_MAX // 2:
            raise LinkFailed(f"belt ticks went back by {UINT32_MAX + 1 - ahead}")
        self._ticks = Ticks(self._ticks + ahead)
        return self._ticks

    def _watch_beat(self, beat: int, now: MonoUs) -> None:
        """A stopped PLC program may leave its communication answering with a frozen image (REG-6)."""
        if beat != self._beat[0]:
            self._beat = (beat, now)
            return
        limit_ms = max(self._plc.heartbeat_ms, 2 * self._plc.cycle_ms)
        if now - self._beat[1] > limit_ms * US_PER_MS:
            self._stood_at = beat
            raise LinkFailed(f"the PLC answers and its program stands: no heartbeat for {limit_ms} ms")


def _release(wake: "asyncio.Future[None]") -> None:
    if not wake.done():
        wake.set_result(None)
