"""The physical faults of a plan, done to the belt: what happens to parcels, and to the line."""

from dataclasses import replace
from functools import partial

from edge.model.codes import Code, Symbology
from edge.model.topology import Topology
from simulators.fault_plan import FaultPlan, later_readers
from simulators.faults import PHYSICAL, LineFault, LineFaultKind, ParcelFault, ParcelFaultKind
from simulators.orders.waybills import foreign_number
from simulators.world.belt import World
from simulators.world.hands import Hands
from simulators.world.parcel import Body, Hazard, Label, ParcelSpec
from simulators.world.people import ParcelSource
from simulators.world.truth import EncoderLied, FaultInjected, Swapped

US_PER_MS = 1_000

_OTHER_LABEL = frozenset(
    {ParcelFaultKind.DOUBLE_LABEL, ParcelFaultKind.CODE_CHANGED, ParcelFaultKind.FOREIGN_LABEL}
)
_HAZARDS = {
    ParcelFaultKind.TAKEN_OFF: "taken_off",
    ParcelFaultKind.MIS_SORT: "mis_sort",
    ParcelFaultKind.JAM: "jam",
    ParcelFaultKind.SWAP: "swap",
    ParcelFaultKind.TURNED: "turned",
    ParcelFaultKind.SLIPPED: "slipped",
    ParcelFaultKind.INSERTED: "inserted",
}
STRAY_LABEL_MM = 60
"""Where the label of a stray parcel is, behind its leading edge."""


def spoil(spec: ParcelSpec, fault: ParcelFault, other_waybill: str, topology: Topology) -> ParcelSpec:
    """A parcel with a fault done to it; faults of its order change nothing here.

    ``other_waybill``: what the second label says, or the only one that is foreign.
    """
    kind = fault.kind
    spec = replace(spec, faults=(*spec.faults, kind.value))
    if kind is ParcelFaultKind.NO_READ:
        return replace(spec, labels=())
    if kind in _OTHER_LABEL:
        return _labelled(spec, kind, other_waybill, topology)
    if kind is ParcelFaultKind.WRONG_WEIGHT:
        return replace(spec, weight_g=spec.weight_g * fault.arg // 1000)
    if kind in (ParcelFaultKind.OVERWEIGHT, ParcelFaultKind.TOO_LIGHT):
        return replace(spec, weight_g=fault.arg)
    if kind is ParcelFaultKind.OVERSIZE:
        return replace(spec, length_mm=fault.arg)
    if kind is ParcelFaultKind.TOO_CLOSE:
        return replace(spec, gap_mm=fault.arg)
    if kind is ParcelFaultKind.ARRIVAL_JAM:
        return replace(spec, sticks=True)
    if kind in _HAZARDS:
        mis_sort = kind is ParcelFaultKind.MIS_SORT
        at_mm = topology.diverters[fault.arg].position_mm if mis_sort else fault.arg
        hazard = Hazard(kind=_HAZARDS[kind], at_mm=at_mm, arg=fault.arg if mis_sort else fault.by)
        return replace(spec, hazards=(*spec.hazards, hazard))
    return spec


def _labelled(spec: ParcelSpec, kind: ParcelFaultKind, text: str, topology: Topology) -> ParcelSpec:
    """With a label that says ``text`` besides its own, or instead of it."""
    code = Code(text=text, symbology=Symbology.CODE128)
    other = Label(from_lead_mm=spec.length_mm * 3 // 4, codes=(code,))
    if kind is ParcelFaultKind.FOREIGN_LABEL:
        return replace(spec, labels=(other,), candidates=(text,))
    own = spec.labels
    if kind is ParcelFaultKind.CODE_CHANGED:
        later = later_readers(topology)
        first = tuple(one.id for one in topology.readers if one.id not in later)
        own = tuple(replace(label, readers=first) for label in own)
        other = replace(other, readers=later)
    return replace(spec, labels=(*own, other), candidates=(*spec.candidates, text))


class SpoiledSource:
    """Parcels of another source with the plan's faults done to them.

    A swap needs two of equal length: the parcel behind it takes the length of the one before.
    ``others``: the waybill of a second label, by the parcel's index and whether it is a known one.
    """

    def __init__(self, source: ParcelSource, plan: FaultPlan, world: World, others: "OtherWaybills") -> None:
        self._source = source
        self._plan = plan
        self._others = others
        self._topology = world.topology
        self._length_mm = 0

    def take(self) -> ParcelSpec | None:
        spec = self._source.take()
        if spec is None:
            return None
        if self._length_mm:
            spec = _cut(spec, self._length_mm)
            self._length_mm = 0
        fault = self._plan.of(spec.index)
        if fault is None:
            return spec
        if fault.kind is ParcelFaultKind.SWAP:
            self._length_mm = spec.length_mm
        other = ""
        if fault.kind is ParcelFaultKind.FOREIGN_LABEL:
            other = foreign_number(spec.index)
        elif fault.kind in _OTHER_LABEL:
            other = self._others.waybill(spec.index, known=bool(fault.arg))
        return spoil(spec, fault, other, self._topology)


class OtherWaybills:
    """Where the second waybill of a double label comes from; this one gives unknown ones only."""

    def waybill(self, index: int, *, known: bool) -> str:
        """A waybill candidate of another parcel. ``known``: one that the line has an order for."""
        return f"YT9{int(known)}{index:08d}"


def _cut(spec: ParcelSpec, length_mm: int) -> ParcelSpec:
    labels = tuple(replace(one, from_lead_mm=min(one.from_lead_mm, length_mm - 1)) for one in spec.labels)
    return replace(spec, length_mm=length_mm, labels=labels)


class Mishaps:
    """Does the hazards of parcels, and the physical line faults when their parcel is placed.
    ``others``: what the labels of stray parcels say."""

    def __init__(self, world: World, plan: FaultPlan, others: OtherWaybills) -> None:
        self._world = world
        self._plan = plan
        self._others = others
        self._hands = Hands(world)
        world.on_hazard.append(self._hazard)
        world.on_place.append(self._placed)

    def _placed(self, body: Body) -> None:
        for fault in self._plan.at(body.item.spec.index):
            if fault.kind in PHYSICAL:
                due = self._world.now_us + fault.after_ms * US_PER_MS
                self._world.at(due, partial(self._strike, fault))

    # --- of a parcel --------------------------------------------------------------------------------

    def _hazard(self, body: Body, hazard: Hazard) -> None:
        if body.lane:
            return
        world = self._world
        if hazard.kind == "taken_off":
            world.remove(body)
        elif hazard.kind == "jam":
            body.jammed = True
            world.standing.hold(body)
        elif hazard.kind == "mis_sort":
            self._push(body, hazard.arg)
        elif hazard.kind == "swap":
            self._swap(body)
        elif hazard.kind == "turned":
            self._hands.turn(body, hazard.arg)
        elif hazard.kind == "slipped":
            self._hands.slip(body, hazard.arg)
        elif hazard.kind == "inserted":
            waybill = self._others.waybill(body.item.spec.index, known=False)
            code = Code(text=waybill, symbology=Symbology.CODE128)
            self._hands.insert(body, hazard.arg, Label(from_lead_mm=STRAY_LABEL_MM, codes=(code,)))

    def _push(self, body: Body, diverter: int) -> None:
        """Carried by a diverter whose arm does not act, or to its other side."""
        world = self._world
        sides = [one for one in world.topology.exits if one.diverter == world.topology.diverters[diverter].id]
        acting = world.exit_of(diverter)
        others = [one.no for one in sides if one.no != acting]
        if others:
            world.carry(body, others[0], world.now_us, forced=True)

    def _swap(self, body: Body) -> None:
        """By hand, with the parcel behind it, while the belt runs: nobody can see it."""
        world = self._world
        place = world.bodies.index(body)
        behind = world.bodies[place + 1] if place + 1 < len(world.bodies) else None
        if behind is None or behind.lane or behind.length_nm != body.length_nm:
            return
        body.item, behind.item = behind.item, body.item
        running = world.motion.speed > 0
        world.truth(Swapped(world.now_us, body.item.uid, behind.item.uid, running))

    # --- of the line --------------------------------------------------------------------------------

    def _strike(self, fault: LineFault, now_us: int) -> None:
        world = self._world
        until = now_us + fault.duration_ms * US_PER_MS
        subject = str(fault.arg) if fault.arg else ""
        world.truth(FaultInjected(now_us, fault.kind.value, subject))
        if fault.kind is LineFaultKind.FULL_CHUTE:
            world.lanes.obstruct(fault.arg, True, now_us)
            world.at(until, lambda now: world.lanes.obstruct(fault.arg, False, now))
        elif fault.kind is LineFaultKind.E_STOP:
            world.set_e_stop(True)
            world.at(until, lambda _now: world.set_e_stop(False))
        elif fault.kind is LineFaultKind.DOOR:
            world.set_door(True)
            world.at(until, lambda _now: world.set_door(False))
        elif fault.kind is LineFaultKind.ENCODER_STANDS:
            world.encoder.freeze(world.belt_nm, now_us)
            self._lie(until)
        elif fault.kind is LineFaultKind.ENCODER_RUNS:
            world.encoder.run_away(now_us, fault.arg)
            self._lie(until)

    def _lie(self, until_us: int) -> None:
        self._world.truth(EncoderLied(self._world.now_us, until_us))
        self._world.at(until_us, self._mend)

    def _mend(self, now_us: int) -> None:
        self._world.encoder.mend(self._world.belt_nm, now_us)
