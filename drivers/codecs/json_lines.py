"""Lines of a stream, each read by itself: what a camera process and the line say to each other."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WholeLines(Generic[T]):
    """``parsed`` reads one line, None: it is none of ours. Never raises; keeps little more than
    ``max_bytes``. A line that is longer, or none of ours, is dropped whole."""

    def __init__(self, parsed: Callable[[bytes], T | None], max_bytes: int) -> None:
        self._parsed = parsed
        self._max_bytes = max_bytes
        self._buffer = b""
        self._overlong = False
        self.rejected = 0
        """Lines dropped, for metrics and the log."""

    def feed(self, data: bytes) -> tuple[T, ...]:
        """What ``data`` completes."""
        *whole, self._buffer = (self._buffer + data).split(b"\n")
        found = [self._read(line) for line in whole]
        if len(self._buffer) > self._max_bytes:
            self._overlong, self._buffer = True, b""
        return tuple(one for one in found if one is not None)

    def _read(self, line: bytes) -> T | None:
        overlong, self._overlong = self._overlong or len(line) > self._max_bytes, False
        one = None if overlong else self._parsed(line)
        if one is None:
            self.rejected += 1
        return one
