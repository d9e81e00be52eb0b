"""The line process of a simulation: started, killed, started anew, as a service manager would.

A kill at a chosen *moment*: before and after each commit, before and after each command's bytes,
before its read-back. Moments are counted over all runs of the process. A crash first makes every port
raise, then drops the process's timers, then its tasks (architecture.md section 6).
"""

import asyncio
import contextvars
from collections.abc import Callable
from typing import NoReturn, Protocol

from simulators.loop import VirtualLoop

US_PER_S = 1_000_000
OWNER = "line"
DOWN_US = 200_000
"""How long a process that was killed at a moment stays away."""
COMMAND_WORDS = 7


class LineProcess(Protocol):
    """What ``edge.app.VirtualLine`` is, as far as this room needs it."""

    @property
    def open_tracks(self) -> int: ...

    @property
    def ready(self) -> bool: ...

    def ring(self) -> None: ...

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    def crash(self) -> None: ...


class Bus(Protocol):
    """A block port of the PLC, with or without FC23."""

    async def open(self) -> None: ...

    async def read(self, address: int, count: int) -> tuple[int, ...]: ...

    async def write(self, address: int, values: tuple[int, ...]) -> None: ...

    async def exchange(
        self, address: int, values: tuple[int, ...], at: int, count: int
    ) -> tuple[int, ...]: ...

    async def close(self) -> None: ...


class Moments:
    """Counts the moments until ``over``; ``crash`` is called at those in ``at``."""

    def __init__(self, at: tuple[int, ...], crash: Callable[[], None]) -> None:
        self.passed = 0
        self.over = False
        self._at = frozenset(at)
        self._crash = crash

    def next(self) -> None:
        if self.over:
            return
        self.passed += 1
        if self.passed in self._at:
            self._crash()


class WatchedBus:
    """One process's hold on the bus: dead once the process is, and full of moments."""

    def __init__(self, bus: Bus, command_address: int, moments: Moments, failed: type[Exception]) -> None:
        self._bus = bus
        self._command = command_address
        self._moments = moments
        self._failed = failed
        self._unread = False
        self.dead = False

    def _check(self) -> None:
        if self.dead:
            self._raise()

    def _raise(self) -> NoReturn:
        raise self._failed("the process has crashed")

    async def open(self) -> None:
        self._check()
        await self._bus.open()
        self._check()

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        if self._unread:
            self._unread = False
            self._moments.next()
        self._check()
        values = await self._bus.read(address, count)
        self._check()
        return values

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        command = address == self._command and len(values) == COMMAND_WORDS
        if command:
            self._moments.next()
        self._check()
        await self._bus.write(address, values)
        if command:
            self._moments.next()
            self._unread = True
        self._check()

    async def exchange(self, address: int, values: tuple[int, ...], at: int, count: int) -> tuple[int, ...]:
        self._check()
        found = await self._bus.exchange(address, values, at, count)
        self._check()
        return found

    async def close(self) -> None:
        await self._bus.close()


Make = Callable[["LineHost"], tuple[LineProcess, WatchedBus]]


class LineHost:
    """``make`` builds one process on the files that stand; it gets this host for its moments."""

    def __init__(self, loop: VirtualLoop, make: Make, crash_at: tuple[int, ...] = ()) -> None:
        self._loop = loop
        self._make = make
        self._process: LineProcess | None = None
        self._bus: WatchedBus | None = None
        self._task: asyncio.Task[None] | None = None
        self._root = contextvars.copy_context()
        """Outside every process: what starts and buries them must survive them."""
        self._burying: asyncio.Task[None] | None = None
        self.moments = Moments(crash_at, lambda: self.kill(DOWN_US))
        self.crashes = 0
        self.failed: BaseException | None = None

    def start(self) -> None:
        self._process, self._bus = self._make(self)
        self._task = self._loop.start_owned(OWNER, self._process.run())
        self._task.add_done_callback(self._ended, context=self._root)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A process that ends by itself has failed: the run must know."""
        if task is self._task and not task.cancelled():
            self.failed = task.exception() or RuntimeError("the line process returned")

    def ring(self) -> None:
        if self._process is not None:
            self._process.ring()

    @property
    def settled(self) -> bool:
        """The process is up, has no open track, and would let the next parcel on."""
        process = self._process
        return process is not None and process.open_tracks == 0 and process.ready

    def kill(self, down_us: int) -> None:
        """At once. Does nothing while the process is away."""
        if self._process is None or self._bus is None:
            return
        self.crashes += 1
        self._bus.dead = True
        self._process.crash()
        self._process = self._bus = self._task = None
        self._loop.call_soon(self._bury, down_us, context=self._root)

    def _bury(self, down_us: int) -> None:
        tasks = self._loop.crash(OWNER)
        self._burying = self._loop.create_task(self._rise(tasks, down_us), context=contextvars.copy_context())

    async def _rise(self, tasks: "tuple[asyncio.Task[object], ...]", down_us: int) -> None:
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(down_us / US_PER_S)
        self.start()

    async def stop(self) -> None:
        """In order: what was appended becomes durable. From here on nothing is killed any more."""
        self.moments.over = True
        if self._burying is not None:
            await self._burying
        process, task = self._process, self._task
        self._process = self._task = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if process is not None:
            await process.close()
