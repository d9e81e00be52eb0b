"""The address space: which registers exist, and whose they are (contract clause REG-1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
"""Modbus exception codes (Modbus Application Protocol V1.1b3, section 7)."""


class ModbusRefused(Exception):
    """The request is answered with an exception response."""

    def __init__(self, code: int) -> None:
        super().__init__(f"modbus exception {code}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Registers ``base…base+size−1``. ``words`` yields their present values; ``store`` is None where
    the PC may not write, else it takes an offset and values."""

    base: int
    size: int
    words: Callable[[], Sequence[int]]
    store: Callable[[int, Sequence[int]], None] | None = None


class RegisterBank:
    """Areas do not touch: a block that leaves its area meets an address that does not exist."""

    def __init__(self, areas: Sequence[Area], max_block: int) -> None:
        self._areas = tuple(sorted(areas, key=lambda area: area.base))
        for lower, upper in zip(self._areas, self._areas[1:], strict=False):
            if lower.base + lower.size > upper.base:
                raise ValueError(f"registers {lower.base} and {upper.base} overlap")
        self._max_block = max_block

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Raises ``ModbusRefused``: 3 for a count that is not 1…max_block, 2 for a foreign address."""
        area, offset = self._find(address, count)
        return tuple(area.words()[offset : offset + count])

    def write(self, address: int, values: Sequence[int]) -> None:
        """Raises ``ModbusRefused`` as ``read`` does, 2 also for an area that is not the PC's."""
        area, offset = self._find(address, len(values))
        if area.store is None:
            raise ModbusRefused(ILLEGAL_ADDRESS)
        area.store(offset, values)

    def _find(self, address: int, count: int) -> tuple[Area, int]:
        if not 1 <= count <= self._max_block:
            raise ModbusRefused(ILLEGAL_VALUE)
        for area in self._areas:
            offset = address - area.base
            if offset >= 0 and offset + count <= area.size:
                return area, offset
        raise ModbusRefused(ILLEGAL_ADDRESS)
