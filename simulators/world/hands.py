"""What hands and accidents do to parcels on the belt: shift, turn, insert.

A parcel that is moved is before other eyes, readers and scale quarters from that instant on; all of them
see it as it now lies. What it jumped over it never met, except an arm that acts; what it was put back
behind it meets again.
"""

from bisect import bisect_right
from dataclasses import replace

from simulators.world.belt import World
from simulators.world.parcel import (
    AT_DIVERTER,
    HAZARD,
    LEAVING_PLATFORM,
    LOAD,
    NM_PER_MM,
    ON_PLATFORM,
    STRAY,
    ZONE_IN,
    ZONE_OUT,
    Body,
    Item,
    Label,
    ParcelSpec,
    Point,
)
from simulators.world.truth import Moved, Placed

APART_NM = 20 * NM_PER_MM
"""Nothing is moved nearer to another parcel than that."""


class Hands:
    """They reach into the running belt; nobody is told."""

    def __init__(self, world: World) -> None:
        self._world = world

    def slip(self, body: Body, forward_mm: int) -> None:
        """Forward, or backward if negative, as far as there is room; never before the induction eye again."""
        belt_nm = self._world.belt_nm
        lead = body.lead_nm(belt_nm)
        ahead_nm, behind_nm = self._room(body)
        shift = forward_mm * NM_PER_MM
        behind_nm = min(behind_nm, max(0, lead - body.length_nm - APART_NM))
        shift = min(shift, ahead_nm) if shift > 0 else max(shift, -behind_nm)
        if shift:
            self._put(body, lead + shift, body.item.spec, "slipped")

    def turn(self, body: Body, length_mm: int) -> None:
        """It shows another side: longer or shorter about its middle, as far as there is room."""
        spec = body.item.spec
        grown = length_mm * NM_PER_MM - body.length_nm
        lead = body.lead_nm(self._world.belt_nm) + grown // 2
        if grown // 2 > min(self._room(body)) or lead < length_mm * NM_PER_MM:
            return
        labels = tuple(
            replace(one, from_lead_mm=one.from_lead_mm * length_mm // spec.length_mm) for one in spec.labels
        )
        self._put(body, lead, replace(spec, length_mm=length_mm, labels=labels), "turned")

    def insert(self, before: Body, length_mm: int, label: Label) -> Body | None:
        """A stray one is put into the gap behind a parcel, if it fits; None otherwise."""
        world = self._world
        length = length_mm * NM_PER_MM
        _, behind_nm = self._room(before)
        if before.held_nm is not None or behind_nm < length + APART_NM:
            return None
        gap = min(behind_nm + APART_NM, length + 20 * APART_NM)
        lead = before.lead_nm(world.belt_nm) - before.length_nm - (gap - length) // 2
        if lead - length < 0:
            return None
        codes = tuple(code.text for code in label.codes)
        spec = ParcelSpec(
            index=STRAY,
            length_mm=length_mm,
            weight_g=1_000,
            order_no="",
            waybill="",
            labels=(label,),
            candidates=codes,
            faults=("inserted",),
        )
        world.placed += 1
        body = Body(
            n=world.placed,
            item=Item(uid=world.placed, spec=spec),
            length_nm=length,
            origin_nm=0,
            points=[],
            spots_mm=before.spots_mm,
        )
        world.bodies.insert(world.bodies.index(before) + 1, body)
        world.truth(Placed(world.now_us, body.item.uid, STRAY, length_mm, 1_000, "", "", codes, spec.faults))
        self._put(body, lead, spec, "inserted")
        return body

    def _room(self, body: Body) -> tuple[int, int]:
        """How far it can be moved ahead and back without touching another, less ``APART_NM``."""
        world = self._world
        belt_nm = world.belt_nm
        lead = body.lead_nm(belt_nm)
        tail = lead - body.length_nm
        ahead = behind = world.topology.end_mm * NM_PER_MM
        for other in world.bodies:
            if other is body or other.lane:
                continue
            other_lead = other.lead_nm(belt_nm)
            if other_lead > lead:
                ahead = min(ahead, other_lead - other.length_nm - lead)
            else:
                behind = min(behind, tail - other_lead)
        return max(0, ahead - APART_NM), max(0, behind - APART_NM)

    def _put(self, body: Body, lead: int, spec: ParcelSpec, how: str) -> None:
        """From now on its leading edge is there, and it is as long as ``spec`` says."""
        world = self._world
        before = body.lead_nm(world.belt_nm) if body.points else lead
        body.item.spec = spec
        body.length_nm = spec.length_mm * NM_PER_MM
        body.origin_nm = world.belt_nm - lead
        if body.held_nm is not None:
            body.held_nm = lead
        points = world.way.points(spec, body.spots_mm)
        passed = bisect_right(points, (lead, 9, 0, 0, 0))
        body.points = [one for one in points[passed:] if one[2] != HAZARD or one[0] > before]
        body.next = 0
        body.generation += 1
        body.astray = True
        world.truth(Moved(world.now_us, body.item.uid, how, lead // NM_PER_MM, spec.length_mm))
        self._see(body, lead)
        self._weigh(body, points[:passed])
        on_belt = not body.lane
        for offset, _, kind, argument, _ in points[:passed]:
            if offset > before and kind == AT_DIVERTER and not body.lane:
                world.meet_arm(body, argument)
        if not (on_belt and body.lane):
            world.queue(body)

    def _see(self, body: Body, lead: int) -> None:
        world = self._world
        tail = lead - body.length_nm
        stays = {eye.no for eye in world.topology.eyes if tail < eye.position_mm * NM_PER_MM <= lead}
        astray, found_us = True, body.found_us
        for eye in world.topology.eyes:
            covered = bool(body.covered >> (eye.no - 1) & 1)
            if covered and eye.no not in stays:
                world.uncover(body, eye.no)
            elif eye.no in stays and not covered:
                world.cover(body, eye.no)
                astray, found_us = False, world.now_us
        body.astray, body.found_us = astray, found_us

    def _weigh(self, body: Body, passed: list[Point]) -> None:
        """As much of it is on the scale, and in its zone, as its place says."""
        steps, on, leaving, zone = 0, False, False, 0
        for _, _, kind, argument, _ in passed:
            if kind == LOAD and argument == ON_PLATFORM:
                on = True
            elif kind == LOAD and argument == LEAVING_PLATFORM:
                leaving = True
            elif kind == LOAD:
                steps = argument
                on = on and not (leaving and steps == 0)
            elif kind == ZONE_IN:
                zone = argument
            elif kind == ZONE_OUT:
                zone = 0
        body.zone = zone
        self._world.platform.put(body, steps, self._world.now_us, on=on)
