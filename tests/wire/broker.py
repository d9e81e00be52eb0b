"""A real mosquitto on a port of its own, that can be killed and frozen."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from getpass import getuser
from pathlib import Path

import pytest

START_S = 60.0
SESSION = "erp"
"""Of a subscriber that is not always there."""
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_mosquitto = pytest.mark.skipif(PROGRAM is None, reason="Debian package mosquitto is not installed")
CONFIG = """
listener {port} 127.0.0.1
allow_anonymous {anonymous}
{passwords}
user {user}
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
log_dest none
"""


class Broker:
    """``port`` stays the same over all its lives."""

    def __init__(self, folder: Path, passwords: str = "") -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        anonymous = "false" if passwords else "true"
        self._config.write_text(
            CONFIG.format(
                port=self.port, folder=folder, user=getuser(), anonymous=anonymous, passwords=passwords
            )
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "-c",
            str(self._config),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_S):
            while not await self._answers():
                assert self._process.returncode is None, "mosquitto ended at once"
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """kill -9; what was acknowledged and not saved is gone."""
        assert self._process is not None
        self.tell(signal.SIGKILL)
        await self._process.wait()

    def tell(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def saved(self) -> bool:
        """Whether a session that it keeps would outlive its death."""
        file = self._config.with_name("mosquitto.db")
        return file.exists() and SESSION.encode() in file.read_bytes()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[Broker]:
    folder.mkdir()
    broker = Broker(folder)
    await broker.start()
    try:
        yield broker
    finally:
        broker.tell(signal.SIGCONT)
        await broker.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
