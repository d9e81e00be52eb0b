"""Health and metrics."""

import asyncio

import httpx2
from fastapi import APIRouter
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from api.http.deps import GatewayDep
from api.http.problems import Problem, Slug
from api.settings import GatewaySettings
from edge.store.places import unix_name

open_router = APIRouter(tags=["system"])
router = APIRouter(tags=["system"])


@open_router.get("/health")
async def health(gateway: GatewayDep) -> JSONResponse:
    """200 while messages can be taken; no key is needed, nothing is told."""
    if not gateway.writer.alive:
        raise Problem(Slug.STORE_UNAVAILABLE)
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
async def metrics(gateway: GatewayDep) -> Response:
    """The gateway's own, in the exposition format."""
    return Response(gateway.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/metrics/line")
async def line_metrics(gateway: GatewayDep) -> Response:
    """The line process's, fetched from its Unix socket; 503 ``line_down`` when it does not answer."""
    try:
        async with asyncio.timeout(gateway.settings.line_metrics_ms / 1000):
            with unix_name(gateway.places.line_metrics) as name:
                return await _fetched(name, gateway.settings)
    except (httpx2.HTTPError, OSError, TimeoutError) as error:
        raise Problem(Slug.LINE_DOWN, retry_after_s=1) from error


async def _fetched(socket_name: str, settings: GatewaySettings) -> Response:
    transport = httpx2.AsyncHTTPTransport(uds=socket_name)
    text = bytearray()
    async with (
        httpx2.AsyncClient(transport=transport, trust_env=False) as client,
        client.stream("GET", "http://line/metrics") as answer,
    ):
        answer.raise_for_status()
        async for chunk in answer.aiter_raw():
            text += chunk
            if len(text) > settings.line_metrics_max_bytes:
                raise Problem(Slug.LINE_DOWN, "its metrics are too long")
        content_type = answer.headers.get("content-type", CONTENT_TYPE_LATEST)
    return Response(bytes(text), headers={"Content-Type": content_type})
