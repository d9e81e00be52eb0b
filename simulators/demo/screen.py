"""The live table, on a terminal only; what is not a terminal gets the sentences and the summary."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from line_config.description import LineDescription
from simulators.demo.tails import RecordTail
from simulators.demo.texts import TEXTS, state_text

RATE_S = 30.0
"""Parcels an hour are those of the last half minute."""
WIDTH = 110
"""Of what is written to a file or a pipe."""
BAR = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the table shows at one moment."""

    line: LineDescription
    record: RecordTail
    parcels: int | None
    placed: int
    restarts: int


class Screen:
    """``to_stderr``: stdout belongs to the JSON."""

    def __init__(self, language: str, *, to_stderr: bool) -> None:
        self.language = language
        self.texts = TEXTS[language]
        stream = sys.stderr if to_stderr else sys.stdout
        self.console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
        self._live: Live | None = None
        self._inducted: deque[tuple[float, int]] = deque()

    def say(self, text: str, **values: object) -> None:
        """A sentence of the table of texts."""
        self.console.print(self.texts[text].format(**values), markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A sentence as it is."""
        self.console.print(text, markup=False, style="dim")

    @contextmanager
    def live(self) -> Iterator[None]:
        """The table lives in this block, and stays as it was last."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def show(self, view: View) -> None:
        """Draw it; nothing where nobody looks."""
        if self._live is not None:
            self._live.update(self._table(view), refresh=True)

    def _rate(self, inducted: int) -> int:
        now_s = monotonic()
        self._inducted.append((now_s, inducted))
        while now_s - self._inducted[0][0] > RATE_S:
            self._inducted.popleft()
        since_s, before = self._inducted[0]
        return round((inducted - before) * 3600 / (now_s - since_s)) if now_s > since_s else 0

    def _table(self, view: View) -> RenderableType:
        texts, record = self.texts, view.record
        wanted = texts["forever"] if view.parcels is None else str(view.parcels)
        title = texts["title"].format(
            line=view.line.topology.line_id,
            parcels=f"{view.placed}/{wanted}",
            rate=self._rate(record.inducted),
            state=state_text(record.state, self.language),
        )
        devices = Text(f"{texts['devices']} ")
        for name, up in sorted(record.devices.items()):
            devices.append(f" ● {name}", style="green" if up else "bold red")
        permit = texts["induction_on" if record.permitted else "induction_off"]
        devices.append(f"   {permit}", style="green" if record.permitted else "yellow")
        if view.restarts:
            devices.append(f"   {texts['restarts']}: {view.restarts}", style="yellow")
        tables = Columns([self._exits(view), self._rejects(view)], padding=(0, 4))
        return Group(Text(title, style="bold"), devices, tables)

    def _exits(self, view: View) -> Table:
        table = Table(title=self.texts["exits"], title_justify="left", show_edge=False, pad_edge=False)
        table.add_column(self.texts["chute"])
        table.add_column(self.texts["count"], justify="right")
        table.add_column("", width=BAR)
        most = max(view.record.by_chute.values(), default=1)
        for chute in view.line.topology.chutes:
            count = view.record.by_chute[chute.id]
            table.add_row(chute.id, str(count), "█" * (count * BAR // max(most, BAR)))
        return table

    def _rejects(self, view: View) -> Table:
        table = Table(title=self.texts["rejects"], title_justify="left", show_edge=False, pad_edge=False)
        table.add_column(self.texts["waybill"])
        table.add_column(self.texts["chute"])
        table.add_column(self.texts["reason"])
        for one in reversed(view.record.rejects):
            text = reason_text(view.line, one.reason, self.language)
            table.add_row(one.waybill or "–", one.chute or self.texts["no_chute"], text)
        return table


def reason_text(line: LineDescription, reason: str, language: str) -> str:
    """A reason in an operator's words (``reasons.yaml``)."""
    for entry in line.reasons:
        if entry.reason == reason:
            return entry.text.zh if language == "zh" else entry.text.en
    return reason
