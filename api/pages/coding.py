"""The coding station: a parcel that no reader could read, its picture, and a person who keys its code."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.gateway import Gateway
from api.http.coding import take_code
from api.http.deps import CallerDep, GatewayDep, ReaderPath, TrackPath
from api.http.pictures import picture_of
from api.http.standing import process_word
from api.moments import moment
from api.pages.following import After, LastEventId, follow
from api.pages.now import words_of
from api.pages.render import from_our_page, language_of, page
from api.pages.texts import Language
from edge.model.pictures import NoReadCause, PictureNote
from edge.model.verdict import ParcelState, Reason
from edge.store.journal_types import CodingRow
from line_config.reading import cause_texts, reading_texts

FOLLOWED: Final = frozenset({"Identified", "ChoiceChanged", "KeyedCodeTaken", "Decided", "Exited", "Missing"})
"""Rows that change who waits, and whether there is time left."""
SHOWN: Final = 40
"""More than a person works off while they are on the belt; older ones come up as these go."""

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/coding")
async def coding(request: Request, gateway: GatewayDep) -> Response:
    """The station."""
    return page(request, "coding.html", line=gateway.line)


@router.get("/coding/now", response_class=JSONResponse)
async def coding_now(request: Request, gateway: GatewayDep) -> JSONResponse:
    """All that the station shows, as of row ``seq``."""
    return JSONResponse(await _now(gateway, language_of(request)))


@router.get("/coding/stream", response_class=Response)
async def coding_events(
    gateway: GatewayDep, caller: CallerDep, after: After = 0, last_event_id: LastEventId = ""
) -> Response:
    """What moves on it, behind ``after`` or the last event that was seen."""
    return await follow(gateway, caller, after, last_event_id, FOLLOWED)


@router.get("/coding/picture/{track}/{reader}", response_class=Response)
async def coding_picture(track: TrackPath, reader: ReaderPath, gateway: GatewayDep) -> Response:
    """As ``/v1/tracks/{track}/pictures/{reader}``, for our own page."""
    return await picture_of(gateway, track, reader)


@router.post("/coding/{track}", response_class=JSONResponse)
async def coding_keyed(
    track: TrackPath, request: Request, gateway: GatewayDep, caller: CallerDep
) -> JSONResponse:
    """As ``POST /v1/coding/{track}``, for our own page."""
    from_our_page(request)
    return await take_code(gateway, request, track, caller, "")


async def _now(gateway: Gateway, language: Language) -> dict[str, Any]:
    seq = await gateway.recorded(gateway.feed.last())
    waiting, ready = await gateway.recorded(gateway.record.to_code(SHOWN))
    pictures = await gateway.pictures.of(waiting)
    process = process_word(await gateway.process.now())
    causes = cause_texts(language)
    _, _, outcomes = reading_texts(language)
    return {
        "seq": seq,
        "process": process,
        "waiting": [
            _waiting(gateway, row, language)
            | {"pictures": [_picture(one, causes) for one in notes if _only_unread(row)]}
            for row, notes in zip(waiting, pictures, strict=True)
        ],
        "ready": [
            {"track": row.track, "code": row.waybill, "by": row.coded_by, "at": moment(row.coded_utc_us)}
            for row in ready
        ],
        "outcomes": {outcome.value: text for outcome, text in outcomes.items()},
    }


def _picture(note: PictureNote, causes: Mapping[NoReadCause, str]) -> dict[str, str]:
    return {"reader": note.reader, "text": causes[note.cause]}


def _only_unread(row: CodingRow) -> bool:
    """Nothing else is wrong with it: one whose place came into doubt could have its neighbour's picture."""
    return row.decided_reason in (None, Reason.NO_READ.value)


def _waiting(gateway: Gateway, row: CodingRow, language: Language) -> dict[str, Any]:
    reason = row.exit_reason or ""
    return {
        "track": row.track,
        "since": moment(row.since_utc_us),
        "length_mm": row.length_mm,
        "in_time": row.state == ParcelState.TRACKED.value,
        "on_belt": row.exit_reason is None,
        "chute": row.chute or "",
        "reason": words_of(gateway.reasons, reason, language).text if reason else "",
    }
