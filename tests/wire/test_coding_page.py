"""The coding station in a real browser: a picture waits, a person keys its code, the line says what became
of it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Page, expect

from drivers.streams.picture_files import jpeg_of
from edge.model.codes import Code, Symbology
from edge.model.coding import CodingOutcome
from edge.model.ids import BootEpoch, InboxSeq, PlcNumber, ReaderId
from edge.model.units import UtcUs
from edge.ports.inbox import CodeRow
from edge.store.inbox_reader import InboxReader
from edge.store.journal_writer import JournalWriter
from edge.store.picture_keeper import PictureKeeper
from edge.store.places import Places
from simulators.labels.printed import LabelPrint, print_label
from simulators.labels.scenes import Pixels
from tests.core.store_kit import LINE, ZONE, clock, opened
from tests.core.test_pictures import note
from tests.line.gateway_kit import order_json
from tests.line.test_api_coding import changed, no_read, taken
from tests.wire.gateway_process import GatewayProcess, running_gateway
from tests.wire.test_pages import CHROMIUM, PATIENCE_MS, browser, page_of, picture

pytestmark = [
    pytest.mark.wire,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian package chromium is not installed"),
]
TOP = ReaderId("top")
CODE = "73120000000001"
S = 1_000_000
SIZE = (1300, 1000)
CARTON = 150
BLUR_PX = 4.0


def blurred_label(waybill: str) -> Pixels:
    """Turned on its carton, and too soft for a decoder."""
    codes = (Code(text=waybill, symbology=Symbology.CODE128),)
    label = print_label(LabelPrint(codes=codes, lines=("上海转运中心", "浦东"), module_px=4))
    rows, columns = label.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), -20, 1.0)
    turn[:, 2] += (SIZE[0] / 2 - columns / 2, SIZE[1] / 2 - rows / 2)
    carton = cv2.warpAffine(label, turn, SIZE, borderMode=cv2.BORDER_CONSTANT, borderValue=CARTON)
    return np.asarray(cv2.GaussianBlur(carton, (0, 0), BLUR_PX), np.uint8)


def keep_pictures(data: Path, labels: Mapping[int, str]) -> None:
    keeper = PictureKeeper(Places(data).pictures / TOP, max_bytes=1 << 30, max_age_s=86_400, spare_bytes=0)
    keeper.open()
    for track, waybill in labels.items():
        data_of = jpeg_of(blurred_label(waybill))
        one = replace(note(track, data_of), reader=TOP, epoch=BootEpoch(1), number=PlcNumber(track))
        assert keeper.put(one, data_of, UtcUs(time.time_ns() // 1_000))


async def keyed(data: Path, count: int) -> list[CodeRow]:
    """Once so many codes are on record."""
    reader = InboxReader(Places(data).inbox)
    try:
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while True:
                rows = [row for row in reader.rows_after(InboxSeq(0), 50) if isinstance(row, CodeRow)]
                if len(rows) == count:
                    return rows
                await asyncio.sleep(0.05)
    finally:
        reader.close()


async def shown(page: Page) -> str | None:
    """The picture's address, once it is drawn."""
    image = page.locator("#picture")
    await expect(image).to_be_visible()
    await page.wait_for_function("document.getElementById('picture').naturalWidth > 100")
    return await image.get_attribute("src")


async def turn_and_move(page: Page) -> None:
    """A label lies as it lies: it is turned, made larger, and pulled to where its code is."""
    for button in ("#turn", "#larger", "#larger"):
        await page.locator(button).click()
    box = await page.locator("#frame").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 40, y - 25)
    await page.mouse.up()
    placed = await page.locator("#picture").evaluate("(image) => image.style.transform")
    assert placed == "translate(40px, -25px) scale(2.25) rotate(90deg)"


async def in_time(page: Page, gateway: GatewayProcess, data: Path, journal: JournalWriter) -> None:
    """A code that fits a carrier and has an order is typed once."""
    async with gateway.client("erp-1") as erp:
        assert (await erp.put("/v1/orders/SO-1", json=order_json(1))).status_code == 200
    waiting = page.locator("#waiting button")
    await expect(waiting).to_have_count(2)
    await expect(waiting.first).to_contain_text("#2")
    await expect(waiting.first).to_contain_text("还来得及分拣")
    await waiting.nth(1).click()
    assert await shown(page) == "/coding/picture/1/top"
    await expect(page.locator("#cause")).to_contain_text("模糊")
    for digit in CODE:
        await page.locator("#keys").get_by_role("button", name=digit, exact=True).click()
    await expect(page.locator("#code")).to_have_value(CODE)
    await turn_and_move(page)
    await picture(page, "coding-zh")
    await page.locator("#take").click()
    await expect(page.locator("#said")).to_contain_text("已提交")
    await expect(waiting).to_have_count(1)
    (row,) = await keyed(data, 1)
    assert (row.track, row.text, row.by) == (1, CODE, "operator-1")
    await journal.append([taken(5 * S, 1, CodingOutcome.JOINED), changed(5 * S, 1, CODE)], InboxSeq(0))
    await expect(page.locator("#said")).to_contain_text("赶在判定之前")


async def too_late(page: Page, data: Path, journal: JournalWriter) -> None:
    """A code that nobody knows is typed twice; its parcel has gone by."""
    assert await shown(page) == "/coding/picture/2/top"
    code = page.locator("#code")
    await code.fill("old-0007")
    await code.press("Enter")
    await expect(page.locator("#ask")).to_have_text("Type it a second time")
    await picture(page, "coding-en")
    await code.fill("OLD-0008")
    await code.press("Enter")
    await expect(page.locator("#said")).to_contain_text("Not the same code")
    for _ in range(2):
        await code.fill("OLD-0007")
        await code.press("Enter")
        await expect(code).to_have_value("")
    rows = await keyed(data, 2)
    assert (rows[1].track, rows[1].text) == (2, "OLD-0007")
    await expect(page.locator("#waiting button")).to_have_count(0)
    await journal.append([taken(6 * S, 2, CodingOutcome.GONE_BY, "OLD-0007")], InboxSeq(0))
    await expect(page.locator("#said")).to_contain_text("ready when it comes round")
    await expect(page.locator("#ready")).to_contain_text("OLD-0007")
    await expect(page.locator("#blind")).to_contain_text("No parcel waits")


async def test_a_clerk_keys_what_no_reader_could_read(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway, browser() as one:
        journal = JournalWriter(Places(tmp_path).journal, line_id=LINE, timezone=ZONE)
        try:
            await journal.append([clock(0, time.time_ns() // 1_000)], InboxSeq(0))
            page = await page_of(one, gateway.port, gateway.keys["operator-1"], "zh-CN")
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            await page.goto("/coding")
            await expect(page.locator("#blind")).to_contain_text("没有包裹等待补码")
            for track in (1, 2):
                await journal.append([opened(track * S, track), no_read(track * S + 500, track)], InboxSeq(0))
            await expect(page.locator("#waiting button")).to_have_count(2)
            await expect(page.locator("#blind")).to_contain_text("没有这件包裹的照片")
            keep_pictures(tmp_path, {1: CODE, 2: "OLD-0007"})
            await in_time(page, gateway, tmp_path, journal)
            await page.goto("/coding?lang=en")
            await too_late(page, tmp_path, journal)
            await no_right_to_key(await page_of(one, gateway.port, gateway.keys["erp-1"], "en"), journal)
            assert errors == []
        finally:
            await journal.close()


async def no_right_to_key(page: Page, journal: JournalWriter) -> None:
    await journal.append([opened(7 * S, 3), no_read(7 * S + 500, 3)], InboxSeq(0))
    await page.goto("/coding")
    await expect(page.locator("#waiting button")).to_have_count(1)
    await page.locator("#code").fill(CODE)
    await page.locator("#code").press("Enter")
    await expect(page.locator("#said")).to_contain_text("may look, and not key")
