"""The gateway as a process of its own, and raw HTTP to it."""

import asyncio
import json
import resource
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

START_S = 60.0
"""A cold start with imports on two busy cores; and an answer there."""
LET_GO_S = 4.0
"""Of a connection that is not in use, a second before the gateway does: a request might meet that."""
PROGRAM = """
import gc, resource, sys
from pathlib import Path
from api.server import run_gateway
from line_config.load import load_line
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
ended = run_gateway(load_line(sys.argv[4], sys.argv[5:]), Path(sys.argv[1]), port=int(sys.argv[2]))
print(gc.get_freeze_count())
sys.exit(ended)
"""


@dataclass(frozen=True)
class GatewayProcess:
    process: asyncio.subprocess.Process
    port: int
    keys: dict[str, str]

    def client(self, key: str = "erp-1") -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {self.keys[key]}"}
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=headers,
            trust_env=False,
            timeout=START_S,
            limits=httpx2.Limits(keepalive_expiry=LET_GO_S),
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(START_S):
            return await self.process.wait()


async def answered(client: httpx2.AsyncClient, path: str, message: dict[str, str]) -> httpx2.Response:
    """A cancel as an ERP sends it: the same message again while its answer is that the line has not answered
    (the line has 0.4 s, which on a busy machine may be too short)."""
    async with asyncio.timeout(START_S):
        while True:
            answer = await client.post(path, json=message)
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.1)


async def launch(
    data: Path,
    port: int = 0,
    file_bytes: int = resource.RLIM_INFINITY,
    settings: Sequence[str] = (),
    line: str = "demo",
) -> asyncio.subprocess.Process:
    """``file_bytes``: no file may grow beyond it (setrlimit(2)), as on a full disk. ``settings``: as
    ``--set`` takes them."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(data),
        str(port),
        str(file_bytes),
        line,
        *settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running_gateway(
    data: Path,
    file_bytes: int = resource.RLIM_INFINITY,
    settings: Sequence[str] = (),
    line: str = "demo",
) -> AsyncIterator[GatewayProcess]:
    """Killed at the end if it has not ended."""
    process = await launch(data, file_bytes=file_bytes, settings=settings, line=line)
    try:
        port = await _listening(process)
        keys: dict[str, str] = json.loads((data / "first-keys.json").read_text())
        yield GatewayProcess(process, port, keys)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _listening(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    said = []
    async with asyncio.timeout(START_S):
        while line := await process.stderr.readline():
            said.append(line)
            entry: dict[str, Any] = json.loads(line)
            if entry["event"] == "gateway_listening":
                return int(entry["port"])
    raise AssertionError(f"the gateway ended: {said}")
