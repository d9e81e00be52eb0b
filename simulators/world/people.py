"""The people of the hall: they place parcels, press the reset, empty lanes, clear jams.

They see what a person sees (a belt that stands, a lane that fills), never the line's state.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from edge.model.topology import Topology
from simulators.seeds import SeededBits
from simulators.world.belt import World
from simulators.world.parcel import NM_PER_MM, Body, Hazard, Item, ParcelSpec

US_PER_MS = 1_000
US_PER_S = 1_000_000

GAP_MARGIN_MM = 8
"""A gapping conveyor keeps at least this much more than the line's minimum gap."""

RESET_AFTER_MS = (1_500, 2_500)
"""A person notices that the belt stands, and walks to the button."""
RESET_PRESS_MS = 300
RESET_AGAIN_MS = 4_000
CLEARED_BY_HAND_MS = 8_000
"""A belt that stands so long in spite of resets is cleared by hand where an eye is blocked."""
IDLE_RESET_MS = 8_000
"""The belt runs and nothing may be placed for this long: the person tries the button."""
ROUND_MS = (4_000, 6_000)
"""One walk past all lanes."""
EMPTY_FROM = (6, 14)
"""A lane with this many parcels is emptied at the next round."""
JAM_CLEARED_MS = (2_500, 4_000)
MOUTH_CLEARED_MS = (5_000, 9_000)
"""Nothing stops for a jam behind a diverter: it is seen later."""


class ParcelSource(Protocol):
    def take(self) -> ParcelSpec | None:
        """The next parcel to place, or None: there are no more."""
        ...


class Infeed:
    """Places parcels at the line's nominal pitch while the PLC lets the infeed run.

    A parcel's gap to the one before it is the nominal one with a little jitter, never below the
    line's minimum plus a margin, unless its specification says otherwise (a fault).
    """

    def __init__(
        self,
        world: World,
        source: ParcelSource,
        bits: SeededBits,
        ready: Callable[[int], bool] | None = None,
    ) -> None:
        """``ready``: whether the parcel of that index stands there by now; None: they all do."""
        self._world = world
        self._source = source
        self._ready = ready
        self._bits = bits
        self._low_mm, self._high_mm = gap_range_mm(world.topology)
        self._next = source.take()
        self._free_nm = world.belt_nm
        self._armed = False
        self._back: deque[Item] = deque()
        world.on_drive.append(self._look)

    @property
    def exhausted(self) -> bool:
        """Everything has been placed, and nothing waits to be placed again."""
        return self._next is None and not self._back

    def come_back(self, item: Item) -> None:
        """One that went round: it goes on before anything new."""
        self._back.append(item)
        self._look(self._world.now_us)

    def came(self, index: int) -> None:
        """That parcel stands there now."""
        if self._next is not None and self._next.index == index:
            self._look(self._world.now_us)

    def _look(self, _now_us: int) -> None:
        if self.exhausted or self._armed or not self._allowed():
            return
        if self._back or self._stands_there():
            self._armed = True
            self._free_nm = max(self._free_nm, self._world.belt_nm)
            self._world.at_belt(self._free_nm, self._place)

    def _stands_there(self) -> bool:
        """The next new one is packed and here."""
        return self._next is not None and (self._ready is None or self._ready(self._next.index))

    def _allowed(self) -> bool:
        actuators = self._world.actuators
        return actuators.induction and actuators.belt

    def _place(self, now_us: int) -> None:
        self._armed = False
        if self.exhausted or not self._allowed():
            return
        if self._back:
            item = self._back.popleft()
            spec = replace(item.spec, gap_mm=None, hazards=(), sticks=False)
            self._world.place(spec, self._free_nm, item.uid)
        else:
            assert self._next is not None
            spec = self._next
            self._world.place(spec, self._free_nm)
            self._next = self._source.take()
        if not self.exhausted:
            gap = self._bits.between(self._low_mm, self._high_mm)
            if not self._back and self._next is not None and self._next.gap_mm is not None:
                gap = self._next.gap_mm
            self._free_nm += (spec.length_mm + gap) * NM_PER_MM
            self._look(now_us)
        else:
            self._free_nm += (spec.length_mm + self._high_mm) * NM_PER_MM


def gap_range_mm(topology: Topology) -> tuple[int, int]:
    """Smallest and largest undisturbed gap: nominal pitch less mean length, give or take, on average."""
    pitch = topology.speed_mm_s * 3600 // topology.nominal_per_h
    mean = pitch - topology.length_mean_mm
    low = topology.gap_min_mm + GAP_MARGIN_MM
    return low, max(low, 2 * mean - low)


class Crew:
    """Keeps the line going as people do: reset, lanes, jams. ``RESET_AFTER_MS`` and the like by seed."""

    def __init__(self, world: World, bits: SeededBits) -> None:
        self._world = world
        self._bits = bits
        self._standing_since: int | None = None
        self._waiting_since: int | None = None
        self._empty_from = [bits.between(*EMPTY_FROM) for _ in world.lanes.all]
        world.on_drive.append(self._look)
        world.on_hazard.append(self._hazard)
        world.mouths.on_stuck.append(self._stuck)
        self._look(world.now_us)
        self._walk(world.now_us)

    def _look(self, now_us: int) -> None:
        """The belt was switched on or off, or the infeed was."""
        world, actuators = self._world, self._world.actuators
        if actuators.belt:
            self._standing_since = None
        elif self._standing_since is None:
            self._standing_since = now_us
            due = now_us + self._ms(RESET_AFTER_MS)
            world.at(due, partial(self._try_reset, now_us))
        if not actuators.belt or actuators.induction:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now_us
            world.at(now_us + IDLE_RESET_MS * US_PER_MS, partial(self._try_idle_reset, now_us))

    def _try_reset(self, since_us: int, now_us: int) -> None:
        if self._standing_since == since_us:
            if now_us - since_us >= CLEARED_BY_HAND_MS * US_PER_MS:
                self._clear_eyes()
            self._press(now_us)
            self._world.at(now_us + RESET_AGAIN_MS * US_PER_MS, partial(self._try_reset, since_us))

    def _try_idle_reset(self, since_us: int, now_us: int) -> None:
        if self._waiting_since == since_us:
            self._press(now_us)
            again = now_us + IDLE_RESET_MS * US_PER_MS
            self._world.at(again, partial(self._try_idle_reset, since_us))

    def _clear_eyes(self) -> None:
        """The reset does not help: an arm cannot go home over a parcel, or an eye stays blocked. People
        take off what stands before an eye, and push on what has reached its lane."""
        for body in tuple(self._world.bodies):
            if body.covered or body.entered:
                self._world.remove(body)

    def _press(self, now_us: int) -> None:
        self._world.reset = True
        self._world.at(now_us + RESET_PRESS_MS * US_PER_MS, self._let_go)

    def _let_go(self, _now_us: int) -> None:
        self._world.reset = False

    def _walk(self, now_us: int) -> None:
        """A round: lanes that are nearly full are emptied."""
        lanes = self._world.lanes
        for lane, limit in zip(lanes.all, self._empty_from, strict=True):
            leads_on = lane.exit == self._world.loop_exit
            if lane.count >= limit and not lane.obstructed and not leads_on:
                lanes.empty(lane.exit, now_us)
        self._world.at(now_us + self._ms(ROUND_MS), self._walk)

    def _hazard(self, body: Body, hazard: Hazard) -> None:
        if hazard.kind == "jam" and not body.lane:
            due = self._world.now_us + self._ms(JAM_CLEARED_MS)
            self._world.at(due, partial(self._clear_jam, body))

    def _stuck(self, exit_no: int, _at_us: int) -> None:
        """The mouth of a lane is blocked: everything in it is taken out, and carried away."""
        due = self._world.now_us + self._ms(MOUTH_CLEARED_MS)
        self._world.at(due, partial(self._clear_mouth, exit_no))

    def _clear_mouth(self, exit_no: int, _now_us: int) -> None:
        for body in self._world.mouths.in_mouth(exit_no):
            self._world.remove(body)

    def _clear_jam(self, body: Body, _now_us: int) -> None:
        if body in self._world.bodies:
            self._world.remove(body)

    def _ms(self, span: tuple[int, int]) -> int:
        return self._bits.between(*span) * US_PER_MS
