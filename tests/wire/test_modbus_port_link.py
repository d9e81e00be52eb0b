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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@clause("REG-4", "RING-3", "CMD-9", "CMD-11", "LINK-4")
@pytest.mark.parametrize("read_write", [True, False])
async def test_one_parcel_is_seen_told_and_confirmed_through_a_silence(read_write: bool) -> None:
    joined = Joined(read_write=read_write, port=free_port(), pace=3)
    async with joined.running():
        await joined.until(PlcAttached)
        joined.faults.silence = Silence.DEAF
        lost = await joined.until(PlcDetached)
        joined.faults.silence = Silence.NONE
        await joined.until(PlcAttached, lambda event: event.at_us > lost.at_us)
        await asyncio.sleep(0.2)
        joined.step()
        joined.bench.put()
        seen = await joined.until(EyePassed)
        joined.link.send(SendDivert(track=TrackId(1), epoch=seen.epoch, number=seen.number, exit=ExitNo(1)))
        assert (await joined.until(CommandAnswered)).status is CommandStatus.APPLIED
        confirmed = await joined.until(DivertConfirmed)
        assert (confirmed.exit, confirmed.reason) == (1, ConfirmReason.COMMANDED)
    assert len(joined.ends) >= 1
