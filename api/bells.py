"""Doorbells between gateway and line: a Unix datagram that says "look" and carries no data.

Losing a ring costs a poll's interval, never a row.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.store.places import unix_name

_RING: Final = b"\x01"
_RINGS_AT_ONCE: Final = 64


class LineBell:
    """Rings at the line's door. Safe from any thread; nobody at home is no error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def ring(self) -> None:
        with contextlib.suppress(OSError), unix_name(self._path) as name:
            self._socket.sendto(_RING, name)

    def close(self) -> None:
        self._socket.close()


class OwnBell:
    """The gateway's own door: ``rung`` is called in the loop after one or more rings."""

    def __init__(self, path: Path, rung: Callable[[], None]) -> None:
        self._path = path
        self._rung = rung
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Takes the place of a stale socket. Raises ``OSError`` when the folder cannot be written."""
        self._path.unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.setblocking(False)
        try:
            with unix_name(self._path) as name:
                bell.bind(name)
            self._path.chmod(0o660)
        except OSError:
            bell.close()
            raise
        asyncio.get_running_loop().add_reader(bell.fileno(), self._answer, bell)
        self._socket = bell

    def _answer(self, bell: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_RINGS_AT_ONCE):
                bell.recv(1)
        self._rung()

    def close(self) -> None:
        """Idempotent."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)
