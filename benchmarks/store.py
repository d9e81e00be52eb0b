"""The durable record: the journal's writer against bare sqlite3, one transaction of each in turns."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.bare import BareJournal, bare_rows
from benchmarks.bench import Bench
from benchmarks.figures import Figure, rank
from edge.model.ids import InboxSeq
from edge.ports.journal import JournalItem
from edge.store.journal_writer import JournalWriter

BATCH = 16
ROUNDS = 3
PAUSE_S = 0.001
"""Between two commits, as between a line's inputs: neither falls into the wake of the other's."""
RATE_RATIO = 0.5
P99_RATIO = 1.5


def store(bench: Bench) -> list[Figure]:
    """Both write 16 rows to a durable transaction (WAL, synchronous FULL). Ours is measured from the append
    to its future: numbered, encoded, chained, projected."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(ROUNDS):
        asyncio.run(_in_turns(bench.items, bench.place(f"store-{number}"), ours, bare))
    rows = len(ours) * BATCH
    note = f"{rows} rows in {BATCH}s, in turns"
    times = f"p50 {rank(ours, 50) * 1_000:.2f} ms, bare {rank(bare, 50) * 1_000:.2f} ms"
    return [
        Figure(name="durable, JournalWriter", value=rows / sum(ours), unit="rows/s", note=note),
        Figure(name="durable, bare sqlite3", value=rows / sum(bare), unit="rows/s"),
        Figure(name="durable, ratio", value=sum(bare) / sum(ours), unit="", at_least=RATE_RATIO),
        Figure(name="commit p99, JournalWriter", value=rank(ours, 99) * 1_000, unit="ms", note=times),
        Figure(name="commit p99, bare sqlite3", value=rank(bare, 99) * 1_000, unit="ms"),
        Figure(name="commit p99, ratio", value=rank(ours, 99) / rank(bare, 99), unit="", at_most=P99_RATIO),
    ]


async def _in_turns(items: Sequence[JournalItem], folder: Path, ours: list[float], bare: list[float]) -> None:
    """Seconds of each commit go to ``ours`` and ``bare``."""
    floor = BareJournal(folder / "bare.db")
    journal = JournalWriter(folder / "journal" / "journal.db", line_id="bench", timezone="UTC")
    try:
        for first in range(0, len(items) - BATCH + 1, BATCH):
            batch = items[first : first + BATCH]
            rows = bare_rows(batch)
            began = perf_counter()
            floor.commit(rows)
            bare.append(perf_counter() - began)
            await asyncio.sleep(PAUSE_S)
            began = perf_counter()
            await journal.append(batch, InboxSeq(0))
            ours.append(perf_counter() - began)
            await asyncio.sleep(PAUSE_S)
    finally:
        await journal.close()
        floor.close()
