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
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Route, async_playwright, expect

from edge.model.ids import InboxSeq
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from line_config.load import load_line
from tests.core.store_kit import LINE, ZONE, clock, parcel_life
from tests.wire.broker import free_port
from tests.wire.demo_process import RunningDemo, running_demo
from tests.wire.gateway_process import running_gateway
from tests.wire.starvation import starvation

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
"""Of the drawing's units."""
GEOMETRY = "(({positions, end, speed}) => [positions.split(',')[0], end, speed])(document.body.dataset)"
"""The first eye and the end of the belt in mm, and mm a second."""
WATCH = """
window.seen = {};
window.drawn = {};
window.left = {};
const parcels = document.getElementById("parcels");
const leaves = (node) => {
  const begun = window.left[node.dataset.track], of = (name) => node.getAttribute(name);
  window.left[node.dataset.track] = [begun ? begun[0] : Date.now(), of("transform"), of("opacity")];
};
new MutationObserver((changes) => {
  for (const {addedNodes, removedNodes} of changes) {
    for (const {dataset} of addedNodes) if (dataset && dataset.track) window.seen[dataset.track] = Date.now();
    for (const node of removedNodes) if (node.dataset && !window.left[node.dataset.track]) leaves(node);
  }
}).observe(parcels, {childList: true});
new MutationObserver((changes) => {
  for (const {target} of changes) {
    if (target.hasAttribute("opacity")) { leaves(target); continue; }
    const [, x] = /translate\\(([-\\d.]+)/.exec(target.getAttribute("transform"));
    (window.drawn[target.dataset.track] ||= []).push([Date.now(), Number(x)]);
  }
}).observe(parcels, {subtree: true, attributes: true, attributeFilter: ["opacity", "transform"]});
"""
"""When each parcel came; when and where it was drawn on the belt; when it began to leave it (it grows
paler), and where it was last, and how pale: a page that stood still has drawn none of that."""
WENT = """
Object.keys(window.left).map(Number).find((track) => window.left[track][2] !== null
  && window.seen[track] && (window.drawn[track] || []).length > 1
  && !document.querySelector('#parcels [data-track="' + track + '"]')) || 0
"""
"""The first that was watched from its coming to its end, 0 if none was."""


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
    """Along the belt, in the drawing's units. One that came just now is placed by the next drawing, which a
    busy machine may be slow to make."""
    await expect(parcel).to_have_attribute("transform", re.compile("translate"))
    found = re.search(r"translate\(([-\d.]+)", await parcel.get_attribute("transform") or "")
    assert found
    return float(found[1])


async def watch_a_parcel(page: Page, demo: RunningDemo) -> None:
    """From induction to its chute: its drawing moves downstream, leaves for the chute that the record names
    and not before the record says so, and is counted there."""
    await page.evaluate(WATCH)
    track = 0
    async with asyncio.timeout(2 * PATIENCE_MS / 1_000):
        while not (track := await page.evaluate(WENT)):
            await asyncio.sleep(0.2)
    drawn, left = await page.evaluate("(track) => [window.drawn[track], window.left[track]]", track)
    came_us, chute, exited_us = await the_life_of(demo, track)
    first_ms, first_x = drawn[0]
    eye_mm, end_mm, mm_s = map(float, await page.evaluate(GEOMETRY))
    may_be_mm = eye_mm + 1.1 * mm_s * (first_ms / 1_000 - came_us / 1_000_000)
    assert first_x < LEFT + (RIGHT - LEFT) * may_be_mm / end_mm + NEAR, "it has just come"
    places = [x for _, x in drawn]
    assert all(after >= before - 1 for before, after in pairwise(places))
    assert places[-1] > places[0]
    begun_ms, last, opacity = left
    assert begun_ms >= exited_us / 1_000, "nobody knew before"
    box = page.locator(f'[data-chute="{chute}"]')
    x, y = map(float, await box.evaluate("(chute) => [chute.dataset.x, chute.dataset.y]"))
    last_x, last_y = (float(one) for one in re.findall(r"-?[\d.]+(?:e-?\d+)?", last)[:2])
    part = 2 * (1 - float(opacity))
    assert abs(places[-1] + (last_x - places[-1]) / part - x) < NEAR, "on its way to the chute"
    assert abs(BELT_Y + last_y / part - y) < NEAR
    counted = "SELECT count(*) FROM parcel WHERE actual_chute=?"
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while await box.locator(".count").text_content() != str(demo.rows(counted, chute)[0][0]):
            await asyncio.sleep(0.1)


async def the_life_of(demo: RunningDemo, track: int) -> tuple[int, str, int]:
    """Induction, chute and exit, in wall time in µs, once it is on record."""
    columns = "inducted_utc_us, actual_chute, exited_utc_us"
    query = f"SELECT {columns} FROM parcel WHERE track=? AND actual_chute IS NOT NULL"
    await demo.until(lambda: demo.rows(query, track), PATIENCE_MS / 1_000)
    came_us, chute, exited_us = demo.rows(query, track)[0]
    return int(came_us), str(chute), int(exited_us)


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


async def followed(page: Page) -> tuple[dict[str, float], dict[str, float]]:
    """When each parcel came and when it began to leave, once all have left."""
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while True:
            seen, left = await page.evaluate("[window.seen, window.left]")
            if len(left) >= PARCELS:
                return seen, {track: begun_ms for track, (begun_ms, _, _) in left.items()}
            await asyncio.sleep(0.1)


async def test_the_page_follows_12000_parcels_an_hour_within_a_second(tmp_path: Path) -> None:
    came: dict[str, float] = {}
    went: dict[str, float] = {}
    async with running_gateway(tmp_path) as gateway, browser() as one:
        journal = JournalWriter(Places(tmp_path).journal, line_id=LINE, timezone=ZONE)
        try:
            now_us = time.time_ns() // 1_000
            await journal.append([clock(0, now_us)], InboxSeq(0))
            page = await page_of(one, gateway.port, gateway.keys["operator-1"], "en")
            async with page.expect_response(re.compile("/live/stream")):
                await page.goto("/")
            await page.evaluate(WATCH)
            with starvation() as starved:
                for track in range(1, PARCELS + 1):
                    at_us = time.time_ns() // 1_000 - now_us
                    life = parcel_life(track, at_us)
                    await journal.append(life[:2], InboxSeq(0))
                    came[str(track)] = time.time() * 1_000
                    await asyncio.sleep(PITCH_S / 2)
                    await journal.append(life[2:], InboxSeq(0))
                    went[str(track)] = time.time() * 1_000
                    await asyncio.sleep(PITCH_S / 2)
                seen, left = await followed(page)
        finally:
            await journal.close()
    assert seen.keys() == came.keys()
    assert left.keys() == went.keys()
    for happened, shown in ((came, seen), (went, left)):
        behind = []
        for parcel, at_ms in happened.items():
            lost_ms = 1_000 * starved.between(at_ms / 1_000, shown[parcel] / 1_000)
            behind.append(shown[parcel] - at_ms - lost_ms)
        assert sorted(behind)[int(len(behind) * 0.95)] < FOLLOWS_MS, behind


async def test_a_parcel_goes_to_its_chute_though_the_state_told_first_that_it_is_gone(tmp_path: Path) -> None:
    """The state comes by a way of its own, and may be newer than the last row of the stream."""

    async def ahead(route: Route) -> None:
        answer = await route.fetch()
        now = await answer.json()
        await route.fulfill(response=answer, json=now | {"parcels": [], "seq": now["seq"] + PARCELS})

    life = parcel_life(1, 10)
    async with running_gateway(tmp_path) as gateway, browser() as one:
        journal = JournalWriter(Places(tmp_path).journal, line_id=LINE, timezone=ZONE)
        try:
            await journal.append([clock(0, time.time_ns() // 1_000), *life[:2]], InboxSeq(0))
            page = await page_of(one, gateway.port, gateway.keys["operator-1"], "en")
            async with page.expect_response(re.compile("/live/stream")):
                await page.goto("/")
            parcel = page.locator("#parcels .parcel")
            await expect(parcel).to_be_attached()
            await page.evaluate(WATCH)
            await page.route("**/live/now", ahead)
            for _ in range(2):  # what the first one did has been drawn by the second
                async with page.expect_response(re.compile("/live/now")):
                    pass
            await expect(parcel).to_be_attached()
            assert await page.evaluate("window.left") == {}, "its end is still on its way"
            await journal.append(life[2:], InboxSeq(0))
            await expect(parcel).not_to_be_attached()
            _, transform, _ = (await page.evaluate("window.left"))["1"]
        finally:
            await journal.close()
    assert abs(float(transform.rstrip(")").split()[-1])) > NEAR, transform
