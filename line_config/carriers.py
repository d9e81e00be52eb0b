"""``carriers.yaml``: carriers and the shapes of their waybill numbers (domain words: plausibility only)."""

import re
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge.model.codes import WaybillPattern
from line_config.fields import Id, Strict, Text


class Carrier(Strict):
    id: Id
    zh: Text
    en: Text
    patterns: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1, max_length=16)
    ]
    """Regular expressions, matched against the whole text."""

    @model_validator(mode="after")
    def _compile(self) -> Self:
        for pattern in self.patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"pattern {pattern} is no regular expression: {error}") from error
        return self


class CarriersFile(Strict):
    carriers: Annotated[tuple[Carrier, ...], Field(min_length=1, max_length=128)]

    def patterns_of(self, names: Sequence[str]) -> tuple[WaybillPattern, ...]:
        """Of the carriers named, in that order."""
        chosen = [one for name in names for one in self.carriers if one.id == name]
        return tuple(WaybillPattern(carrier=one.id, regex=regex) for one in chosen for regex in one.patterns)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [one.id for one in self.carriers]
        if len(set(ids)) < len(ids):
            raise ValueError("a carrier is given twice")
        return self
