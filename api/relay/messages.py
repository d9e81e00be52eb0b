"""What leaves the house: every fact of the record as one JSON object, under a topic of its station.

Inputs of the core (ring entries, codes, samples …) stay inside; they are in the log, which the API gives.
``prev`` is the row that was relayed before this one: who has not seen it has missed something, and asks
for it (``GET /v1/events?after=``). ``id`` is the same at every repeat.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.moments import moment
from edge.model.ids import JournalSeq
from edge.store.journal_types import JournalRow

ROOT: Final = "bk"

STATION_OF: Final[dict[str, str]] = {
    "TrackOpened": "induction",
    "Identified": "reading",
    "ChoiceChanged": "reading",
    "KeyedCodeTaken": "reading",
    "ReviewOpened": "review",
    "ReviewRefused": "review",
    "ReviewInterrupted": "review",
    "Reviewed": "review",
    "WorkLeft": "review",
    "ReviewReopened": "review",
    "Weighed": "weighing",
    "ScaleZeroed": "weighing",
    "ScaleChecked": "weighing",
    "Decided": "decision",
    "Told": "decision",
    "ToldTimed": "decision",
    "Refused": "decision",
    "Aborted": "divert",
    "RevokeOrdered": "divert",
    "Revoked": "divert",
    "CancelAnswered": "orders",
    "Exited": "exit",
    "Missing": "exit",
    "AlarmRaised": "alarm",
    "AlarmCleared": "alarm",
    "AlarmAcknowledged": "alarm",
    "LineStateChanged": "line",
    "InductionSwitched": "line",
    "PlanTaken": "line",
    "ChuteSwitched": "chute",
    "ClockAgreed": "line",
}
"""Every kind of fact, and the station that its topic ``bk/site/line/station/kind`` names."""

STATE_KINDS: Final = frozenset({"LineStateChanged", "InductionSwitched", "PlanTaken"})
"""After one of these the retained state of the line is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose record it is."""

    site: str
    line: str

    def topic(self, station: str, name: str) -> str:
        return f"{ROOT}/{self.site}/{self.line}/{station}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """``text`` is the whole message."""

    seq: JournalSeq
    id: str
    kind: str
    topic: str
    text: str


def outgoing(
    source: Source, rows: Iterable[JournalRow], before: JournalSeq, kinds: frozenset[str] | None = None
) -> list[Outgoing]:
    """The facts among ``rows``, in order; only those of ``kinds`` where it is given. ``before`` is the
    last row relayed before them (0: none)."""
    wanted = STATION_OF.keys() if kinds is None else kinds
    found = []
    for row in rows:
        station = STATION_OF.get(row.kind)
        if station is not None and row.kind in wanted:
            found.append(_message(source, row, station, before))
            before = row.seq
    return found


def _message(source: Source, row: JournalRow, station: str, before: JournalSeq) -> Outgoing:
    name = f"{source.line}/{row.seq}"
    track = "null" if row.track is None else row.track
    text = (
        f'{{"id":"{name}","site":"{source.site}","line":"{source.line}","seq":{row.seq},"prev":{before},'
        f'"at":{json.dumps(moment(row.utc_us))},"at_us":{row.at_us},"kind":"{row.kind}","track":{track},'
        f'"body":{row.body}}}'
    )
    return Outgoing(seq=row.seq, id=name, kind=row.kind, topic=source.topic(station, row.kind), text=text)
