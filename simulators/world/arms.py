"""A diverter's arm (or wheels): where it is, and on which side it acts."""

from collections.abc import Callable
from functools import partial

from edge.model.topology import Diverter, Topology
from simulators.world.agenda import Wake
from simulators.world.parcel import NM_PER_MM

US_PER_MS = 1_000
LEFT, RIGHT = 1, 2


class Arm:
    """It acts on a side from the moment it is fully there until it is home again: a retreating arm
    still carries what it meets. On its way to the other side it lets go half-way, also when it is told to
    rest meanwhile. Home only at rest."""

    def __init__(self, number: int, diverter: Diverter) -> None:
        self.number = number
        """Its order on the line, from 0."""
        self.level = 0
        """What it is told: 0 rest, 1 left, 2 right."""
        self.acting = 0
        self.home = True
        self.arrives_us: int | None = None
        self.lets_go_us: int | None = None
        self.told_us = 0
        self.out_us = 0
        self._from_nm = diverter.position_mm * NM_PER_MM
        self._to_nm = self._from_nm + diverter.zone_mm * NM_PER_MM
        self._actuator_us = diverter.actuator_ms * US_PER_MS
        self._change_us = diverter.change_ms * US_PER_MS

    def tell(self, level: int, now_us: int) -> bool:
        """Take a new level; True if it changed. It gets there at ``arrives_us``, and on the way to the
        other side lets go at ``lets_go_us``."""
        if level == self.level:
            return False
        other_side = level != 0 and self.acting not in (0, level)
        self.level = level
        self.home = False
        self.told_us = now_us
        if level:
            self.out_us = now_us
        self.arrives_us = now_us + (self._change_us if other_side else self._actuator_us)
        leaving = level != self.acting and self.lets_go_us is not None
        if not leaving:
            self.lets_go_us = now_us + self._change_us // 2 if other_side else None
        return True

    def let_go(self) -> None:
        """It is half-way to the other side."""
        self.lets_go_us = None
        self.acting = 0

    def arrive(self) -> None:
        """It has reached its level."""
        self.arrives_us = self.lets_go_us = None
        self.acting = self.level
        self.home = self.level == 0

    def sweeps(self, lead_nm: int, length_nm: int) -> bool:
        """Whether a body at ``lead_nm`` lies over the length of belt on which it acts."""
        return lead_nm >= self._from_nm and lead_nm - length_nm < self._to_nm


class Arms:
    """All arms of a line. ``home``: bit per diverter in order. ``came_out(number)`` is called when an
    arm has reached its level."""

    def __init__(
        self, topology: Topology, at: Callable[[int, Wake], None], came_out: Callable[[int], None]
    ) -> None:
        self.home = (1 << len(topology.diverters)) - 1
        self._arms = [Arm(number, one) for number, one in enumerate(topology.diverters)]
        self._exits = _exits_by_arm(topology)
        self._at = at
        self._came_out = came_out

    def tell(self, levels: tuple[int, ...], now_us: int) -> None:
        """The levels of all arms from now on."""
        for arm, level in zip(self._arms, levels, strict=True):
            if arm.tell(level, now_us):
                self.home &= ~(1 << arm.number)
                assert arm.arrives_us is not None
                self._at(arm.arrives_us, partial(self._arrive, arm, arm.arrives_us))
                if arm.lets_go_us is not None:
                    self._at(arm.lets_go_us, partial(self._let_go, arm, arm.lets_go_us))

    def exit_of(self, number: int) -> int:
        """The exit for which an arm acts now; 0: none."""
        return self._exits.get((number, self._arms[number].acting), 0)

    def told_us(self, number: int) -> int:
        """When an arm last got a new level."""
        return self._arms[number].told_us

    def out_us(self, number: int) -> int:
        """When an arm was last told to act."""
        return self._arms[number].out_us

    def sweeps(self, number: int, lead_nm: int, length_nm: int) -> bool:
        """Whether a body lies over the belt on which an arm acts."""
        return self._arms[number].sweeps(lead_nm, length_nm)

    def _let_go(self, arm: Arm, due_us: int, _now_us: int) -> None:
        if arm.lets_go_us == due_us:
            arm.let_go()

    def _arrive(self, arm: Arm, due_us: int, _now_us: int) -> None:
        if arm.arrives_us != due_us:
            return
        arm.arrive()
        if arm.home:
            self.home |= 1 << arm.number
        self._came_out(arm.number)


def _exits_by_arm(topology: Topology) -> dict[tuple[int, int], int]:
    """(diverter's order, side) → exit number."""
    order = {one.id: number for number, one in enumerate(topology.diverters)}
    side = {"left": LEFT, "right": RIGHT}
    return {(order[one.diverter], side[one.side]): one.no for one in topology.exits}


def firing_points_nm(topology: Topology) -> list[int]:
    """Per exit, the earliest position of a leading edge at which its arm may be fired: full speed times
    the longest of the arm's times, and one scan."""
    found = []
    for exit_ in topology.exits:
        diverter = next(one for one in topology.diverters if one.id == exit_.diverter)
        ahead_ms = max(diverter.actuator_ms, diverter.change_ms) + topology.plc.scan_ms
        ahead = topology.max_speed_mm_s * ahead_ms * 1000
        found.append(exit_.position_mm * NM_PER_MM - ahead)
    return found
