"""What a line is, as the core, the runtime and the simulators see it.

Made by ``line_config`` from YAML; positions are millimetres of belt from the induction eye to the
point named, increasing downstream.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.codes import Symbology, WaybillPattern
from edge.model.ids import BenchId, ChuteId, DeviceId, ExitNo, EyeNo, GateNo, ReaderId, ScaleId, ZoneNo
from edge.model.register_map import RegisterMap
from edge.model.units import Grams, Mm
from edge.model.verdict import Reason


class EyeRole(StrEnum):
    INDUCTION = "induction"
    READER = "reader"
    SCALE_INFEED = "scale_infeed"
    SCALE_OUTFEED = "scale_outfeed"
    TRACKING = "tracking"
    """Re-synchronises only."""
    DIVERTER = "diverter"
    """Clears a diverter's zone and proves what went past it."""
    END = "end"
    """Confirm eye of the end of the line (exit n+1)."""


class ChuteKind(StrEnum):
    SHIPPING = "shipping"
    REJECT = "reject"
    RECIRCULATION = "recirculation"
    """Its lane leads back to the infeed."""
    END = "end"


class ReaderSpeaks(StrEnum):
    AT_READ = "at_read"
    """The moment a code was seen: some part of the parcel is in the field."""
    AT_TRIGGER_END = "at_trigger_end"
    """The moment the parcel's trailing edge leaves the field (``position_mm + field_mm / 2``); all its
    codes in one answer."""


class ScaleKind(StrEnum):
    BELT = "belt"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """A photo-eye on the belt; exits' confirm eyes are not eyes of the belt (see ``Exit``)."""

    no: EyeNo
    id: str
    role: EyeRole
    position_mm: Mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """``field_mm``: length of belt in which a code can be seen, centred on ``position_mm``.

    A code arrives ``latency_min_ms…latency_max_ms`` after its moment of ``speaks``. ``needed``: a parcel's
    window waits for its answer, and without it a read is not whole. What another reader says counts while
    the window is open, and may contradict later.
    """

    id: ReaderId
    device: DeviceId
    position_mm: Mm
    field_mm: Mm
    speaks: ReaderSpeaks
    latency_min_ms: int
    latency_max_ms: int
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPoint:
    """Readers, such as cameras above and beside the belt, whose answers about a parcel are one read.

    Each sees sides of a parcel that the others may not. ``at_least`` of them must have been there as the
    parcel passed; then what they read counts without the others.
    """

    id: str
    readers: tuple[ReaderId, ...]
    at_least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckParcel:
    """A parcel of known weight that is run over the belt to check the scale; ``code``: on its label."""

    id: str
    code: str
    weight_g: Grams
    tolerance_g: Grams


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """``rate_hz`` is the *measured* rate of independent readings; ``zone`` 0 for a belt scale.

    ``capacity_g`` is the largest weight it can tell; ``spread_g`` the largest spread of a good
    capture; ``stable_ms`` the static scale's time of agreement.

    Its zero is looked at every ``zero_every_ms`` while it is empty; a gap at induction is asked for at
    most ``zero_within_ms``. Empty, it shows at most ``zero_g`` either side of zero.
    """

    id: ScaleId
    device: DeviceId
    kind: ScaleKind
    infeed_eye: EyeNo
    outfeed_eye: EyeNo
    zone: ZoneNo
    settle_ms: int
    filter_ms: int
    rate_hz: int
    min_samples: int
    spread_g: Grams
    stable_ms: int
    hold_timeout_ms: int
    min_weight_g: Grams
    capacity_g: Grams
    division_g: Grams
    stale_ms: int
    zero_every_ms: int
    zero_within_ms: int
    zero_g: Grams
    checks: tuple[CheckParcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A review bench: its hand scanner, and its gate with an exit eye behind each side."""

    id: BenchId
    device: DeviceId
    gate: GateNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverter:
    """``zone_mm``: length of belt on which it acts; ``change_ms``: to go from side to side."""

    id: str
    position_mm: Mm
    zone_mm: Mm
    actuator_ms: int
    change_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A physical exit. ``commit_mm`` and ``deadline_mm`` are belt positions (plc.md section 4);
    ``confirm_from_mm…confirm_to_mm`` is the window in which its confirm eye must see the parcel."""

    no: ExitNo
    id: str
    diverter: str
    side: str
    position_mm: Mm
    commit_mm: Mm
    deadline_mm: Mm
    confirm_from_mm: Mm
    confirm_to_mm: Mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Chute:
    """``reserve``: parcels it still holds after its exit says full."""

    id: ChuteId
    exit: ExitNo
    kind: ChuteKind
    reserve: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardZone:
    """A stretch of belt. ``guarded``: no hand reaches it while its guard is shut, so a stop of the belt
    leaves what is on it trusted."""

    no: ZoneNo
    from_mm: Mm
    to_mm: Mm
    guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recirculation:
    """A lane that leads back to the infeed: a parcel that comes to one of ``reasons``, which may heal by
    itself, goes round and is inducted anew.

    ``limit``: laps of one waybill in a row. ``back_mm``: belt of the way back, from the lane to the
    induction eye. ``apart``: of parcels without a waybill (whose laps nobody can count) one goes round
    only where so many tracks were opened since the last one did, more than a lap can take.
    """

    chute: ChuteId
    limit: int
    back_mm: Mm
    apart: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighPolicy:
    """Largest accepted difference is the larger of the two tolerances, unless the order has one."""

    tolerance_g: Grams
    tolerance_permille: int
    max_weight_g: Grams


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPolicy:
    """Which reads can be a waybill at all (domain words). ``foreign``: shapes of carriers, or of other
    warehouses, that are known and not served here."""

    symbologies: tuple[Symbology, ...]
    patterns: tuple[WaybillPattern, ...]
    no_read: tuple[str, ...]
    foreign: tuple[WaybillPattern, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcLink:
    """``timeout_ms`` and ``heartbeat_ms`` (the PLC's limit for a stale heartbeat) as linted."""

    device: DeviceId
    host: str
    port: int
    unit: int
    registers: RegisterMap
    turnaround_ms: int
    timeout_ms: int
    cycle_ms: int
    heartbeat_ms: int
    map_version: int
    scan_ms: int
    ring_capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One line. ``eyes`` and ``exits`` are ordered by number, so ``eyes[no - 1]`` is eye ``no``.

    ``end_mm`` is the position of the end eye; the end of the line is exit ``len(exits) + 1``.
    ``track_tolerance_mm``: how far from its expected position an eye may see a parcel.
    ``length_tolerance_mm``: how much its length may differ from eye to eye.
    """

    line_id: str
    timezone: str
    map_hash: int
    speed_mm_s: int
    max_speed_mm_s: int
    ticks_per_m: int
    length_min_mm: Mm
    length_mean_mm: Mm
    length_max_mm: Mm
    gap_min_mm: Mm
    nominal_per_h: int
    track_tolerance_mm: Mm
    length_tolerance_mm: Mm
    eyes: tuple[Eye, ...]
    readers: tuple[Reader, ...]
    scale: Scale | None
    weigh: WeighPolicy
    read: ReadPolicy
    decision_mm: Mm
    diverters: tuple[Diverter, ...]
    exits: tuple[Exit, ...]
    end_mm: Mm
    chutes: tuple[Chute, ...]
    default_chute: ChuteId
    reason_chutes: tuple[tuple[Reason, ChuteId], ...]
    recirculation: Recirculation | None = None
    guard_zones: tuple[GuardZone, ...] = ()
    """In belt order, without a gap; none: the whole belt is zone 1, open to hands."""
    plc: PlcLink
    benches: tuple[Bench, ...] = ()
    review_required: bool = False
    """What ships must have passed a review."""
    reading_points: tuple[ReadingPoint, ...] = ()
    """Those that the line describes; each other reader is waited for by itself."""
