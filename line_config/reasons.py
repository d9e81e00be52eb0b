"""``reasons.yaml``: for each exit reason its chute's kind, its texts and what a person does."""

from typing import Annotated

from pydantic import Field

from edge.model.topology import ChuteKind
from edge.model.verdict import Reason
from line_config.fields import Strict, Text


class Texts(Strict):
    zh: Text
    en: Text


class ReasonEntry(Strict):
    """``chute``: kind of chute that a line without a choice of its own gives it (``ok``: the plan's)."""

    reason: Reason
    chute: ChuteKind
    text: Texts
    action: Texts
    """What a person does with the parcel."""


class ReasonsFile(Strict):
    reasons: Annotated[tuple[ReasonEntry, ...], Field(min_length=1, max_length=128)]
