"""One parcel's way for people: each row of the log about it with its time, in the site's own zone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from edge.store.journal_types import JournalRow, ParcelRow

LEFT_OUT: Final = frozenset({"at_us", "track", "samples", "epoch", "ring_seq"})
"""Shown in columns of their own, or too long for a line."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``values``: name and text of each, in the order of the record."""

    seq: int
    time: str
    since_ms: int
    what: str
    values: tuple[tuple[str, str], ...]


def clock(utc_us: int | None, zone: ZoneInfo) -> str:
    """Month, day and time to the millisecond; empty before the line's clock was agreed."""
    if utc_us is None:
        return ""
    moment = (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone)
    return moment.strftime("%m-%d %H:%M:%S.%f")[:-3]


def steps_of(parcel: ParcelRow, rows: Sequence[JournalRow], zone: ZoneInfo) -> tuple[Step, ...]:
    return tuple(
        Step(
            seq=row.seq,
            time=clock(row.utc_us, zone),
            since_ms=(row.at_us - parcel.inducted_at_us) // 1_000,
            what=row.kind,
            values=tuple(_values(json.loads(row.body))),
        )
        for row in rows
    )


def _values(body: dict[str, Any]) -> list[tuple[str, str]]:
    shown = [(name, _text(value)) for name, value in body.items() if name not in LEFT_OUT]
    samples = body.get("samples")
    if isinstance(samples, list) and samples:
        grams = [sample["grams"] for sample in samples]
        shown.append(("samples", f"{len(grams)}: {grams[0]}…{grams[-1]} g"))
    return [(name, text) for name, text in shown if text]


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, dict):
        return " ".join(f"{name}={_text(inner)}" for name, inner in value.items() if _text(inner))
    if isinstance(value, list):
        return ", ".join(_text(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
