"""Labels on parcels as a camera over the belt sees them, by seed, with their ground truth.

``typical``: any angle, a little blur and noise, a belt with edges and texture. ``mixed``: one or more kinds
of damage each. ``degraded``: every symbology, hardly legible or not at all: what is read must be true.
``negatives``: what looks like a code and must give nothing. Pixels need not be the same on every machine
(they never reach an event of the line); which codes are on them is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.model.codes import Code
from simulators.labels.contents import PLACES, PRINTS, waybill_codes
from simulators.labels.damage import BELT, DAMAGE, ON_PAPER
from simulators.labels.lookalikes import NEGATIVES
from simulators.labels.printed import LabelPrint, print_label
from simulators.seeds import SeededBits

Pixels = NDArray[np.uint8]
Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``codes``: all that a perfect reader would see; the first is the waybill. ``damage``: what was done."""

    pixels: Pixels
    codes: tuple[Code, ...]
    degrees: int
    module_px100: int
    damage: tuple[str, ...]


def typical(seed: int, count: int, *, size: tuple[int, int] = (1600, 1200)) -> Iterator[Scene]:
    """``size`` is width and height in pixels."""
    for n in range(count):
        bits = SeededBits(seed, f"typical/{n}")
        yield _scene(
            bits,
            size,
            module_px100=bits.between(200, 600),
            damage=(),
            codes=waybill_codes(bits, waybill_only=False),
        )


def turned(seed: int, *, every: int, size: tuple[int, int] = (1300, 1000)) -> Iterator[Scene]:
    """One waybill at every so many degrees of half a turn."""
    for degrees in range(0, 180, every):
        bits = SeededBits(seed, f"turned/{degrees}")
        yield _scene(
            bits,
            size,
            module_px100=300,
            damage=(),
            degrees=degrees,
            codes=waybill_codes(bits, waybill_only=True),
        )


def mixed(seed: int, count: int, *, size: tuple[int, int] = (1300, 1000)) -> Iterator[Scene]:
    """One to three kinds of damage each."""
    kinds = tuple(DAMAGE)
    for n in range(count):
        bits = SeededBits(seed, f"mixed/{n}")
        chosen = tuple(sorted({bits.pick(kinds) for _ in range(bits.between(1, 3))}))
        yield _scene(
            bits,
            size,
            module_px100=bits.between(200, 600),
            damage=chosen,
            codes=waybill_codes(bits, waybill_only=False),
        )


def degraded(seed: int, count: int, *, size: tuple[int, int] = (640, 480)) -> Iterator[Scene]:
    """One code, of any symbology, small, under two to four kinds of damage."""
    kinds = tuple(DAMAGE)
    for n in range(count):
        bits = SeededBits(seed, f"degraded/{n}")
        chosen = tuple(sorted({bits.pick(kinds) for _ in range(bits.between(2, 4))}))
        codes = (bits.pick(PRINTS)(bits),)
        yield _scene(bits, size, module_px100=bits.between(100, 280), damage=chosen, codes=codes)


def negatives(
    seed: int, count: int, *, first: int = 0, size: tuple[int, int] = (800, 600)
) -> Iterator[Scene]:
    """Truncated codes, fences of stripes, bars without a code, text: no symbol is whole. ``first``: the
    number of the first one."""
    for n in range(first, first + count):
        bits = SeededBits(seed, f"negative/{n}")
        label = bits.pick(tuple(NEGATIVES))
        pixels = _placed(bits, NEGATIVES[label](bits), size, bits.below(360), 1.0)
        yield Scene(pixels=_lit(bits, pixels), codes=(), degrees=0, module_px100=0, damage=(label,))


def _scene(
    bits: SeededBits,
    size: tuple[int, int],
    *,
    module_px100: int,
    damage: tuple[str, ...],
    degrees: int | None = None,
    codes: tuple[Code, ...],
) -> Scene:
    module_px = 6
    label = print_label(
        LabelPrint(codes=codes, lines=(bits.pick(PLACES), bits.pick(PLACES)), module_px=module_px)
    ).astype(np.float32)
    for kind in damage:
        if kind in ON_PAPER:
            label = DAMAGE[kind](bits, label)
    turn = bits.below(360) if degrees is None else degrees
    shrink = min(module_px100 / (100 * module_px), _largest(label, size))
    pixels = _placed(bits, label, size, turn, shrink).astype(np.float32)
    for kind in damage:
        if kind not in ON_PAPER:
            pixels = DAMAGE[kind](bits, pixels)
    return Scene(
        pixels=_lit(bits, pixels),
        codes=codes,
        degrees=turn,
        module_px100=round(shrink * 100 * module_px),
        damage=damage,
    )


def _largest(label: Real, size: tuple[int, int]) -> float:
    """So small that it lies in the picture whole, however it is turned."""
    rows, columns = label.shape
    return 0.92 * min(size) / math.hypot(rows, columns)


def _placed(bits: SeededBits, label: Real, size: tuple[int, int], degrees: float, shrink: float) -> Real:
    """On a carton on the belt, somewhere near the middle."""
    width, height = size
    scene = np.full((height, width), BELT, np.float32)
    left, top = bits.below(width // 8), bits.below(height // 8)
    scene[top : height - bits.below(height // 8) - 1, left : width - bits.below(width // 8) - 1] = (
        bits.between(120, 175)
    )
    rows, columns = label.shape
    small = cv2.resize(label, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    rows, columns = small.shape[:2]
    free_x, free_y = (
        max(1, (width - math.hypot(rows, columns)) / 2),
        max(1, (height - math.hypot(rows, columns)) / 2),
    )
    moved = (bits.between(-100, 100) * free_x / 100, bits.between(-100, 100) * free_y / 100)
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    turn[:, 2] += (width / 2 - columns / 2 + moved[0], height / 2 - rows / 2 + moved[1])
    where = cv2.warpAffine(
        np.ones(small.shape[:2], np.float32), turn, (width, height), flags=cv2.INTER_LINEAR
    )
    drawn = cv2.warpAffine(np.asarray(small, np.float32), turn, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(drawn + scene * (1 - where), np.float32)


def _lit(bits: SeededBits, pixels: Real) -> Pixels:
    """Light that falls off to one side, a lens, and the sensor's noise."""
    height, width = pixels.shape
    slope = bits.between(-25, 25) / 100
    light = 1 + slope * np.linspace(-0.5, 0.5, width, dtype=np.float32)
    blurred = cv2.GaussianBlur(pixels * light, (0, 0), bits.between(35, 70) / 100)
    noise = np.random.default_rng(bits.below(1 << 32)).normal(0, bits.between(15, 50) / 10, (height, width))
    return np.asarray(np.clip(blurred + noise, 0, 255), np.uint8)
