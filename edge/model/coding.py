"""Manual coding: a person reads the picture of a parcel that no reader could read, and keys its code."""

from enum import StrEnum


class CodingCheck(StrEnum):
    """Why a keyed code may be believed."""

    TWICE = "twice"
    """Typed twice alike."""
    PATTERN_AND_ORDER = "pattern_and_order"
    """It fits a carrier that the line serves, and an order has it."""


class CodingOutcome(StrEnum):
    """What the line made of it; texts in ``line_config/reading.yaml``."""

    JOINED = "joined"
    """It came before the decision: the parcel is looked up under it."""
    GONE_BY = "gone_by"
    """The parcel was decided or gone: the code is ready when it comes round."""
    IDENTIFIED = "identified"
    """Readers have found a waybill on it, or it is not fit to ship for another reason: nothing changed."""
    UNKNOWN = "unknown"
    """The line knows no such parcel."""
