"""The event ring: entries for the PC, oldest overwritten first (contract clauses RING-*)."""

from collections.abc import Callable

from edge.model.divert import RingKind
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.registers import SLOT_WORDS, Pack, encode_slot


class EventRing:
    """``on_overflow`` is called once when an entry not acknowledged is overwritten, and again only
    after the PC has caught up."""

    __slots__ = ("_now", "_on_overflow", "_pack", "ack", "capacity", "head", "overflowed", "words")

    def __init__(self, now: Moment, *, capacity: int, pack: Pack, on_overflow: Callable[[], None]) -> None:
        self._now = now
        self._pack = pack
        self._on_overflow = on_overflow
        self.capacity = capacity
        self.words = [0] * (capacity * SLOT_WORDS)
        self.head = 0
        self.ack = 0
        self.overflowed = False

    def push(
        self,
        kind: RingKind,
        point: int,
        *,
        arg: int = 0,
        number: int = 0,
        ticks: int | None = None,
        ms: int | None = None,
    ) -> None:
        """Write the next entry; ``ticks`` and ``ms`` are now unless given."""
        seq = self.head + 1
        at = (seq - 1) % self.capacity * SLOT_WORDS
        self.words[at : at + SLOT_WORDS] = encode_slot(
            ring_seq=seq,
            kind=kind,
            point=point,
            arg=arg,
            number=number,
            ticks=self._now.ticks if ticks is None else ticks,
            plc_ms=self._now.ms if ms is None else ms,
            pack=self._pack,
        )
        self.head = seq
        if seq - self.ack > self.capacity and not self.overflowed:
            self.overflowed = True
            self._on_overflow()

    def acknowledge(self, seq: int) -> None:
        """Everything up to ``seq`` has been read; one beyond the head is ignored (RING-7)."""
        if self.ack < seq <= self.head:
            self.ack = seq
            if self.head - seq < self.capacity:
                self.overflowed = False
