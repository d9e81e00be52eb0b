"""Whatever comes in: one problem body, nothing stored, nothing of ours broken."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.model.ids import InboxSeq
from edge.store.inbox_reader import InboxReader
from tests.line.gateway_kit import Desk, Json, open_desk, order_json, raw, slug_of

JSON_TYPE = {"content-type": "application/json"}


def parcel(**changes: Any) -> Json:
    return {"parcels": [order_json(1)["parcels"][0] | changes]}


def line(**changes: Any) -> Json:
    return parcel(lines=[{"sku": "A", "qty": 1} | changes])


WRONG_FIELDS: list[tuple[Json, list[str | int]]] = [
    ({"version": "1"}, ["version"]),
    ({"version": 1.0}, ["version"]),
    ({"version": True}, ["version"]),
    ({"version": 0}, ["version"]),
    ({"version": -1}, ["version"]),
    ({"version": 2**53}, ["version"]),
    ({"version": 10**4000}, ["version"]),
    ({"version": 1e308}, ["version"]),
    ({"version": None}, ["version"]),
    ({"order_no": ""}, ["order_no"]),
    ({"order_no": 7}, ["order_no"]),
    ({"order_no": "../../etc/passwd"}, ["order_no"]),
    ({"order_no": "SO-1\n"}, ["order_no"]),
    ({"order_no": "A" * 65}, ["order_no"]),
    ({"message_id": "m 1"}, ["message_id"]),
    ({"message_id": {"$ne": ""}}, ["message_id"]),
    ({"customer_code": "a\x00b"}, ["customer_code"]),
    ({"customer_code": "x" * 65}, ["customer_code"]),
    ({"customer_code": "\ud800"}, ["customer_code"]),
    ({"carrier": ""}, ["carrier"]),
    ({"carrier": ["ZTO"]}, ["carrier"]),
    ({"surprise": 1}, ["surprise"]),
    ({"name": "王小明"}, ["name"]),
    ({"region": {"province": "浙江省"}}, ["region", "province"]),
    ({"region": {"province": "99"}}, ["region", "province"]),
    ({"region": {"city": "9901"}}, ["region", "city"]),
    ({"region": {"district": "990101"}}, ["region", "district"]),
    ({"region": {"province": "33", "city": "4401"}}, ["region"]),
    ({"region": {"city": "3301", "district": "440106"}}, ["region"]),
    ({"region": None}, ["region"]),
    ({"parcels": []}, ["parcels"]),
    ({"parcels": {}}, ["parcels"]),
    (parcel(waybill_no="7312 000"), ["parcels", 0, "waybill_no"]),
    (parcel(waybill_no="' OR 1=1 --"), ["parcels", 0, "waybill_no"]),
    (parcel(expected_weight_g=0), ["parcels", 0, "expected_weight_g"]),
    (parcel(expected_weight_g=1_000_001), ["parcels", 0, "expected_weight_g"]),
    (parcel(expected_weight_g="1500"), ["parcels", 0, "expected_weight_g"]),
    (parcel(tolerance_g=-1), ["parcels", 0, "tolerance_g"]),
    (parcel(packaging={"tare_g": 1.5}), ["parcels", 0, "packaging", "tare_g"]),
    (parcel(lines=[]), ["parcels", 0, "lines"]),
    (parcel(lines=[{"sku": "A", "qty": 1}] * 501), ["parcels", 0, "lines"]),
    (line(qty=0), ["parcels", 0, "lines", 0, "qty"]),
    (line(qty="2"), ["parcels", 0, "lines", 0, "qty"]),
    (line(is_gift=1), ["parcels", 0, "lines", 0, "is_gift"]),
    (line(price=3), ["parcels", 0, "lines", 0, "price"]),
    ({"cut_off": "tomorrow"}, ["cut_off"]),
    ({"cut_off": "2026-13-41T25:61:00Z"}, ["cut_off"]),
    ({"cut_off": "2026-11-23T18:00:00"}, ["cut_off"]),
    ({"flags": ["Fragile!"]}, ["flags", 0]),
    ({"flags": ["a"] * 17}, ["flags"]),
    ({"extra": {"a": 1}}, ["extra", "a"]),
    ({"extra": {f"k{n}": "" for n in range(33)}}, ["extra"]),
    ({"extra": {"a": {"b": {}}}}, ["extra", "a"]),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One inbox for the whole matrix: nothing of it may be stored."""
    return tmp_path_factory.mktemp("gateway")


def rows(desk: Desk) -> int:
    reader = InboxReader(desk.places.inbox)
    try:
        return len(reader.rows_after(InboxSeq(0), 1_000))
    finally:
        reader.close()


async def test_each_wrong_field_is_named_and_nothing_is_stored(data: Path) -> None:
    async with open_desk(data) as desk:
        for changes, loc in WRONG_FIELDS:
            body = raw(order_json(1) | changes)
            answer = await desk.erp.put("/v1/orders/SO-1", content=body, headers=JSON_TYPE)
            assert (answer.status_code, slug_of(answer)) == (422, "fields_invalid"), changes
            assert [error["loc"][: len(loc)] for error in answer.json()["errors"]] == [loc], changes
            assert all(set(error) == {"loc", "msg"} for error in answer.json()["errors"])
        assert rows(desk) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'version': 1}",
        b'{"version": NaN}',
        b'{"version": Infinity}',
        b'{"version": -Infinity}',
        b'{"version": 1, "version": 2}',
        b'{"a": "\xff\xfe"}',
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"[" * 10_000,
        b"{} {}",
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_what_is_no_json(data: Path, body: bytes) -> None:
    async with open_desk(data) as desk:
        for method, path in (
            ("PUT", "/v1/orders/SO-1"),
            ("POST", "/v1/orders:batch"),
            ("POST", "/v1/orders/SO-1/cancel"),
        ):
            answer = await desk.erp.request(method, path, content=body, headers=JSON_TYPE)
            assert (answer.status_code, slug_of(answer)) == (400, "json_malformed")
        assert rows(desk) == 0


async def test_what_is_nested_without_end(data: Path) -> None:
    """How deep the parser goes is the interpreter's: what it takes, no model does."""
    body = b'{"a":' * 2_500 + b"1" + b"}" * 2_500
    async with open_desk(data) as desk:
        for path in ("/v1/orders:batch", "/v1/orders/SO-1/cancel"):
            answer = await desk.erp.post(path, content=body, headers=JSON_TYPE)
            assert (answer.status_code, slug_of(answer)) in (
                (400, "json_malformed"),
                (422, "fields_invalid"),
            )
        assert rows(desk) == 0


@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"', "true", '{"orders": {}}', '{"orders": []}'])
async def test_json_of_another_shape(data: Path, body: str) -> None:
    async with open_desk(data) as desk:
        for method, path in (
            ("PUT", "/v1/orders/SO-1"),
            ("POST", "/v1/orders:batch"),
            ("POST", "/v1/orders/SO-1/hold"),
            ("POST", "/v1/goods:batch"),
            ("PUT", "/v1/plans/p1"),
            ("POST", "/v1/plans/p1/activate"),
        ):
            answer = await desk.erp.request(method, path, content=body, headers=JSON_TYPE)
            assert (answer.status_code, slug_of(answer)) == (422, "fields_invalid")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_another_media_type(data: Path, media_type: str) -> None:
    async with open_desk(data) as desk:
        answer = await desk.erp.put(
            "/v1/orders/SO-1", content=raw(order_json(1)), headers={"content-type": media_type}
        )
        assert (answer.status_code, slug_of(answer)) == (415, "media_type_unsupported")


async def test_a_body_over_its_bound_is_not_read(data: Path) -> None:
    read = 0

    async def drip() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1_000):
            read += 1_000
            yield b" " * 1_000

    async with open_desk(data, body_max_bytes=10_000) as desk:
        declared = await desk.erp.put("/v1/orders/SO-1", content=b" " * 10_001, headers=JSON_TYPE)
        assert (declared.status_code, slug_of(declared)) == (413, "body_too_large")
        undeclared = await desk.erp.put("/v1/orders/SO-1", content=drip(), headers=JSON_TYPE)
        assert (undeclared.status_code, slug_of(undeclared)) == (413, "body_too_large")
        assert read <= 12_000
        lying = await desk.erp.put(
            "/v1/orders/SO-1", content=drip(), headers=JSON_TYPE | {"content-length": "5"}
        )
        assert (lying.status_code, slug_of(lying)) == (413, "body_too_large")
        fits = await desk.erp.put("/v1/orders/SO-1", content=b" " * 10_000, headers=JSON_TYPE)
        assert slug_of(fits) == "json_malformed"


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("PUT", "/v1/orders/SO-1", 256 * 1024),
        ("PUT", "/v1/goods/A", 256 * 1024),
        ("POST", "/v1/orders/SO-1/cancel", 16 * 1024),
        ("POST", "/v1/orders/SO-1/hold", 16 * 1024),
        ("POST", "/v1/plans/p1/activate", 16 * 1024),
    ],
)
async def test_a_small_message_has_a_small_bound(data: Path, method: str, path: str, most: int) -> None:
    async with open_desk(data) as desk:
        for size, slug in ((most, "json_malformed"), (most + 1, "body_too_large")):
            answer = await desk.erp.request(method, path, content=b" " * size, headers=JSON_TYPE)
            assert slug_of(answer) == slug


async def test_a_body_that_does_not_arrive(data: Path) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    async with open_desk(data, body_deadline_ms=30) as desk:
        answer = await desk.erp.put("/v1/orders/SO-1", content=stuck(), headers=JSON_TYPE)
        assert (answer.status_code, slug_of(answer)) == (408, "body_timeout")


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/orders", 404, "not_found"),
        ("GET", "/v1/orders/", 404, "not_found"),
        ("GET", "/v1/orders/a/b", 404, "not_found"),
        ("GET", "/v1/orders/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("GET", "/static-offline-docs/../../core.py", 404, "not_found"),
        ("GET", "/static-offline-docs/..%2f..%2fcore.py", 404, "not_found"),
        ("GET", "/v1/orders/%00", 422, "fields_invalid"),
        ("GET", "/v1/orders/%F0%9F%98%80", 422, "fields_invalid"),
        ("GET", "/v1/orders/" + "9" * 5_000, 422, "fields_invalid"),
        ("GET", "/v1/parcels/a'--", 422, "fields_invalid"),
        ("GET", "/v1/cancels/%20", 422, "fields_invalid"),
        ("DELETE", "/v1/orders/SO-1", 405, "method_not_allowed"),
        ("PATCH", "/v1/plans/p1", 405, "method_not_allowed"),
        ("BREW", "/v1/orders/SO-1", 405, "method_not_allowed"),
        ("GET", "/v1/orders:batch", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/orders/SO-1", 405, "method_not_allowed"),
    ],
)
async def test_paths_and_methods(data: Path, method: str, path: str, status: int, slug: str) -> None:
    async with open_desk(data) as desk:
        answer = await desk.erp.request(method, path)
        assert (answer.status_code, slug_of(answer)) == (status, slug)
        if status == 405:
            assert answer.headers["Allow"]


async def test_problems_speak_both_languages(data: Path) -> None:
    async with open_desk(data) as desk:
        for asked, language, title in (
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "该地址不存在"),
            ("de, en;q=0.5", "en", "There is nothing at this address"),
            ("", "en", "There is nothing at this address"),
        ):
            answer = await desk.erp.get("/nowhere", headers={"accept-language": asked})
            assert (answer.headers["content-language"], answer.json()["title"]) == (language, title)


async def test_a_client_that_goes_away_is_no_fault_of_ours(data: Path) -> None:
    async with open_desk(data) as desk:
        said = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(said)

        async def send(message: Any) -> None:
            sent.append(message)

        key = desk.erp.headers["Authorization"].encode()
        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/v1/orders/SO-1",
            "query_string": b"",
            "headers": [(b"authorization", key), (b"content-type", b"application/json")],
        }
        with capture_logs() as logged:
            await desk.app(scope, receive, send)
        assert rows(desk) == 0
    assert logged == []
