"""Words of the blocks (docs/plc-contract.md section 1), as this PLC writes and reads them."""

from collections.abc import Callable, Sequence
from struct import Struct

from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber, RingSeq
from edge.model.register_map import ModeBit, PcStatus, PlcCommand, PlcIdentity, WordOrder

IDENTITY_WORDS = 16
STATUS_WORDS = 22
SLOT_WORDS = 10
PC_STATUS_WORDS = 12
COMMAND_WORDS = 7
STATUS_U32S = 6
"""Of all blocks it has most."""

TEST_U32 = 0x12345678
TEST_FLOAT = 0x3F800000

U32_MAX = 0xFFFFFFFF

Pack = Callable[..., tuple[int, ...]]
"""The registers of some u32, two of each, one after the other."""

MODES = tuple(ModeBit(bits) for bits in range(8))
"""Of each value of the three bits: the PC writes them every cycle."""


def swap(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def _packer(u32: str, u16: str) -> Pack:
    """By the byte order of a value, and of a register."""
    structs = [(Struct(f"{u32}{n}I"), Struct(f"{u16}{2 * n}H")) for n in range(STATUS_U32S + 1)]

    def pack(*values: int) -> tuple[int, ...]:
        whole, words = structs[len(values)]
        return words.unpack(whole.pack(*values))

    return pack


pack_abcd = _packer(">", ">")

PACKERS: dict[WordOrder, Pack] = {
    WordOrder.ABCD: pack_abcd,
    WordOrder.CDAB: _packer("<", "<"),
    WordOrder.BADC: _packer(">", "<"),
    WordOrder.DCBA: _packer("<", ">"),
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


def _crc_of_byte(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


CRC_OF_BYTE = tuple(_crc_of_byte(byte) for byte in range(256))


def crc16(words: Sequence[int]) -> int:
    """CRC-16/MODBUS (reflected 0x8005, initially 0xFFFF), high byte of each word first."""
    crc = 0xFFFF
    for word in words:
        crc = crc >> 8 ^ CRC_OF_BYTE[(crc ^ word >> 8) & 0xFF]
        crc = crc >> 8 ^ CRC_OF_BYTE[(crc ^ word) & 0xFF]
    return crc


def command_crc(block: Sequence[int]) -> int:
    """CRC over words 0…4 of a command block, then its seq."""
    return crc16((*block[:5], block[6]))


def encode_identity(identity: PlcIdentity, pack: Pack) -> tuple[int, ...]:
    return (
        identity.contract,
        identity.map_version,
        *pack(identity.map_hash, TEST_U32, TEST_FLOAT),
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
    packed = pack(plc_ms & U32_MAX, ticks & U32_MAX, exits_full, diverters_home, eyes_occupied, ring_head)
    return (
        epoch,
        heartbeat,
        heartbeat_echo,
        *packed[:4],
        state,
        *packed[4:8],
        zones_held,
        zones_untrusted,
        *packed[8:10],
        gates,
        last_seq,
        last_status,
        last_crc,
        *packed[10:],
    )


def encode_slot(
    *, ring_seq: int, kind: int, point: int, arg: int, number: int, ticks: int, plc_ms: int, pack: Pack
) -> tuple[int, ...]:
    """``ticks`` and ``plc_ms`` may be unwrapped."""
    first, second, *others = pack(ring_seq, number, ticks & U32_MAX, plc_ms & U32_MAX)
    return (first, second, kind << 8 | point, arg, *others)


def decode_pc_status(words: Sequence[int], order: WordOrder) -> PcStatus:
    """Unknown mode bits are dropped."""
    return PcStatus(
        words[0],
        MODES[words[1] & 7],
        words[2],
        words[3],
        PlcNumber(unpack(words[4], words[5], order)),
        unpack(words[6], words[7], order),
        RingSeq(unpack(words[8], words[9], order)),
        words[10],
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
