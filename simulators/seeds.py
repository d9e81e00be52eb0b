"""Seeded randomness for the simulation: integers only, one independent stream per name.

A stream is seeded by SHA-256(seed ‖ 0x00 ‖ name) and drawn by ``getrandbits`` alone, so that it gives
the same numbers on every Python and machine, and a new stream never shifts another one's numbers
(architecture.md section 6, Determinism).
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededBits:
    """One stream. Not shared between two users: each takes a child of its own name."""

    def __init__(self, seed: int, name: str) -> None:
        """``seed`` any integer; ``name`` non-empty, for example ``"plc/turnaround"``."""
        if not name:
            raise ValueError("a stream needs a name")
        self.seed = seed
        self.name = name
        digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
        self._bits = random.Random(int.from_bytes(digest, "big")).getrandbits

    def child(self, name: str) -> "SeededBits":
        """An independent stream below this one; does not advance this one."""
        return SeededBits(self.seed, f"{self.name}/{name}")

    def below(self, n: int) -> int:
        """Uniform in 0…n−1; ``n`` ≥ 1. Rejection, no bias."""
        if n <= 1:
            if n < 1:
                raise ValueError(f"below({n}): n must be at least 1")
            return 0
        width = (n - 1).bit_length()
        value = self._bits(width)
        while value >= n:
            value = self._bits(width)
        return value

    def between(self, low: int, high: int) -> int:
        """Uniform in low…high, both included."""
        if high < low:
            raise ValueError(f"between({low}, {high}): empty range")
        return low + self.below(high - low + 1)

    def drawer(self, low: int, high: int) -> Callable[[], int]:
        """``between`` for one range, to be called again and again; draws what ``between`` would."""
        if high < low:
            raise ValueError(f"drawer({low}, {high}): empty range")
        n, bits = high - low + 1, self._bits
        width = (n - 1).bit_length()

        def draw() -> int:
            value = bits(width)
            while value >= n:
                value = bits(width)
            return low + value

        return draw if width else lambda: low

    def chance(self, permille: int) -> bool:
        """True ``permille`` times of 1,000; always draws, so that a rate changes no other number."""
        return self.below(1000) < permille

    def pick(self, items: Sequence[T]) -> T:
        """One of ``items``, which must not be empty."""
        return items[self.below(len(items))]

    def shuffle(self, items: list[T]) -> None:
        """Fisher–Yates, in place."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
