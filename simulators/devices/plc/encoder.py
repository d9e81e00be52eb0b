"""The watch over the encoder (contract clause ENC-1)."""

from collections import deque
from collections.abc import Callable

from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.geometry import Geometry
from simulators.devices.plc.moment import Moment

STILL_MM = 20
"""Ticks of a standing belt that are vibration, not movement."""


class EncoderWatch:
    """Looks twice in each ``encoder_ms`` at the ticks of the last ``encoder_ms``."""

    def __init__(
        self,
        *,
        now: Moment,
        by_us: Agenda,
        geometry: Geometry,
        window_us: int,
        ramp_us: int,
        on_fault: Callable[[], None],
    ) -> None:
        self._now = now
        self._geometry = geometry
        self._window_us = window_us
        self._ramp_us = ramp_us
        self._on_fault = on_fault
        self._still = STILL_MM * geometry.ticks_per_m // 1000
        self._timer = by_us.timer(self._look)
        self._seen: deque[tuple[int, int]] = deque(maxlen=2)
        self._running = False
        self._timer.set(now.us + ramp_us)

    def switched(self, running: bool) -> None:
        """The belt was switched: look again when the ramp is over."""
        self._running = running
        self._seen.clear()
        self._timer.set(self._now.us + self._ramp_us)

    def _look(self) -> None:
        now = self._now
        self._timer.set(now.us + self._window_us // 2)
        if len(self._seen) == 2:
            then_us, then_ticks = self._seen[0]
            moved = now.ticks - then_ticks
            if self._running:
                nominal = self._geometry.nominal_ticks(now.us - then_us)
                plausible = nominal <= 2 * moved <= 3 * nominal
            else:
                plausible = abs(moved) <= self._still
            if not plausible:
                self._seen.clear()
                self._on_fault()
        self._seen.append((now.us, now.ticks))
