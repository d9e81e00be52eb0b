"""What one engine says that it saw in one picture."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from edge.model.codes import Symbology

Pixels = NDArray[np.uint8]
"""Grey, 8 bits, rows by columns."""

LINEAR = frozenset(
    {
        Symbology.CODE128,
        Symbology.CODE39,
        Symbology.ITF,
        Symbology.EAN13,
        Symbology.EAN8,
        Symbology.UPCA,
        Symbology.UPCE,
    }
)
RETAIL = frozenset({Symbology.EAN13, Symbology.EAN8, Symbology.UPCA, Symbology.UPCE})
MATRIX = frozenset({Symbology.QR, Symbology.DATAMATRIX})


class Engine(StrEnum):
    ZXING = "zxing-cpp"
    ZBAR = "zbar"


FNC1 = b"\x1d"
Spot = tuple[float, float]
"""x and y in pixels of the whole picture."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a symbol lies: four corners in the order of a walk around it, however it is turned."""

    corners: tuple[Spot, Spot, Spot, Spot]

    @property
    def middle(self) -> Spot:
        return sum(x for x, _ in self.corners) / 4, sum(y for _, y in self.corners) / 4

    def holds(self, spot: Spot) -> bool:
        """The spot is not outside of any side; a place without area holds nothing but its own line."""
        x, y = spot
        sides = zip(self.corners, self.corners[1:] + self.corners[:1], strict=True)
        turns = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for (ax, ay), (bx, by) in sides]
        return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)

    def meets(self, other: "Place") -> bool:
        """They may show the same symbol: the middle of one lies in the other."""
        return self.holds(other.middle) or other.holds(self.middle)

    def matches(self, other: "Place") -> bool:
        """They show the same symbol: the middle of each lies in the other."""
        return self.holds(other.middle) and other.holds(self.middle)


def upright_place(left: float, top: float, right: float, bottom: float) -> Place:
    return Place(((left, top), (right, top), (right, bottom), (left, bottom)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """``text`` without FNC1 at its head; ``data`` the bytes as the engine gave them. ``binary``: the bytes
    are no text."""

    symbology: Symbology
    text: str
    data: bytes
    binary: bool
    engine: Engine
    place: Place

    @property
    def transcoded(self) -> bool:
        """The text is none of the bytes, or says them in another character set."""
        return self.binary or self.data.removeprefix(FNC1) != self.text.encode()


def article_number(symbology: Symbology, text: str) -> str:
    """The same 13 digits for every way in which a retail symbol can be told; other texts as they are."""
    if symbology is Symbology.UPCE and len(text) == 8 and text.isdigit():
        text = _expanded(text)
    if symbology in RETAIL and symbology is not Symbology.EAN8 and text.isdigit():
        return text.zfill(13)
    return text


def retail(symbology: Symbology, text: str, wanted: frozenset[Symbology]) -> tuple[Symbology, str]:
    """A retail symbol as the standard writes it, however an engine tells it: an EAN-13 that begins with 0 is
    a UPC-A of 12 digits where those are wanted; a UPC-E has 8."""
    if symbology in (Symbology.EAN13, Symbology.UPCA):
        number = text.zfill(13)
        if number[0] == "0" and Symbology.UPCA in wanted:
            return Symbology.UPCA, number[1:]
        return Symbology.EAN13, number
    if symbology is Symbology.UPCE and len(text) > 8:
        return symbology, _compressed(text.zfill(13)[1:])
    return symbology, text


def _compressed(upca: str) -> str:
    """The UPC-E of which ``upca`` is the number (GS1 General Specifications 5.2.2.4.2); else itself."""
    system, maker, article, check = upca[0], upca[1:6], upca[6:11], upca[11]
    candidates = (
        maker[:2] + article[2:] + maker[2],
        maker[:3] + article[3:] + "3",
        maker[:4] + article[4:] + "4",
        maker + article[4:],
    )
    upces = (f"{system}{digits}{check}" for digits in candidates)
    return next((upce for upce in upces if _expanded(upce) == upca), upca)


def _expanded(upce: str) -> str:
    """UPC-E (number system, six digits, check digit) as UPC-A (GS1 General Specifications 5.2.2.4.2)."""
    system, body, check = upce[0], upce[1:7], upce[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return system + middle + check
