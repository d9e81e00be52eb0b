"""Goods: barcodes, unit weights, bundle parts."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.answers import TakenAnswer, taken_response
from api.http.bodies import batch_json, checked, checked_all, keyed, read_json
from api.http.deps import CallerDep, GatewayDep, IdPath, KeyDep, message_of
from api.http.mapping import goods_of
from api.http.openapi import body_of
from api.http.problems import Problem, Slug
from api.http.schemas import GoodsBatch, GoodsIn, GoodsItem
from api.settings import ORDER_MAX_BYTES

router = APIRouter(prefix="/v1", tags=["goods"])


@router.put("/goods/{sku}", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(GoodsIn))
async def put_goods_item(
    sku: IdPath, request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Store one article, in place of what was known of it."""
    asked = keyed(await read_json(request, ORDER_MAX_BYTES), key)
    body = checked(GoodsIn, asked)
    if body.sku != sku:
        raise Problem(Slug.PATH_DISAGREES, f"path {sku}, body {body.sku}")
    goods = (goods_of(body),)
    message = message_of(body.message_id, "put_goods", sku, asked, caller)
    return taken_response(await gateway.write(lambda intake: intake.put_goods(message, goods)))


@router.post("/goods:batch", responses={200: {"model": TakenAnswer}}, openapi_extra=body_of(GoodsBatch))
async def put_goods(request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep) -> JSONResponse:
    """Up to 1,000 articles under one message id: all, or none."""
    async with batch_json(request, gateway.bulk_turns, "goods") as sent:
        asked = keyed(sent, key)
        batch = checked(GoodsBatch, asked)
        items = await checked_all(GoodsItem, batch.goods, gateway.bulk_turns, at=("goods",))
        goods = [goods_of(item) for item in items]
    message = message_of(batch.message_id, "put_goods", "", asked, caller)
    return taken_response(await gateway.write(lambda intake: intake.put_goods(message, goods)))
