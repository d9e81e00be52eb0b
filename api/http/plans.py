"""Sort plans: put a version, activate one."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.answers import TakenAnswer, taken_response
from api.http.bodies import bulk_json, checked, checked_all, keyed, read_json
from api.http.deps import CallerDep, GatewayDep, IdPath, KeyDep, message_of
from api.http.mapping import plan_of
from api.http.openapi import body_of
from api.http.problems import Problem, Slug
from api.http.schemas import BlindSpotIn, PlanActivation, PlanIn, RuleIn
from api.settings import MESSAGE_MAX_BYTES
from edge.model.ids import PlanId

router = APIRouter(prefix="/v1", tags=["plans"])


@router.put("/plans/{plan_id}", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(PlanIn))
async def put_plan(
    plan_id: IdPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Store a version of a plan; it sorts nothing until it is activated."""
    async with bulk_json(request, gateway.bulk_turns) as sent:
        asked = keyed(sent, key)
        body = checked(PlanIn, asked)
        if body.plan_id != plan_id:
            raise Problem(Slug.PATH_DISAGREES, f"path {plan_id}, body {body.plan_id}")
        rules = await checked_all(RuleIn, body.rules, gateway.bulk_turns, at=("rules",))
        blind_spots = await checked_all(
            BlindSpotIn, body.blind_spots, gateway.bulk_turns, at=("blind_spots",)
        )
    plan = plan_of(body, rules, blind_spots)
    message = message_of(body.message_id, "put_plan", plan_id, asked, caller)
    answer = await gateway.write(lambda intake: intake.put_plan(message, plan))
    return taken_response(answer, unknown=Slug.PLAN_UNKNOWN)


@router.post(
    "/plans/{plan_id}/activate",
    responses={200: {"model": TakenAnswer}},
    openapi_extra=body_of(PlanActivation),
)
async def activate_plan(
    plan_id: IdPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """From here on it decides every parcel that is not yet decided."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(PlanActivation, asked)
    message = message_of(body.message_id, "activate_plan", plan_id, asked, caller)
    answer = await gateway.write(lambda intake: intake.activate_plan(message, PlanId(plan_id), body.version))
    return taken_response(answer, unknown=Slug.PLAN_UNKNOWN)
