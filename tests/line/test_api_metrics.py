"""Metrics: base units, finite labels, nothing that a client wrote."""

import asyncio
from pathlib import Path

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
        line = MetricsSocket(desk.places.line_metrics, registry)
        await line.open()
        answer = await desk.operator.get("/metrics/line")
        await line.close()
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "beltkeeper_belt_speed_metres_per_second 1.5" in answer.text


async def test_a_line_that_is_down_or_silent_is_a_problem(tmp_path: Path) -> None:
    async with open_desk(tmp_path, line_metrics_ms=50) as desk:
        gone = await desk.operator.get("/metrics/line")
        assert (gone.status_code, slug_of(gone)) == (503, "line_down")

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_unix_server(silent, str(desk.places.line_metrics))
        mute = await desk.operator.get("/metrics/line")
        server.close()
        assert (mute.status_code, slug_of(mute)) == (503, "line_down")


async def test_a_line_that_says_too_much_is_cut(tmp_path: Path) -> None:
    async with open_desk(tmp_path, line_metrics_max_bytes=1_000) as desk:

        async def chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"#" * 2_000)
            writer.close()

        server = await asyncio.start_unix_server(chatty, str(desk.places.line_metrics))
        answer = await desk.operator.get("/metrics/line")
        server.close()
        assert (answer.status_code, slug_of(answer)) == (503, "line_down")
