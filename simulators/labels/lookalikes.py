"""Labels that look like codes and must give nothing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators.labels.contents import LINEAR_PRINTS, PLACES, square, waybill
from simulators.labels.printed import INK, PAPER, LabelPrint, print_label
from simulators.labels.symbols import modules_of
from simulators.seeds import SeededBits

Real = NDArray[np.float32]
CHARACTER, STOP = 11, 13
"""Modules of a character of Code 128, and of its stop."""


def _truncated(bits: SeededBits) -> Real:
    """A code of which one end is missing."""
    label = print_label(LabelPrint(codes=(bits.pick(LINEAR_PRINTS)(bits),), module_px=2))
    keep = label.shape[1] * bits.between(30, 75) // 100
    return np.asarray(label[:, :keep] if bits.chance(500) else label[:, -keep:], np.float32)


def _gap(bits: SeededBits) -> Real:
    """A code without its middle: the ends were pushed together over a fold, half a character out of step."""
    module_px = 2
    label = print_label(LabelPrint(codes=(waybill(bits),), module_px=module_px))
    left = label.shape[1] * bits.between(35, 47) // 100
    right = left + CHARACTER * module_px * bits.between(1, 4) + CHARACTER * module_px // 2
    return np.asarray(np.hstack((label[:, :left], label[:, right:])), np.float32)


def _wrong_check(bits: SeededBits) -> Real:
    """A waybill of which two characters changed places: every bar is right, the check character is not."""
    row = modules_of(waybill(bits))[0]
    spots = range(CHARACTER, len(row) - 2 * CHARACTER - STOP, CHARACTER)
    one = bits.pick(spots)
    others = [at for at in spots if (row[at : at + CHARACTER] != row[one : one + CHARACTER]).any()]
    swapped, other = row.copy(), bits.pick(others)
    swapped[one : one + CHARACTER] = row[other : other + CHARACTER]
    swapped[other : other + CHARACTER] = row[one : one + CHARACTER]
    drawn = np.where(swapped, INK, PAPER)[np.newaxis, :].repeat(80, axis=0).repeat(2, axis=1)
    return np.pad(drawn, 24, constant_values=PAPER).astype(np.float32)


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


def _half_square(bits: SeededBits) -> Real:
    """A QR code of which a corner with its finder is torn off, and as much again."""
    modules = modules_of(square(bits))
    y, x = np.mgrid[0 : len(modules), 0 : len(modules)]
    torn = modules & (x + y > len(modules) * bits.between(80, 110) // 100)
    drawn = np.where(torn, INK, PAPER).repeat(4, axis=0).repeat(4, axis=1)
    return np.pad(drawn, 20, constant_values=PAPER).astype(np.float32)


def _crate(bits: SeededBits) -> Real:
    """Slats, corrugated board, a keyboard's rows: stripes of one width, one way or both."""
    step = bits.between(3, 14)
    y, x = np.mgrid[0 : bits.between(120, 300), 0 : bits.between(200, 420)]
    drawn = x // step % 2 if bits.chance(600) else (x // step + y // step) % 2
    return np.where(drawn, bits.between(20, 110), bits.between(150, 240)).astype(np.float32)


NEGATIVES: dict[str, Callable[[SeededBits], Real]] = {
    "truncated": _truncated,
    "gap": _gap,
    "wrong_check": _wrong_check,
    "fence": _fence,
    "crate": _crate,
    "text": _text,
    "checks": _checks,
    "half_square": _half_square,
}
