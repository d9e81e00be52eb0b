"""How sharp the sharpest edges of a picture are.

Across an edge that a lens blurs with a spread of s pixels, ``STEP_PX`` pixels show erf(STEP_PX / (s √8))
of its contrast: 0.68 at one pixel, 0.38 at two, 0.26 at three. At two, labels of 3 pixels a module are no
longer read.
"""

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from drivers.vision.sightings import Pixels

LINE_PX = 16
"""Every sixteenth row, and every sixteenth column, is looked along."""
STEP_PX = 2
WINDOW_PX = 32
"""An edge is judged against the contrast of its own stretch of this length and its two neighbours'."""
CONTRAST_GREY = 80
"""Less is a shade or noise, which tell nothing."""
SHARP_PERCENT = 45
SHARP_PLACES = 4
"""A bright speck on the sensor is no sharp picture."""


class Sharpness(Enum):
    SHARP = auto()
    SOFT = auto()
    """It has contrast, and all of it is soft."""
    PLAIN = auto()
    """Nothing in it that could be sharp."""


def sharpness(pixels: Pixels) -> Sharpness:
    """Of one picture. Movement blurs along the belt only: what is sharp in either direction is in focus."""
    along, across = _edges(pixels[::LINE_PX]), _edges(pixels[:, ::LINE_PX].T)
    contrast = np.concatenate([along[0], across[0]])
    climbed = np.concatenate([along[1], across[1]])
    telling = contrast >= CONTRAST_GREY
    sharp = telling & (climbed * 100 >= contrast * SHARP_PERCENT)
    if int(sharp.sum()) >= SHARP_PLACES:
        return Sharpness.SHARP
    return Sharpness.SOFT if int(telling.sum()) >= SHARP_PLACES else Sharpness.PLAIN


def _edges(lines: Pixels) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of each stretch of these lines: the contrast around it, and the most that it climbs in one step."""
    count, length = lines.shape
    stretches = length // WINDOW_PX
    if not stretches or not count:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    cut = lines[:, : stretches * WINDOW_PX].reshape(count, stretches, WINDOW_PX).astype(np.int32)
    highest = np.pad(cut.max(axis=2), ((0, 0), (1, 1)), mode="edge")
    lowest = np.pad(cut.min(axis=2), ((0, 0), (1, 1)), mode="edge")
    high = np.maximum(np.maximum(highest[:, :-2], highest[:, 1:-1]), highest[:, 2:])
    low = np.minimum(np.minimum(lowest[:, :-2], lowest[:, 1:-1]), lowest[:, 2:])
    climbed = np.abs(cut[:, :, STEP_PX:] - cut[:, :, :-STEP_PX]).max(axis=2)
    return (high - low).ravel(), climbed.ravel()
