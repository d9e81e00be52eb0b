"""Codes read from parcels, and how one of them became the parcel's waybill."""

from dataclasses import dataclass, field
from enum import StrEnum

from edge.model.ids import ReaderId
from edge.model.quick import quick


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


class ReadProof(StrEnum):
    """Why what a camera read counts; texts in ``line_config/reading.yaml``."""

    TWO_ENGINES = "two_engines"
    """Two decoders say the same of one picture."""
    TWO_FRAMES = "two_frames"
    """Two pictures, taken at different moments, give the same."""
    GOODS = "goods"
    """It is in the goods list."""
    CHECK = "check"
    """zxing-cpp alone: its check sum or error correction holds, and its bars do not deny it."""
    PATTERN = "pattern"
    """zxing-cpp alone: the line's length, and its check digit or pattern, fit."""
    PLAIN_TEXT = "plain_text"
    """zbar alone: error correction holds, and it is plain text."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One decoded symbol; ``text`` without AIM identifier, prefix and terminator. ``proof``: of a camera's
    only; it makes no other code of it."""

    text: str
    symbology: Symbology
    proof: ReadProof | None = field(default=None, compare=False)


GOODS_SYMBOLOGIES = frozenset({Symbology.EAN13, Symbology.EAN8, Symbology.UPCA, Symbology.UPCE})
"""Goods' codes: never a waybill's, whatever they say (domain words: waybill candidate)."""


class ReadRule(StrEnum):
    """Why this waybill was chosen, or none; texts in ``line_config/reading.yaml``."""

    NOTHING_READ = "nothing_read"
    ONE_FITS = "one_fits"
    """Exactly one code fits a carrier's pattern."""
    NONE_FITS = "none_fits"
    """Each may be a known waybill all the same, and is looked up."""
    ONLY_FOREIGN = "only_foreign"
    """The only one that fits is of a carrier that this line does not serve; the look-up decides."""
    ONE_KNOWN = "one_known"
    """None fits, and exactly one is a known waybill."""
    NONE_KNOWN = "none_known"
    FOREIGN = "foreign"
    """No order has it, and it fits a carrier that this line does not serve."""
    TWO_CANDIDATES = "two_candidates"
    """One reading point saw two different ones."""
    POINTS_DIFFER = "points_differ"
    """Each reading point saw one, and not the same."""
    TOO_MANY = "too_many"
    READER_AWAY = "reader_away"
    """A reader was away while the parcel was before it: another code may be missing."""
    KEYED = "keyed"
    """A person keyed it."""


class CodeStanding(StrEnum):
    """What became of one code; texts in ``line_config/reading.yaml``."""

    CHOSEN = "chosen"
    CANDIDATE = "candidate"
    """It fits a carrier's pattern, but is not chosen."""
    FOREIGN = "foreign"
    """It fits a carrier that this line does not serve."""
    ASKED = "asked"
    """It fits no pattern, and its look-up is out."""
    KNOWN = "known"
    """It fits no pattern, and an order has it, but it is not chosen."""
    NO_WAYBILL = "no_waybill"
    """It fits no pattern, and no order has it, or nobody asked."""
    SYMBOLOGY = "symbology"
    """No waybill of this line is printed in its symbology."""
    NO_READ_TEXT = "no_read_text"
    """A reader's way to say that it read nothing."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCode:
    """One code of a parcel as the record explains it. ``readers`` saw it, in that order; none: keyed."""

    text: str
    symbology: Symbology
    readers: tuple[ReaderId, ...]
    standing: CodeStanding
    proof: ReadProof | None = None
    """Why it counts, as the first camera that saw it said; None: a scanner's, or keyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillPattern:
    """A carrier's waybill shape, plausibility only: the order look-up decides.

    ``regex`` must match the whole text (``re.fullmatch``).
    """

    carrier: str
    regex: str
