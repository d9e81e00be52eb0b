"""The pages in a real browser: on the running demo, and on a record written at 12,000 parcels an hour."""

import asyncio
import json
import os
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from edge.model.ids import InboxSeq
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from tests.core.store_kit import LINE, ZONE, clock, parcel_life
from tests.wire.broker import free_port
from tests.wire.demo_process import RunningDemo, running_demo
from tests.wire.gateway_process import running_gateway

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.wire,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian package chromium is not installed"),
]
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
FOLLOWS_MS = 1_000
PITCH_S = 0.3
"""12,000 parcels an hour."""
PARCELS = 40
WATCH = """
window.seen = {};
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes)
    if (node.dataset && node.dataset.track) window.seen[node.dataset.track] = Date.now();
}).observe(document.getElementById("parcels"), {childList: true});
"""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield one
        finally:
            await one.close()


async def page_of(one: Browser, port: int, key: str, language: str) -> Page:
    context = await one.new_context(
        viewport={"width": 1280, "height": 800},
        base_url=f"http://127.0.0.1:{port}",
        http_credentials={"username": "operator", "password": key},
        locale=language,
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    return page


async def picture(page: Page, name: str) -> None:
    """Kept where ``BELTKEEPER_PICTURES`` names a folder."""
    folder = os.environ.get("BELTKEEPER_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def watch_a_parcel(page: Page) -> None:
    """From induction to its chute: its drawing moves downstream and is gone when the record says where."""
    moving = page.locator("#parcels .parcel").last
    await expect(moving).to_be_attached()
    track = await moving.get_attribute("data-track")
    one = page.locator(f'#parcels .parcel[data-track="{track}"]')
    places = []
    for _ in range(3):
        found = re.search(r"translate\(([\d.]+)", await one.get_attribute("transform") or "")
        assert found
        places.append(float(found[1]))
        await asyncio.sleep(0.2)
    assert places == sorted(places)
    await expect(one).to_have_count(0)


async def find_a_reject(page: Page, demo: RunningDemo) -> None:
    query = "SELECT waybill FROM parcel WHERE exit_reason NOT IN ('ok', 'lost') AND waybill<>'' AND last_seq"
    await demo.until(lambda: demo.rows(query), PATIENCE_MS / 1_000)
    waybill = demo.rows(query)[0][0]
    await page.fill("input[name=q]", waybill)
    await page.press("input[name=q]", "Enter")
    await page.wait_for_url(re.compile(r"/(parcel|search)"))
    await expect(page.locator("main")).to_contain_text(waybill)
    await picture(page, "parcel")


async def acknowledge_an_alarm(page: Page, demo: RunningDemo) -> None:
    """The scale is stopped as by a pulled plug; somebody sees it; it comes back."""
    scale = demo.pid_of("simulators.devices.scale")
    os.kill(scale, signal.SIGSTOP)
    try:
        alarm = page.locator("#alarms li", has_text="The scale is away")
        await expect(alarm).to_be_visible()
        device = page.locator("#devices li", has_text=re.compile("^scale"))
        await expect(device).to_contain_text(re.compile(r"down\s*last word \d+\.\d s ago · \S"))
        await picture(page, "live-en")
        await alarm.get_by_role("button").click()
        await expect(alarm).to_contain_text("operator-1")
    finally:
        os.kill(scale, signal.SIGCONT)
    await expect(page.locator("#alarms li", has_text="The scale is away")).to_have_count(0)
    assert [row["by"] for row in demo.bodies("AlarmAcknowledged")] == ["operator-1"]


async def test_an_operators_walk_through_the_running_demo(tmp_path: Path) -> None:
    port = free_port()
    data = tmp_path / "d"
    options = ("--forever", "--faults", "none", "--set", f"api.port={port}")
    async with running_demo(data, *options) as demo, browser() as one:
        await demo.until(lambda: demo.inducted > 3)
        key = json.loads((data / "first-keys.json").read_text())["operator-1"]
        page = await page_of(one, port, key, "zh-CN")
        await page.goto("/")
        await expect(page.locator("#state-text")).to_have_text("运行")
        await watch_a_parcel(page)
        await picture(page, "live-zh")
        await page.goto("/?lang=en")
        await expect(page.locator("#state-text")).to_have_text("Running")
        await acknowledge_an_alarm(page, demo)
        await find_a_reject(page, demo)
        assert await page.evaluate("document.documentElement.lang") == "en", "remembered"


async def test_the_page_follows_12000_parcels_an_hour_within_a_second(tmp_path: Path) -> None:
    written: dict[str, float] = {}
    async with running_gateway(tmp_path) as gateway, browser() as one:
        journal = JournalWriter(Places(tmp_path).journal, line_id=LINE, timezone=ZONE)
        try:
            now_us = time.time_ns() // 1_000
            await journal.append([clock(0, now_us)], InboxSeq(0))
            page = await page_of(one, gateway.port, gateway.keys["operator-1"], "en")
            await page.goto("/")
            await page.evaluate(WATCH)
            await asyncio.sleep(1)
            for track in range(1, PARCELS + 1):
                at_us = time.time_ns() // 1_000 - now_us
                life = parcel_life(track, at_us)
                await journal.append(life[:2], InboxSeq(0))
                written[str(track)] = time.time() * 1_000
                await asyncio.sleep(PITCH_S / 2)
                await journal.append(life[2:], InboxSeq(0))
                await asyncio.sleep(PITCH_S / 2)
            await asyncio.sleep(FOLLOWS_MS / 1_000)
            seen: dict[str, float] = await page.evaluate("window.seen")
        finally:
            await journal.close()
    assert seen.keys() == written.keys()
    behind = sorted(seen[track] - written[track] for track in written)
    assert behind[int(len(behind) * 0.95)] < FOLLOWS_MS, behind
