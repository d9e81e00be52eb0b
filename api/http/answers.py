"""What requests are answered: models for the documentation, and their making from typed results."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from api.http.problems import Problem, Slug
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


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, Any]] = []


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


_REFUSALS: dict[Refusal, Slug] = {
    Refusal.MULTI_PARCEL: Slug.MULTI_PARCEL,
    Refusal.BATCH_TOO_LARGE: Slug.BATCH_TOO_LARGE,
    Refusal.TOO_LARGE: Slug.BODY_TOO_LARGE,
    Refusal.DOUBLED: Slug.DOUBLED,
    Refusal.CHUTE_UNKNOWN: Slug.CHUTE_UNKNOWN,
    Refusal.CHUTE_NOT_SHIPPING: Slug.CHUTE_NOT_SHIPPING,
    Refusal.SUBJECT_INVALID: Slug.SUBJECT_INVALID,
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
