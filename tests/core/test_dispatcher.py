"""Durable before told: what commands or asks waits for its commit, what only restricts does not."""

import asyncio

import pytest

from edge.model.alarm import AlarmKind
from edge.model.commands import (
    ArchiveImage,
    CaptureStatic,
    CaptureWeight,
    CaptureZero,
    EnableExits,
    LineCommand,
    LookUp,
    LookUpPlace,
    PermitInduction,
    Record,
    RequestPurge,
    RequestStop,
    Revoke,
    SendDivert,
    SetIndicators,
    SetZero,
    SetZone,
)
from edge.model.events import WakePurpose
from edge.model.ids import (
    ExitNo,
    InboxSeq,
    JournalSeq,
    OrderNo,
    PlcNumber,
    ReaderId,
    ScaleId,
    TrackId,
    Waybill,
    ZoneNo,
)
from edge.model.records import AlarmCleared
from edge.model.register_map import ModeBit
from edge.model.units import MonoUs, Ticks
from edge.ports.journal import JournalFailed
from edge.runtime.belt_watch import BeltWatch
from edge.runtime.dispatcher import Dispatcher
from edge.runtime.health import Health
from edge.runtime.look_ups import LookUps
from edge.runtime.outputs import Outputs
from tests.core.core_line import DEMO
from tests.core.runtime_kit import EPOCH, Posted, SentCommands, clock, wake

DIVERT = SendDivert(track=TrackId(1), epoch=EPOCH, number=PlcNumber(9), exit=ExitNo(2))
REVOKE = Revoke(track=TrackId(1), epoch=EPOCH, number=PlcNumber(9), end=ExitNo(10))
LOOK_UP = LookUp(track=TrackId(1), waybill=Waybill("W"))
PLACE = LookUpPlace(inbox_seq=InboxSeq(3), order_no=OrderNo("O"), waybills=(Waybill("W"),))
PERMIT, FORBID = PermitInduction(on=True), PermitInduction(on=False)
HOLD = SetZone(zone=ZoneNo(1), hold=True, number=PlcNumber(9))
EXITS = EnableExits(bits=5)
SCALE = ScaleId("scale")
KEEP = ArchiveImage(
    track=TrackId(1),
    epoch=EPOCH,
    number=PlcNumber(9),
    reader=ReaderId("top"),
    from_ticks=Ticks(1),
    to_ticks=Ticks(2),
)


class Bench:
    def __init__(self) -> None:
        self.plc = SentCommands()
        self.posted = Posted()
        self.outputs = Outputs(Health())
        self.belt = BeltWatch(DEMO, clock(), self.posted, EPOCH)
        self.asked: list[LookUp | LookUpPlace] = []
        look_ups = LookUps(None, self.posted, clock())  # type: ignore[arg-type]
        look_ups.ask = self.asked.append  # type: ignore[method-assign,assignment]
        self.failed: list[BaseException] = []
        self.zeroed: list[ScaleId] = []
        self.archived: list[ArchiveImage] = []
        self.dispatcher = Dispatcher(
            plc=self.plc,
            belt=self.belt,
            outputs=self.outputs,
            look_ups=look_ups,
            set_zero=lambda: self.zeroed.append(SCALE),
            archive=self.archived.append,
            failed=self.failed.append,
        )

    def give(self, *commands: LineCommand) -> "asyncio.Future[JournalSeq]":
        commit: asyncio.Future[JournalSeq] = asyncio.get_running_loop().create_future()
        self.dispatcher.when_durable(self.dispatcher.at_once(list(commands)), commit)
        return commit

    def state(self) -> tuple[ModeBit, int, int]:
        out = self.outputs.read()
        return out.mode, out.exits_enabled, out.zones_hold


async def done(commit: "asyncio.Future[JournalSeq]") -> None:
    commit.set_result(JournalSeq(1))
    await asyncio.sleep(0)


async def test_commands_and_questions_wait_for_the_commit_and_keep_their_order() -> None:
    bench = Bench()
    commit = bench.give(DIVERT, LOOK_UP, PERMIT, HOLD, EXITS, PLACE, REVOKE)
    await asyncio.sleep(0)
    assert (bench.plc.sent, bench.asked, bench.state()) == ([], [], (ModeBit(0), 0, 0))
    await done(commit)
    assert bench.plc.sent == [DIVERT, REVOKE]
    assert bench.asked == [LOOK_UP, PLACE]
    assert bench.state() == (ModeBit.PERMIT_INDUCTION, 5, 1)


async def test_what_restricts_and_what_the_runtime_does_itself_waits_for_nothing() -> None:
    bench = Bench()
    await done(bench.give(PERMIT))
    bench.give(
        FORBID,
        RequestPurge(on=True),
        RequestStop(on=True),
        SetIndicators(bits=4),
        wake(WakePurpose.DECIDE, 1, ticks=10),
        CaptureWeight(
            track=TrackId(1), scale=SCALE, on_ticks=Ticks(0), from_ticks=Ticks(1), to_ticks=Ticks(2)
        ),
        CaptureZero(scale=SCALE, from_ticks=Ticks(1), to_ticks=Ticks(2)),
        SetZero(scale=SCALE),
        KEEP,
        CaptureStatic(track=TrackId(1), scale=SCALE, until_us=MonoUs(10**15)),
    )
    out = bench.outputs.read()
    assert (out.mode, out.indicators) == (ModeBit.REQUEST_PURGE | ModeBit.REQUEST_STOP, 4)
    assert len(bench.belt.wakes) == 1
    assert bench.zeroed == [SCALE]
    assert bench.archived == [KEEP]
    bench.belt.close()


async def test_a_permit_that_waits_is_void_once_induction_is_switched_off() -> None:
    bench = Bench()
    slow = bench.give(PERMIT)
    bench.give(FORBID)
    await done(slow)
    assert not bench.outputs.permitted


async def test_only_the_last_permit_counts_and_only_with_its_own_commit() -> None:
    bench = Bench()
    first, _, second = bench.give(PERMIT), bench.give(FORBID), bench.give(PermitInduction(on=True))
    await done(first)
    assert not bench.outputs.permitted
    await done(second)
    assert bench.outputs.permitted


async def test_of_a_commit_that_failed_nothing_is_told() -> None:
    bench = Bench()
    commit = bench.give(DIVERT, LOOK_UP, PERMIT)
    error = JournalFailed("disk")
    commit.set_exception(error)
    await asyncio.sleep(0)
    assert bench.failed == [error]
    assert (bench.plc.sent, bench.asked, bench.outputs.permitted) == ([], [], False)


async def test_a_process_that_is_gone_tells_nothing() -> None:
    bench = Bench()
    commit = bench.give(DIVERT, PERMIT)
    commit.cancel()
    await asyncio.sleep(0)
    assert (bench.failed, bench.plc.sent, bench.outputs.permitted) == ([], [], False)


async def test_a_record_is_no_command() -> None:
    body = AlarmCleared(at_us=MonoUs(1), kind=AlarmKind.JAM, subject="")
    with pytest.raises(AssertionError, match="records go into the commit"):
        Bench().give(Record(body=body))
