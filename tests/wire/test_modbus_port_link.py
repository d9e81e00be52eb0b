"""The whole link over real TCP: the same bench as in virtual time, at three times its pace."""

import asyncio
import socket

import pytest

from edge.model.commands import SendDivert
from edge.model.divert import CommandStatus, ConfirmReason
from edge.model.events import CommandAnswered, DivertConfirmed, EyePassed, PlcAttached, PlcDetached
from edge.model.ids import ExitNo, TrackId
from simulators.devices.plc.faults import Silence
from tests.clauses import clause
from tests.line.plc_link_bench import Joined

pytestmark = pytest.mark.wire

TIMEOUT_MS = 3_000
"""A machine that stands still for a moment is no silent PLC."""
HEARTBEAT_MS = 4_000
"""Nor, by the PC's time, a silent PC: LINK-6 holds here as on any line."""
STEP_US = 30_000


class Together(Joined):
    """The plant stands still while this process does: its belt does not run on, nor its watchdog, behind
    the back of a PC that cannot know."""

    def __init__(self, *, read_write: bool, port: int, pace: int) -> None:
        super().__init__(
            read_write=read_write,
            port=port,
            pace=pace,
            timeout_ms=TIMEOUT_MS,
            heartbeat_ms=pace * HEARTBEAT_MS,
        )
        self._stepped_us: int | None = None

    def step(self) -> None:
        now_us = self._clock.now_us()
        if self._stepped_us is not None:
            self._zero_us += max(0, now_us - self._stepped_us - STEP_US)
        self._stepped_us = now_us
        super().step()

    async def runs(self, looks: int) -> None:
        for _ in range(looks):
            await asyncio.sleep(0.01)
            self.step()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@clause("REG-4", "RING-3", "CMD-9", "CMD-11", "LINK-4")
@pytest.mark.parametrize("read_write", [True, False])
async def test_one_parcel_is_seen_told_and_confirmed_through_a_silence(read_write: bool) -> None:
    joined = Together(read_write=read_write, port=free_port(), pace=3)
    async with joined.running():
        await joined.until(PlcAttached)
        joined.faults.silence = Silence.DEAF
        lost = await joined.until(PlcDetached)
        joined.faults.silence = Silence.NONE
        await joined.until(PlcAttached, lambda event: event.at_us > lost.at_us)
        await joined.runs(20)
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.link.send(SendDivert(track=TrackId(1), epoch=seen.epoch, number=seen.number, exit=ExitNo(1)))
        assert (await joined.until(CommandAnswered)).status is CommandStatus.APPLIED
        confirmed = await joined.until(DivertConfirmed)
        assert (confirmed.exit, confirmed.reason) == (1, ConfirmReason.COMMANDED)
    assert len(joined.ends) >= 1
