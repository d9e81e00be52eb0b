"""Accepted commands, firing, and the arms (contract clauses DIV-*, CONF-8)."""

from collections.abc import Callable
from functools import partial

from edge.model.divert import AbortCause, CommandStatus, RingKind
from simulators.devices.plc.agenda import Agenda, Timer
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.geometry import ArmPlan, ExitPlan
from simulators.devices.plc.lanes import Lanes
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.outcomes import Outcomes
from simulators.devices.plc.pc import PcWatch
from simulators.devices.plc.ring import EventRing


class Arm:
    """One diverter's arm. ``side`` is driven; ``origin`` is that of the parcel it is out for;
    ``keep``: the next number, for which it stays out. While ``home_timer`` runs it returns from
    ``returning_from``. ``home_at``: the ticks at which it was seen home last. ``lost``: numbers that it
    was fired for and that were LOST, the first one first."""

    __slots__ = (
        "home_at",
        "home_timer",
        "keep",
        "lost",
        "origin",
        "plan",
        "release",
        "returning_from",
        "side",
    )

    def __init__(self, plan: ArmPlan) -> None:
        self.plan = plan
        self.side = 0
        self.origin = 0
        self.keep: Track | None = None
        self.returning_from = 0
        self.home_at = 0
        self.lost: list[Track] = []
        self.release: Timer
        self.home_timer: Timer


class Diverting:
    """``on_not_home``: an arm did not come home in time. ``home``: the feedback bits, as sensed.
    ``sides``: what the arms are driven to."""

    def __init__(
        self,
        *,
        now: Moment,
        by_ticks: Agenda,
        by_us: Agenda,
        belt: Belt,
        ring: EventRing,
        outcomes: Outcomes,
        pc: PcWatch,
        lanes: Lanes,
        home_margin_us: int,
        on_not_home: Callable[[], None],
    ) -> None:
        self._now = now
        self._belt = belt
        self._ring = ring
        self._outcomes = outcomes
        self._pc = pc
        self._lanes = lanes
        self._home_margin_us = home_margin_us
        self._on_not_home = on_not_home
        self._exits = belt.geometry.exits
        self.home = 0
        self.sides: tuple[int, ...] = (0,) * len(belt.geometry.arms)
        self.arms = [Arm(plan) for plan in belt.geometry.arms]
        for index, arm in enumerate(self.arms):
            arm.release = by_ticks.timer(partial(self._release, arm))
            arm.home_timer = by_us.timer(partial(self._home_due, index))

    def follow(self, track: Track, by_ticks: Agenda) -> None:
        """A new number is on the belt; an arm that stays out for one behind it returns."""
        track.fire_timer = by_ticks.timer(partial(self._fire, track))
        for arm in self.arms:
            if arm.keep is not None and self._belt.behind(arm.origin) is not arm.keep:
                self._retract(arm)

    def accept(self, track: Track, exit_no: int) -> None:
        track.command = exit_no
        self._outcomes.record(track.number, CommandStatus.APPLIED, exit_no)
        self.moved(track)

    def revoke(self, track: Track) -> None:
        self._end_command(track, CommandStatus.REVOKED)

    def drop(self, track: Track, cause: AbortCause) -> None:
        """The accepted command of that number, if there is one, is dropped and reported."""
        if track.command:
            exit_no = track.command
            self._end_command(track, CommandStatus.DROPPED)
            track.aborted = True
            self._ring.push(RingKind.ABORTED, exit_no, arg=cause.value, number=track.number)

    def drop_all(self, cause: AbortCause) -> None:
        for track in tuple(self._belt.tracks):
            self.drop(track, cause)

    def ended(self, track: Track, status: CommandStatus) -> None:
        """The number is leaving the belt: a command that still stands ends as ``status``."""
        if track.command:
            self._end_command(track, status)

    def lost(self, track: Track) -> None:
        """LOST at an eye. One that was fired for an exit may still be carried into it (CONF-8)."""
        if track.fired and not track.straight:
            self.arms[self._exits[track.fired - 1].arm].lost.append(track)

    def take_lost(self, plan: ExitPlan) -> Track | None:
        """Of the LOST the first one that may be at that exit's confirm eye now. It is no more afterwards."""
        arm = self.arms[plan.arm]
        if arm.lost and self._let_go(arm, plan):
            arm.lost.clear()
        for track in arm.lost:
            if track.fired == plan.no:
                arm.lost.remove(track)
                return track
        return None

    def _let_go(self, arm: Arm, plan: ExitPlan) -> bool:
        """It has been home so long that whom it carried to that exit has passed the confirm eye."""
        resting = not arm.side and self.home >> plan.arm & 1
        return bool(resting) and self._now.ticks - arm.home_at > plan.confirm_to - arm.plan.position

    def moved(self, track: Track) -> None:
        """Its origin or its command changed: set when it fires."""
        if track.command and track.held_at is None:
            track.fire_timer.set(track.origin + self._exits[track.command - 1].fire)
        else:
            track.fire_timer.clear()

    def rest(self) -> None:
        """All arms to rest, at once."""
        for arm in self.arms:
            if arm.side:
                self._retract(arm)

    def home_seen(self, home: int) -> None:
        """The feedback: an arm that is home is no longer waited for."""
        arrived, self.home = home & ~self.home, home
        for index, arm in enumerate(self.arms):
            if home >> index & 1 and not arm.side:
                arm.home_timer.clear()
            if arrived >> index & 1:
                arm.home_at = self._now.ticks

    def not_home(self) -> int:
        """Bits of the arms that should be at rest and are not. One that is out for a parcel on a
        stopped belt finishes when the belt runs again."""
        resting = sum(1 << index for index, arm in enumerate(self.arms) if not arm.side)
        return resting & ~self.home

    def _end_command(self, track: Track, status: CommandStatus) -> None:
        track.command = 0
        track.fire_timer.clear()
        self._outcomes.turn(track.number, status)
        for arm in self.arms:
            if arm.keep is track:
                self._retract(arm)

    def _fire(self, track: Track) -> None:
        plan = self._exits[track.command - 1]
        arm = self.arms[plan.arm]
        cause = self._why_not(track, plan, arm)
        if cause is not None:
            self.drop(track, cause)
            return
        track.command = 0
        track.fired = plan.no
        track.confirm_end = track.origin + plan.confirm_to
        self._outcomes.turn(track.number, CommandStatus.DONE)
        self._ring.push(RingKind.FIRED, plan.no, number=track.number)
        self._belt.expect(track)
        if arm.lost:
            same = [one for one in arm.lost if one.fired == plan.no]
            arm.lost = [] if self._let_go(arm, plan) else same
        self._drive(arm, plan.side)
        arm.origin = track.origin
        arm.keep = None
        arm.home_timer.clear()
        arm.release.set(track.origin + plan.clear + track.length)

    def _why_not(self, track: Track, plan: ExitPlan, arm: Arm) -> AbortCause | None:
        bit = 1 << plan.no - 1
        if not self._pc.fresh:
            return AbortCause.STALE_HEARTBEAT
        if track.marked or track.refused:
            return AbortCause.UNTRUSTED
        if not self._pc.status.exits_enabled & bit:
            return AbortCause.EXIT_DISABLED
        if self._lanes.exits_full & bit:
            return AbortCause.EXIT_FULL
        if not self._clear(track, plan, arm) or self._sweeps_next(track, plan):
            return AbortCause.PREVIOUS_NOT_CLEAR
        if not self._ready(plan, arm):
            return AbortCause.NOT_HOME
        return None

    def _clear(self, track: Track, plan: ExitPlan, arm: Arm) -> bool:
        """The parcel ahead cannot be hit (DIV-4). Those fired elsewhere are off the belt."""
        if track.barred >> plan.arm & 1:
            return False
        for other in self._belt.ahead(track):
            if other.fired and not other.straight:
                fired = self._exits[other.fired - 1]
                if fired.arm != plan.arm:
                    continue
                if fired.side == plan.side == arm.side:
                    return True
            return self._belt.position(other) - other.length >= plan.clear
        return True

    def _sweeps_next(self, track: Track, plan: ExitPlan) -> bool:
        """The number behind is so close that the arm would carry it along on its way home (DIV-10)."""
        following = self._belt.behind(track.origin)
        if following is None:
            return False
        if following.command:
            wanted = self._exits[following.command - 1]
            if (wanted.arm, wanted.side) == (plan.arm, plan.side):
                return False
        gap = self._belt.position(track) - track.length - self._belt.foremost(following)
        return gap < self.arms[plan.arm].plan.behind

    def _ready(self, plan: ExitPlan, arm: Arm) -> bool:
        """The arm is at rest, or out on that side already, or it can change over in time."""
        if arm.side == plan.side or self.home >> plan.arm & 1:
            return True
        returning = arm.home_timer.due is not None
        if returning and arm.returning_from == plan.side:
            return True
        return (arm.side != 0 or returning) and arm.plan.change_us <= arm.plan.actuator_us

    def _release(self, arm: Arm) -> None:
        """Its parcel has left the zone (DIV-5)."""
        following = self._belt.behind(arm.origin)
        if following is not None and following.command:
            plan = self._exits[following.command - 1]
            if self.arms[plan.arm] is arm and plan.side == arm.side:
                arm.keep = following
                return
        self._retract(arm)

    def _retract(self, arm: Arm) -> None:
        arm.returning_from = arm.side
        self._drive(arm, 0)
        arm.keep = None
        arm.release.clear()
        arm.home_timer.set(self._now.us + arm.plan.change_us + self._home_margin_us)

    def _drive(self, arm: Arm, side: int) -> None:
        arm.side = side
        self.sides = tuple(one.side for one in self.arms)

    def _home_due(self, index: int) -> None:
        if not self.home >> index & 1:
            self._on_not_home()
