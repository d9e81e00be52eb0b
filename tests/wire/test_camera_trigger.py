"""Cameras that look when a parcel passes: told by the line, or fired by an eye of their own."""

import asyncio
from pathlib import Path

import pytest

from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import TrackId
from tests.wire.camera_bench import BACK_S, JT1, JT2, Bench

pytestmark = pytest.mark.wire

TRIGGER = "readers.side.connection.trigger="


async def test_one_that_the_line_triggers_reads_what_it_is_told_of(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TRIGGER + "line")
    try:
        await bench.open()
        await bench.shows(JT1)
        assert [codes for _, codes in bench.seen] == [JT1], "told nothing yet, it looks"
        bench.link.passing(())
        await asyncio.sleep(0.5)
        bench.frames.saw(round(asyncio.get_running_loop().time() * 1_000_000), JT2)
        await asyncio.sleep(1)
        assert [codes for _, codes in bench.seen] == [JT1]
        bench.link.passing((TrackId(7),))
        await asyncio.sleep(0.1)
        await bench.shows(JT2)
        assert bench.went(DeviceWentDown) == 0
    finally:
        await bench.close()


async def test_one_that_an_eye_fires_may_be_silent_and_must_not_miss_a_parcel(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TRIGGER + "eye")
    bench.frames.silent = True  # but for what is fired
    try:
        await bench.open()
        bench.link.passing(())
        await asyncio.sleep(2 * BACK_S)
        assert bench.went(DeviceWentDown) == 0, "no picture for long, and none was due"
        bench.link.passing((TrackId(7),))
        bench.frames.silent = False
        await bench.shows(JT1)
        bench.frames.silent = True
        bench.link.passing(())
        await asyncio.sleep(0.5)
        assert bench.went(DeviceWentDown) == 0
        bench.link.passing((TrackId(8),))
        await asyncio.sleep(0.3)
        bench.link.passing(())
        await bench.until(lambda: bench.went(DeviceWentDown) == 1)
        await bench.until(lambda: bench.went(DeviceWentUp) == 2)
        assert [codes for _, codes in bench.seen] == [JT1]
    finally:
        await bench.close()
