"""What a line process in virtual time stands on, going wrong: look-ups, commits, the disk of its record."""

from collections.abc import Callable

from simulators.faults import LineFaultKind

PLENTY = 1 << 30


class Troubles:
    """A trouble stands until its end, then everything is as before. ``failed`` is what a look-up raises.

    As the record's disk it is what ``edge.runtime.disk_watch`` looks at.
    """

    wanted_bytes = 2

    def __init__(self, now_us: Callable[[], int], failed: type[Exception]) -> None:
        self._now_us = now_us
        self._failed = failed
        self._until_us: dict[LineFaultKind, int] = {}

    def begin(self, kind: LineFaultKind, until_us: int) -> None:
        self._until_us[kind] = until_us

    def _left_us(self, kind: LineFaultKind) -> int:
        until = self._until_us.get(kind)
        return 0 if until is None else max(0, until - self._now_us())

    def commit_us(self, usual_us: int) -> int:
        """How long a commit takes that begins now."""
        return self._left_us(LineFaultKind.DISK_SLOW) + usual_us

    def answer_us(self, usual_us: int) -> int:
        """How long a look-up takes that is asked now; raises ``failed`` while they fail."""
        if self._left_us(LineFaultKind.UPSTREAM_FAILS):
            raise self._failed("the inbox is locked")
        return self._left_us(LineFaultKind.UPSTREAM_SILENT) + usual_us

    def free_bytes(self) -> int:
        return 1 if self._left_us(LineFaultKind.DISK_LOW) else PLENTY

    @property
    def nearly_full(self) -> bool:
        return False

    @property
    def has_ballast(self) -> bool:
        return True

    def give_up_pictures(self) -> int:
        """No camera keeps any in virtual time."""
        return 0

    def give_up(self) -> None:
        """Its ballast is never needed: it is not nearly full."""
