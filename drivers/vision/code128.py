"""What the bars of a Code 128 say, character by character: a second opinion without a second engine.

A decoder that is handed damaged bars takes the nearest characters, and one time in 103 their sum is right.
The reference decode (ISO/IEC 15417, 6.1) goes by edges of one kind, which ink that runs does not move, and
here each character must be as wide as its neighbours besides.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.vision.locate import Stripes
from drivers.vision.sightings import Pixels, Place
from drivers.vision.upright import around, upright

Edges = NDArray[np.float64]
Values = tuple[int, ...]

# fmt: off
WIDTHS = (
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232",
)
# fmt: on
"""Bars and spaces of each character in modules (ISO/IEC 15417, table 1); the last three begin a symbol."""
STARTS = (103, 104, 105)
STOP = "2331112"
MODULES = 11
ELEMENTS = 6
CHECK = 103
"""The modulus."""
FNC3, SHIFT, TO_C, TO_B, TO_A, FNC1 = 96, 98, 99, 100, 101, 102
"""Values that say nothing themselves; those of FNC2 to FNC4 depend on the code set."""
SWITCHES = {
    ("A", TO_C): "C",
    ("B", TO_C): "C",
    ("A", TO_B): "B",
    ("C", TO_B): "B",
    ("B", TO_A): "A",
    ("C", TO_A): "A",
}
PATTERNS = np.array([[int(one) for one in widths] for widths in WIDTHS], np.float32)
BETWEEN = PATTERNS[:, :4] + PATTERNS[:, 1:5]
"""From edge to the next edge of the same kind."""
INKED = PATTERNS[:, ::2].sum(axis=1)
INK_COUNTS = 0.1
"""What a character's ink counts beside its edges: two characters may have the same ones."""
LEAST = 3
"""Characters: one between the first and the check."""
FINER = 4
"""Places to a pixel, between which edges are found."""
ROWS = 27
"""At least so many are cut out."""
MIDDLE, BANDS = (0.5,), (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Where bands begin, as parts of the way from top to bottom of the bars."""
BAND_ROWS = 3
WORTH, FEW = 3, 2
"""More bands against it than so many to each that is for it, and more than so many at all, deny it: damage
denies more often than it agrees."""
UNSURE = 0.35
"""Modules between an edge and where its character has it: from there on nothing is said."""
UNEVEN = 0.2
"""Of a character's width, by which the next may differ from it."""
MARGIN, LEAST_MARGIN_PX = 0.1, 8.0
"""Of the symbol's length, beyond each end of it."""
REACH = 6
"""One part in so many of its length: midway between the lightest and the darkest of so much is the edge."""
SLACK = 0.03, 2.0
"""Of its length, and pixels more: the engine does not know its ends better."""


class Opinion(Enum):
    NONE = "none"
    """The bars cannot be told apart."""
    FOR = "for"
    AGAINST = "against"


def opinion(pixels: Pixels, place: Place, text: str) -> Opinion:
    """Of the bars at ``place``, read from its first corner to its second, about what they were read as. One
    band that says the same is enough, and is looked for in the middle first."""
    stripes = around(place, ROWS)
    if _said(pixels, replace(stripes, height=BAND_ROWS), MIDDLE, text)[Opinion.FOR]:
        return Opinion.FOR
    said = _said(pixels, stripes, BANDS, text)
    if said[Opinion.AGAINST] > max(FEW, said[Opinion.FOR] * WORTH):
        return Opinion.AGAINST
    return Opinion.FOR if said[Opinion.FOR] else Opinion.NONE


def _said(pixels: Pixels, stripes: Stripes, bands: tuple[float, ...], text: str) -> Counter[Opinion]:
    margin = max(LEAST_MARGIN_PX, stripes.length * MARGIN)
    cut = upright(pixels, stripes, margin=margin)
    spare, width = len(cut.pixels) - BAND_ROWS, cut.pixels.shape[1]
    tops = np.array([round(spare * part) for part in bands])
    rows = cut.pixels[tops[:, np.newaxis] + np.arange(BAND_ROWS)].mean(axis=1, dtype=np.float32)
    return Counter(_of(edges, text) for edges in _edges(rows, margin, width - margin))


def _of(edges: Edges, text: str) -> Opinion:
    values = characters_of(edges)
    if values is None:
        return Opinion.NONE
    return Opinion.FOR if valid(values) and text_of(values) in (None, text) else Opinion.AGAINST


def characters_of(edges: Edges) -> Values | None:
    """The characters from the first to the check, if there are such bars: none where a number of edges is
    no symbol's, or an edge may be another character's. ``edges``: pixels, from the first bar's beginning to
    the last bar's end. Empty where characters are not as wide as their neighbours."""
    runs = np.diff(edges)
    characters = (len(runs) - len(STOP)) // ELEMENTS
    if characters < LEAST or len(runs) != characters * ELEMENTS + len(STOP):
        return None
    widths = runs[: (characters + 1) * ELEMENTS].reshape(characters + 1, ELEMENTS).sum(axis=1)
    if (np.abs(np.log(widths[1:] / widths[:-1])) > UNEVEN).any():
        return ()
    modules = runs[: characters * ELEMENTS].reshape(characters, ELEMENTS)
    modules = modules * (MODULES / widths[:characters, np.newaxis])
    between = modules[:, :4] + modules[:, 1:5]
    off = np.abs(between[:, np.newaxis, :] - BETWEEN).max(axis=2)
    inked = np.abs(modules[:, ::2].sum(axis=1)[:, np.newaxis] - INKED)
    values = (off + inked * INK_COUNTS).argmin(axis=1)
    if (off[np.arange(characters), values] > UNSURE).any() or values[0] not in STARTS:
        return None
    return tuple(values.tolist())


def valid(values: Values) -> bool:
    """The check character is right (ISO/IEC 15417, A.1)."""
    if len(values) < LEAST:
        return False
    total = values[0] + sum(n * value for n, value in enumerate(values[1:-1], 1))
    return total % CHECK == values[-1]


def text_of(values: Values) -> str | None:
    """What the characters between the first and the check say, FNC1 as GS but not at the head; None where
    it takes a character that this does not know (FNC2 to FNC4, ISO/IEC 15417, table 1)."""
    code_set, shift, said = "ABC"[values[0] - STARTS[0]] if values else "A", "", list[str]()
    for value in values[1:-1]:
        now, shift = shift or code_set, ""
        if value == FNC1:
            said.append("\x1d")
        elif now == "C" and value < TO_B:
            said.append(f"{value:02}")
        elif now != "C" and value < FNC3:
            said.append(chr(value + 32 if now == "B" or value < 64 else value - 64))
        elif now != "C" and value == SHIFT:
            shift = "B" if now == "A" else "A"
        elif (now, value) in SWITCHES:
            code_set = SWITCHES[now, value]
        else:
            return None
    return "".join(said).removeprefix("\x1d")


def _edges(bands: NDArray[np.float32], left: float, right: float) -> Iterator[Edges]:
    """Of each band where it changes between dark and light, from the first bar to the last."""
    reach = max(3, round((right - left) / REACH)) | 1
    fine = cv2.resize(
        bands - cv2.blur(bands, (reach, 1)), None, fx=FINER, fy=1, interpolation=cv2.INTER_CUBIC
    )
    slack = (right - left) * SLACK[0] + SLACK[1]
    for over in np.asarray(fine, np.float32):
        dark = over < 0
        crossings = np.flatnonzero(dark[1:] != dark[:-1])
        before, after = over[crossings], over[crossings + 1]
        at = (crossings + before / (before - after) + 0.5) / FINER
        inside = (at > left - slack) & (at < right + slack)
        begins_dark = bool(dark[crossings + 1][inside][:1].any())
        yield np.asarray(at[inside] if begins_dark else at[:0], np.float64)
