"""Where a camera's frames come from. Every call may block for ever: each source has a thread of its own,
in a process that can be killed (reliability: OpenCV).

Frames are 8-bit grey. The stamp is the monotonic clock's at the grab: the driver's, where it has one and
says so, or else this process' own before anything is made of the frame. A process that was kept waiting is
handed a frame that has lain in the driver for as long, and must not take it for a new one.
"""

import errno
import os
import socket
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.streams.unix import short_name
from edge.model.units import US_PER_MS, US_PER_S, MonoUs
from edge.ports.byte_stream import LinkFailed

Pixels = NDArray[np.uint8]
MAX_PIXELS = 1 << 26
"""64 MP: more is no camera of a belt."""
FRAME_HEAD = struct.Struct("!4sIIIQ")
FRAME_MAGIC = b"BKF2"
"""A simulated frame: magic, width, height, its number, CLOCK_MONOTONIC of its light in µs, then its grey
pixels. Numbers count every picture that was taken, also those that nobody fetched in time."""
MAX_FILE_BYTES = 256 << 20
"""A picture of 64 MP in colour, not packed."""
BAND_ROWS = 256
OTHER_CLOCK_US = 5 * US_PER_S
"""A stamp that is older than that, or not yet, is none of this clock."""
READ_S = 2
TIMEVAL = struct.Struct("ll")
"""Seconds, µs (socket(7), SO_RCVTIMEO)."""
GIVES_UP_US = 5 * US_PER_S
QUIET = "-8"
"""FFmpeg's AV_LOG_QUIET: a stream of damaged pictures would fill the log with its remarks."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Grabbed:
    """``late_us``: how old its stamp was when it came, where that is the driver's. ``skipped``: frames that
    the source took since the last one and that could not be fetched, where it says so."""

    pixels: Pixels
    grabbed_us: MonoUs
    late_us: int = 0
    skipped: int = 0


class FrameSource(Protocol):
    """Opened, read and closed by one thread. Each call raises ``LinkFailed``."""

    def open(self) -> None: ...

    def grab(self) -> Grabbed:
        """The next frame; waits for it."""
        ...

    def close(self) -> None: ...


def now_us() -> MonoUs:
    """The monotonic clock, which is the line's event loop's too."""
    return MonoUs(time.monotonic_ns() // 1_000)


def one_core() -> None:
    """This process has a core to itself at best; its threads share it without OpenCV's own. OpenCV's
    remarks on pictures that it cannot read are ours to make."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", QUIET)
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class VideoFrames:
    """V4L2 by path, RTSP and MJPEG by address, as OpenCV reads them, with its time-outs where it has
    any."""

    def __init__(
        self, where: str, *, size: tuple[int, int] | None, timeouts_ms: tuple[int, int], waits: bool = False
    ) -> None:
        """``size`` in pixels is asked of a local camera; ``timeouts_ms`` (open, read) of a network's.
        ``waits``: a local camera is fired by an eye, and silent between two parcels."""
        self._where = where
        self._size = size
        self._timeouts_ms = timeouts_ms
        self._waits = waits
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        open_ms, read_ms = self._timeouts_ms
        if self._size is None:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
            capture = cv2.VideoCapture(self._where, cv2.CAP_FFMPEG, limits)
        else:
            width, height = self._size
            limits = [cv2.CAP_PROP_FRAME_WIDTH, width, cv2.CAP_PROP_FRAME_HEIGHT, height]
            capture = cv2.VideoCapture(self._where, cv2.CAP_V4L2, [*limits, cv2.CAP_PROP_BUFFERSIZE, 1])
        if not capture.isOpened():
            raise LinkFailed(f"{self._where}: no camera, or it does not answer")
        self._capture = capture

    def grab(self) -> Grabbed:
        assert self._capture is not None
        asked_us = now_us()
        while not self._capture.grab():
            # OpenCV gives up waiting for a local camera after 10 s; one that is unplugged fails at once.
            if not self._waits or now_us() - asked_us < GIVES_UP_US:
                raise LinkFailed(f"{self._where}: no frame")
            asked_us = now_us()
        came_us = now_us()
        grabbed_us = came_us if self._size is None else stamped_us(self._capture, came_us)
        whole, pixels = self._capture.retrieve()
        if not whole or pixels is None:
            raise LinkFailed(f"{self._where}: a frame that cannot be decoded")
        return Grabbed(grey(np.asarray(pixels)), grabbed_us, came_us - grabbed_us)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def stamped_us(capture: cv2.VideoCapture, came_us: MonoUs) -> MonoUs:
    """The driver's stamp of the frame that ``capture`` grabbed last: a V4L2 buffer's, on CLOCK_MONOTONIC
    (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), which OpenCV gives as milliseconds of CAP_PROP_POS_MSEC. ``came_us``
    where it has none, or one of another clock."""
    told_us = round(capture.get(cv2.CAP_PROP_POS_MSEC) * US_PER_MS)
    return MonoUs(told_us) if 0 <= came_us - told_us <= OTHER_CLOCK_US else came_us


class FolderFrames:
    """A folder's pictures in the order of their names, over and over; those that are none are left out."""

    def __init__(self, folder: Path, *, frames_per_s: int) -> None:
        self._folder = folder
        self._period_us = US_PER_S // frames_per_s
        self._frames: Iterator[Pixels] = iter(())
        self._next_us = MonoUs(0)

    def open(self) -> None:
        try:
            files = sorted(one for one in self._folder.iterdir() if one.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise LinkFailed(f"{self._folder}: {error.strerror}") from error
        if not any(read_picture(one) is not None for one in files):
            raise LinkFailed(f"{self._folder}: no picture in it")
        self._frames = _over_and_over(files)
        self._next_us = now_us()

    def grab(self) -> Grabbed:
        now = now_us()
        self._next_us = MonoUs(max(self._next_us + self._period_us, now))
        time.sleep((self._next_us - now) / US_PER_S)
        return Grabbed(next(self._frames), now_us())

    def close(self) -> None:
        self._frames = iter(())


class SimulatedFrames:
    """Frames of the simulated camera, over its Unix socket."""

    def __init__(self, path: Path, *, waits: bool = False) -> None:
        """``waits``: it may be silent for ever."""
        self._path = path
        self._waits = waits
        self._number: int | None = None
        self._socket: socket.socket | None = None

    def open(self) -> None:
        self._socket = wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_name(self._path) as short:
                wire.connect(short)
        except OSError as error:
            raise LinkFailed(f"{self._path}: {error.strerror or error}") from error
        if not self._waits:  # the kernel's limit, and not Python's: that one takes each piece by itself
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, TIMEVAL.pack(READ_S, 0))

    def grab(self) -> Grabbed:
        magic, width, height, number, taken_us = FRAME_HEAD.unpack(self._exactly(FRAME_HEAD.size))
        came_us = now_us()
        if magic != FRAME_MAGIC or not 0 < width * height <= MAX_PIXELS:
            raise LinkFailed(f"{self._path}: no frame of a simulated camera")
        pixels = np.frombuffer(self._exactly(width * height), np.uint8).reshape(height, width)
        skipped = 0 if self._number is None else number - self._number - 1
        self._number = number
        grabbed_us = MonoUs(min(taken_us, came_us))
        return Grabbed(pixels, grabbed_us, came_us - grabbed_us, skipped)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exactly(self, size: int) -> bytearray:
        assert self._socket is not None
        data = bytearray(size)
        room = memoryview(data)
        while room:
            try:
                got = self._socket.recv_into(room, 0, socket.MSG_WAITALL)
            except BlockingIOError as error:
                raise LinkFailed(f"{self._path}: nothing for {READ_S} s") from error
            except OSError as error:
                raise LinkFailed(f"{self._path}: {error}") from error
            if not got:
                raise LinkFailed(f"{self._path}: closed by the other end")
            room = room[got:]
        return data


def grey(pixels: NDArray[np.integer[Any] | np.floating[Any]]) -> Pixels:
    """One 8-bit channel of a picture as OpenCV gives it: grey, BGR, or BGR with alpha on white paper. Of 16
    bits the eight highest that are used: a camera's 10 or 12 come in the lower ones. Band by band, so that a
    large picture takes little more than itself."""
    step = 1 << max(0, int(pixels.max()).bit_length() - 8) if pixels.dtype == np.uint16 else 1
    bands = [_grey_band(pixels[top : top + BAND_ROWS], step) for top in range(0, pixels.shape[0], BAND_ROWS)]
    return bands[0] if len(bands) == 1 else np.concatenate(bands)


def _grey_band(band: NDArray[np.integer[Any] | np.floating[Any]], step: int) -> Pixels:
    picture = np.asarray(band if step == 1 else band // step, np.uint8)
    if picture.ndim == 2:
        return picture
    if picture.shape[2] == 4:
        alpha = picture[:, :, 3:].astype(np.uint16)
        picture = ((picture[:, :, :3] * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)
    elif picture.shape[2] == 1:
        return np.ascontiguousarray(picture[:, :, 0])
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def read_picture(path: Path) -> Pixels | None:
    """A picture file in grey; None for one that is none, or too large. Whoever reads pictures of strangers
    sets OPENCV_IO_MAX_IMAGE_PIXELS before OpenCV is loaded, or a small file may unpack to gigabytes before
    it is found too large. Raises ``OSError``."""
    data = np.frombuffer(_content(path), np.uint8)
    if not data.size:
        return None
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError):
        return None
    if pixels is None or pixels.shape[0] * pixels.shape[1] > MAX_PIXELS:
        return None
    return grey(pixels if pixels.dtype in (np.uint8, np.uint16) else _spread(pixels))


def _content(path: Path) -> bytes:
    """Of a plain file: a pipe or a device may give no end of bytes, or none for ever."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no plain file")
        if found.st_size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, f"more than {MAX_FILE_BYTES >> 20} MB")
        return file.read(MAX_FILE_BYTES)


def _spread(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture of measures (floating point, signed): its darkest is black, its brightest white."""
    finite = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    return ((finite - low) * (255 / max(high - low, 1e-30))).astype(np.uint8)


def _over_and_over(files: list[Path]) -> Iterator[Pixels]:
    while True:
        for one in files:
            pixels = read_picture(one)
            if pixels is not None:
                yield pixels
