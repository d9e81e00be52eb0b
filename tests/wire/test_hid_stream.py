"""Input devices: a real one where the kernel makes one for us (/dev/uinput), and what its stream promises."""

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.codecs.hid_keyboard import HidKeyboard
from drivers.codecs.reader_events import ReaderAnswered
from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.streams.hid import HidStream, open_hid
from drivers.streams.transport_stream import MAX_UNREAD
from edge.model.units import MonoUs
from edge.ports.byte_stream import LinkFailed
from simulators.devices.keyboard import typed_events

pytestmark = pytest.mark.wire
UINPUT = Path("/dev/uinput")
LONG_S = 60.0
FORMAT = LineFormat(
    prefix=b"", terminator=b"\r", separator="", aim=False, no_read=(), heartbeat="", max_bytes=64
)


class Device:
    """A device file whose far end the test holds."""

    def __init__(self) -> None:
        self.near, self.far = os.pipe2(os.O_NONBLOCK)
        self.closed = 0

    def waiting(self) -> int:
        """Bytes in it; none once it was given back."""
        return 0 if self.closed else struct.unpack("i", fcntl.ioctl(self.near, termios.FIONREAD, bytes(4)))[0]

    def close(self) -> None:
        self.closed += 1
        os.close(self.near)

    def unplug(self) -> None:
        if self.far >= 0:
            os.close(self.far)
        self.far = -1


@pytest.fixture
def device() -> Iterator[Device]:
    found = Device()
    yield found
    found.unplug()


async def test_events_come_with_the_loop_s_own_time(device: Device) -> None:
    stream = HidStream("hid test", device.near, device.close)
    before = asyncio.get_running_loop().time()
    os.write(device.far, typed_events("A\r"))
    data, at_us = await stream.read()
    assert data == typed_events("A\r")
    assert before <= at_us / 1_000_000 <= asyncio.get_running_loop().time() + 0.000_001
    with pytest.raises(LinkFailed, match="takes nothing"):
        await stream.write(b"x")
    await stream.close()
    await stream.close()
    assert device.closed == 1
    with pytest.raises(LinkFailed, match="closed by us"):
        await stream.read()


async def test_what_lay_in_the_device_is_thrown_away(device: Device) -> None:
    os.write(device.far, typed_events("OLD\r"))
    stream = HidStream("hid test", device.near, device.close)
    stream.discard()
    os.write(device.far, typed_events("N\r"))
    assert (await stream.read())[0] == typed_events("N\r")
    await stream.close()


async def test_an_unplugged_device_fails_at_once_and_is_given_back(device: Device) -> None:
    stream = HidStream("hid test", device.near, device.close)
    os.write(device.far, typed_events("A"))
    await asyncio.sleep(0.01)
    device.unplug()
    assert (await stream.read())[0] == typed_events("A"), "what came before the end is still read"
    with pytest.raises(LinkFailed, match="closed by the other end"):
        await stream.read()
    assert device.closed == 1


async def test_a_reader_that_is_far_behind_is_dropped(device: Device) -> None:
    stream = HidStream("hid test", device.near, device.close)
    for _ in range(1 + MAX_UNREAD // 24_000):
        os.write(device.far, bytes(24_000))
        while device.waiting():
            await asyncio.sleep(0)
    with pytest.raises(LinkFailed, match="unread"):
        await stream.read()


@pytest.mark.parametrize("name", ["nothing", "file"])
async def test_what_is_no_input_device_is_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LinkFailed, match=rf"^hid {tmp_path}/{name}: "):
        await open_hid(str(tmp_path / name))


@pytest.mark.skipif(not UINPUT.exists(), reason="no /dev/uinput: the kernel makes no input device here")
async def test_a_real_keyboard_of_the_kernel_is_grabbed_read_and_unplugged() -> None:
    from evdev import InputDevice, UInput

    keyboard = UInput({1: list(range(1, 128))}, name="beltkeeper-test")
    path = str(keyboard.device.path)
    stream = await open_hid(path)
    with pytest.raises(OSError, match="busy"):
        InputDevice(path).grab()
    codec = HidKeyboard(ScannerLines(FORMAT))
    for key in (36, 20, 2, 28):
        keyboard.write(1, key, 1)
        keyboard.syn()
        keyboard.write(1, key, 0)
        keyboard.syn()
    texts: list[str] = []
    async with asyncio.timeout(LONG_S):
        while not texts:
            data, at_us = await stream.read()
            for event in codec.feed(data, MonoUs(at_us)):
                assert isinstance(event, ReaderAnswered)
                texts += [code.text for code in event.codes]
    assert texts == ["jt1"]
    keyboard.close()
    async with asyncio.timeout(LONG_S):
        with pytest.raises(LinkFailed, match=r"unplugged|lost"):
            while True:
                await stream.read()
    await stream.close()
