"""Hand-made runs for the checker: one clean story a parcel, which a test then spoils in one place."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from edge.model.divert import CommandStatus
from edge.model.ids import BenchId, DeviceId, GateNo
from edge.model.review import GateLane
from edge.model.topology import Bench, ChuteKind, Recirculation, Topology
from edge.model.units import Mm
from edge.model.verdict import Reason
from simulators.world.checker import Checker, Report
from simulators.world.truth import (
    Carried,
    CommandJudged,
    CommandWritten,
    HeartbeatMoved,
    Inducted,
    Left,
    OnScale,
    Placed,
    PlcStarted,
    Removed,
    Truth,
    WorkMoved,
)
from tests.core.world_kit import line

S = 1_000_000
Body = dict[str, Any]
COMMIT_US = 2_000


def bench_line() -> Topology:
    """The line of these runs: what ships must have passed a review at its one bench."""
    bench = Bench(id=BenchId("bench1"), device=DeviceId("bench1"), gate=GateNo(1))
    return replace(line(), benches=(bench,), review_required=True)


class Story:
    """One parcel that ships at exit 1, chute 001: facts and rows by name, to be changed or dropped.

    Times are from its induction at ``n`` × 2 s; the belt does 1.8 m/s, a tick a millimetre.
    """

    def __init__(self, n: int, *, number: int | None = None) -> None:
        self.n = n
        self.t = (2 * n + 10) * S
        self.ticks = self.t * 18 // 10_000
        number = n if number is None else number
        self.facts = _facts_of(n, number, self.t, self.ticks)
        self.rows = _rows_of(n, number, self.t, self.ticks)

    def fact(self, name: str, **changes: Any) -> "Story":
        self.facts[name] = replace(self.facts[name], **changes)
        return self

    def row(self, name: str, **changes: Any) -> "Story":
        kind, body = self.rows[name]
        self.rows[name] = (kind, {**body, **changes})
        return self

    def without(self, *names: str) -> "Story":
        for name in names:
            self.facts.pop(name, None)
            self.rows.pop(name, None)
        return self

    def to_the_end(self, reason: str) -> "Story":
        """Rejected: nothing is told, it leaves at the end of the line."""
        self.without("written", "judged", "carried", "told", "timed", "fired")
        self.row("decided", reason=reason, chute="end", exit=5)
        self.row("exited", reason=reason, chute="end", exit=5, shipped=False, counts_as_shipped=False)
        self.fact("left", exit=5, at_us=self.t + 3_350_000)
        return self.row("exited", at_us=self.t + 3_400_000)


def _facts_of(n: int, number: int, t: int, ticks: int) -> dict[str, Truth]:
    lay = (("A", "690A", 2),)
    return {
        "moved": WorkMoved(
            t - 9_500_000, "bench1", f"o{n}", t - 10_000_000, GateLane.PACKING, (("A", 2),), lay
        ),
        "placed": Placed(t - 20_000, n, n - 1, 300, 1_000, f"o{n}", f"W{n}", (f"W{n}",), ()),
        "inducted": Inducted(t, n, ticks, 900, False),
        "on_scale": OnScale(t + 1_500_000, n, t + 900_000, t + 900_000, t + 1_255_000),
        "written": CommandWritten(t + 1_700_000, 1, number, 1, False, n, 77),
        "judged": CommandJudged(t + 1_705_000, 1, number, 1, False, n, CommandStatus.APPLIED),
        "carried": Carried(t + 2_222_000, n, 1, t + 2_090_000, t + 2_100_000, False),
        "left": Left(t + 2_400_000, n, 1, ticks + 4_320, -1, ((1, ticks), (2, ticks + 1300))),
    }


def _rows_of(n: int, number: int, t: int, ticks: int) -> dict[str, tuple[str, Body]]:
    track = {"track": n}
    sample = {"at_us": t + 1_200_000, "grams": 1_000, "state": "ok"}
    reading = {"grams": 1_003, "quality": "good", "spread_g": 5, "samples": 9}
    work = {"bench": "bench1", "order_no": f"o{n}"}
    return {
        "reviewed": (
            "Reviewed",
            {**work, "at_us": t - 9_990_000, "reason": "ok", "missing": [], "extra": []},
        ),
        "work_left": ("WorkLeft", {**work, "at_us": t - 9_400_000, "lane": 1, "released": True}),
        "opened": (
            "TrackOpened",
            {**track, "at_us": t + 260_000, "epoch": 1, "number": number, "eye": 1, "ticks": ticks},
        ),
        "identified": (
            "Identified",
            {**track, "at_us": t + 700_000, "quality": "good", "waybill": f"W{n}"},
        ),
        "found": ("OrderFound", {**track, "at_us": t + 710_000, "waybill": f"W{n}"}),
        "samples": ("SamplesCaptured", {**track, "at_us": t + 1_300_000, "samples": [sample]}),
        "weighed": ("Weighed", {**track, "at_us": t + 1_300_000, "reading": reading}),
        "decided": (
            "Decided",
            {
                **track,
                "at_us": t + 1_600_000,
                "waybill": f"W{n}",
                "order_no": f"o{n}",
                "reason": "ok",
                "chute": "001",
                "exit": 1,
            },
        ),
        "told": ("Told", {**track, "at_us": t + 1_706_000, "exit": 1, "seq": n}),
        "timed": (
            "ToldTimed",
            {**track, "at_us": t + 1_720_000, "decide_to_told_us": 12_000, "plc_wait_us": 7_000},
        ),
        "fired": (
            "DivertFired",
            {"at_us": t + 2_150_000, "epoch": 1, "number": number, "exit": 1, "ticks": ticks + 3_800},
        ),
        "exited": (
            "Exited",
            {
                **track,
                "at_us": t + 2_450_000,
                "waybill": f"W{n}",
                "exit": 1,
                "chute": "001",
                "reason": "ok",
                "shipped": True,
                "counts_as_shipped": True,
                "mis_sorted": False,
            },
        ),
    }


class Run:
    """Stories, and whatever else happened, given to a checker in the order of time."""

    def __init__(self, folder: Path, *stories: Story) -> None:
        self.path = folder / "journal.db"
        self.topology = bench_line()
        self.stories = list(stories)
        self.facts: list[Truth] = [PlcStarted(1, 1, 0)]
        self.facts += [HeartbeatMoved(at) for at in range(100_000, 60 * S, 100_000)]
        self.rows: list[tuple[str, Body]] = [("ScaleZeroed", {"at_us": 400_000, "good": True})]
        self.spoil_file: Callable[[sqlite3.Connection], object] | None = None
        self.commit_us = COMMIT_US
        self.steps = False

    def check(self) -> Report:
        rows = [*self.rows, *(row for story in self.stories for row in story.rows.values())]
        rows.sort(key=lambda row: row[1]["at_us"])
        write_journal(self.path, rows)
        if self.spoil_file is not None:
            with sqlite3.connect(self.path) as database:
                self.spoil_file(database)
            database.close()
        checker = Checker(self.topology, self.path, seed=9)
        facts = [*self.facts, *(fact for story in self.stories for fact in story.facts.values())]
        for fact in sorted(facts, key=lambda fact: fact.at_us):
            checker.fact(fact)
        for seq, (_, body) in enumerate(rows, start=1):
            checker.commits.ended(seq, body["at_us"] + self.commit_us)
        if self.steps:
            checker.advance()
        return checker.finish()


def cancel(n: int, at_us: int, outcome: str, *, final: bool = True) -> tuple[str, Body]:
    body = {
        "at_us": at_us,
        "inbox_seq": n,
        "message_id": f"m{n}",
        "order_no": f"o{n}",
        "outcome": outcome,
        "track": n,
        "place": "",
        "final": final,
    }
    return "CancelAnswered", body


def clean(folder: Path) -> Run:
    """Three parcels that ship, one rejected, one taken off, a cancel of each outcome."""
    gone = Story(5).to_the_end("lost").without("left", "exited")
    gone.facts["removed"] = Removed(gone.t + 2_000_000, 5, 3000, -1, ())
    gone.rows["missing"] = (
        "Missing",
        {
            "track": 5,
            "at_us": gone.t + 4_000_000,
            "waybill": "W5",
            "reason": "lost",
            "last_eye": 3,
            "counts_as_shipped": False,
        },
    )
    rejected = Story(4).to_the_end("cancelled")
    run = Run(folder, Story(1), Story(2), Story(3), rejected, gone)
    first = run.stories[0]
    run.rows.append(cancel(1, first.t + 5 * S, "too_late"))
    run.rows.append(cancel(4, rejected.t + 100_000, "accepted"))
    run.rows.append(cancel(3, rejected.t + 200_000, "pending", final=False))
    return run


def looping(run: Run, laps: int) -> None:
    """One more parcel, which goes so often into the lane of exit 4, that leads back on this line."""
    chutes = tuple(
        replace(one, kind=ChuteKind.RECIRCULATION) if one.exit == 4 else one for one in run.topology.chutes
    )
    loop = Recirculation(chute=chutes[3].id, limit=1, back_mm=Mm(5_000), apart=20, reasons=(Reason.NO_READ,))
    run.topology = replace(run.topology, chutes=chutes, recirculation=loop)
    again = 0
    for n in range(6, 6 + 2 * laps, 2):
        story = Story(n).fact("placed", again=again)
        for name in ("written", "judged", "carried", "left"):
            story.fact(name, exit=4)
        for name in ("decided", "told", "fired", "exited"):
            story.row(name, exit=4)
        story.row("decided", reason="no_read", waybill="")
        story.row("exited", reason="no_read", shipped=False, counts_as_shipped=False)
        run.stories.append(story)
        again = n


def write_journal(path: Path, rows: list[tuple[str, Body]], line_id: str = "kit") -> None:
    """The tables of the journal that an outsider reads, its chain computed as the docs say."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, at_us, utc_us, kind, track, body TEXT, hash BLOB)"
    )
    database.execute("CREATE TABLE segment (no INTEGER PRIMARY KEY, file, first_seq, last_seq, before, head)")
    before = sha256(b"beltkeeper journal\n" + line_id.encode()).digest()
    for seq, (kind, body) in enumerate(rows, start=1):
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        track = body.get("track")
        of = "" if track is None else track
        before = sha256(before + f"{seq}\n{body['at_us']}\n\n{kind}\n{of}\n{text}".encode()).digest()
        database.execute(
            "INSERT INTO event VALUES (?,?,NULL,?,?,?,?)", (seq, body["at_us"], kind, track, text, before)
        )
    database.commit()
    database.close()
