"""Core inputs: past participles. Each is journaled before its effects; ``at_us`` is line PC time.

Polls, scale frames, tick readings and heartbeats are not inputs.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.bench_events import BenchScanned, SlipFound, SlipMissing
from edge.model.codes import Code
from edge.model.coding import CodingCheck
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.ids import (
    BootEpoch,
    ChuteId,
    CommandSeq,
    DeviceId,
    ExitNo,
    EyeNo,
    GateNo,
    InboxSeq,
    PlcNumber,
    ReaderId,
    RingSeq,
    ScaleId,
    TrackId,
    Waybill,
)
from edge.model.line import OperatorAction
from edge.model.order import BeltOrder, CancelRequest, OrderStatus, ShippedBefore
from edge.model.quick import quick
from edge.model.register_map import PlcBits
from edge.model.review import GateLane
from edge.model.route import SortPlan
from edge.model.units import Grams, Mm, MonoUs, Ticks, UtcUs
from edge.model.weight import WeightSample


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class EyePassed:
    """Sent at the trailing edge; ``ticks`` and ``plc_ms`` are those of the leading edge.

    ``number`` 0: a passage that belongs to no parcel (purge).
    """

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    eye: EyeNo
    ticks: Ticks
    plc_ms: int
    length_mm: Mm


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLost:
    """The PLC waited in vain for ``number`` at ``eye``."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    eye: EyeNo
    ticks: Ticks
    plc_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelUnexpected:
    """First seen downstream of the induction eye; commands for it are refused."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    eye: EyeNo
    ticks: Ticks
    plc_ms: int
    length_mm: Mm


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class DivertFired:
    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    exit: ExitNo
    ticks: Ticks
    plc_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DivertAborted:
    """The command stood and was dropped; the parcel goes straight on."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    exit: ExitNo
    cause: AbortCause
    ticks: Ticks
    plc_ms: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class DivertConfirmed:
    """A confirm eye saw the parcel; ``exit`` is the actual one, n+1 the end of the line."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    number: PlcNumber
    exit: ExitNo
    reason: ConfirmReason
    ticks: Ticks
    plc_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JamDetected:
    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    eye: EyeNo
    ticks: Ticks
    plc_ms: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class GatePassed:
    """An exit eye of a bench's gate saw work; ``lane``: on which side."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    gate: GateNo
    lane: GateLane
    ticks: Ticks
    plc_ms: int


RingEntry = (
    EyePassed
    | ParcelLost
    | ParcelUnexpected
    | DivertFired
    | DivertAborted
    | DivertConfirmed
    | JamDetected
    | GatePassed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcAttached:
    """The link is up and the identity agreed with the line's description.

    ``ring_next``: the ring sequence read next (1 at a new epoch, last + 1 otherwise).
    """

    at_us: MonoUs
    epoch: BootEpoch
    last_seq: CommandSeq
    ring_next: RingSeq
    ticks: Ticks
    bits: PlcBits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcDetached:
    at_us: MonoUs
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcRefused:
    """Connected, but contract, map or self-test words differ: nothing is commanded."""

    at_us: MonoUs
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RingOverflowed:
    """Entries were overwritten before they were read: the whole belt is untrusted."""

    at_us: MonoUs
    epoch: BootEpoch
    ring_next: RingSeq
    ticks: Ticks


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBitsChanged:
    at_us: MonoUs
    epoch: BootEpoch
    ticks: Ticks
    bits: PlcBits


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRead:
    """What a reader said once. The belt stood between ``ticks_from`` and ``ticks_to`` at the
    moment that the reader's ``speaks`` names, and the ring has been read past the latter.

    ``codes`` empty: the reader said no-read.
    """

    at_us: MonoUs
    reader: ReaderId
    ticks_from: Ticks
    ticks_to: Ticks
    codes: tuple[Code, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesCaptured:
    """All frames whose moment lay in the capture asked for, oldest first (≤ 64 kept).

    ``whole`` is False when the scale was silent longer than its ``stale_ms`` or frames were dropped.
    ``least_g``, ``most_g``: the smallest and the largest weight told since the load began to change: on a
    belt scale from the parcel's leading edge on, on a static one from the capture before; None: none told.
    """

    at_us: MonoUs
    track: TrackId
    scale: ScaleId
    whole: bool
    samples: tuple[WeightSample, ...]
    least_g: Grams | None = None
    most_g: Grams | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCaptured:
    """What the scale said on a stretch of belt on which it should have been empty, as
    ``SamplesCaptured`` has it."""

    at_us: MonoUs
    scale: ScaleId
    whole: bool
    samples: tuple[WeightSample, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFound:
    """Answer to ``LookUp`` as of ``inbox_seq``, the last inbox row that it has seen."""

    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    inbox_seq: InboxSeq
    order: BeltOrder
    reviewed: bool
    shipped_before: ShippedBefore | None
    laps: int = 0
    """How often it went round since it last ended elsewhere."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMissing:
    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    inbox_seq: InboxSeq
    laps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpFailed:
    """Answer to ``LookUp``: inbox or record could not be read."""

    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillPlaceFound:
    """Answer to ``LookUpPlace``: what the record knows of a waybill that no open track has."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    known: bool
    """An order of that number exists."""
    shipped_before: ShippedBefore | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """Read back from the PLC: same sequence, same CRC. ``waited_us``: of it, waiting for the PLC."""

    at_us: MonoUs
    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    exit: ExitNo
    revoke: bool
    seq: CommandSeq
    status: CommandStatus
    waited_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """Inbox row: a cancel. Every one becomes an input."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    request: CancelRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """Inbox row about an open track: a new version, a hold or a release."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    waybill: Waybill
    status: OrderStatus
    order: BeltOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanActivated:
    at_us: MonoUs
    inbox_seq: InboxSeq
    plan: SortPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommanded:
    at_us: MonoUs
    inbox_seq: InboxSeq
    action: OperatorAction
    subject: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeKeyed:
    """Inbox row: a person keyed the code of a parcel that no reader could read. ``by``: who, at the wall
    clock's ``keyed_utc_us``."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    track: TrackId
    text: str
    check: CodingCheck
    by: str
    keyed_utc_us: UtcUs


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWentUp:
    at_us: MonoUs
    device: DeviceId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWentDown:
    at_us: MonoUs
    device: DeviceId
    why: str


class HoldCause(StrEnum):
    """Causes inside this process that stop induction."""

    STORE_SLOW = "store_slow"
    DISK_LOW = "disk_low"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRaised:
    at_us: MonoUs
    cause: HoldCause


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCleared:
    at_us: MonoUs
    cause: HoldCause


class WarningCause(StrEnum):
    """What people should see to while the line goes on."""

    DISK_SHORT = "disk_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRaised:
    at_us: MonoUs
    cause: WarningCause


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningCleared:
    at_us: MonoUs
    cause: WarningCause


class WakePurpose(StrEnum):
    """What a wake decides. ``ref`` is a TrackId, the inbox_seq for CANCEL_LIMIT, the gate for GATE."""

    DECIDE = "decide"
    """The parcel reaches the decision position (extrapolated)."""
    DEADLINE = "deadline"
    """The last moment to decide (extrapolated)."""
    READ_WINDOW = "read_window"
    """The parcel has left the last reader's field and its latest answer is due (proved)."""
    WEIGH_WINDOW = "weigh_window"
    """The parcel has left the scale (proved)."""
    CONFIRM = "confirm"
    """The confirm window is over (proved)."""
    MISSING = "missing"
    """Past the end of the line and not confirmed (proved)."""
    CANCEL_LIMIT = "cancel_limit"
    """350 ms after the row was read: answer pending (time)."""
    ZONE_HOLD = "zone_hold"
    """The static scale's time-out (time)."""
    GATE = "gate"
    """Judged work should have been seen behind the gate (time)."""
    ZERO_DUE = "zero_due"
    """The scale's zero is to be looked at, or has not been for too long (time; ``ref`` 0)."""
    ZERO_WINDOW = "zero_window"
    """Who touched the scale while its zero was looked at is known (proved; ``ref`` 0)."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Woke:
    """A ``WakeAt`` came due. ``ticks`` is the belt position then (0 for wakes by time)."""

    at_us: MonoUs
    purpose: WakePurpose
    ref: int
    ticks: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRead:
    """Wall time, once a minute; the only way it enters the core."""

    at_us: MonoUs
    utc_us: UtcUs


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStarted:
    """First input of every run of the process: which build and configuration decide from here on."""

    at_us: MonoUs
    build: str
    config_hash: str
    chutes_disabled: tuple[ChuteId, ...]
    replay_differs: bool = False
    """This build derives other records than those that stand: everything on the belt is untrusted."""


Event = (
    RingEntry
    | PlcAttached
    | PlcDetached
    | PlcRefused
    | RingOverflowed
    | StatusBitsChanged
    | CodesRead
    | SamplesCaptured
    | BenchScanned
    | SlipFound
    | SlipMissing
    | ZeroCaptured
    | OrderFound
    | OrderMissing
    | LookUpFailed
    | WaybillPlaceFound
    | CommandAnswered
    | OrderCancelled
    | OrderChanged
    | PlanActivated
    | OperatorCommanded
    | CodeKeyed
    | DeviceWentUp
    | DeviceWentDown
    | HoldRaised
    | HoldCleared
    | WarningRaised
    | WarningCleared
    | Woke
    | ClockRead
    | LineStarted
)
