"""Weights."""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.units import Grams, MonoUs


class SampleState(StrEnum):
    """What the indicator says of a frame. A value counts only when it is OK or MOTION."""

    OK = "ok"
    MOTION = "motion"
    OVER = "over"
    UNDER = "under"
    NO_WEIGHT = "no_weight"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightReading:
    """The one weight of a parcel: value, quality, spread and count. ``grams`` 0 unless GOOD."""

    grams: Grams
    quality: WeightQuality
    spread_g: Grams
    samples: int
