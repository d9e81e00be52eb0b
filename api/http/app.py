"""The app: routers, one problem body for every error, guards outermost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.gateway import Gateway
from api.http import (
    changes,
    coding,
    events,
    exports,
    goods,
    imports,
    line,
    orders,
    parcels,
    pictures,
    plans,
    relay,
    system,
)
from api.http.deps import authorised
from api.http.field_texts import told_errors
from api.http.guards import Guards
from api.http.openapi import describe
from api.http.problems import Problem, Slug
from api.pages import coding as coding_page
from api.pages import routes
from api.relay.desk import NOWHERE, RelayTo
from api.settings import GatewaySettings
from edge.model.topology import Topology
from edge.store.places import Places
from line_config.reasons import ReasonEntry

_BY_STATUS: Final = {
    400: Slug.REQUEST_MALFORMED,
    404: Slug.NOT_FOUND,
    405: Slug.METHOD_NOT_ALLOWED,
    413: Slug.BODY_TOO_LARGE,
    415: Slug.MEDIA_TYPE,
}


class GatewayApp:
    """ASGI. Whoever serves it opens ``gateway`` before the first request and closes it after the last."""

    def __init__(self, inner: FastAPI, gateway: Gateway) -> None:
        self.inner = inner
        self.gateway = gateway
        self._guarded: ASGIApp = Guards(
            inner, keys=lambda: gateway.keys, settings=gateway.settings, metrics=gateway.metrics
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)


def create_app(
    settings: GatewaySettings,
    line_topology: Topology,
    data_dir: Path,
    relay_to: RelayTo = NOWHERE,
    reasons: Sequence[ReasonEntry] = (),
) -> GatewayApp:
    """The gateway of one line with its state under ``data_dir`` (which exists); nothing is
    opened yet. ``reasons``: their words for the pages."""
    gateway = Gateway(settings, line_topology, Places(data_dir), relay_to, reasons)
    app = FastAPIOffline(
        redoc_url=None,
        title="Beltkeeper gateway",
        version="1",
        description="Orders in, cancels answered truthfully. See docs/api.md.",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.gateway = gateway
    app.include_router(system.open_router)
    for part in (
        routes,
        coding_page,
        orders,
        goods,
        plans,
        imports,
        line,
        coding,
        parcels,
        pictures,
        exports,
        events,
        changes,
        relay,
        system,
    ):
        app.include_router(part.router, dependencies=[Depends(authorised)])
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _ours)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return GatewayApp(app, gateway)


def _operation_id(route: APIRoute) -> str:
    """What generated clients call it."""
    return route.name


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Path parameters; bodies are read by the routes themselves."""
    assert isinstance(error, RequestValidationError)
    return Problem(Slug.FIELDS_INVALID, errors=told_errors(error.errors())).response(request.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug = _BY_STATUS.get(error.status_code, Slug.INTERNAL)
    return Problem(slug, headers=dict(error.headers or {})).response(request.headers)


async def _ours(request: Request, error: Exception) -> Response:
    """Answered here; it goes on to the guards, which log it."""
    return Problem(Slug.INTERNAL).response(request.headers)
