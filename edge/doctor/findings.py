"""What a check finds: a verdict in words of both languages, and for all that is not good, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """From best to worst, as listed."""

    GOOD = "good"
    WARNING = "warning"
    """The line runs, but not as it should."""
    FAILED = "failed"
    """The line does not run, or its promises do not hold."""


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject``: a device's id, a path, a package; empty where the check has one subject only."""

    subject: str
    verdict: Verdict
    said: Words
    fix: Words | None

    def __post_init__(self) -> None:
        assert (self.fix is None) == (self.verdict is Verdict.GOOD), self.said.en


def good(subject: str, en: str, zh: str) -> Finding:
    return Finding(subject, Verdict.GOOD, Words(en, zh), None)


def warning(subject: str, en: str, zh: str, *, fix: Words) -> Finding:
    return Finding(subject, Verdict.WARNING, Words(en, zh), fix)


def failed(subject: str, en: str, zh: str, *, fix: Words) -> Finding:
    return Finding(subject, Verdict.FAILED, Words(en, zh), fix)
