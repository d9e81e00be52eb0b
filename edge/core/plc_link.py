"""The PLC comes, goes, restarts, loses entries and changes its bits: what that means for the belt."""

from edge.core import chutes, packml, review, tracking, weighing
from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.scope import Scope
from edge.core.state import PurgeStage
from edge.model.alarm import AlarmKind
from edge.model.events import (
    PlcAttached,
    PlcDetached,
    PlcRefused,
    RingEntry,
    RingOverflowed,
    StatusBitsChanged,
)
from edge.model.ids import RingSeq
from edge.model.register_map import PlcBits, StateBit
from edge.model.units import MonoUs, Ticks
from edge.model.verdict import Reason

HANDS = int(StateBit.E_STOP | StateBit.DOOR | StateBit.PULL_CORD)
ENCODER_FAULT = int(StateBit.ENCODER_FAULT)
"""Bits after which a hand may have been on the belt (reliability.md section 4, 26)."""


class RingBroken(AssertionError):
    """Ours: a ring entry came twice, out of order, or from another epoch."""


def entry(scope: Scope, event: RingEntry) -> None:
    """Every ring entry is an input exactly once, in order. Raises ``RingBroken``."""
    plc = scope.state.plc
    if event.epoch != plc.epoch or event.ring_seq != plc.ring_last + 1:
        raise RingBroken(
            f"entry {event.ring_seq} of epoch {event.epoch} after {plc.ring_last} of {plc.epoch}"
        )
    plc.ring_last = event.ring_seq


def attached(scope: Scope, event: PlcAttached) -> None:
    """The link is up. A new epoch ends every open track at once; a gap in the ring untrusts the belt."""
    state = scope.state
    plc = state.plc
    if event.epoch != plc.epoch:
        if plc.epoch:
            tracking.end_epoch(scope, event.at_us)
            review.gates_unseen(scope, event.at_us)
            raise_alarm(
                scope, event.at_us, AlarmKind.PLC_RESTARTED, "", f"epoch {plc.epoch} to {event.epoch}"
            )
        plc.epoch = event.epoch
        plc.belt_ticks = event.ticks
        plc.ring_last = RingSeq(event.ring_next - 1)
        state.purge = PurgeStage.WANTED
        for watch in state.readers.values():
            watch.blind_until = Ticks(-1)
    plc.attached, plc.refused, plc.detached = True, "", ""
    plc.attached_ticks = event.ticks
    for watch in state.readers.values():
        if watch.up and watch.blind_until < 0:
            watch.blind_until = event.ticks
    clear_alarm(scope, event.at_us, AlarmKind.PLC_DOWN, "")
    clear_alarm(scope, event.at_us, AlarmKind.PLC_MISMATCH, "")
    _take_bits(scope, event.at_us, event.ticks, event.bits)
    if event.ring_next != plc.ring_last + 1:
        _entries_lost(scope, event.at_us, event.ring_next)


def overflowed(scope: Scope, event: RingOverflowed) -> None:
    scope.belt_seen(event.ticks, event.at_us)
    _entries_lost(scope, event.at_us, event.ring_next)


def _entries_lost(scope: Scope, at_us: MonoUs, ring_next: RingSeq) -> None:
    """Entries were overwritten before they were read: the whole belt is untrusted until it is empty."""
    scope.state.plc.ring_last = RingSeq(ring_next - 1)
    raise_alarm(scope, at_us, AlarmKind.RING_OVERFLOW, "", f"ring entries before {ring_next} are lost")
    raise_alarm(scope, at_us, AlarmKind.BELT_UNTRUSTED, "", "ring entries are lost")
    tracking.untrust_all(scope, at_us, Reason.POSITION_UNKNOWN)
    review.gates_unseen(scope, at_us)
    packml.want_purge(scope)


def detached(scope: Scope, event: PlcDetached) -> None:
    """The tracks stay: the PLC keeps their events, and answers what was decided meanwhile."""
    scope.state.plc.attached = False
    scope.state.plc.detached = event.why or "no answer"
    for track in scope.state.tracks.values():
        track.unwatched = True
    review.plc_away(scope)
    raise_alarm(scope, event.at_us, AlarmKind.PLC_DOWN, "", event.why)


def refused(scope: Scope, event: PlcRefused) -> None:
    """Another contract or map: nothing is commanded."""
    scope.state.plc.attached = False
    scope.state.plc.refused = event.why or "identity differs"
    raise_alarm(scope, event.at_us, AlarmKind.PLC_MISMATCH, "", event.why)


def bits_changed(scope: Scope, event: StatusBitsChanged) -> None:
    """Bits of an epoch that is over are nobody's."""
    if event.epoch == scope.state.plc.epoch:
        _take_bits(scope, event.at_us, event.ticks, event.bits)


def _take_bits(scope: Scope, at_us: MonoUs, ticks: Ticks, bits: PlcBits) -> None:
    plc = scope.state.plc
    before, plc.bits = plc.bits, bits
    scope.belt_seen(ticks, at_us)
    rising = int(bits.state) & ~int(before.state)
    if rising & HANDS:
        tracking.mark_all(scope, Reason.FLUSH_ESTOP)
    if rising & ENCODER_FAULT:
        tracking.mark_all(scope, Reason.ENCODER_FAULT)
        raise_alarm(scope, at_us, AlarmKind.BELT_UNTRUSTED, "", "encoder fault")
        packml.want_purge(scope)
    untrusted = bits.zones_untrusted & ~before.zones_untrusted
    if untrusted and bits.state & StateBit.RUN:
        # The belt has moved on since: who stood in which zone is not known.
        tracking.mark_all(scope, Reason.POSITION_UNKNOWN)
    elif untrusted:
        tracking.mark_zones(scope, untrusted, ticks, Reason.POSITION_UNKNOWN)
    if bits.exits_full != before.exits_full:
        chutes.full_changed(scope, at_us, before.exits_full)
    weighing.zone_changed(scope, at_us, ticks, before.zones_held)
    if bits.state == before.state and scope.state.purge is PurgeStage.CLEAN:
        return  # an arm, a lane, a zone: nothing that the line's state hangs on
    packml.step_purge(scope)
    packml.alarms_of_bits(scope, at_us)


def replay_differs(scope: Scope, at_us: MonoUs) -> None:
    """What this build makes of the record is not what stands there: no track of it is sure."""
    raise_alarm(scope, at_us, AlarmKind.REPLAY_DIFFERS, "", "this build decides otherwise than the record")
    tracking.untrust_all(scope, at_us, Reason.POSITION_UNKNOWN)
    packml.want_purge(scope)


def restarted(scope: Scope, at_us: MonoUs) -> None:
    """This process begins anew: it has no link yet, and what it asked of the PLC every cycle is over."""
    state = scope.state
    state.plc.attached, state.plc.refused, state.plc.detached = False, "", ""
    state.plc.belt_at_us = at_us
    if state.purge is PurgeStage.ASKED:
        state.purge = PurgeStage.WANTED
    for track in state.tracks.values():
        track.unwatched = True
