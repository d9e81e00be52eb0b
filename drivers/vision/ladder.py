"""The reading pipeline: one picture in, what counts and what does not out.

Rungs, cheap ones first, each for what the earlier ones left open: the candidates cut out and turned
upright (zxing-cpp); the whole picture (zxing-cpp); candidates enhanced band by band (zxing-cpp), then
upright (zbar); the whole picture with every effort (both). It stops when each candidate has a read that
counts, or when the budget is spent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.vision.agreement import Evidence, ReadRules, same_code, why_it_counts
from drivers.vision.engines import zbar, zxing
from drivers.vision.locate import Stripes, find_stripes
from drivers.vision.sightings import LINEAR, MATRIX, Box, Engine, Pixels, Sighting
from drivers.vision.upright import enhanced, upright


class Rung(StrEnum):
    UPRIGHT = "upright"
    WHOLE = "whole"
    ENHANCED = "enhanced"
    ZBAR = "zbar"
    EFFORT = "effort"


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

    def read(self, pixels: Pixels) -> PictureRead:
        began_us = self._now_us()
        look = _Look(self._rules)
        stripes = find_stripes(pixels) if self._linear else ()
        for rung in Rung:
            if look.complete(stripes, matrix=bool(self._matrix)) or self._spent(began_us):
                break
            self._climb(rung, pixels, stripes, look, began_us)
        return PictureRead(codes=tuple(look.codes), stripes=len(stripes), spent_us=self._now_us() - began_us)

    def _spent(self, began_us: int) -> bool:
        return self._budget_us is not None and self._now_us() - began_us >= self._budget_us

    def _climb(
        self, rung: Rung, pixels: Pixels, stripes: tuple[Stripes, ...], look: "_Look", began_us: int
    ) -> None:
        thorough = self._budget_us is None
        match rung:
            case Rung.WHOLE:
                look.add(rung, zxing(pixels, self._rules.wanted, thorough=thorough))
            case Rung.EFFORT:
                if thorough:
                    look.add(rung, zbar(pixels, self._rules.wanted))
            case _:
                for one in stripes:
                    if self._spent(began_us):
                        return
                    if not look.settled(one.box()):
                        self._try(rung, pixels, one, look)

    def _try(self, rung: Rung, pixels: Pixels, one: Stripes, look: "_Look") -> None:
        cut, box = upright(pixels, one), one.box()
        if rung is Rung.UPRIGHT:
            look.add(rung, zxing(cut, self._linear, thorough=False, at=box))
        elif rung is Rung.ZBAR:
            look.add(rung, zbar(cut, self._linear, at=box))
        else:
            for band in enhanced(cut):
                look.add(rung, zxing(band, self._linear, thorough=False, at=box))
                if look.settled(box):
                    return


class _Look:
    """What has been seen in one picture so far."""

    def __init__(self, rules: ReadRules) -> None:
        self._rules = rules
        self.codes: list[CodeSeen] = []

    def add(self, rung: Rung, sightings: tuple[Sighting, ...]) -> None:
        for one in sightings:
            if not self._rules.may_be(one):
                continue
            seen = next((code for code in self.codes if same_code(code.sighting, one)), None)
            if seen is None:
                seen = CodeSeen(one, rung)
                self.codes.append(seen)
            seen.engines.add(one.engine)
            self._judge(seen)

    def _judge(self, seen: CodeSeen) -> None:
        one = seen.sighting
        evidence = Evidence(symbology=one.symbology, text=one.text, engines=frozenset(seen.engines))
        seen.why = why_it_counts(evidence, self._rules)

    def settled(self, box: Box) -> bool:
        """A read that counts lies at this place."""
        return any(code.why and code.sighting.box.meets(box) for code in self.codes)

    def complete(self, stripes: tuple[Stripes, ...], *, matrix: bool) -> bool:
        """Nothing is left open: each candidate has its read, and a matrix code where one is wanted."""
        if not self.codes or not all(self.settled(one.box()) for one in stripes):
            return False
        return not matrix or any(code.why and code.sighting.symbology in MATRIX for code in self.codes)
