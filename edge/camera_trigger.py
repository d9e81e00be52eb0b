"""When a camera looks: always, while the line says that a parcel is passing, or when an eye fires it."""

import threading
from collections.abc import Callable
from typing import Literal

from edge.model.ids import TrackId
from edge.model.units import US_PER_MS, MonoUs

TriggerKind = Literal["free_running", "line", "eye"]
LINGERS_US = 200 * US_PER_MS
"""After the last parcel has gone: frames that were grabbed before are still to be read."""
UNDER_WAY = -1


class Trigger:
    """``told`` is called by the loop, ``looks`` by the thread that reads. A camera that is not told
    anything looks all the time."""

    def __init__(self, kind: TriggerKind, now_us: Callable[[], MonoUs]) -> None:
        self._kind = kind
        self._now_us = now_us
        self._lock = threading.Lock()
        self._tracks: dict[TrackId, int] | None = None
        """By parcel: frames that had come when it was told of, or that it was under way by then."""
        self._frames = 0
        self._quiet_us = MonoUs(-LINGERS_US - 1)
        self.failure: str | None = None

    @property
    def waits(self) -> bool:
        """Its source is silent until an eye fires it."""
        return self._kind == "eye"

    def told(self, tracks: tuple[TrackId, ...] | None) -> None:
        """The parcels that are passing now, or on their way; None: nobody knows."""
        with self._lock:
            before, self._tracks = self._tracks, None
            if tracks is None:
                return
            known = {} if before is None else before
            first = UNDER_WAY if before is None else self._frames
            self._tracks = {track: known.get(track, first) for track in tracks}
            if known and not tracks:
                self._quiet_us = self._now_us()
            unseen = [track for track, frames in known.items() if frames == self._frames]
        if self.waits and not set(unseen) <= set(tracks):
            self.failure = "a parcel passed, and its eye fired no picture"

    def looks(self, grabbed_us: MonoUs) -> bool:
        """Whether this frame, of that moment, is to be read."""
        with self._lock:
            self._frames += 1
            if self._kind != "line" or self._tracks is None or self._tracks:
                return True
            return grabbed_us <= self._quiet_us + LINGERS_US
