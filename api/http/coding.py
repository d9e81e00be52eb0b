"""Manual coding: parcels that no reader could read wait here for a person who reads their picture."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.gateway import Gateway
from api.http.answers import TakenAnswer, taken_response
from api.http.auth import Caller
from api.http.bodies import checked, keyed, read_json
from api.http.coding_answers import CodingAnswer
from api.http.deps import CallerDep, GatewayDep, KeyDep, LimitQuery, TrackPath, message_of
from api.http.openapi import body_of
from api.http.problems import Problem, Slug
from api.http.schemas import CodingIn
from api.moments import moment
from api.settings import MESSAGE_MAX_BYTES
from edge.model.ids import TrackId, Waybill

router = APIRouter(prefix="/v1", tags=["coding"])


@router.get("/coding", responses={200: {"model": CodingAnswer}})
async def get_coding(gateway: GatewayDep, limit: LimitQuery = 100) -> JSONResponse:
    """Who waits for a code, and the codes that came too late and are ready for a parcel's next round."""
    waiting, ready = await gateway.recorded(gateway.record.to_code(limit))
    return JSONResponse(
        {
            "waiting": [
                {
                    "track": row.track,
                    "since": moment(row.since_utc_us),
                    "length_mm": row.length_mm,
                    "picture": row.track,
                    "on_belt": row.exit_reason is None,
                    "chute": row.chute,
                    "exit_reason": row.exit_reason,
                    "codes": [
                        {"text": text, "symbology": symbology, "standing": standing}
                        for text, symbology, standing in row.codes
                    ],
                }
                for row in waiting
            ],
            "ready": [
                {
                    "track": row.track,
                    "code": row.waybill,
                    "length_mm": row.length_mm,
                    "picture": row.track,
                    "by": row.coded_by,
                    "at": moment(row.coded_utc_us),
                }
                for row in ready
            ],
        }
    )


@router.post("/coding/{track}", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(CodingIn))
async def key_code(
    track: TrackPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """On record with who keyed it, and when; whether it came in time, the log says (``KeyedCodeTaken``)."""
    return await take_code(gateway, request, track, caller, key)


async def take_code(gateway: Gateway, request: Request, track: int, caller: Caller, key: str) -> JSONResponse:
    """``key``: an ``Idempotency-Key``, or empty. Raises ``Problem``."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(CodingIn, asked)
    if not await gateway.recorded(gateway.record.knows_track(TrackId(track))):
        raise Problem(Slug.PARCEL_UNKNOWN)
    message = message_of(body.message_id, "coding", str(track), asked, caller)
    return taken_response(
        await gateway.write(
            lambda intake: intake.key_code(message, TrackId(track), Waybill(body.code), body.again, caller.id)
        )
    )
