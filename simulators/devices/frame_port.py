"""Where a simulated camera hands out its frames: a Unix socket, and a thread for each who looks through it.

A frame goes to the kernel whole and waits in a thread: a camera's driver fills memory, and no program of
ours has to run for it.
"""

import asyncio
import queue
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path

BUFFERS = 3
"""Frames that wait for who fetches them, as in a camera's driver; what comes on top of them is lost."""
UCRED = struct.Struct("iII")
"""pid, uid and gid of a socket's other end (unix(7), SO_PEERCRED)."""


class FramePort:
    """Serves whoever connects, from then on. All but the sending is the loop's."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._eyes: list[_Eye] = []

    def listen(self, path: Path) -> None:
        """At ``path``, of which an old socket is taken away. Raises ``OSError``."""
        path.unlink(missing_ok=True)
        self._listener = listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(listener))

    def offer(self, frame: bytes) -> None:
        """To everybody who has a buffer free; never blocks."""
        for eye in self._eyes:
            eye.offer(frame)

    def pids(self) -> list[int]:
        """Of the processes at the other ends."""
        return [eye.pid for eye in self._eyes]

    def close(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
        if self._listener is not None:
            self._listener.close()
        for eye in tuple(self._eyes):
            self._gone(eye)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            wire, _ = await loop.sock_accept(listener)
            wire.setblocking(True)
            eye = _Eye(wire)
            self._eyes.append(eye)
            loop.add_reader(wire, self._gone, eye)  # it says nothing, until it hangs up

    def _gone(self, eye: "_Eye") -> None:
        asyncio.get_running_loop().remove_reader(eye.wire)
        self._eyes.remove(eye)
        eye.close()


class _Eye:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.pid = UCRED.unpack(wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))[0]
        self._frames: queue.Queue[bytes | None] = queue.Queue(BUFFERS)
        threading.Thread(target=self._send, daemon=True).start()

    def offer(self, frame: bytes) -> None:
        with suppress(queue.Full):
            self._frames.put_nowait(frame)

    def close(self) -> None:
        """The thread ends: it waits for a frame, or for its last one to be fetched."""
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)
        self.wire.close()
        with suppress(queue.Full):
            self._frames.put_nowait(None)

    def _send(self) -> None:
        with suppress(OSError):  # hung up on: the loop sees it too
            while (frame := self._frames.get()) is not None:
                self.wire.sendall(frame)
