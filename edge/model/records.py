"""Facts the line puts on record: what ``Record`` commands carry into the journal.

Each is a row of the event log and moves the read models in the same transaction. ``at_us`` is the
moment of the input that caused it.
"""

from dataclasses import dataclass

from edge.model.alarm import AlarmKind
from edge.model.codes import JudgedCode, ReadQuality, ReadRule
from edge.model.coding import CodingCheck, CodingOutcome
from edge.model.divert import AbortCause, CommandStatus
from edge.model.ids import (
    BenchId,
    BootEpoch,
    ChuteId,
    CommandSeq,
    ExitNo,
    EyeNo,
    InboxSeq,
    MessageId,
    OrderNo,
    PlanId,
    PlcNumber,
    ReaderId,
    ScaleId,
    TrackId,
    Waybill,
)
from edge.model.line import LineState
from edge.model.order import CancelOutcome
from edge.model.quick import quick
from edge.model.review import Difference, GateLane, ReviewRefusal
from edge.model.units import Grams, Mm, MonoUs, Ticks, UtcUs
from edge.model.verdict import Reason
from edge.model.weight import WeightReading


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TrackOpened:
    at_us: MonoUs
    track: TrackId
    epoch: BootEpoch
    number: PlcNumber
    eye: EyeNo
    ticks: Ticks
    length_mm: Mm


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """How the read window closed, once per track. ``waybill`` empty when none was chosen. ``by_deadline``:
    closed before the last answer was due. ``away``: of the readers that are waited for, those that were
    away as the parcel passed."""

    at_us: MonoUs
    track: TrackId
    quality: ReadQuality
    waybill: Waybill
    codes: tuple[JudgedCode, ...]
    why: ReadRule
    by_deadline: bool = False
    away: tuple[ReaderId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChanged:
    """What came after the window had closed changed the choice: a look-up's answer, a late code, a person.
    Fields as ``Identified``'s; ``waybill`` as it stands now."""

    at_us: MonoUs
    track: TrackId
    quality: ReadQuality
    waybill: Waybill
    codes: tuple[JudgedCode, ...]
    why: ReadRule


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCodeTaken:
    """What became of a code that a person keyed; where it joined, ``ChoiceChanged`` or ``Identified``
    follows."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    track: TrackId
    waybill: Waybill
    check: CodingCheck
    by: str
    keyed_utc_us: UtcUs
    outcome: CodingOutcome


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    at_us: MonoUs
    track: TrackId
    reading: WeightReading
    expected_g: Grams | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleZeroed:
    """The empty scale was looked at: it showed ``offset_g``, which is ``good`` within its ``zero_g``."""

    at_us: MonoUs
    scale: ScaleId
    offset_g: Grams
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleChecked:
    """A check parcel was weighed; ``passed``: within its tolerance of ``reference_g``."""

    at_us: MonoUs
    track: TrackId
    check: str
    reference_g: Grams
    reading: WeightReading | None
    passed: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The verdict, once per track. ``exit`` n+1: nothing is sent. ``rule`` names what decided:
    a sort rule's id, or the check that failed. ``slack_mm``: belt left before the deadline.

    ``decided_from_us``: moment of the last of: last byte needed, decision position, deadline.
    """

    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    order_no: OrderNo
    order_version: int
    customer_code: str
    shop: str
    carrier: str
    reason: Reason
    chute: ChuteId
    exit: ExitNo
    rule: str
    plan: PlanId
    plan_version: int
    weight_g: Grams
    expected_g: Grams | None
    slack_mm: Mm
    decided_from_us: MonoUs


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The PLC has applied the divert. ``since_us``: decide → told so far (commit of this row is the
    end of the measure); ``plc_wait_us``: of it, waiting for the PLC."""

    at_us: MonoUs
    track: TrackId
    exit: ExitNo
    seq: CommandSeq
    since_us: int
    plc_wait_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The PLC did not take the divert: the parcel goes to the end for ``reason``."""

    at_us: MonoUs
    track: TrackId
    exit: ExitNo
    seq: CommandSeq
    status: CommandStatus
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """An applied divert was dropped by the PLC: the parcel goes to the end."""

    at_us: MonoUs
    track: TrackId
    exit: ExitNo
    cause: AbortCause


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeOrdered:
    """Journaled before the REVOKE is sent. ``inbox_seq`` 0: not for a cancel but a disagreement."""

    at_us: MonoUs
    track: TrackId
    inbox_seq: InboxSeq


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """Answer to a revoke: ``caught`` when the parcel will not be diverted."""

    at_us: MonoUs
    track: TrackId
    status: CommandStatus
    caught: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswered:
    """What the gateway returns verbatim. ``place``: chute id when known, else empty.

    ``final`` is False for PENDING only; the outcome follows as a second row.
    """

    at_us: MonoUs
    inbox_seq: InboxSeq
    message_id: MessageId
    order_no: OrderNo
    outcome: CancelOutcome
    track: TrackId
    place: str
    final: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """Terminal: seen by a confirm eye. ``shipped``: in the decided shipping chute, with reason ok.

    ``counts_as_shipped``: for look-ups and cancels (also a mis-sort after a told ship).
    ``chute`` is the actual one (the decided one where the exit agrees).
    """

    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    exit: ExitNo
    chute: ChuteId
    reason: Reason
    shipped: bool
    counts_as_shipped: bool
    mis_sorted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Terminal: proved absent, or its place is not known any more."""

    at_us: MonoUs
    track: TrackId
    waybill: Waybill
    reason: Reason
    last_eye: EyeNo
    counts_as_shipped: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOpened:
    """A slip is open at a bench. ``resumed``: what was counted before the interruption counts on."""

    at_us: MonoUs
    bench: BenchId
    slip: str
    order_no: OrderNo
    order_version: int
    waybill: Waybill
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRefused:
    at_us: MonoUs
    bench: BenchId
    slip: str
    order_no: OrderNo
    why: ReviewRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewInterrupted:
    """The slip is open no more, without a verdict. ``kept``: its count waits to be resumed."""

    at_us: MonoUs
    bench: BenchId
    slip: str
    order_no: OrderNo
    kept: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The verdict: ``ok`` if and only if nothing is missing and nothing extra. ``contents``: of the
    order's lines that were compared (``BeltOrder.contents``)."""

    at_us: MonoUs
    bench: BenchId
    slip: str
    order_no: OrderNo
    order_version: int
    waybill: Waybill
    contents: str
    reason: Reason
    pieces: int
    missing: tuple[Difference, ...]
    extra: tuple[Difference, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLeft:
    """Work is through a bench's gate, or (``lane`` None) was not seen there in time. ``released``: it
    had passed and went to packing, so the belt may ship it. ``order_no`` empty: nobody knows whose."""

    at_us: MonoUs
    bench: BenchId
    order_no: OrderNo
    waybill: Waybill
    lane: GateLane | None
    released: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReopened:
    """A person wants the order reviewed anew."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    order_no: OrderNo
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised:
    at_us: MonoUs
    kind: AlarmKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared:
    at_us: MonoUs
    kind: AlarmKind
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAcknowledged:
    """A person has seen it; it stands until its cause is gone (ISA-18.2)."""

    at_us: MonoUs
    kind: AlarmKind
    subject: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStateChanged:
    at_us: MonoUs
    state: LineState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InductionSwitched:
    at_us: MonoUs
    permitted: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTaken:
    """From ``track`` on (and for every open track not yet decided) this plan decides."""

    at_us: MonoUs
    inbox_seq: InboxSeq
    plan: PlanId
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChuteSwitched:
    at_us: MonoUs
    chute: ChuteId
    enabled: bool
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAgreed:
    """Wall time = ``utc_us`` at ``at_us``; recorded when the offset changes."""

    at_us: MonoUs
    utc_us: UtcUs
    stepped_us: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTimed:
    """The measure decide → told, ended by the commit of its ``Told``; written with the commit after.

    Measured by the runtime: the only record that the core does not derive, so a replay skips it.
    """

    at_us: MonoUs
    track: TrackId
    decide_to_told_us: int
    plc_wait_us: int


RecordBody = (
    TrackOpened
    | Identified
    | ChoiceChanged
    | KeyedCodeTaken
    | Weighed
    | ScaleZeroed
    | ScaleChecked
    | Decided
    | Told
    | Refused
    | Aborted
    | RevokeOrdered
    | Revoked
    | CancelAnswered
    | Exited
    | Missing
    | ReviewOpened
    | ReviewRefused
    | ReviewInterrupted
    | Reviewed
    | WorkLeft
    | ReviewReopened
    | AlarmRaised
    | AlarmCleared
    | AlarmAcknowledged
    | LineStateChanged
    | InductionSwitched
    | PlanTaken
    | ChuteSwitched
    | ClockAgreed
    | ToldTimed
)
