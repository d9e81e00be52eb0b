"""What goes wrong in a run, planned by seed: per parcel, and at moments of the line.

Parcels are counted in blocks of 120. Every block of a run has each fault of its plan at least once as
far as it has room, at places drawn by seed; a parcel has at most one, and the parcel after a faulty
one has none. A timed fault hangs on a parcel too: it strikes when that parcel is placed. So a plan
says the same whatever the line's timing, and a longer run begins like a shorter one.

The rig does what concerns orders, the PLC, the bus, the clock and the line process; the world does the
physical ones (``simulators.world.mishaps``).
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.ids import ReaderId
from edge.model.topology import Topology
from simulators.orders.waybills import FOREIGN
from simulators.seeds import SeededBits

BLOCK = 120
FIRST = 6
"""The first parcels of a run are undisturbed, and the last of a block: the line has to come back."""
LAST_FREE = 8
BLOCKS_KEPT = 4
"""They are asked for in order: few are enough, and memory is bounded."""


class FaultLevel(StrEnum):
    NONE = "none"
    DEFAULT = "default"
    HARSH = "harsh"


class ParcelFaultKind(StrEnum):
    """Done to one parcel. What ``arg`` means stands with each."""

    UNKNOWN_ORDER = "unknown_order"
    """Its order was never pushed."""
    HELD_ORDER = "held_order"
    CANCELLED_ORDER = "cancelled_order"
    """``arg``: permille of its nominal life on the line at which the cancel is sent; negative: before
    it is placed; over 1000: after it has left."""
    NO_READ = "no_read"
    """Its label cannot be read."""
    DOUBLE_LABEL = "double_label"
    """``arg`` 0: the second waybill is an unknown one; 1: another order's."""
    FOREIGN_LABEL = "foreign_label"
    """Its label is of a carrier that the line does not serve."""
    CODE_CHANGED = "code_changed"
    """Another waybill is seen from the second reading point on. ``arg`` as for a double label."""
    WRONG_WEIGHT = "wrong_weight"
    """``arg``: its true weight in permille of the expected one."""
    TOO_CLOSE = "too_close"
    """``arg``: mm to the parcel before it; 0: they touch."""
    TAKEN_OFF = "taken_off"
    """``arg``: mm from the induction eye."""
    MIS_SORT = "mis_sort"
    """``arg``: order number of the diverter that carries it whatever its arm does."""
    SWAP = "swap"
    """With the parcel behind it, of equal length, on the running belt. ``arg``: mm from the induction eye."""
    JAM = "jam"
    """``arg``: mm from the induction eye."""


class LineFaultKind(StrEnum):
    FULL_CHUTE = "full_chute"
    """``arg``: exit number. The world's."""
    CLOCK_STEP = "clock_step"
    """``arg``: seconds, may be negative. The rig's."""
    PLC_SILENT = "plc_silent"
    """It answers nobody for ``duration_ms``, and goes on working. The rig's."""
    PLC_RESTART = "plc_restart"
    """Its power is away for ``duration_ms``. The rig's."""
    E_STOP = "e_stop"
    """The world's."""
    ENCODER_STANDS = "encoder_stands"
    """The world's."""
    ENCODER_RUNS = "encoder_runs"
    """It counts without the belt. ``arg``: ticks/s. The world's."""
    LINE_CRASH = "line_crash"
    """The line process ends at once and is started anew. The rig's."""


PHYSICAL = frozenset(
    {
        LineFaultKind.FULL_CHUTE,
        LineFaultKind.E_STOP,
        LineFaultKind.ENCODER_STANDS,
        LineFaultKind.ENCODER_RUNS,
    }
)
"""Line faults that the world does; the others are the rig's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFault:
    kind: ParcelFaultKind
    arg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """Strikes ``after_ms`` after the parcel ``index`` was placed, for ``duration_ms``."""

    kind: LineFaultKind
    index: int
    after_ms: int
    duration_ms: int
    arg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    parcels: dict[int, ParcelFault]
    line: tuple[LineFault, ...]


_DEFAULT_PARCEL = (
    (ParcelFaultKind.UNKNOWN_ORDER, 2),
    (ParcelFaultKind.HELD_ORDER, 2),
    (ParcelFaultKind.CANCELLED_ORDER, 4),
    (ParcelFaultKind.NO_READ, 2),
    (ParcelFaultKind.DOUBLE_LABEL, 2),
    (ParcelFaultKind.FOREIGN_LABEL, 1),
    (ParcelFaultKind.CODE_CHANGED, 1),
    (ParcelFaultKind.WRONG_WEIGHT, 2),
    (ParcelFaultKind.TOO_CLOSE, 2),
    (ParcelFaultKind.TAKEN_OFF, 1),
)
_HARSH_PARCEL = (
    (ParcelFaultKind.MIS_SORT, 2),
    (ParcelFaultKind.SWAP, 1),
    (ParcelFaultKind.JAM, 1),
)
_DEFAULT_LINE = (
    LineFaultKind.FULL_CHUTE,
    LineFaultKind.CLOCK_STEP,
    LineFaultKind.PLC_SILENT,
    LineFaultKind.PLC_RESTART,
)
_HARSH_LINE = (
    LineFaultKind.E_STOP,
    LineFaultKind.ENCODER_STANDS,
    LineFaultKind.ENCODER_RUNS,
    LineFaultKind.LINE_CRASH,
)
_STOPPING = frozenset(
    {
        LineFaultKind.PLC_RESTART,
        LineFaultKind.E_STOP,
        LineFaultKind.ENCODER_STANDS,
        LineFaultKind.ENCODER_RUNS,
    }
)
"""Each costs every parcel that is on the belt: after the first block only in every second one."""

PLC_SILENT_MS = 3_000
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
            return Block(parcels={}, line=())
        bits = self._bits.child(f"block/{number}")
        first = number * BLOCK + (FIRST if number == 0 else 0)
        free = list(range(first, (number + 1) * BLOCK - LAST_FREE, 2))
        bits.shuffle(free)
        harsh = self.level is FaultLevel.HARSH
        parcels: dict[int, ParcelFault] = {}
        for kind, count in _DEFAULT_PARCEL + (_HARSH_PARCEL if harsh else ()):
            for _ in range(count if self._can_be(kind) else 0):
                parcels[free.pop()] = ParcelFault(kind=kind, arg=self._arg(kind, bits))
        strikes = list(_DEFAULT_LINE + (_HARSH_LINE if harsh else ()))
        moments = sorted(free[: len(strikes)])
        bits.shuffle(strikes)
        line = []
        for index, strike in zip(moments, strikes, strict=True):
            fault = self._line_fault(strike, index, bits)
            if number == 0 or strike not in _STOPPING or bits.chance(500):
                line.append(fault)
        return Block(parcels=parcels, line=tuple(line))

    def _can_be(self, kind: ParcelFaultKind) -> bool:
        """This line has what the fault needs."""
        if kind is ParcelFaultKind.FOREIGN_LABEL:
            return any(one.carrier == FOREIGN for one in self._topology.read.foreign)
        return kind is not ParcelFaultKind.CODE_CHANGED or bool(later_readers(self._topology))

    def _arg(self, kind: ParcelFaultKind, bits: SeededBits) -> int:
        topology = self._topology
        if kind is ParcelFaultKind.CANCELLED_ORDER:
            return bits.between(-300, 1_200)
        if kind in (ParcelFaultKind.DOUBLE_LABEL, ParcelFaultKind.CODE_CHANGED):
            return bits.below(2)
        if kind is ParcelFaultKind.WRONG_WEIGHT:
            return bits.pick((400, 600, 1_500, 2_000))
        if kind is ParcelFaultKind.TOO_CLOSE:
            return 0 if bits.chance(250) else bits.between(20, topology.gap_min_mm * 7 // 10)
        if kind is ParcelFaultKind.MIS_SORT:
            return bits.below(len(topology.diverters))
        if kind is ParcelFaultKind.JAM:
            eye = bits.pick(topology.eyes[1:-1])
            return eye.position_mm + topology.length_min_mm // 2
        if kind is ParcelFaultKind.SWAP:
            last = topology.diverters[0].position_mm - 2 * topology.length_max_mm
            return bits.between(topology.decision_mm, max(topology.decision_mm, last))
        if kind is ParcelFaultKind.TAKEN_OFF:
            return bits.between(topology.length_max_mm, topology.end_mm - topology.length_max_mm)
        return 0

    def _line_fault(self, kind: LineFaultKind, index: int, bits: SeededBits) -> LineFault:
        duration_ms, arg = 0, 0
        if kind is LineFaultKind.FULL_CHUTE:
            duration_ms, arg = bits.between(4_000, 9_000), bits.between(1, len(self._topology.exits))
        elif kind is LineFaultKind.CLOCK_STEP:
            arg = bits.pick((-3_600, -30, 30, 7_200))
        elif kind is LineFaultKind.PLC_SILENT:
            duration_ms = PLC_SILENT_MS
        elif kind is LineFaultKind.PLC_RESTART:
            duration_ms = bits.between(300, 800)
        elif kind is LineFaultKind.E_STOP:
            duration_ms = bits.between(1_000, 4_000)
        elif kind in (LineFaultKind.ENCODER_STANDS, LineFaultKind.ENCODER_RUNS):
            duration_ms = bits.between(1_000, 2_000)
            arg = self._topology.speed_mm_s * self._topology.ticks_per_m // 500
        elif kind is LineFaultKind.LINE_CRASH:
            duration_ms = bits.between(50, 500)
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
        self, topology: Topology, parcels: dict[int, ParcelFault], line: tuple[LineFault, ...]
    ) -> None:
        super().__init__(topology, FaultLevel.NONE, 0)
        self._parcels = parcels
        self._line = line

    def of(self, index: int) -> ParcelFault | None:
        return self._parcels.get(index)

    def at(self, index: int) -> tuple[LineFault, ...]:
        return tuple(fault for fault in self._line if fault.index == index)
