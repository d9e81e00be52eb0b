"""Stops induction while the record's disk has too little room, long before a commit fails."""

import asyncio
from typing import Protocol

import structlog

from edge.model.events import HoldCause, HoldCleared, HoldRaised
from edge.ports.clock import Clock
from edge.ports.sinks import EventSink

LOOK_S = 1.0
ENOUGH_PERMILLE = 1_125
"""Of the wanted room must be free again before induction goes on: no hold that comes and goes."""

log = structlog.get_logger("disk")


class Disk(Protocol):
    """What ``edge.store.disk.RecordDisk`` is to its watch."""

    wanted_bytes: int

    def free_bytes(self) -> int: ...

    @property
    def nearly_full(self) -> bool: ...

    @property
    def has_ballast(self) -> bool: ...

    def give_up(self) -> None: ...


class DiskWatch:
    """Posts ``HoldRaised`` and ``HoldCleared`` (DISK_LOW) once a change; gives up the ballast in time."""

    def __init__(self, disk: Disk, events: EventSink, clock: Clock) -> None:
        self._disk = disk
        self._events = events
        self._clock = clock
        self._low = False

    def look(self) -> None:
        """Once, now. Raises ``OSError`` when the file system is gone: the line cannot go on then."""
        disk, free = self._disk, self._disk.free_bytes()
        if not self._low and free < disk.wanted_bytes:
            self._low = True
            log.warning("disk is low: induction off", free_bytes=free, wanted_bytes=disk.wanted_bytes)
            self._events.post(HoldRaised(at_us=self._clock.now_us(), cause=HoldCause.DISK_LOW))
        elif self._low and free * 1_000 >= disk.wanted_bytes * ENOUGH_PERMILLE:
            self._low = False
            log.info("disk has room again", free_bytes=free)
            self._events.post(HoldCleared(at_us=self._clock.now_us(), cause=HoldCause.DISK_LOW))
        if self._low and disk.nearly_full and disk.has_ballast:
            log.warning("disk is nearly full: the ballast is given up", free_bytes=free)
            disk.give_up()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()
