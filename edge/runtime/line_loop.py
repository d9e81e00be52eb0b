"""The control loop: inputs in, one commit out, commands on their way. It never waits between inputs."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from edge.core.line import LineCore
from edge.model.commands import LineCommand, Record
from edge.model.events import ClockRead, Event, HoldCause, HoldCleared, HoldRaised, LineStarted
from edge.model.ids import InboxSeq, JournalSeq, TrackId
from edge.model.records import Decided, Exited, Missing, RecordBody, Told, ToldTimed
from edge.model.units import US_PER_MS, US_PER_S, MonoUs
from edge.ports.clock import Clock
from edge.ports.journal import Journal, JournalItem
from edge.runtime.dispatcher import Dispatcher, Waiting
from edge.runtime.event_queue import EventQueue, InboxRead, Source
from edge.runtime.health import Health
from edge.runtime.quiet import Quiet
from edge.store.rows import encode

PULSE_US = 50 * US_PER_MS
"""The loop turns at least this often, so that the heartbeat means "the loop turns"."""
CLOCK_EVERY_US = 60 * US_PER_S

log = structlog.get_logger("line")

Observe = Callable[[RecordBody], None]


class StoreLimits(Protocol):
    """The line's own limits of its record (``store`` in its description)."""

    @property
    def slow_commit_ms(self) -> int:
        """A commit that takes longer stops induction."""
        ...

    @property
    def max_backlog_rows(self) -> int:
        """More rows that are not durable stop induction."""
        ...

    @property
    def snapshot_rows(self) -> int:
        """Rows between two snapshots of the core."""
        ...


class LineLoop:
    """Owner of the core. ``failed(why)`` ends the process; ``observe`` sees each record once."""

    def __init__(
        self,
        *,
        core: LineCore,
        journal: Journal,
        queue: EventQueue,
        dispatcher: Dispatcher,
        clock: Clock,
        health: Health,
        limits: StoreLimits,
        observe: Observe,
        committed: Callable[[], None],
        failed: Callable[[BaseException], None],
        cursor: InboxSeq,
        rows_since_snapshot: int,
    ) -> None:
        self._core = core
        self._journal = journal
        self._queue = queue
        self._dispatcher = dispatcher
        self._clock = clock
        self._health = health
        self._limits = limits
        self._observe = observe
        self._on_commit = committed
        self._failed = failed
        self._cursor = cursor
        self._cursor_kept = cursor
        self._rows = rows_since_snapshot
        self._timed: list[ToldTimed] = []
        self._decided_from: dict[TrackId, MonoUs] = {}
        self._commits: dict[int, MonoUs] = {}
        self._commit_n = 0
        self._clock_read_us = -CLOCK_EVERY_US
        self._held_slow = False

    @property
    def backlog(self) -> int:
        """Rows that are not durable yet."""
        return self._journal.backlog

    def begin(self, started: LineStarted) -> None:
        """First input of this run, and once more all that the core still waits for."""
        self._health.progress()
        items: list[JournalItem] = [started]
        commands = self._handle(started, items)
        waiting = self._dispatcher.at_once([*commands, *self._core.outstanding()])
        self._commit(items, waiting)

    def drain(self) -> None:
        """Handle what waits in the queue now, before anything else may run."""
        while batch := self._queue.take_now():
            self.turn(batch)

    async def run(self) -> None:
        quiet = Quiet(PULSE_US, self._queue.pulse)

        def turn(batch: list[Event | InboxRead]) -> None:
            self.turn(batch)
            quiet.put_off()

        quiet.put_off()
        try:
            await self._queue.serve(turn)
        finally:
            quiet.stop()

    def finish(self) -> None:
        """In an orderly end: what was measured goes on record, and the next run begins with this state,
        whatever build or configuration it has."""
        if self._timed:
            self._commit([*self._timed], [])
            self._timed.clear()
        if self._rows:
            self._snapshot()

    def turn(self, batch: list[Event | InboxRead]) -> None:
        """Handle what arrived, commit it as one, send on what need not wait."""
        self._health.progress()
        now = self._clock.now_us()
        self._watch_clock(now)
        self._watch_store(now)
        items: list[JournalItem] = [*self._timed]
        self._timed.clear()
        commands: list[LineCommand] = []
        for taken in batch:
            if isinstance(taken, InboxRead):
                self._cursor = taken.seq
            for event in taken.events if isinstance(taken, InboxRead) else (taken,):
                items.append(event)
                commands += self._handle(event, items)
        if not items and self._cursor == self._cursor_kept:
            return
        waiting = self._dispatcher.at_once(commands)
        self._commit(items, waiting)

    def _handle(self, event: Event, items: list[JournalItem]) -> list[LineCommand]:
        """Records go to ``items``, behind their cause; the rest is returned."""
        commands: list[LineCommand] = []
        for command in self._core.handle(event):
            if isinstance(command, Record):
                items.append(command.body)
                self._see(command.body)
            else:
                commands.append(command)
        return commands

    def _commit(self, items: list[JournalItem], waiting: list[Waiting]) -> None:
        commit = self._journal.append(items, self._cursor)
        self._cursor_kept = self._cursor
        self._commit_n += 1
        n = self._commit_n
        self._commits[n] = self._clock.now_us()
        told = [item for item in items if type(item) is Told]
        # First: a divert must not stand behind the gateway's doorbell, which is a call of the kernel.
        self._dispatcher.when_durable(waiting, commit)
        commit.add_done_callback(lambda done: self._committed(n, told, done))
        self._rows += len(items)
        if self._rows >= self._limits.snapshot_rows:
            self._snapshot()

    def _snapshot(self) -> None:
        self._rows = 0
        self._journal.snapshot(encode(self._core.state).encode())

    def _see(self, body: RecordBody) -> None:
        if isinstance(body, Decided):
            self._decided_from[body.track] = body.decided_from_us
        elif isinstance(body, Exited | Missing):
            self._decided_from.pop(body.track, None)
        self._observe(body)

    def _committed(self, n: int, told: list[Told], commit: "asyncio.Future[JournalSeq]") -> None:
        del self._commits[n]
        if commit.cancelled():
            return
        error = commit.exception()
        if error is not None:
            self._failed(error)
            return
        self._on_commit()
        now = self._clock.now_us()
        for body in told:
            since = self._decided_from.pop(body.track, None)
            if since is None:
                continue
            timed = ToldTimed(
                at_us=now,
                track=body.track,
                decide_to_told_us=now - since,
                plc_wait_us=body.plc_wait_us,
            )
            self._timed.append(timed)
            self._observe(timed)

    def _watch_clock(self, now: MonoUs) -> None:
        if now - self._clock_read_us >= CLOCK_EVERY_US:
            self._clock_read_us = now
            self._queue.put(Source.TIMER, ClockRead(at_us=now, utc_us=self._clock.utc_us()))

    def _watch_store(self, now: MonoUs) -> None:
        """A slow store stops induction before it costs a parcel."""
        oldest = next(iter(self._commits.values()), now)
        slow = (
            now - oldest > self._limits.slow_commit_ms * US_PER_MS
            or self._journal.backlog > self._limits.max_backlog_rows
        )
        if slow and not self._held_slow:
            log.warning("store is slow: induction off", backlog=self._journal.backlog)
            self._queue.put(Source.STORE, HoldRaised(at_us=now, cause=HoldCause.STORE_SLOW))
        elif self._held_slow and not slow:
            log.info("store keeps up again")
            self._queue.put(Source.STORE, HoldCleared(at_us=now, cause=HoldCause.STORE_SLOW))
        self._held_slow = slow
