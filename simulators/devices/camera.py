"""A camera over the belt, with real pixels: a process that serves frames over a Unix socket.

A frame goes out as ``BKF2``, width, height and its number (u32), CLOCK_MONOTONIC of its light in µs (u64),
all big endian, and its grey pixels by rows. The number counts also what nobody fetched.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import struct
import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path
from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.model.codes import Code
from simulators.devices.frame_port import FramePort
from simulators.devices.process import run_until_ended
from simulators.feed import FeedMessage, LabelPrinted, LabelSeen, follow
from simulators.labels.printed import LabelPrint, print_label
from simulators.labels.symbols import SymbolUnprintable

US_PER_S = 1_000_000
HEAD = struct.Struct("!4sIIIQ")
MAGIC = b"BKF2"
IDLE_S = 0.2
"""Frames of an empty belt come so often; a free-running camera's come as often as it has them."""
FRAME_S = 0.04
SHOTS_S = (0.0, FRAME_S)
"""A label is in two frames, a frame's time apart."""
NOISES = 8
NOISE_GREY = 4
BELT_GREY = 60
LABELS_KEPT = 128
SOFT_PX = 6
"""Spread of a lens that is out of focus."""

Pixels = NDArray[np.uint8]


class Sight(Enum):
    """What its lens and its light make of the belt."""

    CLEAR = auto()
    BLACK = auto()
    OVEREXPOSED = auto()
    OUT_OF_FOCUS = auto()


class CameraFrames:
    """Serves frames to whoever connects. ``saw`` is what its eye sees, ``printed`` what it will see soon:
    drawing a label takes longer than its light."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        """``size`` is width and height in pixels."""
        self._width, self._height = size
        self._noises = np.random.default_rng(seed)
        self._empty = [self._belt() for _ in range(NOISES)]
        self._turn = self._number = 0
        self._labels: OrderedDict[tuple[Code, ...], Pixels] = OrderedDict()
        self._port = FramePort()
        self._labels_us: deque[int] = deque(maxlen=LABELS_KEPT)
        self.frozen = self.silent = False
        self.sight = Sight.CLEAR

    def listen(self, path: Path) -> None:
        """Raises ``OSError``."""
        self._port.listen(path)

    def printed(self, codes: tuple[Code, ...]) -> None:
        """A label with these codes will come."""
        if codes and codes not in self._labels:
            self._labels[codes] = self._drawn(codes)
            while len(self._labels) > LABELS_KEPT:
                self._labels.popitem(last=False)

    def saw(self, at_us: int, codes: tuple[Code, ...]) -> None:
        """A label's light at ``at_us``; without codes, a label that cannot be read."""
        self.printed(codes)
        label = self._labels.get(codes)
        loop = asyncio.get_running_loop()
        for later_s in SHOTS_S:
            due_us = at_us + round(later_s * US_PER_S)
            self._labels_us.append(due_us)
            loop.call_at(due_us / US_PER_S, self._shoot, label, due_us, later_s)

    def kill_peers(self) -> None:
        """kill -9 for the camera process at the other end, as a crash of its own would be."""
        for pid in self._port.pids():
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)

    async def idle(self) -> None:
        """The empty belt, for ever, where no label is in that frame."""
        loop = asyncio.get_running_loop()
        while True:
            now_us = round(loop.time() * US_PER_S)
            if all(abs(one - now_us) >= FRAME_S * US_PER_S for one in self._labels_us):
                self._shoot(None, now_us, 0)
            await asyncio.sleep(IDLE_S)

    def close(self) -> None:
        self._port.close()

    def _shoot(self, label: Pixels | None, at_us: int, later_s: float) -> None:
        if self.silent:
            return
        if not self.frozen:
            self._turn += 1
        frame = self._empty[self._turn % NOISES]
        if label is not None:
            rows, columns = label.shape
            top = min(self._height - rows, (self._height - rows) // 3 + round(later_s * 1000))
            left = (self._width - columns) // 2
            frame = frame.copy()
            frame[top : top + rows, left : left + columns] += label - BELT_GREY
        frame = _seen_through(self.sight, frame)
        self._number += 1
        head = HEAD.pack(MAGIC, self._width, self._height, self._number, at_us)
        self._port.offer(b"".join((head, frame.data)))

    def _belt(self) -> Pixels:
        noise = self._noises.integers(-NOISE_GREY, NOISE_GREY + 1, (self._height, self._width))
        return (BELT_GREY + noise).astype(np.uint8)

    def _drawn(self, codes: tuple[Code, ...]) -> Pixels:
        """As large as the frame lets it be; codes that no printer knows are left out."""
        told = tuple(code for code in codes if _printable(code))
        for module_px in (3, 2, 1):
            label = print_label(LabelPrint(codes=told, lines=("集包 上海转运中心",), module_px=module_px))
            if label.shape[0] < self._height and label.shape[1] < self._width:
                return label
        return np.full((self._height // 2, self._width // 2), 235, np.uint8)


def _seen_through(sight: Sight, frame: Pixels) -> Pixels:
    match sight:
        case Sight.CLEAR:
            return frame
        case Sight.BLACK:
            return frame // 16
        case Sight.OVEREXPOSED:
            return np.uint8(255) - frame % 4
        case Sight.OUT_OF_FOCUS:
            return np.asarray(cv2.GaussianBlur(frame, (0, 0), SOFT_PX), np.uint8)
        case _:
            assert_never(sight)


def _printable(code: Code) -> bool:
    try:
        print_label(LabelPrint(codes=(code,)))
    except SymbolUnprintable:
        return False
    return True


async def run(options: argparse.Namespace) -> None:
    """The camera as a process: follows the hall's feed, serves frames until it is ended. SIGUSR1: the
    camera process that looks through it dies."""
    width, _, height = options.size.partition("x")
    camera = CameraFrames((int(width), int(height)), options.seed)

    def take(message: FeedMessage) -> None:
        if isinstance(message, LabelPrinted):
            camera.printed(message.codes)
        elif isinstance(message, LabelSeen) and message.reader == options.reader:
            camera.saw(message.at_us, message.codes)

    camera.listen(options.listen)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, camera.kill_peers)
    sys.stdout.write(f"listening {options.listen}\n")
    sys.stdout.flush()
    idle = loop.create_task(camera.idle())
    try:
        await follow(options.feed, take)
    finally:
        idle.cancel()
        camera.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.devices.camera", description=__doc__)
    parser.add_argument("--feed", type=Path, required=True, help="Unix socket of the plant process")
    parser.add_argument("--listen", type=Path, required=True, metavar="SOCKET")
    parser.add_argument("--reader", required=True, help="id of the reader in the line's description")
    parser.add_argument("--size", default="1280x1024", metavar="WIDTHxHEIGHT")
    parser.add_argument("--seed", type=int, default=0)
    run_until_ended(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
