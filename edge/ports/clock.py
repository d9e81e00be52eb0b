"""Clocks. Only the runtime and the streams read one."""

from typing import Protocol

from edge.model.units import MonoUs, UtcUs


class Clock(Protocol):
    def now_us(self) -> MonoUs:
        """Monotonic microseconds, the same clock as the event loop's ``time()``."""
        ...

    def utc_us(self) -> UtcUs:
        """Wall time; may step at any moment."""
        ...
