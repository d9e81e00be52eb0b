# ruff: noqa: RUF009 - calls of NewTypes are their argument, an int or a str
"""Everything the core remembers: open tracks, exits, plan, line; nothing that grows with the day.

Mutable and slotted, of plain types only, so that one generic codec writes and reads a snapshot. Every
dictionary is in the order in which its entries were made. Ended tracks leave; only their numbers are
kept for a while (``ENDED_KEPT``), so that a late ring entry opens no second track.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from edge.model.alarm import Alarm
from edge.model.codes import Code
from edge.model.divert import CommandStatus
from edge.model.events import HoldCause
from edge.model.ids import (
    BenchId,
    BootEpoch,
    ChuteId,
    ExitNo,
    EyeNo,
    InboxSeq,
    MessageId,
    OrderNo,
    PlcNumber,
    ReaderId,
    RingSeq,
    TrackId,
    Waybill,
)
from edge.model.line import LineState
from edge.model.order import BeltOrder, BenchOrder, ShippedBefore
from edge.model.register_map import PlcBits, StateBit
from edge.model.route import SortPlan
from edge.model.units import Grams, Mm, MonoUs, Ticks, UtcUs
from edge.model.verdict import ParcelState, Reason
from edge.model.weight import WeightReading, WeightSample

ENDED_KEPT = 256
"""Numbers of ended tracks kept: as many as the PLC keeps outcomes for (plc.md section 4)."""
NO_BITS = PlcBits(state=StateBit(0), exits_full=0, diverters_home=0, zones_held=0, zones_untrusted=0, gates=0)


@dataclass(slots=True, kw_only=True)
class Capture:
    """A weight asked for. ``samples`` None: not answered yet. ``done``: judged, its reading stands."""

    first: Ticks
    last: Ticks
    whole: bool = False
    samples: tuple[WeightSample, ...] | None = None
    least_g: Grams | None = None
    most_g: Grams | None = None
    proved: bool = False
    """The ring has been read past the capture: who else touched the scale is known."""
    hold_until_us: MonoUs = MonoUs(0)
    """Static scale: the zone's time-out; 0 once the zone was released (or on a belt scale)."""
    asked: bool = False
    """Static scale: the zone was seen held and the capture asked for."""
    held_from: Ticks = Ticks(0)


@dataclass(slots=True, kw_only=True)
class SeenCode:
    """A code of a parcel, and the readers that saw it, in that order."""

    code: Code
    readers: list[ReaderId] = field(default_factory=list)
    known: bool = False
    """An order has it as a waybill."""


@dataclass(slots=True, kw_only=True)
class Track:
    """One parcel on the belt. ``flaw`` is what tracking found wrong with it, ``fault`` what reading and
    look-up did; ``reason`` is why it ends where it ends, from its decision on."""

    id: TrackId
    epoch: BootEpoch
    number: PlcNumber
    origin: Ticks
    """Belt ticks at which its leading edge was (by its last eye: would have been) at the induction eye."""
    length_mm: Mm
    last_eye: EyeNo
    state: ParcelState = ParcelState.TRACKED
    flaw: Reason = Reason.OK
    disagrees: bool = False
    """The PLC's account of its place and ours differ: whatever happens, it has not shipped."""
    unwatched: bool = False
    """The PLC was away while it was open."""
    hold_slack: Ticks = Ticks(0)
    """How much earlier or later than expected the next eye may see it, after a held zone: both ends of the
    hold were seen late, each by up to a cycle."""

    codes: list[SeenCode] = field(default_factory=list)
    closed: bool = False
    fault: Reason = Reason.OK
    laps: int = -1
    """How often its waybill went round, as the record has it; -1: nobody can say."""
    waited: bool = False
    """The answer of a look-up came only after it was due."""
    by_hand: bool = False
    """A person sent it to reject."""
    waybill: Waybill = Waybill("")
    unsettled: list[Waybill] = field(default_factory=list)
    """Look-ups without an answer."""
    order: BeltOrder | None = None
    order_seq: InboxSeq = InboxSeq(0)
    cancelled_seq: InboxSeq = InboxSeq(0)
    """The cancel in force; it holds against every order row before it."""
    shipped_before: ShippedBefore | None = None
    reviewed: bool = False
    """Its order, with these contents, has passed a review."""

    capture: Capture | None = None
    weight: WeightReading | None = None

    due: bool = False
    """The decision position is reached."""
    deadline: Ticks = Ticks(0)
    """Of the standing DEADLINE wake; 0: none."""
    reason: Reason = Reason.OK
    exit: ExitNo = ExitNo(0)
    chute: ChuteId = ChuteId("")
    ships: bool = False
    """Decided for shipping."""
    standing: bool = False
    """A command was given and nothing is known that ended it."""
    decided_from_us: MonoUs = MonoUs(0)
    fired: ExitNo = ExitNo(0)
    """The exit whose diverter has begun to move for it."""
    withdrawn: Reason = Reason.OK
    """Why a revoke is wanted or out."""
    revoke_seq: InboxSeq = InboxSeq(0)
    revokes: int = 0
    too_late: bool = False
    """A revoke came back PASSED or DONE."""


@dataclass(slots=True, kw_only=True)
class BenchWork:
    """What lies on a review bench under one slip, or waits to be resumed. ``order`` None: its look-up
    is out; what is scanned meanwhile counts all the same."""

    slip: str
    order: BenchOrder | None = None
    scanned: dict[str, int] = field(default_factory=dict)
    """Pieces by code."""
    pieces: int = 0
    last: str = ""
    """The code scanned last, of which a keyed quantity speaks; and its pieces before that scan."""
    before: int = 0
    resumed: bool = False
    ended: bool = False
    """The end was scanned; the order was not known, or the gate not free."""
    stale: bool = False
    """Another bench came to a verdict while the look-up was out: its answer may be older."""
    broken: bool = False
    """Scans may be lost: only its slip begins it anew."""


@dataclass(slots=True, kw_only=True)
class Leaving:
    """Judged work on its way through the gate; ``limit_us``: to be seen there until then."""

    order_no: OrderNo
    waybill: Waybill
    passed: bool
    limit_us: MonoUs


@dataclass(slots=True, kw_only=True)
class BenchState:
    work: BenchWork | None = None
    leaving: Leaving | None = None


@dataclass(slots=True, kw_only=True)
class Cancel:
    """A cancel without its final answer. ``asked``: the record was asked for the place."""

    inbox_seq: InboxSeq
    message_id: MessageId
    order_no: OrderNo
    waybills: tuple[Waybill, ...]
    limit_us: MonoUs
    track: TrackId = TrackId(0)
    asked: bool = False
    pending: bool = False


@dataclass(slots=True, kw_only=True)
class Passage:
    """Last parcel that an eye saw."""

    track: TrackId
    tail: Ticks
    """Of its trailing edge."""


@dataclass(slots=True, kw_only=True)
class ReaderWatch:
    """``blind_until``: answers about the belt before these ticks may be missing; -1: not known yet."""

    up: bool = False
    blind_until: Ticks = Ticks(-1)


class PurgeStage(StrEnum):
    CLEAN = "clean"
    WANTED = "wanted"
    """The belt must be emptied; asked for as soon as it runs."""
    ASKED = "asked"
    RUNNING = "running"


@dataclass(slots=True, kw_only=True)
class PlcLinkState:
    attached: bool = False
    refused: str = ""
    detached: str = ""
    """Why the link is down since it was last up; empty before the first attach of this run."""
    epoch: BootEpoch = BootEpoch(0)
    ring_last: RingSeq = RingSeq(0)
    bits: PlcBits = NO_BITS
    attached_ticks: Ticks = Ticks(0)
    """The belt's position when the link last came up: nobody watched what was on it by then."""
    belt_ticks: Ticks = Ticks(0)
    """Last position told with a moment, and that moment."""
    belt_at_us: MonoUs = MonoUs(0)


@dataclass(slots=True, kw_only=True)
class ClockState:
    """Wall time = monotonic time + ``offset_us`` once ``known``. ``suspect_us``: an offset that
    a person has to confirm, when ``suspect``."""

    known: bool = False
    offset_us: int = 0
    suspect: bool = False
    suspect_us: int = 0
    last_utc_us: UtcUs = UtcUs(0)


@dataclass(slots=True, kw_only=True)
class ZeroState:
    """What is known of the scale's zero. ``first…last``: the look under way; ``last`` 0: none."""

    good: bool = False
    """It was right when it was looked at last, and not too long ago: weights count."""
    due_us: MonoUs = MonoUs(0)
    """From then on a gap that comes by itself is used."""
    gap_us: MonoUs = MonoUs(0)
    """From then on a gap is asked for at induction, …"""
    limit_us: MonoUs = MonoUs(0)
    """… until then."""
    asking: bool = False
    heard: bool = False
    """The scale's link is up."""
    told: bool = False
    """It was told to set its zero since it was right."""
    doubtful: bool = False
    """Who entered the scale last was not seen to leave it."""
    first: Ticks = Ticks(0)
    last: Ticks = Ticks(0)
    samples: tuple[WeightSample, ...] | None = None
    whole: bool = False
    proved: bool = False
    touched: bool = False
    """Somebody was on the scale meanwhile."""


@dataclass(slots=True, kw_only=True)
class CoreState:
    next_track: TrackId = TrackId(1)
    tracks: dict[TrackId, Track] = field(default_factory=dict)
    numbers: dict[PlcNumber, TrackId] = field(default_factory=dict)
    ended: dict[PlcNumber, TrackId] = field(default_factory=dict)
    passages: dict[EyeNo, Passage] = field(default_factory=dict)
    readers: dict[ReaderId, ReaderWatch] = field(default_factory=dict)
    plc: PlcLinkState = field(default_factory=PlcLinkState)
    purge: PurgeStage = PurgeStage.WANTED
    unread_round: TrackId = TrackId(0)
    """The last track that went round and whose laps nobody can count."""
    scale_fouled: bool = False
    """A body that was lost on the scale may lie there: no weight is anybody's alone."""
    plan: SortPlan | None = None
    plan_seq: InboxSeq = InboxSeq(0)
    disabled: list[ChuteId] = field(default_factory=list)
    cancels: dict[InboxSeq, Cancel] = field(default_factory=dict)
    benches: dict[BenchId, BenchState] = field(default_factory=dict)
    parked: list[BenchWork] = field(default_factory=list)
    """Interrupted reviews, oldest first."""
    reopened: list[OrderNo] = field(default_factory=list)
    """Orders to be reviewed anew, whose earlier release an answer under way may still tell."""
    holds: list[HoldCause] = field(default_factory=list)
    held_by: str = ""
    """The person who holds the line."""
    line: LineState = LineState.STOPPED
    permitted: bool = False
    alarms: dict[str, Alarm] = field(default_factory=dict)
    clock: ClockState = field(default_factory=ClockState)
    zero: ZeroState = field(default_factory=ZeroState)


REVOKE_CAUGHT = frozenset({CommandStatus.APPLIED, CommandStatus.REVOKED, CommandStatus.DROPPED})
"""Answers to a revoke after which the parcel will not be diverted (plc.md section 4)."""
REVOKE_TOO_LATE = frozenset({CommandStatus.PASSED, CommandStatus.DONE})
