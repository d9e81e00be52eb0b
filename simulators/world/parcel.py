"""A parcel as the hall has it: what it is (``Item``), and where it stands on the belt (``Body``).

A body's way along the belt is a list of *points*: offsets of its leading edge from the induction eye
at which something happens. They are computed once, when it is put on the belt; nothing is polled.
"""

from dataclasses import dataclass, field, replace

from edge.model.codes import Code
from edge.model.ids import ReaderId
from edge.model.quick import quick
from edge.model.topology import Eye, EyeRole, Reader, ReaderSpeaks, Scale, Topology

NM_PER_MM = 1_000_000
"""Belt positions are nanometres: 1 mm/s for 1 µs is exactly 1 nm."""

OVERLAP_STEPS = 4
"""A parcel that slides onto the scale loads it in this many equal steps."""

# Kinds of point. At one offset an eye is covered (rank 0) before another edge uncovers it (rank 2), so
# that touching parcels are one blocked eye.
EYE_ON, EYE_OFF, AT_DIVERTER, LOAD, LABEL, ZONE_IN, ZONE_OUT, CONFIRM_ON, CONFIRM_OFF, HAZARD = range(10)
RANK = (0, 2, 1, 1, 1, 1, 1, 0, 2, 1)

Point = tuple[int, int, int, int, int]
"""(offset_nm, rank, kind, argument, place_nm); ``place_nm`` is the fixed spot of the machine it is about."""


STRAY = -1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What one look at one label yields; ``from_lead_mm`` behind the leading edge. ``readers`` are those
    that can see it; none: all."""

    from_lead_mm: int
    codes: tuple[Code, ...]
    readers: tuple[ReaderId, ...] = ()

    def seen_by(self, reader: ReaderId) -> bool:
        return not self.readers or reader in self.readers


def facing(index: int, topology: Topology) -> tuple[ReaderId, ...]:
    """The readers that a parcel's label faces: of each reading point one of its readers, or all, by turns."""
    hidden: set[ReaderId] = set()
    for point in topology.reading_points:
        turn = index % (len(point.readers) + 1)
        if turn < len(point.readers):
            hidden |= set(point.readers) - {point.readers[turn]}
    return tuple(one.id for one in topology.readers if one.id not in hidden)


def faced(spec: "ParcelSpec", topology: Topology) -> "ParcelSpec":
    """As it lies on a line with reading points; a parcel with two labels shows both of them to all."""
    if not topology.reading_points or len(spec.labels) != 1 or spec.labels[0].readers:
        return spec
    label = replace(spec.labels[0], readers=facing(spec.index, topology))
    return replace(spec, labels=(label,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """Something that happens to this parcel when its leading edge is ``at_mm`` from the induction eye.

    ``kind``: ``taken_off`` by hand; ``mis_sort``: the diverter at ``arg`` (order number) carries it
    whatever its arm does; ``jam``: it stands still until a person takes it off; ``swap`` with the
    parcel behind it, by hand, on the running belt; ``turned``: it is ``arg`` mm long from now on;
    ``slipped`` by ``arg`` mm forward; ``inserted``: a stray of ``arg`` mm is put behind it.
    """

    kind: str
    at_mm: int
    arg: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSpec:
    """One parcel to be placed. ``index`` from 0 in the order of placing; ``waybill`` is the parcel's
    true one (empty: none), ``candidates`` every waybill candidate that its labels show.

    ``gap_mm``: the distance to the parcel before it, or None for the line's own. ``sticks`` in the mouth
    of the lane into which it is diverted. A stray that nobody packed has the index ``STRAY``.
    """

    index: int
    length_mm: int
    weight_g: int
    order_no: str
    waybill: str
    labels: tuple[Label, ...]
    candidates: tuple[str, ...]
    gap_mm: int | None = None
    sticks: bool = False
    hazards: tuple[Hazard, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Item:
    """Identity and history of one parcel. Times are -1 until they happened."""

    uid: int
    spec: ParcelSpec
    touched_us: int = -1
    seen: list[tuple[int, int]] = field(default_factory=list)
    """(eye, ticks) of every leading edge that was its own."""


@dataclass(slots=True, eq=False)
class Body:
    """A moving thing of one length; its leading edge is at ``belt position − origin_nm``.

    ``held_nm`` is the fixed position of the leading edge while it stands on a running belt, else None.
    """

    n: int
    item: Item
    length_nm: int
    origin_nm: int
    points: list[Point]
    hazards: tuple[Hazard, ...] = ()
    """What waits for it on its way; a swap exchanges items, not ways."""
    spots_mm: tuple[int, ...] = ()
    """Per reader, where in its field it decides to read a label."""
    astray: bool = False
    """It was moved by hand or slipped, and no eye has seen it since."""
    found_us: int = -1
    """When one saw it again."""
    next: int = 0
    generation: int = 0
    held_nm: int | None = None
    jammed: bool = False
    covered: int = 0
    zone: int = 0
    lane: int = 0
    """Exit number once a diverter has it, else 0."""
    entered: bool = False
    """A confirm eye has seen it."""
    load_steps: int = 0
    """Quarters of its weight on the scale."""
    whole_us: int = -1
    alone_from_us: int = -1
    alone_to_us: int = -1

    def lead_nm(self, belt_nm: int) -> int:
        return belt_nm - self.origin_nm if self.held_nm is None else self.held_nm


class Way:
    """The fixed points of one line, per length of parcel; labels and hazards are added per parcel."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._by_length: dict[int, tuple[Point, ...]] = {}

    def points(self, spec: ParcelSpec, spots_mm: tuple[int, ...]) -> list[Point]:
        """All points of a parcel, in order. ``spots_mm``: per reader, where in its field (from the
        field's beginning) it decides to read a label."""
        fixed = self._by_length.get(spec.length_mm)
        if fixed is None:
            fixed = self._by_length[spec.length_mm] = tuple(self._fixed(spec.length_mm))
        found = [*fixed, *self._labels(spec, spots_mm)]
        for number, hazard in enumerate(spec.hazards):
            offset = hazard.at_mm * NM_PER_MM
            found.append((offset, RANK[HAZARD], HAZARD, number, offset))
        found.sort()
        return found

    def _fixed(self, length_mm: int) -> list[Point]:
        topology = self._topology
        found: list[Point] = []
        for eye in topology.eyes:
            found.append(_point(EYE_ON, eye.no, eye.position_mm, 0))
            found.append(_point(EYE_OFF, eye.no, eye.position_mm, length_mm))
        for order, diverter in enumerate(topology.diverters):
            found.append(_point(AT_DIVERTER, order, diverter.position_mm, 0))
        scale = topology.scale
        if scale is not None:
            infeed, outfeed = platform_mm(topology, scale)
            for step in range(1, OVERLAP_STEPS + 1):
                found.append(_point(LOAD, step, infeed, length_mm * step // OVERLAP_STEPS))
            for step in range(OVERLAP_STEPS):
                left = OVERLAP_STEPS - step - 1
                found.append(_point(LOAD, left, outfeed, length_mm * (step + 1) // OVERLAP_STEPS))
            found.append(_point(LOAD, ON_PLATFORM, infeed, 0))
            found.append(_point(LOAD, LEAVING_PLATFORM, outfeed, 0))
            if scale.zone:
                found.append(_point(ZONE_IN, scale.zone, infeed, length_mm // 2))
                found.append(_point(ZONE_OUT, scale.zone, outfeed, length_mm // 2))
        return sorted(found)

    def _labels(self, spec: ParcelSpec, spots_mm: tuple[int, ...]) -> list[Point]:
        """Argument: reader order × 1000 + label order, label 999 for a no-read, 998 for all labels."""
        found = []
        for order, reader in enumerate(self._topology.readers):
            begin = reader.position_mm - reader.field_mm // 2
            seen = [number for number, one in enumerate(spec.labels) if one.seen_by(reader.id)]
            if reader.speaks is ReaderSpeaks.AT_TRIGGER_END:
                label = ALL_LABELS if seen else NO_LABEL
                offset = reader.field_mm + spec.length_mm
                found.append(_point(LABEL, order * LABELS + label, begin, offset))
            elif not seen:
                found.append(_point(LABEL, order * LABELS + NO_LABEL, begin, _middle(reader, spec)))
            else:
                for number in seen:
                    offset = spec.labels[number].from_lead_mm + spots_mm[order]
                    found.append(_point(LABEL, order * LABELS + number, begin, offset))
        return found


LABELS = 1000
ALL_LABELS = 998
NO_LABEL = 999
"""A reader that speaks ``at_read`` says no-read while the parcel's middle passes its line."""

ON_PLATFORM = 100
LEAVING_PLATFORM = 101
"""Steps of LOAD that change no weight: the first touch of the platform, and the first edge off it."""


def platform_mm(topology: Topology, scale: Scale) -> tuple[int, int]:
    """Where the weighing platform begins and ends."""
    eyes: tuple[Eye, ...] = topology.eyes
    return eyes[scale.infeed_eye - 1].position_mm, eyes[scale.outfeed_eye - 1].position_mm


def end_eye(topology: Topology) -> Eye:
    """The confirm eye of the end of the line."""
    return next(eye for eye in topology.eyes if eye.role is EyeRole.END)


def loop_exit(topology: Topology) -> int:
    """The exit whose lane leads back to the infeed; 0: none."""
    loop = topology.recirculation
    return 0 if loop is None else next(one.exit for one in topology.chutes if one.id == loop.chute)


def _middle(reader: Reader, spec: ParcelSpec) -> int:
    return reader.field_mm // 2 + spec.length_mm // 2


def _point(kind: int, argument: int, place_mm: int, behind_mm: int) -> Point:
    """The point at which the spot ``behind_mm`` behind the leading edge passes ``place_mm``."""
    place = place_mm * NM_PER_MM
    return (place + behind_mm * NM_PER_MM, RANK[kind], kind, argument, place)
