"""Pictures as files."""

import cv2
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 85
"""Bars of two pixels stay bars; a 1.3 MP frame of a belt has 100 to 300 kB."""


def jpeg_of(pixels: NDArray[np.uint8]) -> bytes:
    """Grey pixels as a JPEG file. Raises ``cv2.error`` for what is no picture."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
