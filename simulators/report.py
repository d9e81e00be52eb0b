"""What ``beltkeeper simulate`` shows: progress on a terminal, the figures of a run, and its JSON."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from line_config.reasons import ReasonEntry
from simulators.rig import Outcome

VIOLATIONS_SHOWN = 10
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "placing": "parcels",
        "title": "{parcels} parcels: {virtual_s:.0f} s of line time in {wall_s:.1f} s ({times:.0f} ×)",
        "exited": "Seen leaving by the world",
        "wrong": "Mis-sorted / lost",
        "wrongly": "Shipped unverified / though cancelled",
        "undetectable": "Undetectable swaps / forced mis-sorts",
        "reviewed": "Reviews / of them wrong",
        "read_rate": "Read rate",
        "told": "Decided → told to the PLC",
        "wait": "of it, waiting for the PLC",
        "down": "Told while the PLC was away",
        "crashes": "Crashes of the line process",
        "checked": "Invariants checked",
        "not_this_line": "not on this line: {names}",
        "digest": "Digest",
        "decisions_digest": "Decisions digest",
        "reasons": "Ends by reason",
        "reason": "reason",
        "count": "parcels",
        "meaning": "meaning",
        "chutes": "Exits by chute: {chutes}",
        "violation": "{invariant} (seed {seed}, {at_s:.3f} s, parcel {parcel}, track {track}): {what}",
        "more": "… and {n} more",
        "never_reached": "Reasons not seen",
        "unproved": "never evaluated although the run is long: {names}",
        "good": "Nothing was mis-sorted, lost or shipped unverified; every invariant held.",
        "bad": "NOT GOOD.",
    },
    "zh": {
        "placing": "包裹",
        "title": "{parcels} 件包裹，线体时间 {virtual_s:.0f} 秒，模拟用时 {wall_s:.1f} 秒（{times:.0f} 倍）",
        "exited": "实际离开皮带",
        "wrong": "错分 / 丢失",
        "wrongly": "未核验出货 / 已取消仍出货",
        "undetectable": "无法察觉的调换 / 人为错分",
        "reviewed": "扫描复核 / 其中不符",
        "read_rate": "读码率",
        "told": "判定 → 通知 PLC",
        "wait": "其中等待 PLC",
        "down": "PLC 离线期间通知",
        "crashes": "线体进程崩溃",
        "checked": "已检查的不变式",
        "not_this_line": "本线不适用：{names}",
        "digest": "摘要",
        "decisions_digest": "判定摘要",
        "reasons": "按原因统计",
        "reason": "原因",
        "count": "件数",
        "meaning": "含义",
        "chutes": "各格口实际件数：{chutes}",
        "violation": "{invariant}（种子 {seed}，{at_s:.3f} 秒，包裹 {parcel}，轨迹 {track}）：{what}",
        "more": "……另有 {n} 条",
        "never_reached": "未出现的原因",
        "unproved": "运行足够长却从未检查：{names}",
        "good": "没有错分、丢失或未核验出货；所有不变式均成立。",
        "bad": "结果不合格。",
    },
}


@contextmanager
def progress_bar(parcels: int, language: str) -> Iterator[Callable[[int], None]]:
    """Called with the number of parcels placed since the last call; nothing shows unless stderr is a
    terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn(TEXTS[language]["placing"]),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=parcels)
        yield lambda placed: bar.advance(task, placed)


def write_json(figures: Mapping[str, object], to: str) -> None:
    """``-``: stdout. Raises ``OSError`` for a file that cannot be written."""
    text = json.dumps(figures, ensure_ascii=False, indent=2) + "\n"
    if to == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        Path(to).write_text(text, encoding="utf-8")


def show_simulation(
    outcome: Outcome, reasons: tuple[ReasonEntry, ...], language: str, console: Console | None = None
) -> None:
    """The figures for people, on stdout. ``reasons`` put each reason into words."""
    out, texts = console or Console(), TEXTS[language]
    figures = outcome.as_json()
    for note in outcome.notes:
        out.print(note, style="dim", markup=False)
    out.print(_figures(outcome, figures, texts))
    for name in ("digest", "decisions_digest"):
        out.print(f" {texts[name]}: {figures[name]}", markup=False, highlight=False, soft_wrap=True)
    out.print()
    out.print(_ends(figures, reasons, texts, language))
    out.print()
    for one in outcome.report.violations[:VIOLATIONS_SHOWN]:
        line = texts["violation"].format(
            invariant=one.invariant,
            seed=one.seed,
            at_s=one.at_us / 1_000_000,
            parcel=one.parcel,
            track=one.track,
            what=one.what,
        )
        out.print(line, style="red", markup=False)
    unseen = sum(outcome.report.violated.values()) - VIOLATIONS_SHOWN
    if unseen > 0:
        out.print(texts["more"].format(n=unseen), style="red")
    if outcome.unproved:
        out.print(texts["unproved"].format(names=", ".join(outcome.unproved)), style="red", markup=False)
    verdict = ("good", "bold green") if outcome.good else ("bad", "bold red")
    out.print(texts[verdict[0]], style=verdict[1])


def _figures(outcome: Outcome, figures: dict[str, Any], texts: Mapping[str, str]) -> Table:
    times = outcome.virtual_s / outcome.wall_s if outcome.wall_s else 0.0
    title = texts["title"].format(
        parcels=figures["parcels"], virtual_s=outcome.virtual_s, wall_s=outcome.wall_s, times=times
    )
    table = Table(title=title, title_justify="left", show_header=False, show_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    checked = {name: n for name, n in outcome.report.checked.items() if n}
    apart = [name for name, n in outcome.report.checked.items() if n is None]
    down = figures["told_while_down"]
    rows = (
        ("exited", str(figures["exited"])),
        ("wrong", f"{figures['mis_sorted']} / {figures['lost']}"),
        ("wrongly", f"{figures['unverified_shipped']} / {figures['cancelled_shipped']}"),
        ("undetectable", f"{figures['undetectable']} / {figures['forced_mis_sorts']}"),
        ("reviewed", f"{figures['reviewed']} / {figures['review_rejected']}" if figures["reviewed"] else ""),
        ("read_rate", f"{figures['read_rate']:.1%}"),
        ("told", _milliseconds(figures["decide_to_told_ms"])),
        ("wait", _milliseconds(figures["plc_wait_ms"])),
        ("down", f"{down['n']}" + (f", max {down['max_ms']:.0f} ms" if down["n"] else "")),
        ("crashes", str(outcome.crashes)),
        ("never_reached", ", ".join(figures["never_reached"])),
        ("checked", f"{len(checked)}, {sum(checked.values())} ×"),
        ("", texts["not_this_line"].format(names=", ".join(apart)) if apart else ""),
    )
    for name, value in rows:
        if value:
            table.add_row(texts[name] if name else "", value)
    return table


def _milliseconds(found: Mapping[str, float]) -> str:
    return f"p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms, max {found['max']:.1f} ms"


def _ends(
    figures: dict[str, Any], reasons: tuple[ReasonEntry, ...], texts: Mapping[str, str], language: str
) -> Table:
    words = {one.reason.value: one.text.zh if language == "zh" else one.text.en for one in reasons}
    table = Table(title=texts["reasons"], title_justify="left", show_edge=False, caption_justify="left")
    table.add_column(texts["reason"], no_wrap=True)
    table.add_column(texts["count"], justify="right")
    table.add_column(texts["meaning"])
    for reason, count in sorted(figures["by_reason"].items(), key=lambda one: (-one[1], one[0])):
        table.add_row(reason, str(count), words.get(reason, reason))
    chutes = ", ".join(f"{name} {n}" for name, n in figures["by_chute"].items())
    table.caption = texts["chutes"].format(chutes=chutes)
    return table
