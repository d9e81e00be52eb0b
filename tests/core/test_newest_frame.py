"""Which frames are looked at, and when a camera counts: what has only come may be black."""

import queue
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from drivers.streams import newest_frame
from drivers.streams.frame_sources import Grabbed, now_us
from drivers.streams.newest_frame import Frame, FrameThreads
from edge.model.units import MonoUs
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


class Given:
    """A source of frames as the test gives them; a frame's name is its grey."""

    def __init__(self) -> None:
        self._frames: queue.Queue[Grabbed | None] = queue.Queue()

    def give(self, name: int, grabbed_us: int, late_us: int = 0) -> None:
        self._frames.put(Grabbed(np.full((2, 2), name, np.uint8), MonoUs(grabbed_us), late_us))

    def end(self) -> None:
        self._frames.put(None)

    def open(self) -> None:
        """There is nothing to open."""

    def grab(self) -> Grabbed:
        frame = self._frames.get()
        if frame is None:
            raise LinkFailed("ended")
        return frame

    def close(self) -> None:
        """There is nothing to close."""


def test_the_newest_wait_and_no_longer_than_they_would_be_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment_us = 1_000_000
    monkeypatch.setattr(newest_frame, "now_us", lambda: moment_us)
    source, seen, go_on = Given(), list[int](), threading.Semaphore(0)

    def look(frame: Frame) -> None:
        seen.append(int(frame.pixels[0, 0]))
        assert go_on.acquire(timeout=LONG_S)

    threads = FrameThreads(source, look, open_ms=0, stale_ms=45)
    threads.start()
    source.give(1, moment_us)
    until(lambda: seen == [1])
    for name in range(2, 3 + newest_frame.NEWEST):
        source.give(name, moment_us)
    source.give(8, moment_us - 46_000, late_us=46_000)
    until(lambda: threads.stale == 1)
    assert threads.overtaken == 1, "2 gave way"
    go_on.release()
    until(lambda: seen == [1, 3])
    moment_us += 45_001
    go_on.release()
    until(lambda: threads.stale == newest_frame.NEWEST)
    source.give(9, moment_us)
    until(lambda: seen == [1, 3, 9])
    assert (threads.taken, threads.missed) == (newest_frame.NEWEST + 4, newest_frame.NEWEST + 1)
    go_on.release()
    source.end()
