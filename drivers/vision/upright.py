"""One candidate cut out of the picture and turned upright, and what can be made of it if that is not
enough: bands along the bars averaged, stretched in contrast, and enlarged."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.vision.locate import CELL, Stripes
from drivers.vision.sightings import Pixels, Place, Spot, upright_place

QUIET = 0.12
"""Of its length, added at each end: the quiet zone, and what the cells left out."""
MAX_SIDE, MIN_HEIGHT = 4_000, 16
TALL = 64
"""Pixels along the bars from which on half of the rows are enough."""
BAND_PX = 12
"""Height of a band of which each column is averaged: a turn of 1 degree moves a bar by 0.2 px in it."""
BANDS = 5
MAX_BANDS = 12
MIN_EDGES = 18
"""Of the shortest codes in use: an ITF of two digits has 18, an EAN-8 44."""
ALIKE = 0.6
"""Part of a band's variance that is between its columns: bars have nearly all of it, text a third."""
BAND_ROWS = 24
ENLARGED = 3
"""A band becomes so many equal rows, and so many times as wide."""
FRAME_PX = 16
"""Quiet zone for a symbol that fills its picture."""
LOW, HIGH = 2, 98
"""Percentiles that become black and white."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Pixels that were cut out, turned, and perhaps enlarged, and the way back: ``back`` maps x and y in
    them to the whole picture (two rows of an affine matrix)."""

    pixels: Pixels
    back: NDArray[np.float64]

    @property
    def whole(self) -> Place:
        """All of it, in the whole picture."""
        height, width = self.pixels.shape
        return self.place(upright_place(0, 0, width, height))

    def place(self, place: Place) -> Place:
        """Where in the whole picture that is."""
        a, b, c, d = (self._spot(*spot) for spot in place.corners)
        return Place((a, b, c, d))

    def _spot(self, x: float, y: float) -> Spot:
        found_x, found_y = self.back @ (x, y, 1.0)
        return float(found_x), float(found_y)


def upright(pixels: Pixels, stripes: Stripes) -> Cut:
    """The candidate with its quiet zones, bars vertical; across them pixels as large as in the picture,
    along tall ones every second."""
    margin = stripes.length * QUIET + 2 * CELL
    width = min(MAX_SIDE, round(stripes.length + 2 * margin))
    step = 2 if stripes.height >= TALL else 1
    height = min(MAX_SIDE, max(MIN_HEIGHT, round(stripes.height / step)))
    cos, sin, half = math.cos(stripes.angle), math.sin(stripes.angle), height * step / 2
    back = np.array(
        [
            [cos, -sin * step, stripes.x - cos * width / 2 + sin * half],
            [sin, cos * step, stripes.y - sin * width / 2 - cos * half],
        ]
    )
    cut = cv2.warpAffine(
        pixels,
        back,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Cut(pixels=np.asarray(cut, np.uint8), back=back)


def striped(cut: Cut) -> bool:
    """Somewhere it has bars: columns that are alike along a band's height and change often across it. What
    is no bar code but text, edges or texture has no such band."""
    height = cut.pixels.shape[0]
    band = min(height, BAND_PX)
    count = min(height // band, MAX_BANDS)
    step = height // count
    for top in range(0, count * step, step):
        rows = cut.pixels[top : top + band].astype(np.float32)
        row = rows.mean(axis=0)
        ink = row < row.mean()
        if int(np.count_nonzero(ink[1:] != ink[:-1])) < MIN_EDGES:
            continue
        if float(row.var()) >= ALIKE * float(rows.var()):
            return True
    return False


def enhanced(cut: Cut) -> Iterator[Cut]:
    """Bands of an upright cut, each averaged along the bars, stretched and enlarged; the middle first."""
    height = cut.pixels.shape[0]
    band = min(height, BAND_PX)
    spots = sorted({round((height - band) * n / (BANDS - 1)) for n in range(BANDS)})
    middle = (height - band) / 2
    for top in sorted(spots, key=lambda spot: abs(spot - middle)):
        row = cut.pixels[top : top + band].mean(axis=0, dtype=np.float32)
        low, high = np.percentile(row, (LOW, HIGH))
        stretched = np.clip((row - low) * (255 / max(1.0, float(high - low))), 0, 255).astype(np.uint8)
        wide = cv2.resize(stretched[np.newaxis, :], (len(row) * ENLARGED, 1), interpolation=cv2.INTER_CUBIC)
        drawn = np.ascontiguousarray(np.repeat(np.asarray(wide, np.uint8), BAND_ROWS, axis=0))
        into = np.array([[1 / ENLARGED, 0, 0], [0, band / BAND_ROWS, top], [0, 0, 1]])
        yield Cut(pixels=drawn, back=cut.back @ into)


def framed(pixels: Pixels) -> Cut:
    """A small picture in a white frame, twice as large."""
    edged = cv2.copyMakeBorder(pixels, FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX, cv2.BORDER_CONSTANT, value=255)
    drawn = cv2.resize(edged, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    back = np.array([[0.5, 0, -FRAME_PX], [0, 0.5, -FRAME_PX]])
    return Cut(pixels=np.asarray(drawn, np.uint8), back=back)
