"""What the line knows of its PLC, from one status to the next: epoch, belt, ring, bits, heartbeat. No I/O.

A status is handed on in this order: the ring entries that it proves, the answer to the command that is
out, the changes of its bits, the belt.
"""

from typing import NamedTuple

from drivers.codecs.plc.ring import RingSlot, entry_of
from drivers.links.plc.agreement import disagreement
from drivers.links.plc.command_lane import CommandLane
from drivers.links.plc.ring_reader import RingReader
from edge.model.events import (
    PlcAttached,
    PlcDetached,
    PlcRefused,
    RingEntry,
    RingOverflowed,
    StatusBitsChanged,
)
from edge.model.ids import RingSeq
from edge.model.register_map import PlcBits, PlcIdentity, PlcStatus, StateBit
from edge.model.topology import Topology
from edge.model.units import UINT32_MAX, US_PER_MS, MonoUs, Ticks
from edge.ports.byte_stream import LinkFailed
from edge.ports.plc import RingMark
from edge.ports.sinks import BeltSample, BeltSink, EventSink

_RUN = int(StateBit.RUN)
"""As a plain int: it is looked at in every status."""
UNREAD_LIMIT = 256
"""Statuses that wait for a link that cannot keep up with the ring; of more, the newer ones give way."""


class MustNotCommand(Exception):
    """The PLC speaks and is not the one that this line was proved with."""


class TimedStatus(NamedTuple):
    """A status block and when it was asked for and answered."""

    asked_us: MonoUs
    answered_us: MonoUs
    status: PlcStatus


class PlcImage:
    """Posts to ``events`` and ``belt``. Every status becomes a ``BeltSample`` at once; when ring entries
    older than it are still to be read, with ``ring_read`` False, and again with True behind them."""

    def __init__(
        self, *, topology: Topology, lane: CommandLane, events: EventSink, belt: BeltSink, resume: RingMark
    ) -> None:
        self._topology = topology
        self._plc = topology.plc
        self._lane = lane
        self._events = events
        self._belt = belt
        self.epoch = resume.epoch
        self._ring_next = RingSeq(resume.ring_last + 1)
        self._ticks = resume.ticks
        self.ring: RingReader | None = None
        """This session's; None before the first identity."""
        self.head = RingSeq(0)
        """The last entry that the PLC has written, as far as is known."""
        self._unread: list[tuple[RingSeq, PlcBits, BeltSample]] = []
        """Statuses whose ring entries are not all handed on, oldest first."""
        self._bits: PlcBits | None = None
        self._beat = (0, MonoUs(0))
        """The PLC's heartbeat and when it last moved."""
        self._stood_at = 0
        self._attached = False
        self._refused = ""

    @property
    def ring_ack(self) -> RingSeq:
        """The last entry handed on, all before it too."""
        return RingSeq(self._ring_next - 1)

    def recognise(self, identity: PlcIdentity) -> None:
        """A session begins. Raises ``MustNotCommand`` when the PLC is not as described."""
        if why := disagreement(identity, self._topology):
            raise MustNotCommand(why)
        if identity.epoch != self.epoch:
            self.epoch, self._ring_next, self._ticks = identity.epoch, RingSeq(1), Ticks(0)
        self.ring = RingReader(
            order=self._plc.registers.word_order,
            max_block=min(self._plc.registers.max_block, identity.max_block),
            capacity=identity.ring_capacity,
            ring_next=self._ring_next,
        )
        self._unread = []

    def attach(self, timed: TimedStatus) -> None:
        """The session's first status."""
        status = timed.status
        self._same_epoch(status)
        if status.heartbeat == self._stood_at:
            raise LinkFailed("the PLC answers and its program stands")
        if status.ring_head < self.ring_ack:
            raise MustNotCommand(
                f"epoch {self.epoch} again, but its ring is at {status.ring_head} "
                f"and {self.ring_ack} is on record"
            )
        self._stood_at = 0
        self._refused = ""
        self._beat = (status.heartbeat, timed.answered_us)
        self._bits = status.bits
        # However long nobody looked: within an epoch the belt only went forward.
        self._ticks = Ticks(self._ticks + ((status.ticks - self._ticks) & UINT32_MAX))
        self._lane.attach(status)
        self._attached = True
        self._events.post(
            PlcAttached(
                at_us=timed.answered_us,
                epoch=self.epoch,
                last_seq=status.last_seq,
                ring_next=self._ring_next,
                ticks=self._ticks,
                bits=status.bits,
            )
        )
        self.take(timed)

    def take(self, timed: TimedStatus) -> None:
        """Any later status. Raises ``LinkFailed`` or ``WrongBlock``: the session is over."""
        assert self.ring is not None
        status, now = timed.status, timed.answered_us
        self._same_epoch(status)
        self._watch_beat(status.heartbeat, now)
        ticks = self._unwrap(status)
        slots, overflowed = self.ring.prove(status.ring_head)
        # All or none: an entry that is handed on twice would be a second parcel.
        if slots:
            for entry in [self._entry(slot, ticks, now) for slot in slots]:
                self._events.post(entry)
        self._ring_next = self.ring.next
        self.head = status.ring_head
        if overflowed:
            self._events.post(
                RingOverflowed(at_us=now, epoch=self.epoch, ring_next=self._ring_next, ticks=ticks)
            )
        answer = self._lane.judge(status, now)
        if answer is not None:
            self._events.post(answer)
        while self._unread and self._unread[0][0] < self._ring_next:
            _, bits, older = self._unread.pop(0)
            self._settle(bits, older._replace(ring_read=True))
        running = bool(int(status.bits.state) & _RUN)
        ring_read = status.ring_head < self._ring_next
        sample = BeltSample(timed.asked_us, now, self.epoch, status.plc_ms, ticks, running, ring_read)
        if ring_read:
            self._settle(status.bits, sample)
        else:
            if len(self._unread) >= UNREAD_LIMIT:
                del self._unread[-1]
            self._unread.append((status.ring_head, status.bits, sample))
            self._belt.belt_seen(sample)

    def end(self, why: Exception, now: MonoUs) -> None:
        """The session is over because of ``why``; a refusal is posted once for one reason."""
        if self._attached:
            self._belt.belt_unseen()
            self._events.post(PlcDetached(at_us=now, why=str(why)))
        self._attached = False
        if isinstance(why, MustNotCommand) and str(why) != self._refused:
            self._refused = str(why)
            self._events.post(PlcRefused(at_us=now, why=str(why)))

    def _same_epoch(self, status: PlcStatus) -> None:
        if status.epoch != self.epoch:
            raise LinkFailed(f"the PLC has restarted: epoch {self.epoch} became {status.epoch}")

    def _settle(self, bits: PlcBits, sample: BeltSample) -> None:
        """All that is older than this status has been handed on."""
        if bits != self._bits:
            self._bits = bits
            self._events.post(
                StatusBitsChanged(at_us=sample.answered_us, epoch=sample.epoch, ticks=sample.ticks, bits=bits)
            )
        self._belt.belt_seen(sample)

    def _entry(self, slot: RingSlot, status_ticks: Ticks, now: MonoUs) -> RingEntry:
        """An entry is older than the status that proved it: its ticks are the nearest ones behind."""
        behind = (status_ticks - slot.ticks) & UINT32_MAX
        ticks = Ticks(status_ticks - behind)
        return entry_of(slot, epoch=self.epoch, ticks=ticks, at_us=now)

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
