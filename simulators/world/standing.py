"""Parcels that stand on a running belt: in a held zone, jammed, or piled up behind another."""

from functools import partial
from typing import TYPE_CHECKING

from simulators.world.parcel import Body

if TYPE_CHECKING:
    from simulators.world.belt import World


class Standing:
    """Holds and releases bodies. A body whose leading edge meets the tail of a standing one stands too."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._zones = 0

    def hold_zones(self, bits: int) -> None:
        """The zone sections that the PLC holds: bit zone−1."""
        before, self._zones = self._zones, bits
        for body in list(self._world.bodies):
            bit = 1 << (body.zone - 1) if body.zone else 0
            if bit & bits & ~before and body.held_nm is None:
                self.hold(body)
        if before & ~bits:
            self.free_pile()

    def enter_zone(self, body: Body, zone: int) -> None:
        """Its middle is on the section."""
        body.zone = zone
        if self._zones >> (zone - 1) & 1:
            self.hold(body)

    def hold(self, body: Body) -> None:
        """It stands where it is."""
        world = self._world
        body.held_nm = body.lead_nm(world.belt_nm)
        body.generation += 1
        behind = self._behind(body)
        if behind is not None:
            tail = body.held_nm - body.length_nm
            meet = partial(self._meet, body, body.generation, behind, behind.generation)
            world.at_belt(behind.origin_nm + tail, meet)

    def free_pile(self) -> None:
        """Everything goes on that is neither jammed, nor in a held zone, nor behind one that is."""
        blocked: Body | None = None
        for body in self._world.bodies:
            if body.held_nm is None or body.lane:
                continue
            stays = body.jammed or (body.zone and self._zones >> (body.zone - 1) & 1)
            piled = blocked is not None and _tail(blocked) <= body.held_nm
            if stays or piled:
                blocked = body
            else:
                self._release(body)

    def _release(self, body: Body) -> None:
        world = self._world
        assert body.held_nm is not None
        body.origin_nm = world.belt_nm - body.held_nm
        body.held_nm = None
        body.generation += 1
        world.queue(body)

    def _behind(self, body: Body) -> Body | None:
        """The next parcel upstream on the belt, if it moves."""
        world = self._world
        assert body.held_nm is not None
        tail, belt_nm = _tail(body), world.belt_nm
        moving = [
            one
            for one in world.bodies
            if one is not body and not one.lane and one.held_nm is None and one.lead_nm(belt_nm) <= tail
        ]
        return max(moving, key=lambda one: one.lead_nm(belt_nm), default=None)

    def _meet(self, ahead: Body, ahead_generation: int, body: Body, generation: int, now_us: int) -> None:
        still = ahead.generation == ahead_generation and ahead.held_nm is not None
        if still and body.generation == generation and not body.lane:
            self.hold(body)


def _tail(body: Body) -> int:
    assert body.held_nm is not None
    return body.held_nm - body.length_nm
