"""``record.yaml``: the record's own words, its steps, fields, values and sentences, for pages and reports.

On record they are English, and in English they stand for themselves; what a code means (a reason, a rule,
what became of a label) is said in both languages.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final

from pydantic import Field

from edge.model.codes import CodeStanding, JudgedCode, ReadProof, ReadRule
from edge.model.coding import CodingOutcome
from edge.model.verdict import Reason
from edge.model.weight import WeightSample
from line_config.fields import Strict, Text
from line_config.load import read_packaged
from line_config.problems import LineConfigError
from line_config.reading import proof_texts, reading_texts
from line_config.reasons import Texts

LEFT_OUT: Final = frozenset({"at_us", "track", "epoch", "ring_seq"})
"""Shown in columns of their own, or nobody's business."""
YES_NO: Final = {"en": ("no", "yes"), "zh": ("否", "是")}
DEPTH: Final = 3
"""Sentences within sentences."""
_DIFFERS: Final = re.compile(r"\{([a-z]+)\}")
_SENTENCES: Final = frozenset({"what", "why"})

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
ReasonText = Callable[[str], str]
"""A reason in words, in the language that is asked for: a line has its own."""


CLOSED: Final[dict[str, Any]] = {"additionalProperties": False}
"""A name of another form is no key; pydantic says so, and its schema only half."""
Table = Annotated[dict[Name, Text], Field(max_length=256, json_schema_extra=CLOSED)]


class RecordFile(Strict):
    steps: Table
    """By the name of the row's kind."""
    fields: Table
    values: Annotated[dict[Name, Table], Field(max_length=64, json_schema_extra=CLOSED)]
    """By the name of the enumeration, and of the value."""
    sentences: Annotated[tuple[Texts, ...], Field(max_length=256)]


class RecordWords:
    """The record in one language. Raises ``LineConfigError``."""

    def __init__(self, language: str) -> None:
        found, problems = read_packaged(RecordFile, "record.yaml")
        if found is None:
            raise LineConfigError(problems)
        zh = language == "zh"
        self._steps = found.steps if zh else {}
        self._fields = found.fields if zh else {}
        self._values = found.values if zh else {}
        self._sentences = [(_pattern(one.en), one.zh) for one in found.sentences] if zh else []
        self._no, self._yes = YES_NO["zh" if zh else "en"]
        self._rules, self._standings, self._outcomes = reading_texts(language)
        self._proofs = proof_texts(language)

    def step(self, kind: str) -> str:
        return self._steps.get(kind, kind)

    def sentence(self, text: str, depth: int = DEPTH) -> str:
        """Why something is as it is; as it stands where nobody has put it into words."""
        for pattern, words in self._sentences if depth else ():
            found = pattern.fullmatch(text)
            if found is not None:
                told = {name: self._part(name, part, depth - 1) for name, part in found.groupdict().items()}
                return words.format_map(told)
        return text

    def _part(self, name: str, part: str, depth: int) -> str:
        if name == "quality":
            return self._values["WeightQuality"].get(part, part)
        return self.sentence(part, depth) if name in _SENTENCES else part

    def value(self, value: Enum) -> str:
        """What the enumeration calls it; what its code means is ``values``'s."""
        name = str(value.value) if isinstance(value.value, str) else value.name.lower()
        return self._values.get(type(value).__name__, {}).get(name, name)

    def values(self, item: Any, reason: ReasonText) -> Iterator[tuple[str, str]]:
        """Name and text of every field of a row, in the order of the record; empty ones are left out."""
        for field in fields(item):
            value = getattr(item, field.name)
            if field.name in LEFT_OUT or value in ("", None, ()):
                continue
            name = self._fields.get(field.name, field.name)
            match value:
                case (JudgedCode(), *_):
                    yield from ((name, self._code(code)) for code in value)
                case (WeightSample(), *_):
                    yield name, f"{len(value)}: {value[0].grams}…{value[-1].grams} g"
                case str() if field.name == "why" and not isinstance(value, Enum):
                    yield name, self.sentence(value)
                case _:
                    yield name, self._text(value, reason)

    def _code(self, code: JudgedCode) -> str:
        """Who saw it, what became of it, and why it counts."""
        became = self._text(code.standing) + ("" if code.proof is None else f"; {self._text(code.proof)}")
        return f"{code.text} {code.symbology} ({', '.join(code.readers) or '–'}): {became}"

    def _text(self, value: Any, reason: ReasonText = str) -> str:
        match value:
            case ReadRule():
                return f"{value}: {self._rules[value]}"
            case CodeStanding():
                return self._standings[value]
            case ReadProof():
                return self._proofs[value]
            case CodingOutcome():
                return f"{value}: {self._outcomes[value]}"
            case Reason():
                return f"{value}: {reason(value.value)}"
            case Enum():
                return self.value(value)
            case bool():
                return self._yes if value else self._no
            case tuple():
                return ", ".join(self._text(one, reason) for one in value)
            case _ if is_dataclass(value):
                return "(" + " ".join(f"{name}={text}" for name, text in self.values(value, reason)) + ")"
            case _:
                return str(value)


@cache
def record_words(language: str) -> RecordWords:
    """``zh`` or ``en``, read once. Raises ``LineConfigError``."""
    return RecordWords(language)


def _pattern(sentence: str) -> re.Pattern[str]:
    pieces = _DIFFERS.split(sentence)
    for n, piece in enumerate(pieces):
        pieces[n] = f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece)
    return re.compile("".join(pieces))
