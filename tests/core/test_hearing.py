"""Whether a device is silent, told from whether this process stood still."""

import asyncio
import time

import pytest

from drivers.links.sessions import heard_within
from edge.model.units import MonoUs

LIMIT_S = 1.0


async def test_what_came_while_this_process_stood_still_was_heard() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    came: asyncio.Future[None] = loop.create_future()
    async with heard_within(round(LIMIT_S * 1_000_000)) as hearing:
        loop.call_later(LIMIT_S / 2, came.set_result, None)
        time.sleep(1.1 * LIMIT_S)  # the whole loop, as for want of a core
        await came
        assert loop.time() - began_s > LIMIT_S, "it came in time, and is looked at after it"
        hearing.heard(MonoUs(round(loop.time() * 1_000_000)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_silence_is_told_however_long_this_process_stood_still() -> None:
    with pytest.raises(TimeoutError):
        async with heard_within(round(LIMIT_S * 1_000_000)):
            time.sleep(1.1 * LIMIT_S)  # the whole loop, as for want of a core
            await asyncio.Event().wait()
