"""What goes wrong in a run, planned by seed: per parcel, and at moments of the line.

Parcels are counted in blocks of 120. The first block of a run has each fault of its level that the line
can have, at places drawn by seed; each later one has the frequent ones, and of the rare ones about half.
A parcel has at most one, and the parcel after a faulty one has none. A timed fault hangs on a parcel too:
it strikes when that parcel is placed. So a plan says the same whatever the line's timing, and a longer
run begins like a shorter one.
"""

from dataclasses import dataclass

from edge.model.ids import ReaderId
from edge.model.order import OrderFlag
from edge.model.topology import ChuteKind, Topology
from simulators.faults import (
    OF_THE_SCALE,
    FaultLevel,
    LineFault,
    LineFaultKind,
    ParcelFault,
    ParcelFaultKind,
    ReviewFaultKind,
)
from simulators.orders.waybills import FOREIGN
from simulators.seeds import SeededBits

BLOCK = 120
FIRST = 6
"""The first parcels of a run are undisturbed, and the last of a block: the line has to come back."""
LAST_FREE = 8
BLOCKS_KEPT = 4
"""They are asked for in order: few are enough, and memory is bounded."""
RARE_PERMILLE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    parcels: dict[int, ParcelFault]
    line: tuple[LineFault, ...]
    reviews: dict[int, ReviewFaultKind]


_DEFAULT_PARCEL = (
    (ParcelFaultKind.UNKNOWN_ORDER, 2),
    (ParcelFaultKind.HELD_ORDER, 2),
    (ParcelFaultKind.CANCELLED_ORDER, 4),
    (ParcelFaultKind.NO_READ, 2),
    (ParcelFaultKind.DOUBLE_LABEL, 2),
    (ParcelFaultKind.FOREIGN_LABEL, 1),
    (ParcelFaultKind.CODE_CHANGED, 1),
    (ParcelFaultKind.WRONG_WEIGHT, 2),
    (ParcelFaultKind.CHECK_PARCEL, 1),
    (ParcelFaultKind.TOO_CLOSE, 2),
    (ParcelFaultKind.TAKEN_OFF, 1),
)
_DEFAULT_RARE = (
    ParcelFaultKind.FLAGGED_ORDER,
    ParcelFaultKind.UNROUTED_ORDER,
    ParcelFaultKind.COPIED_LABEL,
    ParcelFaultKind.OVERWEIGHT,
    ParcelFaultKind.TOO_LIGHT,
    ParcelFaultKind.OVERSIZE,
    ParcelFaultKind.SENT_TO_REJECT,
    ParcelFaultKind.TURNED,
    ParcelFaultKind.SLIPPED,
    ParcelFaultKind.INSERTED,
)
_HARSH_PARCEL = (
    (ParcelFaultKind.MIS_SORT, 2),
    (ParcelFaultKind.SWAP, 1),
    (ParcelFaultKind.JAM, 1),
)
_HARSH_RARE = (ParcelFaultKind.ARRIVAL_JAM,)
_REVIEW = (
    (ReviewFaultKind.SHORT_PICK, 2),
    (ReviewFaultKind.OVER_PICK, 2),
    (ReviewFaultKind.WRONG_PICK, 2),
    (ReviewFaultKind.INTERRUPTED, 2),
    (ReviewFaultKind.UNREVIEWED, 1),
)
_DEFAULT_LINE = (
    LineFaultKind.FULL_CHUTE,
    LineFaultKind.CLOCK_STEP,
    LineFaultKind.PLC_SILENT,
    LineFaultKind.PLC_RESTART,
    LineFaultKind.CHUTE_DISABLED,
    LineFaultKind.UPSTREAM_SILENT,
    LineFaultKind.UPSTREAM_FAILS,
    LineFaultKind.SCALE_SILENT,
)
_HARSH_LINE = (
    LineFaultKind.E_STOP,
    LineFaultKind.DOOR,
    LineFaultKind.ENCODER_STANDS,
    LineFaultKind.ENCODER_RUNS,
    LineFaultKind.PURGE,
    LineFaultKind.DISK_SLOW,
    LineFaultKind.DISK_LOW,
    LineFaultKind.LINE_CRASH,
    LineFaultKind.SCALE_FROZEN,
)
_RARE_LINE = frozenset(
    {
        LineFaultKind.PLC_RESTART,
        LineFaultKind.CHUTE_DISABLED,
        LineFaultKind.UPSTREAM_SILENT,
        LineFaultKind.UPSTREAM_FAILS,
        LineFaultKind.E_STOP,
        LineFaultKind.DOOR,
        LineFaultKind.ENCODER_STANDS,
        LineFaultKind.ENCODER_RUNS,
        LineFaultKind.PURGE,
        LineFaultKind.DISK_SLOW,
        LineFaultKind.DISK_LOW,
        LineFaultKind.SCALE_SILENT,
        LineFaultKind.SCALE_FROZEN,
    }
)
"""Each costs every parcel that is on the belt, or many."""

PLC_SILENT_MS = 3_000
SHORTER_SILENCES_MS = (300, 800, 1_500)
"""After one of these a parcel decided meanwhile can still be told."""
TURNAROUNDS_MS = (20, 40, 100, 200)


class FaultPlan:
    """The faults of one run: a pure function of seed, level, line and parcel index."""

    def __init__(self, topology: Topology, level: FaultLevel, seed: int) -> None:
        self.level = level
        self._topology = topology
        self._bits = SeededBits(seed, "faults")
        self._blocks: dict[int, Block] = {}

    def of(self, index: int) -> ParcelFault | None:
        """What is done to a parcel; indices from 0 in the order of placing."""
        return self._block(index // BLOCK).parcels.get(index)

    def review(self, index: int) -> ReviewFaultKind | None:
        """What is wrong with a parcel's review, on a line that has benches."""
        return self._block(index // BLOCK).reviews.get(index)

    def at(self, index: int) -> tuple[LineFault, ...]:
        """Line faults that hang on a parcel."""
        return tuple(fault for fault in self._block(index // BLOCK).line if fault.index == index)

    def turnaround_ms(self, borne_ms: int) -> int | None:
        """How slowly the PLC answers in a harsh run, 20–200 ms, at most ``borne_ms`` (what lint proves
        for this line); None: as usual."""
        if self.level is not FaultLevel.HARSH:
            return None
        borne = [one for one in TURNAROUNDS_MS if one <= borne_ms]
        return self._bits.child("turnaround").pick(borne) if borne else None

    def _block(self, number: int) -> Block:
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) == BLOCKS_KEPT:
                self._blocks.clear()
            block = self._blocks[number] = self._draw(number)
        return block

    def _draw(self, number: int) -> Block:
        if self.level is FaultLevel.NONE:
            return Block(parcels={}, line=(), reviews={})
        bits = self._bits.child(f"block/{number}")
        first = number * BLOCK + (FIRST if number == 0 else 0)
        free = list(range(first, (number + 1) * BLOCK - LAST_FREE, 2))
        bits.shuffle(free)
        harsh = self.level is FaultLevel.HARSH
        parcels: dict[int, ParcelFault] = {}
        for kind, count in _DEFAULT_PARCEL + (_HARSH_PARCEL if harsh else ()):
            for _ in range(count if is_possible(self._topology, kind, harsh=harsh) else 0):
                parcels[free.pop()] = parcel_fault(self._topology, kind, bits, harsh=harsh)
        for kind in _DEFAULT_RARE + (_HARSH_RARE if harsh else ()):
            drawn = number == 0 or bits.chance(RARE_PERMILLE)
            if drawn and is_possible(self._topology, kind, harsh=harsh):
                parcels[free.pop()] = parcel_fault(self._topology, kind, bits, harsh=harsh)
        strikes = list(_DEFAULT_LINE + (_HARSH_LINE if harsh else ()))
        if self._topology.scale is None:
            strikes = [kind for kind in strikes if kind not in OF_THE_SCALE]
        moments = sorted(free[: len(strikes)])
        bits.shuffle(strikes)
        line = []
        for index, strike in zip(moments, strikes, strict=True):
            fault = line_fault(self._topology, strike, index, bits, whole=number == 0)
            if number == 0 or strike not in _RARE_LINE or bits.chance(RARE_PERMILLE):
                line.append(fault)
        return Block(parcels=parcels, line=tuple(line), reviews=self._reviews(number, first))

    def _reviews(self, number: int, first: int) -> dict[int, ReviewFaultKind]:
        """Beside the other faults: a box that was picked wrongly may get a bad label too."""
        if not self._topology.benches:
            return {}
        bits = self._bits.child(f"review/{number}")
        free = list(range(first, (number + 1) * BLOCK - LAST_FREE))
        bits.shuffle(free)
        return {free.pop(): kind for kind, count in _REVIEW for _ in range(count)}


def is_possible(topology: Topology, kind: ParcelFaultKind, *, harsh: bool) -> bool:
    """Whether a line of this description has what the fault needs."""
    if kind is ParcelFaultKind.FOREIGN_LABEL:
        return any(one.carrier == FOREIGN for one in topology.read.foreign)
    if kind is ParcelFaultKind.CODE_CHANGED:
        return bool(later_readers(topology))
    if kind in (ParcelFaultKind.OVERWEIGHT, ParcelFaultKind.TOO_LIGHT):
        return topology.scale is not None
    if kind is ParcelFaultKind.CHECK_PARCEL:
        return topology.scale is not None and bool(topology.scale.checks)
    if kind in (ParcelFaultKind.SLIPPED, ParcelFaultKind.INSERTED):
        low, high = _places_mm(topology, kind, harsh=harsh)
        return low <= high
    return kind is not ParcelFaultKind.OVERSIZE or _oversizes_mm(topology) is not None


def _places_mm(topology: Topology, kind: ParcelFaultKind, *, harsh: bool) -> tuple[int, int]:
    """Where it can happen, empty if nowhere. Unless the run is harsh, what slips or is put in is seen by an
    eye before the first diverter: one that an arm takes unseen is nobody's fault, but goes astray."""
    low, high = topology.length_max_mm, topology.end_mm - topology.length_max_mm
    if not harsh and kind in (ParcelFaultKind.SLIPPED, ParcelFaultKind.INSERTED):
        first = topology.diverters[0].position_mm
        last_eye = max(eye.position_mm for eye in topology.eyes if eye.position_mm < first)
        high = last_eye - 50 - (_slip_mm(topology) if kind is ParcelFaultKind.SLIPPED else 0)
    return low, high


def _slip_mm(topology: Topology) -> int:
    """The farthest."""
    return topology.gap_min_mm * 7 // 10


def _oversizes_mm(topology: Topology) -> tuple[int, int] | None:
    """Too long, and not so long that an eye takes it for a jam or for two; None: nothing is."""
    low = topology.length_max_mm + topology.length_tolerance_mm + 5
    high = topology.length_max_mm + topology.length_tolerance_mm + topology.track_tolerance_mm - 1
    return (low, high) if low <= high else None


def parcel_fault(
    topology: Topology, kind: ParcelFaultKind, bits: SeededBits, *, harsh: bool = True
) -> ParcelFault:
    """One of a kind, its arguments drawn."""
    arg = by = 0
    if kind is ParcelFaultKind.CANCELLED_ORDER:
        arg = bits.between(-300, 1_200)
    elif kind is ParcelFaultKind.FLAGGED_ORDER:
        arg = bits.below(len(OrderFlag))
        by = bits.pick((0, 300, 700))
    elif kind in (
        ParcelFaultKind.DOUBLE_LABEL,
        ParcelFaultKind.CODE_CHANGED,
        ParcelFaultKind.UNROUTED_ORDER,
    ):
        arg = bits.below(2)
    elif kind is ParcelFaultKind.COPIED_LABEL:
        arg = 1 if bits.chance(500) else copied_long_before(topology)
    elif kind is ParcelFaultKind.WRONG_WEIGHT:
        arg = bits.pick((400, 600, 1_500, 2_000))
    elif kind is ParcelFaultKind.OVERWEIGHT and topology.scale is not None:
        most, capacity = topology.weigh.max_weight_g, topology.scale.capacity_g
        arg = bits.between(most + 500, max(most + 501, capacity - 500))
    elif kind is ParcelFaultKind.TOO_LIGHT and topology.scale is not None:
        arg = max(1, topology.scale.min_weight_g // 2)
    elif kind is ParcelFaultKind.OVERSIZE:
        arg = bits.between(*(_oversizes_mm(topology) or (topology.length_max_mm, topology.length_max_mm)))
    elif kind is ParcelFaultKind.CHECK_PARCEL:
        arg = bits.pick((0, 0, 500))
    elif kind is ParcelFaultKind.SENT_TO_REJECT:
        arg = bits.between(200, 700)
    elif kind is ParcelFaultKind.TOO_CLOSE:
        arg = 0 if bits.chance(250) else bits.between(20, _slip_mm(topology))
    elif kind is ParcelFaultKind.MIS_SORT:
        arg = bits.below(len(topology.diverters))
    elif kind is ParcelFaultKind.JAM:
        arg = bits.pick(topology.eyes[1:-1]).position_mm + topology.length_min_mm // 2
    elif kind is ParcelFaultKind.SWAP:
        last = topology.diverters[0].position_mm - 2 * topology.length_max_mm
        arg = bits.between(topology.decision_mm, max(topology.decision_mm, last))
    elif kind in _AT_A_PLACE:
        arg = bits.between(*_places_mm(topology, kind, harsh=harsh))
        by = _by(topology, kind, bits)
    return ParcelFault(kind=kind, arg=arg, by=by)


_AT_A_PLACE = frozenset(
    {ParcelFaultKind.TAKEN_OFF, ParcelFaultKind.TURNED, ParcelFaultKind.SLIPPED, ParcelFaultKind.INSERTED}
)


def _by(topology: Topology, kind: ParcelFaultKind, bits: SeededBits) -> int:
    if kind is ParcelFaultKind.TAKEN_OFF:
        return 0
    if kind is ParcelFaultKind.SLIPPED:
        far = bits.between(topology.track_tolerance_mm // 2, _slip_mm(topology))
        return far if bits.chance(500) else -far
    return bits.between(topology.length_min_mm, topology.length_max_mm)


def copied_long_before(topology: Topology) -> int:
    """Places before a parcel whose nominal life on the line is over by the time it is placed."""
    per_life = life_us(topology) * topology.nominal_per_h // 3_600_000_000
    return 2 * per_life + 12


def line_fault(
    topology: Topology, kind: LineFaultKind, index: int, bits: SeededBits, *, whole: bool
) -> LineFault:
    """One of a kind, its arguments drawn; ``whole``: a silent PLC is silent for its whole time."""
    duration_ms, arg = 0, 0
    if kind is LineFaultKind.FULL_CHUTE:
        duration_ms, arg = bits.between(4_000, 9_000), bits.between(1, len(topology.exits))
    elif kind is LineFaultKind.CHUTE_DISABLED:
        shipping = [n for n, one in enumerate(topology.chutes) if one.kind is ChuteKind.SHIPPING]
        duration_ms, arg = bits.between(15_000, 30_000), bits.pick(shipping)
    elif kind is LineFaultKind.CLOCK_STEP:
        arg = bits.pick((-3_600, -30, 30, 7_200))
    elif kind is LineFaultKind.PLC_SILENT:
        duration_ms = PLC_SILENT_MS if whole else bits.pick((*SHORTER_SILENCES_MS, PLC_SILENT_MS))
    elif kind is LineFaultKind.PLC_RESTART:
        duration_ms = bits.between(300, 800)
    elif kind is LineFaultKind.UPSTREAM_SILENT:
        # Longer than from a parcel's look-up to the last moment to decide it.
        last_mm = max(exit.deadline_mm for exit in topology.exits)
        duration_ms = last_mm * 1_000 // topology.speed_mm_s + bits.between(300, 1_000)
    elif kind is LineFaultKind.UPSTREAM_FAILS:
        # At least one parcel is looked up meanwhile.
        duration_ms = 3_600_000 // topology.nominal_per_h + bits.between(200, 1_500)
    elif kind in (LineFaultKind.E_STOP, LineFaultKind.DOOR):
        duration_ms = bits.between(1_000, 4_000)
    elif kind in (LineFaultKind.ENCODER_STANDS, LineFaultKind.ENCODER_RUNS):
        duration_ms = bits.between(1_000, 2_000)
        arg = topology.speed_mm_s * topology.ticks_per_m // 500
    elif kind is LineFaultKind.DISK_SLOW:
        duration_ms = bits.between(700, 2_500)
    elif kind is LineFaultKind.DISK_LOW:
        duration_ms = bits.between(4_000, 8_000)
    elif kind is LineFaultKind.LINE_CRASH:
        duration_ms = bits.between(50, 500)
    elif kind in (LineFaultKind.SCALE_SILENT, LineFaultKind.SCALE_FROZEN):
        duration_ms = bits.between(500, 3_000)
    return LineFault(kind=kind, index=index, after_ms=bits.below(400), duration_ms=duration_ms, arg=arg)


def later_readers(topology: Topology) -> tuple[ReaderId, ...]:
    """Readers whose field begins where those of all that look at a parcel first have ended."""
    ends = [one.position_mm + one.field_mm // 2 for one in topology.readers]
    first = min(ends, default=0)
    return tuple(one.id for one in topology.readers if one.position_mm - one.field_mm // 2 > first)


def life_us(topology: Topology) -> int:
    """Nominal time from the infeed to the end of the line, the unit of a cancel's moment."""
    return topology.end_mm * 1_000_000 // topology.speed_mm_s


class ScriptedPlan(FaultPlan):
    """Faults written down one by one, of a scenario file; ``parcels``: index → what is done to it."""

    def __init__(
        self,
        topology: Topology,
        parcels: dict[int, ParcelFault],
        line: tuple[LineFault, ...],
        reviews: dict[int, ReviewFaultKind] | None = None,
    ) -> None:
        super().__init__(topology, FaultLevel.NONE, 0)
        self._parcels = parcels
        self._line = line
        self._of_reviews = reviews or {}

    def review(self, index: int) -> ReviewFaultKind | None:
        return self._of_reviews.get(index)

    def of(self, index: int) -> ParcelFault | None:
        return self._parcels.get(index)

    def at(self, index: int) -> tuple[LineFault, ...]:
        return tuple(fault for fault in self._line if fault.index == index)
