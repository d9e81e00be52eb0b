"""Virtual time: an asyncio loop whose clock jumps to the next timer when nothing is ready.

The whole line runs on it: the real runtime, the real codecs, pymodbus at both ends. Time is integer
microseconds inside; nothing waits, no socket is opened, no thread is started. Timers due at one
instant fire in the order in which they were set (asyncio's own heap does not promise that); an instant
runs until nothing is ready, and only then the clock moves (architecture.md section 6).
"""

import asyncio
import contextvars
import gc
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any, NoReturn, TypeVar

from edge.model.units import US_PER_S, MonoUs, UtcUs
from simulators.network import MemoryServer, Network
from simulators.seeds import SeededBits

T = TypeVar("T")

START_US = US_PER_S
"""A run begins at one second: an instant of 0 means "none" in many records."""
STEPS_PER_INSTANT = 1_000_000
"""More callbacks than this in one instant are a loop that never lets time pass."""
CANCELLED_TIMERS_KEPT = 256
"""The heap is swept when more than these, and more than half of it, are cancelled."""

OWNER: ContextVar[str] = ContextVar("owner", default="")
"""Whose timers and tasks are made here; inherited by all that the owner starts. See ``crash``."""


class Deadlock(Exception):
    """Nothing is ready, no timer is set, and the run is not over."""


class Livelock(Exception):
    """An instant that does not end."""


class VirtualTimeOver(Exception):
    """The run went past its ``max_virtual_us``."""


class UnhandledError(Exception):
    """A callback or a task failed and nobody took its exception, which is the cause of this one."""


class LeftBehind(Exception):
    """The main coroutine is done and tasks of it still run."""


class _Soon(asyncio.Handle):
    """asyncio's handle without its debugging aids: they cost a third of a jump."""

    __slots__ = ()
    _repr = _source_traceback = None

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: Context | None
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback: Callable[..., object] | None = callback
        self._args: Any = args
        self._cancelled = False


class _Timer(asyncio.TimerHandle):
    """The same for a timer."""

    __slots__ = ()
    _repr = _source_traceback = None
    _scheduled = False

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: Any,
        context: Context | None,
    ) -> None:
        self._context = contextvars.copy_context() if context is None else context
        self._loop = loop
        self._callback: Callable[..., object] | None = callback
        self._args: Any = args
        self._cancelled = False
        self._when = when

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None
            self._loop._timer_handle_cancelled(self)


class VirtualLoop(asyncio.BaseEventLoop):
    """One loop, one ``run``. Not for use with threads, sockets, signals or child processes.

    ``network`` joins everything that calls ``create_connection`` and ``create_server`` here.
    ``shuffle_seed``: run what is ready at once in seeded random order, timers excepted, to show that an
    outcome does not hang on the scheduling of tasks. ``max_virtual_us``: the instant at which the run fails.
    """

    _ready: deque[asyncio.Handle]

    def __init__(
        self,
        *,
        network: Network | None = None,
        shuffle_seed: int | None = None,
        start_us: int = START_US,
        max_virtual_us: int | None = None,
    ) -> None:
        super().__init__()
        self.network = network if network is not None else Network(0)
        self._now_us = start_us
        self._now_s = start_us / US_PER_S
        self._max_us = max_virtual_us
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._timer_n = 0
        self._cancelled_timers = 0
        self._settling: list[_Soon] = []
        self._steps_left = STEPS_PER_INSTANT
        self._shuffle = None if shuffle_seed is None else SeededBits(shuffle_seed, "loop/ready")
        self._owned: dict[str, dict[asyncio.Task[Any], None]] = {}
        """Running tasks of each owner, in the order of their starts."""
        self._failure: dict[str, Any] | None = None
        self._failed_tasks = False
        self._thread = threading.get_ident()
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        """As asyncio's, made without a frame of Python: a parcel takes a hundred."""

    # --- for the simulation -----------------------------------------------------------------------

    def now_us(self) -> int:
        """Virtual microseconds; the same clock as ``time()``."""
        return self._now_us

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run ``main`` to its end and close the loop.

        Raises what ``main`` raises; ``Deadlock``, ``Livelock`` and ``VirtualTimeOver``;
        ``UnhandledError`` when a callback or a task failed unseen; ``LeftBehind`` when ``main``
        returned and left tasks running.
        """
        try:
            result = self.run_until_complete(main)
            left = sorted(_describe(task) for task in asyncio.all_tasks(self))
            self._cancel_all()
            self.run_until_complete(self.shutdown_asyncgens())
        except BaseException:
            self._abandon()
            raise
        finally:
            self.close()
        if left:
            raise LeftBehind("main is over, still pending: " + "; ".join(left))
        return result

    def call_settled(self, callback: Callable[[], object]) -> None:
        """Call in this same instant, once nothing else is ready in it.

        Several callbacks go on together, and what they make ready still belongs to the instant. One of
        an owner that has crashed meanwhile is not called.
        """
        self._settling.append(_Soon(callback, (), self, None))

    def start_owned(self, owner: str, coro: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start a task whose timers, tasks and connections can be ended by ``crash(owner)``."""
        context = contextvars.copy_context()
        context.run(OWNER.set, owner)
        return self.create_task(coro, name=owner, context=context)

    def crash(self, owner: str) -> tuple["asyncio.Task[Any]", ...]:
        """The owner's process dies: its connections break, its timers and ready callbacks are gone.

        Its tasks are cancelled and returned to be awaited; whatever their ``finally`` blocks still
        write reaches nobody.
        """
        if OWNER.get() == owner:
            raise RuntimeError(f"{owner} cannot crash itself: call from outside its tasks")
        self.network.sever(owner)
        self._timers = [timer for timer in self._timers if not _belongs(timer[2], owner)]
        heapify(self._timers)
        tasks = tuple(task for task in self._owned.pop(owner, ()) if not task.done())
        # A task that is just about to run keeps its wake-up, or its cancellation would never reach it.
        for soon in (*self._ready, *self._settling):
            if _belongs(soon, owner) and not _is_task_step(soon):
                soon.cancel()
        for task in tasks:
            task.cancel()
        return tasks

    # --- asyncio's side ---------------------------------------------------------------------------

    def time(self) -> float:
        return self._now_s

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; ``when`` is taken to the nearest microsecond, the past as now."""
        return self._set_timer(round(when * US_PER_S), _Timer(when, callback, args, self, context))

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        when = self._now_s + delay
        return self._set_timer(
            self._now_us + round(delay * US_PER_S), _Timer(when, callback, args, self, context)
        )

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's, which has checks that a loop without threads can spare."""
        if self._closed:  # type: ignore[attr-defined]
            raise RuntimeError("Event loop is closed")
        handle = _Soon(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """For libraries that call it from the loop's own thread; from another one it raises."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("a thread called into virtual time")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> NoReturn:  # type: ignore[override]
        raise RuntimeError(f"threads do not exist in virtual time: {func!r}")

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[T]":
        task: asyncio.Task[T] = super().create_task(coro, name=name, context=context)
        owner = OWNER.get() if context is None else context.get(OWNER, "")
        if owner:
            owned = self._owned.setdefault(owner, {})
            owned[task] = None
            task.add_done_callback(lambda done: owned.pop(done, None))
        task.add_done_callback(self._task_over)
        return task

    def _task_over(self, task: "asyncio.Task[Any]") -> None:
        """A failed task that nobody holds is told of when it is collected; CPython 3.12 keeps some
        of them in cycles, so after a failure the collector runs before time goes on."""
        if getattr(task, "_log_traceback", False):
            self._failed_tasks = True

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        *,
        ssl: None = None,
        local_addr: tuple[str, int] | None = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """In memory, through ``network``. Raises OSError as a socket would."""
        del ssl, local_addr
        return await self.network.connect(self, protocol_factory, host, port, OWNER.get())

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int = 0,
        *,
        ssl: None = None,
        reuse_address: bool | None = None,
        start_serving: bool = True,
    ) -> MemoryServer:
        """In memory, through ``network``; port 0 takes a free one."""
        del ssl, reuse_address
        server = self.network.listen(self, protocol_factory, host or "", port, OWNER.get())
        if start_serving:
            await server.start_serving()
        return server

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """The first one stops the run; nothing is only logged here."""
        if self._failure is None:
            self._failure = context

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Counts some that have fired already: the heap is swept a little early then, no more."""
        self._cancelled_timers += 1
        if self._cancelled_timers > CANCELLED_TIMERS_KEPT and self._cancelled_timers * 2 > len(self._timers):
            self._timers = [timer for timer in self._timers if not timer[2]._cancelled]
            heapify(self._timers)
            self._cancelled_timers = 0

    def _write_to_self(self) -> None:
        """There is no selector to wake."""

    def _run_once(self) -> None:
        """All turns of the loop in one call, until it is stopped: ``run_forever`` adds nothing to them."""
        ready = self._ready
        popleft = ready.popleft
        handle: asyncio.Handle | None
        while True:
            if not ready:
                if self._stopping:  # type: ignore[attr-defined]
                    return
                handle = None  # it may hold the last of a failed task
                self._advance()
            if self._shuffle is not None and len(ready) > 1:
                self._shuffle_ready(self._shuffle)
            todo = len(ready)
            self._steps_left -= todo
            for _ in range(todo):
                handle = popleft()
                if handle._cancelled:
                    continue
                try:
                    handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
                except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - as asyncio: report
                    self.call_exception_handler(
                        {"message": "Exception in callback", "exception": error, "handle": handle}
                    )
                if self._failure is not None:
                    self._raise_failure()
            if self._steps_left < 0:
                raise Livelock(f"more than {STEPS_PER_INSTANT} callbacks at {self._now_us} µs")
            if self._stopping:  # type: ignore[attr-defined]
                return

    # --- inside -----------------------------------------------------------------------------------

    def _set_timer(self, when_us: int, timer: _Timer) -> _Timer:
        if self._closed:  # type: ignore[attr-defined]
            raise RuntimeError("Event loop is closed")
        self._timer_n = n = self._timer_n + 1
        heappush(self._timers, (when_us if when_us > self._now_us else self._now_us, n, timer))
        return timer

    def _advance(self) -> None:
        """Make something ready: timers of this instant, its waiters for silence, the next instant."""
        if self._failed_tasks:
            self._failed_tasks = False
            gc.collect()
            if self._failure is not None:
                self._raise_failure()
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if self._settling and (not timers or timers[0][0] > self._now_us):
            self._ready.extend(self._settling)
            self._settling.clear()
            return
        if not timers:
            raise Deadlock(self._stuck())
        due_us, _, handle = heappop(timers)
        self._ready.append(handle)
        if due_us > self._now_us:
            if self._max_us is not None and due_us > self._max_us:
                raise VirtualTimeOver(f"the next timer is at {due_us} µs, the run ends at {self._max_us} µs")
            self._now_us = due_us
            self._now_s = due_us / US_PER_S
            self._steps_left = STEPS_PER_INSTANT
        while timers and timers[0][0] == due_us:
            handle = heappop(timers)[2]
            if not handle._cancelled:
                self._ready.append(handle)

    def _shuffle_ready(self, bits: SeededBits) -> None:
        """Timers keep their order among themselves: that they are FIFO is a promise of this loop."""
        batch = list(self._ready)
        timers = iter([handle for handle in batch if isinstance(handle, asyncio.TimerHandle)])
        bits.shuffle(batch)
        self._ready.clear()
        self._ready.extend(
            next(timers) if isinstance(handle, asyncio.TimerHandle) else handle for handle in batch
        )

    def _stuck(self) -> str:
        waiting = sorted(_describe(task) for task in asyncio.all_tasks(self))
        return f"at {self._now_us} µs nothing is ready and no timer is set; waiting: " + "; ".join(waiting)

    def _raise_failure(self) -> NoReturn:
        failure, self._failure = self._failure or {}, None
        what = failure.get("task") or failure.get("future") or failure.get("handle") or ""
        message = f"at {self._now_us} µs: {failure.get('message', 'unhandled error')} {what!r}"
        raise UnhandledError(message) from failure.get("exception")

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self)
        if tasks:
            for task in sorted(tasks, key=lambda task: task.get_name()):
                task.cancel()
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def _abandon(self) -> None:
        """The run has failed already: end what is left so that its own cause stays the one seen."""
        self._max_us = None
        for _ in range(3):
            try:
                self._cancel_all()
            except (Exception, asyncio.CancelledError):  # noqa: BLE001, S112 - the first failure is being raised
                continue
            break
        self._failure = None


class VirtualClock:
    """The clock of a simulated line PC (structurally ``edge.ports.clock.Clock``)."""

    def __init__(self, loop: VirtualLoop, *, utc_at_zero_us: int) -> None:
        """``utc_at_zero_us``: wall time at virtual 0."""
        self._loop = loop
        self._offset_us = utc_at_zero_us

    def now_us(self) -> MonoUs:
        return MonoUs(self._loop._now_us)  # read 130 times a parcel

    def utc_us(self) -> UtcUs:
        return UtcUs(self._loop._now_us + self._offset_us)

    def step_wall(self, by_us: int) -> None:
        """Somebody sets the wall clock; the monotonic one does not notice."""
        self._offset_us += by_us


def _belongs(handle: asyncio.Handle, owner: str) -> bool:
    context: Context = handle._context  # type: ignore[attr-defined]
    return context.get(OWNER, "") == owner


def _is_task_step(handle: asyncio.Handle) -> bool:
    callback = handle._callback  # type: ignore[attr-defined]
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def _describe(task: "asyncio.Task[Any]") -> str:
    frames = task.get_stack(limit=1)
    where = f" at {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else ""
    return f"{task.get_name()}{where}"
