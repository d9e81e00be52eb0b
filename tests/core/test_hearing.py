"""Whether a device is silent, told from whether this process stood still."""

import asyncio
import time
from contextlib import suppress

import pytest

from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.links.scanner import ScannerLink
from drivers.links.sessions import heard_within
from edge.model.codes import Code
from edge.model.ids import DeviceId, ReaderId
from edge.model.units import MonoUs
from tests.patience import turns, until

LIMIT_S = 1.0
SILENCE_MS = 200
TEXT = LineFormat(
    prefix=b"", terminator=b"", separator=";", aim=False, no_read=("NoRead",), heartbeat="HB", max_bytes=128
)


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


class Pieces:
    """A ``ByteStream`` whose bytes come when the test gives them."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> tuple[bytes, MonoUs]:
        data = await self.given.get()
        return data, MonoUs(round(asyncio.get_running_loop().time() * 1_000_000))

    async def write(self, data: bytes) -> None:
        raise AssertionError(f"nobody writes to a reader: {data!r}")

    async def close(self) -> None:
        """There is nothing to close."""


class Answers:
    """A ``CodeSink``: the texts of each answer."""

    def __init__(self) -> None:
        self.texts: list[list[str]] = []

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.texts.append([code.text for code in codes])


async def test_a_message_in_two_pieces_is_one_though_this_process_stood_still_between_them() -> None:
    """Of a reader without a terminator: its two halves would be two codes."""
    pieces, heard, up = Pieces(), Answers(), asyncio.Event()
    link = ScannerLink(
        device=DeviceId("scanner-1"),
        reader=ReaderId("r1"),
        silence_ms=SILENCE_MS,
        stale_ms=0,
        open_stream=lambda: opened(pieces),
        make_codec=lambda: ScannerLines(TEXT),
        sink=heard,
    )
    session = asyncio.create_task(link.session(up.set))
    await up.wait()
    pieces.given.put_nowait(b"OLD")
    await asyncio.sleep(2 * SILENCE_MS / 1_000)
    pieces.given.put_nowait(b"JT12")
    await turns()
    asyncio.get_running_loop().call_later(SILENCE_MS / 2_000, pieces.given.put_nowait, b"34567")
    time.sleep(2 * SILENCE_MS / 1_000)  # the whole loop, as for want of a core
    await until(lambda: heard.texts)
    assert heard.texts == [["JT1234567"]]
    session.cancel()
    with suppress(asyncio.CancelledError):
        await session


async def opened(stream: Pieces) -> Pieces:
    return stream
