"""What is due when: timers on a heap, by belt ticks or by microseconds."""

from collections.abc import Callable
from heapq import heappop, heappush

NEVER = 1 << 63
"""Later than anything is due."""


class Timer:
    """One action that is due at most once; setting it again replaces what was set."""

    __slots__ = ("_action", "_agenda", "due")

    def __init__(self, agenda: "Agenda", action: Callable[[], None]) -> None:
        self._agenda = agenda
        self._action = action
        self.due: int | None = None

    def set(self, due: int) -> None:
        if due != self.due:
            self.due = due
            self._agenda.push(due, self)

    def clear(self) -> None:
        self.due = None

    def run(self) -> None:
        self.due = None
        self._action()


class Agenda:
    """Timers in the order of (due, when they were set). Replaced entries are skipped.

    Before ``first`` nothing is due: ``run`` need not be called."""

    __slots__ = ("_heap", "_n", "first")

    def __init__(self) -> None:
        self.first = NEVER
        self._heap: list[tuple[int, int, Timer]] = []
        self._n = 0

    def timer(self, action: Callable[[], None]) -> Timer:
        return Timer(self, action)

    def push(self, due: int, timer: Timer) -> None:
        self._n += 1
        heappush(self._heap, (due, self._n, timer))
        self.first = min(self.first, due)

    def run(self, now: int) -> bool:
        """Run what is due by ``now``, also what that makes due; True if anything ran."""
        heap = self._heap
        ran = False
        while heap and heap[0][0] <= now:
            due, _, timer = heappop(heap)
            if timer.due == due:
                timer.run()
                ran = True
        self.first = heap[0][0] if heap else NEVER
        return ran

    def next_due(self) -> int | None:
        heap = self._heap
        while heap:
            due, _, timer = heap[0]
            if timer.due == due:
                self.first = due
                return due
            heappop(heap)
        self.first = NEVER
        return None
