"""The belt's motion and its encoder: piecewise constant speed, exact integers.

1 mm/s for 1 µs is 1 nm, so a position in nanometres is exact at every microsecond.
"""

from collections import deque

from simulators.world.parcel import NM_PER_MM

RAMP_STEPS = 4
RAMP_STEP_US = 30_000
"""Starting and stopping take four equal steps of speed, 120 ms together."""

HISTORY = 256
"""Changes of speed that are remembered, to say when the belt was at a position."""

NM_PER_M = 1000 * NM_PER_MM


class BeltMotion:
    """Position of the belt since it was made. Time never runs backwards."""

    def __init__(self, speed_mm_s: int, at_us: int) -> None:
        self.driven = False
        self._full_speed = speed_mm_s
        self._step = 0
        self._since_us = at_us
        self._at_nm = 0
        self.speed = 0
        """nm/µs, which is mm/s."""
        self.wake_at_us: int | None = None
        """The next step of the ramp."""
        self._history: deque[tuple[int, int, int]] = deque([(at_us, 0, 0)], maxlen=HISTORY)

    def position_nm(self, now_us: int) -> int:
        return self._at_nm + self.speed * (now_us - self._since_us)

    def drive(self, on: bool, now_us: int) -> None:
        """The motor is switched; the belt follows by its ramp."""
        if on == self.driven:
            return
        self.driven = on
        if self.wake_at_us is None:
            self.wake_at_us = now_us + RAMP_STEP_US

    def step(self, now_us: int) -> None:
        """Take the ramp's step that is due at ``now_us``."""
        goal = RAMP_STEPS if self.driven else 0
        self._step += (goal > self._step) - (goal < self._step)
        self._at_nm = self.position_nm(now_us)
        self._since_us = now_us
        self.speed = self._full_speed * self._step // RAMP_STEPS
        self._history.append((now_us, self._at_nm, self.speed))
        self.wake_at_us = None if self._step == goal else now_us + RAMP_STEP_US

    def time_of(self, position_nm: int) -> int | None:
        """First microsecond, not before the last change of speed, with the belt at or past a
        position; None while it stands short of it."""
        ahead = position_nm - self._at_nm
        if ahead <= 0:
            return self._since_us
        if self.speed == 0:
            return None
        return self._since_us - (-ahead // self.speed)

    def time_when(self, position_nm: int) -> int:
        """When the belt was first at a past position; the oldest known moment if that is forgotten."""
        for at_us, at_nm, speed in reversed(self._history):
            if at_nm <= position_nm:
                ahead = position_nm - at_nm
                return at_us if speed == 0 else at_us - (-ahead // speed)
        return self._history[0][0]


class Encoder:
    """Counts ticks of the belt, exactly unless it is broken. Never goes backwards."""

    def __init__(self, ticks_per_m: int) -> None:
        self._per_m = ticks_per_m
        self._shift = 0
        self._frozen: int | None = None
        self._runaway: tuple[int, int] | None = None
        self._lied_us: int | None = None

    def ticks(self, belt_nm: int, now_us: int) -> int:
        if self._frozen is not None:
            return self._frozen
        counted = belt_nm * self._per_m // NM_PER_M + self._shift
        if self._runaway is not None:
            since_us, per_s = self._runaway
            counted += (now_us - since_us) * per_s // 1_000_000
        return counted

    def freeze(self, belt_nm: int, now_us: int) -> None:
        """From now on it stands still, whatever the belt does."""
        self._lied_us = now_us
        self._frozen = self.ticks(belt_nm, now_us)

    def run_away(self, now_us: int, ticks_per_s: int) -> None:
        """From now on it also counts without the belt."""
        self._lied_us = now_us
        self._runaway = (now_us, ticks_per_s)

    def lied_within(self, us: int, now_us: int) -> bool:
        """Whether it began to lie in the last ``us`` microseconds."""
        return self._lied_us is not None and now_us - self._lied_us <= us

    def mend(self, belt_nm: int, now_us: int) -> None:
        """Counts the belt again, from where it stands."""
        shown = self.ticks(belt_nm, now_us)
        self._frozen = None
        self._runaway = None
        self._shift = shown - belt_nm * self._per_m // NM_PER_M
