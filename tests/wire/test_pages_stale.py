"""What the live page shows while somebody is silent, or the belt stands: nothing that only looks alive."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from playwright.async_api import Locator, Page, expect
from prometheus_client import CollectorRegistry

from edge.model.events import StatusBitsChanged
from edge.model.ids import BootEpoch, InboxSeq
from edge.model.register_map import StateBit
from edge.model.units import MonoUs, Ticks
from edge.runtime.metrics import MetricsSocket
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from tests.core.core_line import bits
from tests.core.store_kit import LINE, ZONE, clock, opened
from tests.wire.broker import free_port
from tests.wire.demo_process import running_demo
from tests.wire.gateway_process import running_gateway
from tests.wire.test_pages import CHROMIUM, browser, drawn_at, page_of

pytestmark = [
    pytest.mark.wire,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian package chromium is not installed"),
]
CROSSED_MS = 30_000
"""6 s without news, and what a busy machine needs beside."""
GATEWAY_SILENT = "No news from the gateway: this picture is old"
LINE_SILENT = "The line process does not answer: this picture is old"
SLOW = ("line.speed_mm_s=100", "line.nominal_per_h=300")
"""So that a parcel is on its way from one eye to the next for as long as the test looks."""
MOVED = 0.5
"""Of the drawing's units: 12 mm of the demo line."""


async def moves(parcel: Locator, within_s: float = 1.0) -> bool:
    first = await drawn_at(parcel)
    await asyncio.sleep(within_s)
    return abs(await drawn_at(parcel) - first) > MOVED


async def moved(parcel: Locator) -> None:
    """The page may draw seldom on a busy machine; what stands is never seen to move."""
    async with asyncio.timeout(CROSSED_MS / 1_000):
        while not await moves(parcel, 0.3):
            pass


async def crossed_out(page: Page, why: str, silent: int) -> None:
    """As long as the process stands; what is drawn then stands too."""
    body = page.locator("body")
    await expect(body).not_to_have_class(re.compile("stale"))
    os.kill(silent, signal.SIGSTOP)
    try:
        await expect(body).to_have_class(re.compile("stale"), timeout=CROSSED_MS)
        await expect(page.locator("#stale")).to_have_text(why)
        await expect(page.locator("#stale")).to_be_visible()
        opacity = await page.locator(".panels, .coding").evaluate(
            "(shown) => getComputedStyle(shown).opacity"
        )
        assert float(opacity) < 1
        for parcel in (await page.locator("#parcels .parcel").all())[:2]:
            assert not await moves(parcel)
    finally:
        os.kill(silent, signal.SIGCONT)
    await expect(body).not_to_have_class(re.compile("stale"))
    await expect(page.locator("#stale")).to_be_hidden()


async def test_what_nobody_vouches_for_is_crossed_out(tmp_path: Path) -> None:
    """Also while the gateway lives and only the line process is silent: its beats are no word of the line."""
    port, data = free_port(), tmp_path / "d"
    async with (
        running_demo(data, "--forever", "--faults", "none", "--set", f"api.port={port}") as demo,
        browser() as one,
    ):
        await demo.until(lambda: demo.inducted > 2)
        key = json.loads((data / "first-keys.json").read_text())["operator-1"]
        page = await page_of(one, port, key, "en")
        await page.goto("/")
        await expect(page.locator("#parcels .parcel").first).to_be_attached()
        await crossed_out(page, LINE_SILENT, demo.pid_of(" run camera"))
        await crossed_out(page, GATEWAY_SILENT, demo.pid_of(" gateway camera"))
        await page.goto("/coding")
        await crossed_out(page, LINE_SILENT, demo.pid_of(" run camera"))
        await page.goto("/")
        demo.kill_9(" run camera")
        await expect(page.locator("#state-text")).to_have_text("Running")


class Belt:
    """A line process in two words: what it puts on record, and what it says when it is asked."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal
        self._began = monotonic()
        self._runs = True

    def said(self) -> bytes:
        return json.dumps({"belt_runs": self._runs, "devices": {}}).encode()

    def now_us(self) -> int:
        return round((monotonic() - self._began) * 1_000_000)

    async def put(self, track: int) -> None:
        await self._journal.append([opened(self.now_us(), track)], InboxSeq(0))

    async def turn(self, state: StateBit) -> None:
        self._runs = bool(state & StateBit.RUN)
        at = self.now_us()
        row = StatusBitsChanged(
            at_us=MonoUs(at), epoch=BootEpoch(1), ticks=Ticks(at), bits=bits(state, diverters_home=1)
        )
        await self._journal.append([row], InboxSeq(0))


@asynccontextmanager
async def belt_at(data: Path) -> AsyncIterator[Belt]:
    places = Places(data)
    journal = JournalWriter(places.journal, line_id=LINE, timezone=ZONE)
    belt = Belt(journal)
    socket = MetricsSocket(places.line_metrics, CollectorRegistry(), belt.said)
    await socket.open()
    try:
        await journal.append([clock(0, time.time_ns() // 1_000)], InboxSeq(0))
        yield belt
    finally:
        await socket.close()
        await journal.close()


async def test_a_parcel_stands_where_the_belt_stands(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, settings=SLOW) as gateway,
        belt_at(tmp_path) as belt,
        browser() as one,
    ):
        page = await page_of(one, gateway.port, gateway.keys["operator-1"], "en")
        await page.goto("/")
        await belt.put(1)
        parcel, said = page.locator('#parcels .parcel[data-track="1"]'), page.locator("#belt")
        await expect(parcel).to_be_attached()
        await moved(parcel)
        await belt.turn(StateBit.E_STOP)
        await expect(said).to_contain_text("the belt stands")
        stood = await drawn_at(parcel)
        assert not await moves(parcel, 3.0)
        await page.reload()
        await expect(said).to_contain_text("the belt stands")
        await expect(parcel).to_be_attached()
        assert not await moves(parcel), "nor is it drawn anywhere that it never was"
        assert await drawn_at(parcel) <= stood
        await belt.turn(StateBit.RUN)
        await expect(said).to_be_empty()
        await moved(parcel)
