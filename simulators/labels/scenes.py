"""Labels on parcels as a camera over the belt sees them, by seed, with their ground truth.

``typical``: any angle, a little blur and noise, a belt with edges and texture. ``mixed``: one or more kinds
of damage each. ``negative``: what looks like a code and must give nothing. Pixels need not be the same on
every machine (they never reach an event of the line); which codes are on them is.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.model.codes import Code, Symbology
from simulators.labels.printed import INK, PAPER, LabelPrint, print_label
from simulators.seeds import SeededBits

Pixels = NDArray[np.uint8]
Real = NDArray[np.float32]
PREFIXES = (("JT", 13), ("SF", 13), ("YT", 13), ("77", 13), ("JDV", 11))
PLACES = ("集包 嘉兴市", "上海转运中心", "深圳 龙岗区", "成都 武侯区", "哈尔滨 道里区")
QR_PERMILLE = 350
ROUTE_PERMILLE = 600
BELT = 70


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
        yield _scene(bits, size, module_px100=bits.between(200, 400), damage=())


def turned(seed: int, *, every: int, size: tuple[int, int] = (1300, 1000)) -> Iterator[Scene]:
    """One waybill at every so many degrees of half a turn."""
    for degrees in range(0, 180, every):
        bits = SeededBits(seed, f"turned/{degrees}")
        yield _scene(bits, size, module_px100=300, damage=(), degrees=degrees, waybill_only=True)


def mixed(seed: int, count: int, *, size: tuple[int, int] = (1300, 1000)) -> Iterator[Scene]:
    """One to three kinds of damage each."""
    kinds = tuple(DAMAGE)
    for n in range(count):
        bits = SeededBits(seed, f"mixed/{n}")
        chosen = tuple(sorted({bits.pick(kinds) for _ in range(bits.between(1, 3))}))
        yield _scene(bits, size, module_px100=bits.between(200, 450), damage=chosen)


def negatives(seed: int, count: int, *, size: tuple[int, int] = (800, 600)) -> Iterator[Scene]:
    """Truncated codes, fences of stripes, bars without a code, text: no symbol is whole."""
    for n in range(count):
        bits = SeededBits(seed, f"negative/{n}")
        label = bits.pick(tuple(NEGATIVES))
        pixels = _placed(bits, NEGATIVES[label](bits), size, bits.below(360), 1.0)
        yield Scene(pixels=_lit(bits, pixels), codes=(), degrees=0, module_px100=0, damage=(label,))


def waybill(bits: SeededBits) -> Code:
    prefix, digits = bits.pick(PREFIXES)
    text = prefix + "".join(str(bits.below(10)) for _ in range(digits))
    return Code(text=text, symbology=Symbology.CODE128)


def _codes(bits: SeededBits, *, waybill_only: bool) -> tuple[Code, ...]:
    codes = [waybill(bits)]
    if not waybill_only and bits.chance(ROUTE_PERMILLE):
        route = "-".join(str(bits.between(low, high)) for low, high in ((1000, 9999), (10, 99), (100, 999)))
        codes.append(Code(text=route, symbology=Symbology.CODE128))
    if not waybill_only and bits.chance(QR_PERMILLE):
        codes.append(Code(text=codes[0].text, symbology=Symbology.QR))
    return tuple(codes)


def _scene(
    bits: SeededBits,
    size: tuple[int, int],
    *,
    module_px100: int,
    damage: tuple[str, ...],
    degrees: int | None = None,
    waybill_only: bool = False,
) -> Scene:
    codes = _codes(bits, waybill_only=waybill_only)
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


# --- damage: to the paper before the light, or to the picture of it -------------------------------------


def _print_head(bits: SeededBits, label: Real) -> Real:
    """White lines along the paper's way through the printer: dead dots."""
    for _ in range(bits.between(1, 4)):
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


# --- negatives ---------------------------------------------------------------------------------------------


def _truncated(bits: SeededBits) -> Real:
    """A waybill of which one end is missing."""
    label = print_label(LabelPrint(codes=(waybill(bits),), module_px=2))
    keep = label.shape[1] * bits.between(30, 75) // 100
    return np.asarray(label[:, :keep] if bits.chance(500) else label[:, -keep:], np.float32)


def _fence(bits: SeededBits) -> Real:
    """Bars of random widths: no code but for a chance in millions."""
    widths = [bits.between(2, 8) for _ in range(bits.between(20, 90))]
    row = np.concatenate([np.full(width, (PAPER, INK)[n % 2]) for n, width in enumerate(widths)])
    return np.asarray(np.tile(row, (90, 1)), np.float32)


def _text(bits: SeededBits) -> Real:
    lines = tuple(bits.pick(PLACES) + str(bits.below(1 << 30)) for _ in range(5))
    return print_label(LabelPrint(codes=(), lines=lines, module_px=2)).astype(np.float32)


def _checks(bits: SeededBits) -> Real:
    """Squares like those of a matrix code, without its finder."""
    squares = np.random.default_rng(bits.below(1 << 32)).random((24, 24)) < 0.5
    drawn = np.where(squares, INK, PAPER).repeat(5, axis=0).repeat(5, axis=1)
    return np.pad(drawn, 20, constant_values=PAPER).astype(np.float32)


NEGATIVES: dict[str, Callable[[SeededBits], Real]] = {
    "truncated": _truncated,
    "fence": _fence,
    "text": _text,
    "checks": _checks,
}
