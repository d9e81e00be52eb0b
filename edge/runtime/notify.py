"""What the service manager is told: that the process is ready, and that its control loop still turns.

The protocol is sd_notify(3). ``systemd-watchdog`` knows where to send; *when* is ours: its own ``ping`` reads
the wall clock, which may step back, and its own socket would let a manager that does not listen hold up
the loop.
"""

import socket
from contextlib import suppress

from systemd_watchdog.systemd_watchdog import WatchDog

from edge.model.units import MonoUs
from edge.ports.clock import Clock

FEEDS_A_LIMIT = 4
"""Told so often within the manager's limit, one lost word or one slow turn is no hang."""


class Notify:
    """One process's line to whoever started it; nobody is told where no manager listens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._manager = WatchDog(self._socket)
        self._every_us = self._manager.timeout // FEEDS_A_LIMIT
        self._due_us = MonoUs(0)

    def ready(self) -> None:
        """The process does its work from now on."""
        with suppress(OSError):  # nobody listens: the manager sees a start that takes too long
            self._manager.ready()

    def progress(self) -> None:
        """Called by the loop that must not hang, at each of its turns, and by nobody else."""
        if not self._manager.is_enabled:
            return
        now = self._clock.now_us()
        if now >= self._due_us:
            self._due_us = MonoUs(now + self._every_us)
            with suppress(OSError):  # the next one is due well within the limit
                self._manager.notify()

    def close(self) -> None:
        self._socket.close()
