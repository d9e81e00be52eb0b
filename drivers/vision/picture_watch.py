"""Whether a camera's pictures can show anything: black, over-exposed, out of focus, frozen."""

import numpy as np

from drivers.codecs.camera_messages import Picture
from drivers.vision.sharpness import Sharpness, sharpness
from drivers.vision.sightings import Pixels
from edge.model.units import US_PER_MS, MonoUs

STEP = 8
"""Every eighth pixel each way is looked at."""
BLACK_BELOW = 24
"""The brightest hundredth of a black picture; a dark belt under its light is far above."""
WHITE_FROM = 250
WHITE_PERCENT = 60
"""So much of an over-exposed picture is white. A white label that fills the view leaves its print."""
LASTS_US = 1_000 * US_PER_MS
"""Neither a dark parcel close to the lens nor a lamp's flicker lasts so long."""
MOVED_GREY = 25
MOVED_PERMILLE = 5
"""So much of the picture changes so far when something comes, moves or goes: a shadow that lies on the
belt tells nothing about the lens."""
SOFT_FRAMES = 12
SOFT_US = 4_000 * US_PER_MS
"""So many pictures of things that move, all soft, over so long: not one wrapped in foil."""


class PictureWatch:
    """Frames in the order of their grabs. ``frozen_ms`` 0: pictures may repeat."""

    def __init__(self, *, frozen_ms: int) -> None:
        self._frozen_us = frozen_ms * US_PER_MS
        self._last: Pixels | None = None
        self._moved_us = 0
        self._kind = Picture.GOOD
        self._since_us = 0
        self._now_us = 0
        self._focus = Picture.PLAIN
        self._soft = 0
        self._soft_us = 0
        """Soft pictures since the last sharp one, and when the first of them was."""

    def see(self, pixels: Pixels, grabbed_us: MonoUs, *, read: bool = False) -> None:
        """One more frame; ``read``: a code in it counts, which is proof enough of a sharp picture."""
        kind, last = _kind(pixels), self._last
        if kind is not self._kind:
            self._kind = kind
            self._since_us = grabbed_us if last is not None else grabbed_us - LASTS_US
        if last is None or not np.array_equal(last, pixels):
            self._moved_us = grabbed_us
        if kind is Picture.GOOD:
            self._look_sharp(pixels, grabbed_us, read=read)
        self._now_us, self._last = grabbed_us, pixels

    @property
    def picture(self) -> Picture:
        """What the pictures have been for a while, or all the time; a good one counts at once."""
        blind = self._kind is not Picture.GOOD and self._now_us - self._since_us >= LASTS_US
        return self._kind if blind else self._focus

    @property
    def frozen(self) -> bool:
        """The same frame, bit for bit, for ``frozen_ms``: the source repeats what it had."""
        if not self._frozen_us or self._last is None:
            return False
        return self._now_us - self._moved_us >= self._frozen_us

    def _look_sharp(self, pixels: Pixels, grabbed_us: MonoUs, *, read: bool) -> None:
        found = Sharpness.SHARP if read else sharpness(pixels)
        if found is Sharpness.SHARP:
            self._focus, self._soft = Picture.GOOD, 0
        elif found is Sharpness.SOFT and _differs(self._last, pixels):
            self._soft += 1
            if self._soft == 1:
                self._soft_us = grabbed_us
            if self._soft >= SOFT_FRAMES and grabbed_us - self._soft_us >= SOFT_US:
                self._focus = Picture.OUT_OF_FOCUS


def _differs(last: Pixels | None, pixels: Pixels) -> bool:
    """Something in the picture has come, moved or gone."""
    if last is None or last.shape != pixels.shape:
        return False
    before, now = last[::STEP, ::STEP].astype(np.int16), pixels[::STEP, ::STEP].astype(np.int16)
    moved = int((np.abs(now - before) >= MOVED_GREY).sum())
    return moved * 1_000 >= MOVED_PERMILLE * now.size


def _kind(pixels: Pixels) -> Picture:
    some = pixels[::STEP, ::STEP]
    if float(np.percentile(some, 99)) < BLACK_BELOW:
        return Picture.BLACK
    if int((some >= WHITE_FROM).sum()) * 100 >= WHITE_PERCENT * some.size:
        return Picture.OVEREXPOSED
    return Picture.GOOD
