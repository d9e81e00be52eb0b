"""What the live page is told at once and from time to time; what moves between comes by the event stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.gateway import Gateway
from api.http.standing import alarm_body, chute_body, device_body, devices_of, process_word
from api.moments import moment
from api.pages.texts import ALARMS, STATES, Language
from edge.model.ids import JournalSeq, TrackId
from edge.store.journal_types import AlarmRow, JournalRow, ParcelRow
from line_config.reasons import ReasonEntry
from line_config.record import RecordWords, record_words

COUNTED: Final = 1_000
"""Parcels whose exits are counted: an hour of a small line, five minutes of a fast one."""
LOOKED_BACK: Final = 1_000
"""Rows in which the last eye of a parcel on the belt is looked for: the fast line writes 70 a second."""
REJECTS: Final = 8

Reasons = Mapping[str, ReasonEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A reason in words, and what a person does."""

    text: str
    action: str


def words_of(reasons: Reasons, reason: str, language: Language) -> Words:
    """The bare reason where the description has none."""
    entry = reasons.get(reason)
    if entry is None:
        return Words(text=reason, action="")
    zh = language == "zh"
    return Words(
        text=entry.text.zh if zh else entry.text.en, action=entry.action.zh if zh else entry.action.en
    )


async def now_of(gateway: Gateway, reasons: Reasons, language: Language) -> dict[str, Any]:
    """Everything that the page draws, as of row ``seq``. Raises ``Problem`` (503)."""
    now = await gateway.recorded(gateway.record.now())
    said = await gateway.process.now()
    on_belt = await gateway.recorded(gateway.record.parcels_after(TrackId(0), COUNTED, on_belt=True))
    after = JournalSeq(max(0, now.seq - LOOKED_BACK))
    rows = await gateway.recorded(gateway.record.rows_after(after, LOOKED_BACK))
    counts = await gateway.recorded(gateway.record.counts_of_last(COUNTED))
    rejects = await gateway.recorded(gateway.record.latest_rejects(REJECTS))
    chutes = {row.chute: row for row in now.chutes}
    devices = {row.device: row for row in now.devices}
    words = record_words(language)
    line = now.line
    state = "" if line is None else line.state
    return {
        "seq": now.seq,
        "process": process_word(said),
        "state": state,
        "state_text": STATES[language].get(state, state),
        "why": "" if line is None else words.sentence(line.why),
        "since": None if line is None else moment(line.since_utc_us),
        "permitted": line is not None and line.permitted,
        "on_belt": now.on_belt,
        "belt_runs": None if said is None else said.belt_runs,
        "parcels": _places(on_belt, rows),
        "chutes": [chute_body(chute, chutes.get(chute.id)) for chute in gateway.line.chutes],
        "devices": [
            _device(device_body(device, kind, devices.get(device), said), words)
            for device, kind in devices_of(gateway.line).items()
        ],
        "alarms": [_alarm(row, words, language) for row in now.alarms],
        "by_chute": dict(counts.by_chute),
        "by_reason": [
            {"reason": reason, "text": words_of(reasons, reason, language).text, "parcels": parcels}
            for reason, parcels in sorted(counts.by_reason, key=lambda one: -one[1])
        ],
        "counted": counts.exited + counts.missing,
        "rejects": [_reject(row, reasons, language) for row in rejects],
    }


def _device(body: dict[str, Any], words: RecordWords) -> dict[str, Any]:
    return body | {"why": words.sentence(body["why"])}


def _alarm(row: AlarmRow, words: RecordWords, language: Language) -> dict[str, Any]:
    """``subject`` is what acknowledges it, ``about`` what people read."""
    return alarm_body(row) | {
        "text": ALARMS[language].get(row.kind, row.kind),
        "about": words.sentence(row.subject),
        "detail": words.sentence(row.detail),
    }


def _places(parcels: Sequence[ParcelRow], rows: Sequence[JournalRow]) -> list[dict[str, Any]]:
    """Where each parcel on the belt was seen last; ``eye`` 1 and its induction where that is long ago."""
    seen: dict[int, JournalRow] = {}
    for row in rows:
        if row.track is not None and row.kind in ("EyePassed", "ParcelUnexpected"):
            seen[row.track] = row
    places = []
    for parcel in parcels:
        last = seen.get(parcel.track)
        places.append(
            {
                "track": parcel.track,
                "waybill": parcel.waybill,
                "length_mm": parcel.length_mm,
                "eye": 1 if last is None else getattr(last.item(), "eye", 1),
                "at": moment(parcel.inducted_utc_us if last is None else last.utc_us),
                "reason": parcel.decided_reason,
                "chute": parcel.decided_chute,
            }
        )
    return places


def _reject(row: ParcelRow, reasons: Reasons, language: Language) -> dict[str, Any]:
    reason = row.exit_reason or ""
    words = words_of(reasons, reason, language)
    return {
        "track": row.track,
        "waybill": row.waybill,
        "reason": reason,
        "text": words.text,
        "action": words.action,
        "chute": row.actual_chute or "",
        "at": moment(row.exited_utc_us),
        "seq": row.last_seq,
    }
