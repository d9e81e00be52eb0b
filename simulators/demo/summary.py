"""What a demo ends with: the verdict, the figures, one parcel's story, and the JSON."""

import json
import os
import shlex
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from line_config.description import LineDescription
from simulators.demo.erp_client import CancelTally
from simulators.demo.screen import Screen, reason_text
from simulators.demo.tails import is_made, open_read_only
from simulators.faults import FaultLevel
from simulators.world.checker import Report

if TYPE_CHECKING:
    from simulators.demo.play import Demo

GOOD, FAILED, BAD_ENVIRONMENT = 0, 1, 3
MUST_BE_ZERO = ("mis_sorted", "lost", "unverified_shipped", "cancelled_shipped")
VIOLATIONS_SHOWN = 10
STORY_S = 30
TELLING = (
    "SELECT waybill FROM parcel WHERE waybill != '' ORDER BY shipped DESC, told_at_us IS NULL,"
    " decide_to_told_us DESC LIMIT 1"
)
"""A shipped one, and of those the one whose way to the PLC took longest."""
PLACES = "SELECT DISTINCT exit_reason, coalesce(actual_chute, '') FROM parcel WHERE exit_reason IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One finished run."""

    report: Report
    line: LineDescription
    data: Path
    cancels: CancelTally
    contradicted: tuple[str, ...]
    """Message ids of cancels that were told otherwise than the record has it."""
    open_tracks: int
    inducted: int
    faults: dict[str, int]
    line_restarts: int
    gateway_restarts: int
    belt_s: float

    def troubles(self, texts: dict[str, str]) -> list[str]:
        """What makes the run a bad one, in words; empty: nothing."""
        figures = self.report.summary
        found = [texts[name].format(n=figures[name]) for name in MUST_BE_ZERO if figures[name]]
        found += [texts["violated"].format(n=n, invariant=one) for one, n in self.report.violated.items()]
        if self.cancels.open:
            found.append(texts["unanswered"].format(n=len(self.cancels.open)))
        if self.contradicted:
            found.append(
                texts["contradicted"].format(messages=", ".join(self.contradicted[:VIOLATIONS_SHOWN]))
            )
        if self.open_tracks:
            found.append(texts["open_tracks"].format(n=self.open_tracks))
        return found

    def as_json(self, *, harsh: bool) -> dict[str, object]:
        """The figures of the run; ``forced_mis_sorts`` only where some were forced."""
        found = dict(self.report.summary)
        if not harsh:
            del found["forced_mis_sorts"]
        return found


def summarise(ended: Ended, demo: "Demo", screen: Screen) -> int:
    """Tell people and write the JSON; the exit status."""
    troubles = ended.troubles(screen.texts)
    _tell(ended, troubles, screen)
    _tell_story(ended, demo, screen)
    if demo.json_to is not None:
        text = json.dumps(ended.as_json(harsh=demo.faults == FaultLevel.HARSH), ensure_ascii=False, indent=2)
        try:
            _write(text + "\n", demo.json_to)
        except OSError as error:
            sys.stderr.write(f"beltkeeper demo: {demo.json_to}: {error.strerror}\n")
            return BAD_ENVIRONMENT
    return FAILED if troubles else GOOD


def _write(text: str, where: str) -> None:
    if where == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        Path(where).write_text(text, encoding="utf-8")


def _tell(ended: Ended, troubles: list[str], screen: Screen) -> None:
    texts, console = screen.texts, screen.console
    console.print()
    console.print(_figures(ended, screen))
    console.print()
    console.print(_ends(ended, screen))
    console.print()
    if ended.report.violations:
        console.print(texts["violations"], style="bold red")
        for one in ended.report.violations[:VIOLATIONS_SHOWN]:
            what = f"  {one.invariant}: {one.what} (parcel {one.parcel}, track {one.track})"
            console.print(what, markup=False)
    verdict = texts["bad"].format(what=", ".join(troubles)) if troubles else texts["good"]
    console.print(verdict, style="bold red" if troubles else "bold green", markup=False)
    screen.say("record", data=ended.data)


def _figures(ended: Ended, screen: Screen) -> Table:
    texts, found = screen.texts, ended.report.summary
    table = Table(title=texts["summary"], title_justify="left", show_header=False, show_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    told, wait, down = found["decide_to_told_ms"], found["plc_wait_ms"], found["told_while_down"]
    assert isinstance(told, dict)
    assert isinstance(wait, dict)
    assert isinstance(down, dict)
    rate = found["read_rate"]
    assert isinstance(rate, float)
    table.add_row(texts["placed"], str(found["parcels"]))
    table.add_row(texts["exited"], str(found["exited"]))
    table.add_row(texts["read_rate"], f"{rate:.1%}")
    table.add_row(texts["told"], _milliseconds(told))
    table.add_row(texts["wait"], _milliseconds(wait))
    table.add_row(texts["down"], f"{down['n']}" + (f", max {down['max_ms']:.0f} ms" if down["n"] else ""))
    if found["reviewed"]:
        table.add_row(texts["reviewed"], f"{found['reviewed']} / {found['review_rejected']}")
    table.add_row(texts["cancels"], _cancels(ended.cancels, texts))
    table.add_row(texts["faults"], _counts(ended.faults) or texts["none"])
    table.add_row(texts["line_restarts"], f"{ended.line_restarts} / {ended.gateway_restarts}")
    table.add_row(texts["belt_s"], f"{ended.belt_s:.1f} s")
    done = {name: n for name, n in ended.report.checked.items() if n}
    table.add_row(texts["checked"], f"{len(done)}, {sum(done.values())} ×")
    return table


def _milliseconds(found: dict[str, Any]) -> str:
    return f"p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms, max {found['max']:.1f} ms"


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in found.items())


def _cancels(cancels: CancelTally, texts: dict[str, str]) -> str:
    if not cancels.sent:
        return texts["none"]
    outcomes = _counts(dict(sorted(cancels.outcomes.items())))
    said = f"{cancels.sent}: {outcomes}, max {cancels.slowest_s * 1000:.0f} ms"
    if cancels.pending:
        said += ", " + texts["pending"].format(n=cancels.pending)
    return said


def _ends(ended: Ended, screen: Screen) -> Table:
    texts, found = screen.texts, ended.report.summary
    chutes, reasons = found["by_chute"], found["by_reason"]
    assert isinstance(chutes, dict)
    assert isinstance(reasons, dict)
    places = _places(ended.data / "journal" / "journal.db")
    table = Table(title=texts["by_reason"], title_justify="left", show_edge=False, caption_justify="left")
    table.add_column(texts["reason"], no_wrap=True)
    table.add_column(texts["count"], justify="right")
    table.add_column(texts["to"])
    table.add_column(texts["meaning"])
    for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0])):
        where = ", ".join(places.get(reason, ())) or texts["no_chute"]
        table.add_row(reason, str(count), where, reason_text(ended.line, reason, screen.language))
    table.caption = f"{texts['exits']}: {_counts(chutes)}"
    return table


def _places(journal: Path) -> dict[str, list[str]]:
    """Reason → the chutes to which it led."""
    found: dict[str, list[str]] = {}
    if journal.exists():
        with closing(open_read_only(journal)) as database:
            rows = database.execute(PLACES).fetchall() if is_made(database) else []
        for reason, chute in sorted(rows):
            found.setdefault(reason, []).extend((chute,) if chute else ())
    return found


def _tell_story(ended: Ended, demo: "Demo", screen: Screen) -> None:
    """By the command that anybody would use."""
    journal = ended.data / "journal" / "journal.db"
    with closing(open_read_only(journal)) as database:
        found = database.execute(TELLING).fetchone() if is_made(database) else None
    if found is None:
        return
    options = ["--data", str(ended.data), "--line", demo.line]
    shown = shlex.join(["beltkeeper", "parcel", "WAYBILL", *options])
    screen.say("again", command=shown)
    screen.console.print()
    screen.console.print(screen.texts["story"], style="bold")
    told = subprocess.run(
        [sys.executable, "-m", "edge.cli", "parcel", found[0], *options],
        env=os.environ | {"COLUMNS": str(screen.console.width)},
        capture_output=True,
        text=True,
        timeout=STORY_S,
        check=False,
    )
    screen.console.print(told.stdout or told.stderr, markup=False, soft_wrap=True)
