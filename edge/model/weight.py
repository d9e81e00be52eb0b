"""Weights."""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.quick import quick
from edge.model.units import Grams, MonoUs


class SampleState(StrEnum):
    """What the indicator says of a frame. A value counts only when it is OK or MOTION."""

    OK = "ok"
    MOTION = "motion"
    OVER = "over"
    UNDER = "under"
    NO_WEIGHT = "no_weight"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSample:
    """One frame of a scale; ``at_us`` is the arrival of its last byte. ``grams`` is net of nothing."""

    at_us: MonoUs
    grams: Grams
    state: SampleState


class WeightQuality(StrEnum):
    GOOD = "good"
    TOO_FEW = "too_few"
    SPREAD = "spread"
    OVER = "over"
    UNDER = "under"
    STALE = "stale"
    NEIGHBOUR = "neighbour"
    """Another parcel touched the scale during the capture."""
    UNSTABLE = "unstable"
    """Static scale: it was never called stable for long enough."""
    NO_WEIGHT = "no_weight"
    """Frames came, and none told a weight: another unit, or an error on its display."""
    FROZEN = "frozen"
    """Always the same reading, although eyes prove that the load changed."""
    NOT_CLEARED = "not_cleared"
    """Static scale: it has not returned to zero since the capture before."""
    ZERO = "zero"
    """The scale's zero is not known to be right."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class WeightReading:
    """The one weight of a parcel: value, quality, spread and count. ``grams`` 0 unless GOOD."""

    grams: Grams
    quality: WeightQuality
    spread_g: Grams
    samples: int
