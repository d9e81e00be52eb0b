"""Words of the PLC contract (docs/plc-contract.md): command status, abort and confirm causes."""

from enum import IntEnum


class CommandStatus(IntEnum):
    """Status word of the last command; 0 is "nothing yet"."""

    NONE = 0
    APPLIED = 1
    REFUSED_CRC = 2
    REFUSED_SEQ = 3
    REFUSED_EPOCH = 4
    UNKNOWN_NUMBER = 5
    BAD_EXIT = 6
    STALE = 7
    UNTRUSTED = 8
    TOO_LATE = 9
    EXIT_FULL = 10
    EXIT_DISABLED = 11
    REVOKED = 12
    DROPPED = 13
    PASSED = 14
    DONE = 15


class RingKind(IntEnum):
    """High byte of a ring entry's kind:point word."""

    EYE = 1
    LOST = 2
    UNEXPECTED = 3
    FIRED = 4
    ABORTED = 5
    CONFIRMED = 6
    JAM = 7
    GATE = 8


class AbortCause(IntEnum):
    """``arg`` of an ABORTED entry."""

    EPOCH = 1
    STALE_HEARTBEAT = 2
    UNTRUSTED = 3
    EXIT_DISABLED = 4
    EXIT_FULL = 5
    PREVIOUS_NOT_CLEAR = 6
    ENCODER_FAULT = 7
    STOPPED = 8
    NOT_HOME = 9


class ConfirmReason(IntEnum):
    """``arg`` of a CONFIRMED entry."""

    COMMANDED = 1
    """At the exit that was commanded."""
    STRAIGHT = 2
    """At the end of the line, no command stood for it."""
    MISSORT = 3
    """At another exit than the commanded one."""
    ABORTED = 4
    """At the end of the line, after an abort."""
