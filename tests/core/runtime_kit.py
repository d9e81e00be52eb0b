"""Doubles of the ports for tests of the runtime: a belt that runs evenly, a journal with a slow disk."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from edge.model.commands import Revoke, SendDivert, WakeAt
from edge.model.events import Event, WakePurpose
from edge.model.ids import BootEpoch, InboxSeq, JournalSeq
from edge.model.units import MonoUs, Ticks, UtcUs
from edge.ports.journal import JournalFailed, JournalItem
from edge.ports.sinks import BeltSample
from edge.runtime.clock import LoopClock
from simulators.loop import VirtualLoop

T = TypeVar("T")
TICKS_PER_S = 3_600
"""The demo line at its nominal speed."""
EPOCH = BootEpoch(7)
UTC = 1_800_000_000_000_000


def virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main`` in virtual time, which begins at one second."""
    return VirtualLoop().run(main())


@contextmanager
def logs() -> Iterator[list[EventDict]]:
    """What is logged meanwhile, whatever other tests have made of the logs."""
    structlog.reset_defaults()
    with capture_logs() as found:
        yield found


def clock() -> LoopClock:
    return LoopClock(asyncio.get_running_loop(), lambda: UTC)


class Posted:
    """An ``EventSink`` that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def post(self, event: Event) -> None:
        self.events.append(event)

    def take(self) -> list[Event]:
        events, self.events = self.events, []
        return events


def status(
    at_us: int,
    *,
    ticks: int | None = None,
    epoch: int = EPOCH,
    running: bool = True,
    ring_read: bool = True,
) -> BeltSample:
    """The PLC's status of ``at_us``, asked for just then: its clock is the PC's, the belt at 0 then."""
    return BeltSample(
        asked_us=MonoUs(at_us),
        answered_us=MonoUs(at_us),
        epoch=BootEpoch(epoch),
        plc_ms=at_us // 1_000,
        ticks=Ticks(ticks_at(at_us) if ticks is None else ticks),
        running=running,
        ring_read=ring_read,
    )


def ticks_at(at_us: int) -> int:
    return at_us * TICKS_PER_S // 1_000_000


def at(ticks: int) -> int:
    """When the even belt is there, in µs."""
    return -(-ticks * 1_000_000 // TICKS_PER_S)


def wake(purpose: WakePurpose, ref: int, *, ticks: int = 0, at_us: int = 0, proved: bool = False) -> WakeAt:
    return WakeAt(purpose=purpose, ref=ref, ticks=Ticks(ticks), at_us=MonoUs(at_us), proved=proved)


@dataclass
class SlowJournal:
    """A ``Journal`` whose commits end when the test says so, in order, or fail."""

    appended: list[tuple[JournalItem, ...]] = field(default_factory=list)
    cursors: list[int] = field(default_factory=list)
    futures: "list[asyncio.Future[JournalSeq]]" = field(default_factory=list)
    snapshots: list[tuple[int, bytes]] = field(default_factory=list)
    """Rows appended before each, and its state."""
    rows: int = 0
    backlog: int = 0
    broken: bool = False

    def append(self, items: Sequence[JournalItem], inbox_cursor: InboxSeq) -> "asyncio.Future[JournalSeq]":
        if self.broken:
            raise JournalFailed("the disk is gone")
        self.appended.append(tuple(items))
        self.cursors.append(inbox_cursor)
        self.rows += len(items)
        self.backlog += len(items)
        done: asyncio.Future[JournalSeq] = asyncio.get_running_loop().create_future()
        self.futures.append(done)
        return done

    def snapshot(self, state: bytes) -> None:
        self.snapshots.append((self.rows, state))

    async def end(self, n: int | None = None) -> None:
        """The first ``n`` open commits become durable (None: all), and their callbacks run."""
        open_ones = [done for done in self.futures if not done.done()][:n]
        for done in open_ones:
            done.set_result(JournalSeq(self.rows))
        self.backlog = 0 if n is None else self.backlog
        await asyncio.sleep(0)

    async def fail(self) -> None:
        self.broken = True
        for done in self.futures:
            if not done.done():
                done.set_exception(JournalFailed("the disk is gone"))
        await asyncio.sleep(0)

    async def close(self) -> None:
        return None

    @property
    def items(self) -> list[JournalItem]:
        return [item for items in self.appended for item in items]


class SentCommands:
    """A ``PlcPort`` that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[SendDivert | Revoke] = []

    def send(self, command: SendDivert | Revoke) -> None:
        self.sent.append(command)

    def forget(self, epoch: int) -> None:
        self.sent = [command for command in self.sent if command.epoch != epoch]


def utc(at_us: int) -> UtcUs:
    return UtcUs(UTC + at_us)
