"""Digests of a run: the same seed and build must give the same on every Python and machine.

*digest*: SHA-256 over (virtual µs, kind, sorted fields) of the journal's rows and of the true exits,
without wall time, chain and versions. *decisions digest*: over (induction number, chute, reason), the
same on every bus and without faults of the wall clock.
"""

import json
from hashlib import sha256

from simulators.world.journal_rows import Fields, JournalRow
from simulators.world.truth import Left, Removed

WALL_OR_VERSION: dict[str, tuple[str, ...]] = {
    "ClockRead": ("utc_us",),
    "ClockAgreed": ("utc_us", "stepped_us"),
    "LineStarted": ("build", "config_hash"),
}
"""Fields that are left out, by kind of row."""


class RunDigest:
    """Rows in their order and true exits in theirs, each hashed as it comes."""

    def __init__(self) -> None:
        self._rows = sha256()
        self._exits = sha256()

    def row(self, row: JournalRow) -> None:
        """The body of a row is canonical already (compact ASCII JSON, sorted by name)."""
        left_out = WALL_OR_VERSION.get(row.kind)
        body = row.body
        if left_out is not None:
            fields = {name: value for name, value in row.fields.items() if name not in left_out}
            body = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        self._rows.update(f"{row.at_us}\n{row.kind}\n{body}\n".encode())

    def exit(self, fact: Left | Removed) -> None:
        """Where a true parcel went: an exit, or 0 for one that was taken off."""
        place = fact.exit if isinstance(fact, Left) else 0
        self._exits.update(f"{fact.at_us}\n{fact.parcel}\n{place}\n".encode())

    def hexdigest(self) -> str:
        return sha256(self._rows.digest() + self._exits.digest()).hexdigest()


class DecisionsDigest:
    """One line a track, in the order of the tracks: number, chute and reason of its decision, or no
    chute and the reason of its end where nothing was decided."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._waiting: dict[int, tuple[int, str, str] | None] = {}
        self._next = 1

    def opened(self, track: int) -> None:
        self._waiting[track] = None

    def closed(self, track: int, number: int, decided: Fields | None, reason: str) -> None:
        """The track has its terminal record."""
        if decided is None:
            self._waiting[track] = (number, "", reason)
        else:
            self._waiting[track] = (number, decided["chute"], decided["reason"])
        while (line := self._waiting.get(self._next)) is not None:
            self._add(line)
            del self._waiting[self._next]
            self._next += 1

    def hexdigest(self) -> str:
        """As of now, with the open tracks as they are: none of them counts."""
        copy = self._hash.copy()
        for track in sorted(self._waiting):
            line = self._waiting[track]
            if line is not None:
                copy.update("\t".join(map(str, line)).encode() + b"\n")
        return copy.hexdigest()

    def _add(self, line: tuple[int, str, str]) -> None:
        self._hash.update("\t".join(map(str, line)).encode() + b"\n")
