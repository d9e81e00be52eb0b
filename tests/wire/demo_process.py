"""The demo as a process of its own, and looks at what it leaves behind."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

LIMIT_S = 240.0
"""Of a demo of a few parcels: belt and people take their own time on any machine, starts what it has."""
LOOK_S = 0.02
LOCKED_S = 20.0
"""A line that is killed and started anew holds its record for a moment; on a busy machine for longer."""
START_S = 60.0
"""Seven cold starts on two busy cores."""


@dataclass(frozen=True)
class Told:
    """How a demo ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class RunningDemo:
    process: asyncio.subprocess.Process
    data: Path

    @property
    def journal(self) -> Path:
        return self.data / "journal" / "journal.db"

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read-only and short, as every reader must; nothing before the line has made its tables."""
        if not self.journal.exists():
            return []
        uri = f"{self.journal.as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, timeout=LOCKED_S, uri=True)) as database:
            made = database.execute("SELECT count(*) FROM sqlite_master WHERE name='parcel'").fetchone()[0]
            return database.execute(query, values).fetchall() if made else []

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(body) for (body,) in self.rows("SELECT body FROM event WHERE kind=?", kind)]

    @property
    def inducted(self) -> int:
        return len(self.rows("SELECT 1 FROM parcel"))

    def children(self, of: int = 0) -> dict[str, int]:
        """Command line → process id, of the demo's children, or of another process's."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == (of or self.process.pid):
                found[line] = int(folder.name)
        return found

    def pid_of(self, words: str) -> int:
        """0 while there is none."""
        return next((pid for line, pid in self.children().items() if words in line), 0)

    def camera_pid(self) -> int:
        """Of the process that looks through the line's camera, which is the line's own child; 0: none now."""
        line = self.pid_of(" run camera")
        return next((pid for words, pid in self.children(line).items() if " camera camera" in words), 0)

    def kill_9(self, words: str) -> None:
        """The child whose command line has these words; there must be one."""
        pid = self.pid_of(words)
        assert pid > 0, f"no child {words!r}: signal 9 to process 0 would be the test's own end"
        os.kill(pid, signal.SIGKILL)

    async def until(self, true: Callable[[], object], within_s: float = START_S) -> None:
        """Fails when the demo ends, or time is up, first."""
        until_s = monotonic() + within_s
        while not true():
            assert self.process.returncode is None, (await self.ended()).err
            assert monotonic() < until_s, "it took too long"
            await asyncio.sleep(LOOK_S)

    async def ended(self, within_s: float = LIMIT_S) -> Told:
        async with asyncio.timeout(within_s):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Told(self.process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def running_demo(data: Path, *options: str) -> AsyncIterator[RunningDemo]:
    """Killed at the end if it has not ended."""
    command = [sys.executable, "-m", "edge.cli", "demo", "--data", str(data), *options]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    )
    try:
        yield RunningDemo(process, data)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.communicate()


def alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def told(data: Path, *options: str) -> Told:
    async with running_demo(data, *options) as demo:
        return await demo.ended()
