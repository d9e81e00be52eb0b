"""Commands on their way: order, one unacknowledged, sequences, what a reconnect and a refusal change."""

import pytest

from drivers.codecs.plc import WrongBlock
from drivers.links.plc.command_lane import QUEUE_LIMIT, RESENDS, CommandLane
from edge.model.commands import Revoke, SendDivert
from edge.model.divert import CommandStatus
from edge.model.events import CommandAnswered
from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber, RingSeq, TrackId
from edge.model.register_map import PlcBits, PlcStatus, StateBit
from edge.model.units import MonoUs, Ticks
from tests.clauses import clause

EPOCH, NUMBER, EXIT, FLAGS, CRC, SEQ = 0, 2, 3, 4, 5, 6
"""Words of the command block (the number's low word)."""


def status(seq: int = 0, answer: int = 0, crc: int = 0, epoch: int = 7) -> PlcStatus:
    return PlcStatus(
        epoch=BootEpoch(epoch),
        heartbeat=1,
        heartbeat_echo=1,
        plc_ms=1,
        ticks=Ticks(1),
        bits=PlcBits(
            state=StateBit.RUN, exits_full=0, diverters_home=0, zones_held=0, zones_untrusted=0, gates=0
        ),
        eyes_occupied=0,
        last_seq=CommandSeq(seq),
        last_status=answer,
        last_crc=crc,
        ring_head=RingSeq(0),
    )


def divert(number: int, *, to: int = 2, epoch: int = 7) -> SendDivert:
    return SendDivert(
        track=TrackId(100 + number), epoch=BootEpoch(epoch), number=PlcNumber(number), exit=ExitNo(to)
    )


def revoke(number: int, *, epoch: int = 7) -> Revoke:
    return Revoke(
        track=TrackId(100 + number), epoch=BootEpoch(epoch), number=PlcNumber(number), end=ExitNo(4)
    )


def lane_with(*commands: SendDivert | Revoke, last_seq: int = 100) -> CommandLane:
    lane = CommandLane()
    lane.attach(status(last_seq))
    for command in commands:
        lane.put(command, MonoUs(1_000))
    return lane


def answered(lane: CommandLane, words: tuple[int, ...], answer: CommandStatus) -> CommandAnswered | None:
    """The PLC judged the block: a refusal by CRC or sequence leaves its last sequence."""
    taken = answer not in (CommandStatus.REFUSED_CRC, CommandStatus.REFUSED_SEQ)
    return lane.judge(status(words[SEQ] if taken else 100, answer, words[CRC]), MonoUs(5_000))


def written(lane: CommandLane) -> tuple[int, ...]:
    assert lane.ready
    return lane.take()


@clause("CMD-9", "CMD-10")
def test_one_at_a_time_in_order_under_the_sequences_that_follow_the_plcs() -> None:
    lane = lane_with(divert(1), divert(2, to=3))
    first = written(lane)
    assert (first[EPOCH], first[NUMBER], first[EXIT], first[FLAGS], first[SEQ]) == (7, 1, 2, 0, 101)
    assert lane.awaiting
    assert not lane.ready
    assert lane.judge(status(100, 1, 0xBEEF), MonoUs(2_000)) is None
    got = answered(lane, first, CommandStatus.APPLIED)
    assert got == CommandAnswered(
        at_us=MonoUs(5_000),
        track=TrackId(101),
        epoch=BootEpoch(7),
        number=PlcNumber(1),
        exit=ExitNo(2),
        revoke=False,
        seq=CommandSeq(101),
        status=CommandStatus.APPLIED,
        waited_us=4_000,
    )
    second = written(lane)
    assert (second[NUMBER], second[EXIT], second[SEQ]) == (2, 3, 102)


@clause("CMD-10")
def test_the_sequence_skips_zero() -> None:
    lane = lane_with(divert(1), divert(2), last_seq=65_534)
    first = written(lane)
    assert answered(lane, first, CommandStatus.APPLIED) is not None
    assert (first[SEQ], written(lane)[SEQ]) == (65_535, 1)


@clause("CMD-13")
def test_a_revoke_goes_to_the_end_with_its_flag() -> None:
    lane = lane_with(revoke(1))
    words = written(lane)
    assert (words[EXIT], words[FLAGS]) == (4, 1)
    got = answered(lane, words, CommandStatus.PASSED)
    assert got is not None
    assert (got.revoke, got.exit, got.status) == (True, 4, CommandStatus.PASSED)


@clause("CMD-12")
def test_a_revoke_replaces_its_unsent_divert_and_no_other() -> None:
    lane = lane_with(divert(1), divert(2), divert(3))
    first = written(lane)
    lane.put(revoke(2), MonoUs(2_000))
    assert answered(lane, first, CommandStatus.APPLIED) is not None
    third = written(lane)
    assert (third[NUMBER], third[FLAGS]) == (3, 0)
    assert answered(lane, third, CommandStatus.APPLIED) is not None
    last = written(lane)
    assert (last[NUMBER], last[FLAGS]) == (2, 1)


def test_the_same_command_twice_is_one() -> None:
    lane = lane_with(divert(1), divert(1))
    first = written(lane)
    lane.put(divert(1), MonoUs(2_000))
    assert answered(lane, first, CommandStatus.APPLIED) is not None
    assert not lane.ready


@clause("CMD-9")
@pytest.mark.parametrize(
    "answer",
    [
        status(101, 1, 0xBEEF),
        status(101, 0, 0),
        status(100, 1, 1),
    ],
)
def test_another_blocks_answer_is_not_taken(answer: PlcStatus) -> None:
    lane = lane_with(divert(1))
    written(lane)
    assert lane.judge(answer, MonoUs(2_000)) is None
    assert lane.awaiting


@clause("CMD-9")
def test_the_same_crc_under_another_sequence_is_not_taken_unless_it_is_a_refusal() -> None:
    lane = lane_with(divert(1))
    crc = written(lane)[CRC]
    assert lane.judge(status(99, CommandStatus.APPLIED, crc), MonoUs(2_000)) is None


def test_an_answer_that_the_contract_lacks_is_theirs() -> None:
    lane = lane_with(divert(1))
    words = written(lane)
    with pytest.raises(WrongBlock, match="77"):
        lane.judge(status(words[SEQ], 77, words[CRC]), MonoUs(2_000))


@clause("CMD-11")
def test_after_a_reconnect_the_unanswered_one_goes_out_again_under_its_own_sequence() -> None:
    lane = lane_with(divert(1), divert(2))
    first = written(lane)
    lane.attach(status(100))
    assert written(lane) == first
    assert answered(lane, first, CommandStatus.APPLIED) is not None
    assert written(lane)[SEQ] == 102


@clause("CMD-11")
@pytest.mark.parametrize("last_seq", [101, 102, 200])
def test_under_a_fresh_sequence_if_its_own_is_no_longer_newer(last_seq: int) -> None:
    lane = lane_with(divert(1))
    first = written(lane)
    lane.attach(status(last_seq, 1, 0xBEEF))
    again = written(lane)
    assert (again[:5], again[SEQ]) == (first[:5], last_seq + 1)


@clause("CMD-11")
def test_a_block_that_was_judged_meanwhile_is_answered_and_not_sent_again() -> None:
    lane = lane_with(divert(1))
    first = written(lane)
    judged = status(first[SEQ], CommandStatus.TOO_LATE, first[CRC])
    lane.attach(judged)
    assert not lane.ready
    got = lane.judge(judged, MonoUs(9_000))
    assert got is not None
    assert got.status is CommandStatus.TOO_LATE


@clause("CMD-12")
def test_a_divert_that_would_go_out_again_yields_to_its_revoke() -> None:
    lane = lane_with(divert(1))
    written(lane)
    lane.put(revoke(1), MonoUs(2_000))
    lane.attach(status(100))
    words = written(lane)
    assert (words[NUMBER], words[FLAGS]) == (1, 1)
    assert answered(lane, words, CommandStatus.APPLIED) is not None
    assert not lane.ready


@clause("ID-2")
def test_a_new_epoch_drops_everything_of_the_old_one() -> None:
    lane = lane_with(divert(1), divert(2))
    written(lane)
    lane.attach(status(0, epoch=8))
    assert not lane.ready
    assert not lane.awaiting
    lane.put(divert(1, epoch=8), MonoUs(3_000))
    assert written(lane)[SEQ] == 1


def test_forgetting_an_epoch_forgets_the_block_that_is_out() -> None:
    lane = lane_with(divert(1), divert(2))
    words = written(lane)
    lane.forget(7)
    assert not lane.ready
    assert answered(lane, words, CommandStatus.APPLIED) is None


@clause("CMD-9")
@pytest.mark.parametrize("refusal", [CommandStatus.REFUSED_CRC, CommandStatus.REFUSED_SEQ])
def test_a_block_that_was_not_taken_goes_out_again_under_a_fresh_sequence_and_not_for_ever(
    refusal: CommandStatus,
) -> None:
    lane = lane_with(divert(1))
    seqs = []
    got = None
    while got is None:
        words = written(lane)
        seqs.append(words[SEQ])
        got = answered(lane, words, refusal)
    assert seqs == [101, 102, 103][: RESENDS + 1]
    assert got.status is refusal
    lane.put(divert(2), MonoUs(6_000))
    assert written(lane)[SEQ] == 105


def test_after_a_refused_sequence_the_plcs_own_leads() -> None:
    lane = lane_with(divert(1))
    words = written(lane)
    assert lane.judge(status(20_000, CommandStatus.REFUSED_SEQ, words[CRC]), MonoUs(2_000)) is None
    assert written(lane)[SEQ] == 20_001


def test_the_queue_has_a_limit() -> None:
    lane = lane_with(*(divert(n) for n in range(1, QUEUE_LIMIT + 1)))
    with pytest.raises(OverflowError):
        lane.put(divert(QUEUE_LIMIT + 1), MonoUs(1))
