"""What a service manager does: listens to a process that it started (sd_notify(3))."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

WATCHDOG_S = 1.0
"""The limit within which a process must say that it lives."""
HANGS = "import signal, time; signal.signal(signal.SIGUSR1, lambda *_: time.sleep(20)); "
"""Python runs a signal's handler in the main thread, between two steps of the event loop: that hangs
while every other thread goes on."""
START_S = 60.0


class ServiceManager:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        self.heard: list[tuple[float, str]] = []
        """When, and which word."""

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """`beltkeeper ARGUMENTS` as a unit with a watchdog is started, hanging on SIGUSR1."""
        environment = os.environ | {
            "NOTIFY_SOCKET": str(self._path),
            "WATCHDOG_USEC": str(round(WATCHDOG_S * 1_000_000)),
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", HANGS + "from edge.cli import main; main()", *arguments),
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    def _take(self) -> None:
        while True:
            try:
                said = self._socket.recv(4_096).decode()
            except BlockingIOError:
                return
            self.heard += [(monotonic(), word) for word in said.split()]

    async def listen(self, seconds: float) -> list[str]:
        """The words of that stretch of time."""
        self._take()
        before = len(self.heard)
        await asyncio.sleep(seconds)
        self._take()
        return [word for _, word in self.heard[before:]]

    async def hear(self, word: str) -> None:
        async with asyncio.timeout(START_S):
            while word not in [one for _, one in self.heard]:
                await self.listen(0.05)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def service_manager(folder: Path) -> Iterator[ServiceManager]:
    """Its socket lies in ``folder``, which must have a short name (unix(7))."""
    manager = ServiceManager(folder / "notify")
    try:
        yield manager
    finally:
        manager.close()


async def kept_up_then_hung(manager: ServiceManager, process: asyncio.subprocess.Process) -> None:
    """READY once, then the watchdog fed within its limit, then, while the loop hangs, not at all."""
    try:
        await manager.hear("READY=1")
        fed = await manager.listen(4 * WATCHDOG_S)
        assert "READY=1" not in fed
        assert fed.count("WATCHDOG=1") >= 8, "twice within each limit, on a busy machine"
        process.send_signal(signal.SIGUSR1)
        await manager.listen(0.3)  # what was on its way
        assert await manager.listen(2 * WATCHDOG_S) == []
        assert process.returncode is None, "it hangs, it has not ended: that is what a watchdog is for"
    finally:
        process.kill()
        await process.wait()
