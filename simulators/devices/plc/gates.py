"""The gates of the review benches (contract clauses GATE-*)."""

from edge.model.divert import RingKind
from edge.model.review import GateLane
from simulators.devices.plc.ring import EventRing


class Gates:
    """``open``: the gates that stand open to packing. One lets one work through, then shuts until the
    PC's bit has been 0."""

    def __init__(self, *, ring: EventRing, eyes: int) -> None:
        self.open = 0
        self._ring = ring
        self._eyes = eyes
        self._wanted = 0
        self._spent = 0

    def written(self, wanted: int) -> None:
        """The PC's gate bits."""
        self._wanted = wanted
        self._spent &= wanted
        self.open = wanted & ~self._spent

    def sense(self, eyes: int) -> None:
        """Bits 2 (gate - 1) and 2 (gate - 1) + 1: the exit eyes behind its packing and re-pick side."""
        changed, self._eyes = eyes ^ self._eyes, eyes
        while changed:
            at = (changed & -changed).bit_length() - 1
            changed &= changed - 1
            gate, lane = at // 2 + 1, GateLane(at % 2 + 1)
            if eyes >> at & 1:
                self._ring.push(RingKind.GATE, gate, arg=lane.value)
            elif lane is GateLane.PACKING:
                self._spent |= self._wanted & 1 << (gate - 1)
                self.open = self._wanted & ~self._spent
