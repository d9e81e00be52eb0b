"""The line as it stands, and what an operator may tell it. Nobody can ship an unverified parcel from here."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.answers import (
    AlarmsAnswer,
    ChutesAnswer,
    DevicesAnswer,
    LineAnswer,
    TakenAnswer,
    taken_response,
)
from api.http.bodies import checked, keyed, read_json
from api.http.deps import CallerDep, GatewayDep, KeyDep, message_of
from api.http.openapi import body_of
from api.http.schemas import LineCommandIn
from api.http.standing import alarm_body, chute_body, device_body, devices_of, process_word
from api.moments import moment
from api.settings import MESSAGE_MAX_BYTES
from edge.model.line import OperatorAction

router = APIRouter(prefix="/v1", tags=["line"])


@router.get("/line", responses={200: {"model": LineAnswer}})
async def get_line(gateway: GatewayDep) -> JSONResponse:
    """State, permit of induction, plan in force, and whether the line process lives."""
    now = await gateway.recorded(gateway.record.now())
    said = await gateway.process.now()
    line = now.line
    plan = None if line is None or not line.plan else {"plan_id": line.plan, "version": line.plan_version}
    return JSONResponse(
        {
            "line": gateway.line.line_id,
            "process": process_word(said),
            "state": "" if line is None else line.state,
            "why": "" if line is None else line.why,
            "since": None if line is None else moment(line.since_utc_us),
            "induction": {
                "permitted": line is not None and line.permitted,
                "why": "" if line is None else line.permit_why,
            },
            "plan": plan,
            "on_belt": now.on_belt,
            "alarms": len(now.alarms),
            "seq": now.seq,
        }
    )


@router.get("/line/chutes", responses={200: {"model": ChutesAnswer}})
async def get_chutes(gateway: GatewayDep) -> JSONResponse:
    """Every chute of the line, in its order."""
    known = {row.chute: row for row in (await gateway.recorded(gateway.record.now())).chutes}
    return JSONResponse({"chutes": [chute_body(chute, known.get(chute.id)) for chute in gateway.line.chutes]})


@router.get("/line/devices", responses={200: {"model": DevicesAnswer}})
async def get_devices(gateway: GatewayDep) -> JSONResponse:
    """Every device of the line: whether its link is up, and how old its last word is."""
    known = {row.device: row for row in (await gateway.recorded(gateway.record.now())).devices}
    said = await gateway.process.now()
    devices = [
        device_body(device, kind, known.get(device), said)
        for device, kind in devices_of(gateway.line).items()
    ]
    return JSONResponse({"process": process_word(said), "devices": devices})


@router.get("/line/alarms", responses={200: {"model": AlarmsAnswer}})
async def get_alarms(gateway: GatewayDep) -> JSONResponse:
    """Those that stand, oldest first; those of the past are in the log."""
    alarms = (await gateway.recorded(gateway.record.now())).alarms
    return JSONResponse({"alarms": [alarm_body(alarm) for alarm in alarms]})


@router.post("/line/commands", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(LineCommandIn))
async def command_line(request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep) -> JSONResponse:
    """Absolute and idempotent: the answer says that it is on record, the journal what came of it."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(LineCommandIn, asked)
    action = OperatorAction(body.action)
    message = message_of(body.message_id, "operator", caller.id, asked, caller)
    return taken_response(
        await gateway.write(lambda intake: intake.operate(message, action, body.subject, caller.id))
    )
