"""Frames of a folder: over and over, at their rate, also when the machine is behind."""

import time
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.streams import frame_sources
from drivers.streams.frame_sources import FolderFrames


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
