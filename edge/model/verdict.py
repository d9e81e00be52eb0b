"""Exit reasons (domain.md section 8) and terminal states."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a parcel goes where it goes. ``OK`` is the only one that may ship."""

    OK = "ok"
    NO_READ = "no_read"
    MULTI_READ = "multi_read"
    UNKNOWN_ORDER = "unknown_order"
    CANCELLED = "cancelled"
    HELD = "held"
    DUPLICATE = "duplicate"
    SECOND_PASS = "second_pass"  # noqa: S105 - a reason, not a secret
    WEIGHT_INVALID = "weight_invalid"
    WEIGHT_MISMATCH = "weight_mismatch"
    OVERWEIGHT = "overweight"
    OVERSIZE = "oversize"
    TWO_ON_ONE = "two_on_one"
    NO_RULE = "no_rule"
    BLIND_SPOT = "blind_spot"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_ERROR = "upstream_error"
    CHUTE_FULL = "chute_full"
    CHUTE_DISABLED = "chute_disabled"
    DIVERT_ABORTED = "divert_aborted"
    DIVERT_UNCONFIRMED = "divert_unconfirmed"
    LOST = "lost"
    UNEXPECTED = "unexpected"
    GAP_TOO_SMALL = "gap_too_small"
    POSITION_UNKNOWN = "position_unknown"
    LATE_DECISION = "late_decision"
    PURGED = "purged"
    FLUSH_ESTOP = "flush_estop"
    ENCODER_FAULT = "encoder_fault"
    LINK_LOST = "link_lost"
    PLC_RESTART = "plc_restart"
    DISK_FULL = "disk_full"
    MANUAL = "manual"


class ParcelState(StrEnum):
    """Rows of the parcel table in ``edge.core.parcel_flow``."""

    TRACKED = "tracked"
    """Inducted; inputs are being collected."""
    DECIDED = "decided"
    """Verdict recorded; a ship verdict waits for the PLC's answer."""
    TOLD = "told"
    """The PLC has applied the divert."""
    REVOKING = "revoking"
    """A revoke is out, its answer is not in."""
    EXITED = "exited"
    """Terminal: seen by a confirm eye."""
    MISSING = "missing"
    """Terminal: proved absent, or its place is not known any more."""
