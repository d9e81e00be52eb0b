"""A cable: bytes in, bytes out, and the moment at which they came."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from edge.model.units import MonoUs


class LinkFailed(Exception):
    """Theirs: the other end is away, closed or broke its contract. The keeper opens it again."""


class ByteStream(Protocol):
    """One open connection. Owned by one link; not used again after ``close``."""

    async def read(self) -> tuple[bytes, MonoUs]:
        """At least one byte, and the arrival of the last of them. Raises ``LinkFailed``."""
        ...

    async def write(self, data: bytes) -> None:
        """Hands the bytes to the cable. Raises ``LinkFailed``."""
        ...

    async def close(self) -> None:
        """Idempotent, never raises."""
        ...


OpenStream = Callable[[], Awaitable[ByteStream]]
"""Opens the cable once, or raises ``LinkFailed`` with the reason."""
