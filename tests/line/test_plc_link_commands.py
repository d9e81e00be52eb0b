"""Commands over the link: written, read back, answered once, whatever happens to the wire."""

import asyncio
from itertools import pairwise

import pytest

from edge.model.commands import Revoke, SendDivert
from edge.model.divert import CommandStatus
from edge.model.events import CommandAnswered, PlcAttached
from edge.model.ids import BootEpoch, ExitNo, PlcNumber, RingSeq, TrackId
from edge.model.units import Ticks
from edge.ports.plc import RingMark
from tests.clauses import clause
from tests.core.plc_golden import BASES
from tests.line.plc_link_bank import BankPlc, now_us
from tests.line.test_plc_link import Rig


def divert(number: int, *, to: int = 2, epoch: int = 7) -> SendDivert:
    return SendDivert(
        track=TrackId(100 + number), epoch=BootEpoch(epoch), number=PlcNumber(number), exit=ExitNo(to)
    )


def revoke(number: int) -> Revoke:
    return Revoke(track=TrackId(100 + number), epoch=BootEpoch(7), number=PlcNumber(number), end=ExitNo(4))


@clause("CMD-9", "CMD-15", "LINK-15")
def test_a_command_goes_out_at_once_and_is_answered_by_its_read_back() -> None:
    sent: list[int] = []

    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.165)
        sent.append(now_us())
        rig.link.send(divert(18, to=3))
        await asyncio.sleep(0.03)

    rig = Rig().run(script)
    (asked,) = [at for at, _, address, _ in rig.bus.log if address == BASES["command"]]
    assert asked == sent[0]
    (answer,) = rig.seen.of(CommandAnswered)
    assert (answer.number, answer.exit, answer.status, answer.seq) == (18, 3, CommandStatus.APPLIED, 1)
    assert answer.waited_us == answer.at_us - sent[0]
    assert answer.waited_us <= 3 * 5_000 + 5_000


@clause("CMD-9", "LINK-4")
def test_a_burst_is_told_one_by_one_and_each_once() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.2)
        for number in range(1, 21):
            rig.link.send(divert(number))
        await asyncio.sleep(1)

    rig = Rig().run(script)
    assert [command["number"] for command in rig.plc.commands] == list(range(1, 21))
    assert [answer.number for answer in rig.seen.of(CommandAnswered)] == list(range(1, 21))
    order = [name for _, name, address, _ in rig.bus.log if address in (BASES["command"], BASES["status"])]
    assert "write,write" not in ",".join(order), "a second command before the first was read back"


@clause("REG-5")
def test_a_burst_of_commands_never_postpones_the_cycle_twice() -> None:
    async def script(rig: Rig) -> None:
        for number in range(1, 60):
            rig.link.send(divert(number))
        await asyncio.sleep(5)

    rig = Rig(turnaround_ms=20).run(script)
    asked = [at for at, _, address, _ in rig.bus.log if address == BASES["pc_status"]]
    assert max(later - sooner for sooner, later in pairwise(asked)) <= 140_000
    assert len(rig.seen.of(CommandAnswered)) == 59


@clause("CMD-11")
@pytest.mark.parametrize("number", range(3, 9))
def test_a_fault_at_any_request_of_a_command_leaves_one_answer(number: int) -> None:
    async def script(rig: Rig) -> None:
        rig.bus.fail_at = {number}
        await asyncio.sleep(0.02)
        rig.link.send(divert(18))
        rig.link.send(divert(19))
        await asyncio.sleep(1)

    rig = Rig().run(script)
    assert len(rig.ends) == 1
    assert [(a.number, a.status) for a in rig.seen.of(CommandAnswered)] == [
        (18, CommandStatus.APPLIED),
        (19, CommandStatus.APPLIED),
    ]
    exits = {(command["number"], command["exit"]) for command in rig.plc.commands}
    assert exits == {(18, 2), (19, 2)}


@clause("CMD-11", "ID-4")
def test_commands_given_while_the_link_is_down_go_out_when_it_is_back() -> None:
    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        rig.bus.refuses = 5
        rig.bus.fail_at = {len(rig.bus.log)}
        await asyncio.sleep(0.4)
        rig.link.send(divert(18))
        await asyncio.sleep(1)

    rig = Rig().run(script)
    (answer,) = rig.seen.of(CommandAnswered)
    assert answer.status is CommandStatus.APPLIED
    assert answer.waited_us > 100_000


@clause("CMD-12")
def test_outstanding_commands_of_a_restarted_process_are_sent_again_and_a_revoke_alone() -> None:
    async def script(rig: Rig) -> None:
        rig.link.send(divert(18))
        rig.link.send(divert(19))
        rig.link.send(revoke(19))
        await asyncio.sleep(1)

    plc = BankPlc()
    plc.answered(500, CommandStatus.APPLIED, 0x1234)
    resume = RingMark(epoch=BootEpoch(7), ring_last=RingSeq(0), ticks=Ticks(0))
    rig = Rig(plc, resume=resume).run(script)
    assert [(c["number"], c["flags"], c["seq"]) for c in rig.plc.commands] == [(18, 0, 501), (19, 1, 502)]
    assert [(a.number, a.revoke) for a in rig.seen.of(CommandAnswered)] == [(18, False), (19, True)]


@clause("ID-2")
def test_nothing_of_an_old_epoch_is_sent() -> None:
    async def script(rig: Rig) -> None:
        rig.link.send(divert(18))
        await asyncio.sleep(0.3)
        rig.link.send(divert(19))
        rig.link.send(divert(20, epoch=8))
        await asyncio.sleep(0.3)
        rig.link.forget(7)

    resume = RingMark(epoch=BootEpoch(7), ring_last=RingSeq(0), ticks=Ticks(0))
    rig = Rig(BankPlc(epoch=8), resume=resume).run(script)
    assert [(c["epoch"], c["number"]) for c in rig.plc.commands] == [(8, 20)]
    assert rig.seen.of(PlcAttached)[0].epoch == 8


@clause("CMD-9")
def test_a_block_that_is_never_judged_ends_the_session_and_goes_out_again() -> None:
    judged: list[int] = []

    def judge(command: dict[str, int]) -> int | None:
        judged.append(command["seq"])
        return None if len(judged) == 1 else 1

    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        rig.link.send(divert(18))
        await asyncio.sleep(2)

    rig = Rig(BankPlc(judge=judge)).run(script)
    assert "does not judge" in rig.ends[0][1]
    assert judged == [1, 1]
    (answer,) = rig.seen.of(CommandAnswered)
    assert answer.status is CommandStatus.APPLIED


@clause("CMD-9")
def test_a_torn_block_is_written_again() -> None:
    seqs: list[int] = []

    def judge(command: dict[str, int]) -> int:
        seqs.append(command["seq"])
        return int(CommandStatus.REFUSED_CRC if len(seqs) == 1 else CommandStatus.APPLIED)

    async def script(rig: Rig) -> None:
        await asyncio.sleep(0.1)
        rig.link.send(divert(18))
        await asyncio.sleep(0.5)

    rig = Rig(BankPlc(judge=judge)).run(script)
    assert seqs == [1, 2]
    assert [a.status for a in rig.seen.of(CommandAnswered)] == [CommandStatus.APPLIED]


@clause("LINK-14", "CMD-16")
@pytest.mark.parametrize("read_write", [False, True])
@pytest.mark.parametrize("turnaround_ms", [5, 20, 100, 200])
def test_a_command_reaches_the_plc_as_soon_as_the_deadlines_formula_says(
    turnaround_ms: int, read_write: bool
) -> None:
    """(3 + 2q) turnarounds at most with q = 1 command before it, whenever it comes."""
    sent: list[int] = []

    async def script(rig: Rig) -> None:
        await asyncio.sleep(1)
        for n in range(40):
            rig.plc.put(1, 2, arg=300, number=1 + n, ticks=rig.plc.ticks())
            rig.link.send(divert(2 * n + 1))
            rig.link.send(divert(2 * n + 2))
            sent.extend([now_us()] * 2)
            await asyncio.sleep(1.7 + n * 0.013)

    rig = Rig(BankPlc(judge_after_us=4_000), turnaround_ms=turnaround_ms, read_write=read_write).run(script)
    assert rig.ends == []
    assert len(rig.seen.of(CommandAnswered)) == 80
    late = [command["at_us"] - at for command, at in zip(rig.plc.commands, sent, strict=True)]
    assert max(late) <= 5 * turnaround_ms * 1000
