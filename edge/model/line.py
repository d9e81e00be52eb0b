"""States of the line (PackML, ISA-TR88)."""

from enum import StrEnum


class LineState(StrEnum):
    STOPPED = "stopped"
    """PLC away, or latched and waiting for a reset."""
    STARTING = "starting"
    """PLC attached, belt not yet known to be empty (purge)."""
    EXECUTE = "execute"
    HELD = "held"
    """A cause of our own (store, disk, a person) stops induction."""
    SUSPENDED = "suspended"
    """A cause outside (PLC silent, e-stop, exit lane full) stops induction."""


class OperatorAction(StrEnum):
    ENABLE_CHUTE = "enable_chute"
    DISABLE_CHUTE = "disable_chute"
    HOLD_LINE = "hold_line"
    RELEASE_LINE = "release_line"
    PURGE = "purge"
    CONFIRM_CLOCK = "confirm_clock"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    REJECT_PARCEL = "reject_parcel"
    """The parcel on the belt that the subject names, by its waybill or as ``track:N``."""
