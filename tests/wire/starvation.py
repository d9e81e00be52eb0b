"""When this machine was too busy, or stood still: what takes longer for that is not the product's fault."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_S = 0.02
PRESSURE = Path("/proc/pressure/cpu")


def starved_us() -> int:
    """How long some task of this machine has waited for a core so far (Documentation/accounting/psi.rst)."""
    if not PRESSURE.exists():
        return 0
    return int(PRESSURE.read_text().splitlines()[0].rpartition("total=")[2])


class Starvation:
    def __init__(self) -> None:
        self._spans: list[tuple[float, float, float]] = []
        """From, to (wall time in s), and how much of it was starved."""

    def watch(self, over: threading.Event) -> None:
        before, starved = time.time(), starved_us()
        while not over.wait(LOOK_S):
            now, total = time.time(), starved_us()
            slept_s = now - before
            lost_s = max(slept_s - 2 * LOOK_S, (total - starved) / 1_000_000)
            self._spans.append((before, now, min(slept_s, max(0.0, lost_s))))
            before, starved = now, total

    def between(self, begin_s: float, end_s: float) -> float:
        """Seconds lost of that time; each look's evenly over it."""
        return sum(
            lost * max(0.0, min(end, end_s) - max(begin, begin_s)) / (end - begin)
            for begin, end, lost in self._spans
            if end > begin
        )


@contextmanager
def starvation() -> Iterator[Starvation]:
    watched, over = Starvation(), threading.Event()
    thread = threading.Thread(target=watched.watch, args=(over,), name="starvation", daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        over.set()
        thread.join()
