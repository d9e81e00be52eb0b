"""When a read counts: one explicit rule per symbology and engine.

The figures behind ``ALONE`` are misreads counted on real photos: zxing-cpp 0 of 142 on Code 128 and 0 on
QR and Data Matrix, which correct errors; zbar 4 of 142 on Code 128, and every twentieth ITF of a damaged
label. EAN and UPC have one weak check digit, and both engines told wrong left halves of blurred ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from re import Pattern

from drivers.vision.sightings import LINEAR, RETAIL, Engine, Sighting, article_number
from edge.model.codes import ReadProof, Symbology

ALONE: Mapping[Symbology, frozenset[Engine]] = {
    Symbology.CODE128: frozenset({Engine.ZXING}),
    Symbology.QR: frozenset({Engine.ZXING}),
    Symbology.DATAMATRIX: frozenset({Engine.ZXING}),
}
"""Engines whose single read counts: check sum or error correction, and quiet zones, leave nothing to
doubt. Every other read needs a second engine, a second frame, or what the line knows of its codes."""
WEAK = frozenset({Symbology.ITF, Symbology.CODE39})
"""Without a check sum that must be there: a part of a longer one is one as well."""
CODE39_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRule:
    """What a line says of its codes in one symbology: allowed lengths (none given: any), a check digit
    (ITF: modulo 10, Code 39: modulo 43) as last character, a pattern for the whole text."""

    lengths: frozenset[int] = frozenset()
    check_digit: bool = False
    pattern: Pattern[str] | None = None

    @property
    def proves(self) -> bool:
        """It leaves nothing to doubt: a fixed length, and a check digit or a pattern."""
        return bool(self.lengths) and (self.check_digit or self.pattern is not None)

    def holds(self, symbology: Symbology, text: str) -> bool:
        if self.lengths and len(text) not in self.lengths:
            return False
        if self.pattern is not None and not self.pattern.fullmatch(text):
            return False
        return not self.check_digit or _checked(symbology, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """``wanted``: what is looked for at all. ``goods``: article numbers that exist. ``strict``: on a line
    ITF and Code 39 count by their rule only, however many agree."""

    wanted: frozenset[Symbology]
    by_symbology: Mapping[Symbology, CodeRule] = field(default_factory=dict)
    goods: frozenset[str] = frozenset()
    strict: bool = True

    def may_be(self, sighting: Sighting) -> bool:
        """It is one of the codes that are looked for."""
        rule = self.by_symbology.get(sighting.symbology)
        if sighting.symbology not in self.wanted:
            return False
        return rule is None or rule.holds(sighting.symbology, sighting.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that speaks for one code. ``frames``: pictures taken at different moments that show it.
    ``clear``: it was read in a cut of its own, over several rows or in several bands, and not in passing."""

    symbology: Symbology
    text: str
    engines: frozenset[Engine]
    frames: int = 1
    clear: bool = True


def why_it_counts(evidence: Evidence, rules: ReadRules) -> ReadProof | None:
    """The reason for the record; None: it does not count."""
    symbology, text, engines = evidence.symbology, evidence.text, evidence.engines
    rule = rules.by_symbology.get(symbology)
    if symbology in WEAK and rules.strict and (rule is None or not rule.proves):
        return None
    if symbology in WEAK and evidence.frames == 1 and not evidence.clear:
        return None
    if len(engines) > 1:
        return ReadProof.TWO_ENGINES
    if evidence.frames > 1:
        return ReadProof.TWO_FRAMES
    if symbology in RETAIL and article_number(symbology, text) in rules.goods:
        return ReadProof.GOODS
    (engine,) = engines
    if not evidence.clear and symbology in LINEAR:
        return None
    if engine in ALONE.get(symbology, frozenset()):
        return ReadProof.CHECK
    if symbology in WEAK and rule is not None and rule.proves and engine is Engine.ZXING:
        return ReadProof.PATTERN
    if symbology is Symbology.QR and text.isascii() and text:
        return ReadProof.PLAIN_TEXT
    return None


def contradicts(one: Sighting, other: Sighting) -> bool:
    """Two bar codes at one place: at least one of the two is wrong."""
    if one.symbology not in LINEAR or other.symbology not in LINEAR or not one.place.meets(other.place):
        return False
    return _key(one) != _key(other)


def _key(one: Sighting) -> tuple[Symbology, str]:
    symbology = Symbology.EAN13 if one.symbology in RETAIL else one.symbology
    return symbology, article_number(one.symbology, one.text)


def same_code(one: Sighting, other: Sighting) -> bool:
    """Both say the same of a symbol, each in its own words."""
    if one.binary or other.binary:
        return one.symbology is other.symbology and one.data == other.data
    return _key(one) == _key(other) and (one.text == other.text or one.symbology in RETAIL)


def goods_numbers(barcodes: Iterable[str]) -> frozenset[str]:
    """A goods list as ``ReadRules`` wants it."""
    texts = [text for text in (one.strip() for one in barcodes) if text]
    return frozenset(texts) | frozenset(text.zfill(13) for text in texts)


def _checked(symbology: Symbology, text: str) -> bool:
    if symbology is Symbology.CODE39:
        values = [CODE39_VALUES.find(one) for one in text]
        return len(text) > 1 and -1 not in values and sum(values[:-1]) % 43 == values[-1]
    if not text.isdigit() or not text.isascii():
        return False
    digits = [int(one) for one in reversed(text)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
