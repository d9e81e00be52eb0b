"""One candidate cut out of the picture and turned upright, and what can be made of it if that is not
enough: bands along the bars averaged, stretched in contrast, and enlarged."""

import math
from collections.abc import Iterator

import cv2
import numpy as np

from drivers.vision.locate import CELL, Stripes
from drivers.vision.sightings import Pixels

QUIET = 0.12
"""Of its length, added at each end: the quiet zone, and what the cells left out."""
MAX_SIDE = 4_000
BAND_PX = 12
"""Height of a band of which each column is averaged: a turn of 1 degree moves a bar by 0.2 px in it."""
BANDS = 5
ENLARGED = 3
LOW, HIGH = 2, 98
"""Percentiles that become black and white."""


def upright(pixels: Pixels, stripes: Stripes) -> Pixels:
    """The candidate with its quiet zones, bars vertical; pixels as large as in the picture."""
    margin = stripes.length * QUIET + 2 * CELL
    width = min(MAX_SIDE, round(stripes.length + 2 * margin))
    height = min(MAX_SIDE, max(16, round(stripes.height)))
    cos, sin = math.cos(stripes.angle), math.sin(stripes.angle)
    back = np.array(
        [
            [cos, -sin, stripes.x - cos * width / 2 + sin * height / 2],
            [sin, cos, stripes.y - sin * width / 2 - cos * height / 2],
        ]
    )
    cut = cv2.warpAffine(
        pixels,
        back,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint8)


def enhanced(cut: Pixels) -> Iterator[Pixels]:
    """Bands of an upright cut, each averaged along the bars, stretched and enlarged; the middle first."""
    height = cut.shape[0]
    band = min(height, BAND_PX)
    spots = sorted({round((height - band) * n / (BANDS - 1)) for n in range(BANDS)})
    middle = (height - band) / 2
    for top in sorted(spots, key=lambda spot: abs(spot - middle)):
        row = cut[top : top + band].mean(axis=0, dtype=np.float32)
        low, high = np.percentile(row, (LOW, HIGH))
        stretched = np.clip((row - low) * (255 / max(1.0, float(high - low))), 0, 255).astype(np.uint8)
        wide = cv2.resize(stretched[np.newaxis, :], (len(row) * ENLARGED, 1), interpolation=cv2.INTER_CUBIC)
        yield np.ascontiguousarray(np.repeat(np.asarray(wide, np.uint8), 24, axis=0))
