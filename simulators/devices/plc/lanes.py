"""Full lanes: the exits' and the end's (contract clauses FULL-1, END-1)."""

from collections.abc import Callable
from functools import partial

from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.settings import PlcSettings


class Lanes:
    """``exits_full``: bit exit−1, debounced. ``on_end_full``: the end stayed blocked too long."""

    def __init__(
        self,
        *,
        now: Moment,
        by_us: Agenda,
        exits: int,
        settings: PlcSettings,
        on_end_full: Callable[[], None],
    ) -> None:
        self._now = now
        self._on_us = settings.full_on_ms * 1000
        self._off_us = settings.full_off_ms * 1000
        self._end_us = settings.end_full_ms * 1000
        self._timers = tuple(by_us.timer(partial(self._settle, index)) for index in range(exits))
        self._end = by_us.timer(on_end_full)
        self._blocked = 0
        self.end_blocked = False
        self.exits_full = 0

    def sense(self, lane_full: int, end_full: bool) -> None:
        changed = lane_full ^ self._blocked
        self._blocked = lane_full
        for index, timer in enumerate(self._timers):
            if not changed >> index & 1:
                continue
            blocked = lane_full >> index & 1
            if blocked == self.exits_full >> index & 1:
                timer.clear()
            else:
                timer.set(self._now.us + (self._on_us if blocked else self._off_us))
        if end_full != self.end_blocked:
            self.end_blocked = end_full
            if end_full:
                # Longer than the delay, not as long.
                self._end.set(self._now.us + self._end_us + 1)
            else:
                self._end.clear()

    def _settle(self, index: int) -> None:
        self.exits_full ^= 1 << index
