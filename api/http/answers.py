"""What requests are answered: models for the documentation, and their making from typed results."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from api.http.problems import Problem, Slug
from api.http.schemas import ParcelIn, RegionIn
from api.intake import IntakeAnswer, Outcome, Refusal, Refused, Taken
from edge.model.order import CancelOutcome
from edge.store.journal_types import CancelAnswerRow

REPLAYED = "Idempotent-Replayed"
"""Header: this is the answer of the first time, the message did nothing again."""


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TakenAnswer(Answer):
    """Durable. ``inbox_seq`` is its row, 0 where the same content was there already."""

    outcome: Literal["stored", "unchanged"]
    inbox_seq: int
    version: Annotated[int, Field(description="The order's or plan's version that stands, 0 for none.")]


class FieldErrorBody(Answer):
    loc: list[str | int]
    msg: str


class CellErrorBody(Answer):
    """``row`` as a spreadsheet numbers it, 1 is the heading; ``column`` empty: the whole row."""

    row: int
    column: str
    value: str
    do: str


class ProblemBody(BaseModel):
    """RFC 9457. ``errors``: fields of a JSON body; ``cells``: cells of a CSV, ``wrong`` of them in all."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[FieldErrorBody] = []
    cells: list[CellErrorBody] = []
    wrong: int = 0
    version: int = 0
    inbox_seq: int = 0


class ImportAnswer(Answer):
    """All of the file is there."""

    rows: int
    orders: int
    stored: int
    unchanged: int


class BatchItem(Answer):
    """One order's own answer: how it was taken, or its problem."""

    index: int
    order_no: str
    outcome: Literal["stored", "unchanged", "refused"]
    inbox_seq: int = 0
    version: int = 0
    problem: ProblemBody | None = None


class BatchAnswer(Answer):
    stored: int
    unchanged: int
    refused: int
    results: list[BatchItem]


class CancelAnswer(Answer):
    """The line's words. ``place``: the chute where it is known; ``track`` 0: no parcel was found."""

    message_id: str
    order_no: str
    outcome: Literal["accepted", "too_late", "unknown", "pending"]
    place: str
    track: int
    inbox_seq: int
    final: bool


class MissingPieces(Answer):
    sku: str
    qty: int


class ExtraPieces(Answer):
    """Goods of the order have their ``sku``; anything else its ``code`` and the goods that have it."""

    sku: str = ""
    code: str = ""
    qty: int
    skus: list[str] = []


class ReviewAnswer(Answer):
    """From ``reason`` on its latest verdict, null and empty before the first."""

    state: str
    bench: str
    slip: str
    order_version: int
    opened_at: str | None
    reason: str | None
    pieces: int | None
    missing: list[MissingPieces]
    extra: list[ExtraPieces]
    judged_at: str | None


class OrderAnswer(Answer):
    """As pushed, with what it stands at. ``inbox_seq``: the last row that touched it."""

    order_no: str
    version: int
    status: Literal["released", "held", "cancelled"]
    customer_code: str
    shop: str
    platform: str
    wave: str
    pick_slip_no: str
    carrier: str
    region: RegionIn
    parcels: list[ParcelIn]
    cut_off: str
    flags: list[str]
    extra: dict[str, str]
    inbox_seq: int
    review: ReviewAnswer | None


class HealthAnswer(Answer):
    status: Literal["ok"]


class Event(Answer):
    """One row of the line's log: an input (``EyePassed``) or a fact (``Decided``). ``body`` is the row's
    own, by kind; ``track`` null: it is about no one parcel."""

    seq: int
    at: str | None
    at_us: int
    kind: str
    track: int | None
    body: dict[str, Any]


class EventsAnswer(Answer):
    events: list[Event]
    next: int
    more: bool


class RelayTargetNow(Answer):
    """``seq``: the last row of the record dealt with; ``why``: what is wrong, else empty."""

    target: str
    kind: Literal["mqtt", "webhook"]
    up: bool
    why: str
    seq: int
    lag_rows: int
    dead_letters: int


class RelayAnswer(Answer):
    targets: list[RelayTargetNow]


class DeadLetterNow(Answer):
    """``wanted``: it will be sent again at once; ``next_try_at``: it is by itself then, null: no more."""

    id: int
    target: str
    seq: int
    message_id: str
    kind: str
    tries: int
    why: str
    tried_at: str | None
    next_try_at: str | None
    wanted: bool


class DeadLettersAnswer(Answer):
    """Ask for more after ``next``."""

    dead_letters: list[DeadLetterNow]
    next: int


class SentAgainAnswer(Answer):
    id: int
    wanted: bool


class Decision(Answer):
    reason: str
    chute: str
    exit: int
    rule: str
    plan: str
    plan_version: int


class TrackAnswer(Answer):
    """One time on the belt; what had not happened (yet) is null. ``end_seq``: the row of its end."""

    track: int
    state: Literal["tracked", "decided", "told", "revoking", "exited", "missing"]
    waybill: str
    order_no: str | None
    order_version: int | None
    customer_code: str | None
    shop: str | None
    carrier: str | None
    length_mm: int
    read_quality: str | None
    weight_g: int | None
    weight_quality: str | None
    expected_g: int | None
    inducted_at: str | None
    decided: Decision | None
    decide_to_told_us: int | None
    exited_at: str | None
    exit: int | None
    chute: str | None
    exit_reason: str | None
    shipped: bool
    mis_sorted: bool
    end_seq: int | None


class ParcelAnswer(Answer):
    """Every time this label was on the belt, the latest first."""

    waybill: str
    tracks: list[TrackAnswer]


class ParcelsAnswer(Answer):
    parcels: list[TrackAnswer]
    next: int
    more: bool


class StoryAnswer(Answer):
    parcel: TrackAnswer
    events: list[Event]


class Induction(Answer):
    permitted: bool
    why: str


class PlanInForce(Answer):
    plan_id: str
    version: int


class LineAnswer(Answer):
    """``process``: whether the line process answers now; everything else is its record's, as of ``seq``
    or a little later. ``since`` null: the line's clock was not agreed yet."""

    line: str
    process: Literal["up", "down"]
    state: str
    why: str
    since: str | None
    induction: Induction
    plan: PlanInForce | None
    on_belt: int
    alarms: int
    seq: int


class ChuteAnswer(Answer):
    """``exit``: the physical exit; ``since`` null: never switched, never full."""

    chute: str
    kind: Literal["shipping", "reject", "end"]
    exit: int
    reserve: int
    enabled: bool
    full: bool
    since: str | None


class ChutesAnswer(Answer):
    chutes: list[ChuteAnswer]


class DeviceAnswer(Answer):
    """``up`` null: the line process does not answer, so nobody knows. ``why`` and ``since`` are of the last
    change on record; ``heard_age_ms`` null: it has not spoken in this run of the line process."""

    device: str
    kind: Literal["plc", "bench", "reader", "scale"]
    up: bool | None
    heard_age_ms: int | None
    why: str
    since: str | None


class DevicesAnswer(Answer):
    process: Literal["up", "down"]
    devices: list[DeviceAnswer]


class AlarmAnswer(Answer):
    """``subject``: a device, chute or exit; empty for the line. ``acknowledged_by`` empty: by nobody yet."""

    kind: str
    subject: str
    detail: str
    raised_at: str | None
    acknowledged_by: str
    acknowledged_at: str | None


class AlarmsAnswer(Answer):
    alarms: list[AlarmAnswer]


class ChangeAnswer(Answer):
    """``by`` empty: taken by an earlier build, which did not note it."""

    seq: int
    at: str | None
    kind: str
    message_id: str
    by: str
    role: str


class ChangesAnswer(Answer):
    changes: list[ChangeAnswer]
    next: int
    more: bool


_REFUSALS: dict[Refusal, Slug] = {
    Refusal.MULTI_PARCEL: Slug.MULTI_PARCEL,
    Refusal.BATCH_TOO_LARGE: Slug.BATCH_TOO_LARGE,
    Refusal.TOO_LARGE: Slug.BODY_TOO_LARGE,
    Refusal.DOUBLED: Slug.DOUBLED,
    Refusal.CHUTE_UNKNOWN: Slug.CHUTE_UNKNOWN,
    Refusal.CHUTE_NOT_SHIPPING: Slug.CHUTE_NOT_SHIPPING,
    Refusal.SUBJECT_INVALID: Slug.SUBJECT_INVALID,
    Refusal.CODES_DIFFER: Slug.CODES_DIFFER,
    Refusal.CODE_UNCHECKED: Slug.CODE_UNCHECKED,
}

_OUTCOMES: dict[Outcome, Slug | None] = {
    Outcome.STORED: None,
    Outcome.UNCHANGED: None,
    Outcome.STALE_VERSION: Slug.VERSION_STALE,
    Outcome.WAYBILL_TAKEN: Slug.WAYBILL_TAKEN,
    Outcome.CANCELLED: Slug.ORDER_CANCELLED,
    Outcome.UNKNOWN: Slug.ORDER_UNKNOWN,
    Outcome.CONFLICT: Slug.MESSAGE_ID_REUSED,
}


def problem_of(answer: IntakeAnswer, *, unknown: Slug = Slug.ORDER_UNKNOWN) -> Problem | None:
    """The problem that an answer is, if it is one; ``unknown`` says what was not found."""
    if isinstance(answer, Refused):
        return Problem(_REFUSALS[answer.refusal], answer.detail)
    slug = _OUTCOMES[answer.outcome]
    if slug is None:
        return None
    more: dict[str, str | int] = {"version": answer.version} if slug is Slug.VERSION_STALE else {}
    headers = {REPLAYED: "true"} if answer.repeated else {}
    return Problem(unknown if slug is Slug.ORDER_UNKNOWN else slug, answer.detail, more=more, headers=headers)


def taken_response(answer: IntakeAnswer, *, unknown: Slug = Slug.ORDER_UNKNOWN) -> JSONResponse:
    """The answer to one message. Raises its ``Problem``."""
    problem = problem_of(answer, unknown=unknown)
    if problem is not None:
        raise problem
    assert isinstance(answer, Taken)
    body = {
        "outcome": answer.outcome.value,
        "inbox_seq": answer.inbox_seq,
        "version": answer.version,
    }
    return JSONResponse(body, headers={REPLAYED: "true"} if answer.repeated else None)


def cancel_body(answer: CancelAnswerRow) -> dict[str, Any]:
    """``CancelAnswerRow`` word by word, less the line's own time."""
    return {
        "message_id": answer.message_id,
        "order_no": answer.order_no,
        "outcome": answer.outcome.value,
        "place": answer.place,
        "track": answer.track,
        "inbox_seq": answer.inbox_seq,
        "final": answer.final,
    }


def pending_body(message_id: str, order_no: str, inbox_seq: int) -> dict[str, Any]:
    """A cancel that is on record and in force, and to which the line has said nothing yet."""
    return {
        "message_id": message_id,
        "order_no": order_no,
        "outcome": CancelOutcome.PENDING.value,
        "place": "",
        "track": 0,
        "inbox_seq": inbox_seq,
        "final": False,
    }
