"""What was found, for people and as JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.doctor.checks import CHECKS
from edge.doctor.examine import Examined
from edge.doctor.findings import Finding, Verdict, Words
from edge.doctor.machine import Machine

HEAD = Words("Beltkeeper doctor · line {line} · data {data}", "Beltkeeper 体检 · 产线 {line} · 数据 {data}")
MARKS = {
    Verdict.GOOD: Words("ok", "正常"),
    Verdict.WARNING: Words("warning", "注意"),
    Verdict.FAILED: Words("FAILED", "失败"),
}
STYLES = {Verdict.GOOD: "", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red"}
COUNTS = Words(
    "{good} good, {warning} to look at, {failed} failed.",
    "正常 {good} 项，注意 {warning} 项，失败 {failed} 项。",
)


def worst(examined: Iterable[Examined]) -> Verdict:
    found = {finding.verdict for one in examined for finding in one.findings}
    return max(found, key=list(Verdict).index, default=Verdict.GOOD)


def show(
    machine: Machine, examined: Iterable[Examined], language: str, console: Console | None = None
) -> tuple[Examined, ...]:
    """Print each check as it is done, then how many were how; what was found."""
    out = console or Console()
    line = "–" if machine.line is None else str(machine.line.topology.line_id)
    out.print(HEAD.of(language).format(line=line, data=machine.data), markup=False)
    seen: list[Examined] = []
    for one in examined:
        seen.append(one)
        title = one.check.title.of(language)
        for finding in one.findings:
            out.print(_row(title, finding, language))
            title = ""
    counted = Counter(finding.verdict for one in seen for finding in one.findings)
    figures = {verdict.value: counted[verdict] for verdict in Verdict}
    out.print(COUNTS.of(language).format(**figures), markup=False)
    return tuple(seen)


def _row(title: str, finding: Finding, language: str) -> Table:
    """Mark, title, what was found; below it, what to do."""
    row = Table.grid(padding=(0, 2, 0, 0), expand=False)
    row.add_column(width=max(cell_len(mark.of(language)) for mark in MARKS.values()), no_wrap=True)
    row.add_column(width=max(cell_len(check.title.of(language)) for check in CHECKS), no_wrap=True)
    row.add_column(overflow="fold")
    said = finding.said.of(language)
    style = STYLES[finding.verdict]
    text = Text(f"{finding.subject}: {said}" if finding.subject else said)
    if finding.fix is not None:
        text.append(f"\n→ {finding.fix.of(language)}", style="italic")
    row.add_row(Text(MARKS[finding.verdict].of(language), style=style), Text(title), text)
    return row


def as_json(machine: Machine, examined: Sequence[Examined], language: str) -> dict[str, Any]:
    """``verdict`` and each finding's ``check`` and ``verdict`` are names for programs, the rest is words."""
    return {
        "line": None if machine.line is None else str(machine.line.topology.line_id),
        "data": str(machine.data),
        "verdict": worst(examined).value,
        "findings": [
            {
                "check": one.check.name,
                "subject": finding.subject,
                "verdict": finding.verdict.value,
                "said": finding.said.of(language),
                "fix": None if finding.fix is None else finding.fix.of(language),
            }
            for one in examined
            for finding in one.findings
        ],
    }
