"""What every benchmark is given."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.record import recorded
from edge.ports.journal import JournalItem
from line_config.description import LineDescription

PARCELS_RECORDED = 400


@dataclass(frozen=True, kw_only=True)
class Bench:
    """``parcels`` of a simulation on the register bus; ``folder``: empty, on the disk that is measured;
    ``seconds`` of a run in real time."""

    line: LineDescription
    parcels: int
    folder: Path
    seconds: int

    @cached_property
    def items(self) -> list[JournalItem]:
        """The record of a short run, made once for all that measure with one."""
        return recorded(self.line, PARCELS_RECORDED, self.place("recorded"))

    def place(self, name: str) -> Path:
        """A fresh folder of one benchmark."""
        place = self.folder / name
        place.mkdir()
        return place
