"""Input devices of Linux (evdev): a scanner that types, taken away from everybody else on this machine."""

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable

from drivers.streams.transport_stream import MAX_UNREAD
from edge.model.units import US_PER_S, MonoUs
from edge.ports.byte_stream import LinkFailed

MAX_READ = 64 * 24
"""Bytes at once: 64 events, one key of a scanner is four of them."""
NOT_INSTALLED = "evdev is not installed (pip install 'beltkeeper[hid]')"


async def open_hid(path: str) -> "HidStream":
    """Open and grab ``path``, best by ``/dev/input/by-id/…-event-kbd``: what is typed reaches no console.

    Events that lay in the device's queue are thrown away. Raises ``LinkFailed``.
    """
    name = f"hid {path}"
    try:
        from evdev import InputDevice, ecodes
    except ImportError as error:
        raise LinkFailed(f"{name}: {NOT_INSTALLED}") from error
    try:
        device = InputDevice(path)
        try:
            if ecodes.EV_KEY not in device.capabilities():
                raise LinkFailed(f"{name}: no keyboard, but {device.name}")
            device.grab()
        except BaseException:
            device.close()
            raise
    except OSError as error:
        raise LinkFailed(f"{name}: {error.strerror or error}") from error
    stream = HidStream(name, device.fd, device.close)
    stream.discard()
    return stream


class HidStream:
    """A ``ByteStream`` of raw input events, each read stamped when it came. It takes no bytes.

    ``fd`` is non-blocking and reads whole events; ``close_device`` gives it back.
    """

    def __init__(self, name: str, fd: int, close_device: Callable[[], object]) -> None:
        self._name = name
        self._fd = fd
        self._close_device = close_device
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[tuple[bytes, MonoUs]] = deque()
        self._unread = 0
        self._filled = asyncio.Event()
        self._failure = ""
        self._open = True
        self._loop.add_reader(fd, self._readable)

    def discard(self) -> None:
        """What has come by now is nobody's."""
        self._readable()
        self._chunks.clear()
        self._unread = 0

    async def read(self) -> tuple[bytes, MonoUs]:
        """One chunk as it came, with its own stamp: what came before a failure is still read."""
        while not self._chunks:
            if self._failure:
                raise LinkFailed(f"{self._name}: {self._failure}")
            self._filled.clear()
            await self._filled.wait()
        chunk = self._chunks.popleft()
        self._unread -= len(chunk[0])
        return chunk

    async def write(self, data: bytes) -> None:
        raise LinkFailed(f"{self._name}: a keyboard takes nothing, {len(data)} bytes were written")

    async def close(self) -> None:
        self._fail("closed by us")

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, MAX_READ)
        except BlockingIOError:
            return
        except OSError as error:
            gone = error.errno == errno.ENODEV
            self._fail("unplugged" if gone else f"lost: {error.strerror or error}")
            return
        if not data:
            self._fail("closed by the other end")
            return
        self._chunks.append((data, MonoUs(round(self._loop.time() * US_PER_S))))
        self._unread += len(data)
        if self._unread > MAX_UNREAD:
            self._chunks.clear()
            self._fail(f"more than {MAX_UNREAD} bytes unread")
        self._filled.set()

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        if self._open:
            self._open = False
            self._loop.remove_reader(self._fd)
            self._close_device()
        self._filled.set()
