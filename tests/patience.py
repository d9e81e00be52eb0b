"""Waiting for what must come, on a machine that may be slow and may stand still for seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""No promise of the product's: it only finds what never comes."""
LOOK_S = 0.01
LOOKS = 100


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(LOOK_S)


async def turns(count: int = 20) -> None:
    """So many turns of the loop, however long they take: in each it serves whatever has come by then."""
    for _ in range(count):
        await asyncio.sleep(0)


async def at_once(work: Awaitable[T]) -> T:
    """What it returns or raises within a second of the loop's own running: as long as the machine stands
    still, no look is taken. ``TimeoutError`` otherwise."""
    task = asyncio.ensure_future(work)
    for _ in range(LOOKS):
        if task.done():
            return await task
        await asyncio.sleep(LOOK_S)
    task.cancel()
    raise TimeoutError
