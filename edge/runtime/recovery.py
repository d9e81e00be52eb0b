"""Where a restart goes on: the last snapshot and the rows after it, played through the core again.

The journal is the truth. A core that derives other records from the same inputs than those that
stand is another build (or a damaged record): everything on the belt is untrusted then.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import structlog

from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.commands import Record
from edge.model.events import ClockRead, Event, LineStarted
from edge.model.ids import BootEpoch, InboxSeq, JournalSeq, RingSeq
from edge.model.records import Decided, RecordBody, ToldTimed
from edge.model.topology import Topology
from edge.model.units import Ticks, UtcUs
from edge.ports.plc import RingMark
from edge.store.errors import RowMalformed, StoreUnreadable
from edge.store.journal_reader import JournalReader
from edge.store.journal_types import JournalRow, Recovery
from edge.store.projections import Row
from edge.store.rows import decode, members

_RECORDS = frozenset(members(RecordBody))
STRETCHES = 2
"""Between snapshots, kept while nothing has stepped: one is whole even where the record ends in one."""

log = structlog.get_logger("recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """``differs_at``: the first row that this build would not have written, None when all agree."""

    core: LineCore
    cursor: InboxSeq
    rows_since_snapshot: int
    differs_at: JournalSeq | None
    resume: RingMark


def fresh(topology: Topology) -> Recovered:
    """A line without a record."""
    return Recovered(
        core=LineCore(topology),
        cursor=InboxSeq(0),
        rows_since_snapshot=0,
        differs_at=None,
        resume=RingMark(epoch=BootEpoch(0), ring_last=RingSeq(0), ticks=Ticks(0)),
    )


def recover(journal: Path, topology: Topology) -> Recovered:
    """Read-only. Raises ``StoreUnreadable`` (also when this build or configuration cannot replay what
    stands) or ``SchemaMismatch``; a missing journal is a fresh line."""
    reader = JournalReader(journal)
    try:
        kept = reader.recovery()
        if kept.last_seq == 0:
            return fresh(topology)
        state, after = _snapshot(kept)
        core = LineCore(topology, state)
        try:
            differs_at = replay(core, reader.rows(after))
            core.outstanding()
        except (LookupError, ValueError, AssertionError) as error:
            raise StoreUnreadable(
                f"{journal}: the record after row {after} does not fit this build and configuration "
                f"({error!r}): start once with those that wrote it, and stop in order"
            ) from error
    finally:
        reader.close()
    if differs_at is not None:
        log.error("replay differs from the record: the belt is untrusted", seq=differs_at)
    plc = core.state.plc
    mark = RingMark(epoch=BootEpoch(plc.epoch), ring_last=RingSeq(plc.ring_last), ticks=Ticks(plc.belt_ticks))
    return Recovered(
        core=core,
        cursor=kept.inbox_cursor,
        rows_since_snapshot=kept.last_seq - after,
        differs_at=differs_at,
        resume=mark,
    )


def _snapshot(kept: Recovery) -> tuple[CoreState | None, JournalSeq]:
    """The core's state and the row that it is of. One of another build's shape is no loss: the record
    is the truth, and is played from its first row."""
    if kept.state is not None:
        try:
            return decode(CoreState, kept.state), kept.snapshot_seq
        except RowMalformed as error:
            log.warning("snapshot of another build: the whole record is replayed", why=str(error))
    return None, JournalSeq(0)


def _is_input(item: Event | RecordBody) -> TypeGuard[Event]:
    return type(item) not in _RECORDS


def replay(core: LineCore, rows: Iterable[JournalRow]) -> JournalSeq | None:
    """Play inputs through ``core``; the first row whose record is not what the core derives, or the
    last one when it derives more than stands."""
    expected: deque[RecordBody] = deque()
    differs_at: JournalSeq | None = None
    last = JournalSeq(0)
    for row in rows:
        last = row.seq
        item = row.item()
        if _is_input(item):
            if expected and differs_at is None:
                differs_at = row.seq
            expected = deque(command.body for command in core.handle(item) if isinstance(command, Record))
        elif not isinstance(item, ToldTimed) and (not expected or expected.popleft() != item):
            differs_at = differs_at or row.seq
    return differs_at or (last if expected else None)


class WithoutClockSteps:
    """Invariant 23: the inputs on record, without their steps of the wall clock, played through a core
    of its own, give the decisions on record.

    Where nothing has stepped yet these are the very inputs that the line's own core has had: they need no
    second playing. What is played begins at a snapshot on record, which is before the first step; in a
    record without steps it is the last whole stretch between two snapshots, and what comes after.

    ``note`` and ``note_snapshot`` are given all that is durable, in order, over all runs of the process.
    They only remember it: ``catch_up`` plays what is to be played by then, ``finish`` what is left, and
    they raise what the core raises.
    """

    def __init__(self, core_of: Callable[[CoreState | None], LineCore]) -> None:
        self._core_of = core_of
        self._core: LineCore | None = None
        self._stretches: deque[tuple[bytes | None, list[Row]]] = deque([(None, [])])
        """Not yet played: each snapshot (None: a line's beginning) and the rows after it."""
        self._derived: deque[Decided] = deque()
        self._first: ClockRead | None = None
        self._stepped = False
        self.compared = 0
        """Decisions so far."""
        self.differing: list[str] = []
        """Those that differ from the record."""

    def note(self, row: Row) -> None:
        item = row.item
        if isinstance(item, LineStarted):
            self._first = None
        elif isinstance(item, ClockRead):
            first = self._first = self._first or item
            unstepped = replace(item, utc_us=UtcUs(first.utc_us + item.at_us - first.at_us))
            self._stepped = self._stepped or unstepped != item
            row = row._replace(item=unstepped)
        self._stretches[-1][1].append(row)

    def note_snapshot(self, state: bytes) -> None:
        if self._core is not None:
            return
        self._stretches.append((state, []))
        if len(self._stretches) > STRETCHES and not self._stepped:
            self._stretches.popleft()

    def catch_up(self) -> None:
        if self._stepped:
            self.finish()

    def finish(self) -> None:
        if self._core is None:
            state = self._stretches[0][0]
            self._core = self._core_of(None if state is None else decode(CoreState, state))
        for _, rows in self._stretches:
            for row in rows:
                self._play(self._core, row)
        self._stretches = deque([(None, [])])

    def _play(self, core: LineCore, row: Row) -> None:
        item: Event | RecordBody = row.item
        if _is_input(item):
            for command in core.handle(item):
                if isinstance(command, Record) and isinstance(command.body, Decided):
                    self._derived.append(command.body)
        elif isinstance(item, Decided):
            self.compared += 1
            found = self._derived.popleft() if self._derived else None
            if found != item:
                self.differing.append(f"row {row.seq}: track {item.track} decided {item.reason}")
