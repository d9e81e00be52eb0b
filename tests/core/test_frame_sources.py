"""Frames of a folder: over and over, at their rate, also when the machine is behind."""

import time
from itertools import count
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from drivers.streams import frame_sources
from drivers.streams.frame_sources import FolderFrames
from edge.model.units import MonoUs


def test_a_folder_is_played_at_its_rate_also_when_time_passes_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for grey in (0, 255):
        cv2.imwrite(str(tmp_path / f"{grey:03}.png"), np.full((8, 8), grey, dtype=np.uint8))
    clock = count(1_000_000, 150_000)  # each look at it is longer after the last than a frame takes
    slept: list[float] = []
    monkeypatch.setattr(frame_sources, "now_us", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", slept.append)
    frames = FolderFrames(tmp_path, frames_per_s=10)
    frames.open()
    assert [int(frames.grab().pixels[0, 0]) for _ in range(4)] == [0, 255, 0, 255]
    assert len(slept) == 4
    assert min(slept) >= 0


class Told:
    """A capture of OpenCV's that says only when its last frame was stamped, in milliseconds."""

    def __init__(self, stamp_ms: float) -> None:
        self._stamp_ms = stamp_ms

    def get(self, what: int) -> float:
        assert what == cv2.CAP_PROP_POS_MSEC
        return self._stamp_ms


@pytest.mark.parametrize(
    ("stamp_ms", "stamp_us"),
    [
        (99_960.5, 99_960_500),  # it lay in the driver for 39.5 ms
        (100_000.0, 100_000_000),
        (100_000.001, 100_000_000),  # not yet: of another clock
        (94_999.9, 100_000_000),
        (0.0, 100_000_000),  # nothing was grabbed, or the driver says nothing
        (-1.0, 100_000_000),  # the backend does not know the property
    ],
)
def test_a_frame_is_as_old_as_its_driver_says(stamp_ms: float, stamp_us: int) -> None:
    came_us = MonoUs(100_000_000)
    assert frame_sources.stamped_us(cast(cv2.VideoCapture, Told(stamp_ms)), came_us) == stamp_us
