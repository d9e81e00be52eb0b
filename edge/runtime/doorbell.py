"""A Unix datagram socket that says "look" and carries no data; a poll covers a lost ring."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from edge.store.places import unix_name

RING = b"\x01"
READ_AT_ONCE = 64


class Doorbell:
    """Listens at ``own`` and rings ``other``. A missing or full other end is no error."""

    def __init__(self, own: Path, other: Path) -> None:
        self._own = own
        self._other = other
        self._socket: socket.socket | None = None

    def open(self, rung: Callable[[], None]) -> None:
        """Raises ``OSError`` when the socket cannot be made in the data folder."""
        self._own.unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.setblocking(False)
        try:
            with unix_name(self._own) as name:
                bell.bind(name)
            self._own.chmod(0o660)
        except OSError:
            bell.close()
            raise
        asyncio.get_running_loop().add_reader(bell.fileno(), self._drain, bell, rung)
        self._socket = bell

    def _drain(self, bell: socket.socket, rung: Callable[[], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(READ_AT_ONCE):
                bell.recv(16)
        rung()

    def ring(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError), unix_name(self._other) as name:
                self._socket.sendto(RING, name)

    def close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._own.unlink(missing_ok=True)
