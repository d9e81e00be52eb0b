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
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from edge.model.ids import InboxSeq
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from line_config.load import load_line
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
BELT_Y = 125
LEFT, RIGHT = 30, 1_090
NEAR = 12
"""Of the drawing's units: at a chute's middle, but for its last step there."""
WATCH = """
window.seen = {};
window.left = {};
const parcels = document.getElementById("parcels");
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes)
    if (node.dataset && node.dataset.track) window.seen[node.dataset.track] = Date.now();
}).observe(parcels, {childList: true});
new MutationObserver((changes) => {
  for (const {target} of changes) {
    const begun = window.left[target.dataset.track];
    window.left[target.dataset.track] = [begun ? begun[0] : Date.now(), target.getAttribute("transform")];
  }
}).observe(parcels, {subtree: true, attributes: true, attributeFilter: ["opacity"]});
"""
"""When each parcel was drawn; when it began to leave the belt (it grows paler), and where that ended."""


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


async def drawn_at(parcel: Locator) -> float:
    """Along the belt, in the drawing's units."""
    found = re.search(r"translate\(([-\d.]+)", await parcel.get_attribute("transform") or "")
    assert found
    return float(found[1])


async def watch_a_parcel(page: Page, demo: RunningDemo) -> None:
    """From induction to its chute: its drawing moves downstream, leaves for the chute that the record names
    and not before the record says so, and is counted there."""
    await page.evaluate(WATCH)
    latest = page.locator("#parcels .parcel").last
    await expect(latest).to_be_attached()
    track = int(await latest.get_attribute("data-track") or 0) + 1
    one = page.locator(f'#parcels .parcel[data-track="{track}"]')
    await expect(one).to_be_attached()
    places = [await drawn_at(one)]
    assert places[0] < LEFT + (RIGHT - LEFT) / 3, "it has just come"
    for _ in range(3):
        await asyncio.sleep(0.2)
        places.append(await drawn_at(one))
    assert places == sorted(places)
    assert places[-1] > places[0]
    await expect(one).to_have_count(0)
    (chute, exited_us) = await the_end_of(demo, track)
    begun_ms, last = await page.evaluate("(track) => window.left[track]", str(track))
    assert begun_ms >= exited_us / 1_000, "nobody knew before"
    box = page.locator(f'[data-chute="{chute}"]')
    x, y = map(float, await box.evaluate("(chute) => [chute.dataset.x, chute.dataset.y]"))
    drawn_x, drawn_y = map(float, re.findall(r"-?[\d.]+", last)[:2])
    assert abs(drawn_x - x) < NEAR
    assert abs(drawn_y + BELT_Y - y) < NEAR
    counted = "SELECT count(*) FROM parcel WHERE actual_chute=?"
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while await box.locator(".count").text_content() != str(demo.rows(counted, chute)[0][0]):
            await asyncio.sleep(0.1)


async def the_end_of(demo: RunningDemo, track: int) -> tuple[str, int]:
    """Chute and wall time in µs, once it is on record."""
    query = "SELECT actual_chute, exited_utc_us FROM parcel WHERE track=? AND actual_chute IS NOT NULL"
    await demo.until(lambda: demo.rows(query, track), PATIENCE_MS / 1_000)
    chute, exited_us = demo.rows(query, track)[0]
    return str(chute), int(exited_us)


async def find_a_reject(page: Page, demo: RunningDemo) -> None:
    """In the list, and by its waybill: what was wrong with it, and what to do."""
    query = (
        "SELECT waybill, exit_reason FROM parcel WHERE exit_reason NOT IN ('ok', 'lost') AND waybill<>''"
        " AND last_seq ORDER BY last_seq DESC"
    )
    await demo.until(lambda: demo.rows(query), PATIENCE_MS / 1_000)
    waybill, reason = demo.rows(query)[0]
    (words,) = (one for one in load_line("camera").reasons if one.reason.value == reason)
    listed = page.locator("#rejects li", has_text=waybill)
    await expect(listed).to_contain_text(words.text.en)
    await expect(listed).to_contain_text(words.action.en)
    await page.fill("input[name=q]", waybill)
    await page.press("input[name=q]", "Enter")
    await page.wait_for_url(re.compile(r"/parcel/"))
    await expect(page.locator("h1")).to_contain_text(waybill)
    verdict = page.locator(".verdict")
    await expect(verdict).to_contain_text(words.text.en)
    await expect(verdict).to_contain_text(f"What to do: {words.action.en}")
    await picture(page, "parcel-en")
    await page.goto(f"{page.url}?lang=zh")
    await expect(page.locator(".steps")).to_contain_text("经过光电")
    await expect(verdict).to_contain_text(words.action.zh)
    await picture(page, "parcel-zh")
    await page.goto("/?lang=en")


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
        await watch_a_parcel(page, demo)
        await picture(page, "live-zh")
        await page.goto("/?lang=en")
        await expect(page.locator("#state-text")).to_have_text("Running")
        await expect(page.locator("#devices li", has_text="bench1")).to_contain_text("last word")
        await acknowledge_an_alarm(page, demo)
        await find_a_reject(page, demo)
        assert await page.evaluate("document.documentElement.lang") == "en", "remembered"


async def test_the_page_follows_12000_parcels_an_hour_within_a_second(tmp_path: Path) -> None:
    came: dict[str, float] = {}
    went: dict[str, float] = {}
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
                came[str(track)] = time.time() * 1_000
                await asyncio.sleep(PITCH_S / 2)
                await journal.append(life[2:], InboxSeq(0))
                went[str(track)] = time.time() * 1_000
                await asyncio.sleep(PITCH_S / 2)
            await asyncio.sleep(FOLLOWS_MS / 1_000)
            seen: dict[str, float] = await page.evaluate("window.seen")
            left: dict[str, tuple[float, str]] = await page.evaluate("window.left")
        finally:
            await journal.close()
    assert seen.keys() == came.keys()
    assert left.keys() == went.keys()
    for behind in (
        sorted(seen[track] - came[track] for track in came),
        sorted(left[track][0] - went[track] for track in went),
    ):
        assert behind[int(len(behind) * 0.95)] < FOLLOWS_MS, behind
