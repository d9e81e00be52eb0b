"""What a service manager does: listens to a process that it started (sd_notify(3))."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WATCHDOG_S = 1.0
"""The limit within which a process must say that it lives."""
HANGS = "import signal, time; signal.signal(signal.SIGUSR1, lambda *_: time.sleep(20)); "
"""Python runs a signal's handler in the main thread, between two steps of the event loop: that hangs
while every other thread goes on."""
START_S = 60.0
FED = 8


class ServiceManager:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        self._heard: list[str] = []

    @property
    def told_by(self) -> dict[str, str]:
        """What it puts into the environment of what it starts."""
        return {"NOTIFY_SOCKET": str(self._path), "WATCHDOG_USEC": str(round(WATCHDOG_S * 1_000_000))}

    def words(self) -> list[str]:
        """All that was heard so far."""
        while True:
            try:
                self._heard += self._socket.recv(4_096).decode().split()
            except BlockingIOError:
                return self._heard

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """`beltkeeper ARGUMENTS` as a unit with a watchdog is started, hanging on SIGUSR1."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", HANGS + "from edge.cli import main; main()", *arguments),
            env=os.environ | self.told_by,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def hear(self, word: str, times: int = 1) -> None:
        """So often, since the beginning, at the least."""
        async with asyncio.timeout(START_S):
            while self.words().count(word) < times:
                await asyncio.sleep(0.05)

    async def hear_nothing(self, seconds: float) -> None:
        """Until there is silence for so long."""
        async with asyncio.timeout(START_S):
            before = -1
            while before < (before := len(self.words())):
                await asyncio.sleep(seconds)

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
    """READY once, then the watchdog fed again and again, then, while the loop hangs, not at all."""
    try:
        await manager.hear("READY=1")
        await manager.hear("WATCHDOG=1", times=FED)
        assert manager.words().count("READY=1") == 1
        process.send_signal(signal.SIGUSR1)
        await manager.hear_nothing(2 * WATCHDOG_S)
        assert process.returncode is None, "it hangs, it has not ended: that is what a watchdog is for"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
