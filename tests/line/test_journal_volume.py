"""What one parcel costs the record, and that a snapshot with its tail is the full replay."""

import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.ids import JournalSeq
from edge.runtime.recovery import recover, replay
from edge.store.journal_reader import JournalReader
from edge.store.rows import decode, encode
from line_config.load import load_line
from simulators.faults import FaultLevel
from simulators.loop import VirtualLoop
from simulators.network import Network
from simulators.rig import Rig, Run

MAX_ROWS = 30
MAX_BYTES = 6_000
"""Of one parcel, from its induction to its end (architecture.md section 2)."""
REVIEW = (
    "BenchScanned",
    "SlipFound",
    "ReviewOpened",
    "ReviewInterrupted",
    "Reviewed",
    "GatePassed",
    "WorkLeft",
)
"""Kinds of rows of an order's review at a bench, before there is a parcel."""
SNAPSHOT_ROWS = 400


def recorded(run: Run, folder: Path) -> Path:
    """Play a run; its journal."""
    loop = VirtualLoop(network=Network(run.seed))

    async def main() -> None:
        await Rig(run, loop, folder).play(lambda _placed: None)

    loop.run(main())
    return folder / "journal" / "journal.db"


def volumes(journal: Path) -> tuple[Counter[int], Counter[int]]:
    """Rows, and bytes of rows, of each track, reviews apart (-1); 0: about no single one (codes, status
    bits, orders)."""
    rows: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    for track, kind, size in db.execute(
        "SELECT ifnull(track, 0), kind, length(body) + length(hash) FROM event"
    ):
        whose = -1 if kind in REVIEW else track
        rows[whose] += 1
        sizes[whose] += size
    db.close()
    return rows, sizes


@pytest.mark.parametrize("name", ["demo", "small", "fast"])
def test_a_parcel_is_at_most_30_rows_and_6_kb(name: str, tmp_path: Path) -> None:
    run = Run(line=load_line(name), parcels=40, seed=3, faults=FaultLevel.NONE)
    rows, sizes = volumes(recorded(run, tmp_path))
    reviews = (rows.pop(-1, 0), sizes.pop(-1, 0))
    assert (reviews[0] > 0) == bool(run.line.topology.benches)
    assert reviews[0] <= MAX_ROWS * run.parcels // 2
    assert reviews[1] <= MAX_BYTES * run.parcels
    assert rows.total() <= MAX_ROWS * run.parcels, "all rows, those of the line's start among them"
    assert sizes.total() <= MAX_BYTES * run.parcels
    del rows[0], sizes[0]
    assert len(rows) >= run.parcels
    assert max(rows.values()) <= MAX_ROWS
    assert max(sizes.values()) <= MAX_BYTES


def snapshots(journal: Path) -> list[tuple[int, bytes]]:
    """Sequence and state of those that are kept, oldest first."""
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    found = db.execute("SELECT seq, body FROM snapshot ORDER BY seq").fetchall()
    db.close()
    return [(seq, body if isinstance(body, bytes) else body.encode()) for seq, body in found]


def test_a_snapshot_with_its_tail_is_the_full_replay(tmp_path: Path) -> None:
    line = load_line("demo")
    line = replace(line, store=replace(line.store, snapshot_rows=SNAPSHOT_ROWS))
    journal = recorded(Run(line=line, parcels=60, seed=4, faults=FaultLevel.DEFAULT), tmp_path)
    reader = JournalReader(journal)
    whole = LineCore(line.topology)
    assert replay(whole, reader.rows(JournalSeq(0))) is None
    (seq, state), _ = snapshots(journal)
    early = LineCore(line.topology, decode(CoreState, state))
    assert early.state.tracks, "parcels are on the belt at the snapshot"
    assert len(list(reader.rows(JournalSeq(seq)))) > SNAPSHOT_ROWS // 2
    assert replay(early, reader.rows(JournalSeq(seq))) is None
    reader.close()
    assert encode(early.state) == encode(whole.state) == encode(recover(journal, line.topology).core.state)
