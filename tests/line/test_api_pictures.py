"""Pictures of no-reads over HTTP, and the coding page without a browser."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.http.auth import Role
from api.pages.texts import TEXTS
from edge.model.coding import CodingOutcome
from edge.model.ids import BootEpoch, InboxSeq, PlcNumber, ReaderId, TrackId
from edge.model.units import UtcUs
from edge.model.verdict import Reason
from edge.ports.inbox import CodeRow
from edge.store.inbox_reader import InboxReader
from edge.store.picture_keeper import PictureKeeper
from edge.store.places import Places
from tests.core import store_kit
from tests.core.test_pictures import JPEG, note
from tests.line.gateway_kit import Desk, open_desk, order_json, slug_of
from tests.line.test_api_coding import CODE, belt, changed, taken

TOP = "top"
"""The demo line's reader."""
ZH, EN = {"Accept-Language": "zh-CN"}, {"Accept-Language": "en"}
HERE = {"Sec-Fetch-Site": "same-origin"}


def keep(places: Places, track: int, epoch: int = 1, number: int = 0) -> None:
    keeper = PictureKeeper(places.pictures / TOP, max_bytes=1 << 30, max_age_s=1 << 30, spare_bytes=0)
    keeper.open()
    one = replace(
        note(track),
        reader=ReaderId(TOP),
        epoch=BootEpoch(epoch),
        number=PlcNumber(number or track),
    )
    assert keeper.put(one, JPEG, UtcUs(0))


async def test_a_picture_and_what_is_known_of_it(tmp_path: Path) -> None:
    belt(Places(tmp_path), 1).close()
    keep(Places(tmp_path), 1)
    async with open_desk(tmp_path) as desk:
        (told,) = (await desk.operator.get("/v1/tracks/1/pictures")).json()["pictures"]
        assert (told["reader"], told["cause"], told["module_tenths"]) == (TOP, "blurred", 33)
        assert told["codes"][0]["engines"] == ["zbar", "zxing-cpp"]
        for path in ("/v1/tracks/1/pictures/top", "/coding/picture/1/top"):
            answer = await desk.clients[Role.VIEWER].get(path)
            assert (answer.status_code, answer.content) == (200, JPEG)
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert (await desk.anonymous.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/v1/tracks/1/pictures/side", "picture_unknown"),
        ("/v1/tracks/2/pictures/top", "picture_unknown"),
        ("/v1/tracks/3/pictures/top", "parcel_unknown"),
        ("/v1/tracks/3/pictures", "parcel_unknown"),
        ("/v1/tracks/1/pictures/..%2f..%2finbox%2finbox.db", "not_found"),
        ("/v1/tracks/1/pictures/.top", "fields_invalid"),
        ("/v1/tracks/0/pictures/top", "fields_invalid"),
        ("/v1/tracks/1e9/pictures/top", "fields_invalid"),
    ],
)
async def test_nothing_else_is_given(tmp_path: Path, path: str, slug: str) -> None:
    belt(Places(tmp_path), 1, 2).close()
    keep(Places(tmp_path), 1)
    async with open_desk(tmp_path) as desk:
        answer = await desk.operator.get(path)
        assert answer.status_code in (404, 422)
        assert slug_of(answer) == slug


async def test_a_picture_of_an_older_record_is_nobody_s(tmp_path: Path) -> None:
    """A new journal begins its tracks anew; the PLC's name of the parcel is another one."""
    belt(Places(tmp_path), 1, 2).close()
    keep(Places(tmp_path), 1, epoch=9)
    keep(Places(tmp_path), 2, number=77)
    async with open_desk(tmp_path) as desk:
        for track in (1, 2):
            assert (await desk.operator.get(f"/v1/tracks/{track}/pictures")).json() == {"pictures": []}
            answer = await desk.operator.get(f"/v1/tracks/{track}/pictures/top")
            assert slug_of(answer) == "picture_unknown"


async def test_what_the_station_shows(tmp_path: Path) -> None:
    belt(Places(tmp_path), 1, 2).close()
    keep(Places(tmp_path), 2)
    async with open_desk(tmp_path) as desk:
        page = await desk.operator.get("/coding", headers=ZH)
        assert TEXTS["zh"]["type_code"] in page.text
        assert "built-in" not in page.text, "a word that is a method of a mapping"
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert " style=" not in page.text
        now = (await desk.operator.get("/coding/now", headers=ZH)).json()
        assert now["process"] == "down", "nobody serves the line's socket"
        later, earlier = now["waiting"]
        assert (later["track"], later["in_time"], later["on_belt"]) == (2, True, True)
        assert [one["reader"] for one in later["pictures"]] == [TOP]
        assert "模糊" in later["pictures"][0]["text"]
        assert (earlier["track"], earlier["pictures"]) == (1, [])
        assert set(now["outcomes"]) == {"joined", "gone_by", "identified", "unknown"}


@pytest.mark.parametrize(
    ("role", "headers", "status"),
    [
        (Role.OPERATOR, HERE, 200),
        (Role.VIEWER, HERE, 403),
        (Role.ERP, HERE, 403),
        (Role.OPERATOR, {}, 403),
        (Role.OPERATOR, {"Sec-Fetch-Site": "cross-site"}, 403),
        (Role.OPERATOR, {"Origin": "http://elsewhere"}, 403),
    ],
)
async def test_only_an_operator_on_our_own_page_keys_codes(
    tmp_path: Path, role: Role, headers: dict[str, str], status: int
) -> None:
    belt(Places(tmp_path), 1).close()
    async with open_desk(tmp_path) as desk:
        assert await key(desk, role, headers) == status
    reader = InboxReader(Places(tmp_path).inbox)
    rows = reader.rows_after(InboxSeq(0), 10)
    reader.close()
    assert [(row.track, row.text, row.by) for row in rows if isinstance(row, CodeRow)] == (
        [(TrackId(1), "OLD-0007", "operator")] if status == 200 else []
    )


async def key(desk: Desk, role: Role, headers: dict[str, str]) -> int:
    body = json.dumps({"message_id": "m1", "code": "OLD-0007", "again": "OLD-0007"})
    sent = {"Content-Type": "application/json"} | headers
    return (await desk.clients[role].post("/coding/1", content=body, headers=sent)).status_code


async def test_causes_by_carrier_customer_and_side(tmp_path: Path) -> None:
    """Known by its own decision, by another round of what was keyed, by its order, and not at all."""
    scribe = belt(Places(tmp_path), 1, 2, 3, 4, 5)
    scribe.write(taken(6_000_000, 1, CodingOutcome.JOINED, "W1"), changed(6_000_000, 1, "W1"))
    scribe.write(store_kit.decided(6_100_000, 1, "W1"))
    scribe.write(taken(6_200_000, 2, CodingOutcome.GONE_BY, "W2"))
    scribe.write(store_kit.opened(7_000_000, 6), store_kit.identified(7_000_500, 6, "W2"))
    scribe.write(store_kit.decided(7_100_000, 6, "W2"))
    scribe.write(taken(7_200_000, 3, CodingOutcome.GONE_BY, CODE))
    scribe.close()
    for track in (1, 2, 3, 4):
        keep(Places(tmp_path), track)
    keep(Places(tmp_path), 5, epoch=9)
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        told = (await desk.clients[Role.VIEWER].get("/v1/no-reads")).json()
        assert told["pictures"] == 4
        found = [(one["carrier"], one["customer_code"], one["pictures"]) for one in told["counts"]]
        assert found == [("zto", "C1", 2), ("", "", 1), ("ZTO", "K01", 1)]
        assert {(one["reader"], one["cause"]) for one in told["counts"]} == {(TOP, "blurred")}
        latest = (await desk.operator.get("/v1/no-reads?limit=2")).json()
        assert latest["pictures"] == 1, "of the latest two one is nobody's"


async def test_the_station_shows_no_picture_of_a_parcel_whose_place_came_into_doubt(tmp_path: Path) -> None:
    scribe = belt(Places(tmp_path), 1, 2)
    scribe.write(store_kit.decided(3_000_000, 1, "", Reason.NO_READ, "REJECT"))
    scribe.write(store_kit.decided(3_100_000, 2, "", Reason.POSITION_UNKNOWN, "REJECT"))
    scribe.close()
    keep(Places(tmp_path), 1)
    keep(Places(tmp_path), 2)
    async with open_desk(tmp_path) as desk:
        waiting = (await desk.operator.get("/coding/now")).json()["waiting"]
        assert [(one["track"], len(one["pictures"]), one["in_time"]) for one in waiting] == [
            (2, 0, False),
            (1, 1, False),
        ]
        assert (await desk.operator.get("/v1/tracks/2/pictures/top")).status_code == 200
