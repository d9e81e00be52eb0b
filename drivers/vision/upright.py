"""One candidate cut out of the picture and turned upright, and what can be made of it if that is not
enough: bands along the bars averaged, stretched in contrast, and enlarged."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.vision.locate import CELL, Box, Stripes
from drivers.vision.sightings import Pixels, Place, Spot, upright_place

QUIET = 0.12
"""Of its length, added at each end: the quiet zone, and what the cells left out."""
MAX_SIDE, MIN_HEIGHT = 4_000, 16
TALL = 64
"""Pixels along the bars from which on half of the rows are enough; a quarter from four times as many."""
BAND_PX = 24
"""Height of a band of which each column is averaged: a turn of 1 degree moves a bar by 0.4 px in it."""
MAX_BAND = 12
"""Rows of a cut."""
BANDS = 7
MIN_EDGES = 18
"""Of the shortest codes in use: an ITF of two digits has 18, an EAN-8 44."""
WIDER_PX = 65
"""Than any bar: what changes over more, as a label's edges and shadows do, is taken away."""
LEAST = 5
"""Grey levels above or below what is around: less is noise."""
ALIKE = 0.7
"""Of a band's rows: there a column of bars is all dark or all light, but for noise."""
TALLER = 5
"""Than from edge to edge a bar is at least; strokes of text are not."""
QUIET_FROM, QUIET_TO = 1.5, 6.0
"""Modules beyond the last bar: less than any standard's quiet zone."""
DARKER, BRIGHTER = 0.25, 0.4
"""Of the contrast: a carton beside the label is darker by a third of it."""
BAND_ROWS = 8
ENLARGED = 3
"""A band becomes so many equal rows, and so many times as wide."""
Sharper = tuple[tuple[float, float], ...]
PLAIN: Sharper = ((0.0, 0.0),)
SHARPER: Sharper = ((5.0, 2.0), (6.0, 4.0), (4.0, 4.0))
"""Reach of the blur whose difference is added, in enlarged pixels, and how many times it is: out of focus
and in motion, bars run into each other by one to two of their widths. Averaging has taken the noise away."""
FRAME_PX = 16
"""Quiet zone for a symbol that fills its picture."""
PAPER = 90
"""Percentile."""
LOW, HIGH = 2, 98
"""Percentiles that become black and white."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Pixels that were cut out, turned, and perhaps enlarged, and the way back: ``back`` maps x and y in
    them to the whole picture (two rows of an affine matrix)."""

    pixels: Pixels
    back: NDArray[np.float64]
    step: int = 1
    """Pixels of the picture to a row."""

    @property
    def band(self) -> int:
        """Rows of a band."""
        return min(len(self.pixels), MAX_BAND, BAND_PX // self.step)

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


def upright(pixels: Pixels, stripes: Stripes, *, margin: float | None = None) -> Cut:
    """The candidate with its quiet zones, bars vertical; across them pixels as large as in the picture,
    along tall ones every second or fourth. ``margin``: pixels beyond each end. Beyond the picture its edge
    goes on along the bars, and paper across them."""
    if margin is None:
        margin = stripes.length * QUIET + 2 * CELL
    width = min(MAX_SIDE, round(stripes.length + 2 * margin))
    step = 4 if stripes.height >= 4 * TALL else 2 if stripes.height >= TALL else 1
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
    found = Cut(pixels=np.asarray(cut, np.uint8), back=back, step=step)
    there = _in_picture(found, pixels)
    if not there.all() and there.any():
        found.pixels[:, ~there] = np.percentile(found.pixels[:, there], PAPER)
    return found


def _in_picture(cut: Cut, pixels: Pixels) -> NDArray[np.bool_]:
    """Which columns are, halfway up."""
    rows, columns = cut.pixels.shape
    x, y = cut.back @ np.array([np.arange(columns), np.full(columns, rows / 2), np.ones(columns)])
    height, width = pixels.shape
    return np.asarray((x >= 0) & (x < width) & (y >= 0) & (y < height))


def bars_in(cut: Cut, taller: int = TALLER) -> tuple[Cut, ...]:
    """The parts of it that have bars, each from end to end along them: bands whose columns are dark or light
    from top to bottom, change often, and go on in the next band. Text, edges and texture have none such, and
    end a part, and so does what is not so many times ``taller`` than from edge to edge."""
    rows, band = len(cut.pixels), cut.band
    tops = np.arange(0, rows - band + 1, max(1, band // 2))
    around_it = cv2.blur(cut.pixels, (WIDER_PX, 1))
    light = _steady(cv2.subtract(cut.pixels, around_it), band, tops)
    dark = _steady(cv2.subtract(around_it, cut.pixels), band, tops)
    if len(tops) > 1:
        light, dark = light[1:] & light[:-1], dark[1:] & dark[:-1]
    bars = np.minimum(_changes(light), _changes(dark)) >= MIN_EDGES
    found: list[Cut] = []
    first = 0
    for at, on in enumerate([*bars.tolist(), False]):
        if not on:
            tall = (int(tops[at - 1]) - int(tops[first]) + band * 3 / 2) * cut.step if at > first else 0
            if tall and tall >= taller * _pitch(dark[first:at]):
                found.append(_rows_of(cut, max(0, int(tops[first]) - band), int(tops[at - 1]) + 3 * band))
            first = at + 1
    return tuple(found)


def _pitch(dark: NDArray[np.bool_]) -> float:
    """Pixels from one edge of a bar to the next, on average."""
    row = dark[len(dark) // 2]
    edges = np.flatnonzero(row[1:] != row[:-1])
    return float(edges[-1] - edges[0]) / len(edges)


def _steady(by: cv2.typing.MatLike, band: int, tops: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Of each band that begins there, which columns are so nearly everywhere."""
    more = np.asarray(by) > LEAST
    shares = cv2.blur(more.view(np.uint8) * np.uint8(255), (1, band), anchor=(0, 0))
    return np.asarray(shares[tops] >= ALIKE * 255, np.bool_)


def _changes(over: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Of each row, from left to right."""
    return np.asarray(np.count_nonzero(over[:, 1:] != over[:, :-1], axis=1))


def _rows_of(cut: Cut, top: int, bottom: int) -> Cut:
    into = np.array([[1.0, 0, 0], [0, 1.0, top], [0, 0, 1]])
    return Cut(pixels=cut.pixels[top:bottom], back=cut.back @ into, step=cut.step)


def enhanced(cut: Cut, sharper: Sharper = PLAIN) -> Iterator[Cut]:
    """Bands of an upright cut, each averaged along the bars, enlarged, sharpened and stretched; the middle
    first."""
    height, band = len(cut.pixels), cut.band
    spots = sorted({round((height - band) * n / (BANDS - 1)) for n in range(BANDS)})
    middle = (height - band) / 2
    for top in sorted(spots, key=lambda spot: abs(spot - middle)):
        row = cut.pixels[top : top + band].mean(axis=0, dtype=np.float32)[np.newaxis, :]
        size = (row.shape[1] * ENLARGED, 1)
        wide = np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_CUBIC), np.float32)
        into = np.array([[1 / ENLARGED, 0, 0], [0, band / BAND_ROWS, top], [0, 0, 1]])
        for reach, times in sharper:
            sharp = wide + times * (wide - cv2.GaussianBlur(wide, (0, 0), reach)) if times else wide
            low, high = np.percentile(sharp, (LOW, HIGH))
            stretched = np.clip((sharp - low) * (255 / max(1.0, float(high - low))), 0, 255)
            yield Cut(pixels=stretched.astype(np.uint8).repeat(BAND_ROWS, axis=0), back=cut.back @ into)


def around(place: Place, least_px: int) -> Stripes:
    """The stripes that were read there, ``least_px`` or more along the bars."""
    (ax, ay), (bx, by), _, (dx, dy) = place.corners
    x, y = place.middle
    return Stripes(
        x=x,
        y=y,
        length=math.hypot(bx - ax, by - ay),
        height=max(least_px, math.hypot(dx - ax, dy - ay)),
        angle=math.atan2(by - ay, bx - ax),
        score=0.0,
    )


def patch(pixels: Pixels, box: Box) -> Cut | None:
    """As it lies; None where nothing of it is in the picture."""
    part = pixels[box.top : box.bottom, box.left : box.right]
    if not part.size:
        return None
    return Cut(pixels=np.ascontiguousarray(part), back=np.array([[1.0, 0, box.left], [0, 1.0, box.top]]))


def quiet(pixels: Pixels, place: Place, modules: int) -> bool:
    """Paper lies beyond both ends of a code of so many modules: as bright as its spaces there, no darker as
    where bars go on or the label is torn, no brighter as where glare has washed them out. What lies beyond
    the picture's edge speaks neither way."""
    stripes = around(place, MIN_HEIGHT)
    module = stripes.length / modules
    beyond = math.ceil(QUIET_TO * module)
    cut = upright(pixels, stripes, margin=beyond)
    rows, columns = cut.pixels.shape
    row = cut.pixels[rows // 3 : rows - rows // 3].mean(axis=0)
    width = columns - 2 * beyond
    if width < 1:
        return False
    near, part = math.floor((QUIET_TO - QUIET_FROM) * module), max(1, width // 3)
    there = _in_picture(cut, pixels)
    ends = (
        (row[:near][there[:near]], row[beyond : beyond + part]),
        (row[columns - near :][there[columns - near :]], row[columns - beyond - part : columns - beyond]),
    )
    for end, bars in ends:
        black, white = np.percentile(bars, (10, 90))
        contrast = white - black
        if end.size and (end.min() <= white - DARKER * contrast or end.mean() >= white + BRIGHTER * contrast):
            return False
    return True


def framed(pixels: Pixels) -> Cut:
    """A small picture in a white frame, twice as large."""
    edged = cv2.copyMakeBorder(pixels, FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX, cv2.BORDER_CONSTANT, value=255)
    drawn = cv2.resize(edged, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    back = np.array([[0.5, 0, -FRAME_PX], [0, 0.5, -FRAME_PX]])
    return Cut(pixels=np.asarray(drawn, np.uint8), back=back)
