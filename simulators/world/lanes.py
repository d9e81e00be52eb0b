"""The lanes behind the exits and the end of the line: what lies in them, their full and confirm eyes."""

from collections.abc import Callable
from dataclasses import dataclass

from simulators.world.parcel import Body
from simulators.world.truth import LaneEmptied, LaneFull, TruthSink

LANE_CAPACITY = 20
END_CAPACITY = 40


@dataclass(slots=True, eq=False)
class Lane:
    """``capacity``: parcels until they stand in front of the full-eye. ``obstructed``: something else
    does (a bag, a pile, a person). ``entering``: parcels in front of its confirm eye."""

    exit: int
    capacity: int
    count: int = 0
    obstructed: bool = False
    entering: int = 0

    @property
    def full(self) -> bool:
        return self.obstructed or self.count >= self.capacity


class Lanes:
    """All lanes; ``all[n]`` is that of exit n+1, the last one is the end of the line.

    ``full`` and ``confirm`` are bits of exits 1…n, as the sensors have them; ``end_full`` is the end's.
    """

    def __init__(self, exits: int, truth: TruthSink) -> None:
        self.all = [Lane(no, LANE_CAPACITY) for no in range(1, exits + 1)]
        self.all.append(Lane(exits + 1, END_CAPACITY))
        self.end = self.all[-1]
        self.full = 0
        self.end_full = False
        self.confirm = 0
        self._truth = truth

    def of(self, exit_no: int) -> Lane:
        return self.all[exit_no - 1]

    def enter(self, exit_no: int, now_us: int) -> None:
        """A leading edge is at the lane's confirm eye: the parcel is in."""
        lane = self.of(exit_no)
        lane.count += 1
        if lane is not self.end:
            lane.entering += 1
            self.confirm |= 1 << (exit_no - 1)
        self._mark(lane, now_us)

    def clear_confirm(self, exit_no: int) -> None:
        """A trailing edge has passed the confirm eye."""
        lane = self.of(exit_no)
        lane.entering -= 1
        if lane.entering == 0:
            self.confirm &= ~(1 << (exit_no - 1))

    def obstruct(self, exit_no: int, on: bool, now_us: int) -> None:
        """Something stands before the full-eye, or does no more."""
        lane = self.of(exit_no)
        lane.obstructed = on
        self._mark(lane, now_us)

    def leave(self, exit_no: int, now_us: int) -> None:
        """One has gone on, of a lane that leads somewhere."""
        lane = self.of(exit_no)
        lane.count -= 1
        self._mark(lane, now_us)

    def empty(self, exit_no: int, now_us: int) -> None:
        """People take all parcels out."""
        lane = self.of(exit_no)
        self._truth(LaneEmptied(now_us, exit_no, lane.count))
        lane.count = 0
        self._mark(lane, now_us)

    def _mark(self, lane: Lane, now_us: int) -> None:
        if lane is self.end:
            self.end_full = lane.full
            return
        bit = 1 << (lane.exit - 1)
        if lane.full != bool(self.full & bit):
            self.full ^= bit
            self._truth(LaneFull(now_us, lane.exit, lane.full))


class Mouths:
    """Where the belt's side ends and a lane begins, before its confirm eye. A parcel that sticks there
    stops those that are diverted after it, until people take them all out."""

    def __init__(self) -> None:
        self.on_stuck: list[Callable[[int, int], None]] = []
        """(exit, at_us): a mouth is blocked from now on."""
        self._stuck: dict[int, list[Body]] = {}

    def stops(self, body: Body, exit_no: int, now_us: int) -> bool:
        """Whether a parcel that has just been diverted never comes to the confirm eye."""
        stuck = self._stuck.get(exit_no)
        if stuck:
            stuck.append(body)
            return True
        if not body.item.spec.sticks:
            return False
        self._stuck[exit_no] = [body]
        for listener in self.on_stuck:
            listener(exit_no, now_us)
        return True

    def in_mouth(self, exit_no: int) -> tuple[Body, ...]:
        """Those that stick there, the first one first."""
        return tuple(self._stuck.get(exit_no, ()))

    def freed(self, body: Body) -> None:
        """It was taken off the belt or out of a mouth."""
        stuck = self._stuck.get(body.lane)
        if stuck and body in stuck:
            stuck.remove(body)
