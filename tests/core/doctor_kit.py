"""Findings of one check of the doctor, held to what every finding must have."""

from collections.abc import Iterable
from itertools import chain

from edge.doctor.findings import Finding, Verdict

SAYS = {Verdict.GOOD: "good", Verdict.WARNING: "warning", Verdict.FAILED: "failed"}


def told(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(verdict, English text) of each; both languages are there, and a fix for what is not good."""
    found = list(findings)
    assert found, "a check always says something"
    for one in found:
        words = [one.said] if one.fix is None else [one.said, one.fix]
        for text in chain.from_iterable((word.en, word.zh) for word in words):
            assert text.strip()
            assert "\n" not in text
        assert (one.fix is None) == (one.verdict is Verdict.GOOD)
    return [
        (SAYS[one.verdict], f"{one.subject}: {one.said.en}" if one.subject else one.said.en) for one in found
    ]
