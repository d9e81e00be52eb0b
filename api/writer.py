"""The writer thread: owns the inbox's one writer; requests wait in two bounded queues.

Orders are many and go in groups of one commit; everything else (a cancel first of all) goes between
two groups, so it waits for one commit at most.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, TypeVar

import structlog

from api.intake import Intake, IntakeAnswer, OrderPut

GROUP_MAX: Final = 64
"""Orders in one commit: 2–4 ms, which is what a cancel waits for at most."""
STOP_S: Final = 5.0

T = TypeVar("T")
_log = structlog.get_logger("gateway")


class WriterBusy(Exception):
    """The queue is full, or the thread is ending: nothing was written."""


@dataclass(frozen=True, slots=True)
class _Call:
    run: Callable[[Intake], Any]
    done: "asyncio.Future[Any]"
    writes: bool


@dataclass(frozen=True, slots=True)
class _Puts:
    puts: Sequence[OrderPut]
    done: "asyncio.Future[tuple[IntakeAnswer, ...]]"


class WriterThread:
    """``open_intake`` and ``close_intake`` run in the thread, like every call; ``committed`` is told,
    in the thread, how many seconds each took and rings the line's bell."""

    def __init__(
        self,
        open_intake: Callable[[], Intake],
        close_intake: Callable[[], None],
        *,
        limit: int,
        committed: Callable[[float], None],
    ) -> None:
        self._open = open_intake
        self._close = close_intake
        self._limit = limit
        self._committed = committed
        self._calls: deque[_Call] = deque()
        self._puts: deque[_Puts] = deque()
        self._waiting = 0
        self._ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """Orders and calls that are not yet answered."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Whether messages are taken."""
        return self._thread.is_alive() and not self._ending

    async def start(self) -> None:
        """Raises what ``open_intake`` raised."""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._thread.start()
        await self._opened

    async def call(self, run: Callable[[Intake], T], *, writes: bool = True) -> T:
        """Runs in the thread, ahead of waiting orders. Raises ``WriterBusy``, or what ``run`` raises."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue((_Call(run, done, writes),), self._calls, 1)
        return await done

    async def put_orders(self, puts: Sequence[OrderPut]) -> tuple[IntakeAnswer, ...]:
        """Answers in order, once all are durable; between their groups calls are served. All are
        queued, or none: raises ``WriterBusy``, or what the intake raises."""
        loop = asyncio.get_running_loop()
        groups = [
            _Puts(puts[at : at + GROUP_MAX], loop.create_future()) for at in range(0, len(puts), GROUP_MAX)
        ]
        self._queue(groups, self._puts, len(puts))
        answers = await asyncio.gather(*[group.done for group in groups])
        return tuple(answer for group in answers for answer in group)

    async def stop(self) -> None:
        """What was queued is still written. Idempotent."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, STOP_S)

    def _queue(self, jobs: Sequence[Any], queue: deque[Any], weight: int) -> None:
        with self._changed:
            if self._ending or self._waiting + weight > self._limit:
                raise WriterBusy
            self._waiting += weight
            queue.extend(jobs)
            self._changed.notify()

    def _run(self) -> None:
        assert self._loop is not None
        assert self._opened is not None
        try:
            intake = self._open()
        except Exception as error:  # noqa: BLE001 - handed to start()
            self._loop.call_soon_threadsafe(_settle, [(self._opened, None, error)])
            return
        self._loop.call_soon_threadsafe(_settle, [(self._opened, None, None)])
        try:
            while (jobs := self._next()) is not None:
                self._work(intake, jobs)
        finally:
            self._close()

    def _next(self) -> _Call | list[_Puts] | None:
        """The oldest call, else a group of orders, else waits; ``None`` at the end."""
        with self._changed:
            while not (self._calls or self._puts):
                if self._ending:
                    return None
                self._changed.wait()
            if self._calls:
                return self._calls.popleft()
            group = [self._puts.popleft()]
            size = len(group[0].puts)
            while self._puts and size + len(self._puts[0].puts) <= GROUP_MAX:
                group.append(self._puts.popleft())
                size += len(group[-1].puts)
            return group

    def _work(self, intake: Intake, jobs: _Call | list[_Puts]) -> None:
        began = perf_counter()
        weight = 1 if isinstance(jobs, _Call) else sum(len(job.puts) for job in jobs)
        try:
            outcome = _called(intake, jobs) if isinstance(jobs, _Call) else _put(intake, jobs)
        except Exception as error:  # noqa: BLE001 - handed to every request that waits for it
            waiting = [jobs] if isinstance(jobs, _Call) else jobs
            outcome = [(job.done, None, error) for job in waiting]
        else:
            if not isinstance(jobs, _Call) or jobs.writes:
                self._committed(perf_counter() - began)
        with self._changed:
            self._waiting -= weight
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(_settle, outcome)
        except RuntimeError:
            _log.warning("answer_without_listener", what="the loop had ended")


_Outcome = Sequence[tuple["asyncio.Future[Any]", Any, Exception | None]]


def _called(intake: Intake, job: _Call) -> _Outcome:
    return [(job.done, job.run(intake), None)]


def _put(intake: Intake, jobs: list[_Puts]) -> _Outcome:
    answers = iter(intake.put_orders([put for job in jobs for put in job.puts]))
    return [(job.done, tuple(next(answers) for _ in job.puts), None) for job in jobs]


def _settle(outcome: _Outcome) -> None:
    """In the loop. A request that was given up meanwhile is left alone: its row stands."""
    for done, value, error in outcome:
        if done.done():
            continue
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)
