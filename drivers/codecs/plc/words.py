"""16-bit words and the four orders of a 32-bit value in two of them (docs/plc-contract.md section 1)."""

import struct
from collections.abc import Sequence

from edge.model.register_map import WordOrder
from edge.model.units import UINT16_MAX, UINT32_MAX

Words = Sequence[int]


class WrongBlock(Exception):
    """Theirs: a block that the contract does not allow; nothing of it may be used."""


def _swap(word: int) -> int:
    return (word >> 8) | ((word & 0xFF) << 8)


def u32(words: Words, at: int, order: WordOrder) -> int:
    """The 32-bit value in ``words[at]`` and ``words[at + 1]``."""
    first, second = words[at], words[at + 1]
    if order is WordOrder.ABCD:
        return (first << 16) | second
    if order is WordOrder.CDAB:
        return (second << 16) | first
    if order is WordOrder.BADC:
        return (_swap(first) << 16) | _swap(second)
    return (_swap(second) << 16) | _swap(first)


def put_u32(value: int, order: WordOrder) -> tuple[int, int]:
    """Two words for ``value`` 0…2³²−1; raises ValueError outside (ours)."""
    if not 0 <= value <= UINT32_MAX:
        raise ValueError(f"{value} is no 32-bit value")
    high, low = value >> 16, value & UINT16_MAX
    if order is WordOrder.ABCD:
        return high, low
    if order is WordOrder.CDAB:
        return low, high
    if order is WordOrder.BADC:
        return _swap(high), _swap(low)
    return _swap(low), _swap(high)


def put_u16(value: int) -> int:
    """One word for ``value`` 0…65535; raises ValueError outside (ours)."""
    if not 0 <= value <= UINT16_MAX:
        raise ValueError(f"{value} is no 16-bit value")
    return value


class Layout:
    """A block's values in their order: ``H`` in one word, ``I`` in two (as ``struct`` has them)."""

    def __init__(self, block: str, values: str) -> None:
        self._block = block
        self._values = struct.Struct(f">{values}")
        self.size = self._values.size // 2
        self._words = struct.Struct(f">{self.size}H")
        before = (values[:at] for at, kind in enumerate(values) if kind == "I")
        self._pairs = tuple(struct.calcsize(f">{some}") // 2 for some in before)

    def decode(self, words: Words, order: WordOrder) -> tuple[int, ...]:
        """The values, if ``words`` are as many words of 16 bits and not all zero, else ``WrongBlock``.

        A block of zeros is what some servers give when they have lost their PLC: it means nothing (ID-9).
        """
        if len(words) != self.size:
            raise WrongBlock(f"{self._block} block: {len(words)} words instead of {self.size}")
        if not any(words):
            raise WrongBlock(f"{self._block} block: all words are zero")
        try:
            packed = self._words.pack(*words)
        except struct.error as error:
            raise WrongBlock(f"{self._block} block: a word is outside 0…65535") from error
        if order is not WordOrder.ABCD:
            packed = self._words.pack(*self._turned(words, order))
        return self._values.unpack(packed)

    def encode(self, values: Sequence[int], order: WordOrder) -> tuple[int, ...]:
        """The words; raises ValueError for a value that does not fit (ours)."""
        try:
            words = self._words.unpack(self._values.pack(*values))
        except struct.error as error:
            raise ValueError(f"{self._block} block: {error}: {values}") from error
        return words if order is WordOrder.ABCD else self._turned(words, order)

    def _turned(self, words: Words, order: WordOrder) -> tuple[int, ...]:
        """Words in ``order`` as ABCD has them, and the other way round."""
        turned = list(words)
        for at in self._pairs:
            turned[at : at + 2] = put_u32(u32(words, at, order), WordOrder.ABCD)
        return tuple(turned)
