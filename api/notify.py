"""What the service manager hears of the gateway (sd_notify(3)): it listens, its loop turns, it can write."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from systemd_watchdog.systemd_watchdog import WatchDog

FEEDS_A_LIMIT: Final = 4
"""Told so often within the manager's limit, one lost word or one slow turn is no hang."""


class Notify:
    """``begin`` when requests can come, ``close`` when none can come any more. The feeding is a timer of the
    very loop that answers requests: while that hangs, nobody is told, nor once ``lives`` is False for good
    (a thread of ours has died: a new process has a new one). No manager, no words."""

    def __init__(self, lives: Callable[[], bool]) -> None:
        self._lives = lives
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._manager = WatchDog(self._socket)
        self._every_s = self._manager.timeout_td.total_seconds() / FEEDS_A_LIMIT
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Raises nothing: a manager that does not listen is its own affair."""
        if self._manager.is_enabled:
            with suppress(OSError):
                self._manager.ready()
            self._feed()

    def _feed(self) -> None:
        if self._lives():
            with suppress(OSError):  # the next one is due well within the limit
                self._manager.notify()
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._feed)

    def close(self) -> None:
        """Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close()
