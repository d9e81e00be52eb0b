"""What a reader of the journal is given: rows of the log and of the read models, frozen."""

from dataclasses import dataclass

from edge.model.events import Event
from edge.model.ids import BenchId, InboxSeq, JournalSeq, MessageId, OrderNo, TrackId, Waybill
from edge.model.order import CancelOutcome
from edge.model.records import RecordBody
from edge.model.review import Difference, ReviewState
from edge.model.units import MonoUs, UtcUs
from edge.model.verdict import Reason
from edge.store.rows import decode_row


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One row of the event log. ``utc_us`` is None before the clock was agreed in that run."""

    seq: JournalSeq
    at_us: MonoUs
    utc_us: UtcUs | None
    kind: str
    track: TrackId | None
    body: str
    hash: bytes

    def item(self) -> Event | RecordBody:
        """The event or record. Raises ``RowMalformed``."""
        return decode_row(self.kind, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRow:
    """The read model of one parcel; None where that has not happened (yet)."""

    track: int
    epoch: int
    number: int
    state: str
    first_seq: int
    last_seq: int | None
    inducted_at_us: int
    inducted_utc_us: int | None
    length_mm: int
    read_quality: str | None
    waybill: str
    order_no: str | None
    order_version: int | None
    customer_code: str | None
    shop: str | None
    carrier: str | None
    weight_g: int | None
    weight_quality: str | None
    expected_g: int | None
    decided_at_us: int | None
    decided_reason: str | None
    decided_chute: str | None
    decided_exit: int | None
    rule: str | None
    plan: str | None
    plan_version: int | None
    told_at_us: int | None
    decide_to_told_us: int | None
    plc_wait_us: int | None
    exited_at_us: int | None
    exited_utc_us: int | None
    actual_exit: int | None
    actual_chute: str | None
    exit_reason: str | None
    shipped: bool
    counts_as_shipped: bool
    mis_sorted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """The review of one order; from ``reason`` on its latest verdict, None and empty before the first."""

    order_no: OrderNo
    waybill: Waybill
    slip: str
    order_version: int
    bench: BenchId
    state: ReviewState
    opened_utc_us: int | None
    reason: Reason | None
    pieces: int | None
    missing: tuple[Difference, ...]
    extra: tuple[Difference, ...]
    judged_utc_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswerRow:
    """The line's answer to a cancel; ``final`` False while it is pending."""

    inbox_seq: InboxSeq
    message_id: MessageId
    order_no: OrderNo
    outcome: CancelOutcome
    track: TrackId
    place: str
    final: bool
    at_us: MonoUs


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """A standing alarm."""

    kind: str
    subject: str
    detail: str
    raised_at_us: MonoUs
    raised_utc_us: UtcUs | None
    acknowledged_by: str
    acknowledged_utc_us: UtcUs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChuteRow:
    chute: str
    enabled: bool
    full: bool
    since_us: MonoUs
    since_utc_us: UtcUs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device's link as the line said last; ``why`` is empty while it is up."""

    device: str
    up: bool
    why: str
    since_us: MonoUs
    since_utc_us: UtcUs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingRow:
    """A parcel that no reader could read. ``waybill`` empty: nobody has keyed its code yet. ``codes``: text,
    symbology and standing of what was read of it all the same."""

    track: TrackId
    since_utc_us: UtcUs | None
    codes: tuple[tuple[str, str, str], ...]
    waybill: str
    coded_by: str
    coded_utc_us: UtcUs | None
    coded_check: str
    outcome: str
    length_mm: int
    state: str
    decided_reason: str | None
    exit_reason: str | None
    chute: str | None
    epoch: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadParcel:
    """Whose a parcel is that no reader could read, as far as the record has it by now: by its own decision,
    or by another round of the waybill that was keyed for it. ``waybill``: keyed, or come to otherwise."""

    track: int
    epoch: int
    number: int
    waybill: str
    carrier: str
    customer_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """The line now. ``plan`` empty: none taken."""

    state: str
    why: str
    since_us: MonoUs
    permitted: bool
    permit_why: str
    plan: str
    plan_version: int
    since_utc_us: UtcUs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Parcels from a track on. ``by_reason`` counts terminal ones, ``by_chute`` exits as confirmed."""

    inducted: int
    exited: int
    missing: int
    shipped: int
    mis_sorted: int
    by_reason: tuple[tuple[str, int], ...]
    by_chute: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Where a restart goes on: ``state`` after row ``snapshot_seq`` (None and 0: from the start);
    the rows above it follow up to ``last_seq``; ``next_track`` was never used."""

    state: bytes | None
    snapshot_seq: JournalSeq
    last_seq: JournalSeq
    inbox_cursor: InboxSeq
    next_track: TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """``rows`` were proved; ``bad_seq`` is the first that is not what was written, None if all are."""

    rows: int
    bad_seq: JournalSeq | None
    why: str
