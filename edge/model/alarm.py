"""Alarms (ISA-18.2 words): a standing condition that wants a person."""

from dataclasses import dataclass
from enum import StrEnum


class AlarmKind(StrEnum):
    PLC_DOWN = "plc_down"
    PLC_RESTARTED = "plc_restarted"
    PLC_LATCHED = "plc_latched"
    PLC_MISMATCH = "plc_mismatch"
    """Map version, hash or contract differ: nothing is commanded."""
    RING_OVERFLOW = "ring_overflow"
    BELT_UNTRUSTED = "belt_untrusted"
    ENCODER_FAULT = "encoder_fault"
    E_STOP = "e_stop"
    JAM = "jam"
    READER_DOWN = "reader_down"
    SCALE_DOWN = "scale_down"
    SCALE_DRIFT = "scale_drift"
    """Empty, it does not show zero."""
    SCALE_ZERO_OVERDUE = "scale_zero_overdue"
    """Its zero could not be looked at for too long: no weight counts."""
    SCALE_FROZEN = "scale_frozen"
    SCALE_NO_WEIGHT = "scale_no_weight"
    """It talks, and tells no weight: unit, or an error on its display."""
    SCALE_CHECK_FAILED = "scale_check_failed"
    """A check parcel was not weighed as heavy as it is."""
    GATE_UNCONFIRMED = "gate_unconfirmed"
    """No exit eye of a bench's gate has seen the work that was judged there."""
    GATE_WRONG = "gate_wrong"
    """Work left a bench by the other lane than its verdict says, or without one."""
    DIVERT_UNCONFIRMED = "divert_unconfirmed"
    """A diverter has fired, and no eye has seen the parcel since: it may stick in the mouth of that lane."""
    MIS_SORT = "mis_sort"
    POSITION_DISAGREES = "position_disagrees"
    CLOCK_STEP = "clock_step"
    CHUTE_FULL = "chute_full"
    END_FULL = "end_full"
    STORE_SLOW = "store_slow"
    DISK_SHORT = "disk_short"
    """Room on the record's disk runs short; induction goes on."""
    DISK_LOW = "disk_low"
    REPLAY_DIFFERS = "replay_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    kind: AlarmKind
    subject: str
    """What it is about: a device id, chute or exit; empty for the line."""
    acknowledged_by: str = ""
    """Who has seen it; empty: nobody yet."""
