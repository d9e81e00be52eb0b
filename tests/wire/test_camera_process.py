"""A camera as a process of its own: real frames over a socket, killed, hung, frozen, and back."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from drivers.streams.unix import open_child
from edge.model.events import DeviceWentUp
from edge.model.ids import ReaderId, TrackId
from edge.model.pictures import NoReadCause
from edge.model.units import UtcUs
from edge.ports.byte_stream import LinkFailed
from edge.store.files import free_bytes
from edge.store.picture_keeper import PictureKeeper
from edge.store.pictures import PictureArchive, tracks_in
from edge.store.places import Places
from simulators.devices.camera import Sight
from tests.core.test_pictures import JPEG, note
from tests.wire.camera_bench import BACK_S, JT1, JT2, LONG_S, Bench, command, keep
from tests.wire.demo_process import alive

pytestmark = pytest.mark.wire


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    one = Bench(tmp_path)
    try:
        await one.open()
        yield one
    finally:
        await one.close()


async def test_labels_are_read_once_each_and_stamped_at_the_grab(bench: Bench) -> None:
    assert 100_000 <= await bench.shows(JT1) < 400_000
    assert 100_000 <= await bench.shows(JT2) < 400_000
    await asyncio.sleep(0.4)
    assert bench.read() == [set(JT1), set(JT2)], "two frames each, one answer"


async def test_a_picture_of_what_nobody_could_read_is_kept_and_outlives_the_process(bench: Bench) -> None:
    note = await bench.kept(7, (), lambda note: note.cause is NoReadCause.NOTHING_SEEN)
    assert note.codes == ()
    assert (note.width_px, note.height_px) == (1280, 1024)
    assert abs(note.taken_utc_us - time.time_ns() // 1_000) < 60_000_000
    note = await bench.kept(8, JT2, lambda note: len(note.codes) == len(JT2))
    assert {(code.text, code.symbology) for code in note.codes} == {(one.text, one.symbology) for one in JT2}
    assert all(code.engines for code in note.codes)
    bench.frames.kill_peers()
    await bench.until(lambda: not bench.up)
    await bench.until(lambda: bench.up)
    archive = PictureArchive(Places(bench.folder).pictures, [ReaderId("side")])
    picture = archive.jpeg(ReaderId("side"), TrackId(8))
    assert picture is not None
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert {one.text for one in zxingcpp.read_barcodes(pixels)} == {JT2[0].text}
    bench.link.keep(keep(9, 1, 2))
    await bench.shows(JT1)
    await asyncio.sleep(0.5)
    assert archive.note(ReaderId("side"), TrackId(9)) is None, "nobody looked then"


async def test_pictures_are_the_first_to_go_when_the_disk_fills(tmp_path: Path) -> None:
    """So little room is there that people are warned, and induction goes on: four times what stops it."""
    folder, side = Places(tmp_path).pictures, ReaderId("side")
    keeper = PictureKeeper(folder / side, max_bytes=1 << 30, max_age_s=86_400, spare_bytes=0)
    keeper.open()
    for track in (1, 2, 3):
        one = replace(note(track), reader=side)
        assert keeper.put(one, JPEG, UtcUs(time.time_ns() // 1_000))
    wanted_mb = free_bytes(tmp_path) // 3 >> 20
    bench = Bench(tmp_path, f"store.min_free_mb={wanted_mb}")
    try:
        await bench.open()
        await bench.until(lambda: list(tracks_in(folder / side)) == [])
        began_us = round(asyncio.get_running_loop().time() * 1_000_000)
        await bench.shows(JT1)
        bench.link.keep(keep(4, began_us, began_us + 2_000_000))
        await asyncio.sleep(1)
        assert list(tracks_in(folder / side)) == []
        await bench.shows(JT2)
    finally:
        await bench.close()


async def test_one_that_dies_is_back_and_says_nothing_of_before(bench: Bench) -> None:
    await bench.shows(JT1)
    await bench.comes_back(bench.frames.kill_peers)
    assert bench.read() == [set(JT1)]
    await bench.shows(JT2)


async def test_one_that_hangs_is_killed_and_back(bench: Bench) -> None:
    await bench.shows(JT1)
    hung: list[int] = []

    def hang() -> None:
        hung.append(bench.streams[-1].pid)
        os.kill(hung[-1], signal.SIGSTOP)

    await bench.comes_back(hang)
    assert bench.streams[-1].pid not in hung
    for one in hung:
        with pytest.raises(ProcessLookupError):
            os.kill(one, 0)
    await bench.shows(JT2)


async def test_a_frozen_source_is_seen_and_heals(bench: Bench) -> None:
    await bench.goes_down(partial(freeze, bench, True), partial(freeze, bench, False))
    assert bench.why() == ["side: the same picture again and again: the source is frozen"]
    bench.frames.frozen = False
    await bench.until(lambda: bench.up)
    await bench.shows(JT1)


def freeze(bench: Bench, frozen: bool) -> None:
    bench.frames.frozen = frozen


def look(bench: Bench, sight: Sight) -> None:
    bench.frames.sight = sight


@pytest.mark.parametrize(("sight", "why"), [(Sight.BLACK, "black"), (Sight.OVEREXPOSED, "overexposed")])
async def test_a_picture_that_shows_nothing_is_seen_and_heals(bench: Bench, sight: Sight, why: str) -> None:
    await bench.shows(JT1)
    await bench.goes_down(partial(look, bench, sight), partial(look, bench, Sight.CLEAR))
    assert bench.why() == [f"side: its pictures are {why}"]
    ups = bench.went(DeviceWentUp)
    bench.frames.saw(round(asyncio.get_running_loop().time() * 1_000_000), JT2)
    await asyncio.sleep(2 * BACK_S)
    assert bench.went(DeviceWentUp) == ups, "started anew, it sees at once that it is blind"
    bench.frames.sight = Sight.CLEAR
    await bench.until(lambda: bench.up)
    assert bench.read() == [set(JT1)]
    await bench.shows(JT2)


async def test_a_lens_out_of_focus_is_seen_and_heals(bench: Bench) -> None:
    await bench.shows(JT1)
    bench.frames.sight = Sight.OUT_OF_FOCUS

    def passes(until: Callable[[], object]) -> bool:
        """One more label every few looks, until then."""
        if until():
            return True
        bench.frames.saw(round(asyncio.get_running_loop().time() * 1_000_000), JT2)
        return False

    await bench.until(lambda: passes(bench.why), 2 * LONG_S, look_s=0.3)  # it wants 4 s in one run
    assert bench.why() == ["side: its pictures are out of focus"]
    ups = bench.went(DeviceWentUp)
    bench.frames.sight = Sight.CLEAR
    await asyncio.sleep(BACK_S)
    assert bench.went(DeviceWentUp) == ups, "an empty belt proves nothing"
    await bench.until(lambda: passes(lambda: bench.up), look_s=0.3)
    assert {code for _, codes in bench.seen for code in codes} <= {*JT1, *JT2}
    await asyncio.sleep(0.5)
    await bench.shows(JT1)


async def test_a_source_that_hangs_is_seen_and_heals(bench: Bench) -> None:
    await bench.shows(JT1)
    bench.frames.silent = True
    await bench.until(lambda: not bench.up)
    ups = bench.went(DeviceWentUp)
    await asyncio.sleep(BACK_S)
    assert bench.went(DeviceWentUp) == ups
    bench.frames.silent = False
    await bench.until(lambda: bench.up)
    assert bench.read() == [set(JT1)]
    await bench.shows(JT2)


async def test_a_source_that_is_unplugged_is_seen_and_heals(bench: Bench) -> None:
    await bench.shows(JT1)
    bench.frames.close()
    await bench.until(lambda: not bench.up)
    ups = bench.went(DeviceWentUp)
    await asyncio.sleep(BACK_S)
    assert bench.went(DeviceWentUp) == ups
    bench.frames.listen(bench.folder / "frames")
    await bench.until(lambda: bench.up)
    assert bench.read() == [set(JT1)]
    await bench.shows(JT2)


async def test_without_frames_it_is_never_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.frames.silent = True  # also should the camera's process be there before its source has gone
    task = asyncio.get_running_loop().create_task(bench.open())
    await asyncio.sleep(0.1)
    bench.frames.close()
    await asyncio.sleep(3)
    assert bench.went(DeviceWentUp) == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bench.close()


async def test_a_program_that_is_not_there_is_a_failure_of_the_link(tmp_path: Path) -> None:
    with pytest.raises(LinkFailed, match="No such file"):
        await open_child([str(tmp_path / "nothing")], tmp_path / "socket")
    with pytest.raises(LinkFailed, match="ended with status 1 at its start"):
        await open_child(
            [sys.executable, "-c", "raise SystemExit(1)"], tmp_path / "socket", start_ms=round(LONG_S * 1_000)
        )
    with pytest.raises(LinkFailed, match="does not answer after 200 ms"):
        await open_child(
            [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "socket", start_ms=200
        )


def test_it_ends_with_the_line_that_started_it(tmp_path: Path) -> None:
    starter = (
        "import os, subprocess, sys, time\n"
        "command = [one if one != 'PARENT' else str(os.getpid()) for one in sys.argv[1:]]\n"
        "print(subprocess.Popen(command).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    line = [sys.executable, "-c", starter, *command(tmp_path, 0)]
    line[line.index("0")] = "PARENT"
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        camera = int(parent.stdout.readline())
        socket = tmp_path / "cameras" / "side.socket"
        assert within_long(socket.exists)
        parent.kill()
        parent.wait()
    assert within_long(lambda: not alive(camera)), f"camera {camera} outlived the line"


def within_long(true: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + LONG_S
    while not true() and time.monotonic() < until_s:
        time.sleep(0.01)
    return true()


def test_a_reader_that_is_no_camera_is_said_so(tmp_path: Path) -> None:
    wrong = [part if part != "side" else "top" for part in command(tmp_path, os.getpid())]
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "beltkeeper camera: top is no camera of this line; its cameras: side\n"
