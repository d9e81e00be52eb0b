"""16-bit words and the four orders of a 32-bit value in two of them (docs/plc-contract.md section 1)."""

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


def sized(words: Words, size: int, block: str) -> Words:
    """``words`` if they are ``size`` words of 16 bits and not all zero, else ``WrongBlock``.

    A block of zeros is what some servers give when they have lost their PLC: it means nothing (ID-9).
    """
    if len(words) != size:
        raise WrongBlock(f"{block} block: {len(words)} words instead of {size}")
    if not any(words):
        raise WrongBlock(f"{block} block: all words are zero")
    if min(words) < 0 or max(words) > UINT16_MAX:
        raise WrongBlock(f"{block} block: a word is outside 0…65535")
    return words
