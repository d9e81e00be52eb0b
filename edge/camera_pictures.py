"""A camera's no-read archive: its latest frames in memory, and those that the line asks for on disk.

Nothing here holds up a frame: what was read is noted in passing, the best frame of each tenth of a second is
kept by reference, and a thread of its own measures, encodes and writes. What it cannot keep up with is
dropped and counted; a disk that fails ends the archive's pictures and never the camera.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from drivers.codecs.camera_requests import KeepPicture
from drivers.streams.frame_sources import now_us
from drivers.streams.newest_frame import Frame
from drivers.streams.picture_files import jpeg_of
from drivers.vision.engines import zbar_missing
from drivers.vision.ladder import CodeSeen, PictureRead
from drivers.vision.no_read import hints_of, sharpness_of
from drivers.vision.sightings import Engine
from edge.model.ids import ReaderId
from edge.model.pictures import CodeInPicture, PictureNote
from edge.model.units import US_PER_MS, MonoUs, UtcUs
from edge.runtime.clock import wall_utc_us
from edge.store.picture_keeper import PictureKeeper

SLOT_US = 100 * US_PER_MS
"""Of the frames in so much time one is kept: a label is in sight for longer."""
FRAME_BYTES = 64 << 20
"""Frames in memory: 5 s of 1.3 MP, and at least the last few of any camera."""
MIN_FRAMES = 4
WAITING = 2
"""Pictures that wait to be written."""
TRIM_S = 1.0
MIDDLE_PERCENT = 60
"""Of a window: beyond it lie the tolerances of the parcel's place, where a neighbour's label may come into
view. A frame from there is taken only where there is none of the middle."""
SHARP_PERCENT = 80
"""Of the sharpest: of those the frame nearest to the middle of the window shows the parcel best."""
MAX_CODES = 16

log = structlog.get_logger("pictures")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFrame:
    frame: Frame
    read: PictureRead
    sharpness: int

    @property
    def shows(self) -> tuple[bool, bool]:
        """Codes, stripes: what a picture of a label has before one of none."""
        return bool(self.read.codes), self.read.stripes > 0


class RecentFrames:
    """The best frame of each slot. Filled by the worker's thread, asked by another."""

    def __init__(self, *, room_bytes: int = FRAME_BYTES) -> None:
        self._room_bytes = room_bytes
        self._frames: deque[SeenFrame] = deque()
        self._lock = threading.Lock()

    def see(self, frame: Frame, read: PictureRead) -> None:
        """In the order of their grabs."""
        seen = SeenFrame(frame=frame, read=read, sharpness=sharpness_of(frame.pixels))
        with self._lock:
            last = self._frames[-1] if self._frames else None
            if last is not None and _slot(last) == _slot(seen):
                if (seen.shows, seen.sharpness) >= (last.shows, last.sharpness):
                    self._frames[-1] = seen
                return
            self._frames.append(seen)
            room = max(MIN_FRAMES, self._room_bytes // max(1, frame.pixels.size))
            while len(self._frames) > room:
                self._frames.popleft()

    def best(self, from_us: MonoUs, to_us: MonoUs) -> SeenFrame | None:
        """The one of that time's middle that shows most; None where none was taken in it."""
        with self._lock:
            inside = [one for one in self._frames if from_us <= one.frame.grabbed_us <= to_us]
        if not inside:
            return None
        middle, reach = (from_us + to_us) // 2, (to_us - from_us) * MIDDLE_PERCENT // 200
        inner = [one for one in inside if abs(one.frame.grabbed_us - middle) <= reach] or inside
        most = max(one.shows for one in inner)
        shown = [one for one in inner if one.shows == most]
        sharp = max(one.sharpness for one in shown) * SHARP_PERCENT
        fit = (one for one in shown if one.sharpness * 100 >= sharp)
        return min(fit, key=lambda one: abs(one.frame.grabbed_us - middle))


def _slot(seen: SeenFrame) -> int:
    return seen.frame.grabbed_us // SLOT_US


class NoReadPictures:
    """One run of a camera's archive. ``late_us``: from a frame's light to its stamp, at the most."""

    def __init__(self, reader: ReaderId, keeper: PictureKeeper, *, late_us: int) -> None:
        self._reader = reader
        self._keeper = keeper
        self._late_us = late_us
        self._recent = RecentFrames()
        self._wanted: queue.Queue[tuple[KeepPicture, SeenFrame]] = queue.Queue(maxsize=WAITING)
        self._failing = False
        self.failure: str | None = None
        """What ended the thread, if anything: a fault of ours, and none of the disk's."""
        self.kept = self.dropped = self.missed = 0
        """Pictures written; left out because too many came at once or there was no room; asked for when no
        frame was taken."""

    def start(self) -> None:
        """Ends with the process."""
        threading.Thread(target=self._guarded, name="pictures", daemon=True).start()

    def see(self, frame: Frame, read: PictureRead) -> None:
        """On the worker's thread, after its answer is on its way."""
        self._recent.see(frame, read)

    def keep(self, request: KeepPicture) -> None:
        """What the line asks for; never blocks."""
        best = self._recent.best(request.from_us, MonoUs(request.to_us + self._late_us))
        if best is None:
            self.missed += 1
            log.info("no frame of that time", reader=self._reader, track=request.track)
            return
        try:
            self._wanted.put_nowait((request, best))
        except queue.Full:
            self.dropped += 1
            log.warning("picture dropped: too many at once", reader=self._reader, track=request.track)

    def _guarded(self) -> None:
        try:
            self._write_all()
        except Exception as error:  # noqa: BLE001 - whatever ends a thread ends the process, with its cause
            self.failure = f"pictures: {error!r}"

    def _write_all(self) -> None:
        self._tried(self._keeper.open)
        while True:
            try:
                request, seen = self._wanted.get(timeout=TRIM_S)
            except queue.Empty:
                self._tried(self._trim)
                continue
            self._tried(partial(self._write, request, seen))

    def _trim(self) -> None:
        self._keeper.trim(UtcUs(wall_utc_us()))

    def _write(self, request: KeepPicture, seen: SeenFrame) -> None:
        picture = jpeg_of(seen.frame.pixels)
        now = UtcUs(wall_utc_us())
        taken = UtcUs(now - (now_us() - seen.frame.grabbed_us))
        if self._keeper.put(self._note(request, seen, taken, len(picture)), picture, now):
            self.kept += 1
        else:
            self.dropped += 1
            log.warning("picture dropped: no room for it", reader=self._reader, track=request.track)

    def _note(self, request: KeepPicture, seen: SeenFrame, taken: UtcUs, picture_bytes: int) -> PictureNote:
        pixels, read = seen.frame.pixels, seen.read
        hints = hints_of(pixels, read)
        return PictureNote(
            track=request.track,
            epoch=request.epoch,
            number=request.number,
            reader=self._reader,
            taken_utc_us=taken,
            width_px=pixels.shape[1],
            height_px=pixels.shape[0],
            picture_bytes=picture_bytes,
            cause=hints.cause,
            engines=tuple(one.value for one in Engine if one is not Engine.ZBAR or not zbar_missing()),
            codes=tuple(_code(one) for one in read.codes[:MAX_CODES]),
            spent_us=read.spent_us,
            stripes=read.stripes,
            contrast_percent=hints.contrast_percent,
            sharpness_percent=hints.sharpness_percent,
            module_tenths=hints.module_tenths,
        )

    def _tried(self, act: Callable[[], None]) -> None:
        """A disk that fails is said so once, and once when it works again."""
        try:
            act()
        except OSError as error:
            self.dropped += 1
            if not self._failing:
                log.error("no picture can be kept", reader=self._reader, why=str(error))
            self._failing = True
        else:
            if self._failing:
                log.info("pictures are kept again", reader=self._reader)
            self._failing = False


def _code(seen: CodeSeen) -> CodeInPicture:
    one = seen.sighting
    return CodeInPicture(
        text=one.text,
        hex=one.data.hex() if one.binary else "",
        symbology=one.symbology,
        engines=tuple(sorted(engine.value for engine in seen.engines)),
        rung=seen.rung.value,
        why=seen.why or "",
    )
