"""The way back of a line with a loop: from a lane to the infeed, on a belt that runs with the line's own."""

from functools import partial

from simulators.world.belt import World
from simulators.world.parcel import NM_PER_MM, Body, Item
from simulators.world.people import Infeed


class WayBack:
    """Brings what has entered the loop's lane to the infeed, which places it before anything new."""

    def __init__(self, world: World, infeed: Infeed) -> None:
        self._world = world
        self._infeed = infeed
        self._way_nm = 0
        self.exit = world.loop_exit
        """0: the line has no loop."""
        self.under_way = 0
        """Parcels that have entered the lane and are not placed again."""
        loop = world.topology.recirculation
        if loop is not None:
            self._way_nm = loop.back_mm * NM_PER_MM
            world.on_round.append(self._enter)

    def _enter(self, body: Body) -> None:
        self.under_way += 1
        world = self._world
        world.at_belt(world.belt_nm + self._way_nm, partial(self._arrive, body.item))

    def _arrive(self, item: Item, now_us: int) -> None:
        self.under_way -= 1
        self._world.lanes.leave(self.exit, now_us)
        self._infeed.come_back(item)
