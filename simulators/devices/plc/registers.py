"""Words of the blocks (docs/plc-contract.md section 1), as this PLC writes and reads them."""

from collections.abc import Callable, Sequence

from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber, RingSeq
from edge.model.register_map import ModeBit, PcStatus, PlcCommand, PlcIdentity, WordOrder

IDENTITY_WORDS = 16
STATUS_WORDS = 22
SLOT_WORDS = 10
PC_STATUS_WORDS = 12
COMMAND_WORDS = 7

TEST_U32 = 0x12345678
TEST_FLOAT = 0x3F800000

Pack = Callable[[int], tuple[int, int]]

MODES = tuple(ModeBit(bits) for bits in range(8))
"""Of each value of the three bits: the PC writes them every cycle."""


def swap(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def pack_abcd(value: int) -> tuple[int, int]:
    return value >> 16 & 0xFFFF, value & 0xFFFF


def pack_cdab(value: int) -> tuple[int, int]:
    return value & 0xFFFF, value >> 16 & 0xFFFF


def pack_badc(value: int) -> tuple[int, int]:
    return swap(value >> 16 & 0xFFFF), swap(value & 0xFFFF)


def pack_dcba(value: int) -> tuple[int, int]:
    return swap(value & 0xFFFF), swap(value >> 16 & 0xFFFF)


PACKERS: dict[WordOrder, Pack] = {
    WordOrder.ABCD: pack_abcd,
    WordOrder.CDAB: pack_cdab,
    WordOrder.BADC: pack_badc,
    WordOrder.DCBA: pack_dcba,
}


def unpack(first: int, second: int, order: WordOrder) -> int:
    """The u32 in two registers."""
    if order is WordOrder.ABCD:
        return first << 16 | second
    if order is WordOrder.CDAB:
        return second << 16 | first
    if order is WordOrder.BADC:
        return swap(first) << 16 | swap(second)
    return swap(second) << 16 | swap(first)


def crc16(words: Sequence[int]) -> int:
    """CRC-16/MODBUS (reflected 0x8005, initially 0xFFFF), high byte of each word first."""
    crc = 0xFFFF
    for word in words:
        for byte in (word >> 8, word & 0xFF):
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def command_crc(block: Sequence[int]) -> int:
    """CRC over words 0…4 of a command block, then its seq."""
    return crc16((*block[:5], block[6]))


def encode_identity(identity: PlcIdentity, pack: Pack) -> tuple[int, ...]:
    return (
        identity.contract,
        identity.map_version,
        *pack(identity.map_hash),
        *pack(TEST_U32),
        *pack(TEST_FLOAT),
        identity.epoch,
        identity.ring_capacity,
        identity.slot_size,
        identity.exits,
        *pack(identity.ticks_per_m),
        identity.max_block,
        identity.scan_ms,
    )


def encode_status(
    *,
    epoch: int,
    heartbeat: int,
    heartbeat_echo: int,
    plc_ms: int,
    ticks: int,
    state: int,
    exits_full: int,
    diverters_home: int,
    zones_held: int,
    zones_untrusted: int,
    eyes_occupied: int,
    gates: int,
    last_seq: int,
    last_status: int,
    last_crc: int,
    ring_head: int,
    pack: Pack,
) -> tuple[int, ...]:
    """Plain ints, for it is read every cycle; ``ticks`` and ``plc_ms`` may be unwrapped."""
    return (
        epoch,
        heartbeat,
        heartbeat_echo,
        *pack(plc_ms),
        *pack(ticks),
        state,
        *pack(exits_full),
        *pack(diverters_home),
        zones_held,
        zones_untrusted,
        *pack(eyes_occupied),
        gates,
        last_seq,
        last_status,
        last_crc,
        *pack(ring_head),
    )


def encode_slot(
    *, ring_seq: int, kind: int, point: int, arg: int, number: int, ticks: int, plc_ms: int, pack: Pack
) -> tuple[int, ...]:
    """``ticks`` and ``plc_ms`` may be unwrapped."""
    return (
        *pack(ring_seq),
        kind << 8 | point,
        arg,
        *pack(number),
        *pack(ticks),
        *pack(plc_ms),
    )


def decode_pc_status(words: Sequence[int], order: WordOrder) -> PcStatus:
    """Unknown mode bits are dropped."""
    return PcStatus(
        heartbeat=words[0],
        mode=MODES[words[1] & 7],
        gates=words[2],
        zones_hold=words[3],
        release_number=PlcNumber(unpack(words[4], words[5], order)),
        exits_enabled=unpack(words[6], words[7], order),
        ring_ack=RingSeq(unpack(words[8], words[9], order)),
        indicators=words[10],
    )


def decode_command(words: Sequence[int]) -> PlcCommand:
    """The number is high word first in every word order."""
    return PlcCommand(
        epoch=BootEpoch(words[0]),
        number=PlcNumber(words[1] << 16 | words[2]),
        exit=ExitNo(words[3]),
        revoke=bool(words[4] & 1),
        seq=CommandSeq(words[6]),
    )
