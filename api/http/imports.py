"""CSV in: every cell is checked first, all that is wrong is told at once, and all of it is stored or none."""

import hashlib
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from api.bulk import BulkTurns, pieces
from api.csv_cells import CellError, Column, CsvUnreadable, Row, Words, decoded, rows_of
from api.http import order_rows, plan_rows
from api.http.answers import ImportAnswer, TakenAnswer, taken_response
from api.http.auth import Caller
from api.http.deps import CallerDep, GatewayDep, IdPath, KeyDep, message_of
from api.http.examples import ORDERS_CSV, PLAN_CSV
from api.http.mapping import order_of, plan_of
from api.http.openapi import csv_body
from api.http.problems import Problem, Slug
from api.http.schemas import VERSION_MAX, PlanIn
from api.intake import OrderPut, Outcome, Taken

ERRORS_MAX: Final = 200
"""Cells listed in one answer; ``wrong`` counts them all."""
READ_AT_ONCE: Final = 500
"""Rows split between two looks at other requests: about 1 ms."""
NOTHING: Final = Words(en="there is no row below the heading", zh="列名之下没有数据行")

router = APIRouter(prefix="/v1", tags=["import"])


@router.post(
    "/orders:import",
    responses={200: {"model": ImportAnswer}},
    openapi_extra=csv_body(order_rows.COLUMNS, ORDERS_CSV),
)
async def import_orders(
    request: Request, gateway: GatewayDep, caller: CallerDep, key: KeyDep
) -> JSONResponse:
    """Up to 1,000 orders as CSV, one row a line of goods. Sent again, the same file changes nothing."""
    raw = await _csv(request)
    name = key or "csv-" + hashlib.sha256(raw).hexdigest()[:24]
    puts: list[OrderPut] = []
    async with gateway.bulk_turns:
        rows, errors = await _rows(raw, order_rows.COLUMNS, gateway.bulk_turns)
        orders, more = order_rows.grouped(rows)
        errors += more
        for piece in pieces(orders):
            for index, order in piece:
                made = _order_put(order, f"{name[:56]}:{index}", caller)
                if isinstance(made, OrderPut):
                    puts.append(made)
                else:
                    errors += made
            await gateway.bulk_turns.give_way()
    _refuse(errors)
    answers = await gateway.write(lambda intake: intake.put_all_orders(puts))
    _refuse([error for order, answer in zip(orders, answers, strict=True) for error in _unfit(order, answer)])
    stored = sum(answer.outcome is Outcome.STORED for answer in answers)
    return JSONResponse(
        {"rows": len(rows), "orders": len(orders), "stored": stored, "unchanged": len(orders) - stored}
    )


@router.post(
    "/plans/{plan_id}/import",
    responses={200: {"model": TakenAnswer}},
    openapi_extra=csv_body(plan_rows.COLUMNS, PLAN_CSV),
)
async def import_plan(
    plan_id: IdPath,
    version: Annotated[int, Query(ge=1, le=VERSION_MAX)],
    request: Request,
    gateway: GatewayDep,
    caller: CallerDep,
    key: KeyDep,
) -> JSONResponse:
    """A version of a sort plan as CSV, one row a rule; it sorts nothing until it is activated."""
    raw = await _csv(request)
    async with gateway.bulk_turns:
        rows, errors = await _rows(raw, plan_rows.COLUMNS, gateway.bulk_turns)
    rules, spots, more = plan_rows.checked_rules(rows, gateway.chute_kinds)
    errors += more
    if not rules and not errors:
        errors.append(CellError(row=2, column="rule", value="", do=plan_rows.RULE.do))
    _refuse(errors)
    digest = hashlib.sha256(raw).hexdigest()
    body = PlanIn(
        message_id=key or f"csv-{digest[:24]}-{version}"[:64],
        plan_id=plan_id,
        version=version,
        rules=[rule.model_dump() for rule in rules],
    )
    plan = plan_of(body, rules, spots)
    message = message_of(body.message_id, "import_plan", f"{plan_id} {version}", digest, caller)
    answer = await gateway.write(lambda intake: intake.put_plan(message, plan))
    return taken_response(answer, unknown=Slug.PLAN_UNKNOWN)


async def _csv(request: Request) -> bytes:
    """The body. Raises ``Problem``: 415; the guards' own bounds hold."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "text/csv":
        raise Problem(Slug.MEDIA_TYPE, "text/csv")
    return await request.body()


async def _rows(
    raw: bytes, columns: tuple[Column, ...], turns: BulkTurns
) -> tuple[list[Row], list[CellError]]:
    """All rows that can be read, and what is wrong with the others, in pieces. Raises ``Problem``."""
    rows: list[Row] = []
    errors: list[CellError] = []
    try:
        reading = rows_of(decoded(raw), columns)
        while piece := list(islice(reading, READ_AT_ONCE)):
            rows += [row for row in piece if isinstance(row, Row)]
            errors += [row for row in piece if isinstance(row, CellError)]
            await turns.give_way()
    except CsvUnreadable as error:
        raise _problem([*errors, *error.errors]) from error
    if not rows and not errors:
        raise _problem([CellError(row=2, column="", value="", do=NOTHING)])
    return rows, errors


def _refuse(errors: list[CellError]) -> None:
    """Raises ``Problem`` when there is one."""
    if errors:
        raise _problem(errors)


def _problem(errors: list[CellError]) -> Problem:
    ordered = sorted(errors, key=lambda error: error.row)
    return Problem(Slug.CSV_INVALID, cells=tuple(ordered[:ERRORS_MAX]), more={"wrong": len(errors)})


def _order_put(rows: order_rows.OrderRows, message_id: str, caller: Caller) -> OrderPut | list[CellError]:
    made = order_rows.checked_order(rows, message_id)
    if isinstance(made, list):
        return made
    asked, body = made
    message = message_of(message_id, "put_order", body.order_no, asked, caller)
    return OrderPut(message=message, order=order_of(body))


def _unfit(rows: order_rows.OrderRows, answer: Taken) -> list[CellError]:
    """What stood in the way of an order that was well-formed."""
    match answer.outcome:
        case Outcome.STORED | Outcome.UNCHANGED:
            return []
        case Outcome.STALE_VERSION:
            do = Words(
                en=f"version {answer.version} stands with other content: write a higher one",
                zh=f"版本 {answer.version} 已存在且内容不同：请填更高的版本",
            )
            return [rows.first.error("version", do)]
        case Outcome.WAYBILL_TAKEN:
            do = Words(
                en="the waybill belongs to another order: cancel that one first, or correct it",
                zh="该运单号属于其他订单：请先取消该订单或更正",
            )
            return [rows.first.error("waybill_no", do)]
        case _:
            do = Words(
                en="this Idempotency-Key came before with another file: take a new one",
                zh="该 Idempotency-Key 已用于其他文件：请换新值",
            )
            return [rows.first.error("order_no", do)]
