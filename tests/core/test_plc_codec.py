"""The PLC blocks: the contract's golden words, every word order, and nothing taken that is not allowed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.codecs.crc16 import crc16
from drivers.codecs.plc import WrongBlock
from drivers.codecs.plc.command import command_crc, encode_command, is_newer, next_seq
from drivers.codecs.plc.identity import SIZE as IDENTITY_SIZE
from drivers.codecs.plc.identity import decode_identity
from drivers.codecs.plc.pc_status import SIZE as PC_STATUS_SIZE
from drivers.codecs.plc.pc_status import encode_pc_status
from drivers.codecs.plc.ring import RingSlot, decode_slot, entry_of, slot_index
from drivers.codecs.plc.status import SIZE as STATUS_SIZE
from drivers.codecs.plc.status import decode_status
from drivers.codecs.plc.words import put_u16, put_u32, u32
from edge.model.divert import AbortCause, ConfirmReason, RingKind
from edge.model.events import (
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    EyePassed,
    GatePassed,
    JamDetected,
    ParcelLost,
    ParcelUnexpected,
)
from edge.model.ids import BootEpoch, CommandSeq, ExitNo, EyeNo, GateNo, PlcNumber, RingSeq
from edge.model.register_map import ModeBit, PcStatus, PlcCommand, WordOrder
from edge.model.review import GateLane
from edge.model.units import Mm, MonoUs, Ticks
from tests.clauses import clause
from tests.core import plc_golden as golden

ORDERS = list(WordOrder)
GOOD_IDENTITY = golden.IDENTITY[0].words
GOOD_STATUS = golden.STATUS[0].words
GOOD_SLOT = golden.SLOTS[0].words


def changed(words: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*words[:at], value, *words[at + 1 :])


@clause("ID-7", "ID-8")
@pytest.mark.parametrize("row", golden.IDENTITY, ids=lambda row: row.order.value)
def test_identity_words(row: golden.IdentityRow) -> None:
    identity = decode_identity(row.words, row.order)
    assert identity == row.meaning
    assert identity.map_hash == row.map_hash


@pytest.mark.parametrize("row", golden.STATUS, ids=lambda row: row.order.value)
def test_status_words(row: golden.StatusRow) -> None:
    assert decode_status(row.words, row.order) == row.meaning


@pytest.mark.parametrize("row", golden.SLOTS, ids=lambda row: f"{row.order.value} {row.ring_seq}")
def test_ring_words(row: golden.SlotRow) -> None:
    assert decode_slot(row.words, row.order) == RingSlot(
        ring_seq=RingSeq(row.ring_seq),
        kind=RingKind(row.kind),
        point=row.point,
        arg=row.arg,
        number=PlcNumber(row.number),
        ticks=row.ticks,
        plc_ms=row.plc_ms,
    )


@pytest.mark.parametrize("row", golden.PC_STATUS, ids=lambda row: row.order.value)
def test_pc_status_words(row: golden.PcStatusRow) -> None:
    assert encode_pc_status(row.meaning, row.order) == row.words


@pytest.mark.parametrize("row", golden.COMMANDS, ids=lambda row: str(row.meaning.seq))
def test_command_words_and_their_crc(row: golden.CommandRow) -> None:
    assert encode_command(row.meaning) == row.words
    assert command_crc((*row.words[:5], row.words[6])) == row.crc


def test_sizes_are_the_contracts() -> None:
    ours = {"identity": IDENTITY_SIZE, "status": STATUS_SIZE, "ring": 10, "pc_status": PC_STATUS_SIZE}
    assert {**ours, "command": len(golden.COMMANDS[0].words)} == golden.SIZES


@given(value=st.integers(0, 2**32 - 1), order=st.sampled_from(ORDERS))
@settings(max_examples=100)
def test_a_u32_survives_each_word_order(value: int, order: WordOrder) -> None:
    assert u32(put_u32(value, order), 0, order) == value


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (WordOrder.ABCD, (0x0A0B, 0x0C0D)),
        (WordOrder.CDAB, (0x0C0D, 0x0A0B)),
        (WordOrder.BADC, (0x0B0A, 0x0D0C)),
        (WordOrder.DCBA, (0x0D0C, 0x0B0A)),
    ],
)
def test_word_orders_by_hand(order: WordOrder, words: tuple[int, int]) -> None:
    assert put_u32(0x0A0B_0C0D, order) == words
    assert u32((9, *words), 1, order) == 0x0A0B_0C0D


@pytest.mark.parametrize("value", [-1, 2**32])
def test_what_does_not_fit_is_our_error(value: int) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        put_u32(value, WordOrder.ABCD)
    with pytest.raises(ValueError, match="16-bit"):
        put_u16(value)


def test_the_crc_is_modbus() -> None:
    assert crc16(b"123456789") == 0x4B37
    assert crc16(b"") == 0xFFFF


WRONG_IDENTITIES = {
    "too short": (GOOD_IDENTITY[:15], "15 words"),
    "too long": ((*GOOD_IDENTITY, 0), "17 words"),
    "all zero": ((0,) * 16, "zero"),
    "no word": (changed(GOOD_IDENTITY, 1, 70_000), "outside"),
    "negative": (changed(GOOD_IDENTITY, 1, -1), "outside"),
    "other contract": (changed(GOOD_IDENTITY, 0, 2), "contract 2"),
    "test word": (changed(GOOD_IDENTITY, 5, 0x5679), "0x12345679"),
    "test float": (changed(GOOD_IDENTITY, 6, 0x3F81), "1.0"),
    "no epoch": (changed(GOOD_IDENTITY, 8, 0), "epoch"),
    "small ring": (changed(GOOD_IDENTITY, 9, 255), "255 slots"),
    "slot size": (changed(GOOD_IDENTITY, 10, 12), "12 words"),
}


@clause("ID-7", "ID-9")
@pytest.mark.parametrize(("words", "why"), WRONG_IDENTITIES.values(), ids=WRONG_IDENTITIES.keys())
def test_an_identity_that_is_not_the_contracts_is_refused_and_says_why(
    words: tuple[int, ...], why: str
) -> None:
    with pytest.raises(WrongBlock, match=why):
        decode_identity(words, WordOrder.ABCD)


@clause("ID-7")
def test_a_wrong_word_order_or_base_is_seen_by_the_self_test_words() -> None:
    for row in golden.IDENTITY:
        for order in ORDERS:
            if order is not row.order:
                with pytest.raises(WrongBlock, match="self-test"):
                    decode_identity(row.words, order)


@clause("ID-9")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (GOOD_STATUS[:-1], "21 words"),
        ((0,) * 22, "zero"),
        (changed(GOOD_STATUS, 0, 0), "epoch"),
        (changed(GOOD_STATUS, 1, 0), "heartbeat"),
        (changed(GOOD_STATUS, 7, 1024), "0x0400"),
    ],
)
def test_a_status_that_means_nothing_is_refused(words: tuple[int, ...], why: str) -> None:
    with pytest.raises(WrongBlock, match=why):
        decode_status(words, WordOrder.ABCD)


@pytest.mark.parametrize(
    "words",
    [
        (0,) * 10,
        GOOD_SLOT[:9],
        changed(changed(GOOD_SLOT, 0, 0), 1, 0),
        changed(GOOD_SLOT, 2, 0x0003),
        changed(GOOD_SLOT, 2, 0x0903),
        changed(GOOD_SLOT, 2, 0x0100),
        changed(changed(GOOD_SLOT, 2, 0x0205), 5, 0),
    ],
)
def test_a_slot_that_the_contract_lacks_is_refused(words: tuple[int, ...]) -> None:
    with pytest.raises(WrongBlock):
        decode_slot(words, WordOrder.ABCD)


def slot(kind: RingKind, point: int, arg: int) -> RingSlot:
    return RingSlot(
        ring_seq=RingSeq(9), kind=kind, point=point, arg=arg, number=PlcNumber(18), ticks=7, plc_ms=5
    )


WHEN: dict[str, Any] = {
    "at_us": MonoUs(1),
    "epoch": BootEpoch(3),
    "ring_seq": RingSeq(9),
    "ticks": Ticks(2**32 + 7),
    "plc_ms": 5,
}
N18: dict[str, Any] = {"number": PlcNumber(18)}
ENTRIES = [
    (slot(RingKind.EYE, 3, 300), EyePassed(**WHEN, **N18, eye=EyeNo(3), length_mm=Mm(300))),
    (slot(RingKind.LOST, 5, 0), ParcelLost(**WHEN, **N18, eye=EyeNo(5))),
    (slot(RingKind.UNEXPECTED, 4, 250), ParcelUnexpected(**WHEN, **N18, eye=EyeNo(4), length_mm=Mm(250))),
    (slot(RingKind.FIRED, 2, 0), DivertFired(**WHEN, **N18, exit=ExitNo(2))),
    (slot(RingKind.ABORTED, 2, 5), DivertAborted(**WHEN, **N18, exit=ExitNo(2), cause=AbortCause.EXIT_FULL)),
    (
        slot(RingKind.CONFIRMED, 9, 3),
        DivertConfirmed(**WHEN, **N18, exit=ExitNo(9), reason=ConfirmReason.MISSORT),
    ),
    (slot(RingKind.JAM, 6, 0), JamDetected(**WHEN, eye=EyeNo(6))),
    (slot(RingKind.GATE, 2, 2), GatePassed(**WHEN, gate=GateNo(2), lane=GateLane.REPICK)),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "event"), ENTRIES, ids=lambda row: type(row).__name__)
def test_every_kind_becomes_its_event(raw: RingSlot, event: object) -> None:
    assert entry_of(raw, epoch=BootEpoch(3), ticks=Ticks(2**32 + 7), at_us=MonoUs(1)) == event


def test_every_kind_of_the_contract_is_in_that_table() -> None:
    assert {raw.kind for raw, _ in ENTRIES} == set(RingKind)


@pytest.mark.parametrize(
    "raw", [slot(RingKind.ABORTED, 2, 77), slot(RingKind.CONFIRMED, 2, 0), slot(RingKind.GATE, 1, 3)]
)
def test_an_unknown_cause_or_reason_is_refused(raw: RingSlot) -> None:
    with pytest.raises(WrongBlock, match="entry 9"):
        entry_of(raw, epoch=BootEpoch(3), ticks=Ticks(7), at_us=MonoUs(1))


@given(words=st.lists(st.integers(-1, 70_000), max_size=24), order=st.sampled_from(ORDERS))
@settings(max_examples=300)
def test_no_words_make_a_codec_raise_anything_else(words: list[int], order: WordOrder) -> None:
    for decode in (decode_identity, decode_status, decode_slot):
        try:
            found = decode(words, order)
        except WrongBlock:
            continue
        assert all(0 <= word <= 0xFFFF for word in words), f"{found} of what is no word"


@given(
    words=st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0x0100, 0x0710)),
    arg=st.integers(0, 400),
    order=st.sampled_from(ORDERS),
)
@settings(max_examples=200)
def test_a_decoded_slot_becomes_an_event_or_is_refused(
    words: tuple[int, int, int], arg: int, order: WordOrder
) -> None:
    try:
        raw = decode_slot((words[0], words[1], words[2], arg, 0, 1, 0, 2, 0, 3), order)
        event = entry_of(raw, epoch=BootEpoch(1), ticks=Ticks(2), at_us=MonoUs(1))
    except WrongBlock:
        return
    assert event.ring_seq == raw.ring_seq


@clause("CMD-10")
def test_sequences_run_in_a_circle_that_skips_zero() -> None:
    assert [next_seq(CommandSeq(n)) for n in (0, 1, 65_534, 65_535)] == [1, 2, 65_535, 1]


@pytest.mark.parametrize(
    ("seq", "last", "newer"),
    [
        (1, 0, True),
        (65_535, 0, True),
        (101, 101, False),
        (102, 101, True),
        (100, 101, False),
        (1, 65_535, True),
        (32_767, 65_535, True),
        (32_768, 65_535, False),
        (101 + 32_767, 101, True),
        (101 + 32_768, 101, False),
    ],
)
def test_newer_is_the_half_of_the_circle_ahead(seq: int, last: int, newer: bool) -> None:
    assert is_newer(CommandSeq(seq), CommandSeq(last)) is newer


@given(last=st.integers(1, 65_535))
@settings(max_examples=50)
def test_the_next_is_always_newer_and_never_the_other_way(last: int) -> None:
    seq = next_seq(CommandSeq(last))
    assert is_newer(seq, CommandSeq(last))
    assert not is_newer(CommandSeq(last), seq)


@pytest.mark.parametrize("field", ["epoch", "number", "exit", "seq"])
def test_a_zero_in_a_command_is_our_error(field: str) -> None:
    good = {"epoch": 1, "number": 18, "exit": 5, "seq": 101}
    with pytest.raises(ValueError, match="0 in a command"):
        encode_command(PlcCommand(**{**good, field: 0}, revoke=False))  # type: ignore[arg-type]


def test_a_zero_heartbeat_is_our_error() -> None:
    status = PcStatus(
        heartbeat=0,
        mode=ModeBit(0),
        gates=0,
        zones_hold=0,
        release_number=PlcNumber(0),
        exits_enabled=0,
        ring_ack=RingSeq(0),
        indicators=0,
    )
    with pytest.raises(ValueError, match="heartbeat"):
        encode_pc_status(status, WordOrder.ABCD)


@clause("RING-1")
@pytest.mark.parametrize(("seq", "index"), [(1, 0), (256, 255), (257, 0), (65_538, 1)])
def test_an_entry_stands_at_its_sequence_modulo_capacity(seq: int, index: int) -> None:
    assert slot_index(RingSeq(seq), 256) == index
