"""Durable events a second: the journal's writer against bare sqlite3 with the same rows and batches."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure
from edge.model.ids import InboxSeq
from edge.ports.journal import JournalItem
from edge.store.journal_writer import JournalWriter
from edge.store.rows import encode

BATCH = 16
ROUNDS = 5
RATIO = 0.5

Batches = Sequence[Sequence[JournalItem]]


def store(items: Sequence[JournalItem], folder: Path) -> list[Figure]:
    """Both write the same bodies, 16 to a durable transaction (WAL, synchronous FULL), in turns. The
    bare one has neither hash chain nor read models, and its rows are encoded beforehand."""
    batches = [items[first : first + BATCH] for first in range(0, len(items) - BATCH + 1, BATCH)]
    ours, bare = [], []
    for number in range(ROUNDS):
        bare.append(_bare(batches, folder / f"bare-{number}.db"))
        ours.append(asyncio.run(_ours(batches, folder / f"journal-{number}")))
    rows = len(batches) * BATCH
    ratio = median(theirs / own for theirs, own in zip(bare, ours, strict=True))
    note = f"{rows} rows in {BATCH}s, median of {ROUNDS} in turns, in {folder}"
    return [
        Figure(name="durable, JournalWriter", value=rows / median(ours), unit="rows/s", note=note),
        Figure(name="durable, bare sqlite3", value=rows / median(bare), unit="rows/s"),
        Figure(name="durable, ratio", value=ratio, unit="", reach=RATIO),
    ]


def _bare(batches: Batches, path: Path) -> float:
    encoded = [[(item.at_us, type(item).__name__, encode(item)) for item in batch] for batch in batches]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, at_us INTEGER, kind TEXT, body TEXT)")
    began = perf_counter()
    for rows in encoded:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO event (at_us, kind, body) VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    spent_s = perf_counter() - began
    connection.close()
    return spent_s


async def _ours(batches: Batches, folder: Path) -> float:
    journal = JournalWriter(folder / "journal.db", line_id="bench", timezone="UTC")
    try:
        began = perf_counter()
        for batch in batches:
            await journal.append(batch, InboxSeq(0))
        return perf_counter() - began
    finally:
        await journal.close()
