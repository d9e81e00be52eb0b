"""Metrics: base units, finite labels, nothing that a client wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.parser import text_string_to_metric_families

from edge.runtime.metrics import MetricsSocket
from tests.line.gateway_kit import Desk, open_desk, open_line, order_json, slug_of
from tests.line.test_api_cancel import ACCEPTED


async def series(desk: Desk) -> dict[str, float]:
    answer = await desk.operator.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_what_clients_write_makes_no_series(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk:

        async def visit(n: int) -> None:
            await desk.erp.put(f"/v1/orders/SO-{n}", json=order_json(n))
            await desk.erp.get(f"/v1/orders/none-{n}")
            await desk.erp.get(f"/anything/{n}")
            await desk.erp.request(f"BREW{n}", "/v1/orders/SO-1")
            await desk.anonymous.get(f"/v1/orders/SO-{n}", headers={"X-API-Key": f"guess-{n}"})
            await desk.erp.post(f"/v1/orders/SO-{n}/cancel", json={"message_id": f"c{n}"})
            await desk.erp.get(f"/v1/parcels/7312{n:010d}")

        await visit(0)
        await series(desk)
        first = await series(desk)
        for n in range(1, 15):
            await visit(n)
        last = await series(desk)
        assert set(last) == set(first)
        assert not [name for name in last if "SO-" in name or "7312" in name or "guess" in name]
        requests = "beltkeeper_gateway_requests_total"
        put = "[('method', 'PUT'), ('route', '/v1/orders/{order_no}'), ('status', '2xx')]"
        assert last[requests + put] == 15
        assert last["beltkeeper_gateway_keys_refused_total[]"] == 15
        assert last["beltkeeper_gateway_cancels_total[('outcome', 'pending')]"] == 15
        assert last["beltkeeper_gateway_inbox_seq[]"] == 30
        assert last["beltkeeper_gateway_commit_duration_seconds_count[]"] == 30


async def test_names_have_a_prefix_and_base_units(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        families = list(text_string_to_metric_families((await desk.operator.get("/metrics")).text))
        assert families
        for family in families:
            assert family.name.startswith("beltkeeper_gateway_")
            assert family.documentation
            assert not family.name.endswith(("_ms", "_us", "_milliseconds", "_percent"))


async def test_answers_to_cancels_are_counted(tmp_path: Path) -> None:
    async with (
        open_desk(tmp_path, cancel_wait_ms=20_000) as desk,
        open_line(desk.places, lambda row: (ACCEPTED,)),
    ):
        await desk.erp.post("/v1/orders/SO-1/cancel", json={"message_id": "c1"})
        counted = await series(desk)
        assert counted["beltkeeper_gateway_cancels_total[('outcome', 'accepted')]"] == 1
        assert counted["beltkeeper_gateway_cancels_total[('outcome', 'unknown')]"] == 0


async def test_the_lines_metrics_are_passed_on(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    Gauge("beltkeeper_belt_speed_metres_per_second", "Speed.", registry=registry).set(1.5)
    async with open_desk(tmp_path) as desk:
        line = MetricsSocket(desk.places.line_metrics, registry, lambda: b"{}")
        await line.open()
        answer = await desk.operator.get("/metrics/line")
        await line.close()
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "beltkeeper_belt_speed_metres_per_second 1.5" in answer.text


@asynccontextmanager
async def line_saying(path: Path, words: bytes) -> AsyncIterator[None]:
    """A metrics socket that answers with ``words`` and then waits for the client to go."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, EOFError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(words)
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    server = await asyncio.start_unix_server(serve, str(path))
    yield
    async with asyncio.timeout(20):
        await gone.wait()
    server.close()


async def test_a_line_that_is_down(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.operator.get("/metrics/line")
        assert (answer.status_code, slug_of(answer)) == (503, "line_down")


@pytest.mark.parametrize(
    ("words", "patience_ms"),
    [
        (b"", 50),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"#" * 2_000, 20_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"#" * 499, 300),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 20_000),
        (b"no HTTP at all\r\n\r\n", 20_000),
    ],
    ids=["silent", "too much", "torn", "failed", "garbage"],
)
async def test_a_line_that_says_it_wrong(tmp_path: Path, words: bytes, patience_ms: int) -> None:
    async with (
        open_desk(tmp_path, line_metrics_ms=patience_ms, line_metrics_max_bytes=1_000) as desk,
        line_saying(desk.places.line_metrics, words),
    ):
        answer = await desk.operator.get("/metrics/line")
        assert (answer.status_code, slug_of(answer)) == (503, "line_down")


@pytest.mark.parametrize(
    "said", [b"beltkeeper_device_up 1", b"{}", b'{"belt_runs":null,"devices":{"plc":1}}']
)
async def test_a_line_that_says_of_itself_what_nobody_understands_is_down(
    tmp_path: Path, said: bytes
) -> None:
    async with open_desk(tmp_path) as desk:
        line = MetricsSocket(desk.places.line_metrics, CollectorRegistry(), lambda: said)
        await line.open()
        answer = await desk.operator.get("/v1/line/devices")
        await line.close()
        assert (answer.status_code, answer.json()["process"]) == (200, "down")
