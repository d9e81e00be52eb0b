"""Orders: put, batch, get, cancel, hold, release."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.bulk import pieces
from api.gateway import Gateway
from api.http.answers import (
    REPLAYED,
    BatchAnswer,
    CancelAnswer,
    OrderAnswer,
    TakenAnswer,
    cancel_body,
    pending_body,
    problem_of,
    taken_response,
)
from api.http.auth import Caller
from api.http.bodies import batch_json, checked, keyed, read_json
from api.http.deps import CallerDep, GatewayDep, KeyDep, MessageIdPath, OrderNoPath, message_of
from api.http.mapping import order_body, order_of, review_body
from api.http.openapi import body_of
from api.http.problems import Problem, Slug, negotiated_language
from api.http.schemas import MessageOnly, OrderBatch, OrderIn
from api.intake import IntakeAnswer, OrderPut, Taken
from api.settings import MESSAGE_MAX_BYTES, ORDER_MAX_BYTES
from edge.model.ids import MessageId, OrderNo
from edge.model.order import CancelOutcome
from edge.store.journal_types import CancelAnswerRow

RETRY_PENDING_S = 1

router = APIRouter(prefix="/v1", tags=["orders"])


@router.put("/orders/{order_no}", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(OrderIn))
async def put_order(
    order_no: OrderNoPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Store an order, or a newer version of it. Idempotent by message id and version."""
    asked = keyed(await read_json(request, ORDER_MAX_BYTES), key)
    put = _order_put(asked, caller)
    if put.order.order_no != order_no:
        raise Problem(Slug.PATH_DISAGREES, f"path {order_no}, body {put.order.order_no}")
    return taken_response((await gateway.put_orders((put,)))[0])


@router.post("/orders:batch", responses={200: {"model": BatchAnswer}}, openapi_extra=body_of(OrderBatch))
async def put_orders(request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep) -> JSONResponse:
    """Up to 1,000 orders, each with a message id and an answer of its own; a wrong one stops no other."""
    language = negotiated_language(request.headers.get("accept-language", ""))
    outcomes: list[OrderPut | Problem] = []
    async with batch_json(request, gateway.bulk_turns, "orders") as asked:
        batch = checked(OrderBatch, asked)
        for piece in pieces(batch.orders):
            outcomes += [_tried(_item_keyed(one, key, n), caller, n) for n, one in piece]
            await gateway.bulk_turns.give_way()
    answers = iter(await gateway.put_orders([put for put in outcomes if isinstance(put, OrderPut)]))
    results = [
        _item(n, asked, outcome if isinstance(outcome, Problem) else next(answers), language)
        for n, (asked, outcome) in enumerate(zip(batch.orders, outcomes, strict=True))
    ]
    counts = {
        word: sum(result["outcome"] == word for result in results)
        for word in ("stored", "unchanged", "refused")
    }
    return JSONResponse({**counts, "results": results})


@router.get("/orders/{order_no}", responses={200: {"model": OrderAnswer}})
async def get_order(order_no: OrderNoPath, gateway: GatewayDep) -> JSONResponse:
    """The order as pushed, with its status and what its review at a bench came to (null: none has begun);
    what became of its parcel: /v1/parcels/{waybill}."""
    state = await gateway.read(lambda intake: intake.order(OrderNo(order_no)))
    if state is None:
        raise Problem(Slug.ORDER_UNKNOWN)
    review = await gateway.recorded(gateway.record.review(OrderNo(order_no)))
    body = order_body(state.order, state.status) | {"inbox_seq": state.inbox_seq}
    return JSONResponse(body | {"review": None if review is None else review_body(review)})


@router.post(
    "/orders/{order_no}/hold", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(MessageOnly)
)
async def hold_order(
    order_no: OrderNoPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Its parcel goes to the exception chute ``held`` until it is released."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(MessageOnly, asked)
    message = message_of(body.message_id, "hold", order_no, asked, caller)
    return taken_response(await gateway.write(lambda intake: intake.hold(message, OrderNo(order_no))))


@router.post(
    "/orders/{order_no}/release",
    responses={200: {"model": TakenAnswer}},
    openapi_extra=body_of(MessageOnly),
)
async def release_order(
    order_no: OrderNoPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Ends a hold."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(MessageOnly, asked)
    message = message_of(body.message_id, "release", order_no, asked, caller)
    return taken_response(await gateway.write(lambda intake: intake.release(message, OrderNo(order_no))))


@router.post(
    "/orders/{order_no}/cancel",
    responses={200: {"model": CancelAnswer}},
    openapi_extra=body_of(MessageOnly),
)
async def cancel_order(
    order_no: OrderNoPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """On record at once; answered by the line within 400 ms, or ``cancel_pending``."""
    asked = keyed(await read_json(request, MESSAGE_MAX_BYTES), key)
    body = checked(MessageOnly, asked)
    message = message_of(body.message_id, "cancel", order_no, asked, caller)
    with gateway.bulk_turns.ahead():
        taken = await gateway.write(lambda intake: intake.cancel(message, OrderNo(order_no)))
        problem = problem_of(taken)
        if problem is not None:
            raise problem
        answer = await gateway.cancels.answer(taken.inbox_seq, within_ms=gateway.settings.cancel_wait_ms)
    return _cancel_response(gateway, body.message_id, taken, answer)


@router.get("/cancels/{message_id}", tags=["orders"], responses={200: {"model": CancelAnswer}})
async def get_cancel(message_id: MessageIdPath, gateway: GatewayDep) -> JSONResponse:
    """The outcome of a cancel, or ``pending`` while the line has not said it."""
    cancel = await gateway.recorded(gateway.record.cancel(MessageId(message_id)))
    if cancel is None:
        raise Problem(Slug.CANCEL_UNKNOWN)
    if cancel.answer is not None:
        return JSONResponse(cancel_body(cancel.answer))
    return JSONResponse(pending_body(message_id, cancel.order_no, cancel.inbox_seq))


def _cancel_response(
    gateway: Gateway, message_id: str, taken: Taken, answer: CancelAnswerRow | None
) -> JSONResponse:
    outcome = CancelOutcome.PENDING if answer is None else answer.outcome
    gateway.metrics.cancel_answered(outcome)
    if answer is None or outcome is CancelOutcome.PENDING:
        location = f"/v1/cancels/{message_id}"
        raise Problem(
            Slug.CANCEL_PENDING,
            f"its outcome will stand at {location}",
            headers={"Location": location},
            retry_after_s=RETRY_PENDING_S,
            more={"inbox_seq": taken.inbox_seq},
        )
    return JSONResponse(cancel_body(answer), headers={REPLAYED: "true"} if taken.repeated else None)


def _order_put(asked: Any, caller: Caller, *, at: tuple[str | int, ...] = ()) -> OrderPut:
    body = checked(OrderIn, asked, at=at)
    message = message_of(body.message_id, "put_order", body.order_no, asked, caller)
    return OrderPut(message=message, order=order_of(body))


def _item_keyed(asked: Any, key: str, index: int) -> Any:
    """An order of a batch that has no message id of its own takes the batch's, and its place in it."""
    if not key or not isinstance(asked, dict) or "message_id" in asked:
        return asked
    return {**asked, "message_id": f"{key}:{index}"}


def _tried(asked: Any, caller: Caller, index: int) -> OrderPut | Problem:
    try:
        return _order_put(asked, caller, at=("orders", index))
    except Problem as problem:
        return problem


def _item(index: int, asked: Any, answer: IntakeAnswer | Problem, language: str) -> dict[str, Any]:
    named = asked.get("order_no") if isinstance(asked, dict) else None
    item: dict[str, Any] = {"index": index, "order_no": named[:64] if isinstance(named, str) else ""}
    problem = answer if isinstance(answer, Problem) else problem_of(answer)
    if problem is not None:
        return item | {"outcome": "refused", "problem": problem.body(language)}
    assert isinstance(answer, Taken)
    return item | {
        "outcome": answer.outcome.value,
        "inbox_seq": answer.inbox_seq,
        "version": answer.version,
    }
