"""TCP streams and the scanner link on real loopback sockets, both ways round."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.links.scanner import ScannerLink
from drivers.streams.tcp import accept_tcp, open_tcp
from drivers.streams.transport_stream import MAX_UNREAD, TransportStream
from edge.model.codes import Code
from edge.model.ids import DeviceId, ReaderId
from edge.model.units import MonoUs
from edge.ports.byte_stream import ByteStream, LinkFailed
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.wire
HOST = "127.0.0.1"
PATIENCE_MS = round(PATIENCE_S * 1_000)
FORMAT = LineFormat(
    prefix=b"",
    terminator=b"\r\n",
    separator=";",
    aim=True,
    no_read=("NoRead",),
    heartbeat="",
    max_bytes=256,
)


class Device:
    """A listening device: its last caller, and what it sends."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.put_nowait(writer)
        await reader.read()


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    it = Device()
    server = await asyncio.start_server(it.answer, HOST, 0)
    it.port = server.sockets[0].getsockname()[1]
    yield it
    server.close()


async def connected(device: Device) -> tuple[TransportStream, asyncio.StreamWriter]:
    """Both ends of a cable."""
    stream = await open_tcp(HOST, device.port, connect_ms=PATIENCE_MS)
    return stream, await device.calls.get()


class Heard:
    def __init__(self) -> None:
        self.answers: asyncio.Queue[list[str]] = asyncio.Queue()

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.answers.put_nowait([code.text for code in codes])


async def test_bytes_both_ways_and_the_end(device: Device) -> None:
    stream, caller = await connected(device)
    caller.write(b"]C0JT1\r\n")
    assert (await stream.read())[0] == b"]C0JT1\r\n"
    caller.write(b"last")
    caller.close()
    assert (await stream.read())[0] == b"last", "what came before the end is still read"
    with pytest.raises(LinkFailed, match=f"^tcp 127.0.0.1:{device.port}: closed by the other end"):
        await stream.read()
    await stream.close()


async def test_a_reset_connection_is_a_failure(device: Device) -> None:
    stream, caller = await connected(device)
    wire = caller.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    caller.transport.abort()
    with pytest.raises(LinkFailed, match=r"reset|closed by the other end"):
        await stream.read()
    await stream.close()


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        with pytest.raises(LinkFailed, match=rf"^tcp 127\.0\.0\.1:{port}: .*(refused|failed)"):
            await open_tcp(HOST, port, connect_ms=PATIENCE_MS)


async def test_a_port_that_is_taken_is_said_so(device: Device) -> None:
    with pytest.raises(LinkFailed, match="in use"):
        await accept_tcp(HOST, device.port)


async def test_a_link_that_is_far_behind_is_dropped(device: Device) -> None:
    stream, caller = await connected(device)
    caller.write(b"x" * (2 * MAX_UNREAD))
    async with asyncio.timeout(PATIENCE_S):
        with suppress(OSError):
            await caller.wait_closed()
    with pytest.raises(LinkFailed, match="unread"):
        await stream.read()
    await stream.close()


async def test_a_device_that_takes_nothing_is_dropped(device: Device) -> None:
    stream, caller = await connected(device)
    caller.transport.pause_reading()  # type: ignore[attr-defined]
    with pytest.raises(LinkFailed, match="does not take"):
        for _ in range(1_000):
            await stream.write(b"x" * 65_536)
    await stream.close()
    caller.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def called(port: int) -> asyncio.StreamWriter:
    """The device's end, once somebody listens."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(ConnectionRefusedError):
                return (await asyncio.open_connection(HOST, port))[1]
            await asyncio.sleep(0)


async def test_a_device_that_calls_us_and_calls_again() -> None:
    port = free_port()
    for text in (b"first", b"again"):
        waiting = asyncio.ensure_future(accept_tcp(HOST, port, called_ms=PATIENCE_MS))
        caller = await called(port)
        stream = await waiting
        with pytest.raises(OSError):
            await asyncio.open_connection(HOST, port)
        caller.write(text)
        assert (await stream.read())[0] == text
        await stream.close()
        caller.close()


async def test_nobody_calls() -> None:
    with pytest.raises(LinkFailed, match="nobody called within 20 ms"):
        await accept_tcp(HOST, free_port(), called_ms=20)


async def test_the_link_hears_answers_and_the_end(device: Device) -> None:
    heard, up = Heard(), asyncio.Event()
    callers: list[asyncio.StreamWriter] = []

    async def open_stream() -> ByteStream:
        """With something old in it."""
        stream, caller = await connected(device)
        caller.write(b"]C0OLD\r\n")
        await until(lambda: stream._unread)
        callers.append(caller)
        return stream

    link = ScannerLink(
        device=DeviceId("scanner-1"),
        reader=ReaderId("r1"),
        silence_ms=0,
        stale_ms=0,
        open_stream=open_stream,
        make_codec=lambda: ScannerLines(FORMAT),
        sink=heard,
    )
    session = asyncio.ensure_future(link.session(up.set))
    async with asyncio.timeout(PATIENCE_S):
        await up.wait()
        (caller,) = callers
        caller.write(b"]C0JT1;]E06901234567892\r\nNo")
        assert await heard.answers.get() == ["JT1", "6901234567892"]
        caller.write(b"Read\r\n")
        assert await heard.answers.get() == []
        caller.close()
        with pytest.raises(LinkFailed):
            await session
