"""The control loop: whole inputs in one commit, commands behind it, limits watched, failures fatal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.commands import LineCommand, LookUp, PermitInduction, Record, SendDivert
from edge.model.events import (
    ClockRead,
    DeviceWentUp,
    Event,
    HoldCause,
    HoldCleared,
    HoldRaised,
    LineStarted,
    PlcDetached,
)
from edge.model.ids import CommandSeq, DeviceId, ExitNo, InboxSeq, PlcNumber, TrackId, Waybill
from edge.model.records import Decided, RecordBody, Told, ToldTimed
from edge.model.units import MonoUs, UtcUs
from edge.ports.journal import JournalFailed
from edge.runtime.belt_watch import BeltWatch
from edge.runtime.dispatcher import Dispatcher
from edge.runtime.event_queue import BATCH_LIMIT, EventQueue, InboxRead, Source
from edge.runtime.health import Health
from edge.runtime.line_loop import CLOCK_EVERY_US, LineLoop
from edge.runtime.look_ups import LookUps
from edge.runtime.outputs import Outputs
from edge.store.rows import decode, encode
from tests.core import store_kit
from tests.core.core_line import DEMO
from tests.core.runtime_kit import EPOCH, UTC, Posted, SentCommands, SlowJournal, clock, logs, virtual

STARTED = LineStarted(at_us=MonoUs(1), build="b", config_hash="c", chutes_disabled=())
DIVERT = SendDivert(track=TrackId(1), epoch=EPOCH, number=PlcNumber(9), exit=ExitNo(2))


@dataclass
class Limits:
    slow_commit_ms: int = 1_000
    max_backlog_rows: int = 100
    snapshot_rows: int = 1_000


@dataclass
class ScriptedCore:
    """A core whose answers are scripted by the text of a ``PlcDetached`` (its ``why``)."""

    answers: dict[str, tuple[LineCommand, ...]] = field(default_factory=dict)
    unanswered: tuple[LineCommand, ...] = ()
    handled: list[Event] = field(default_factory=list)
    state: CoreState = field(default_factory=CoreState)

    def handle(self, event: Event) -> tuple[LineCommand, ...]:
        self.handled.append(event)
        return self.answers.get(event.why, ()) if isinstance(event, PlcDetached) else ()

    def outstanding(self) -> tuple[LineCommand, ...]:
        return self.unanswered


class Bench:
    def __init__(self, core: ScriptedCore, limits: Limits | None = None, *, rows: int = 0) -> None:
        self.time = clock()
        self.core = core
        self.journal = SlowJournal()
        self.queue = EventQueue()
        self.plc = SentCommands()
        self.health = Health()
        self.outputs = Outputs(self.health)
        self.observed: list[RecordBody] = []
        self.rung = 0
        self.failed: list[BaseException] = []
        self.loop = LineLoop(
            core=cast(LineCore, core),
            journal=self.journal,
            queue=self.queue,
            dispatcher=Dispatcher(
                plc=self.plc,
                belt=BeltWatch(DEMO, self.time, Posted(), EPOCH),
                outputs=self.outputs,
                look_ups=LookUps(None, Posted(), self.time),  # type: ignore[arg-type]
                set_zero=lambda: None,
                archive=lambda _: None,
                failed=self.failed.append,
            ),
            clock=self.time,
            health=self.health,
            limits=limits or Limits(),
            observe=self.observed.append,
            committed=self._ring,
            failed=self.failed.append,
            cursor=InboxSeq(5),
            rows_since_snapshot=rows,
        )

    def _ring(self) -> None:
        self.rung += 1

    def post(self, why: str, source: Source = Source.PLC) -> PlcDetached:
        event = PlcDetached(at_us=self.time.now_us(), why=why)
        self.queue.put(source, event)
        return event

    async def run(self, for_s: float) -> None:
        try:
            async with asyncio.timeout(for_s):
                await self.loop.run()
        except TimeoutError:
            pass

    def kinds(self) -> list[str]:
        return [type(item).__name__ for item in self.journal.items]


def play(core: ScriptedCore, script: Callable[[Bench], object], **made: object) -> Bench:
    async def main() -> Bench:
        bench = Bench(core, **made)  # type: ignore[arg-type]
        result = script(bench)
        if asyncio.iscoroutine(result):
            await result
        return bench

    return virtual(main)


def decided(at_us: int, track: int = 1) -> Record:
    return Record(body=store_kit.decided(at_us, track, "W1"))


def told(at_us: int, track: int = 1) -> Record:
    body = Told(
        at_us=MonoUs(at_us),
        track=TrackId(track),
        exit=ExitNo(1),
        seq=CommandSeq(3),
        since_us=7_000,
        plc_wait_us=4_000,
    )
    return Record(body=body)


def test_a_run_begins_with_its_start_and_all_that_was_not_answered_once_durable() -> None:
    core = ScriptedCore(unanswered=(DIVERT, PermitInduction(on=False)))

    async def script(bench: Bench) -> None:
        bench.loop.begin(STARTED)
        assert bench.journal.appended == [(STARTED,)]
        assert bench.plc.sent == []
        await bench.journal.end()
        assert bench.plc.sent == [DIVERT]

    play(core, script)


def test_what_arrives_together_is_one_commit_records_behind_their_cause() -> None:
    core = ScriptedCore({"a": (decided(10), DIVERT), "b": (told(20),)})

    async def script(bench: Bench) -> None:
        bench.post("b")
        bench.queue.put(Source.DEVICE, DeviceWentUp(at_us=MonoUs(1), device=DeviceId("d")))
        bench.post("a", Source.START)
        bench.loop.drain()

    bench = play(core, script)
    assert len(bench.journal.appended) == 2, "the first turn's clock reading makes the second"
    assert bench.kinds() == ["PlcDetached", "Decided", "PlcDetached", "Told", "DeviceWentUp", "ClockRead"]
    assert bench.observed == [body.body for body in (decided(10), told(20))]


def test_the_cursor_commits_with_the_effects_of_its_row_even_at_a_batchs_end() -> None:
    async def script(bench: Bench) -> None:
        events = [PlcDetached(at_us=MonoUs(n), why="") for n in range(2)]
        for n in range(BATCH_LIMIT - 1):
            bench.queue.put(Source.INBOX, InboxRead(InboxSeq(10 + n), (events[0],)))
        bench.queue.put(Source.INBOX, InboxRead(InboxSeq(200), tuple(events)))
        bench.queue.put(Source.INBOX, InboxRead(InboxSeq(201), tuple(events)))
        bench.queue.put(Source.INBOX, InboxRead(InboxSeq(300)))
        bench.loop.drain()

    bench = play(ScriptedCore(), script)
    assert bench.journal.cursors == [200, 300]
    assert [len(items) for items in bench.journal.appended] == [BATCH_LIMIT + 1, 2 + 1]


def test_a_cursor_alone_is_a_commit_and_nothing_at_all_is_none() -> None:
    async def script(bench: Bench) -> None:
        bench.loop.turn([])
        bench.loop.drain()
        bench.journal.appended.clear()
        bench.journal.cursors.clear()
        bench.queue.put(Source.INBOX, InboxRead(InboxSeq(9)))
        bench.loop.drain()
        bench.loop.turn([])

    bench = play(ScriptedCore(), script)
    assert (bench.journal.appended, bench.journal.cursors) == ([()], [9])


def test_the_wall_clock_is_read_at_the_start_and_every_minute() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(130)

    bench = play(ScriptedCore(), script)
    reads = [event for event in bench.core.handled if isinstance(event, ClockRead)]
    assert {read.utc_us for read in reads} == {UtcUs(UTC)}
    assert len(reads) == 3
    assert all(
        CLOCK_EVERY_US <= after.at_us - before.at_us <= CLOCK_EVERY_US + 50_000
        for before, after in pairwise(reads)
    )


def test_the_loop_turns_and_the_heart_beats_though_nothing_arrives() -> None:
    beats: list[int] = []

    async def script(bench: Bench) -> None:
        loop = asyncio.get_running_loop()

        def cycle() -> None:
            beats.append(bench.health.beat())
            loop.call_later(0.1, cycle)

        loop.call_later(0.1, cycle)
        await bench.run(1.05)
        assert bench.journal.appended != []

    play(ScriptedCore(), script)
    assert beats == list(range(1, 11))


def test_decide_to_told_ends_with_the_commit_and_is_written_with_the_next() -> None:
    core = ScriptedCore({"decide": (decided(1_000_005),), "tell": (told(1_020_000),), "next": ()})

    async def script(bench: Bench) -> None:
        bench.post("decide")
        bench.loop.drain()
        bench.post("tell")
        bench.loop.drain()
        await asyncio.sleep(0.030)
        await bench.journal.end()
        assert "ToldTimed" not in bench.kinds()
        bench.post("next")
        bench.loop.drain()
        await bench.journal.end()
        bench.loop.turn([])

    bench = play(core, script)
    timed = [item for item in bench.journal.items if isinstance(item, ToldTimed)]
    assert timed == [
        ToldTimed(at_us=MonoUs(1_030_000), track=TrackId(1), decide_to_told_us=30_000, plc_wait_us=4_000)
    ]
    assert bench.observed.count(timed[0]) == 1
    assert isinstance(bench.journal.appended[-1][0], ToldTimed)
    assert isinstance(bench.journal.appended[-1][1], PlcDetached)


def test_a_telling_whose_decision_was_of_an_earlier_run_is_not_timed() -> None:
    async def script(bench: Bench) -> None:
        bench.post("tell")
        bench.loop.drain()
        await bench.journal.end()
        bench.loop.turn([])

    assert "ToldTimed" not in play(ScriptedCore({"tell": (told(1),)}), script).kinds()


def test_a_slow_store_stops_induction_once_and_lets_it_go_on_once() -> None:
    async def script(bench: Bench) -> None:
        bench.post("x")
        bench.loop.drain()
        await bench.run(0.99)
        assert not any(isinstance(event, HoldRaised) for event in bench.core.handled)
        await bench.run(1.5)
        await bench.journal.end()
        await bench.run(0.5)
        await bench.journal.end()
        await bench.run(0.5)

    with logs() as told_logs:
        bench = play(ScriptedCore(), script)
    holds = [event for event in bench.core.handled if isinstance(event, HoldRaised | HoldCleared)]
    assert [type(hold).__name__ for hold in holds] == ["HoldRaised", "HoldCleared"]
    assert {hold.cause for hold in holds} == {HoldCause.STORE_SLOW}
    assert 2_000_000 < holds[0].at_us <= 2_060_000
    assert [log["event"] for log in told_logs] == ["store is slow: induction off", "store keeps up again"]


def test_rows_that_wait_for_the_disk_stop_induction_too() -> None:
    async def script(bench: Bench) -> None:
        bench.journal.backlog = 100
        bench.loop.turn([])
        assert bench.core.handled == []
        bench.journal.backlog = 101
        bench.loop.turn([])
        bench.loop.drain()

    bench = play(ScriptedCore(), script)
    assert any(isinstance(event, HoldRaised) for event in bench.core.handled)


def test_a_snapshot_comes_after_its_rows_and_counts_those_of_the_run_before() -> None:
    async def script(bench: Bench) -> None:
        bench.loop.begin(STARTED)
        for n in range(12):
            bench.post(str(n))
            bench.loop.drain()

    bench = play(ScriptedCore(), script, limits=Limits(snapshot_rows=6), rows=3)
    assert [rows for rows, _ in bench.journal.snapshots] == [3, 9]
    assert decode(CoreState, bench.journal.snapshots[0][1]) == CoreState()


def test_an_orderly_end_leaves_what_was_measured_and_a_snapshot() -> None:
    core = ScriptedCore({"decide": (decided(1),), "tell": (told(2),)})

    async def script(bench: Bench) -> None:
        for why in ("decide", "tell"):
            bench.post(why)
            bench.loop.drain()
        await bench.journal.end()
        bench.loop.finish()
        assert bench.kinds()[-1] == "ToldTimed"
        assert bench.journal.snapshots == [(len(bench.journal.items), encode(CoreState()).encode())]
        bench.loop.finish()
        assert len(bench.journal.snapshots) == 1, "nothing has been written since"

    play(core, script)


def test_each_commit_rings_the_gateway_once_it_is_durable() -> None:
    async def script(bench: Bench) -> None:
        bench.post("x")
        bench.loop.drain()
        assert bench.rung == 0
        await bench.journal.end()
        assert bench.rung == len(bench.journal.appended)

    play(ScriptedCore(), script)


def test_a_commit_that_fails_ends_the_process_and_tells_nothing() -> None:
    look_up = LookUp(track=TrackId(1), waybill=Waybill("W"))
    core = ScriptedCore({"go": (decided(1), DIVERT, look_up, PermitInduction(on=True))})

    async def script(bench: Bench) -> None:
        bench.post("go")
        bench.loop.drain()
        await bench.journal.fail()

    bench = play(core, script)
    assert {type(error) for error in bench.failed} == {JournalFailed}
    assert (bench.plc.sent, bench.outputs.permitted, bench.rung) == ([], False, 0)


def test_an_append_that_is_refused_ends_the_loop() -> None:
    raised: list[BaseException] = []

    async def script(bench: Bench) -> None:
        bench.journal.broken = True
        bench.post("x")
        try:
            await bench.run(1)
        except JournalFailed as error:
            raised.append(error)

    bench = play(ScriptedCore(), script)
    assert len(raised) == 1
    assert isinstance(bench.core.handled[0], PlcDetached)
    assert not any(isinstance(item, Decided) for item in bench.journal.items)
