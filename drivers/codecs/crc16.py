"""CRC-16/MODBUS (MODBUS over serial line V1.02, section 6.2.2): reflected 0x8005, start 0xFFFF."""

from collections.abc import Iterable


def _row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ 0xA001 if index & 1 else index >> 1
    return index


_TABLE = tuple(_row(index) for index in range(256))


def crc16(data: Iterable[int]) -> int:
    """Of bytes 0…255 in order; ``b"123456789"`` gives 0x4B37."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc
