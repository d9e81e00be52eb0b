"""The reading pipeline: one picture in, what counts and what does not out.

Rungs, cheap ones first, each for what the earlier ones left open: the candidates cut out and turned
upright (zxing-cpp); the whole picture (zxing-cpp); candidates enhanced band by band (zxing-cpp), then
upright (zbar). Without a budget also: the picture in a white frame and enlarged, for symbols without a
quiet zone (zxing-cpp), and the whole picture once more (zbar). It stops when each candidate has a read
that counts, or when the budget is spent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from drivers.vision.agreement import ALONE, Evidence, ReadRules, contradicts, same_code, why_it_counts
from drivers.vision.engines import zbar, zxing
from drivers.vision.locate import find_stripes
from drivers.vision.sightings import LINEAR, MATRIX, Engine, Pixels, Place, Sighting
from drivers.vision.upright import Cut, enhanced, framed, striped, upright


class Rung(StrEnum):
    UPRIGHT = "upright"
    WHOLE = "whole"
    ENHANCED = "enhanced"
    ZBAR = "zbar"
    FRAMED = "framed"
    WHOLE_ZBAR = "whole_zbar"


EFFORTS = (Rung.FRAMED, Rung.WHOLE_ZBAR)
"""Not for a camera over a belt."""
FRAMED_PIXELS = 400_000
"""A larger picture has its symbols' quiet zones in it."""


@dataclass(slots=True)
class CodeSeen:
    """One code of one picture, with all that speaks for it. ``why`` empty: it does not count."""

    sighting: Sighting
    rung: Rung
    engines: set[Engine] = field(default_factory=set)
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRead:
    """``codes`` in the order in which they were seen; ``stripes``: how many candidates there were;
    ``spent_us`` of a clock."""

    codes: tuple[CodeSeen, ...]
    stripes: int
    spent_us: int


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
        self._now_us = now_us

    def unbounded(self) -> "Ladder":
        """The same without a budget."""
        return Ladder(self._rules, budget_us=None, now_us=self._now_us)

    def read(self, pixels: Pixels) -> PictureRead:
        began_us = self._now_us()
        look = _Look(self._rules)
        candidates = self._candidates(pixels)
        for rung in Rung:
            if rung in EFFORTS and self._budget_us is not None:
                break
            if look.complete(candidates, matrix=bool(self._matrix)) or self._spent(began_us):
                break
            self._climb(rung, pixels, candidates, look, began_us)
        look.doubt()
        spent_us = self._now_us() - began_us
        return PictureRead(codes=tuple(look.codes), stripes=len(candidates), spent_us=spent_us)

    def _candidates(self, pixels: Pixels) -> tuple[Cut, ...]:
        """Over a belt only what has bars to the pixel; with every effort whatever might have."""
        if not self._linear:
            return ()
        cuts = (upright(pixels, one) for one in find_stripes(pixels))
        return tuple(cut for cut in cuts if self._budget_us is None or striped(cut))

    def _spent(self, began_us: int) -> bool:
        return self._budget_us is not None and self._now_us() - began_us >= self._budget_us

    def _climb(
        self, rung: Rung, pixels: Pixels, candidates: tuple[Cut, ...], look: "_Look", began_us: int
    ) -> None:
        thorough = self._budget_us is None
        match rung:
            case Rung.WHOLE:
                done = bool(look.codes) and all(look.settled(one.whole) for one in candidates)
                wanted = self._matrix if done and not thorough else self._rules.wanted
                look.add(rung, zxing(pixels, wanted, thorough=thorough))
            case Rung.FRAMED:
                if pixels.size and pixels.size <= FRAMED_PIXELS:
                    cut = framed(pixels)
                    look.add(rung, zxing(cut.pixels, self._rules.wanted, thorough=True), cut)
            case Rung.WHOLE_ZBAR:
                look.add(rung, zbar(pixels, self._rules.wanted))
            case _:
                for one in candidates:
                    if self._spent(began_us):
                        return
                    if not look.settled(one.whole):
                        self._try(rung, one, look)

    def _try(self, rung: Rung, one: Cut, look: "_Look") -> None:
        if rung is Rung.UPRIGHT:
            look.add(rung, zxing(one.pixels, self._linear, thorough=False), one)
        elif rung is Rung.ZBAR:
            look.add(rung, zbar(one.pixels, self._linear), one)
        else:
            for band in enhanced(one):
                look.add(rung, zxing(band.pixels, self._linear, thorough=False), band)
                if look.settled(one.whole):
                    return


class _Look:
    """What has been seen in one picture so far."""

    def __init__(self, rules: ReadRules) -> None:
        self._rules = rules
        self.codes: list[CodeSeen] = []

    def add(self, rung: Rung, sightings: tuple[Sighting, ...], cut: Cut | None = None) -> None:
        """``cut``: what they were seen in, if not the whole picture."""
        for there in sightings:
            one = there if cut is None else replace(there, place=cut.place(there.place))
            if not self._rules.may_be(one):
                continue
            seen = next((code for code in self.codes if same_code(code.sighting, one)), None)
            if seen is None and self._garbled(one):
                continue
            if seen is None:
                seen = CodeSeen(one, rung)
                self.codes.append(seen)
            seen.engines.add(one.engine)
            self._judge(seen)

    def _judge(self, seen: CodeSeen) -> None:
        one = seen.sighting
        evidence = Evidence(symbology=one.symbology, text=one.text, engines=frozenset(seen.engines))
        seen.why = why_it_counts(evidence, self._rules)

    def _garbled(self, one: Sighting) -> bool:
        """zbar takes the text of a square code for another encoding: another's read of it counts already."""
        if one.engine is not Engine.ZBAR or one.symbology not in MATRIX:
            return False
        others = (code for code in self.codes if code.sighting.symbology is one.symbology)
        return any(code.why and code.sighting.place.meets(one.place) for code in others)

    def doubt(self) -> None:
        """Bar codes that contradict each other at one place: only one with a check of its own stands."""
        counted = [code for code in self.codes if code.why]
        for one in counted:
            for other in counted:
                strong = one.sighting.symbology in ALONE and other.sighting.symbology not in ALONE
                if one is not other and not strong and contradicts(one.sighting, other.sighting):
                    one.why = ""

    def settled(self, place: Place) -> bool:
        """A read that counts lies at this place."""
        return any(code.why and code.sighting.place.meets(place) for code in self.codes)

    def complete(self, candidates: tuple[Cut, ...], *, matrix: bool) -> bool:
        """Nothing is left open: each candidate has its read, and a matrix code where one is wanted."""
        if not self.codes or not all(self.settled(one.whole) for one in candidates):
            return False
        return not matrix or any(code.why and code.sighting.symbology in MATRIX for code in self.codes)
