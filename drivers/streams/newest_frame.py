"""Two threads between a camera and the line: one grabs and keeps the newest frames only, one works.

A frame waits for as long as what is read of it would still be in time, and no longer; what the worker is
too slow for is never seen.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from drivers.streams.frame_sources import FrameSource, Pixels, now_us
from edge.model.units import US_PER_MS, MonoUs
from edge.ports.byte_stream import LinkFailed

NEWEST = 4
"""Frames that may wait: a machine that stands still for a moment has several when it goes on. What bounds
them is how long each may wait; this bounds memory."""
WAIT_S = 0.2
"""How often a worker without frames looks whether it is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    pixels: Pixels
    grabbed_us: MonoUs


class FrameThreads:
    """Starts with ``start``, and ends with the process: a thread in a grab cannot be ended.

    ``work`` is called with each frame that is taken. ``open_ms``: what the source may take to open, beside
    the first frame's time, both from ``start`` on. ``stale_ms``: a frame whose stamp is older than that when
    it comes, or when its turn comes, is dropped: nothing that is read of it would be in time. ``waits``: once
    it is open, frames come when an eye fires the source, and no sooner. Both threads tell when they last came
    round, and the first error that ended one of them.
    """

    def __init__(
        self,
        source: FrameSource,
        work: Callable[[Frame], None],
        *,
        open_ms: int,
        stale_ms: int,
        waits: bool = False,
    ) -> None:
        self._source = source
        self._work = work
        self._stale_us = stale_ms * US_PER_MS
        self._waits = waits
        self._open = False
        self._looked = False
        self._open_ms = open_ms
        self._filled = threading.Condition()
        self._newest: deque[Frame] = deque()
        self._grabbed_us = self._worked_us = now_us()
        self._working = False
        self.failure: str | None = None
        self.grabbed = self.stale = self.overtaken = self.skipped = 0
        """Frames that came; of them too old ones, and those that newer ones replaced unseen; beside them
        those that the source took and that did not come."""

    def start(self) -> None:
        self._grabbed_us = MonoUs(now_us() + self._open_ms * US_PER_MS)
        for work in (self._grab, self._read):
            threading.Thread(target=self._guarded, args=(work,), daemon=True).start()

    @property
    def taken(self) -> int:
        """Frames, whether they came or not."""
        return self.grabbed + self.skipped

    @property
    def missed(self) -> int:
        """Of ``taken``: nobody looked at them."""
        return self.stale + self.overtaken + self.skipped

    @property
    def serves(self) -> bool:
        """A frame has come and was looked at, or would be, were it fired."""
        return self._looked or (self._waits and self._open)

    def hangs(self, limit_ms: int) -> str | None:
        """What has not come round for ``limit_ms``, if anything."""
        limit_us = now_us() - limit_ms * US_PER_MS
        if self._grabbed_us < limit_us and not (self._waits and self._open):
            return f"no frame for {limit_ms} ms"
        if self._working and self._worked_us < limit_us:
            return f"a frame is being read for more than {limit_ms} ms"
        return None

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except LinkFailed as failed:
            self.failure = self.failure or str(failed)
        except Exception as error:  # noqa: BLE001 - whatever ends a thread ends the process, with its cause
            self.failure = self.failure or repr(error)

    def _grab(self) -> None:
        source = self._source
        source.open()
        self._open = True
        try:
            while True:
                one = source.grab()
                self._grabbed_us = now_us()
                self.grabbed += 1
                self.skipped += one.skipped
                with self._filled:
                    if one.late_us > self._stale_us:
                        self.stale += 1
                        continue
                    self._newest.append(Frame(pixels=one.pixels, grabbed_us=one.grabbed_us))
                    if len(self._newest) > NEWEST:
                        self._newest.popleft()
                        self.overtaken += 1
                    self._filled.notify()
        finally:
            source.close()

    def _read(self) -> None:
        while self.failure is None:
            with self._filled:
                self._filled.wait_for(lambda: self._newest, WAIT_S)
                if not self._newest:
                    continue
                frame = self._newest.popleft()
                if now_us() - frame.grabbed_us > self._stale_us:
                    self.stale += 1
                    continue
            self._worked_us = now_us()
            self._working = True
            self._work(frame)
            self._working = False
            self._looked = True
