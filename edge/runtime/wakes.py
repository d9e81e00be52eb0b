"""The core's wakes: by proved belt position, by extrapolated belt position, by time.

All marks on one belt come due in the order of their ticks, so one heap a kind is enough.
"""

import asyncio
import heapq
from collections.abc import Callable

from edge.core.belt_clock import BeltClock
from edge.model.commands import WakeAt
from edge.model.events import WakePurpose, Woke
from edge.model.units import US_PER_S, MonoUs, Ticks
from edge.ports.clock import Clock
from edge.ports.sinks import EventSink

Key = tuple[WakePurpose, int]


class Wakes:
    """A second ``WakeAt`` of the same (purpose, ref) replaces the first."""

    def __init__(self, belt: BeltClock, clock: Clock, events: EventSink) -> None:
        self._belt = belt
        self._clock = clock
        self._events = events
        self._due: dict[Key, tuple[int, int]] = {}
        self._proved: list[tuple[int, int, Key]] = []
        self._extrapolated: list[tuple[int, int, Key]] = []
        self._timed: list[tuple[int, int, Key]] = []
        self._n = 0
        self._handles: dict[str, tuple[int, asyncio.TimerHandle]] = {}

    def set(self, wake: WakeAt) -> None:
        self._n += 1
        key = (wake.purpose, wake.ref)
        self._due[key] = (wake.ticks or wake.at_us, self._n)
        if not wake.ticks:
            heapq.heappush(self._timed, (wake.at_us, self._n, key))
            self._arm_timed()
        elif wake.proved:
            heapq.heappush(self._proved, (wake.ticks, self._n, key))
            self.belt_moved()
        else:
            heapq.heappush(self._extrapolated, (wake.ticks, self._n, key))
            self._arm_extrapolated()

    def belt_moved(self) -> None:
        """A new status is known: prove what it proves, and correct the extrapolation."""
        now = self._clock.now_us()
        while (mark := self._first(self._proved)) is not None and self._belt.proved(Ticks(mark[0])):
            self._fire(self._proved, now, Ticks(mark[0]))
        self._arm_extrapolated()

    def forget_ticks(self) -> None:
        """The belt's count begins anew: no mark of the old count comes due."""
        for heap in (self._proved, self._extrapolated):
            for mark, n, key in heap:
                if self._due.get(key) == (mark, n):
                    del self._due[key]
            heap.clear()
        self._arm_extrapolated()

    def __len__(self) -> int:
        return len(self._due)

    def _first(self, heap: list[tuple[int, int, Key]]) -> tuple[int, int, Key] | None:
        """The earliest mark that was not replaced."""
        while heap and self._due.get(heap[0][2]) != (heap[0][0], heap[0][1]):
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _fire(self, heap: list[tuple[int, int, Key]], now: MonoUs, ticks: Ticks) -> None:
        _, _, key = heapq.heappop(heap)
        del self._due[key]
        self._events.post(Woke(at_us=now, purpose=key[0], ref=key[1], ticks=ticks))

    def _arm_extrapolated(self) -> None:
        now = self._clock.now_us()
        while (mark := self._first(self._extrapolated)) is not None:
            due = self._belt.due_us(Ticks(mark[0]), now)
            if due is None:
                self._disarm("belt")
                return
            if due > now:
                self._arm("belt", due, self._arm_extrapolated)
                return
            self._fire(self._extrapolated, now, Ticks(mark[0]))
        self._disarm("belt")

    def _arm_timed(self) -> None:
        now = self._clock.now_us()
        while (mark := self._first(self._timed)) is not None:
            if mark[0] > now:
                self._arm("time", mark[0], self._arm_timed)
                return
            self._fire(self._timed, now, Ticks(0))

    def _arm(self, name: str, at_us: int, wake: Callable[[], None]) -> None:
        """``wake`` is called no later than ``at_us``. A timer that stands earlier is let stand: it looks
        again, and most marks are put off by every status of a belt that runs."""
        standing = self._handles.get(name)
        if standing is not None and standing[0] <= at_us:
            return
        self._disarm(name)
        handle = asyncio.get_running_loop().call_at(at_us / US_PER_S, self._alarm, name, wake)
        self._handles[name] = (at_us, handle)

    def _alarm(self, name: str, wake: Callable[[], None]) -> None:
        self._handles.pop(name, None)
        wake()

    def _disarm(self, name: str) -> None:
        standing = self._handles.pop(name, None)
        if standing is not None:
            standing[1].cancel()

    def close(self) -> None:
        self._disarm("belt")
        self._disarm("time")
