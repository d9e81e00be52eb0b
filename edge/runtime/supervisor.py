"""Owner of every task of the process. A task that ends by itself ends the process: nothing dies quietly."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

MAX_TASKS = 64
"""A line has a handful of links; more tasks than this is a leak."""

OnDeath = Callable[[str, BaseException | None], None]


class Supervisor:
    """``on_death(name, error)`` is called once for each task that ends without being stopped."""

    def __init__(self, on_death: OnDeath) -> None:
        self._on_death = on_death
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` under ``name`` until ``stop``."""
        if name in self._tasks or len(self._tasks) >= MAX_TASKS:
            work.close()
            raise RuntimeError(f"task {name!r}: started twice, or more than {MAX_TASKS} tasks")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stopping:
            return
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        self._on_death(task.get_name(), error)

    async def stop(self) -> None:
        """Cancel the tasks, newest first, each given its end before the next."""
        self._stopping = True
        for task in reversed(tuple(self._tasks.values())):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._tasks.clear()
