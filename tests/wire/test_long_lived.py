"""What stands to a process's end is not looked through for garbage: a full look would hold its loop up for
longer than a parcel can wait. The gateway's is tested beside it."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.wire.demo_process import START_S

pytestmark = pytest.mark.wire

MANY = 50_000
"""Objects: the libraries' alone are more."""
PROGRAM = """
import gc, signal
from edge.cli import main
signal.signal(signal.SIGUSR1, lambda *_: print(gc.get_freeze_count(), flush=True))
main()
"""
FRAMES = "readers.side.connection.source.socket"


@pytest.mark.parametrize(
    ("command", "up"),
    [
        (("run", "fast"), b"line process begins"),
        (("camera", "camera", "side", "--set", f"{FRAMES}=/nowhere/frames"), b"camera listens"),
    ],
    ids=["line", "camera"],
)
async def test_it_is_not_looked_through(tmp_path: Path, command: tuple[str, ...], up: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *command, "--data", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            said = b""
            while up not in said:
                said += (line := await process.stderr.readline())
                assert line, said.decode()
            process.send_signal(signal.SIGUSR1)
            assert int(await process.stdout.readline()) > MANY
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
