"""One parcel's way for people: each row of the log about it with its time, in the site's own zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from edge.store.journal_types import JournalRow, ParcelRow
from line_config.record import ReasonText, RecordWords

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``kind`` in words is ``what``; ``values``: name and text of each, in the order of the record."""

    seq: int
    time: str
    since_ms: int
    kind: str
    what: str
    values: tuple[tuple[str, str], ...]


def clock(utc_us: int | None, zone: ZoneInfo) -> str:
    """Month, day and time to the millisecond; empty before the line's clock was agreed."""
    if utc_us is None:
        return ""
    moment = (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone)
    return moment.strftime("%m-%d %H:%M:%S.%f")[:-3]


def steps_of(
    parcel: ParcelRow, rows: Sequence[JournalRow], zone: ZoneInfo, words: RecordWords, reason: ReasonText
) -> tuple[Step, ...]:
    return tuple(
        Step(
            seq=row.seq,
            time=clock(row.utc_us, zone),
            since_ms=(row.at_us - parcel.inducted_at_us) // 1_000,
            kind=row.kind,
            what=words.step(row.kind),
            values=tuple(words.values(row.item(), reason)),
        )
        for row in rows
    )
