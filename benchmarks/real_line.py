"""A line in real time between its load and its floor: real processes, the line's on a core of its own, each
with the priority of its unit. The simulated devices have the line's: hardware does not wait for a line PC's
cores, and what they are late for would be told of the line."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from benchmarks.order_load import OrderLoad
from line_config.load import load_line
from simulators.demo import Demo
from simulators.demo.play import Play
from simulators.demo.screen import Screen
from simulators.demo.summary import Ended

SEED = 7
LOOK_S = 1.0
SETTLED_S = 60.0
"""Memory is compared with what it was after this: caches are filled, pools have their size."""
MIB = 1 << 20
UNITS = Path(__file__).parents[1] / "systemd" / "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRun:
    """``answer_ms``: of the simulated PLC and of the floor's; ``orders_per_s`` 0: no load. ``settings``:
    overrides of the line, as with ``--set``. ``folder`` is on the disk that both write to."""

    line: str = "fast"
    seconds: int
    answer_ms: int
    orders_per_s: int
    folder: Path
    settings: tuple[str, ...] = ()
    pinned: bool = True
    """The line has a core of its own."""


@dataclass(slots=True, kw_only=True)
class Measured:
    """``bare``: the floor's, one by one: when each began (CLOCK_MONOTONIC in µs), and its milliseconds.
    ``resident``: seconds of the run, bytes of the line process. ``files``: the most that it had open in the
    first half of the run and in the second; ``wal_bytes``: the journal's largest."""

    ended: Ended
    bare: list[tuple[int, float]]
    resident: list[tuple[float, int]]
    files: tuple[int, int]
    wal_bytes: int
    cpu_s: float
    seconds: float
    load: OrderLoad | None
    pinned: bool

    @property
    def bare_ms(self) -> list[float]:
        return [ms for _, ms in self.bare]

    def resident_at(self, second: float) -> int:
        """Bytes at the first look at or after ``second``; the last look's where the run was shorter."""
        return next((size for at_s, size in self.resident if at_s >= second), self.resident[-1][1])


@dataclass(slots=True)
class _Looks:
    """What was seen of the line process, at once and then every second."""

    resident: list[tuple[float, int]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    wal_bytes: int = 0
    _began: float = field(default_factory=monotonic)

    async def look(self, play: Play, wal: Path) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.take(play, wal)

    def take(self, play: Play, wal: Path) -> None:
        """One look; a short run may be over before there is another."""
        pid = play.line_pid
        self.resident.append((monotonic() - self._began, _resident_bytes(pid)))
        self.files.append(len(os.listdir(f"/proc/{pid}/fd")))
        self.wal_bytes = max(self.wal_bytes, _size(wal))

    def most_files(self) -> tuple[int, int]:
        half = len(self.files) // 2
        return max(self.files[: half + 1]), max(self.files[half:])


@dataclass(slots=True)
class _Floor:
    """The bare client's times, as it says them; ``begun`` with the first, or when it has ended without."""

    times: list[tuple[int, float]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            at_us, ms = line.split()
            self.times.append((int(at_us), float(ms)))
            self.begun.set()
        self.begun.set()


Beside = Callable[[Play], AbstractAsyncContextManager[object]]
"""What goes on beside a run, from its first parcel to its last."""


def measure(run: RealRun, beside: Beside = lambda _: nullcontext()) -> Measured:
    """Play it to its end. Raises ``DemoFailed``, ``LineConfigError`` or ``OSError``, and as ``beside``."""
    everywhere = os.sched_getaffinity(0)
    try:
        return asyncio.run(_measure(run, beside))
    finally:
        os.sched_setaffinity(0, everywhere)  # or the next run would have one core less


async def _measure(run: RealRun, beside: Beside) -> Measured:
    core, others = _cores() if run.pinned else (0, set[int]())
    if others:
        os.sched_setaffinity(0, others)
    topology = load_line(run.line, run.settings).topology
    data = run.folder / "line"
    demo = Demo(
        line=run.line,
        parcels=max(1, topology.nominal_per_h * run.seconds // 3_600),
        seed=SEED,
        faults="none",
        data=data,
        settings=run.settings,
        plc_answers_ms=run.answer_ms,
    )
    play = Play(demo, Screen("en", to_stderr=True))
    load: OrderLoad | None = None
    try:
        await play.open()
        if others:
            _pin(play.line_pid, {core})
        for pid in (play.line_pid, *play.hardware_pids):
            _prefer(pid, "line")
        _prefer(play.gateway_pid, "gateway")
        if run.orders_per_s:
            load = OrderLoad(play.gateway_url, play.erp_key(), run.orders_per_s, SEED)
        looks = _Looks()
        floor = _Floor()
        async with _floor(run, {core} if others else others, floor), beside(play):
            began, cpu_s = monotonic(), cpu_of(play.line_pid)
            wal = data / "journal" / "journal.db-wal"
            looks.take(play, wal)
            tasks = [asyncio.create_task(looks.look(play, wal))]
            if load is not None:
                tasks.append(asyncio.create_task(load.run()))
            try:
                await play.run()
            finally:
                await end(tasks)
            seconds, cpu_s = monotonic() - began, cpu_of(play.line_pid) - cpu_s
    finally:
        await play.close()
    return Measured(
        ended=play.ended(),
        bare=floor.times,
        resident=looks.resident,
        files=looks.most_files(),
        wal_bytes=looks.wal_bytes,
        cpu_s=cpu_s,
        seconds=seconds,
        load=load,
        pinned=bool(others),
    )


def _cores() -> tuple[int, set[int]]:
    """The line's, and those of everybody else; none for the others where there is only one."""
    mine, *others = sorted(os.sched_getaffinity(0))
    return mine, set(others)


def _pin(pid: int, cores: set[int]) -> None:
    """Every thread that it has."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores)


def _prefer(pid: int, unit: str) -> None:
    """The priority that this unit gives, where this user may: every thread that it has."""
    text = (UNITS / f"beltkeeper-{unit}.service").read_text(encoding="utf-8")
    found = re.search(r"^Nice=(-?\d+)$", text, re.MULTILINE)
    assert found is not None
    with suppress(PermissionError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), int(found[1]))


async def end(tasks: list["asyncio.Task[None]"]) -> None:
    """Raises what one of them has raised."""
    for task in tasks:
        task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(found, Exception):
            raise found


def _size(path: Path) -> int:
    """0 of a file that is not there."""
    return path.stat().st_size if path.exists() else 0


def _resident_bytes(pid: int) -> int:
    """proc(5), statm: the second field is resident pages."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_of(pid: int) -> float:
    """proc(5), stat: fields 14 and 15, counted from the name in brackets."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _floor(run: RealRun, cores: set[int], floor: _Floor) -> AsyncIterator[None]:
    """The bare client shares the line's core, its server those of the simulators."""
    program = (sys.executable, "-m", "benchmarks.bare_bus")
    server = await asyncio.create_subprocess_exec(
        *program, "plc", "--answer-ms", str(run.answer_ms), stdout=PIPE
    )
    processes = [server]
    listening: asyncio.Task[None] | None = None
    try:
        assert server.stdout is not None
        port = (await server.stdout.readline()).decode().rpartition(":")[2].strip()
        client = await asyncio.create_subprocess_exec(
            *program, "told", "--port", port, "--folder", str(run.folder), stdout=PIPE
        )
        processes.append(client)
        if cores:
            _pin(client.pid, cores)
        for pid in (server.pid, client.pid):
            _prefer(pid, "line")
        listening = asyncio.create_task(floor.listen(client))
        yield
        await floor.begun.wait()  # a short run may be over before, where starts take long
    finally:
        for process in reversed(processes):
            if process.returncode is None:
                process.terminate()
            await process.wait()
        if listening is not None:
            await listening
