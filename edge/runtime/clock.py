"""The clock of the line process: the event loop's own, so that virtual time needs no other code."""

import asyncio
import time
from collections.abc import Callable

from edge.model.units import US_PER_S, MonoUs, UtcUs


def wall_utc_us() -> int:
    """The machine's wall clock in microseconds since 1970."""
    return time.time_ns() // 1_000


class LoopClock:
    """``now_us`` is ``loop.time()`` (CLOCK_MONOTONIC on Linux); wall time is asked elsewhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, utc_us: Callable[[], int] = wall_utc_us) -> None:
        self._time = loop.time
        self._utc_us = utc_us

    def now_us(self) -> MonoUs:
        return MonoUs(round(self._time() * US_PER_S))

    def utc_us(self) -> UtcUs:
        return UtcUs(self._utc_us())
