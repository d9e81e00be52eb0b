"""Unix sockets, and processes of ours that answer on one."""

import asyncio
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from drivers.streams.transport_stream import TransportStream
from edge.model.units import US_PER_MS, US_PER_S, MonoUs
from edge.ports.byte_stream import LinkFailed

START_MS = 4_000
"""From the start of a process to its first answer to a call: imports on a busy core."""
LOOK_S = 0.02
REAP_S = 2.0
"""A process that was killed and is not gone by then hangs in the kernel; it is left there."""


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """``path`` by way of its folder's descriptor: a socket's name holds 107 bytes only (unix(7)).

    Raises ``OSError`` when the folder is not there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def open_unix(path: Path) -> TransportStream:
    """Call whoever listens at ``path``; raises ``LinkFailed``."""
    name = f"socket {path}"
    loop = asyncio.get_running_loop()
    try:
        with short_name(path) as short:
            _, stream = await loop.create_unix_connection(lambda: TransportStream(name), short)
    except OSError as error:
        raise LinkFailed(f"{name}: {error.strerror or error}") from error
    return stream


class ChildStream:
    """A ``ByteStream`` to a process of ours that ends with it, at once and in any state."""

    def __init__(self, stream: TransportStream, process: "subprocess.Popen[bytes]") -> None:
        self._stream = stream
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self) -> tuple[bytes, MonoUs]:
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def close(self) -> None:
        await self._stream.close()
        await _killed(self._process)


async def open_child(command: Sequence[str], path: Path, *, start_ms: int = START_MS) -> ChildStream:
    """Start a process of ours and call it at ``path``, where it will listen; raises ``LinkFailed``,
    with the process gone, when it does not answer within ``start_ms``.

    What it has to say goes where our own stderr goes. It has to end when we do (prctl, PR_SET_PDEATHSIG).
    """
    try:
        process = _started(command, path)
    except OSError as error:
        raise LinkFailed(f"{command[0]}: {error.strerror or error}") from error
    try:
        async with asyncio.timeout(start_ms * US_PER_MS / US_PER_S):
            return ChildStream(await _answered(process, path), process)
    except BaseException as error:
        await _killed(process)
        if isinstance(error, TimeoutError):
            raise LinkFailed(f"process {process.pid} does not answer after {start_ms} ms") from error
        raise


def _started(command: Sequence[str], path: Path) -> "subprocess.Popen[bytes]":
    path.unlink(missing_ok=True)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


async def _answered(process: "subprocess.Popen[bytes]", path: Path) -> TransportStream:
    while True:
        if process.poll() is not None:
            raise LinkFailed(f"process {process.pid} ended with status {process.returncode} at its start")
        try:
            return await open_unix(path)
        except LinkFailed:
            await asyncio.sleep(LOOK_S)


async def _killed(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    try:
        async with asyncio.timeout(REAP_S):
            while process.poll() is None:  # noqa: ASYNC110 - nothing tells of it but the kernel
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return
