"""A simulated device as a process of its own: it runs until it is told to end."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

ENVIRONMENT = 3
"""Exit status for a port, socket or name that is not to be had."""
AGAIN_S = 0.5
"""Between two cancels of what has not ended."""


def run_until_ended(work: Coroutine[Any, Any, None]) -> None:
    """Runs ``work``; SIGTERM and SIGINT cancel it, so that it takes its sockets and names with it. What
    the machine does not give it is said in one sentence, with exit status 3."""
    try:
        asyncio.run(_guarded(work))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(ENVIRONMENT)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)

    def end() -> None:
        """Until it does: CPython 3.11's ``wait_for``, in a library's call, may swallow a cancel."""
        if not task.done():
            task.cancel()
            loop.call_later(AGAIN_S, end)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    try:
        await task
    except asyncio.CancelledError:
        return
