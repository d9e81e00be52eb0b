"""The held zone of a static scale (contract clauses ZONE-1…4)."""

from edge.model.ids import PlcNumber
from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.geometry import ZonePlan
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.pc import PcWatch


class HeldZone:
    """``held`` is the zone's bit while the section stands."""

    def __init__(
        self,
        *,
        now: Moment,
        by_ticks: Agenda,
        by_us: Agenda,
        belt: Belt,
        diverting: Diverting,
        pc: PcWatch,
        plan: ZonePlan,
    ) -> None:
        self._now = now
        self._belt = belt
        self._diverting = diverting
        self._pc = pc
        self._plan = plan
        self._stop = by_ticks.timer(self._hold)
        self._limit = by_us.timer(self.release)
        self._next: Track | None = None
        self._number = PlcNumber(0)
        self._standing: list[Track] = []
        self.held = 0

    def entered(self, eye: int, _track: Track | None) -> None:
        """The next parcel reaches the zone: what stands there goes on."""
        if eye == self._plan.first_eye:
            self.release()

    def left(self, eye: int, track: Track) -> None:
        """The whole parcel is in the zone and its length is known: set where it stops."""
        if eye == self._plan.first_eye:
            self._next = track
            self._stop.set(track.origin + self._plan.middle + track.length // 2)

    def written(self) -> None:
        """The PC's words changed: a release names the held number."""
        if self.held and self._pc.status.release_number == self._number:
            self.release()

    def release(self) -> None:
        """The section runs again; what stood in it is as much later (ZONE-3)."""
        if not self.held:
            return
        self.held = 0
        self._limit.clear()
        for track in self._standing:
            if track.held_at is None or track.number not in self._belt.numbers:
                continue
            track.origin += self._now.ticks - track.held_at
            track.held_at = None
            self._belt.expect(track)
            self._diverting.moved(track)
        self._standing = []

    def _hold(self) -> None:
        track = self._next
        self._next = None
        wanted = self._pc.fresh and self._pc.status.zones_hold & self._plan.bit
        if not wanted or track is None or track.number not in self._belt.numbers:
            return
        self.held = self._plan.bit
        self._number = PlcNumber(track.number)
        self._limit.set(self._now.us + self._plan.limit_us)
        for other in self._belt.tracks:
            if self._plan.start <= self._belt.position(other) <= self._plan.end:
                other.held_at = self._now.ticks
                self._belt.expect(other)
                self._diverting.moved(other)
                self._standing.append(other)
