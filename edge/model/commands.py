"""What the core wants done: imperatives, idempotent and absolute."""

from dataclasses import dataclass

from edge.model.events import WakePurpose
from edge.model.ids import (
    BenchId,
    BootEpoch,
    ExitNo,
    GateNo,
    InboxSeq,
    OrderNo,
    PlcNumber,
    ReaderId,
    ScaleId,
    TrackId,
    Waybill,
    ZoneNo,
)
from edge.model.quick import quick
from edge.model.records import RecordBody
from edge.model.units import MonoUs, Ticks


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Put a fact on record, in the same commit as the input that caused it."""

    body: RecordBody


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SendDivert:
    """Waits for the commit of its ``Decided``. Physical exits 1…n only, never the end."""

    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    exit: ExitNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Waits for the commit of its ``RevokeOrdered``; ``end`` is exit n+1."""

    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    end: ExitNo


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Ask inbox and journal for a waybill; waits for the commit of the input."""

    track: TrackId
    waybill: Waybill


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpPlace:
    """Ask the journal where the waybills of a cancel went; waits for the commit of the input."""

    inbox_seq: InboxSeq
    order_no: OrderNo
    waybills: tuple[Waybill, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpSlip:
    """Ask inbox and journal for the order of a pick slip; waits for the commit of the input."""

    bench: BenchId
    slip: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Exactly one of ``ticks`` and ``at_us`` is non-zero.

    By ticks, ``proved``: due when the ring has been read up to a status whose ticks have passed
    them; else by extrapolation from the last status. A second WakeAt of the same (purpose, ref)
    replaces the first.
    """

    purpose: WakePurpose
    ref: int
    ticks: Ticks
    at_us: MonoUs
    proved: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWeight:
    """Collect the frames of ``scale`` whose moment (arrival less the filter's delay) falls while the
    belt is between the two positions; answer with one ``SamplesCaptured``. ``on_ticks``: its leading
    edge is at the scale's infeed eye."""

    track: TrackId
    scale: ScaleId
    on_ticks: Ticks
    from_ticks: Ticks
    to_ticks: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveImage:
    """Nothing was read of this parcel, which ``reader`` had before it, alone, between the two positions: a
    picture of it is worth keeping. A reader without pictures, and one that is away, keeps none."""

    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    reader: ReaderId
    from_ticks: Ticks
    to_ticks: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureZero:
    """As ``CaptureWeight``, of the empty scale; answered with one ``ZeroCaptured``."""

    scale: ScaleId
    from_ticks: Ticks
    to_ticks: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class SetZero:
    """Tell the scale that it is empty; one that cannot be told does nothing."""

    scale: ScaleId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureStatic:
    """Collect frames from now until the zone's release; answered once stable or at ``until_us``."""

    track: TrackId
    scale: ScaleId
    until_us: MonoUs


@dataclass(frozen=True, slots=True, kw_only=True)
class SetZone:
    """Hold the parcel in a zone, or release it by number."""

    zone: ZoneNo
    hold: bool
    number: PlcNumber


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SetGate:
    """Open a bench's gate to packing for the next work, or shut it: work goes to the re-pick lane."""

    gate: GateNo
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitInduction:
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPurge:
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStop:
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableExits:
    """Bit exit−1 of the PLC's exit-enabled word."""

    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetIndicators:
    bits: int


LineCommand = (
    Record
    | SendDivert
    | Revoke
    | LookUp
    | LookUpPlace
    | LookUpSlip
    | WakeAt
    | ArchiveImage
    | CaptureWeight
    | CaptureStatic
    | CaptureZero
    | SetZero
    | SetZone
    | SetGate
    | PermitInduction
    | RequestPurge
    | RequestStop
    | EnableExits
    | SetIndicators
)
