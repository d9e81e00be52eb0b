"""Where the record goes, how far each target is, and what was refused there."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse

from api.http.answers import DeadLettersAnswer, RelayAnswer, SentAgainAnswer
from api.http.bodies import checked, keyed, read_json
from api.http.deps import CallerDep, GatewayDep, KeyDep, LimitQuery
from api.http.openapi import body_of
from api.http.problems import Problem, Slug
from api.http.schemas import MessageOnly
from api.moments import moment
from api.settings import MESSAGE_MAX_BYTES

_log = structlog.get_logger("gateway")

router = APIRouter(prefix="/v1/relay", tags=["relay"])

LetterPath = Annotated[int, Path(ge=1, le=2**53)]
AfterQuery = Annotated[int, Query(ge=0, le=2**53, description="Those after this one's id.")]


@router.get("", responses={200: {"model": RelayAnswer}})
async def get_relay(gateway: GatewayDep) -> JSONResponse:
    """Every target of the line's description; none: nothing is relayed."""
    targets = await gateway.recorded(gateway.relay.now())
    return JSONResponse(
        {
            "targets": [
                {
                    "target": one.name,
                    "kind": one.kind,
                    "up": one.up,
                    "why": one.why,
                    "seq": one.seen,
                    "lag_rows": one.lag_rows,
                    "dead_letters": one.dead_letters,
                }
                for one in targets
            ]
        }
    )


@router.get("/dead-letters", responses={200: {"model": DeadLettersAnswer}})
async def get_dead_letters(
    gateway: GatewayDep, after: AfterQuery = 0, limit: LimitQuery = 100
) -> JSONResponse:
    """Messages that a webhook refused, oldest first. Each is sent again by itself for three days."""
    letters = await gateway.recorded(gateway.relay.dead_letters(after, limit))
    return JSONResponse(
        {
            "dead_letters": [
                {
                    "id": one.id,
                    "target": one.target,
                    "seq": one.seq,
                    "message_id": one.message_id,
                    "kind": one.kind,
                    "tries": one.tries,
                    "why": one.why,
                    "tried_at": moment(one.tried_utc_us),
                    "next_try_at": moment(one.due_utc_us),
                    "wanted": one.wanted,
                }
                for one in letters
            ],
            "next": letters[-1].id if letters else after,
        }
    )


@router.post(
    "/dead-letters/{letter}/resend",
    responses={200: {"model": SentAgainAnswer}},
    openapi_extra=body_of(MessageOnly),
)
async def resend(
    letter: LetterPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """It is sent once more, out of turn; taken, it is gone from the list. The same again changes nothing."""
    body = checked(MessageOnly, keyed(await read_json(request, MESSAGE_MAX_BYTES), key))
    _log.info("dead_letter_wanted", letter=letter, by=caller.id, message_id=body.message_id)
    if not await gateway.recorded(gateway.relay.send_again(letter)):
        raise Problem(Slug.NOT_FOUND)
    return JSONResponse({"id": letter, "wanted": True})
