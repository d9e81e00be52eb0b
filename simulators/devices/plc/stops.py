"""Latches, homing, purge, marks: what keeps the belt and the induction (contract START-*, STOP-*)."""

from collections.abc import Callable

from edge.model.divert import AbortCause
from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.lanes import Lanes
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.settings import PlcSettings
from simulators.devices.plc.tracking import Tracking


class Latch:
    """Why the line is latched: bits of ``LineStates.latch`` (plain ints, this is looked at often)."""

    START = 1
    SAFETY = 2
    POWER = 4
    FULL_END = 8
    NOT_HOME = 16
    JAM = 32
    ENCODER = 64


class LineStates:
    """``belt``: the belt is switched on, or not, since ``switched_us``. ``on_belt`` hears each change."""

    def __init__(
        self,
        *,
        now: Moment,
        by_ticks: Agenda,
        by_us: Agenda,
        belt: Belt,
        diverting: Diverting,
        tracking: Tracking,
        lanes: Lanes,
        settings: PlcSettings,
        on_belt: Callable[[bool], None],
    ) -> None:
        self._now = now
        self._belt = belt
        self._diverting = diverting
        self._tracking = tracking
        self._lanes = lanes
        self._on_belt = on_belt
        self._mark_us = settings.stop_mark_ms * 1000
        arms = belt.geometry.arms
        slowest = max((max(arm.change_us, arm.actuator_us) for arm in arms), default=0)
        self._home_limit_us = slowest + settings.home_margin_ms * 1000
        self._homing_timer = by_us.timer(self._not_homed)
        self._stop_timer = by_us.timer(self._stopped_long)
        self._purge_timer = by_ticks.timer(self._purged)
        self._purge_due = True
        self._stop_wanted = False
        self._purge_wanted = False
        self._reset = False
        self._standing_long = False
        self.latch = Latch.START
        self.homing = False
        self.purging = False
        self.safety = False
        self.ready = True
        self.belt = False
        self.switched_us = now.us

    def distrusts(self, position: int) -> bool:
        """A hand may be on the belt there now."""
        return self.safety or (self._standing_long and self._belt.geometry.guard_at(position).open)

    @property
    def encoder_fault(self) -> bool:
        return bool(self.latch & Latch.ENCODER)

    def sense(self, *, safety: bool, ready: bool, reset: bool) -> None:
        """E-stop, door or pull-cord; power and air; a person's reset."""
        if safety != self.safety:
            self.safety = safety
            if safety:
                self.latched(Latch.SAFETY)
                self._diverting.rest()
                self._mark_all(AbortCause.STOPPED)
        if ready != self.ready:
            self.ready = ready
            if not ready:
                self.latched(Latch.POWER)
                self._diverting.rest()
                self._diverting.drop_all(AbortCause.STOPPED)
        if reset and not self._reset:
            self._reset_pressed()
        self._reset = reset

    def wanted(self, *, stop: bool, purge: bool) -> None:
        """The PC's mode bits."""
        self._stop_wanted = stop
        if purge and not self._purge_wanted:
            self._mark_all(AbortCause.UNTRUSTED)
            self._purge_due = True
            if not self.latch and not self.homing:
                self._start_purge()
        self._purge_wanted = purge

    def latched(self, cause: int) -> None:
        self.latch |= cause
        self.homing = False
        self._homing_timer.clear()

    def encoder_failed(self) -> None:
        """ENC-2."""
        if self.encoder_fault:
            return
        self.latch |= Latch.ENCODER
        self.purging = False
        self._purge_timer.clear()
        self._purge_due = True
        self._tracking.anonymous = True
        self._diverting.drop_all(AbortCause.ENCODER_FAULT)
        self._tracking.give_up()
        self._diverting.rest()

    def untrust_all(self) -> None:
        """Entries were overwritten unread (RING-5)."""
        self._mark_all(AbortCause.UNTRUSTED)

    def settle(self) -> None:
        """After all inputs of a call: homing, and whether the belt runs."""
        if self.homing and not self._diverting.not_home():
            self._homed()
        running = (
            not self.latch & ~Latch.ENCODER
            and not self.homing
            and not self.safety
            and self.ready
            and not self._stop_wanted
        )
        if self.latch & Latch.ENCODER and not self.belt:
            running = False
        if running == self.belt:
            return
        self.belt = running
        self.switched_us = self._now.us
        self._on_belt(running)
        if running:
            self._standing_long = False
            self._stop_timer.clear()
        else:
            self._stop_timer.set(self._now.us + self._mark_us + 1)

    def _reset_pressed(self) -> None:
        gone = Latch.START | Latch.NOT_HOME | Latch.ENCODER
        if not self.safety:
            gone |= Latch.SAFETY
        if self.ready:
            gone |= Latch.POWER
        if not self._lanes.end_blocked:
            gone |= Latch.FULL_END
        if not self._tracking.jammed:
            gone |= Latch.JAM
        if not self.latch or self.latch & ~gone:
            return
        if self.encoder_fault:
            self._on_belt(self.belt)
        self.latch = 0
        self.homing = True
        missing = self._diverting.not_home()
        for index, arm in enumerate(self._belt.geometry.arms):
            if missing >> index & 1 and self._tracking.passages[arm.eye].blocked:
                self.latched(Latch.NOT_HOME)
                return
        if missing:
            self._homing_timer.set(self._now.us + self._home_limit_us)

    def _homed(self) -> None:
        self.homing = False
        self._homing_timer.clear()
        if self._purge_due:
            self._start_purge()

    def _not_homed(self) -> None:
        self.latched(Latch.NOT_HOME)

    def _start_purge(self) -> None:
        self._purge_due = False
        self.purging = True
        self._tracking.anonymous = True
        self._purge_timer.set(self._now.ticks + self._belt.geometry.purge)

    def _purged(self) -> None:
        self.purging = False
        self._tracking.anonymous = False

    def _stopped_long(self) -> None:
        self._standing_long = True
        for track in tuple(self._belt.tracks):
            bit = self._open_zone(track)
            if bit:
                self._belt.mark(track, bit)
                self._diverting.drop(track, AbortCause.STOPPED)

    def _open_zone(self, track: Track) -> int:
        """Bit of a guard zone in which some of it lies and which a stop alone opens to hands; 0: none."""
        lead, geometry = self._belt.position(track), self._belt.geometry
        for guard in (geometry.guard_at(lead), geometry.guard_at(lead - track.length)):
            if guard.open:
                return guard.bit
        return 0

    def _mark_all(self, cause: AbortCause) -> None:
        for track in tuple(self._belt.tracks):
            self._belt.mark(track)
            self._diverting.drop(track, cause)
