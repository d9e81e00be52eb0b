"""Which ring slots to read, and which of those read may be believed (RING-1, RING-3, RING-6). No I/O.

An entry read counts only when the head read *afterwards* shows that its slot was not being written
again meanwhile; until then it is unproved and nobody sees it.
"""

from dataclasses import dataclass

from drivers.codecs.plc import WrongBlock
from drivers.codecs.plc.ring import SIZE, RingSlot, decode_slot, slot_index
from edge.model.ids import RingSeq
from edge.model.register_map import WordOrder

SLOTS_A_READ = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRun:
    """``slots`` neighbouring slots from ``index`` on; the first should hold entry ``first``."""

    index: int
    slots: int
    first: RingSeq


class RingReader:
    """One session's place in the ring."""

    def __init__(self, *, order: WordOrder, max_block: int, capacity: int, ring_next: RingSeq) -> None:
        """``ring_next``: the entry to be handed on next; ``capacity`` in slots, ``max_block`` in words."""
        self._order = order
        self._at_once = min(SLOTS_A_READ, max_block // SIZE)
        self._capacity = capacity
        self._next = ring_next
        self._unproved: list[RingSlot] = []
        self._doubt: WrongBlock | None = None

    @property
    def next(self) -> RingSeq:
        """The entry to be handed on next; all before it have been, or were overwritten."""
        return self._next

    @property
    def unproved(self) -> bool:
        """Something was read that waits for a later head."""
        return bool(self._unproved) or self._doubt is not None

    def wanted(self, head: RingSeq) -> SlotRun | None:
        """The next slots to read when ``head`` is the last entry written; None when all are read."""
        first = RingSeq(self._next + len(self._unproved))
        if first > head or self._doubt is not None:
            return None
        index = slot_index(first, self._capacity)
        slots = min(self._at_once, head - first + 1, self._capacity - index)
        return SlotRun(index=index, slots=slots, first=first)

    def take(self, run: SlotRun, words: tuple[int, ...]) -> None:
        """Keep what was read. A slot that does not hold its entry is judged by the next head."""
        for n in range(run.slots):
            expected = run.first + n
            try:
                slot = decode_slot(words[n * SIZE : (n + 1) * SIZE], self._order)
                if slot.ring_seq != expected:
                    raise WrongBlock(f"ring slot of entry {expected} holds entry {slot.ring_seq}")
            except WrongBlock as wrong:
                self._doubt = wrong
                return
            self._unproved.append(slot)

    def prove(self, head: RingSeq) -> tuple[list[RingSlot], bool]:
        """What may be handed on now that ``head`` was read after it, oldest first; and whether entries
        were overwritten before they were read: then the newest half of the ring is read on from there.

        Raises ``WrongBlock`` when a slot is wrong although nobody wrote it again, or the head went back.
        """
        read_to = self._next + len(self._unproved) - 1
        if head < read_to:
            raise WrongBlock(f"ring head went back to {head}, {read_to} was read")
        # The oldest goes first: while it stands, so do all behind it.
        lost = not self._stands(self._next, head)
        if self._doubt is not None and not lost:
            raise self._doubt
        slots, self._unproved = self._unproved, []
        self._doubt = None
        if lost:
            self._next = RingSeq(head - self._capacity // 2 + 1)
            return [], True
        self._next = RingSeq(read_to + 1)
        return slots, False

    def _stands(self, seq: int, head: RingSeq) -> bool:
        """The slot of entry ``seq`` was not being written again when ``head`` was the last entry. The one
        after ``head`` may be half written: the head comes last."""
        return head + 1 < seq + self._capacity
