"""Serial streams on real PTYs: exclusive, nothing old, an unplugged port fails at once."""

import asyncio
import fcntl
import os
import struct
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.codecs.mettler_toledo import ContinuousCodec
from drivers.links.scale_serial import ScaleLink
from drivers.streams.serial import open_serial
from drivers.streams.transport_stream import TransportStream
from edge.model.ids import DeviceId, ScaleId
from edge.model.weight import SampleState, WeightSample
from edge.ports.byte_stream import ByteStream, LinkFailed
from tests.patience import at_once, until

pytestmark = pytest.mark.wire
FRAME = bytes.fromhex("02 2D3020 202031323533 202020202030 0D 19")


class Pty:
    """A cable whose far end the test holds."""

    def __init__(self) -> None:
        self.far, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)

    def say(self, data: bytes) -> None:
        os.write(self.far, data)

    @property
    def lies(self) -> int:
        """Bytes that lie in the port unread: the kernel brings them over in its own time."""
        answer = fcntl.ioctl(self._near, termios.FIONREAD, bytes(4))
        return int(struct.unpack("i", answer)[0])

    def unplug(self) -> None:
        for end in (self.far, self._near):
            if end >= 0:
                os.close(end)
        self.far = self._near = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    cable = Pty()
    yield cable
    cable.unplug()


async def opened(pty: Pty) -> TransportStream:
    return await open_serial(pty.path, baud=9600, bytesize=7, parity="even")


async def test_bytes_both_ways_with_the_loop_s_own_time(pty: Pty) -> None:
    stream = await opened(pty)
    before = asyncio.get_running_loop().time()
    pty.say(FRAME)
    data, at_us = await stream.read()
    after = asyncio.get_running_loop().time()
    assert data == FRAME
    assert before <= at_us / 1_000_000 <= after + 0.000_001
    await stream.write(b"Z")
    assert os.read(pty.far, 10) == b"Z"
    await stream.close()
    await stream.close()
    with pytest.raises(LinkFailed, match="closed by us"):
        await stream.read()
    with pytest.raises(LinkFailed, match="closed by us"):
        await stream.write(b"Z")


async def test_what_lay_in_the_port_before_the_opening_is_gone(pty: Pty) -> None:
    pty.say(FRAME * 5)
    await until(lambda: pty.lies == 5 * len(FRAME))
    stream = await opened(pty)
    pty.say(b"new")
    data, _ = await stream.read()
    assert data == b"new"
    await stream.close()


async def test_the_port_is_ours_alone(pty: Pty) -> None:
    stream = await opened(pty)
    with pytest.raises(LinkFailed, match=r"locked|busy"):
        await opened(pty)
    await stream.close()
    again = await opened(pty)
    await again.close()


async def test_an_unplugged_port_fails_at_once_and_can_be_opened_again(pty: Pty) -> None:
    stream = await opened(pty)
    pty.say(FRAME)
    await until(lambda: stream._unread)
    pty.unplug()
    assert (await at_once(stream.read()))[0] == FRAME
    with pytest.raises(LinkFailed, match=r"^serial /dev/pts/\d+: "):
        await at_once(stream.read())
    with pytest.raises(LinkFailed):
        await at_once(stream.write(b"Z"))
    await stream.close()


@pytest.mark.parametrize("make", ["missing", "file", "directory"])
async def test_what_is_no_port_is_said_in_one_sentence(make: str, tmp_path: Path) -> None:
    path = tmp_path / "tty"
    if make == "file":
        path.write_bytes(b"x")
    elif make == "directory":
        path.mkdir()
    with pytest.raises(LinkFailed, match=r"^serial "):
        await open_serial(str(path), baud=9600)


async def test_a_cancelled_read_loses_nothing(pty: Pty) -> None:
    stream = await opened(pty)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await stream.read()
    pty.say(b"kept")
    await until(lambda: stream._unread)
    assert (await stream.read())[0] == b"kept"
    await stream.close()


class Weighed:
    def __init__(self) -> None:
        self.samples: list[WeightSample] = []

    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None:
        self.samples.append(sample)


async def test_a_scale_on_a_pty_until_it_is_unplugged(pty: Pty) -> None:
    sink, up = Weighed(), asyncio.Event()

    async def open_stream() -> ByteStream:
        return await opened(pty)

    link = ScaleLink(
        device=DeviceId("scale-1"),
        scale=ScaleId("s1"),
        stale_ms=60_000,
        open_stream=open_stream,
        make_codec=lambda: ContinuousCodec(unit="kg", checksum=True, agreeing=1),
        sink=sink,
    )
    session = asyncio.ensure_future(link.session(up.set))

    def weighed() -> bool:
        pty.say(FRAME)
        return len(sink.samples) >= 5

    await until(weighed)
    assert up.is_set()
    assert {(one.grams, one.state) for one in sink.samples} == {(1253, SampleState.OK)}
    pty.unplug()
    with pytest.raises(LinkFailed):
        await at_once(session)
