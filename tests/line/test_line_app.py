"""The composed line process in virtual time: how it begins, what ends it, and what it leaves."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge import app
from edge.app import LineFailed, VirtualLine, without_clock_steps
from edge.model.events import DeviceWentDown, LineStarted, OrderCancelled
from edge.model.ids import JournalSeq, OrderNo
from edge.model.records import AlarmRaised, CancelAnswered
from edge.ports.byte_stream import LinkFailed
from edge.ports.journal import JournalFailed, JournalItem
from edge.runtime import inbox_follower
from edge.runtime.logs import log_nothing
from edge.store.inbox_writer import InboxWriter
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from line_config.load import load_line
from simulators.loop import VirtualClock, VirtualLoop
from tests.core import store_kit
from tests.core.runtime_kit import logs

LINE = load_line("fast")
UTC = 1_800_000_000_000_000


@pytest.fixture(autouse=True)
def _quiet() -> None:
    log_nothing()


class DeadBus:
    """A PLC that nobody reaches; ``breaks``: an error of ours instead."""

    def __init__(self, breaks: BaseException | None = None) -> None:
        self._breaks = breaks
        self.opened = 0

    async def open(self) -> None:
        self.opened += 1
        if self._breaks is not None and self.opened > 2:
            raise self._breaks
        raise LinkFailed("nobody there")

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        raise LinkFailed("nobody there")

    async def write(self, address: int, values: tuple[int, ...]) -> None:
        raise LinkFailed("nobody there")

    async def close(self) -> None:
        return None


def run(
    data: Path,
    for_s: float,
    *,
    bus: DeadBus | None = None,
    commit_us: int = 1_000,
    before_commit: Callable[[JournalSeq], None] = lambda _seq: None,
    meanwhile: Callable[[VirtualLine], None] = lambda _line: None,
) -> tuple[VirtualLine, BaseException | None]:
    """One life of the process, ended in order unless it ends by itself."""
    loop = VirtualLoop()

    async def main() -> tuple[VirtualLine, BaseException | None]:
        line = VirtualLine(
            LINE,
            data,
            bus=bus or DeadBus(),
            scale=None,
            serial={},
            settled=loop.call_settled,
            clock=VirtualClock(loop, utc_at_zero_us=UTC),
            commit_us=lambda: commit_us,
            answer_us=lambda: 500,
            before_commit=before_commit,
            after_commit=lambda _seq: None,
            shadow=without_clock_steps(LINE.topology),
        )
        ended: BaseException | None = None
        loop.call_later(0.5, meanwhile, line)
        try:
            async with asyncio.timeout(for_s):
                await line.run()
        except TimeoutError:
            pass
        except (LineFailed, JournalFailed) as error:
            ended = error
        try:
            await line.close()
        except JournalFailed as error:
            ended = ended or error
        return line, ended

    return loop.run(main())


def items(data: Path) -> list[JournalItem]:
    reader = JournalReader(Places(data).journal)
    found = [row.item() for row in reader.rows(JournalSeq(0))]
    reader.close()
    return found


def test_every_cancel_that_stands_is_in_before_the_devices_are(tmp_path: Path) -> None:
    many = inbox_follower.ROWS_AT_ONCE + 20
    places = Places(tmp_path)
    places.inbox.parent.mkdir(parents=True)
    inbox = InboxWriter(places.inbox)
    inbox.put_orders(
        [store_kit.put(f"p{n}", store_kit.order(f"A-{n}", waybills=(f"W{n}",))) for n in range(many)]
    )
    for n in range(many):
        inbox.cancel(store_kit.message(f"c{n}"), OrderNo(f"A-{n}"))
    run(tmp_path, 5)
    found = items(tmp_path)
    kinds = [type(item) for item in found]
    assert kinds[0] is LineStarted
    assert kinds.count(OrderCancelled) == many
    last_cancel = len(kinds) - 1 - kinds[::-1].index(OrderCancelled)
    assert last_cancel < kinds.index(DeviceWentDown)
    answers = [item for item in found if isinstance(item, CancelAnswered) and item.final]
    assert [answer.message_id for answer in answers] == [f"c{n}" for n in range(many)]
    run(tmp_path, 1)
    again = [type(item) for item in items(tmp_path)[len(found) :]]
    assert OrderCancelled not in again, "the cursor was committed with them"
    inbox.close()


def test_a_cancel_arriving_later_is_answered_within_the_gateways_patience(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.inbox.parent.mkdir(parents=True)
    inbox = InboxWriter(places.inbox)
    inbox.put_orders([store_kit.put("p", store_kit.order("A-1"))])
    loop = VirtualLoop()

    async def main() -> tuple[int, int]:
        line = VirtualLine(
            LINE,
            tmp_path,
            bus=DeadBus(),
            scale=None,
            serial={},
            settled=loop.call_settled,
            clock=VirtualClock(loop, utc_at_zero_us=UTC),
            commit_us=lambda: 1_000,
            answer_us=lambda: 500,
            before_commit=lambda _seq: None,
            after_commit=lambda _seq: None,
            shadow=without_clock_steps(LINE.topology),
        )
        asked_us = 0

        def cancel() -> None:
            nonlocal asked_us
            asked_us = loop.now_us()
            inbox.cancel(store_kit.message("c"), OrderNo("A-1"))
            line.ring()

        loop.call_later(2.03, cancel)
        try:
            async with asyncio.timeout(4):
                await line.run()
        except TimeoutError:
            pass
        await line.close()
        (answer,) = [item for item in items(tmp_path) if isinstance(item, CancelAnswered)]
        return asked_us, answer.at_us

    asked_us, answered_us = loop.run(main())
    assert 0 < answered_us - asked_us < 20_000
    inbox.close()


def test_a_store_that_stands_is_sent_no_more_of_the_inbox_than_it_may_hold(tmp_path: Path) -> None:
    """A day of cancels behind a disk that takes 2 s for a commit: what is not durable stays bounded, and all
    of them are answered in the end."""
    many = 6_000
    places = Places(tmp_path)
    places.inbox.parent.mkdir(parents=True)
    inbox = InboxWriter(places.inbox, durable=False)
    backlogs: list[int] = []

    def flood(line: VirtualLine) -> None:
        for n in range(many):
            inbox.cancel(store_kit.message(f"c{n}"), OrderNo(f"A-{n}"))
        line.ring()
        loop = asyncio.get_running_loop()
        for tenths in range(1_000):
            loop.call_later(tenths / 10, lambda: backlogs.append(line.app.loop.backlog))

    run(tmp_path, 100, commit_us=2_000_000, meanwhile=flood)
    limit = LINE.store.max_backlog_rows
    assert limit < max(backlogs) < app.RING_ROOM_ROWS, "the PLC's ring is read all the same"
    answers = [item for item in items(tmp_path) if isinstance(item, CancelAnswered) and item.final]
    assert len(answers) == many
    inbox.close()


def test_an_orderly_end_leaves_a_snapshot_of_the_last_row(tmp_path: Path) -> None:
    _, ended = run(tmp_path, 3)
    assert ended is None
    reader = JournalReader(Places(tmp_path).journal)
    kept = reader.recovery()
    assert kept.snapshot_seq == kept.last_seq > 3
    reader.close()


def test_a_link_that_breaks_by_an_error_of_ours_ends_the_process_with_its_cause(tmp_path: Path) -> None:
    bug = ZeroDivisionError("a bug")
    line, ended = run(tmp_path, 60, bus=DeadBus(bug))
    assert isinstance(ended, LineFailed)
    assert "link plc" in str(ended)
    assert ended.__cause__ is bug
    before = line.app.health.beat()
    line.app.health.progress()
    assert line.app.health.beat() == before, "the heartbeat stands"


def test_a_callback_that_raises_ends_the_process_too(tmp_path: Path) -> None:
    """asyncio would only log it, and go on without what the callback was to do."""
    bug = ZeroDivisionError("a bug")

    def raises(line: VirtualLine) -> None:
        context = {"message": "Exception in callback tell_plc()", "exception": bug}
        line.app.callback_raised(asyncio.get_running_loop(), context)

    line, ended = run(tmp_path, 60, meanwhile=raises)
    assert isinstance(ended, LineFailed)
    assert "tell_plc" in str(ended)
    assert ended.__cause__ is bug
    assert line.app.health.failed


def test_what_a_connection_raises_is_its_links_affair(tmp_path: Path) -> None:
    def raises(line: VirtualLine) -> None:
        context = {"message": "Fatal error", "exception": ValueError("odd bytes"), "transport": object()}
        with logs() as told:
            line.app.callback_raised(asyncio.get_running_loop(), context)
        assert [(log["event"], log["cause"]) for log in told] == [
            ("a connection broke", "ValueError('odd bytes')")
        ]

    line, ended = run(tmp_path, 2, meanwhile=raises)
    assert ended is None
    assert not line.app.health.failed


def test_a_commit_that_fails_ends_the_process_and_its_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "GATHERED_ROWS", 0)

    def full(seq: JournalSeq) -> None:
        if seq > 3:
            with closing(sqlite3.connect(Places(tmp_path).journal)) as other:
                other.execute("DROP TABLE event")

    line, ended = run(tmp_path, 60, before_commit=full)
    assert isinstance(ended, JournalFailed)
    assert "no such table: event" in str(ended)
    assert line.app.health.failed


def test_a_record_that_this_build_would_not_have_made_is_said_at_the_start(tmp_path: Path) -> None:
    run(tmp_path, 3)
    with closing(sqlite3.connect(Places(tmp_path).journal)) as database, database:
        database.execute("DELETE FROM snapshot")
        database.execute("DELETE FROM event WHERE kind='AlarmRaised'")
    before = len(items(tmp_path))
    run(tmp_path, 1)
    started, *rest = items(tmp_path)[before:]
    assert isinstance(started, LineStarted)
    assert started.replay_differs
    assert any(isinstance(item, AlarmRaised) and item.kind == "replay_differs" for item in rest)


def test_each_run_says_which_build_and_configuration_decide(tmp_path: Path) -> None:
    run(tmp_path, 1)
    started = items(tmp_path)[0]
    assert isinstance(started, LineStarted)
    assert started.build
    assert len(started.config_hash) == 16
    assert not started.replay_differs
