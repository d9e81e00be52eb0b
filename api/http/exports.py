"""CSV out: a day's parcels as a Chinese Excel opens them, a page at a time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from api.csv_cells import BOM, Cell, Words, written
from api.gateway import Gateway
from api.http.deps import GatewayDep
from api.http.examples import PARCELS_CSV
from api.http.openapi import text_answer
from api.http.problems import Problem, Slug, negotiated_language
from api.http.schemas import CURSOR_MAX
from edge.model.ids import TrackId
from edge.store.journal_types import ParcelRow
from line_config.load import load_reasons

ROWS_MAX: Final = 200_000
"""Of one answer: 12,000 parcels an hour for 16 hours; some 40 MB."""
PAGE_ROWS: Final = 500
RETRY_AFTER_S: Final = 5

HEADINGS: Final = (
    Words(en="track", zh="跟踪号"),
    Words(en="waybill", zh="运单号"),
    Words(en="order_no", zh="订单号"),
    Words(en="customer_code", zh="客户代号"),
    Words(en="shop", zh="店铺"),
    Words(en="carrier", zh="快递"),
    Words(en="inducted_at", zh="上线时间"),
    Words(en="length_mm", zh="长度毫米"),
    Words(en="read_quality", zh="读码"),
    Words(en="weight_g", zh="重量克"),
    Words(en="expected_g", zh="预期重量克"),
    Words(en="weight_quality", zh="称重"),
    Words(en="decided_chute", zh="判定格口"),
    Words(en="rule", zh="规则"),
    Words(en="plan", zh="方案"),
    Words(en="plan_version", zh="方案版本"),
    Words(en="exited_at", zh="下线时间"),
    Words(en="chute", zh="实际格口"),
    Words(en="reason", zh="原因代码"),
    Words(en="reason_text", zh="原因"),
    Words(en="shipped", zh="已发出"),
    Words(en="mis_sorted", zh="错分"),
)
YES: Final = Words(en="yes", zh="是")
NO: Final = Words(en="no", zh="否")

router = APIRouter(prefix="/v1", tags=["parcels"])

DayQuery = Annotated[date, Query(description="A day of the site's calendar, as 2026-11-23.")]
AfterTrack = Annotated[
    int, Query(ge=0, le=CURSOR_MAX, description="Of a day's further part: see the header Link.")
]
LanguageQuery = Annotated[Literal["zh-CN", "en"] | None, Query(description="Else as Accept-Language says.")]


@router.get(
    "/parcels.csv",
    response_class=Response,
    responses=text_answer("text/csv", PARCELS_CSV),
)
async def export_parcels(
    request: Request,
    gateway: GatewayDep,
    day: DayQuery,
    after: AfterTrack = 0,
    lang: LanguageQuery = None,
) -> Response:
    """The parcels inducted on a day, each as it stands. No cell is taken for a formula, and a name that looks
    like a number or a date stays text (a tab behind it)."""
    language = lang or negotiated_language(request.headers.get("accept-language", ""))
    first, last = await gateway.recorded(gateway.record.tracks_of(f"{day:%Y%m%d}"))
    first = TrackId(max(first, after))
    name = f"parcels-{gateway.line.line_id}-{day:%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Language": language}
    if last - first > ROWS_MAX:
        last = TrackId(first + ROWS_MAX)
        headers["Link"] = f'</v1/parcels.csv?day={day:%Y-%m-%d}&after={last}&lang={language}>; rel="next"'
    if gateway.exporting.locked():
        raise Problem(Slug.TOO_MANY_REQUESTS, "other exports are at work", retry_after_s=RETRY_AFTER_S)
    lines = _lines(gateway, first, last, language)
    return _Export(gateway, lines, headers)


class _Export(StreamingResponse):
    """Holds one of the few places for exports while it is sent."""

    media_type = "text/csv"

    def __init__(self, gateway: Gateway, lines: AsyncGenerator[str, None], headers: dict[str, str]) -> None:
        super().__init__(lines, headers=headers)
        self._gateway = gateway
        self._lines = lines

    async def stream_response(self, send: Send) -> None:
        async with self._gateway.exporting, aclosing(self._lines):
            await super().stream_response(send)


async def _lines(gateway: Gateway, after: TrackId, upto: TrackId, language: str) -> AsyncGenerator[str, None]:
    zone = ZoneInfo(gateway.line.timezone)
    yield BOM + written([[heading.told_in(language) for heading in HEADINGS]])
    while page := await gateway.record.parcels_after(after, PAGE_ROWS, upto=upto):
        after = TrackId(page[-1].track)
        yield written([_row(row, zone, language) for row in page])


def _row(row: ParcelRow, zone: ZoneInfo, language: str) -> list[Cell]:
    reason = row.exit_reason or row.decided_reason
    return [
        row.track,
        row.waybill,
        row.order_no,
        row.customer_code,
        row.shop,
        row.carrier,
        _local(row.inducted_utc_us, zone),
        row.length_mm,
        row.read_quality,
        row.weight_g,
        row.expected_g,
        row.weight_quality,
        row.decided_chute,
        row.rule,
        row.plan,
        row.plan_version,
        _local(row.exited_utc_us, zone),
        row.actual_chute,
        reason,
        _reason_texts()[reason].told_in(language) if reason in _reason_texts() else "",
        (YES if row.shipped else NO).told_in(language),
        (YES if row.mis_sorted else NO).told_in(language),
    ]


@cache
def _reason_texts() -> dict[str | None, Words]:
    entries, _ = load_reasons()
    return {entry.reason.value: Words(en=entry.text.en, zh=entry.text.zh) for entry in entries}


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


def _local(utc_us: int | None, zone: ZoneInfo) -> datetime | None:
    """The site's own time."""
    if utc_us is None:
        return None
    return (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone)
