"""CSV over HTTP: all of a file or none of it, every wrong cell at once, and a day of parcels for Excel."""

import asyncio
import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.http import imports
from api.http.auth import Role
from api.settings import SLICE
from tests.core.store_kit import DAY_US, MIDNIGHT, clock, exited, identified, opened
from tests.line.gateway_kit import Desk, open_desk, order_json, slug_of
from tests.line.test_api_events import recorded

CSV = {"Content-Type": "text/csv; charset=utf-8"}
HEAD = "订单号,客户代号,快递,运单号,商品编码,数量\n"


def lines(first: int, count: int, extra: str = "") -> str:
    return "".join(f"SO-{n},K01,ZTO,7312{n:010d},A,{n + 1}{extra}\n" for n in range(first, first + count))


async def put(desk: Desk, text: str | bytes, **headers: str) -> httpx2.Response:
    raw = text.encode() if isinstance(text, str) else text
    return await desk.erp.post("/v1/orders:import", content=raw, headers=CSV | headers)


async def test_a_file_is_imported_once_however_often_it_comes(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        text = HEAD + lines(0, 120) + "SO-119,,,,B,5\n"
        for _ in range(2):
            answer = await put(desk, text.encode("gbk"))
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"rows": 121, "orders": 120, "stored": 120, "unchanged": 0}
        other_way = await put(desk, "\ufeff" + text)
        assert other_way.json() == {"rows": 121, "orders": 120, "stored": 0, "unchanged": 120}
        order = (await desk.erp.get("/v1/orders/SO-119")).json()
        assert [line["sku"] for line in order["parcels"][0]["lines"]] == ["A", "B"]
        assert order["inbox_seq"] == 120
        changes = (await desk.clients[Role.MAINTENANCE].get("/v1/changes", params={"limit": 1})).json()
        assert (changes["changes"][0]["by"], changes["changes"][0]["kind"]) == ("erp", "put_order")


async def test_one_wrong_cell_and_nothing_is_imported(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        text = HEAD + lines(0, 3) + "SO-8,K01,ZTO,7,A,many\n" + lines(9, 1)
        answer = await put(desk, text, **{"Accept-Language": "zh-CN"})
        assert (answer.status_code, slug_of(answer)) == (422, "csv_invalid")
        body = answer.json()
        assert (body["title"], body["wrong"]) == ("未导入任何内容：部分单元格有误", 2)
        assert {(cell["row"], cell["column"], cell["value"]) for cell in body["cells"]} == {
            (5, "waybill_no", "7"),
            (5, "qty", "many"),
        }
        assert "1 至 100000 的整数" in [cell["do"] for cell in body["cells"]]
        assert (await desk.erp.get("/v1/orders/SO-0")).status_code == 404


async def test_what_stands_in_the_way_takes_the_whole_file_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-2", json=order_json(2, version=5))
        await desk.erp.put("/v1/orders/SO-4", json=order_json(4) | {"order_no": "SO-4"})
        text = HEAD + lines(0, 4) + "SO-77,K01,ZTO,73120000000004,A,1\n"
        answer = await put(desk, text)
        assert [(c["row"], c["column"], c["do"]) for c in answer.json()["cells"]] == [
            (4, "version", "version 5 stands with other content: write a higher one"),
            (6, "waybill_no", "the waybill belongs to another order: cancel that one first, or correct it"),
        ]
        assert (await desk.erp.get("/v1/orders/SO-0")).status_code == 404
        corrected = HEAD.replace("\n", ",版本\n") + lines(0, 4, ",6")
        answer = await put(desk, corrected)
        assert answer.json()["stored"] == 4
        assert (await desk.erp.get("/v1/orders/SO-2")).json()["version"] == 6


@pytest.mark.parametrize(
    ("text", "headers", "status", "slug"),
    [
        (HEAD, CSV, 422, "csv_invalid"),
        ("", CSV, 422, "csv_invalid"),
        (HEAD + lines(0, 1_001), CSV, 422, "csv_invalid"),
        (b"\xff\xff", CSV, 422, "csv_invalid"),
        (HEAD + lines(0, 1), {"Content-Type": "application/json"}, 415, "media_type_unsupported"),
        (HEAD + lines(0, 1), CSV | {"Idempotency-Key": "a b"}, 422, "fields_invalid"),
    ],
)
async def test_files_that_are_refused_whole(
    tmp_path: Path, text: str | bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    async with open_desk(tmp_path) as desk:
        raw = text.encode() if isinstance(text, str) else text
        answer = await desk.erp.post("/v1/orders:import", content=raw, headers=headers)
        assert (answer.status_code, slug_of(answer)) == (status, slug)


async def test_a_key_is_good_for_one_file(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await put(desk, HEAD + lines(0, 2), **{"Idempotency-Key": "k-1"})).status_code == 200
        other = await put(desk, HEAD + lines(5, 2), **{"Idempotency-Key": "k-1"})
        assert other.json()["cells"][0]["do"].startswith("this Idempotency-Key came before")
        assert (await desk.erp.get("/v1/orders/SO-5")).status_code == 404


async def test_a_cancel_is_not_behind_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks has a turn after each slice of the file, however long the machine takes for one."""
    checked: Counter[int] = Counter()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def counted(*order: Any) -> Any:
        checked[turns] += 1
        return order_put(*order)

    order_put = imports._order_put
    monkeypatch.setattr(imports, "_order_put", counted)
    async with open_desk(tmp_path) as desk:
        beside = asyncio.create_task(others())
        answer = await put(desk, HEAD + lines(0, 1_000))
        beside.cancel()
    assert answer.json() == {"rows": 1_000, "orders": 1_000, "stored": 1_000, "unchanged": 0}
    assert (sum(checked.values()), max(checked.values())) == (1_000, SLICE)


async def test_a_plan_as_a_table(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        path = "/v1/plans/east/import"
        text = "规则,快递,省代码,格口,盲区\nzj,ZTO,33,001;002,\n,ZTO,65,,是\nrest,,,008,\n"
        client = desk.clients[Role.MAINTENANCE]
        for _ in range(2):
            answer = await client.post(path, params={"version": 1}, content=text.encode("gbk"), headers=CSV)
            assert answer.json() == {"outcome": "stored", "inbox_seq": 1, "version": 1}
        stale = await client.post(
            path, params={"version": 1}, content=text.replace("008", "007").encode(), headers=CSV
        )
        assert slug_of(stale) == "version_stale"
        wrong = text.replace("008", "009").replace("33", "3") + "rest,,,REJECT,\n"
        answer = await client.post(path, params={"version": 2}, content=wrong.encode(), headers=CSV)
        assert [(c["row"], c["column"], c["value"]) for c in answer.json()["cells"]] == [
            (2, "province", "3"),
            (4, "chutes", "009"),
            (5, "rule", "rest"),
            (5, "chutes", "REJECT"),
        ]
        assert (await client.post(path, content=text.encode(), headers=CSV)).status_code == 422
        activated = await client.post("/v1/plans/east/activate", json={"message_id": "a1", "version": 1})
        assert activated.status_code == 200


def table(answer: httpx2.Response) -> list[dict[str, str]]:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_day_of_parcels_for_excel(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(clock(0, MIDNIGHT + DAY_US - 10))
        await scribe.write(opened(1, 1), identified(2, 1, "73120000000001"), exited(3, 1, "73120000000001"))
        await scribe.write(clock(11, MIDNIGHT + DAY_US + 1))
        await scribe.write(opened(12, 2), identified(13, 2, "=HYPERLINK(1)"), opened(14, 3))
        first = await desk.erp.get("/v1/parcels.csv", params={"day": "2023-11-17"})
        assert first.headers["content-type"] == "text/csv; charset=utf-8"
        assert first.headers["content-disposition"] == 'attachment; filename="parcels-demo-20231117.csv"'
        (row,) = table(first)
        assert (row["track"], row["waybill"], row["inducted_at"]) == (
            "1",
            "73120000000001\t",
            "2023-11-17 23:59:59",
        )
        assert (row["reason"], row["reason_text"], row["shipped"]) == ("ok", "Verified and routed", "yes")
        zh = {"Accept-Language": "zh-CN"}
        second = table(await desk.erp.get("/v1/parcels.csv", params={"day": "2023-11-18"}, headers=zh))
        assert [(row["跟踪号"], row["运单号"], row["已发出"]) for row in second] == [
            ("2", "'=HYPERLINK(1)", "否"),
            ("3", "", "否"),
        ]
        assert table(await desk.erp.get("/v1/parcels.csv", params={"day": "2023-11-19"})) == []
        bad = await desk.erp.get("/v1/parcels.csv", params={"day": "yesterday"})
        assert (bad.status_code, slug_of(bad)) == (422, "fields_invalid")


async def test_a_long_day_goes_on_in_a_further_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.exports.ROWS_MAX", 3)
    monkeypatch.setattr("api.http.exports.PAGE_ROWS", 2)
    async with recorded(tmp_path) as (desk, scribe):
        await scribe.write(clock(0, MIDNIGHT))
        await scribe.write(*[opened(n, n) for n in range(1, 8)])
        path: str | None = "/v1/parcels.csv?day=2023-11-17&lang=en"
        parts: list[list[str]] = []
        while path is not None:
            answer = await desk.erp.get(path)
            parts.append([row["track"] for row in table(answer)])
            path = answer.links["next"]["url"] if "next" in answer.links else None
        assert parts == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


async def test_exports_are_few_at_once(tmp_path: Path) -> None:
    async with recorded(tmp_path, exports_max=1) as (desk, scribe):
        await scribe.write(clock(0, MIDNIGHT), opened(1, 1))
        ask: dict[str, Any] = {"day": "2023-11-17"}
        async with desk.app.gateway.exporting:
            busy = await desk.erp.get("/v1/parcels.csv", params=ask)
            assert (busy.status_code, slug_of(busy), busy.headers["Retry-After"]) == (
                429,
                "too_many_requests",
                "5",
            )
        assert (await desk.erp.get("/v1/parcels.csv", params=ask)).status_code == 200
