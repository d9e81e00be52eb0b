"""The heartbeat: it moves only while the line loop makes progress (no thread, no timer feeds it)."""

from collections.abc import Callable

from edge.model.units import UINT16_MAX


class Health:
    """``progress`` is called by the line loop at each turn, ``beat`` by the PLC link at each cycle.

    ``progressed`` is told each turn too (the service manager's watchdog), until something has failed.
    """

    def __init__(self, progressed: Callable[[], None] | None = None) -> None:
        self._progressed = progressed
        self._turns = 0
        self._seen = 0
        self._beat = 0
        self._failed = ""

    def progress(self) -> None:
        self._turns += 1
        if self._progressed is not None and not self._failed:
            self._progressed()

    def fail(self, why: str) -> None:
        """From now on the heartbeat stands still; the first cause is kept."""
        self._failed = self._failed or why

    @property
    def failed(self) -> str:
        return self._failed

    def beat(self) -> int:
        """1…65535, moved on when the loop has turned since the last call."""
        if not self._failed and self._turns != self._seen:
            self._seen = self._turns
            self._beat = self._beat % UINT16_MAX + 1
        return self._beat
