"""Cameras that look when a parcel passes: told by the line, or fired by an eye of their own."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from edge.model.ids import TrackId
from tests.wire.camera_bench import BACK_S, JT1, JT2, LONG_S, Bench

pytestmark = pytest.mark.wire

TRIGGER = "readers.side.connection.trigger="
UNREAD = 2
"""So many labels one after the other: one alone may have come too late to be read."""


async def test_one_that_the_line_triggers_reads_what_it_is_told_of(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TRIGGER + "line")
    try:
        await bench.open()
        await bench.shows(JT1)
        assert bench.read() == [set(JT1)], "told nothing yet, it looks"
        bench.link.passing(())
        await rests(bench)
        bench.link.passing((TrackId(7),))
        await bench.shows(JT2)
        assert bench.why() == []
    finally:
        await bench.close()


async def rests(bench: Bench) -> None:
    """Until it has heard that nothing passes: labels are read no more."""
    unread = 0
    async with asyncio.timeout(LONG_S):
        while unread < UNREAD:
            before = len(bench.seen)
            bench.frames.saw(round(asyncio.get_running_loop().time() * 1_000_000), JT2)
            await asyncio.sleep(1)
            unread = unread + 1 if len(bench.seen) == before else 0


async def test_one_that_an_eye_fires_may_be_silent_and_must_not_miss_a_parcel(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TRIGGER + "eye")
    bench.frames.silent = True  # but for what is fired
    try:
        await bench.open()
        bench.link.passing(())
        await asyncio.sleep(2 * BACK_S)
        missed = [why for why in bench.causes() if "no frame" in why or "nothing for" in why]
        assert missed == [], "no picture for long, and none was due"
        bench.link.passing((TrackId(7),))
        bench.frames.silent = False
        for label in (JT1, JT2):  # what it is told comes by another way: before the second it is there
            await bench.shows(label)
        bench.frames.silent = True
        bench.link.passing(())
        await asyncio.sleep(0.5)
        assert bench.why() == []
        await pass_unseen(bench)
        assert bench.why() == ["side: a parcel passed, and its eye fired no picture"]
        await bench.until(lambda: bench.up)
        assert bench.read() == [set(JT1), set(JT2)]
    finally:
        await bench.close()


async def pass_unseen(bench: Bench) -> None:
    """Parcels of which no picture is fired, until that is noticed: the last picture before may still be on
    its way when the first of them passes."""
    async with asyncio.timeout(LONG_S):
        for track in count(8):
            for told in ((TrackId(track),), ()):
                bench.link.passing(told)
                await asyncio.sleep(0.3)
            if bench.why():
                return
