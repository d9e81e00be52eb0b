"""Keeps one link up: open, serve, wait, open again. Reconnecting is an object of its own."""

import asyncio

import structlog

from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import DeviceId
from edge.model.units import US_PER_MS, US_PER_S
from edge.ports.byte_stream import LinkFailed
from edge.ports.clock import Clock
from edge.ports.link import Link
from edge.ports.sinks import EventSink

FIRST_DELAY_MS = 100
LAST_DELAY_MS = 1_000
"""A device that is back must serve within a second."""

log = structlog.get_logger("link")


class LinkKeeper:
    """Posts ``DeviceWentUp`` and ``DeviceWentDown`` at each change; logs once down, once up."""

    def __init__(self, link: Link, events: EventSink, clock: Clock) -> None:
        self._link = link
        self._events = events
        self._clock = clock
        self._up: bool | None = None
        self._delay_ms = FIRST_DELAY_MS

    @property
    def device(self) -> DeviceId:
        return self._link.device

    @property
    def up(self) -> bool:
        return self._up is True

    def _went_up(self) -> None:
        self._delay_ms = FIRST_DELAY_MS
        if self._up is True:
            return
        self._up = True
        log.info("link up", device=self._link.device)
        self._events.post(DeviceWentUp(at_us=self._clock.now_us(), device=self._link.device))

    def _went_down(self, why: str) -> None:
        if self._up is False:
            return
        self._up = False
        log.warning("link down", device=self._link.device, why=why)
        self._events.post(DeviceWentDown(at_us=self._clock.now_us(), device=self._link.device, why=why))

    async def run(self) -> None:
        """For ever; only a cancel or an error of ours ends it."""
        while True:
            try:
                await self._link.session(self._went_up)
            except LinkFailed as failed:
                self._went_down(str(failed))
            await asyncio.sleep(self._delay_ms * US_PER_MS / US_PER_S)
            self._delay_ms = min(self._delay_ms * 2, LAST_DELAY_MS)
