"""The line's record by cursor: pages of rows, and the same rows as they come (server-sent events)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from api.feed import FedRow, FeedFull, page_of
from api.gateway import Gateway
from api.http.answers import EventsAnswer
from api.http.deps import CallerDep, GatewayDep, LimitQuery
from api.http.examples import STREAM
from api.http.field_texts import told
from api.http.openapi import text_answer
from api.http.problems import FieldError, Problem, Slug
from api.http.schemas import CURSOR_MAX
from edge.model.ids import JournalSeq
from edge.store.rows import EVENTS, RECORDS

BEAT_MS: Final = 2_000
"""A stream says at least this often that it lives."""
RETRY_MS: Final = 1_000
"""A browser whose stream broke asks again after this long."""
RETRY_FULL_S: Final = 5
KINDS: Final = frozenset(EVENTS) | frozenset(RECORDS)

router = APIRouter(prefix="/v1", tags=["record"])

AfterSeq = Annotated[int, Query(ge=0, le=CURSOR_MAX, description="The last row that is known already.")]
KindQuery = Annotated[
    list[str], Query(default_factory=list, max_length=len(KINDS), description="Kinds wanted; none: all.")
]


def kinds_of(kind: list[str]) -> frozenset[str]:
    """Raises ``Problem`` where this build writes no such row."""
    unknown = [
        FieldError(loc=("query", "kind"), msg=told("kind_unknown", {"kind": repr(k[:40])}, ""))
        for k in kind
        if k not in KINDS
    ]
    if unknown:
        raise Problem(Slug.FIELDS_INVALID, errors=tuple(unknown))
    return frozenset(kind)


@router.get("/events", responses={200: {"model": EventsAnswer}})
async def get_events(
    gateway: GatewayDep, kind: KindQuery, after: AfterSeq = 0, limit: LimitQuery = 100
) -> Response:
    """Rows above ``after`` in order. Ask again with ``next``; while ``more`` is true, at once."""
    kinds = kinds_of(kind)
    last = await _last(gateway, after)
    rows = await gateway.recorded(gateway.record.rows_after(JournalSeq(after), limit))
    page, seen = page_of(rows, kinds)
    following = max(seen, after)
    more = "true" if following < last else "false"
    text = ",".join(row.text for row in page)
    return Response(f'{{"events":[{text}],"next":{following},"more":{more}}}', media_type="application/json")


@router.get(
    "/events/stream",
    response_class=Response,
    responses=text_answer("text/event-stream", STREAM),
)
async def stream_events(
    gateway: GatewayDep,
    caller: CallerDep,
    kind: KindQuery,
    after: Annotated[int | None, Query(ge=0, le=CURSOR_MAX)] = None,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=20, pattern="^[0-9]*$")] = "",
) -> Response:
    """The same rows as they become durable. It begins behind ``Last-Event-ID``, else behind ``after``,
    else now, and leaves none out. ``event: beat`` comes every 2 s while nothing else does."""
    kinds = kinds_of(kind)
    known = int(last_event_id) if last_event_id else after
    if known is not None and known > CURSOR_MAX:
        raise Problem(Slug.CURSOR_AHEAD)
    last = await _last(gateway, known or 0)
    return EventStream(gateway, caller.id, JournalSeq(last if known is None else known), kinds)


async def _last(gateway: Gateway, known: int) -> int:
    """The newest row. Raises ``Problem`` for a cursor that no row of this record ever gave."""
    last = await gateway.recorded(gateway.feed.last())
    if known > last:
        raise Problem(Slug.CURSOR_AHEAD, f"the last row is {last}")
    return last


class EventStream(StreamingResponse):
    """Takes its place among the followers when it begins; raises ``Problem`` when there is none."""

    media_type = "text/event-stream"

    def __init__(self, gateway: Gateway, key: str, after: JournalSeq, kinds: frozenset[str]) -> None:
        self._feed = gateway.feed
        self._key = key
        self._pieces = pieces(gateway.feed.follow(after, beat_ms=BEAT_MS), after, kinds)
        super().__init__(self._pieces, headers={"X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        try:
            with self._feed.place(self._key):
                async with aclosing(self._pieces):
                    await super().stream_response(send)
        except FeedFull as error:
            full = "as many streams as may be are open"
            raise Problem(Slug.TOO_MANY_REQUESTS, full, retry_after_s=RETRY_FULL_S) from error


async def pieces(
    pages: AsyncGenerator[tuple[FedRow, ...], None], after: JournalSeq, kinds: frozenset[str]
) -> AsyncGenerator[str, None]:
    """Pages as server-sent events (WHATWG HTML section 9.2). Every piece ends with an id, also where no
    row was wanted, so that a client that comes again is not sent over what it has passed. Where the
    journal cannot be read the stream ends, and its client comes again."""
    yield f"retry: {RETRY_MS}\n\n"
    async with aclosing(pages):
        try:
            async for page in pages:
                after = page[-1].seq if page else after
                wanted = [row for row in page if not kinds or row.kind in kinds]
                text = "".join(f"id: {row.seq}\ndata: {row.text}\n\n" for row in wanted)
                if not wanted or wanted[-1].seq != after:
                    text += f'event: beat\nid: {after}\ndata: {{"seq":{after}}}\n\n'
                yield text
        except OSError:
            return
