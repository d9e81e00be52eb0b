"""A serial port for a simulated device: a PTY pair under a name of its own.

The device writes as a UART does: whether anybody listens or not, at the pace it is given.
"""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path


class PtyPort:
    """Open from the beginning; ``path`` is a symlink to the end that the line opens."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when ``path`` cannot be made; a symlink that lies there is replaced."""
        self._path = path
        self._heard = False
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

    def on_heard(self, hear: Callable[[bytes], object]) -> None:
        """``hear`` gets what the line says, on the running loop, until ``unplug``."""
        asyncio.get_running_loop().add_reader(self._device, lambda: hear(self.read()))
        self._heard = True

    def unplug(self) -> None:
        """The adapter is pulled out: the line's end breaks, the name is gone. Idempotent."""
        self._path.unlink(missing_ok=True)
        if self._heard:
            self._heard = False
            asyncio.get_running_loop().remove_reader(self._device)
        for end in (self._device, self._line):
            if end >= 0:
                os.close(end)
        self._device = self._line = -1
