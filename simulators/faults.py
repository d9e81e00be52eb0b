"""The kinds of faults that a run can have: done to one parcel, or to the line at a moment.

The world does the physical ones (``simulators.world.mishaps``); the simulated ERP and the packing benches
do what concerns orders and labels (``simulators.erp``); whoever runs the line process does the rest
(``simulators.line_faults``). Which of them a run has, and where, says a plan (``simulators.fault_plan``).
"""

from dataclasses import dataclass
from enum import StrEnum


class FaultLevel(StrEnum):
    NONE = "none"
    DEFAULT = "default"
    HARSH = "harsh"


class ParcelFaultKind(StrEnum):
    """Done to one parcel. What ``arg`` and ``by`` mean stands with each; a place is mm from the
    induction eye."""

    UNKNOWN_ORDER = "unknown_order"
    """Its order was never pushed."""
    HELD_ORDER = "held_order"
    CANCELLED_ORDER = "cancelled_order"
    """``arg``: permille of its nominal life on the line at which the cancel is sent; negative: before
    it is placed; over 1000: after it has left."""
    FLAGGED_ORDER = "flagged_order"
    """``arg``: place of the flag in ``OrderFlag``. ``by`` 0: from the push on; else permille of its life
    at which a newer version brings it."""
    UNROUTED_ORDER = "unrouted_order"
    """``arg`` 0: no rule of the plan matches; 1: a blind spot of its carrier."""
    NO_READ = "no_read"
    """No reader can read its label; a person can."""
    DOUBLE_LABEL = "double_label"
    """``arg`` 0: the second waybill is an unknown one; 1: another order's."""
    FOREIGN_LABEL = "foreign_label"
    """Its label is of a carrier that the line does not serve."""
    CODE_CHANGED = "code_changed"
    """Another waybill is seen from the second reading point on. ``arg`` as for a double label."""
    COPIED_LABEL = "copied_label"
    """Its label is that of the parcel ``arg`` places before it, printed twice."""
    WRONG_WEIGHT = "wrong_weight"
    """``arg``: its true weight in permille of the expected one."""
    OVERWEIGHT = "overweight"
    """``arg``: its true weight in grams."""
    TOO_LIGHT = "too_light"
    """``arg``: its true weight in grams, less than the scale can tell."""
    OVERSIZE = "oversize"
    """``arg``: its length in mm."""
    SENT_TO_REJECT = "sent_to_reject"
    """By a person. ``arg``: permille of its life."""
    CHECK_PARCEL = "check_parcel"
    """In its place a person puts a check parcel of the line's scale. ``arg``: g by which it is heavier."""
    TOO_CLOSE = "too_close"
    """``arg``: mm to the parcel before it; 0: they touch."""
    TAKEN_OFF = "taken_off"
    """``arg``: place."""
    TURNED = "turned"
    """``arg``: place. ``by``: its length from then on."""
    SLIPPED = "slipped"
    """``arg``: place. ``by``: mm forward; backward if negative; never so far that it touches another."""
    INSERTED = "inserted"
    """A stray parcel is put behind it, where there is room. ``arg``: place of this one. ``by``: the
    stray's length."""
    MIS_SORT = "mis_sort"
    """``arg``: order number of the diverter that carries it whatever its arm does."""
    SWAP = "swap"
    """With the parcel behind it, of equal length, on the running belt. ``arg``: place."""
    JAM = "jam"
    """``arg``: place."""
    ARRIVAL_JAM = "arrival_jam"
    """It sticks in the mouth of the lane into which it is diverted, and so do those that follow it there."""


class ReviewFaultKind(StrEnum):
    """Done to the goods of one order, before or at its review bench."""

    SHORT_PICK = "short_pick"
    """One piece too few was picked."""
    OVER_PICK = "over_pick"
    """One piece too many of its own goods."""
    WRONG_PICK = "wrong_pick"
    """One piece of other goods instead."""
    INTERRUPTED = "interrupted"
    """The reviewer is called away half-way, and goes on later."""
    UNREVIEWED = "unreviewed"
    """Somebody carries it past the bench."""


class LineFaultKind(StrEnum):
    FULL_CHUTE = "full_chute"
    """``arg``: exit number. The world's."""
    CHUTE_DISABLED = "chute_disabled"
    """By a person. ``arg``: place of the chute in the line's description."""
    CLOCK_STEP = "clock_step"
    """``arg``: seconds, may be negative."""
    PLC_SILENT = "plc_silent"
    """It answers nobody for ``duration_ms``, and goes on working."""
    PLC_RESTART = "plc_restart"
    """Its power is away for ``duration_ms``."""
    UPSTREAM_SILENT = "upstream_silent"
    """Look-ups are answered only after it."""
    UPSTREAM_FAILS = "upstream_fails"
    """Look-ups fail meanwhile."""
    E_STOP = "e_stop"
    """The world's."""
    DOOR = "door"
    """A guard is opened. The world's."""
    ENCODER_STANDS = "encoder_stands"
    """The world's."""
    ENCODER_RUNS = "encoder_runs"
    """It counts without the belt. ``arg``: ticks/s. The world's."""
    PURGE = "purge"
    """A person wants the belt emptied."""
    DISK_SLOW = "disk_slow"
    """No commit ends meanwhile: what is decided then comes to the PLC too late (``late_decision``)."""
    DISK_LOW = "disk_low"
    """Its room falls below what the line wants."""
    LINE_CRASH = "line_crash"
    """The line process ends at once and is started anew."""
    SCALE_SILENT = "scale_silent"
    """It says nothing for ``duration_ms``. The scale's."""
    SCALE_FROZEN = "scale_frozen"
    """Once it has settled it repeats what it shows, whatever lies on it. The scale's."""
    SCALE_DRIFT = "scale_drift"
    """It shows ``arg`` g more, for good or until its zero is set. The scale's."""


PHYSICAL = frozenset(
    {
        LineFaultKind.FULL_CHUTE,
        LineFaultKind.E_STOP,
        LineFaultKind.DOOR,
        LineFaultKind.ENCODER_STANDS,
        LineFaultKind.ENCODER_RUNS,
    }
)
"""Line faults that the world does."""
OF_THE_SCALE = frozenset({LineFaultKind.SCALE_SILENT, LineFaultKind.SCALE_FROZEN, LineFaultKind.SCALE_DRIFT})
"""Line faults that the scale does; a line without one has none. The others are for whoever runs the line
process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFault:
    kind: ParcelFaultKind
    arg: int = 0
    by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """Strikes ``after_ms`` after the parcel ``index`` was placed, for ``duration_ms``."""

    kind: LineFaultKind
    index: int
    after_ms: int
    duration_ms: int
    arg: int = 0
