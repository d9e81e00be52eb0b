"""What an operator may tell the line. Nobody can ship an unverified parcel from here."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.answers import TakenAnswer, taken_response
from api.http.bodies import checked, read_json
from api.http.deps import CallerDep, GatewayDep, message_of
from api.http.openapi import body_of
from api.http.schemas import LineCommandIn
from api.settings import MESSAGE_MAX_BYTES
from edge.model.line import OperatorAction

router = APIRouter(prefix="/v1", tags=["line"])


@router.post("/line/commands", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(LineCommandIn))
async def command_line(request: Request, gateway: GatewayDep, caller: CallerDep) -> JSONResponse:
    """Absolute and idempotent: the answer says that it is on record, the journal what came of it."""
    asked = await read_json(request, MESSAGE_MAX_BYTES)
    body = checked(LineCommandIn, asked)
    action = OperatorAction(body.action)
    message = message_of(body.message_id, "operator", caller.id, asked)
    return taken_response(
        await gateway.write(lambda intake: intake.operate(message, action, body.subject, caller.id))
    )
