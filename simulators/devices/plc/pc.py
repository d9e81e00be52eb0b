"""What the PC says every cycle, and whether it still says it (contract clauses LINK-1…3)."""

from collections.abc import Callable

from edge.model.register_map import ModeBit, WordOrder
from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.registers import PC_STATUS_WORDS, decode_pc_status

PERMIT_INDUCTION = int(ModeBit.PERMIT_INDUCTION)
"""As a plain int: it is looked at in every cycle."""


class PcWatch:
    """``words`` are the PC status registers. ``on_stale`` is called when the heartbeat stops.
    ``permits``: the PC permits induction, for what its word is worth."""

    def __init__(
        self, *, now: Moment, by_us: Agenda, order: WordOrder, limit_us: int, on_stale: Callable[[], None]
    ) -> None:
        self._now = now
        self._order = order
        self._limit_us = limit_us
        self._on_stale = on_stale
        self._stale = by_us.timer(self._went_stale)
        self._beat = 0
        self.words = [0] * PC_STATUS_WORDS
        self.status = decode_pc_status(self.words, order)
        self.permits = False
        self.fresh = False

    def written(self) -> None:
        """The registers changed: take them over, all twelve at once."""
        self.status = decode_pc_status(self.words, self._order)
        self.permits = bool(int(self.status.mode) & PERMIT_INDUCTION)
        beat = self.status.heartbeat
        if beat in (0, self._beat):
            return
        moved = self._beat != 0
        self._beat = beat
        if moved:
            self.fresh = True
            self._stale.set(self._now.us + self._limit_us + 1)

    def _went_stale(self) -> None:
        self.fresh = False
        self._on_stale()
