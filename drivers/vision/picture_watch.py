"""Whether a camera's pictures can show anything: black, over-exposed, frozen."""

import numpy as np

from drivers.codecs.camera_messages import Picture
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


class PictureWatch:
    """Frames in the order of their grabs. ``frozen_ms`` 0: pictures may repeat."""

    def __init__(self, *, frozen_ms: int) -> None:
        self._frozen_us = frozen_ms * US_PER_MS
        self._last: Pixels | None = None
        self._moved_us: int | None = None
        self._kind = Picture.GOOD
        self._since_us = 0
        self._now_us = 0

    def see(self, pixels: Pixels, grabbed_us: MonoUs) -> None:
        """One more frame."""
        self._now_us = grabbed_us
        kind = _kind(pixels)
        if kind is not self._kind:
            self._kind, self._since_us = kind, grabbed_us
        if self._moved_us is None or self._last is None or not np.array_equal(self._last, pixels):
            self._moved_us = grabbed_us
        self._last = pixels

    @property
    def picture(self) -> Picture:
        """What the pictures have been for a while; a good one counts at once."""
        return self._kind if self._now_us - self._since_us >= LASTS_US else Picture.GOOD

    @property
    def frozen(self) -> bool:
        """The same frame, bit for bit, for ``frozen_ms``: the source repeats what it had."""
        return bool(self._frozen_us and self._moved_us is not None) and (
            self._now_us - (self._moved_us or 0) >= self._frozen_us
        )


def _kind(pixels: Pixels) -> Picture:
    some = pixels[::STEP, ::STEP]
    if float(np.percentile(some, 99)) < BLACK_BELOW:
        return Picture.BLACK
    if int((some >= WHITE_FROM).sum()) * 100 >= WHITE_PERCENT * some.size:
        return Picture.OVEREXPOSED
    return Picture.GOOD
