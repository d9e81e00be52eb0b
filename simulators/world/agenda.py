"""What will happen in the hall, by time and by belt position, and when the next of it is due."""

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace

from simulators.world.motion import BeltMotion
from simulators.world.parcel import Body, Point

Wake = Callable[[int], None]
"""Called with the instant."""


class Agenda:
    """Timers are due at an instant; marks and the points of bodies when the belt is at a position.

    Things due at one instant come in a fixed order: timers, points, marks, each by time or position
    and then by the order in which they were asked for.
    """

    def __init__(self, motion: BeltMotion) -> None:
        self._motion = motion
        self._timers: list[tuple[int, int, Wake]] = []
        self._marks: list[tuple[int, int, Wake]] = []
        self._points: list[tuple[int, int, int, int, Body]] = []
        self._n = 0
        self.due: int | None = None
        """The next instant at which something happens by itself; None if nothing will."""

    def changed(self) -> None:
        """The belt's motion is another one now."""
        self.due = self._find()

    def at(self, at_us: int, wake: Wake) -> None:
        """Call ``wake(now)`` at an instant."""
        self._n += 1
        heappush(self._timers, (at_us, self._n, wake))
        if self.due is None or at_us < self.due:
            self.due = at_us

    def at_belt(self, belt_nm: int, wake: Wake) -> None:
        """Call ``wake(now)`` when the belt has come to a position."""
        self._n += 1
        heappush(self._marks, (belt_nm, self._n, wake))
        self._expect(belt_nm)

    def queue(self, body: Body) -> None:
        """The next point of a body is waited for; a stale entry is known by its generation."""
        if body.held_nm is None and body.next < len(body.points):
            entry = _entry(body)
            heappush(self._points, entry)
            self._expect(entry[0])

    def run(self, now_us: int, passed: Callable[[Body, Point], None]) -> None:
        """Everything due at one instant; ``passed`` is told of bodies at their points."""
        motion = self._motion
        ramp = motion.wake_at_us
        if ramp is not None and ramp <= now_us:
            motion.step(now_us)
        timers, points, marks = self._timers, self._points, self._marks
        while timers and timers[0][0] <= now_us:
            heappop(timers)[2](now_us)
        belt_nm = motion.position_nm(now_us)
        while points and points[0][0] <= belt_nm:
            _, _, _, generation, body = points[0]
            if generation != body.generation:
                heappop(points)
                continue
            point = body.points[body.next]
            body.next += 1
            if body.held_nm is None and body.next < len(body.points):
                heapreplace(points, _entry(body))
            else:
                heappop(points)
            passed(body, point)
        while marks and marks[0][0] <= belt_nm:
            heappop(marks)[2](now_us)
        self.due = self._find()

    def _expect(self, belt_nm: int) -> None:
        """Something was asked for at a position of the belt."""
        at_us = self._motion.time_of(belt_nm)
        if at_us is not None and (self.due is None or at_us < self.due):
            self.due = at_us

    def _find(self) -> int | None:
        wake = self._timers[0][0] if self._timers else None
        motion = self._motion
        ramp = motion.wake_at_us
        if ramp is not None and (wake is None or ramp < wake):
            wake = ramp
        points, marks = self._points, self._marks
        if not points and not marks:
            return wake
        at_nm = min(points[0][0], marks[0][0]) if points and marks else (points or marks)[0][0]
        due = motion.time_of(at_nm)
        return due if wake is None or (due is not None and due < wake) else wake


def _entry(body: Body) -> tuple[int, int, int, int, Body]:
    """Of the next point of a body, as the heap has it."""
    point = body.points[body.next]
    return (body.origin_nm + point[0], point[1], body.n, body.generation, body)
