"""Goods, sort plans and line commands through HTTP."""

from pathlib import Path
from typing import Any

import pytest

from edge.model.ids import InboxSeq, PlanId, Sku
from edge.ports.inbox import OperatorRow, PlanRow
from edge.store.inbox_reader import InboxReader
from tests.line.gateway_kit import Json, open_desk, slug_of

GOODS: Json = {"sku": "A1", "barcodes": ["6901234567892"], "unit_weight_g": 250, "parts": []}


def plan_json(version: int = 1, message: str = "", **changes: Any) -> Json:
    return {
        "message_id": message or f"plan-{version}",
        "plan_id": "day",
        "version": version,
        "rules": [
            {"id": "hz", "carrier": "ZTO", "province": "33", "chutes": ["001", "002"]},
            {"id": "rest", "chutes": ["003"]},
        ],
        "blind_spots": [{"carrier": "ZTO", "province": "54"}],
    } | changes


async def test_goods_one_by_one_and_in_a_batch(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        one = await desk.erp.put("/v1/goods/A1", json=GOODS | {"message_id": "g1"})
        assert (one.status_code, one.json()["outcome"]) == (200, "stored")
        many = [GOODS | {"sku": f"B{n}", "barcodes": [f"69{n:011d}"]} for n in range(1_000)]
        batch = {"message_id": "g2", "goods": many}
        stored = await desk.erp.post("/v1/goods:batch", json=batch)
        assert (stored.status_code, stored.json()["inbox_seq"]) == (200, 2)
        again = await desk.erp.post("/v1/goods:batch", json=batch)
        assert again.content == stored.content
        other = await desk.erp.post("/v1/goods:batch", json=batch | {"goods": many[:1]})
        assert slug_of(other) == "message_id_reused"
        reader = InboxReader(desk.places.inbox)
        found = reader.goods(Sku("B999"))
        reader.close()
        assert found is not None
        assert (found.unit_weight_g, found.barcodes) == (250, ("6900000000999",))


@pytest.mark.parametrize(
    ("goods", "slug", "loc"),
    [
        ([GOODS, GOODS | {"sku": "A2", "unit_weight_g": 0}], "fields_invalid", ["goods", 1, "unit_weight_g"]),
        ([GOODS | {"barcodes": [690123]}], "fields_invalid", ["goods", 0, "barcodes", 0]),
        ([GOODS | {"sku": "a/b"}], "fields_invalid", ["goods", 0, "sku"]),
        ([GOODS | {"message_id": "x"}], "fields_invalid", ["goods", 0, "message_id"]),
        ([GOODS] * 1_001, "batch_too_large", None),
        ([], "fields_invalid", ["goods"]),
        ([GOODS, GOODS], "doubled", None),
    ],
)
async def test_a_goods_batch_is_all_or_nothing(
    tmp_path: Path, goods: list[Json], slug: str, loc: list[str | int] | None
) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.erp.post("/v1/goods:batch", json={"message_id": "g", "goods": goods})
        assert (answer.status_code, slug_of(answer)) == (422, slug)
        if loc is not None:
            assert answer.json()["errors"][0]["loc"] == loc
        reader = InboxReader(desk.places.inbox)
        assert reader.goods(Sku("A1")) is None
        reader.close()


async def test_goods_that_no_row_can_hold(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        heavy = {"barcodes": [f"{n:048d}" for n in range(32)]}
        goods = [GOODS | heavy | {"sku": f"{n:064d}"} for n in range(1_000)]
        answer = await desk.erp.post("/v1/goods:batch", json={"message_id": "g", "goods": goods})
        assert (answer.status_code, slug_of(answer)) == (413, "body_too_large")


async def test_a_plan_is_stored_then_activated(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        stored = await desk.erp.put("/v1/plans/day", json=plan_json())
        assert (stored.status_code, stored.json()) == (
            200,
            {"outcome": "stored", "inbox_seq": 1, "version": 1},
        )
        reader = InboxReader(desk.places.inbox)
        assert reader.active_plan() is None
        active = await desk.erp.post("/v1/plans/day/activate", json={"message_id": "a1", "version": 1})
        assert active.json() == {"outcome": "stored", "inbox_seq": 2, "version": 1}
        plan = reader.active_plan()
        row = reader.rows_after(InboxSeq(1), 1)[0]
        reader.close()
        assert plan is not None
        assert (plan.id, [rule.id for rule in plan.rules]) == (PlanId("day"), ["hz", "rest"])
        assert row == PlanRow(seq=InboxSeq(2), plan=plan)


@pytest.mark.parametrize(
    ("changes", "status", "slug"),
    [
        ({"rules": [{"id": "a", "chutes": ["099"]}]}, 422, "chute_unknown"),
        ({"rules": [{"id": "a", "chutes": ["001", "REJECT"]}]}, 422, "chute_not_shipping"),
        ({"rules": [{"id": "a", "chutes": ["END"]}]}, 422, "chute_not_shipping"),
        ({"rules": [{"id": "a", "chutes": ["001"]}, {"id": "a", "chutes": ["002"]}]}, 422, "doubled"),
        ({"rules": [{"id": "a", "chutes": []}]}, 422, "fields_invalid"),
        ({"rules": []}, 422, "fields_invalid"),
        ({"rules": [{"id": "a", "chutes": ["001"], "weight": 1}]}, 422, "fields_invalid"),
        ({"rules": [{"id": f"r{n}", "chutes": ["001"]} for n in range(5_001)]}, 422, "fields_invalid"),
        ({"blind_spots": [{"carrier": "ZTO", "province": ""}]}, 422, "fields_invalid"),
        ({"blind_spots": [{"carrier": "ZTO", "province": "99"}]}, 422, "fields_invalid"),
        ({"blind_spots": [{"carrier": "ZTO", "province": "33", "city": "3399"}]}, 422, "fields_invalid"),
        ({"rules": [{"id": "a", "province": "99", "chutes": ["001"]}]}, 422, "fields_invalid"),
        ({"rules": [{"id": "a", "city": "3399", "chutes": ["001"]}]}, 422, "fields_invalid"),
        ({"rules": [{"id": "a", "district": "330199", "chutes": ["001"]}]}, 422, "fields_invalid"),
        (
            {"rules": [{"id": "a", "province": "33", "city": "4403", "chutes": ["001"]}]},
            422,
            "fields_invalid",
        ),
        ({"version": 2, "message_id": "plan-1"}, 409, "message_id_reused"),
        ({"message_id": "m2", "rules": [{"id": "a", "chutes": ["001"]}]}, 409, "version_stale"),
        ({"plan_id": "night"}, 422, "path_disagrees"),
    ],
)
async def test_plans_that_are_refused(tmp_path: Path, changes: Json, status: int, slug: str) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/plans/day", json=plan_json())
        answer = await desk.erp.put("/v1/plans/day", json=plan_json() | changes)
        assert (answer.status_code, slug_of(answer)) == (status, slug)


async def test_a_plan_of_a_whole_country(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        rules = [
            {"id": f"r{n}", "carrier": "ZTO", "routing_code": f"{n:05d}", "chutes": ["001", "002"]}
            for n in range(5_000)
        ]
        answer = await desk.erp.put("/v1/plans/day", json=plan_json(rules=rules))
        assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")


async def test_an_unknown_plan_is_not_activated(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/plans/day", json=plan_json())
        for path, version in (("night", 1), ("day", 2)):
            body = {"message_id": f"{path}-{version}", "version": version}
            answer = await desk.erp.post(f"/v1/plans/{path}/activate", json=body)
            assert (answer.status_code, slug_of(answer)) == (404, "plan_unknown")


@pytest.mark.parametrize(
    ("action", "subject", "slug"),
    [
        ("disable_chute", "003", "stored"),
        ("enable_chute", "003", "stored"),
        ("enable_chute", "099", "chute_unknown"),
        ("enable_chute", "", "chute_unknown"),
        ("hold_line", "", "stored"),
        ("release_line", "", "stored"),
        ("purge", "", "stored"),
        ("purge", "now", "subject_invalid"),
        ("confirm_clock", "", "stored"),
        ("acknowledge_alarm", "jam:3", "stored"),
        ("acknowledge_alarm", "plc_down", "stored"),
        ("acknowledge_alarm", "coffee", "subject_invalid"),
        ("reject_parcel", "SF0000000000001", "stored"),
        ("reject_parcel", "track:17", "stored"),
        ("reject_parcel", "", "subject_invalid"),
        ("reject_parcel", "track:0", "subject_invalid"),
        ("reject_parcel", "parcel:17", "subject_invalid"),
        ("reopen_review", "", "subject_invalid"),
        ("ship", "SO-1", "fields_invalid"),
    ],
)
async def test_line_commands(tmp_path: Path, action: str, subject: str, slug: str) -> None:
    async with open_desk(tmp_path) as desk:
        body = {"message_id": "x1", "action": action, "subject": subject}
        answer = await desk.operator.post("/v1/line/commands", json=body)
        reader = InboxReader(desk.places.inbox)
        rows = reader.rows_after(InboxSeq(0), 10)
        reader.close()
        if slug != "stored":
            assert (answer.status_code, slug_of(answer), rows) == (422, slug, ())
        else:
            (row,) = rows
            assert isinstance(row, OperatorRow)
            assert (row.action.value, row.subject, row.by) == (action, subject, "operator")
            again = await desk.operator.post("/v1/line/commands", json=body)
            assert again.content == answer.content
