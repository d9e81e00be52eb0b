"""Bulks give way: one at a time, in pieces, and between two pieces a single message goes ahead."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from api.settings import SLICE

GIVE_WAY_S: Final = 0.5
"""Of one bulk in all, so that single messages without end do not stop it."""

T = TypeVar("T")


class BulkTurns:
    """Bulks in the order in which they came, one within the block at a time.

    ``wanted``: how many more wait. Belongs to one loop.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._ahead = 0
        self._clear = asyncio.Event()
        self._patience_s = 0.0
        self.wanted = 0

    async def __aenter__(self) -> None:
        self.wanted += 1
        try:
            await self._lock.acquire()
        finally:
            self.wanted -= 1
        self._patience_s = GIVE_WAY_S

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """A single message is under way: bulks stand still meanwhile."""
        self._ahead += 1
        self._clear.clear()
        try:
            yield
        finally:
            self._ahead -= 1
            if not self._ahead:
                self._clear.set()

    async def give_way(self) -> None:
        """Between two pieces of the bulk whose turn it is: everybody else has one, and single messages as
        many as they need, for ``GIVE_WAY_S`` of it in all."""
        await asyncio.sleep(0)
        if not self._ahead or self._patience_s <= 0:
            return
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + self._patience_s
        try:
            async with asyncio.timeout_at(until_s):
                await self._clear.wait()
        except TimeoutError:
            self._patience_s = 0.0
        else:
            self._patience_s = until_s - now_s()


def pieces(items: Sequence[T]) -> Iterator[Sequence[tuple[int, T]]]:
    """``items`` with their places, so many at a time as are checked between two turns."""
    for at in range(0, len(items), SLICE):
        yield tuple(enumerate(items[at : at + SLICE], at))
