"""Orders through HTTP: idempotent by message id and by version, one answer each."""

from pathlib import Path
from typing import Any

import pytest

from edge.model.ids import BenchId, InboxSeq, OrderNo, Sku, Waybill
from edge.model.records import Reviewed, ReviewOpened
from edge.model.review import Difference
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.store.journal_writer import JournalWriter
from tests.line.gateway_kit import Json, open_desk, order_json, slug_of


async def test_an_order_is_stored_and_given_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        pushed = order_json(1)
        stored = await desk.erp.put("/v1/orders/SO-1", json=pushed)
        assert (stored.status_code, stored.json()) == (
            200,
            {"outcome": "stored", "inbox_seq": 1, "version": 1},
        )
        found = (await desk.erp.get("/v1/orders/SO-1")).json()
        pushed["parcels"][0]["lines"][0]["is_gift"] = False
        del pushed["message_id"]
        assert found == pushed | {"status": "released", "inbox_seq": 1, "review": None}


async def test_a_repeated_message_is_answered_as_the_first_time(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        first = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1, version=2))
        again = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        assert (await desk.erp.get("/v1/orders/SO-1")).json()["version"] == 2


async def test_the_order_of_names_in_the_body_does_not_make_it_another(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        body = order_json(1)
        first = await desk.erp.put("/v1/orders/SO-1", json=body)
        again = await desk.erp.put("/v1/orders/SO-1", json=dict(reversed(body.items())))
        assert again.content == first.content


@pytest.mark.parametrize(
    ("second", "slug"),
    [
        ({"carrier": "STO"}, "message_id_reused"),
        ({"version": 2}, "message_id_reused"),
        ({"message_id": "m2", "carrier": "STO"}, "version_stale"),
        ({"message_id": "m2", "version": 1, "shop": "other"}, "version_stale"),
        ({"message_id": "m2"}, "unchanged"),
        ({"message_id": "m2", "version": 6}, "stored"),
        ({"message_id": "m2", "version": 4}, "version_stale"),
    ],
)
async def test_a_second_message_about_version_5(tmp_path: Path, second: Json, slug: str) -> None:
    async with open_desk(tmp_path) as desk:
        body = order_json(1, version=5, message="m1")
        await desk.erp.put("/v1/orders/SO-1", json=body)
        answer = await desk.erp.put("/v1/orders/SO-1", json=body | second)
        if slug in ("stored", "unchanged"):
            assert (answer.status_code, answer.json()["outcome"]) == (200, slug)
        else:
            assert (answer.status_code, slug_of(answer)) == (409, slug)
            assert (await desk.erp.get("/v1/orders/SO-1")).json()["version"] == 5


async def test_a_refused_message_is_refused_again_with_the_same_words(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1, version=2))
        stale = order_json(1, version=1)
        first = await desk.erp.put("/v1/orders/SO-1", json=stale)
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1, version=9))
        again = await desk.erp.put("/v1/orders/SO-1", json=stale)
        assert slug_of(first) == "version_stale"
        assert again.content == first.content


async def test_two_parcels_are_refused(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        body = order_json(1)
        body["parcels"].append(body["parcels"][0] | {"waybill_no": "73120000000099"})
        answer = await desk.erp.put("/v1/orders/SO-1", json=body)
        assert (answer.status_code, slug_of(answer)) == (422, "multi_parcel_unsupported")
        assert slug_of(await desk.erp.get("/v1/orders/SO-1")) == "order_unknown"


async def test_a_waybill_has_one_order(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        thief = order_json(2) | {"parcels": order_json(1)["parcels"]}
        answer = await desk.erp.put("/v1/orders/SO-2", json=thief)
        assert (answer.status_code, slug_of(answer)) == (409, "waybill_taken")


async def test_path_and_body_must_agree(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.erp.put("/v1/orders/SO-2", json=order_json(1))
        assert (answer.status_code, slug_of(answer)) == (422, "path_disagrees")


async def test_hold_and_release(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:

        async def tell(what: str, message: str) -> tuple[int, Any, str]:
            answer = await desk.erp.post(f"/v1/orders/SO-1/{what}", json={"message_id": message})
            status = (await desk.erp.get("/v1/orders/SO-1")).json().get("status", "")
            word = answer.json().get("outcome") or slug_of(answer)
            return answer.status_code, word, status if isinstance(status, str) else ""

        assert (await tell("hold", "h0"))[:2] == (404, "order_unknown")
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert (await tell("hold", "h0"))[:2] == (404, "order_unknown")
        assert await tell("hold", "h1") == (200, "stored", "held")
        assert await tell("hold", "h2") == (200, "unchanged", "held")
        assert await tell("release", "h1") == (409, "message_id_reused", "held")
        assert await tell("release", "r1") == (200, "stored", "released")
        assert await tell("hold", "h1") == (200, "stored", "released")


async def test_a_batch_answers_each_order_on_its_own(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-3", json=order_json(3, version=7, message="old"))
        batch = [
            order_json(1),
            order_json(2, carrier=5),
            order_json(3),
            order_json(1),
            order_json(4, parcels=order_json(4)["parcels"] * 2),
            "no order",
            order_json(5),
        ]
        answer = await desk.erp.post("/v1/orders:batch", json={"orders": batch})
        body = answer.json()
        assert (answer.status_code, body["stored"], body["refused"]) == (200, 3, 4)
        words = [
            item["problem"]["type"].rpartition(":")[2] if item["outcome"] == "refused" else item["outcome"]
            for item in body["results"]
        ]
        assert words == [
            "stored",
            "fields_invalid",
            "version_stale",
            "stored",
            "multi_parcel_unsupported",
            "fields_invalid",
            "stored",
        ]
        assert [item["index"] for item in body["results"]] == list(range(7))
        assert body["results"][1]["problem"]["errors"][0]["loc"] == ["orders", 1, "carrier"]
        again = await desk.erp.post("/v1/orders:batch", json={"orders": batch})
        assert again.content == answer.content


async def test_a_batch_of_1000_is_stored_and_one_of_1001_is_not(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        orders = [order_json(n) for n in range(1_001)]
        refused = await desk.erp.post("/v1/orders:batch", json={"orders": orders})
        assert (refused.status_code, slug_of(refused)) == (422, "batch_too_large")
        assert slug_of(await desk.erp.get("/v1/orders/SO-0")) == "order_unknown"
        stored = await desk.erp.post("/v1/orders:batch", json={"orders": orders[:1_000]})
        assert stored.json()["stored"] == 1_000
        assert [item["inbox_seq"] for item in stored.json()["results"]] == list(range(1, 1_001))
        assert (await desk.erp.get("/v1/orders/SO-999")).json()["version"] == 1


async def test_orders_outlive_the_gateway(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        first = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
    async with open_desk(tmp_path) as desk:
        again = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert again.content == first.content


async def test_what_the_review_of_an_order_came_to(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        goods = {"sku": "CUP", "barcodes": ["777"], "unit_weight_g": 10}
        await desk.erp.post("/v1/goods:batch", json={"message_id": "g1", "goods": [goods]})
        bench, order_no, waybill = BenchId("bench1"), OrderNo("SO-1"), Waybill("73120000000001")
        opened = ReviewOpened(
            at_us=MonoUs(1),
            bench=bench,
            slip="P1",
            order_no=order_no,
            order_version=1,
            waybill=waybill,
            resumed=False,
        )
        verdict = Reviewed(
            at_us=MonoUs(2),
            bench=bench,
            slip="P1",
            order_no=order_no,
            order_version=1,
            waybill=waybill,
            contents="c",
            reason=Reason.SKU_MISSING,
            pieces=3,
            missing=(Difference(sku=Sku("TEA"), code="", qty=2),),
            extra=(
                Difference(sku=Sku("POT"), code="", qty=1),
                Difference(sku=Sku(""), code="777", qty=4),
            ),
        )
        journal = JournalWriter(desk.places.journal, line_id="demo", timezone="Asia/Shanghai")
        await journal.append([opened, verdict], InboxSeq(0))
        await journal.close()
        found = (await desk.erp.get("/v1/orders/SO-1")).json()["review"]
    assert found == {
        "state": "failed",
        "bench": "bench1",
        "slip": "P1",
        "order_version": 1,
        "opened_at": None,
        "reason": "sku_missing",
        "pieces": 3,
        "missing": [{"sku": "TEA", "qty": 2}],
        "extra": [{"sku": "POT", "qty": 1}, {"code": "777", "qty": 4, "skus": ["CUP"]}],
        "judged_at": None,
    }


async def test_a_review_is_reopened_for_an_order_that_is_there(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        body = {"message_id": "x1", "action": "reopen_review", "subject": "SO-1"}
        unknown = await desk.operator.post("/v1/line/commands", json=body)
        assert (unknown.status_code, slug_of(unknown)) == (404, "order_unknown")
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        stored = await desk.operator.post("/v1/line/commands", json=body | {"message_id": "x2"})
        assert (stored.status_code, stored.json()["outcome"]) == (200, "stored")
