"""The confirm eyes of the exits (contract clauses CONF-1, CONF-2, CONF-4, CONF-8)."""

from edge.model.divert import CommandStatus, ConfirmReason, RingKind
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.geometry import ExitPlan
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.ring import EventRing
from simulators.devices.plc.tracking import Tracking


class Confirming:
    def __init__(
        self, *, now: Moment, belt: Belt, ring: EventRing, tracking: Tracking, diverting: Diverting
    ) -> None:
        self._now = now
        self._belt = belt
        self._ring = ring
        self._tracking = tracking
        self._diverting = diverting

    def blocked(self, index: int) -> None:
        """A leading edge at the confirm eye of that exit, now."""
        plan = self._belt.geometry.exits[index]
        track = self._match(plan)
        if track is None or track.fired != plan.no:
            lost = self._diverting.take_lost(plan)
            if lost is not None:
                self._ring.push(
                    RingKind.CONFIRMED, plan.no, arg=ConfirmReason.COMMANDED.value, number=lost.number
                )
                return
        if track is None:
            self._ring.push(RingKind.CONFIRMED, plan.no, arg=ConfirmReason.MISSORT.value)
            return
        reason = ConfirmReason.COMMANDED if track.fired == plan.no else ConfirmReason.MISSORT
        announced = track.announced
        self._tracking.end(track, CommandStatus.DONE)
        self._ring.push(
            RingKind.CONFIRMED, plan.no, arg=reason.value, number=track.number if announced else 0
        )

    def _match(self, plan: ExitPlan) -> Track | None:
        """Fired for this exit first, then the nearest to the window's middle, then the one ahead."""
        best: Track | None = None
        best_key = (2, 0, 0)
        middle = plan.confirm_from + plan.confirm_to
        for track in self._belt.tracks:
            position = self._belt.position(track)
            if plan.confirm_from <= position <= plan.confirm_to and track.held_at is None:
                key = (int(track.fired != plan.no), abs(2 * position - middle), track.origin)
                if key < best_key:
                    best, best_key = track, key
        return best
