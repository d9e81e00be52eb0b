"""A serial port for a simulated device: a PTY pair under a name of its own.

The device writes as a UART does: whether anybody listens or not, at the pace it is given.
"""

import os
import tty
from pathlib import Path


class PtyPort:
    """Open from the beginning; ``path`` is a symlink to the end that the line opens."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when ``path`` cannot be made; a symlink that lies there is replaced."""
        self._path = path
        self._device, self._line = os.openpty()
        tty.setraw(self._line)
        os.set_blocking(self._device, False)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._line))
        fresh.replace(path)

    def write(self, data: bytes) -> None:
        """Bytes that nobody has read for long enough to fill the port are lost, as on a wire."""
        try:
            os.write(self._device, data)
        except BlockingIOError:
            return

    def read(self) -> bytes:
        """What the line has sent to the device so far."""
        try:
            return os.read(self._device, 4096)
        except BlockingIOError:
            return b""

    def unplug(self) -> None:
        """The adapter is pulled out: the line's end breaks, the name is gone. Idempotent."""
        self._path.unlink(missing_ok=True)
        for end in (self._device, self._line):
            if end >= 0:
                os.close(end)
        self._device = self._line = -1
