"""Pages for a browser. The key is HTTP Basic's password; what changes something asks whose page it was."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from api.http.answers import taken_response
from api.http.bodies import checked, read_json
from api.http.deps import CallerDep, GatewayDep, message_of
from api.http.schemas import CURSOR_MAX, AcknowledgeIn
from api.pages.following import After, LastEventId, follow
from api.pages.mimic import mimic_of, positions_mm
from api.pages.now import now_of, words_of
from api.pages.render import from_our_page, language_of, page, static
from api.pages.story import clock, steps_of
from api.pages.texts import TEXTS, Language
from api.settings import MESSAGE_MAX_BYTES
from edge.model.ids import OrderNo, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import OrderStatus
from edge.store.journal_types import ParcelRow
from line_config.record import record_words

FOLLOWED: Final = frozenset(
    {"EyePassed", "ParcelUnexpected", "TrackOpened", "Identified", "Decided", "Exited", "Missing"}
    | {
        "LineStateChanged",
        "InductionSwitched",
        "AlarmRaised",
        "AlarmCleared",
        "AlarmAcknowledged",
        "ChuteSwitched",
    }
    | {"StatusBitsChanged", "PlcAttached", "PlcDetached", "PlcRefused"}
)
"""Rows that move something on the page, the last of them by telling whether the belt runs."""
SEARCH_MAX: Final = 64

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
"""No part of the API: made for these pages, and changed with them."""

TrackPath = Annotated[int, Path(ge=1, le=CURSOR_MAX)]
Wanted = Annotated[str, Query()]
"""As long as a header may be; a longer one than a number is told so in words."""


@router.get("/")
async def live(request: Request, gateway: GatewayDep) -> Response:
    """The line, live."""
    return page(
        request,
        "live.html",
        line=gateway.line,
        mimic=mimic_of(gateway.line),
        positions=",".join(map(str, positions_mm(gateway.line))),
    )


@router.get("/live/now", response_class=JSONResponse)
async def live_now(request: Request, gateway: GatewayDep) -> JSONResponse:
    """All that the live page draws."""
    return JSONResponse(await now_of(gateway, gateway.reasons, language_of(request)))


@router.get("/live/stream", response_class=Response)
async def live_events(
    gateway: GatewayDep, caller: CallerDep, after: After = 0, last_event_id: LastEventId = ""
) -> Response:
    """What moves on it, behind ``after`` or the last event that was seen."""
    return await follow(gateway, caller, after, last_event_id, FOLLOWED)


@router.post("/live/acknowledge", response_class=JSONResponse)
async def acknowledge(request: Request, gateway: GatewayDep, caller: CallerDep) -> JSONResponse:
    """Somebody has seen an alarm. As ``acknowledge_alarm`` of ``/v1/line/commands``, for our own page."""
    from_our_page(request)
    asked = await read_json(request, MESSAGE_MAX_BYTES)
    body = checked(AcknowledgeIn, asked)
    message = message_of(body.message_id, "operator", caller.id, asked, caller)
    action = OperatorAction.ACKNOWLEDGE_ALARM
    return taken_response(
        await gateway.write(lambda intake: intake.operate(message, action, body.subject, caller.id))
    )


@router.get("/parcel/{track}")
async def parcel(track: TrackPath, request: Request, gateway: GatewayDep) -> Response:
    """One parcel's way: every step, time, value and rule."""
    found, rows = await gateway.recorded(gateway.record.story(TrackId(track)))
    if found is None:
        return _nothing(request, str(track))
    language = language_of(request)
    zone = ZoneInfo(gateway.line.timezone)
    reason = found.exit_reason or found.decided_reason or ""
    return page(
        request,
        "parcel.html",
        parcel=found,
        steps=steps_of(
            found,
            rows,
            zone,
            record_words(language),
            lambda code: words_of(gateway.reasons, code, language).text,
        ),
        words=words_of(gateway.reasons, reason, language),
        inducted=clock(found.inducted_utc_us, zone),
        ended=clock(found.exited_utc_us, zone),
    )


@router.get("/search")
async def search(request: Request, gateway: GatewayDep, q: Wanted = "") -> Response:
    """By waybill, else by order number, else by track number; one parcel is shown at once."""
    wanted = q.strip()
    if len(wanted) > SEARCH_MAX:
        text = TEXTS[language_of(request)]["too_long"].format(most=SEARCH_MAX, n=len(wanted))
        return page(request, "search.html", status=400, q=wanted[:SEARCH_MAX], rows=[], status_text=text)
    found, status = await _found(gateway, wanted)
    if len(found) == 1:
        return RedirectResponse(f"/parcel/{found[0].track}", status_code=303)
    if not found:
        return _nothing(request, wanted, status)
    zone = ZoneInfo(gateway.line.timezone)
    language = language_of(request)
    rows = [(row, clock(row.inducted_utc_us, zone), _end(gateway, row, language)) for row in found]
    return page(request, "search.html", q=wanted, rows=rows, status_text="")


@router.get("/static/{name}", response_class=Response)
async def static_file(name: Annotated[str, Path(max_length=32)]) -> Response:
    """Script and style of the pages."""
    return static(name)


async def _found(gateway: GatewayDep, wanted: str) -> tuple[tuple[ParcelRow, ...], OrderStatus | None]:
    """Parcels on record, and the status of an order that is known and was never on the belt."""
    if not wanted:
        return (), None
    found = await gateway.recorded(gateway.record.parcels(Waybill(wanted)))
    if found:
        return found, None
    order = await gateway.read(lambda intake: intake.order(OrderNo(wanted)))
    if order is not None:
        for one in order.order.parcels:
            found += await gateway.recorded(gateway.record.parcels(one.waybill_no))
        return found, order.status
    if wanted.isascii() and wanted.isdigit() and int(wanted) <= CURSOR_MAX:
        track, _ = await gateway.recorded(gateway.record.story(TrackId(int(wanted))))
        return (() if track is None else (track,)), None
    return (), None


def _end(gateway: GatewayDep, row: ParcelRow, language: Language) -> str:
    """In words; empty while it is on the belt."""
    return words_of(gateway.reasons, row.exit_reason, language).text if row.exit_reason else ""


def _nothing(request: Request, q: str, status: OrderStatus | None = None) -> Response:
    language = language_of(request)
    text = TEXTS[language]["nothing_found"].format(q=q)
    if status is not None:
        text = TEXTS[language]["order_there"].format(status=record_words(language).value(status))
    return page(request, "search.html", status=404, q=q, rows=[], status_text=text)
