"""Codes read from parcels."""

from dataclasses import dataclass
from enum import StrEnum


class Symbology(StrEnum):
    """Symbologies a reader may report; ``unknown`` where the reader sends no AIM identifier."""

    CODE128 = "code128"
    CODE39 = "code39"
    ITF = "itf"
    EAN13 = "ean13"
    EAN8 = "ean8"
    UPCA = "upca"
    UPCE = "upce"
    QR = "qr"
    DATAMATRIX = "datamatrix"
    UNKNOWN = "unknown"


class ReadQuality(StrEnum):
    """How the identification window of a parcel closed (domain.md: GOOD, NO, MULTI, PARTIAL)."""

    GOOD = "good"
    NO = "no"
    MULTI = "multi"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One decoded symbol; ``text`` without AIM identifier, prefix and terminator."""

    text: str
    symbology: Symbology


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillPattern:
    """A carrier's waybill shape, plausibility only: the order look-up decides.

    ``regex`` must match the whole text (``re.fullmatch``).
    """

    carrier: str
    regex: str
