"""Composition root of a camera's process: source → newest frames → what counts → the line.

It may hang or crash alone. It ends itself when its source or its decoders do not come round, and whoever
started it (the line, or the service manager) starts it anew; nothing that it had read before is said
after that.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import numpy as np
import structlog

from drivers.codecs.camera_messages import CameraBeat, CameraEnds, CameraMessage, CameraRead, encode
from drivers.codecs.camera_requests import CameraRequest, CameraRequests, KeepPicture, ParcelsPassing
from drivers.streams.frame_sources import (
    FolderFrames,
    FrameSource,
    SimulatedFrames,
    VideoFrames,
    now_us,
    one_core,
)
from drivers.streams.newest_frame import Frame, FrameThreads
from drivers.streams.unix import short_name
from drivers.vision.engines import zbar_missing
from drivers.vision.frames import FrameAgreement
from drivers.vision.ladder import Ladder
from drivers.vision.picture_watch import PictureWatch
from edge.camera_pictures import NoReadPictures
from edge.camera_trigger import Trigger
from edge.model.ids import TrackId
from edge.model.units import US_PER_MS
from edge.reading_rules import line_rules
from edge.runtime.clock import LoopClock, wall_utc_us
from edge.runtime.disk_watch import SHORT_TIMES
from edge.runtime.logs import log_to_stderr
from edge.runtime.notify import Notify
from edge.store.picture_keeper import PictureKeeper
from edge.store.places import Places
from line_config import model
from line_config.description import LineDescription, ScannerPort
from line_config.device_files import CameraFile

FAILED = 1
BAD_CONFIGURATION = 2
BAD_ENVIRONMENT = 3
UMASK = 0o007
NICE = 5
"""At least, as its unit has it: a frame keeps its stamp while it waits, the line's answers do not."""
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the parent is gone."""
SWITCH_S = 0.0005
"""The thread that grabs waits for the one that reads, several times for a frame: CPython lets that keep the
interpreter for 5 ms."""
BEAT_S = 0.2
LAST_WORD_S = 0.5
MAX_UNSENT = 65_536
"""A line that does not listen is hung up on."""
WARM_UP_SHAPE = (480, 640)
DAY_S = 86_400
MIB = 1 << 20
BUDGET_PART, STALE_PART = 70, 75
"""Percent of ``answer_ms`` that the decoders may take, and how old a frame may be before that; they take no
more than what is left then, which is enough for most."""

log = structlog.get_logger("camera")


def run_camera(line: LineDescription, reader: str, data: Path, parent: int | None) -> int:
    """Serve one camera until stopped; the exit code of the command. ``parent``: end with that process."""
    os.umask(UMASK)
    sys.setswitchinterval(SWITCH_S)
    log_to_stderr()
    port = next((one for one in line.scanners if one.reader == reader), None)
    if port is None or not isinstance(port.connection, model.CameraSettings):
        cameras = [one.reader for one in line.scanners if isinstance(one.connection, model.CameraSettings)]
        known = ", ".join(cameras) or "none"
        sys.stderr.write(f"beltkeeper camera: {reader} is no camera of this line; its cameras: {known}\n")
        return BAD_CONFIGURATION
    if parent is not None:
        if not _ends_with(parent):
            return FAILED
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    if zbar_missing():
        log.warning("one engine only", why=zbar_missing())
    one_core()
    code = _run(line, port, Places(data))
    sys.stderr.flush()
    os._exit(code)  # its threads may hang in a driver for ever


def _run(line: LineDescription, port: ScannerPort, places: Places) -> int:
    try:
        asyncio.run(_serve(line, port, places))
    except asyncio.CancelledError:
        log.info("camera ends: stopped by a signal", reader=port.reader)
        return 0
    except OSError as error:
        log.critical("camera ends", reader=port.reader, why=str(error))
        return BAD_ENVIRONMENT
    except CameraFailed as failed:
        log.error("camera ends", reader=port.reader, why=str(failed))
    return FAILED


class CameraFailed(Exception):
    """The process must end: its cause."""


def _ends_with(parent: int) -> bool:
    """From now on SIGKILL comes when the parent is gone; False: it is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def _source(settings: model.CameraSettings, file: CameraFile) -> FrameSource:
    waits = settings.trigger == "eye"
    match settings.source:
        case model.SimulatedFrames():
            return SimulatedFrames(Path(settings.source.socket), waits=waits)
        case model.V4l2Frames():
            size = (file.width_px, file.height_px)
            return VideoFrames(settings.source.path, size=size, timeouts_ms=(0, 0), waits=waits)
        case model.StreamFrames():
            limits = (settings.source.open_timeout_ms, settings.source.read_timeout_ms)
            return VideoFrames(settings.source.url, size=None, timeouts_ms=limits)
        case model.FolderFrames():
            return FolderFrames(Path(settings.source.path), frames_per_s=file.frames_per_s)
        case _:
            assert_never(settings.source)


class Answers:
    """The socket. One line at a time: a newer call replaces an older one. ``keep``: pictures to keep,
    ``passing``: parcels that pass, of which a line that is away says nothing."""

    def __init__(
        self,
        path: Path,
        keep: Callable[[KeepPicture], None],
        passing: Callable[[tuple[TrackId, ...] | None], None],
    ) -> None:
        self._path = path
        self._keep = keep
        self._passing = passing
        self._server: asyncio.Server | None = None
        self._line: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Raises ``OSError``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        with short_name(self._path) as short:
            self._server = await asyncio.start_unix_server(self._called, short)

    def tell(self, message: CameraMessage) -> None:
        """To the line, if it listens; never blocks."""
        if self._line is None or self._line.transport.is_closing():
            return
        self._line.write(encode(message))
        if self._line.transport.get_write_buffer_size() > MAX_UNSENT:
            self._line.transport.abort()

    async def end(self, why: str) -> None:
        """The last word; what does not listen is not waited for."""
        self.tell(CameraEnds(why=why))
        if self._line is not None:
            self._line.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LAST_WORD_S):
                    await self._line.wait_closed()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._line is not None:
            self._line.transport.abort()
        self._line = writer
        self._passing(None)
        requests = CameraRequests()
        try:
            while data := await reader.read(1024):
                for request in requests.feed(data):
                    self._asked(request)
        except OSError:
            return
        finally:
            if self._line is writer:
                self._passing(None)
            writer.close()

    def _asked(self, request: CameraRequest) -> None:
        match request:
            case KeepPicture():
                self._keep(request)
            case ParcelsPassing():
                self._passing(request.tracks)
            case _:
                assert_never(request)


class Camera:
    """One run: frames in on a thread, messages out on the loop."""

    def __init__(
        self,
        line: LineDescription,
        port: ScannerPort,
        answers: Answers,
        pictures: NoReadPictures | None,
        trigger: Trigger,
    ) -> None:
        file, settings = port.file, port.connection
        assert isinstance(file, CameraFile)
        assert isinstance(settings, model.CameraSettings)
        rules = line_rules(line.file.reading)
        self._loop = asyncio.get_running_loop()
        self._answers = answers
        self._pictures = pictures
        self._trigger = trigger
        self._hang_ms = file.silent_ms
        self._answer_us = file.answer_ms * US_PER_MS
        self._ladder = Ladder(rules, budget_us=self._answer_us * BUDGET_PART // 100)
        self._agreement = FrameAgreement(rules)
        self._watch = PictureWatch(frozen_ms=file.frozen_ms)
        self._threads = FrameThreads(
            _source(settings, file),
            self._read,
            open_ms=_open_ms(settings),
            stale_ms=file.answer_ms * STALE_PART // 100,
            waits=trigger.waits,
        )

    def warm_up(self) -> None:
        """Before the line may call. Every engine reads stripes once: what a first call loads would else cost
        the first label its budget."""
        stripes = np.full(WARM_UP_SHAPE, 255, dtype=np.uint8)
        stripes[120:360, 160:480:8] = stripes[120:360, 161:480:8] = stripes[120:360, 162:480:16] = 0
        self._ladder.unbounded().read(stripes)

    def _read(self, frame: Frame) -> None:
        """On the worker's thread."""
        if not self._trigger.looks(frame.grabbed_us):
            self._watch.see(frame.pixels, frame.grabbed_us)
            return
        read = self._ladder.read(frame.pixels, frame.grabbed_us + self._answer_us - now_us())
        self._watch.see(frame.pixels, frame.grabbed_us, read=any(one.why for one in read.codes))
        codes = self._agreement.newly_agreed(frame.grabbed_us, read)
        if codes:
            self._on_loop(lambda: self._answers.tell(CameraRead(grabbed_us=frame.grabbed_us, codes=codes)))
        if self._pictures is not None:
            self._pictures.see(frame, read)

    def _on_loop(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)

    async def run(self, progress: Callable[[], None]) -> None:
        """Raises ``CameraFailed`` as soon as anything does not come round; ``progress`` while all does."""
        self._threads.start()
        while True:
            why = self._threads.failure or self._threads.hangs(self._hang_ms) or self._trigger.failure
            if why is None and self._pictures is not None:
                why = self._pictures.failure
            if why is None and self._watch.frozen:
                why = "the same picture again and again: the source is frozen"
            if why is not None:
                raise CameraFailed(why)
            if self._threads.serves:
                taken, missed = self._threads.taken, self._threads.missed
                self._answers.tell(CameraBeat(picture=self._watch.picture, frames=taken, missed=missed))
            progress()
            await asyncio.sleep(BEAT_S)


def _open_ms(settings: model.CameraSettings) -> int:
    """What a source may take to open, beside the time in which each frame must come."""
    return settings.source.open_timeout_ms if isinstance(settings.source, model.StreamFrames) else 0


def _pictures(line: LineDescription, port: ScannerPort, places: Places) -> NoReadPictures | None:
    """The archive is the first to go when the disk fills: where people are warned, and long before
    induction stops."""
    limits = line.pictures
    assert isinstance(port.file, CameraFile)
    if not limits.mb_per_camera:
        return None
    keeper = PictureKeeper(
        places.pictures / port.reader,
        max_bytes=limits.mb_per_camera * MIB,
        max_age_s=limits.days * DAY_S,
        spare_bytes=line.store.min_free_mb * MIB * SHORT_TIMES,
    )
    return NoReadPictures(port.reader, keeper, late_us=port.file.stamp_max_ms * US_PER_MS)


async def _serve(line: LineDescription, port: ScannerPort, places: Places) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    assert isinstance(port.connection, model.CameraSettings)
    path = places.camera(port.reader, port.connection.socket)
    pictures = _pictures(line, port, places)
    trigger = Trigger(port.connection.trigger, now_us)
    answers = Answers(path, _nobody if pictures is None else pictures.keep, trigger.told)
    camera = Camera(line, port, answers, pictures, trigger)
    camera.warm_up()
    # As in the line process: neither the thread that grabs nor the one that reads waits while what stands to
    # the end is looked through again.
    gc.collect()
    gc.freeze()
    await answers.open()
    if pictures is not None:
        pictures.start()
    log.info("camera listens", reader=port.reader, socket=str(path))
    notify = Notify(LoopClock(loop, wall_utc_us))
    notify.ready()
    try:
        await camera.run(notify.progress)
    except CameraFailed as failed:
        await answers.end(str(failed))
        raise


def _nobody(_: KeepPicture) -> None:
    """This line keeps no pictures."""
