"""``reading.yaml``: in words, why a waybill was chosen and what became of each code."""

from typing import Annotated

from pydantic import Field

from edge.model.codes import CodeStanding, ReadProof, ReadRule
from edge.model.coding import CodingOutcome
from edge.model.pictures import NoReadCause
from line_config.fields import Strict
from line_config.load import read_packaged
from line_config.problems import LineConfigError
from line_config.reasons import Texts


class RuleText(Strict):
    rule: ReadRule
    text: Texts


class StandingText(Strict):
    standing: CodeStanding
    text: Texts


class ProofText(Strict):
    proof: ReadProof
    text: Texts


class OutcomeText(Strict):
    outcome: CodingOutcome
    text: Texts


class CauseText(Strict):
    cause: NoReadCause
    text: Texts


class ReadingFile(Strict):
    causes: Annotated[tuple[CauseText, ...], Field(min_length=1, max_length=32)]
    """Why nothing was read, as far as a picture tells."""
    outcomes: Annotated[tuple[OutcomeText, ...], Field(min_length=1, max_length=16)]
    """What became of a code that a person keyed."""
    proofs: Annotated[tuple[ProofText, ...], Field(min_length=1, max_length=32)]
    """Why what a camera read counts."""
    rules: Annotated[tuple[RuleText, ...], Field(min_length=1, max_length=64)]
    standings: Annotated[tuple[StandingText, ...], Field(min_length=1, max_length=64)]


ReadingTexts = tuple[dict[ReadRule, str], dict[CodeStanding, str], dict[CodingOutcome, str]]


def reading_texts(language: str) -> ReadingTexts:
    """``zh`` or ``en``. Raises ``LineConfigError``."""
    found = _reading_file()
    rules = {one.rule: _in(one.text, language) for one in found.rules}
    standings = {one.standing: _in(one.text, language) for one in found.standings}
    return rules, standings, {one.outcome: _in(one.text, language) for one in found.outcomes}


def proof_texts(language: str) -> dict[ReadProof, str]:
    """As ``reading_texts``, of what a camera read."""
    return {one.proof: _in(one.text, language) for one in _reading_file().proofs}


def cause_texts(language: str) -> dict[NoReadCause, str]:
    """As ``reading_texts``, of what a no-read's picture tells."""
    return {one.cause: _in(one.text, language) for one in _reading_file().causes}


def _reading_file() -> ReadingFile:
    found, problems = read_packaged(ReadingFile, "reading.yaml")
    if found is None:
        raise LineConfigError(problems)
    return found


def _in(texts: Texts, language: str) -> str:
    return texts.zh if language == "zh" else texts.en
