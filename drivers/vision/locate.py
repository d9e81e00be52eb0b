"""Where bar codes lie in a picture, and how they are turned: a structure tensor on a smaller one.

Stripes have strong gradients that all point one way (up to their sign). In cells of a small picture the
products of the gradients are averaged; where the average has one clear direction, and neighbours share
it, stripes are, at any angle (Bigun and Granlund 1987). Where many have none, a matrix code may be.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.vision.sightings import Pixels

LOOK_PIXELS = 600_000
"""Of the smaller picture: half of a 2 MP frame's sides, a third of a 5 MP frame's. Two-pixel modules
still show there: their wider bars do."""
CELL = 8
"""Pixels of the smaller picture to a cell."""
ENERGY = 40.0
"""Mean squared gradient of a cell with something printed: 12 % contrast has about that."""
COHERENCE = 0.55
"""1: all gradients on one line, 0: in all directions. Text lies below."""
STRAIGHT = 3
"""Power of the squared coherence by which a cell says where the bars point: text beside them hardly does."""
ALIKE = math.cos(math.radians(2 * 20))
"""Neighbouring cells belong together when their directions differ by less than 20 degrees."""
MIXED = 0.75
"""Coherence below which a cell and its neighbours have gradients both ways."""
MIN_CELLS = 4
MAX_SQUARES = 6
MAX_STRIPES = 12
"""More than a parcel's labels have: the largest are looked at."""
SMALLEST = 250
"""How many times less striking than the first one a candidate may be: a small code under tape beside a large
one is 40 times less, a label's edge or a line of text 400."""
BINS = 6
"""Directions, 30 degrees each, of which neighbours are joined."""


Grid = NDArray[np.float32]
Part = tuple[NDArray[np.int_], NDArray[np.int_]]
"""Rows and columns of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """Cells of a picture: energy, and the doubled direction as a vector whose length is the coherence.
    ``scale``: pixels of the whole picture to one of the small one, each way."""

    energy: Grid
    cos2: Grid
    sin2: Grid
    scale: int

    @property
    def pitch(self) -> int:
        """Pixels of the whole picture to a cell."""
        return CELL * self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripes:
    """A place with stripes, in pixels of the whole picture: centre, ``length`` across the bars,
    ``height`` along them, and the angle by which the reading direction is turned from the picture's x
    axis (radians, clockwise as pixels count)."""

    x: float
    y: float
    length: float
    height: float
    angle: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Pixels of the whole picture, ends not included; may reach beyond its edge."""

    left: int
    top: int
    right: int
    bottom: int


def relief_of(pixels: Pixels) -> Relief | None:
    """None for a picture that is smaller than two cells."""
    scale = 1
    while pixels.size > LOOK_PIXELS * scale * scale:
        scale += 1
    height, width = pixels.shape[0] // scale, pixels.shape[1] // scale
    rows, columns = height // CELL, width // CELL
    if rows < 1 or columns < 2:
        return None
    small = pixels if scale == 1 else cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    gx, gy = (_gradient(small, rows, columns, *along) for along in ((1, 0), (0, 1)))
    xx, yy, xy = (
        _averaged(cv2.multiply(one, other), rows, columns) for one, other in ((gx, gx), (gy, gy), (gx, gy))
    )
    both = xx + yy
    whole = np.maximum(both, np.float32(1e-3))
    energy = both / np.float32(32 * 32)
    return Relief(energy=energy, cos2=(xx - yy) / whole, sin2=2 * xy / whole, scale=scale)


def _gradient(small: cv2.typing.MatLike, rows: int, columns: int, x: int, y: int) -> Grid:
    """Scharr's kernel, which tells a step 16 times: Sobel's turns fine stripes by up to 3 degrees. Every
    second row says enough of a cell."""
    found = cv2.Scharr(small, cv2.CV_16S, x, y)
    return np.asarray(found[: rows * CELL : 2, : columns * CELL], np.float32)


def _averaged(products: cv2.typing.MatLike, rows: int, columns: int) -> Grid:
    """By halves, which OpenCV has fast ways for."""
    for height, width in ((rows * 2, columns * 4), (rows, columns * 2)):
        products = cv2.resize(products, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(products[:, ::2] + products[:, 1::2], np.float32) / np.float32(2)


def find_stripes(relief: Relief) -> tuple[Stripes, ...]:
    """Candidates for linear codes, the most striking first."""
    measured = (_measured(part, relief) for part in _parts(relief))
    found = sorted((one for one in measured if one is not None), key=lambda one: -one.score)
    return tuple(one for one in found[:MAX_STRIPES] if one.score * SMALLEST >= found[0].score)


def find_squares(relief: Relief) -> tuple[Box, ...]:
    """Where a matrix code may be, the largest first: dense patches with edges both ways. Text is one too."""
    cos2, sin2 = (cv2.blur(one * relief.energy, (3, 3)) for one in (relief.cos2, relief.sin2))
    coherence = np.hypot(cos2, sin2) / np.maximum(cv2.blur(relief.energy, (3, 3)), np.float32(1e-3))
    mixed = ((relief.energy > ENERGY) & (coherence < MIXED)).astype(np.uint8)
    dense = cv2.morphologyEx(mixed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(dense, np.ones((3, 3), np.uint8)))
    pitch = relief.pitch
    boxes = [
        Box(
            left=max(0, (left - 1) * pitch),
            top=max(0, (top - 1) * pitch),
            right=(left + width + 1) * pitch,
            bottom=(top + height + 1) * pitch,
        )
        for left, top, width, height, _ in sorted(stats[1:].tolist(), key=lambda one: -one[4])
    ]
    return tuple(boxes[:MAX_SQUARES])


def _parts(relief: Relief) -> list[Part]:
    """Cells that hang together and point one way, the strongest first."""
    cos2, sin2 = relief.cos2, relief.sin2
    coherence = np.sqrt(cos2 * cos2 + sin2 * sin2)
    striped = (relief.energy > ENERGY) & (coherence > COHERENCE)
    reach = ALIKE * coherence
    found: list[tuple[float, int, int]] = []
    layers = []
    for turn in range(BINS):
        angle = 2 * math.pi * turn / BINS
        mask = striped & (cos2 * math.cos(angle) + sin2 * math.sin(angle) > reach)
        closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        _, labels = cv2.connectedComponents(closed)
        labels = np.where(mask, labels, 0)
        energies = np.bincount(labels.ravel(), relief.energy.ravel()).tolist()
        found += ((energy, turn, label) for label, energy in enumerate(energies) if label)
        layers.append(labels)
    found.sort(reverse=True)
    parts: list[Part] = []
    taken = np.zeros_like(striped)
    for energy, turn, label in found[: 2 * MAX_STRIPES]:
        if energy * SMALLEST < found[0][0]:
            break
        y, x = np.nonzero(layers[turn] == label)
        if len(y) >= MIN_CELLS and int(taken[y, x].sum()) * 2 < len(y):
            parts.append((y, x))
            taken[y, x] = True
    return parts


def _measured(part: Part, relief: Relief) -> Stripes | None:
    """One part as a turned rectangle; None where it is an edge and not stripes."""
    y, x = part
    weight, cos2, sin2 = relief.energy[part], relief.cos2[part], relief.sin2[part]
    straight = weight * (cos2 * cos2 + sin2 * sin2) ** STRAIGHT
    angle = math.atan2(float(sin2 @ straight), float(cos2 @ straight)) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = x * cos + y * sin, y * cos - x * sin
    low, high = float(along.min()), float(along.max())
    bottom, top = float(across.min()), float(across.max())
    length, height = high - low + 1, top - bottom + 1
    if length < 3 or length * 12 < height:
        return None
    u, v = (low + high) / 2, (bottom + top) / 2
    pitch = relief.pitch
    return Stripes(
        x=(u * cos - v * sin + 0.5) * pitch,
        y=(u * sin + v * cos + 0.5) * pitch,
        length=length * pitch,
        height=height * pitch,
        angle=angle,
        score=float(weight.sum()) * min(1.0, length / height),
    )
