"""States of the line (PackML, ISA-TR88.00.02).

The states that a line shows. Acting states that end by themselves within a scan (Stopping, Aborting,
Clearing, Resetting, Holding and their like) are the PLC's; Idle and Complete are for machines that work off
a batch.
"""

from enum import StrEnum


class LineState(StrEnum):
    ABORTED = "aborted"
    """E-stop, door or pull-cord: nobody has cleared it yet."""
    STOPPED = "stopped"
    """PLC away, or latched and waiting for a reset."""
    STARTING = "starting"
    """PLC attached, belt not yet known to be empty (purge)."""
    EXECUTE = "execute"
    HELD = "held"
    """A cause inside the line (store, disk, jam, encoder, a person) stops induction."""
    SUSPENDED = "suspended"
    """A cause outside (PLC silent, end lane full) stops induction."""


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
    REOPEN_REVIEW = "reopen_review"
    """``subject``: an order. What its review came to does not count any more."""
