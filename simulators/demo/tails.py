"""The two logs of a run as they grow: the ground truth, and the line's record."""

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any

from simulators.world.truth import Truth, from_json_line

READ_BYTES = 1 << 20
"""Of the truth log at one look: some ten thousand facts."""
REJECTS_SHOWN = 6
ROWS_AT_ONCE = 5_000
KINDS = (
    "LineStarted",
    "DeviceWentUp",
    "DeviceWentDown",
    "LineStateChanged",
    "InductionSwitched",
    "TrackOpened",
    "Identified",
    "Exited",
    "Missing",
)
OPEN = "SELECT count(*) FROM parcel WHERE last_seq IS NULL"
OK = "ok"


class TruthTail:
    """Facts since the last look; a line that is not whole yet waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""

    def read(self) -> Iterator[Truth]:
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._at)
            while data := log.read(READ_BYTES):
                self._at += len(data)
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    yield from_json_line(line.decode())


@dataclass(frozen=True, slots=True)
class Reject:
    """A parcel that did not ship. ``chute`` empty: it never reached one."""

    track: int
    waybill: str
    reason: str
    chute: str


class RecordTail:
    """What the journal says of the line now. Opened read-only, shortly, as every reader must."""

    def __init__(self, journal: Path) -> None:
        self.devices: dict[str, bool] = {}
        self.state = ""
        self.permitted = False
        self.starts = 0
        self.inducted = 0
        self.good_reads = 0
        self.by_chute: Counter[str] = Counter()
        self.by_reason: Counter[str] = Counter()
        self.rejects: deque[Reject] = deque(maxlen=REJECTS_SHOWN)
        self.open_tracks = 0
        self._journal = journal
        self._seq = 0

    @property
    def up(self) -> frozenset[str]:
        """Devices whose link is up."""
        return frozenset(name for name, up in self.devices.items() if up)

    @property
    def settled(self) -> bool:
        """No track is open."""
        return not self.open_tracks

    def read(self) -> None:
        """Take in what is new."""
        if not self._journal.exists():
            return
        marks = ",".join("?" * len(KINDS))
        query = f"SELECT seq, kind, body FROM event WHERE seq > ? AND kind IN ({marks}) ORDER BY seq LIMIT ?"  # noqa: S608
        with closing(open_read_only(self._journal)) as database:
            if not is_made(database):
                return
            while True:
                rows = database.execute(query, (self._seq, *KINDS, ROWS_AT_ONCE)).fetchall()
                for seq, kind, body in rows:
                    self._take(kind, loads(body))
                    self._seq = seq
                if len(rows) < ROWS_AT_ONCE:
                    break
            self.open_tracks = database.execute(OPEN).fetchone()[0]

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        match kind:
            case "LineStarted":
                self.starts += 1
                self.devices = dict.fromkeys(self.devices, False)
            case "DeviceWentUp" | "DeviceWentDown":
                self.devices[body["device"]] = kind == "DeviceWentUp"
            case "LineStateChanged":
                self.state = body["state"]
            case "InductionSwitched":
                self.permitted = body["permitted"]
            case "TrackOpened":
                self.inducted += body["eye"] == 1
            case "Identified":
                self.good_reads += body["quality"] == "good"
            case _:
                self._ended(body, body.get("chute", ""))

    def _ended(self, body: dict[str, Any], chute: str) -> None:
        self.by_reason[body["reason"]] += 1
        if chute:
            self.by_chute[chute] += 1
        if body["reason"] != OK:
            self.rejects.append(Reject(body["track"], body["waybill"], body["reason"], chute))


def contradicted(journal: Path, said: Mapping[str, str]) -> list[str]:
    """Message ids of cancels of which the record says something else than the gateway told."""
    if not said or not journal.exists():
        return list(said)
    query = "SELECT outcome FROM cancel_answer WHERE message_id=? ORDER BY inbox_seq LIMIT 1"
    with closing(open_read_only(journal)) as database:
        recorded = {one: database.execute(query, (one,)).fetchone() for one in said}
    return [one for one, outcome in said.items() if recorded[one] != (outcome,)]


def open_read_only(path: Path) -> sqlite3.Connection:
    """Raises ``sqlite3.Error``."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def is_made(database: sqlite3.Connection) -> bool:
    """Its tables are there: the line makes them at its first start."""
    found = database.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('event', 'parcel')")
    return bool(found.fetchone()[0] == 2)
