"""Every route × every role, out of the one table; and no way in without a key."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.http.auth import GRANTS, OPEN_PATHS, REQUIRED, Permission, Role
from api.pages import coding
from api.pages import routes as pages
from tests.line.gateway_kit import Desk, open_desk, open_stream, order_json, slug_of

PATHS = {
    "{order_no}": "SO-1",
    "{message_id}": "m1",
    "{sku}": "A",
    "{plan_id}": "p1",
    "{waybill}": "73120000000001",
    "{track}": "1",
    "{name}": "live.js",
    "{reader}": "top",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


def example(template: str) -> str:
    for name, value in PATHS.items():
        template = template.replace(name, value)
    return template


def served(desk: Desk) -> Iterator[tuple[str, str]]:
    """What the app answers at all, documentation apart: found by asking it, not by reading the table."""
    document = desk.app.inner.openapi()
    for path, operations in document["paths"].items():
        for method in operations:
            yield method.upper(), path
    for route in (*pages.router.routes, *coding.router.routes):  # no part of the API, and of its document
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            yield method, route.path


async def test_the_table_names_every_route_and_nothing_else(data: Path) -> None:
    async with open_desk(data) as desk:
        assert {route for route in served(desk) if route[1] not in OPEN_PATHS} == set(REQUIRED)


async def test_role_by_route(data: Path) -> None:
    async with open_desk(data) as desk:
        for (method, template), permission in REQUIRED.items():
            for role, client in desk.clients.items():
                if permission in GRANTS[role]:
                    assert await admitted(desk, role, method, template), (role, method, template)
                else:
                    answer = await client.request(method, example(template), json={})
                    assert (answer.status_code, slug_of(answer)) == (403, "forbidden")


async def admitted(desk: Desk, role: Role, method: str, template: str) -> bool:
    if template.endswith("/stream"):
        async with open_stream(desk, role=role) as stream:
            return await stream.status() == 200
    ours = {"Sec-Fetch-Site": "same-origin"}  # as a browser says it on our own pages
    answer = await desk.clients[role].request(method, example(template), json={}, headers=ours)
    return answer.status_code not in (401, 403)


async def test_without_a_key_nothing_but_health(data: Path) -> None:
    async with open_desk(data) as desk:
        paths = [(method, example(template)) for method, template in REQUIRED]
        pages = [("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/static-offline-docs/swagger-ui.css")]
        for method, path in [*paths, *pages, ("GET", "/"), ("GET", "/nowhere"), ("GET", "/health/")]:
            answer = await desk.anonymous.request(method, path, json=order_json(1))
            assert (answer.status_code, slug_of(answer)) == (401, "unauthenticated"), path
            assert answer.headers["WWW-Authenticate"]
        health = await desk.anonymous.get("/health")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(f"any:{text}".encode()).decode()


async def test_forms_of_a_key(data: Path) -> None:
    async with open_desk(data) as desk:
        good = desk.erp.headers["Authorization"].removeprefix("Bearer ")
        orders, docs = "/v1/orders/SO-9", "/docs"
        for headers, path, status in (
            ({"X-API-Key": good}, orders, 404),
            ({"Authorization": f"bearer {good}"}, orders, 404),
            ({"Authorization": f"Bearer {good}x"}, orders, 401),
            ({"Authorization": f"Bearer {good[:-1]}"}, orders, 401),
            ({"Authorization": good}, orders, 401),
            ({"Authorization": "Bearer"}, orders, 401),
            ({"Authorization": "Bearer " + "k" * 5_000}, orders, 401),
            ({"X-API-Key": "\xe4\xf6\xfc"}, orders, 401),
            ({"X-API-Key": "wrong", "Authorization": f"Bearer {good}"}, orders, 401),
            ({"Authorization": basic(good)}, orders, 401),
            ({"Authorization": basic(good)}, docs, 200),
            ({"Authorization": basic("wrong")}, docs, 401),
            ({"Authorization": "Basic !!!"}, docs, 401),
            ({"Cookie": f"key={good}"}, orders, 401),
        ):
            encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
            answer = await desk.anonymous.get(path, headers=encoded)
            assert answer.status_code == status, headers
        assert (await desk.anonymous.get(orders, params={"key": good})).status_code == 401


async def test_a_route_that_the_table_forgets_is_nobodys(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(REQUIRED, ("GET", "/v1/orders/{order_no}"))
    async with open_desk(data) as desk:
        for client in desk.clients.values():
            assert (await client.get("/v1/orders/SO-1")).status_code == 403


async def test_the_documentation_needs_no_other_host(data: Path) -> None:
    async with open_desk(data) as desk:
        page = (await desk.erp.get("/docs")).text
        assert "http://" not in page
        assert "https://" not in page
        for asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
            assert f"/static-offline-docs/{asset}" in page
            assert (await desk.erp.get(f"/static-offline-docs/{asset}")).status_code == 200


async def test_the_description_points_at_nothing_that_is_missing(data: Path) -> None:
    async with open_desk(data) as desk:
        document = (await desk.erp.get("/openapi.json")).json()
        text = json.dumps(document)
        for name in set(re.findall(r'"#/components/schemas/(\w+)"', text)):
            assert name in document["components"]["schemas"], name
        assert text.count('"#/') == text.count('"#/components/schemas/')
        for operations in document["paths"].values():
            for method, operation in operations.items():
                assert ("requestBody" in operation) == (method in ("put", "post"))
                for status, answer in operation["responses"].items():
                    problem = "application/problem+json" in answer.get("content", {})
                    assert problem == (status != "200"), (operation["operationId"], status)


def test_nobody_may_ship_by_hand() -> None:
    assert not [permission for permission in Permission if "ship" in permission]
    assert set(GRANTS) == set(Role)


async def test_only_the_documentation_is_outside_the_table(data: Path) -> None:
    """Every other route is behind ``authorised``; these are behind a key alone."""
    async with open_desk(data) as desk:
        outside = {getattr(route, "path", None) for route in desk.app.inner.routes} - {None}
        assert outside == {
            "/openapi.json",
            "/static-offline-docs",
            "/docs",
            "/docs/oauth2-redirect",
        }
