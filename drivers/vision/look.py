"""What has been seen in one picture so far, and what speaks for and against each code of it."""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum

from drivers.vision.agreement import ALONE, WEAK, Evidence, ReadRules, contradicts, same_code, why_it_counts
from drivers.vision.code128 import Opinion, opinion
from drivers.vision.sightings import LINEAR, MATRIX, Engine, Pixels, Place, Sighting, Spot
from drivers.vision.upright import Cut, quiet
from edge.model.codes import ReadProof, Symbology


class Rung(StrEnum):
    UPRIGHT = "upright"
    AGAIN = "again"
    SECOND = "second"
    SQUARES = "squares"
    WHOLE = "whole"
    WHOLE_AGAIN = "whole_again"
    ENHANCED = "enhanced"
    ZBAR = "zbar"
    FRAMED = "framed"
    FRAMED_AGAIN = "framed_again"
    WHOLE_ZBAR = "whole_zbar"


AGAIN = frozenset({Rung.AGAIN, Rung.WHOLE_AGAIN, Rung.FRAMED_AGAIN})
CLEAR_PX = 7
CLEAR_PART, AGAIN_PART = 5, 2
"""An upright cut that reads the same over so much of the bars, one part in so many of its rows, is as good as
two looks. Whole pictures read wrong ones over three to six pixels, of those that lay slightly turned in a
smaller copy; bars under a wrong check character were once read as others over 8 rows of 66."""
CLEAR_LOOKS = 2
APART_PX = 3
"""Bands are."""
MODULES = {Symbology.ITF: 8, Symbology.CODE39: 15}
"""Of a character, roughly: wide bars may be two or three narrow ones."""


@dataclass(slots=True)
class CodeSeen:
    """One code of one picture, with all that speaks for it. ``why`` None: it does not count. ``looks``:
    how many separate cuts and bands told it, which are those of ``bands``."""

    sighting: Sighting
    rung: Rung
    engines: set[Engine] = field(default_factory=set)
    why: ReadProof | None = None
    looks: int = 0
    bands: list[Spot] = field(default_factory=list)
    denied: bool | None = None
    """Its bars say something else; None: they were not asked."""

    @property
    def clear(self) -> bool:
        return self.looks >= CLEAR_LOOKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What was cut out where stripes are. ``striped``: it has bars to the pixel."""

    cut: Cut
    place: Place
    striped: bool


class Look:
    """One picture's codes, in the order in which they were seen."""

    def __init__(self, rules: ReadRules, pixels: Pixels) -> None:
        self._rules = rules
        self._pixels = pixels
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
            if rung is Rung.ENHANCED and any(
                math.dist(one.place.middle, band) < APART_PX for band in seen.bands
            ):
                continue  # the same band, sharpened more or less
            if rung is Rung.ENHANCED:
                seen.bands.append(one.place.middle)
            seen.looks += _looks(rung, there, cut)
            self._judge(seen)

    def _judge(self, seen: CodeSeen) -> None:
        one = seen.sighting
        evidence = Evidence(
            symbology=one.symbology, text=one.text, engines=frozenset(seen.engines), clear=seen.clear
        )
        seen.why = None if self._denied(seen) else why_it_counts(evidence, self._rules)

    def _denied(self, seen: CodeSeen) -> bool:
        """One engine alone said it, and the bars themselves say something else."""
        if seen.sighting.symbology is not Symbology.CODE128 or len(seen.engines) > 1:
            return False
        if seen.denied is None:
            one = seen.sighting
            seen.denied = opinion(self._pixels, one.place, one.text) is Opinion.AGAINST
        return seen.denied

    def _garbled(self, one: Sighting) -> bool:
        """zbar takes the text of a square code for another encoding: another's read of it counts already."""
        if one.engine is not Engine.ZBAR or one.symbology not in MATRIX:
            return False
        others = (code for code in self.codes if code.sighting.symbology is one.symbology)
        return any(code.why and code.sighting.place.meets(one.place) for code in others)

    def doubt(self) -> None:
        """Takes back what other reads of the same place, or what lies beyond its ends, speak against."""
        fallen = [code for code in self.codes if code.why and self._fallen(code)]
        for code in fallen:
            code.why = None

    def _fallen(self, one: CodeSeen) -> bool:
        if any(self._beaten(one, other) for other in self.codes if other is not one):
            return True
        there = one.sighting
        return self._part(there) and not quiet(
            self._pixels, there.place, MODULES[there.symbology] * len(there.text)
        )

    def _part(self, one: Sighting) -> bool:
        """It may be a part of a longer one: nothing says how long it is."""
        return one.symbology in WEAK and one.symbology not in self._rules.by_symbology

    def _beaten(self, one: CodeSeen, other: CodeSeen) -> bool:
        """The other one is as good, and says something else of the same place."""
        if not contradicts(one.sighting, other.sighting):
            return False
        if self._part(one.sighting) and one.sighting.symbology is other.sighting.symbology:
            return other.sighting.text not in one.sighting.text
        strong = one.sighting.symbology in ALONE and other.sighting.symbology not in ALONE
        return bool(other.why) and not strong and len(other.engines) >= len(one.engines)

    def settled(self, place: Place) -> bool:
        """A read that counts lies at this place."""
        return any(code.why and code.sighting.place.meets(place) for code in self.codes)

    def open(self, place: Place) -> bool:
        """Something was read at this place, but does not count yet."""
        return any(not code.why and code.sighting.place.meets(place) for code in self.codes)

    def unclear(self) -> tuple[CodeSeen, ...]:
        """Bar codes that were read too little of."""
        return tuple(
            code
            for code in self.codes
            if not code.clear and not code.why and code.sighting.symbology in LINEAR
        )


def _looks(rung: Rung, there: Sighting, cut: Cut | None) -> int:
    if there.symbology in MATRIX:
        return CLEAR_LOOKS
    if rung is Rung.ENHANCED:
        return 1
    if cut is None or (rung is not Rung.UPRIGHT and rung not in AGAIN):
        return 0
    rows = abs(there.place.corners[3][1] - there.place.corners[0][1])
    part = AGAIN_PART if rung in AGAIN else CLEAR_PART
    if rows * cut.step + 1 >= CLEAR_PX and (rows + 1) * part >= len(cut.pixels):
        return CLEAR_LOOKS
    return 1 if rung is Rung.UPRIGHT else 0
