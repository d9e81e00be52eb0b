"""Which codes of a parcel can be its waybill, which contradict each other, and what the record says of each.

A *candidate* is a code in an allowed symbology that fits a carrier's pattern, of a carrier that this line
serves or not, or that an order has (domain words). Goods' codes never are.
"""

from dataclasses import dataclass, field

from edge.core.layout import Layout
from edge.core.state import SeenCode, Track
from edge.model.codes import CodeStanding, JudgedCode, ReadRule
from edge.model.ids import Waybill
from edge.model.verdict import Reason


@dataclass(slots=True, kw_only=True)
class Sifted:
    """Different texts in the order read."""

    fitting: list[str] = field(default_factory=list)
    """Fit a carrier that this line serves, or were keyed by a person."""
    foreign: list[str] = field(default_factory=list)
    """Fit a carrier that it does not serve, and none that it does."""
    others: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """Of ``others``: an order has it."""

    @property
    def candidates(self) -> list[str]:
        return [*self.fitting, *self.foreign, *self.known]


def can_be_waybill(layout: Layout, seen: SeenCode) -> bool:
    """By its symbology, whatever it says; what a person keyed has none."""
    code = seen.code
    if not seen.readers:
        return True
    return code.symbology in layout.symbologies and bool(code.text) and code.text not in layout.no_read


def sift(layout: Layout, track: Track) -> Sifted:
    found = Sifted()
    for seen in track.codes:
        if not can_be_waybill(layout, seen):
            continue
        text = seen.code.text
        if layout.waybill.fullmatch(text) or not seen.readers:
            texts = found.fitting
        elif layout.foreign.fullmatch(text):
            texts = found.foreign
        else:
            texts = found.others
            if seen.known and text not in found.known:
                found.known.append(text)
        if text not in texts:
            texts.append(text)
    return found


def contradiction(layout: Layout, track: Track, candidates: list[str]) -> tuple[Reason, ReadRule]:
    """Of two or more different candidates: two labels on the parcel where one reading point saw both;
    else the code changed between two points."""
    by_point: dict[int, set[str]] = {}
    for seen in track.codes:
        if seen.code.text in candidates and can_be_waybill(layout, seen):
            for reader in seen.readers:
                by_point.setdefault(layout.point_of[reader], set()).add(seen.code.text)
    if any(len(texts) > 1 for texts in by_point.values()):
        return Reason.MULTI_READ, ReadRule.TWO_CANDIDATES
    return Reason.CODE_CHANGED, ReadRule.POINTS_DIFFER


def judged(layout: Layout, track: Track) -> tuple[JudgedCode, ...]:
    """Every code of the parcel as it stands now, for the record."""
    return tuple(
        JudgedCode(
            text=seen.code.text,
            symbology=seen.code.symbology,
            readers=tuple(seen.readers),
            standing=_standing(layout, track, seen),
            proof=seen.code.proof,
        )
        for seen in track.codes
    )


def _standing(layout: Layout, track: Track, seen: SeenCode) -> CodeStanding:
    text = seen.code.text
    if text in layout.no_read:
        return CodeStanding.NO_READ_TEXT
    if not can_be_waybill(layout, seen):
        return CodeStanding.SYMBOLOGY
    if text == track.waybill:
        return CodeStanding.CHOSEN
    if layout.waybill.fullmatch(text):
        return CodeStanding.CANDIDATE
    if layout.foreign.fullmatch(text):
        return CodeStanding.FOREIGN
    if seen.known:
        return CodeStanding.KNOWN
    return CodeStanding.ASKED if Waybill(text) in track.unsettled else CodeStanding.NO_WAYBILL
