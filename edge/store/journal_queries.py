"""The read models of journal.db, asked on any open connection of it."""

import json
import sqlite3
from dataclasses import fields
from typing import Any, Final

from edge.model.ids import BenchId, OrderNo, Waybill
from edge.model.review import Difference, ReviewState
from edge.model.verdict import Reason
from edge.store.journal_types import AlarmRow, ChuteRow, Counts, DeviceRow, LineRow, ParcelRow, ReviewRow

_PARCEL_FIELDS: Final = tuple(field.name for field in fields(ParcelRow))
_FLAGS: Final = ("shipped", "counts_as_shipped", "mis_sorted")
SELECT_PARCEL: Final = f"SELECT {', '.join(_PARCEL_FIELDS)} FROM parcel "  # noqa: S608 - our own names

_SELECT_REVIEW: Final = (
    "SELECT order_no, waybill, slip, order_version, bench, state, opened_utc_us, reason, pieces, missing,"
    " extra, judged_utc_us FROM review "
)


def parcel_of(row: tuple[object, ...]) -> ParcelRow:
    """A row of ``SELECT_PARCEL``."""
    values = dict(zip(_PARCEL_FIELDS, row, strict=True))
    values.update({name: bool(values[name]) for name in _FLAGS})
    return ParcelRow(**values)  # type: ignore[arg-type]  # the columns' types are the table's


def parcels_after(
    connection: sqlite3.Connection, track: int, limit: int, *, on_belt: bool, upto: int | None
) -> tuple[ParcelRow, ...]:
    where = "WHERE track>? AND (? IS NULL OR track<=?)" + (" AND last_seq IS NULL" if on_belt else "")
    rows = connection.execute(SELECT_PARCEL + where + " ORDER BY track LIMIT ?", (track, upto, upto, limit))
    return tuple(parcel_of(row) for row in rows)


def ends_after(connection: sqlite3.Connection, seq: int, limit: int) -> tuple[ParcelRow, ...]:
    rows = connection.execute(SELECT_PARCEL + "WHERE last_seq>? ORDER BY last_seq LIMIT ?", (seq, limit))
    return tuple(parcel_of(row) for row in rows)


def latest_rejects(connection: sqlite3.Connection, limit: int) -> tuple[ParcelRow, ...]:
    rows = connection.execute(
        SELECT_PARCEL + "WHERE last_seq IS NOT NULL AND NOT shipped ORDER BY last_seq DESC LIMIT ?", (limit,)
    )
    return tuple(parcel_of(row) for row in rows)


def tracks_of(connection: sqlite3.Connection, day: str) -> tuple[int, int]:
    """The tracks' ends of a day: both the tracks and their first rows only rise, so no index is needed."""
    begun = connection.execute("SELECT first_seq FROM day WHERE day=?", (day,)).fetchone()
    if begun is None:
        return 0, 0
    over = connection.execute("SELECT min(first_seq) FROM day WHERE first_seq>?", begun).fetchone()[0]
    newest = connection.execute("SELECT coalesce(max(track), 0) FROM parcel").fetchone()[0]
    before = _last_before(connection, begun[0], newest)
    return before, newest if over is None else _last_before(connection, over, newest)


def _last_before(connection: sqlite3.Connection, seq: int, newest: int) -> int:
    """The last track whose first row lies before row ``seq``, by halving."""
    low, high = 0, newest
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute(
            "SELECT first_seq FROM parcel WHERE track>=? ORDER BY track LIMIT 1", (middle,)
        ).fetchone()
        if row[0] < seq:
            low = middle
        else:
            high = middle - 1
    return low


def on_belt(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM parcel WHERE last_seq IS NULL").fetchone()[0])


def alarms(connection: sqlite3.Connection) -> tuple[AlarmRow, ...]:
    rows = connection.execute(
        "SELECT kind, subject, detail, raised_at_us, raised_utc_us, acknowledged_by, acknowledged_utc_us"
        " FROM alarm ORDER BY raised_at_us, kind, subject"
    )
    return tuple(
        AlarmRow(
            kind=kind,
            subject=subject,
            detail=detail,
            raised_at_us=at,
            raised_utc_us=utc,
            acknowledged_by=by,
            acknowledged_utc_us=seen,
        )
        for kind, subject, detail, at, utc, by, seen in rows
    )


def chutes(connection: sqlite3.Connection) -> tuple[ChuteRow, ...]:
    rows = connection.execute(
        'SELECT chute, enabled, "full", since_us, since_utc_us FROM chute_state ORDER BY chute'
    )
    return tuple(
        ChuteRow(chute=chute, enabled=bool(enabled), full=bool(full), since_us=since, since_utc_us=utc)
        for chute, enabled, full, since, utc in rows
    )


def devices(connection: sqlite3.Connection) -> tuple[DeviceRow, ...]:
    rows = connection.execute(
        "SELECT device, up, why, since_us, since_utc_us FROM device_state ORDER BY device"
    )
    return tuple(
        DeviceRow(device=device, up=bool(up), why=why, since_us=since, since_utc_us=utc)
        for device, up, why, since, utc in rows
    )


def line(connection: sqlite3.Connection) -> LineRow | None:
    row = connection.execute(
        'SELECT state, why, since_us, permitted, permit_why, "plan", plan_version, since_utc_us'
        " FROM line_state"
    ).fetchone()
    if row is None:
        return None
    state, why, since, permitted, permit_why, plan, version, utc = row
    return LineRow(
        state=state,
        why=why,
        since_us=since,
        permitted=bool(permitted),
        permit_why=permit_why,
        plan=plan,
        plan_version=version,
        since_utc_us=utc,
    )


def counts(connection: sqlite3.Connection, from_track: int) -> Counts:
    totals = connection.execute(
        "SELECT count(*), coalesce(sum(state='exited'), 0), coalesce(sum(state='missing'), 0),"
        " coalesce(sum(shipped), 0), coalesce(sum(mis_sorted), 0) FROM parcel WHERE track>=?",
        (from_track,),
    ).fetchone()
    grouped = "SELECT {0}, count(*) FROM parcel WHERE track>=? AND {0} IS NOT NULL GROUP BY 1 ORDER BY 1"
    reasons = connection.execute(grouped.format("exit_reason"), (from_track,)).fetchall()
    chutes = connection.execute(grouped.format("actual_chute"), (from_track,)).fetchall()
    inducted, exited, missing, shipped, mis_sorted = totals
    return Counts(
        inducted=inducted,
        exited=exited,
        missing=missing,
        shipped=shipped,
        mis_sorted=mis_sorted,
        by_reason=tuple(reasons),
        by_chute=tuple(chutes),
    )


def review(connection: sqlite3.Connection, order_no: OrderNo) -> ReviewRow | None:
    return _review(connection.execute(_SELECT_REVIEW + "WHERE order_no=?", (order_no,)).fetchone())


def review_of(connection: sqlite3.Connection, waybill: Waybill) -> ReviewRow | None:
    """The latest, where a waybill has moved from order to order."""
    latest = "WHERE waybill=? ORDER BY opened_at_us DESC LIMIT 1"
    return _review(connection.execute(_SELECT_REVIEW + latest, (waybill,)).fetchone())


def _review(row: tuple[Any, ...] | None) -> ReviewRow | None:
    if row is None:
        return None
    order_no, waybill, slip, version, bench, state, opened, reason, pieces, missing, extra, judged = row
    return ReviewRow(
        order_no=OrderNo(order_no),
        waybill=Waybill(waybill),
        slip=slip,
        order_version=version,
        bench=BenchId(bench),
        state=ReviewState(state),
        opened_utc_us=opened,
        reason=None if reason is None else Reason(reason),
        pieces=pieces,
        missing=_differences(missing),
        extra=_differences(extra),
        judged_utc_us=judged,
    )


def _differences(text: str) -> tuple[Difference, ...]:
    return tuple(Difference(**one) for one in json.loads(text))
