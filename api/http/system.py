"""Health and metrics."""

from typing import Final

from fastapi import APIRouter
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from api.http.answers import HealthAnswer
from api.http.deps import GatewayDep
from api.http.examples import LINE_METRICS, METRICS
from api.http.openapi import text_answer
from api.http.problems import Problem, Slug
from api.line_process import LineSilent

open_router = APIRouter(tags=["system"])
router = APIRouter(tags=["system"])

TEXT: Final = "text/plain"
"""Prometheus' exposition format."""


@open_router.get("/health", responses={200: {"model": HealthAnswer}})
async def health(gateway: GatewayDep) -> JSONResponse:
    """200 while messages can be taken; no key is needed, nothing is told."""
    if not gateway.writer.alive:
        raise Problem(Slug.STORE_UNAVAILABLE)
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_class=Response, responses=text_answer(TEXT, METRICS))
async def metrics(gateway: GatewayDep) -> Response:
    """The gateway's own, in the exposition format."""
    return Response(gateway.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/metrics/line", response_class=Response, responses=text_answer(TEXT, LINE_METRICS))
async def line_metrics(gateway: GatewayDep) -> Response:
    """The line process's, fetched from its Unix socket; 503 ``line_down`` when it does not answer."""
    try:
        said = await gateway.process.metrics(gateway.settings.line_metrics_ms)
    except LineSilent as error:
        raise Problem(Slug.LINE_DOWN, retry_after_s=1) from error
    return Response(said.body, headers={"Content-Type": said.content_type})
