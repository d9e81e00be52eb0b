"""The reading pipeline: one picture in, what counts and what does not out.

Rungs, cheap ones first, each for what the earlier ones left open: the candidates cut out and turned
upright (zxing-cpp), and the second opinion on those that need one (zbar); matrix codes (zxing-cpp); the
whole picture (zxing-cpp), of which what was read in passing is cut out and read again; candidates enhanced
band by band (zxing-cpp), then upright (zbar). Without a budget also: patches that may hold a matrix code,
turned, smaller, larger and inverted; the picture in a white frame and enlarged, for symbols without a
quiet zone (zxing-cpp); and the whole picture once more (zbar). It stops when each candidate has a read
that counts, or when the budget is spent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from drivers.vision.agreement import ReadRules
from drivers.vision.engines import zbar, zxing
from drivers.vision.locate import Box, find_squares, find_stripes, relief_of
from drivers.vision.look import Candidate, CodeSeen, Look, Rung
from drivers.vision.sightings import LINEAR, MATRIX, Pixels
from drivers.vision.upright import PLAIN, SHARPER, around, bars_in, enhanced, framed, patch, upright
from edge.model.codes import Symbology

__all__ = ["CodeSeen", "Ladder", "PictureRead", "Rung", "clock_us"]
BEFORE_SQUARES = (Rung.UPRIGHT, Rung.AGAIN, Rung.SECOND, Rung.SQUARES)
EFFORTS = (Rung.FRAMED, Rung.FRAMED_AGAIN, Rung.WHOLE_ZBAR)
"""Not for a camera over a belt."""
FRAMED_PIXELS = 400_000
"""A larger picture has its symbols' quiet zones in it."""
CHECKED = frozenset({Symbology.CODE128})
"""Read from sharpened bands too: what sharpening makes up, a check character of 103 finds, one of 10 not."""
MAX_AGAIN = 12
AGAIN_PX = 24
"""Along the bars: what is cut out around a code that was read in passing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRead:
    """``codes`` in the order in which they were seen; ``stripes``: how many candidates there were;
    ``spent_us`` of a clock, of which ``rungs_us`` on each rung that was climbed."""

    codes: tuple[CodeSeen, ...]
    stripes: int
    spent_us: int
    rungs_us: tuple[tuple[Rung, int], ...] = ()


def clock_us() -> int:
    return time.perf_counter_ns() // 1_000


class Ladder:
    """One picture after the other; keeps nothing between them. ``budget_us`` None: every rung there is."""

    def __init__(
        self, rules: ReadRules, *, budget_us: int | None, now_us: Callable[[], int] = clock_us
    ) -> None:
        self._rules = rules
        self._linear = rules.wanted & LINEAR
        self._matrix = rules.wanted & MATRIX
        self._budget_us = budget_us
        self._thorough = budget_us is None
        self._now_us = now_us

    def unbounded(self) -> "Ladder":
        """The same without a budget."""
        return Ladder(self._rules, budget_us=None, now_us=self._now_us)

    def read(self, pixels: Pixels, most_us: int | None = None) -> PictureRead:
        """``most_us``: a budget of its own for a picture that has waited, if that is smaller."""
        began_us = self._now_us()
        until_us = min((began_us + us for us in (self._budget_us, most_us) if us is not None), default=None)
        look, view = Look(self._rules, pixels), self._view(pixels)
        rungs_us: list[tuple[Rung, int]] = []
        for rung in Rung:
            if rung in EFFORTS and not self._thorough:
                break
            if self._complete(rung, view, look) or self._spent(until_us):
                break
            at_us = self._now_us()
            self._climb(rung, view, look, until_us)
            rungs_us.append((rung, self._now_us() - at_us))
        look.doubt()
        return PictureRead(
            codes=tuple(look.codes),
            stripes=len(view.candidates),
            spent_us=self._now_us() - began_us,
            rungs_us=tuple(rungs_us),
        )

    def _view(self, pixels: Pixels) -> "_View":
        relief = relief_of(pixels) if pixels.size else None
        if relief is None:
            return _View(pixels, (), ())
        found: list[Candidate] = []
        for stripes in find_stripes(relief) if self._linear else ():
            cut = upright(pixels, stripes)
            # Over a belt only what has bars to the pixel; with every effort whatever might have.
            bars = bars_in(cut)
            found += (Candidate(cut=part, place=part.whole, striped=True) for part in bars)
            if not bars and self._thorough:
                found.append(Candidate(cut=cut, place=cut.whole, striped=False))
        squares = find_squares(relief) if self._matrix and self._thorough else ()
        return _View(pixels, tuple(found), squares)

    def _complete(self, rung: Rung, view: "_View", look: Look) -> bool:
        """Each candidate has its read, and matrix codes, if wanted, were looked for."""
        if self._matrix and rung in BEFORE_SQUARES:
            return False
        counts = any(code.why for code in look.codes) and not look.unclear()
        return counts and all(look.settled(one.place) for one in view.candidates if one.striped)

    def _spent(self, until_us: int | None) -> bool:
        return until_us is not None and self._now_us() >= until_us

    def _climb(self, rung: Rung, view: "_View", look: Look, until_us: int | None) -> None:
        pixels = view.pixels
        match rung:
            case Rung.SQUARES:
                self._squares(view, look)
            case Rung.WHOLE if self._thorough:
                look.add(rung, zxing(pixels, self._rules.wanted, thorough=True))
            case Rung.WHOLE:
                look.add(rung, zxing(pixels, self._linear, thorough=False))
            case Rung.AGAIN | Rung.WHOLE_AGAIN | Rung.FRAMED_AGAIN:
                for code in [code for code in look.unclear() if not code.looks][:MAX_AGAIN]:
                    cut = upright(pixels, around(code.sighting.place, AGAIN_PX))
                    # A line that crosses the bars aslant leaves a code at its side, and reads a part of it.
                    if bars_in(cut, taller=1):
                        look.add(rung, zxing(cut.pixels, self._linear, thorough=False), cut)
            case Rung.FRAMED:
                if pixels.size and pixels.size <= FRAMED_PIXELS:
                    cut = framed(pixels)
                    look.add(rung, zxing(cut.pixels, self._rules.wanted, thorough=True), cut)
                    if not look.codes:
                        look.add(rung, zxing(cut.pixels, self._matrix, thorough=True, one_level=True), cut)
            case Rung.WHOLE_ZBAR:
                look.add(rung, zbar(pixels, self._rules.wanted))
            case Rung.UPRIGHT | Rung.SECOND | Rung.ENHANCED | Rung.ZBAR:
                for one in view.candidates:
                    if self._spent(until_us):
                        return
                    if not look.settled(one.place):
                        self._try(rung, one, look)
            case _:
                assert_never(rung)

    def _squares(self, view: "_View", look: Look) -> None:
        """The picture as it lies; with every effort also patches of it, where only they are left open."""
        look.add(Rung.SQUARES, zxing(view.pixels, self._matrix, thorough=False))
        if not any(code.why for code in look.codes):
            return
        for box in view.squares:
            cut = patch(view.pixels, box)
            if cut is not None and not look.settled(cut.whole):
                look.add(Rung.SQUARES, zxing(cut.pixels, self._matrix, thorough=True), cut)

    def _try(self, rung: Rung, one: Candidate, look: Look) -> None:
        cut = one.cut
        if rung is Rung.UPRIGHT:
            look.add(rung, zxing(cut.pixels, self._linear, thorough=False), cut)
        elif rung is Rung.ZBAR or (rung is Rung.SECOND and look.open(one.place)):
            look.add(rung, zbar(cut.pixels, self._linear), cut)
        elif rung is Rung.ENHANCED:
            for wanted, sharper in ((self._linear, PLAIN), (self._linear & CHECKED, SHARPER)):
                for band in enhanced(cut, sharper) if wanted else ():
                    look.add(rung, zxing(band.pixels, wanted, thorough=False), band)
                    if look.settled(one.place):
                        return


@dataclass(frozen=True, slots=True)
class _View:
    """One picture and what was found in it without decoding."""

    pixels: Pixels
    candidates: tuple[Candidate, ...]
    squares: tuple[Box, ...]
