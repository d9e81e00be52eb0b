"""Manual coding on any open connection of journal.db: who waits for a person, and what came too late."""

import json
import sqlite3
from typing import Any, Final

from edge.model.coding import CodingOutcome
from edge.model.ids import TrackId
from edge.store.journal_types import CodingRow, UnreadParcel

_SELECT_CODING: Final = (
    "SELECT c.track, c.since_utc_us, c.codes, c.waybill, c.coded_by, c.coded_utc_us, c.coded_check,"
    " c.outcome, p.length_mm, p.state, p.decided_reason, p.exit_reason, p.actual_chute, p.epoch, p.number"
    " FROM coding c JOIN parcel p ON p.track = c.track "
)

_UNREAD: Final = (
    "SELECT p.epoch, p.number, COALESCE(NULLIF(p.waybill, ''), c.waybill, ''),"
    " COALESCE(NULLIF(p.carrier, ''), q.carrier, ''),"
    " COALESCE(NULLIF(p.customer_code, ''), q.customer_code, '')"
    " FROM parcel p LEFT JOIN coding c ON c.track=p.track"
    " LEFT JOIN parcel q ON q.waybill=c.waybill AND c.waybill<>'' AND q.carrier<>''"
    " WHERE p.track=? ORDER BY q.track DESC LIMIT 1"
)

_READY: Final = (
    "WHERE c.outcome=? AND NOT EXISTS"
    " (SELECT 1 FROM parcel q WHERE q.waybill=c.waybill AND q.waybill<>'' AND q.track>c.track)"
    " ORDER BY c.track DESC LIMIT ?"
)


def to_code(connection: sqlite3.Connection, limit: int) -> tuple[CodingRow, ...]:
    """Parcels whose code nobody has keyed, the latest first."""
    rows = connection.execute(_SELECT_CODING + "WHERE c.waybill='' ORDER BY c.track DESC LIMIT ?", (limit,))
    return tuple(_coding(row) for row in rows)


def ready_codes(connection: sqlite3.Connection, limit: int) -> tuple[CodingRow, ...]:
    """Codes that were keyed too late for their parcel, and have not been on the belt since; latest first."""
    rows = connection.execute(_SELECT_CODING + _READY, (CodingOutcome.GONE_BY.value, limit))
    return tuple(_coding(row) for row in rows)


def unread_parcel(connection: sqlite3.Connection, track: TrackId) -> UnreadParcel | None:
    """None: no such track."""
    row = connection.execute(_UNREAD, (track,)).fetchone()
    if row is None:
        return None
    epoch, number, waybill, carrier, customer = row
    return UnreadParcel(
        track=track, epoch=epoch, number=number, waybill=waybill, carrier=carrier, customer_code=customer
    )


def _coding(row: tuple[Any, ...]) -> CodingRow:
    (
        track,
        since,
        codes,
        waybill,
        by,
        at,
        check,
        outcome,
        length_mm,
        state,
        decided,
        reason,
        chute,
        epoch,
        number,
    ) = row
    return CodingRow(
        track=track,
        since_utc_us=since,
        codes=tuple((text, kind, standing) for text, kind, standing in json.loads(codes)),
        waybill=waybill,
        coded_by=by,
        coded_utc_us=at,
        coded_check=check,
        outcome=outcome,
        length_mm=length_mm,
        state=state,
        decided_reason=decided,
        exit_reason=reason,
        chute=chute,
        epoch=epoch,
        number=number,
    )
