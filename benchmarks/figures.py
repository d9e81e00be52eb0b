"""What a benchmark hands back, as a table and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

from rich.console import Console
from rich.table import Table

WIDTH = 150
"""Of a table that goes into a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. ``at_least``, ``at_most``: what it should come to; None: nothing is asked."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def reach(self) -> str:
        low = [] if self.at_least is None else [f"≥ {self.at_least:,g}"]
        high = [] if self.at_most is None else [f"≤ {self.at_most:,g}"]
        return ", ".join(low + high)

    @property
    def reached(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"reached": self.reached}


def rank(values: Sequence[float], percent: int) -> float:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def show(figures: Sequence[Figure]) -> None:
    table = Table("figure", "value", "unit", "reach", "reached", "note")
    for one in figures:
        reached = ("yes" if one.reached else "no") if one.reach else ""
        value = f"{one.value:,.0f}" if one.value >= 1_000 else f"{one.value:.2f}"
        table.add_row(one.name, value, one.unit, one.reach, reached, one.note)
    console = Console()
    console.print(table, width=max(console.width, WIDTH))


def write_json(figures: Sequence[Figure], to: str) -> None:
    """``to`` a file's name, or ``-``. Raises ``OSError``."""
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    text = json.dumps({"machine": machine, "figures": [one.as_json() for one in figures]}, indent=2)
    if to == "-":
        sys.stdout.write(text + "\n")
    else:
        Path(to).write_text(text + "\n", encoding="utf-8")


def ended(figures: Sequence[Figure], json_to: str | None) -> int:
    """Tells them, as a table unless their JSON goes to stdout (``-``); the exit status of a benchmark: 1
    where one was not reached. Raises ``OSError``."""
    if json_to != "-":
        show(figures)
    if json_to is not None:
        write_json(figures, json_to)
    return int(not all(one.reached for one in figures))
