"""Pictures as files."""

import cv2
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 85
"""Bars of two pixels stay bars; a 1.3 MP frame of a belt has 100 to 300 kB."""


def pixels_of(data: bytes) -> NDArray[np.uint8] | None:
    """A JPEG file of ours in grey; None for what is none."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def jpeg_of(pixels: NDArray[np.uint8]) -> bytes:
    """Grey pixels as a JPEG file. Raises ``cv2.error`` for what is no picture."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
