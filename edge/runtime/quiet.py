"""Calls back when nothing has happened for a while."""

import asyncio
from collections.abc import Callable

from edge.model.units import US_PER_S


class Quiet:
    """``late`` is called ``after_us`` after the last ``put_off``, and not again before the next.

    One timer stands for many puttings-off: it looks when it fires, and is set anew for the rest. It
    reckons in whole microseconds, as virtual time does: a remainder below would never pass there.
    """

    def __init__(self, after_us: int, late: Callable[[], None]) -> None:
        self._after_us = after_us
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._put_off_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def put_off(self) -> None:
        self._put_off_s = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_us() / US_PER_S, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due_us(self) -> int:
        return round(self._put_off_s * US_PER_S) + self._after_us

    def _look(self) -> None:
        due_us = self._due_us()
        if round(self._loop.time() * US_PER_S) < due_us:
            self._timer = self._loop.call_at(due_us / US_PER_S, self._look)
        else:
            self._timer = None
            self._late()
