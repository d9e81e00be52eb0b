"""The command block: 7 words, its CRC, and the circle of sequence numbers (docs/plc-contract.md 1, 2)."""

from drivers.codecs.crc16 import crc16
from drivers.codecs.plc.words import put_u16, put_u32
from edge.model.ids import CommandSeq
from edge.model.register_map import CommandFlag, PlcCommand, WordOrder
from edge.model.units import UINT16_MAX

SIZE = 7
NEWER_UP_TO = 32_767
"""Largest circular distance, modulo 65535, at which a sequence is newer."""


def encode_command(command: PlcCommand) -> tuple[int, ...]:
    """The same words in every word order: the number is always high word first.

    Raises ValueError for a 0 (it means nothing) or a value that does not fit (ours).
    """
    if 0 in (command.epoch, command.number, command.exit, command.seq):
        raise ValueError(f"0 in a command: {command}")
    head = (
        put_u16(command.epoch),
        *put_u32(command.number, WordOrder.ABCD),
        put_u16(command.exit),
        int(CommandFlag.REVOKE) if command.revoke else 0,
    )
    seq = put_u16(command.seq)
    return (*head, command_crc((*head, seq)), seq)


def command_crc(words: tuple[int, ...]) -> int:
    """CRC-16/MODBUS over words 0–4, then the sequence, each high byte first."""
    return crc16(byte for word in words for byte in (word >> 8, word & 0xFF))


def next_seq(seq: CommandSeq) -> CommandSeq:
    """The one after ``seq``: 1…65535, 0 is skipped (CMD-10)."""
    return CommandSeq(seq % UINT16_MAX + 1)


def is_newer(seq: CommandSeq, last: CommandSeq) -> bool:
    """Circular distance 1…32767 modulo 65535; after a last of 0 all are newer (CMD-2)."""
    return last == 0 or 1 <= (seq - last) % UINT16_MAX <= NEWER_UP_TO
