"""The journal as an outsider reads it: plain sqlite3, read-only, the hash chain computed here.

The chain (docs of the journal): hash(i) = SHA-256(hash(i−1) ‖ row(i)), row(i) being ASCII of seq, at_us,
utc_us, kind, track and body joined by line feeds, an absent utc_us or track empty; hash(0) is SHA-256 of
"beltkeeper journal", a line feed and the line's id.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from simulators.world.findings import Findings

BATCH = 2_000
"""Rows read at once, so that memory does not grow with the journal."""

_decode = json.JSONDecoder().raw_decode
"""``json.loads`` of a text without blanks around it, and without its questions: most rows are read."""

Fields = dict[str, Any]
"""The body of a row: field → JSON value."""


class JournalRow(NamedTuple):
    """A tuple, for one is made of every row of a run."""

    seq: int
    at_us: int
    kind: str
    body: str

    @property
    def fields(self) -> Fields:
        found, end = _decode(self.body)
        assert isinstance(found, dict)
        assert end == len(self.body)
        return found


class JournalTail:
    """Reads on where it stopped; closed segments and the open file look like one journal."""

    def __init__(self, path: Path, line_id: str, findings: Findings) -> None:
        self._path = path
        self._findings = findings
        self._seq = 0
        self._hash = sha256(b"beltkeeper journal\n" + line_id.encode()).digest()

    def rows(self) -> Iterator[JournalRow]:
        """Every row since the last call, its place in the chain proved on the way."""
        if not self._path.exists():
            return
        with closing(_open(self._path)) as database:
            segments = database.execute("SELECT file, last_seq FROM segment ORDER BY no").fetchall()
            for file, last_seq in segments:
                if last_seq > self._seq:
                    with closing(_open(self._path.parent / "segments" / file)) as past:
                        yield from self._read(past, last_seq)
            yield from self._read(database, None)

    def _read(self, database: sqlite3.Connection, last_seq: int | None) -> Iterator[JournalRow]:
        limit = "" if last_seq is None else f" AND seq <= {last_seq:d}"
        query = (
            "SELECT seq, at_us, utc_us, kind, track, body, hash FROM event"  # noqa: S608 - an int, formatted
            f" WHERE seq > ?{limit} ORDER BY seq LIMIT {BATCH}"
        )
        while True:
            batch = database.execute(query, (self._seq,)).fetchall()
            for seq, at_us, utc_us, kind, track, body, found in batch:
                utc = "" if utc_us is None else utc_us
                of = "" if track is None else track
                text = f"{seq}\n{at_us}\n{utc}\n{kind}\n{of}\n{body}"
                computed = sha256(self._hash + text.encode()).digest()
                if seq == self._seq + 1 and computed == found:
                    self._findings.kept("chain")
                else:
                    what = f"row {seq} does not follow row {self._seq}"
                    self._findings.hold("chain", False, what, at_us=at_us, track=track or 0)
                self._seq = seq
                self._hash = found
                yield JournalRow(seq, at_us, kind, body)
            if len(batch) < BATCH:
                return


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
