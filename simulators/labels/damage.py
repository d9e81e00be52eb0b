"""What happens to a label on its way, and to the picture that a camera takes of it."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.labels.printed import PAPER
from simulators.seeds import SeededBits

Real = NDArray[np.float32]
BELT = 70
"""Grey of the belt."""


def _print_head(bits: SeededBits, label: Real) -> Real:
    """White lines along the paper's way through the printer, across the bars or along them: dead dots."""
    along = bits.chance(500)
    for _ in range(bits.between(1, 4)):
        if along:
            column = bits.below(label.shape[1] - 4)
            label[:, column : column + bits.between(1, 3)] = PAPER
        else:
            row = bits.below(label.shape[0] - 4)
            label[row : row + bits.between(2, 4)] = PAPER
    return label


def _wrinkle(bits: SeededBits, label: Real) -> Real:
    rows, columns = label.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    wave, deep = bits.between(60, 240), bits.between(20, 60) / 10
    bent_x = np.asarray(x + deep * np.sin(y / wave * 2 * math.pi + bits.below(7)), np.float32)
    bent_y = np.asarray(y + deep / 2 * np.sin(x / wave), np.float32)
    shadow = 1 + 0.12 * np.sin(x / wave * 3 + y / wave)
    bowed = cv2.remap(label, bent_x, bent_y, cv2.INTER_LINEAR, borderValue=PAPER)
    return np.asarray(bowed * shadow, np.float32)


def _tear(bits: SeededBits, label: Real) -> Real:
    rows, columns = label.shape
    depth = columns * bits.between(3, 12) // 100
    edge = np.cumsum(np.random.default_rng(bits.below(1 << 32)).integers(-2, 3, rows)) + depth
    label[np.arange(columns)[np.newaxis, :] < edge[:, np.newaxis]] = 140
    return label


def _hidden(bits: SeededBits, label: Real) -> Real:
    """Another sticker or a strap across a part of it."""
    rows = label.shape[0]
    top, height = bits.below(rows), rows * bits.between(5, 15) // 100
    label[top : top + height] = bits.between(90, 220)
    return label


def _tape(bits: SeededBits, label: Real) -> Real:
    """A band of clear tape: less contrast, and a bright edge."""
    rows = label.shape[0]
    top, height = bits.below(rows), rows * bits.between(15, 40) // 100
    part = label[top : top + height]
    label[top : top + height] = 120 + (part - 120) * bits.between(35, 70) / 100
    label[top : top + 3] = 250
    return label


def _motion(bits: SeededBits, pixels: Real) -> Real:
    length = bits.between(3, 7)
    kernel = np.zeros((length, length), np.float32)
    kernel[:, length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), bits.below(180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / max(0.1, float(kernel.sum()))), np.float32)


def _defocus(bits: SeededBits, pixels: Real) -> Real:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), bits.between(10, 28) / 10), np.float32)


def _pale(bits: SeededBits, pixels: Real) -> Real:
    middle = bits.between(60, 180)
    return np.asarray(middle + (pixels - middle) * bits.between(12, 35) / 100, np.float32)


def _glare(bits: SeededBits, pixels: Real) -> Real:
    height, width = pixels.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x - bits.below(width), (y - bits.below(height)) * bits.between(5, 30) / 10)
    return np.asarray(
        pixels + bits.between(100, 255) * np.exp(-((away / bits.between(60, 200)) ** 2)), np.float32
    )


def _tilt(bits: SeededBits, pixels: Real) -> Real:
    height, width = pixels.shape
    pull = min(width, height) * 0.12
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array(
        [[bits.between(0, 100) / 100 * pull] * 2 for _ in range(4)], np.float32
    ) * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    view = cv2.getPerspectiveTransform(corners, moved)
    return np.asarray(cv2.warpPerspective(pixels, view, (width, height), borderValue=BELT), np.float32)


def _jpeg(bits: SeededBits, pixels: Real) -> Real:
    quality = [cv2.IMWRITE_JPEG_QUALITY, bits.between(18, 50)]
    whole, data = cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8), quality)
    assert whole
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)


DAMAGE: dict[str, Callable[[SeededBits, Real], Real]] = {
    "print_head": _print_head,
    "wrinkle": _wrinkle,
    "tear": _tear,
    "hidden": _hidden,
    "tape": _tape,
    "tilt": _tilt,
    "motion": _motion,
    "defocus": _defocus,
    "pale": _pale,
    "glare": _glare,
    "jpeg": _jpeg,
}
ON_PAPER = frozenset({"print_head", "wrinkle", "tear", "hidden", "tape"})
