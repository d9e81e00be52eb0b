"""A client made from the document alone drives the whole API, and meets nothing that the document lacks."""

from pathlib import Path

import pytest

from api.http.auth import Role
from api.http.examples import EXAMPLES, ORDERS_CSV, PLAN_CSV
from edge.model.order import CancelOutcome
from tests.core.store_kit import MIDNIGHT, clock, parcel_life
from tests.line.gateway_kit import open_desk, open_line, order_json
from tests.line.openapi_client import Answered, NotInDocument, OpenApiClient
from tests.line.test_api_events import Scribe

ENDLESS = "stream_events"


async def test_a_day_at_the_line(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=20_000) as desk:
        scribe = Scribe(desk)
        await scribe.write(clock(1, MIDNIGHT), *parcel_life(1, 10))
        await scribe.close()
        document = (await desk.erp.get("/openapi.json")).json()
        erp = OpenApiClient(document, desk.erp)
        maintenance = OpenApiClient(document, desk.clients[Role.MAINTENANCE])
        put = await erp.call("put_order", EXAMPLES["OrderIn"], order_no="SO-1")
        assert put == {"outcome": "stored", "inbox_seq": 1, "version": 1}
        batch = {"orders": [order_json(n) for n in (2, 3)]}
        assert (await erp.call("put_orders", batch))["stored"] == 2
        text = "order_no,customer_code,carrier,waybill_no,sku,qty\nSO-9,K01,ZTO,73120000000009,A,1\n"
        assert (await erp.call("import_orders", text))["stored"] == 1
        imported = await erp.call("import_orders", ORDERS_CSV)
        assert imported == {"rows": 3, "orders": 2, "stored": 2, "unchanged": 0}
        assert (await erp.call("get_order", order_no="SO-9"))["status"] == "released"
        assert (await erp.call("hold_order", EXAMPLES["MessageOnly"], order_no="SO-9"))["outcome"] == "stored"
        await erp.call("release_order", {"message_id": "r1"}, order_no="SO-9", **{"Idempotency-Key": "r1"})
        async with open_line(desk.places, lambda row: (CancelOutcome.ACCEPTED,)):
            answer = await erp.call("cancel_order", {"message_id": "c1"}, order_no="SO-9")
            assert answer["outcome"] == "accepted"
            assert await erp.call("get_cancel", message_id="c1") == answer
        await erp.call("put_goods_item", EXAMPLES["GoodsIn"], sku="85123A")
        await erp.call("put_goods", EXAMPLES["GoodsBatch"])
        await maintenance.call("put_plan", EXAMPLES["PlanIn"], plan_id="east")
        await maintenance.call("import_plan", PLAN_CSV, plan_id="west", version=1)
        await maintenance.call("activate_plan", EXAMPLES["PlanActivation"], plan_id="east")
        await maintenance.call("command_line", EXAMPLES["LineCommandIn"])
        coded = await maintenance.call("key_code", EXAMPLES["CodingIn"], track=1)
        assert coded["outcome"] == "stored"
        assert await erp.call("get_coding", limit=5) == {"waiting": [], "ready": []}
        assert await erp.call("get_pictures", track=1) == {"pictures": []}
        assert await erp.call("get_no_reads", limit=5) == {"pictures": 0, "counts": []}
        with pytest.raises(Answered) as no_picture:
            await erp.call("get_picture", track=1, reader="top")
        assert no_picture.value.status == 404
        assert (await erp.call("get_line"))["line"] == "demo"
        assert len((await erp.call("get_chutes"))["chutes"]) == 10
        kinds = {device["kind"] for device in (await erp.call("get_devices"))["devices"]}
        assert kinds == {"plc", "bench", "reader", "scale"}
        assert (await erp.call("get_alarms"))["alarms"] == []
        assert (await erp.call("get_parcels", limit=5))["next"] == 1
        assert (await erp.call("get_exits"))["parcels"][0]["exit_reason"] == "ok"
        assert (await erp.call("get_track", track=1))["events"][-1]["kind"] == "Exited"
        assert "track" in await erp.call("export_parcels", day="2023-11-17")
        events = await erp.call("get_events", after=3, kind=["Decided", "Exited"])
        assert [row["kind"] for row in events["events"]] == ["Decided", "Exited"]
        changes = await maintenance.call("get_changes", after=1, limit=1)
        assert (changes["changes"][0]["by"], changes["more"]) == ("erp", True)
        assert (await maintenance.call("get_relay"))["targets"] == []
        assert (await maintenance.call("get_dead_letters"))["dead_letters"] == []
        with pytest.raises(Answered) as gone:
            await maintenance.call("resend", EXAMPLES["MessageOnly"], letter=1)
        assert gone.value.status == 404
        assert "beltkeeper_gateway_requests_total" in await maintenance.call("metrics")
        assert await erp.call("health") == {"status": "ok"}
        with pytest.raises(Answered) as down:
            await maintenance.call("line_metrics")
        assert (down.value.status, down.value.body["type"]) == (503, "urn:beltkeeper:problem:line_down")
        with pytest.raises(Answered) as forbidden:
            await erp.call("command_line", EXAMPLES["LineCommandIn"])
        assert forbidden.value.status == 403
        with pytest.raises(Answered) as unknown:
            await erp.call("get_parcel", waybill="73120000000001")
        assert unknown.value.body["status"] == 404
        assert erp.covered | maintenance.covered == set(erp.operations) - {ENDLESS}


async def test_the_client_holds_the_document_to_its_word(tmp_path: Path) -> None:
    """What it would not notice, the test above would not prove."""
    async with open_desk(tmp_path) as desk:
        document = (await desk.erp.get("/openapi.json")).json()
        erp = OpenApiClient(document, desk.erp)
        for name, given, body in (
            ("get_order", {}, None),
            ("get_order", {"order_no": "SO 1"}, None),
            ("get_order", {"order_no": "SO-1", "colour": "red"}, None),
            ("get_events", {"limit": 501}, None),
            ("put_order", {"order_no": "SO-1"}, {"order_no": "SO-1"}),
        ):
            with pytest.raises(NotInDocument):
                await erp.call(name, body, **given)
        del document["paths"]["/v1/orders/{order_no}"]["get"]["responses"]["404"]
        with pytest.raises(NotInDocument, match="status 404"):
            await erp.call("get_order", order_no="SO-1")
        document["components"]["schemas"]["LineAnswer"]["properties"]["seq"]["type"] = "string"
        with pytest.raises(NotInDocument, match="get_line's answer"):
            await erp.call("get_line")
