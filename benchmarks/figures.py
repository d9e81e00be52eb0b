"""What a benchmark hands back, as a table and as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. ``reach``: what it should come to at least, None where nothing is asked."""

    name: str
    value: float
    unit: str
    reach: float | None = None
    note: str = ""

    @property
    def reached(self) -> str:
        if self.reach is None:
            return ""
        return "yes" if self.value >= self.reach else "no"


def show(figures: Sequence[Figure]) -> None:
    table = Table("figure", "value", "unit", "reach", "reached", "note")
    for one in figures:
        reach = "" if one.reach is None else f"≥ {one.reach:,g}"
        value = f"{one.value:,.0f}" if one.value >= 100 else f"{one.value:.2f}"
        table.add_row(one.name, value, one.unit, reach, one.reached, one.note)
    Console().print(table)


def write_json(figures: Sequence[Figure], to: str) -> None:
    """``to`` a file's name, or ``-``. Raises ``OSError``."""
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    text = json.dumps({"machine": machine, "figures": [asdict(one) for one in figures]}, indent=2)
    if to == "-":
        sys.stdout.write(text + "\n")
    else:
        Path(to).write_text(text + "\n", encoding="utf-8")
