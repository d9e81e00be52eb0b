"""What the truth log says while the demo runs: who was placed, who has left, what was done to them."""

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic

from simulators.faults import LineFaultKind
from simulators.world.truth import FaultInjected, Inducted, Left, Placed, Removed, Truth, TruthSink

US_PER_S = 1_000_000
QUIET_S = 3.0
"""After ``close`` a parcel may still be in a packer's hands; then nothing more comes."""


class Watch:
    """Gives every fact to ``checker``, each placing to ``placed``; ``crash_line(seconds)`` is done when the
    plan of faults wants it. ``parcels`` None: for ever, until ``close``."""

    def __init__(
        self,
        parcels: int | None,
        checker: TruthSink,
        placed: Callable[[int], None],
        crash_line: Callable[[float], None],
    ) -> None:
        self.placed = 0
        self.inserted = 0
        """Strays, and parcels that come round again, beside those that were placed."""
        self.gone = 0
        self.faults: Counter[str] = Counter()
        self._parcels = parcels
        self._checker = checker
        self._on_placed = placed
        self._crash_line = crash_line
        self._closed = False
        self._placed_s = 0.0
        self._first_us = 0
        self._last_us = 0

    @property
    def empty(self) -> bool:
        """Everything that will ever be placed was, and has left."""
        if self.placed + self.inserted > self.gone:
            return False
        if self._closed:
            return monotonic() - self._placed_s > QUIET_S
        return self.placed == self._parcels

    @property
    def belt_s(self) -> float:
        """From the first induction to the last exit."""
        return max(0, self._last_us - self._first_us) / US_PER_S

    def close(self) -> None:
        self._closed = True
        self._placed_s = monotonic()

    def take(self, facts: Iterable[Truth]) -> None:
        for fact in facts:
            self._checker(fact)
            self._see(fact)

    def _see(self, fact: Truth) -> None:
        match fact:
            case Placed() if fact.index < 0 or fact.again:
                self.inserted += 1
                self.faults.update(() if fact.again else fact.faults)
            case Placed():
                self.placed += 1
                self._placed_s = monotonic()
                self.faults.update(fact.faults)
                self._on_placed(fact.index)
            case Inducted():
                self._first_us = self._first_us or fact.at_us
            case Left():
                self.gone += 1
                self._last_us = fact.at_us
            case Removed():
                self.gone += 1
            case FaultInjected():
                self.faults[fact.kind] += 1
                if fact.kind == LineFaultKind.LINE_CRASH:
                    self._crash_line(int(fact.subject) / 1_000)
            case _:
                pass
