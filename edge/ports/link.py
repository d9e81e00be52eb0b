"""A device link as its keeper sees it."""

from collections.abc import Callable
from typing import Protocol

from edge.model.ids import DeviceId


class Link(Protocol):
    @property
    def device(self) -> DeviceId: ...

    async def session(self, went_up: Callable[[], None]) -> None:
        """Open, call ``went_up`` once the device has proved that it speaks, and serve until it
        fails: always ends by raising ``LinkFailed`` (or being cancelled), with the cable closed."""
        ...
