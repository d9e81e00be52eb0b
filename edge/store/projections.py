"""Read models: each record moves them in the transaction that writes its row, and so do devices that
come and go; no other input does.

One function a kind; a row without one moves nothing. All are replaced or set absolutely, so
that a journal's read models can be rebuilt by running its records through again.
"""

import json
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from edge.model import events as e
from edge.model import records as r
from edge.model.codes import ReadQuality
from edge.model.coding import CodingOutcome
from edge.model.order import ShippedPlace
from edge.model.review import ReviewState
from edge.model.verdict import ParcelState, Reason
from edge.store.rows import encode

CODING_KEPT = 20_000
"""Tracks after which a parcel that nobody has coded waits no longer: hours of the fastest line."""

Execute = Callable[[str, tuple[Any, ...]], object]


class Row(NamedTuple):
    """One row of the event log on its way to the file."""

    seq: int
    at_us: int
    utc_us: int | None
    kind: str
    track: int | None
    body: str
    item: Any
    """The event or record itself."""


def project(execute: Execute, row: Row) -> None:
    """Raises ``sqlite3.Error`` when the disk fails."""
    move = PROJECTIONS.get(row.kind)
    if move is None:
        return
    try:
        move(execute, row, row.item)
    except UnicodeEncodeError:
        # A lone surrogate: what a reader sent was no text. The log has it escaped; a read model
        # shows U+FFFD, and a label that nobody can have printed does not stop the line.
        move(lambda sql, values: execute(sql, tuple(map(_printable, values))), row, row.item)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def prepare_models(connection: sqlite3.Connection) -> None:
    """The rows that exist from the beginning."""
    connection.execute("INSERT OR IGNORE INTO line_state VALUES (1, '', '', 0, 0, '', '', 0, NULL)")


def _track_opened(execute: Execute, row: Row, item: r.TrackOpened) -> None:
    execute(
        "INSERT INTO parcel (track, epoch, number, state, first_seq, inducted_at_us, inducted_utc_us,"
        " length_mm) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item.track,
            item.epoch,
            item.number,
            ParcelState.TRACKED.value,
            row.seq,
            item.at_us,
            row.utc_us,
            item.length_mm,
        ),
    )


def _identified(execute: Execute, row: Row, item: r.Identified | r.ChoiceChanged) -> None:
    execute(
        "UPDATE parcel SET read_quality=?, waybill=? WHERE track=?",
        (item.quality.value, item.waybill, item.track),
    )
    if item.waybill:
        # It is on the belt again, so it had not gone out: what was not proved is withdrawn, in the
        # commit before its look-up is asked. What a shipping chute's eye has seen stays.
        execute(
            "DELETE FROM shipped WHERE waybill=? AND track<>? AND place=?",
            (item.waybill, item.track, ShippedPlace.UNPROVED.value),
        )
    elif item.quality is ReadQuality.NO:
        _awaits_coding(execute, row, item)


def _choice_changed(execute: Execute, row: Row, item: r.ChoiceChanged) -> None:
    _identified(execute, row, item)
    if item.waybill:
        execute("DELETE FROM coding WHERE track=? AND waybill=''", (item.track,))


def _awaits_coding(execute: Execute, row: Row, item: r.Identified | r.ChoiceChanged) -> None:
    codes = json.dumps([[one.text, one.symbology.value, one.standing.value] for one in item.codes])
    execute(
        "INSERT OR IGNORE INTO coding (track, since_utc_us, codes) VALUES (?, ?, ?)",
        (item.track, row.utc_us, codes),
    )
    execute("DELETE FROM coding WHERE track<=?", (item.track - CODING_KEPT,))


def _keyed(execute: Execute, row: Row, item: r.KeyedCodeTaken) -> None:
    if item.outcome in (CodingOutcome.JOINED, CodingOutcome.GONE_BY):
        execute(
            "UPDATE coding SET waybill=?, coded_by=?, coded_utc_us=?, coded_check=?, outcome=? WHERE track=?",
            (item.waybill, item.by, item.keyed_utc_us, item.check.value, item.outcome.value, item.track),
        )


def _weighed(execute: Execute, row: Row, item: r.Weighed) -> None:
    execute(
        "UPDATE parcel SET weight_g=?, weight_quality=?, expected_g=? WHERE track=?",
        (item.reading.grams, item.reading.quality.value, item.expected_g, item.track),
    )


def _decided(execute: Execute, row: Row, item: r.Decided) -> None:
    execute(
        "UPDATE parcel SET state=?, waybill=?, order_no=?, order_version=?, customer_code=?, shop=?,"
        " carrier=?, expected_g=?, decided_at_us=?, decided_reason=?, decided_chute=?, decided_exit=?,"
        " rule=?, plan=?, plan_version=? WHERE track=?",
        (
            ParcelState.DECIDED.value,
            item.waybill,
            item.order_no,
            item.order_version,
            item.customer_code,
            item.shop,
            item.carrier,
            item.expected_g,
            item.at_us,
            item.reason.value,
            item.chute,
            item.exit,
            item.rule,
            item.plan,
            item.plan_version,
            item.track,
        ),
    )


def _told(execute: Execute, row: Row, item: r.Told) -> None:
    execute(
        "UPDATE parcel SET state=?, told_at_us=?, decide_to_told_us=?, plc_wait_us=? WHERE track=?",
        (ParcelState.TOLD.value, item.at_us, item.since_us, item.plc_wait_us, item.track),
    )


def _told_timed(execute: Execute, row: Row, item: r.ToldTimed) -> None:
    execute(
        "UPDATE parcel SET decide_to_told_us=?, plc_wait_us=? WHERE track=?",
        (item.decide_to_told_us, item.plc_wait_us, item.track),
    )


def _not_diverted(execute: Execute, row: Row, item: r.Refused | r.Aborted) -> None:
    execute("UPDATE parcel SET state=? WHERE track=?", (ParcelState.DECIDED.value, item.track))


def _revoke_ordered(execute: Execute, row: Row, item: r.RevokeOrdered) -> None:
    execute("UPDATE parcel SET state=? WHERE track=?", (ParcelState.REVOKING.value, item.track))


def _revoked(execute: Execute, row: Row, item: r.Revoked) -> None:
    state = ParcelState.DECIDED if item.caught else ParcelState.TOLD
    execute("UPDATE parcel SET state=? WHERE track=?", (state.value, item.track))


def _cancel_answered(execute: Execute, row: Row, item: r.CancelAnswered) -> None:
    # A pending answer never replaces a final one.
    execute(
        "INSERT INTO cancel_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (inbox_seq) DO UPDATE SET"
        " outcome=excluded.outcome, track=excluded.track, place=excluded.place, final=excluded.final,"
        " at_us=excluded.at_us WHERE NOT cancel_answer.final OR excluded.final",
        (
            item.inbox_seq,
            item.message_id,
            item.order_no,
            item.outcome.value,
            item.track,
            item.place,
            item.final,
            item.at_us,
        ),
    )


def _exited(execute: Execute, row: Row, item: r.Exited) -> None:
    execute(
        "UPDATE parcel SET state=?, last_seq=?, waybill=?, exited_at_us=?, exited_utc_us=?, actual_exit=?,"
        " actual_chute=?, exit_reason=?, shipped=?, counts_as_shipped=?, mis_sorted=? WHERE track=?",
        (
            ParcelState.EXITED.value,
            row.seq,
            item.waybill,
            item.at_us,
            row.utc_us,
            item.exit,
            item.chute,
            item.reason.value,
            item.shipped,
            item.counts_as_shipped,
            item.mis_sorted,
            item.track,
        ),
    )
    if item.shipped:
        _counts_as_shipped(execute, item, ShippedPlace.PROVED, item.chute)
    elif item.counts_as_shipped:
        _counts_as_shipped(execute, item, ShippedPlace.UNPROVED, item.chute)


def _missing(execute: Execute, row: Row, item: r.Missing) -> None:
    execute(
        "UPDATE parcel SET state=?, last_seq=?, waybill=?, exited_at_us=?, exited_utc_us=?, exit_reason=?,"
        " counts_as_shipped=? WHERE track=?",
        (
            ParcelState.MISSING.value,
            row.seq,
            item.waybill,
            item.at_us,
            row.utc_us,
            item.reason.value,
            item.counts_as_shipped,
            item.track,
        ),
    )
    if item.counts_as_shipped:
        _counts_as_shipped(execute, item, ShippedPlace.UNPROVED, "")


def _counts_as_shipped(execute: Execute, item: r.Exited | r.Missing, place: ShippedPlace, chute: str) -> None:
    if item.waybill:
        execute(
            "INSERT OR REPLACE INTO shipped VALUES (?, ?, ?, ?, ?)",
            (item.waybill, item.track, place.value, chute, item.at_us),
        )


def _review_opened(execute: Execute, row: Row, item: r.ReviewOpened) -> None:
    execute(
        "INSERT INTO review VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, NULL, NULL, '[]', '[]', NULL, NULL)"
        " ON CONFLICT (order_no) DO UPDATE SET waybill=excluded.waybill, slip=excluded.slip,"
        " order_version=excluded.order_version, bench=excluded.bench, state=excluded.state,"
        " opened_at_us=excluded.opened_at_us, opened_utc_us=excluded.opened_utc_us",
        (
            item.order_no,
            item.waybill,
            item.slip,
            item.order_version,
            item.bench,
            ReviewState.OPEN.value,
            item.at_us,
            row.utc_us,
        ),
    )


def _review_interrupted(execute: Execute, row: Row, item: r.ReviewInterrupted) -> None:
    execute(
        "UPDATE review SET state=? WHERE order_no=? AND state=?",
        (ReviewState.INTERRUPTED.value, item.order_no, ReviewState.OPEN.value),
    )


def _reviewed(execute: Execute, row: Row, item: r.Reviewed) -> None:
    state = ReviewState.PASSED if item.reason is Reason.OK else ReviewState.FAILED
    execute(
        "UPDATE review SET state=?, order_version=?, contents=?, bench=?, reason=?, pieces=?, missing=?,"
        " extra=?, judged_at_us=?, judged_utc_us=? WHERE order_no=?",
        (
            state.value,
            item.order_version,
            item.contents,
            item.bench,
            item.reason.value,
            item.pieces,
            _list(item.missing),
            _list(item.extra),
            item.at_us,
            row.utc_us,
            item.order_no,
        ),
    )


def _list(items: tuple[Any, ...]) -> str:
    return f"[{','.join(map(encode, items))}]"


def _work_left(execute: Execute, row: Row, item: r.WorkLeft) -> None:
    state = ReviewState.RELEASED if item.released else ReviewState.UNCONFIRMED
    execute(
        "UPDATE review SET state=? WHERE order_no=? AND state=?",
        (state.value, item.order_no, ReviewState.PASSED.value),
    )


def _review_reopened(execute: Execute, row: Row, item: r.ReviewReopened) -> None:
    execute("UPDATE review SET state=? WHERE order_no=?", (ReviewState.REOPENED.value, item.order_no))


def _alarm_raised(execute: Execute, row: Row, item: r.AlarmRaised) -> None:
    execute(
        "INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?, ?, '', NULL)",
        (item.kind.value, item.subject, item.detail, item.at_us, row.utc_us),
    )


def _alarm_acknowledged(execute: Execute, row: Row, item: r.AlarmAcknowledged) -> None:
    execute(
        "UPDATE alarm SET acknowledged_by=?, acknowledged_utc_us=? WHERE kind=? AND subject=?",
        (item.by, row.utc_us, item.kind.value, item.subject),
    )


def _alarm_cleared(execute: Execute, row: Row, item: r.AlarmCleared) -> None:
    execute("DELETE FROM alarm WHERE kind=? AND subject=?", (item.kind.value, item.subject))


def _line_state(execute: Execute, row: Row, item: r.LineStateChanged) -> None:
    execute(
        "UPDATE line_state SET state=?, why=?, since_us=?, since_utc_us=?",
        (item.state.value, item.why, item.at_us, row.utc_us),
    )


def _induction(execute: Execute, row: Row, item: r.InductionSwitched) -> None:
    execute("UPDATE line_state SET permitted=?, permit_why=?", (item.permitted, item.why))


def _plan_taken(execute: Execute, row: Row, item: r.PlanTaken) -> None:
    execute("UPDATE line_state SET plan=?, plan_version=?", (item.plan, item.version))


def _chute(execute: Execute, row: Row, item: r.ChuteSwitched) -> None:
    execute(
        "INSERT OR REPLACE INTO chute_state VALUES (?, ?, ?, ?, ?)",
        (item.chute, item.enabled, item.full, item.at_us, row.utc_us),
    )


def _line_started(execute: Execute, row: Row, item: e.LineStarted) -> None:
    execute(
        "UPDATE device_state SET up=0, why='the line process has begun anew', since_us=?, since_utc_us=?",
        (item.at_us, row.utc_us),
    )


def _device_up(execute: Execute, row: Row, item: e.DeviceWentUp) -> None:
    _device(execute, row, item.device, up=True, why="")


def _device_down(execute: Execute, row: Row, item: e.DeviceWentDown) -> None:
    _device(execute, row, item.device, up=False, why=item.why)


def _device(execute: Execute, row: Row, device: str, *, up: bool, why: str) -> None:
    execute(
        "INSERT OR REPLACE INTO device_state VALUES (?, ?, ?, ?, ?)",
        (device, up, why, row.at_us, row.utc_us),
    )


PROJECTIONS: dict[str, Callable[[Execute, Row, Any], None]] = {
    "TrackOpened": _track_opened,
    "Identified": _identified,
    "ChoiceChanged": _choice_changed,
    "KeyedCodeTaken": _keyed,
    "Weighed": _weighed,
    "Decided": _decided,
    "Told": _told,
    "ToldTimed": _told_timed,
    "Refused": _not_diverted,
    "Aborted": _not_diverted,
    "RevokeOrdered": _revoke_ordered,
    "Revoked": _revoked,
    "CancelAnswered": _cancel_answered,
    "Exited": _exited,
    "Missing": _missing,
    "ReviewOpened": _review_opened,
    "ReviewInterrupted": _review_interrupted,
    "Reviewed": _reviewed,
    "WorkLeft": _work_left,
    "ReviewReopened": _review_reopened,
    "AlarmRaised": _alarm_raised,
    "AlarmCleared": _alarm_cleared,
    "AlarmAcknowledged": _alarm_acknowledged,
    "LineStateChanged": _line_state,
    "InductionSwitched": _induction,
    "PlanTaken": _plan_taken,
    "ChuteSwitched": _chute,
    "LineStarted": _line_started,
    "DeviceWentUp": _device_up,
    "DeviceWentDown": _device_down,
}
"""Of the records ``ClockAgreed``, ``ReviewRefused``, ``ScaleZeroed`` and ``ScaleChecked`` move none: what a
person must do about a scale is an alarm."""
