"""Why nothing was read in a picture, as far as it tells: hints for whoever sets up printers, lamps, lenses.

A guess from measures of one picture, and never an input of a decision. The limits are where the pipeline
itself begins to fail on drawn labels (``simulators.labels.scenes``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.vision.ladder import PictureRead
from drivers.vision.locate import CELL, Stripes, find_stripes, relief_of
from drivers.vision.sightings import Pixels
from drivers.vision.upright import Cut, bars_in, upright
from edge.model.pictures import NoReadCause

LOW_CONTRAST_PERCENT = 18
SMALL_TENTHS = 15
"""1.5 pixels a module: what ``line_config`` wants of a camera at least."""
BLURRED_PERCENT = 30
"""An edge over more than three pixels: a lens in focus has one over two at most, however wide the bars."""
ROWS_STEP = 16
BAND_PX = 12
"""Rows that are averaged along the bars."""
LOW, HIGH = 5, 95
STEEPEST = 98
"""Percentiles: of a row's greys, and of its steps from pixel to pixel."""
MIN_RUNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """As ``edge.model.pictures.PictureNote`` has them."""

    cause: NoReadCause
    contrast_percent: int
    sharpness_percent: int
    module_tenths: int


def hints_of(pixels: Pixels, read: PictureRead) -> Hints:
    """``read``: what the pipeline made of the picture."""
    counted = [code.sighting.place for code in read.codes if code.why]
    relief = relief_of(pixels) if pixels.size else None
    cuts = [(one, upright(pixels, one)) for one in (find_stripes(relief) if relief else ())]
    left = [
        (one, cut)
        for one, cut in cuts
        if bars_in(cut) and not any(place.meets(cut.whole) for place in counted)
    ]
    if not left:
        contrast, sharpness = _greys(_whole(pixels))
        cause = _without_bars(read)
        return Hints(cause=cause, contrast_percent=contrast, sharpness_percent=sharpness, module_tenths=0)
    measured = [(stripes, *_measures(cut)) for stripes, cut in left]
    stripes, contrast, sharpness, module = max(
        measured, key=lambda one: (one[3] > 0, one[0].length * one[0].height)
    )
    if any(not code.why for code in read.codes):
        cause = NoReadCause.IN_DOUBT
    elif _cut_off(pixels, stripes):
        cause = NoReadCause.CUT_OFF
    else:
        cause = _with_bars(contrast, sharpness, module)
    return Hints(cause=cause, contrast_percent=contrast, sharpness_percent=sharpness, module_tenths=module)


def sharpness_of(pixels: Pixels) -> int:
    """A cheap measure for telling frames of one parcel apart: mean step along every sixteenth row, in
    hundredths of a grey."""
    rows = pixels[::ROWS_STEP].astype(np.int16)
    return int(np.abs(rows[:, 1:] - rows[:, :-1]).mean() * 100) if rows.shape[1] > 1 else 0


def _without_bars(read: PictureRead) -> NoReadCause:
    if any(code.why for code in read.codes):
        return NoReadCause.NOT_A_WAYBILL
    return NoReadCause.IN_DOUBT if read.codes else NoReadCause.NOTHING_SEEN


def _with_bars(contrast: int, sharpness: int, module: int) -> NoReadCause:
    if sharpness < BLURRED_PERCENT:
        return NoReadCause.BLURRED
    if contrast < LOW_CONTRAST_PERCENT:
        return NoReadCause.LOW_CONTRAST
    if 0 < module < SMALL_TENTHS:
        return NoReadCause.TOO_SMALL
    return NoReadCause.UNREADABLE


def _cut_off(pixels: Pixels, stripes: Stripes) -> bool:
    """An end of the bars lies at the picture's edge."""
    height, width = pixels.shape
    cos, sin = np.cos(stripes.angle) / 2, np.sin(stripes.angle) / 2
    for sign in (-1, 1):
        x, y = stripes.x + sign * cos * stripes.length, stripes.y + sign * sin * stripes.length
        if min(x, y, width - x, height - y) < 2 * CELL:
            return True
    return False


def _measures(cut: Cut) -> tuple[int, int, int]:
    """Contrast, sharpness, and a module's width (0: no bars to speak of)."""
    row = _row(cut)
    contrast, sharpness = _greys(row)
    return contrast, sharpness, _module_tenths(row)


def _whole(pixels: Pixels) -> NDArray[np.float32]:
    return pixels[::ROWS_STEP].astype(np.float32)


def _row(cut: Cut) -> NDArray[np.float32]:
    """The middle of a cut, averaged along the bars, without its quiet zones: they are a fifth at most."""
    height, width = cut.pixels.shape
    top = max(0, (height - BAND_PX) // 2)
    row = np.asarray(cut.pixels[top : top + BAND_PX].mean(axis=0, dtype=np.float32), np.float32)
    edge = width // 6
    return row[np.newaxis, edge : width - edge]


def _greys(rows: NDArray[np.float32]) -> tuple[int, int]:
    """Contrast and sharpness in percent."""
    if rows.shape[1] < 2:
        return 0, 0
    low, high = np.percentile(rows, (LOW, HIGH))
    span = float(high - low)
    steep = float(np.percentile(np.abs(rows[:, 1:] - rows[:, :-1]), STEEPEST))
    return round(span * 100 / 255), min(100, round(steep * 100 / max(1.0, span)))


def _module_tenths(rows: NDArray[np.float32]) -> int:
    """The narrowest runs of black and white: their mean, in tenths of a pixel; 0 where there are few."""
    row = rows[0]
    low, high = np.percentile(row, (LOW, HIGH))
    level = (low + high) / 2
    dark = row < level
    edges = np.nonzero(dark[1:] != dark[:-1])[0]
    if len(edges) <= MIN_RUNS:
        return 0
    # Where the grey crosses the level between two pixels.
    crossings = edges + (row[edges] - level) / (row[edges] - row[edges + 1])
    runs = np.sort(np.diff(crossings))
    narrow = runs[: max(2, len(runs) // 3)]
    return round(float(narrow.mean()) * 10)
