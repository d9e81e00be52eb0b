"""What became of the last numbers that a command was judged for (contract section 4)."""

from collections import OrderedDict
from dataclasses import dataclass

from edge.model.divert import CommandStatus


@dataclass(slots=True)
class Outcome:
    """``status`` is APPLIED (it stands), REVOKED, DROPPED or DONE; ``exit`` 0 when only revoked."""

    status: CommandStatus
    exit: int


class Outcomes:
    """At most ``limit`` numbers, the oldest is forgotten."""

    __slots__ = ("_limit", "_rows")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: OrderedDict[int, Outcome] = OrderedDict()

    def get(self, number: int) -> Outcome | None:
        return self._rows.get(number)

    def record(self, number: int, status: CommandStatus, exit_no: int) -> None:
        """First outcome of a number."""
        self._rows[number] = Outcome(status, exit_no)
        if len(self._rows) > self._limit:
            self._rows.popitem(last=False)

    def turn(self, number: int, status: CommandStatus) -> None:
        """A standing command ends; a number that was forgotten stays forgotten."""
        row = self._rows.get(number)
        if row is not None:
            row.status = status
