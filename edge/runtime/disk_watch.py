"""The record's disk fills: people are warned, then the no-read archive goes, then induction stops, then the
ballast is given up; all of it long before a commit fails."""

import asyncio
from typing import Protocol

import structlog

from edge.model.events import (
    HoldCause,
    HoldCleared,
    HoldRaised,
    WarningCause,
    WarningCleared,
    WarningRaised,
)
from edge.ports.clock import Clock
from edge.ports.sinks import EventSink

LOOK_S = 1.0
SHORT_TIMES = 4
"""Warned is at so many times the room below which induction stops: at the default of 512 MB that leaves
20 hours of 12,000 parcels/h at 6 kB each."""
PICTURES_TIMES = 2
"""Pictures go below so many times that room: a camera's process keeps none below ``SHORT_TIMES`` of it, so
some are left only where that is away."""
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

    def give_up_pictures(self) -> int: ...

    def give_up(self) -> None: ...


class DiskWatch:
    """Posts ``WarningRaised`` and ``WarningCleared`` (DISK_SHORT), ``HoldRaised`` and ``HoldCleared``
    (DISK_LOW), each once a change; gives up the ballast in time."""

    def __init__(self, disk: Disk, events: EventSink, clock: Clock) -> None:
        self._disk = disk
        self._events = events
        self._clock = clock
        self._low = False
        self._short = False

    def look(self) -> None:
        """Once, now. Raises ``OSError`` when the file system is gone: the line cannot go on then."""
        disk, free = self._disk, self._disk.free_bytes()
        self._warn(free)
        if free < disk.wanted_bytes * PICTURES_TIMES:
            self._drop_pictures()
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

    def _drop_pictures(self) -> None:
        dropped = self._disk.give_up_pictures()
        if dropped:
            log.warning("pictures of the no-read archive are given up", pictures=dropped)

    def _warn(self, free: int) -> None:
        enough = self._disk.wanted_bytes * SHORT_TIMES
        if not self._short and free < enough:
            self._short = True
            log.warning("disk runs short", free_bytes=free, enough_bytes=enough)
            self._events.post(WarningRaised(at_us=self._clock.now_us(), cause=WarningCause.DISK_SHORT))
        elif self._short and free * 1_000 >= enough * ENOUGH_PERMILLE:
            self._short = False
            log.info("disk has room for long", free_bytes=free)
            self._events.post(WarningCleared(at_us=self._clock.now_us(), cause=WarningCause.DISK_SHORT))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()
