"""The pages without a browser: words, drawing, search, weight, and who may press what."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.http.auth import Role
from api.pages.mimic import HEIGHT, WIDTH, Box, mimic_of
from api.pages.render import STATIC
from api.pages.texts import ALARMS, LANGUAGES, STATES, TEXTS
from edge.model.alarm import AlarmKind
from edge.model.codes import CodeStanding, JudgedCode, Symbology
from edge.model.events import DeviceWentDown
from edge.model.ids import DeviceId, JournalSeq, ReaderId
from edge.model.line import LineState
from edge.model.records import AlarmRaised, Identified, LineStateChanged
from edge.model.units import MonoUs
from edge.store.inbox_reader import InboxReader
from edge.store.places import Places
from line_config.load import load_line
from tests.core.store_kit import Scribe, missing, opened, parcel_life
from tests.line.gateway_kit import Desk, open_desk, order_json

WEIGHT_MAX = 150_000
ZH, EN = {"Accept-Language": "zh-CN"}, {"Accept-Language": "en"}
HERE = {"Sec-Fetch-Site": "same-origin"}


def write_record(data: Path) -> None:
    scribe = Scribe(Places(data).journal)
    scribe.write(*parcel_life(1, 1_000_000, "W1"), *parcel_life(2, 2_000_000, "W<b>2"), opened(3_000_000, 3))
    scribe.write(opened(4_000_000, 4), missing(4_100_000, 4, "W1", counts=False))
    scribe.close()


def test_both_languages_say_everything() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for language in LANGUAGES:
        assert STATES[language].keys() == {state.value for state in LineState} | {""}
        assert ALARMS[language].keys() == {kind.value for kind in AlarmKind}
        assert all(TEXTS[language].values())


@pytest.mark.parametrize("name", ["demo", "small", "fast"])
def test_every_chute_is_drawn_inside_and_over_no_other(name: str) -> None:
    line = load_line(name).topology
    mimic = mimic_of(line)
    assert {box.chute for box in mimic.boxes} == {chute.id for chute in line.chutes}
    assert [mark.id for mark in mimic.eyes] == [eye.id for eye in line.eyes]
    for n, box in enumerate(mimic.boxes):
        assert 0 <= box.x <= box.x + box.width <= WIDTH
        assert 0 <= box.y <= box.y + box.height <= HEIGHT
        assert box.width >= 30, "a number must fit"
        assert not any(_overlap(box, other) for other in mimic.boxes[n + 1 :])


def _overlap(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not apart and one.y < other.y + other.height and other.y < one.y + one.height


async def test_the_live_page_in_both_languages_and_its_weight(tmp_path: Path) -> None:
    write_record(tmp_path)
    async with open_desk(tmp_path) as desk:
        weight = 0
        for language, word in ((ZH, "最近的异常件"), (EN, "Last rejects")):
            answer = await desk.operator.get("/", headers=language)
            assert (answer.status_code, word in answer.text) == (200, True)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert " style=" not in answer.text
            assert "<script>" not in answer.text
            assert "http://" not in answer.text
            assert "https://" not in answer.text
            weight = max(weight, len(answer.content))
        for name in STATIC:
            weight += len((await desk.operator.get(f"/static/{name}")).content)
        now = await desk.operator.get("/live/now", headers=ZH)
        assert weight + len(now.content) < WEIGHT_MAX


async def test_what_the_live_page_is_told(tmp_path: Path) -> None:
    write_record(tmp_path)
    async with open_desk(tmp_path) as desk:
        now = (await desk.operator.get("/live/now", headers=EN)).json()
    assert now["process"] == "down"
    assert [one["track"] for one in now["parcels"]] == [3]
    assert now["rejects"][0]["track"] == 4
    assert now["by_chute"]
    assert now["counted"] == 3


async def test_a_language_asked_for_is_remembered(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.operator.get("/", params={"lang": "zh"}, headers=EN)
        cookie = answer.headers["Set-Cookie"]
        assert "bk_lang=zh" in cookie
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()
        again = await desk.operator.get("/", headers=EN | {"Cookie": "bk_lang=zh"})
        assert again.headers["Content-Language"] == "zh"
        odd = await desk.operator.get("/", params={"lang": "<x>"}, headers=EN)
        assert odd.headers["Content-Language"] == "en"


async def test_a_parcel_is_found_by_waybill_order_and_track(tmp_path: Path) -> None:
    write_record(tmp_path)
    async with open_desk(tmp_path) as desk:
        several = await desk.operator.get("/search", params={"q": " W1 "}, headers=EN)
        assert several.status_code == 200
        assert "/parcel/1" in several.text
        assert "/parcel/4" in several.text
        one = await desk.operator.get("/search", params={"q": "2"}, headers=EN)
        assert (one.status_code, one.headers["Location"]) == (303, "/parcel/2")
        page = await desk.operator.get("/parcel/2", headers=EN)
        assert page.status_code == 200
        assert "W&lt;b&gt;2" in page.text
        assert "W<b>2" not in page.text
        assert page.text.count("<tr class=") == 7
        nothing = await desk.operator.get("/search", params={"q": "<i>"}, headers=EN)
        assert (nothing.status_code, "&lt;i&gt;" in nothing.text, "<i>" in nothing.text) == (404, True, False)
        assert (await desk.operator.get("/parcel/99", headers=EN)).status_code == 404
        await desk.erp.put("/v1/orders/SO-7", json=order_json(7))
        there = await desk.operator.get("/search", params={"q": "SO-7"}, headers=EN)
        assert (there.status_code, "never" in there.text or "not been" in there.text) == (404, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (HERE, 200),
        ({"Origin": "http://gateway"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://elsewhere"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://gateway"}, 403),
    ],
)
async def test_only_our_own_page_acknowledges(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await acknowledge(desk, Role.OPERATOR, headers)
        assert answer == status
        assert (await acknowledge(desk, Role.VIEWER, headers)) == 403
    reader = InboxReader(Places(tmp_path).inbox)
    written = [type(row).__name__ for row in reader.rows_after(JournalSeq(0), 10)]  # type: ignore[arg-type]
    reader.close()
    assert ("OperatorRow" in written) is (status == 200)


async def acknowledge(desk: Desk, role: Role, headers: dict[str, str]) -> int:
    body = json.dumps({"message_id": "m1", "subject": "jam"})
    json_headers = {"Content-Type": "application/json"} | headers
    return (
        await desk.clients[role].post("/live/acknowledge", content=body, headers=json_headers)
    ).status_code


@pytest.mark.parametrize("name", ["../routes.py", "..%2froutes.py", "style.css/", "live.html", ""])
async def test_no_other_file_is_given(tmp_path: Path, name: str) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await desk.operator.get(f"/static/{name}")).status_code == 404


async def test_the_chinese_pages_are_chinese(tmp_path: Path) -> None:
    """Only what was typed in, read from a label or named by the line's description is not."""
    scribe = Scribe(Places(tmp_path).journal)
    life = parcel_life(1, 1_000_000, "W1")
    codes = (
        JudgedCode(
            text="W1",
            symbology=Symbology.CODE128,
            readers=(ReaderId("top"),),
            standing=CodeStanding.CHOSEN,
        ),
    )
    read = [replace(item, codes=codes) if isinstance(item, Identified) else item for item in life]
    scribe.write(*read)
    why = "latched, waits for a reset"
    scribe.write(LineStateChanged(at_us=MonoUs(3_000_000), state=LineState.STOPPED, why=why))
    scribe.write(
        AlarmRaised(at_us=MonoUs(3_000_000), kind=AlarmKind.MIS_SORT, subject="exit 3", detail="track 7"),
        DeviceWentDown(
            at_us=MonoUs(3_000_000), device=DeviceId("scale"), why="scale:4001: silent for 900 ms"
        ),
    )
    scribe.close()
    async with open_desk(tmp_path) as desk:
        page = (await desk.operator.get("/parcel/1", headers=ZH)).text
        english = (await desk.operator.get("/parcel/1", headers=EN)).text
        now = (await desk.operator.get("/live/now", headers=ZH)).json()
        await desk.erp.put("/v1/orders/SO-7", json=order_json(7))
        there = await desk.operator.get("/search", params={"q": "SO-7"}, headers=ZH)
    for word in ("经过光电", "判定", "运单号", "one_fits: 只有一个条码符合承运商规则", "(top): 选为运单号"):
        assert word in page
    for word in ("EyePassed<", "<i>waybill</i>", "chosen", ">yes<", ">good<"):
        assert word not in page
    for word in ("EyePassed", "one_fits: Exactly one code fits a carrier&#39;s pattern", "(top): chosen"):
        assert word in english
    assert now["why"] == "已锁停，等待复位"
    (alarm,) = now["alarms"]
    assert (alarm["subject"], alarm["about"], alarm["detail"]) == ("exit 3", "出口 3", "包裹 7")
    (scale,) = [one for one in now["devices"] if one["device"] == "scale"]
    assert scale["why"] == "scale:4001：900 毫秒没有数据"
    assert "订单存在（已放行）" in there.text


@pytest.mark.parametrize(
    ("language", "words"), [(EN, "at most 64 characters; this one has 65"), (ZH, "最多 64 个字符")]
)
async def test_a_number_that_is_too_long_is_answered_in_words(
    tmp_path: Path, language: dict[str, str], words: str
) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.operator.get("/search", params={"q": "7" * 65}, headers=language)
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("text/html")
        assert words in answer.text
        assert "7" * 65 not in answer.text
        assert (await desk.operator.get("/search", params={"q": "7" * 64})).status_code == 404
