"""A camera counts once a frame of it was looked at: what has only come may be black."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from drivers.streams import newest_frame
from drivers.streams.frame_sources import Grabbed, now_us
from drivers.streams.newest_frame import Frame, FrameThreads
from edge.ports.byte_stream import LinkFailed

LONG_S = 60.0


class Frames:
    """A source of so many, and then of none until it is ended."""

    def __init__(self, count: int) -> None:
        self.ended = threading.Event()
        self._left = count

    def open(self) -> None:
        """There is nothing to open."""

    def grab(self) -> Grabbed:
        self._left -= 1
        if self._left < 0:
            self.ended.wait()
            raise LinkFailed("ended")
        return Grabbed(np.zeros((8, 8), np.uint8), now_us(), 0)

    def close(self) -> None:
        """There is nothing to close."""


def until(true: Callable[[], object]) -> None:
    until_s = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < until_s
        time.sleep(0.001)


def test_it_serves_once_its_first_frame_was_looked_at() -> None:
    source, looking, looked = Frames(1), threading.Event(), threading.Event()

    def look(_: Frame) -> None:
        looking.set()
        looked.wait(LONG_S)

    threads = FrameThreads(source, look, open_ms=0, stale_ms=1_000)
    threads.start()
    assert looking.wait(LONG_S)
    assert threads.grabbed == 1
    assert not threads.serves
    looked.set()
    until(lambda: threads.serves)
    source.ended.set()


def test_its_first_frame_is_due_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its process did before, and for how long, is no fault of its source's."""
    moment_us = 0
    monkeypatch.setattr(newest_frame, "now_us", lambda: moment_us)
    source = Frames(0)
    threads = FrameThreads(source, lambda _: None, open_ms=500, stale_ms=1_000)
    moment_us = 10_000_000
    threads.start()
    moment_us += 1_500_000
    assert threads.hangs(1_000) is None
    moment_us += 1
    assert threads.hangs(1_000) == "no frame for 1000 ms"
    source.ended.set()
