"""Scan review (扫描复核) at benches: words for what comes of it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from edge.model.ids import Sku


class GateLane(IntEnum):
    """Where a bench's gate sends work; ``arg`` of a GATE ring entry."""

    PACKING = 1
    REPICK = 2
    """The bench's re-pick lane: where everything goes while the gate is shut."""


class ReviewState(StrEnum):
    """Where the review of an order stands on record."""

    OPEN = "open"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    PASSED = "passed"
    """Right, and not yet through the gate."""
    RELEASED = "released"
    """Right, and seen on its way to packing: the belt may ship it."""
    UNCONFIRMED = "unconfirmed"
    """Right, but not seen on its way to packing: it must be reviewed again."""
    REOPENED = "reopened"


class ReviewRefusal(StrEnum):
    """Why a bench did nothing with what was scanned. The work stays what it was."""

    UNKNOWN_SLIP = "unknown_slip"
    AMBIGUOUS_SLIP = "ambiguous_slip"
    """Several orders have it."""
    ENDLESS_BUNDLE = "endless_bundle"
    """A bundle of the order contains itself, or is nested too deep."""
    CANCELLED = "cancelled"
    OPEN_ELSEWHERE = "open_elsewhere"
    """The slip is open at another bench, or its work is on its way through a gate."""
    ALREADY_PASSED = "already_passed"
    SHIPPED_BEFORE = "shipped_before"
    NO_SLIP = "no_slip"
    """The end was scanned, and no slip is open."""
    BROKEN_OFF = "broken_off"
    """Scans may be lost (the scanner or the line was away): begin again with the slip."""
    GATE_BUSY = "gate_busy"
    """The work before is not through the gate."""
    GATE_AWAY = "gate_away"
    """The PLC, and with it the gate, is away."""
    TOO_MANY = "too_many"
    """More different codes, pieces or interrupted slips than a bench keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """``qty`` pieces too few or too many. Goods of the order have their ``sku``, what else was scanned
    has its ``code``; the other of the two is empty."""

    sku: Sku
    code: str
    qty: int
