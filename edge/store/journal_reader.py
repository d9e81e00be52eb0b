"""The line's record for everyone who may not write it: read models, the log, where to go on."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from edge.model.ids import ChuteId, InboxSeq, JournalSeq, MessageId, OrderNo, TrackId, Waybill
from edge.model.order import CancelOutcome, ShippedBefore, ShippedPlace
from edge.model.review import ReviewState
from edge.model.units import MonoUs
from edge.store import coding_queries
from edge.store import journal_queries as queries
from edge.store.errors import StoreUnreadable
from edge.store.journal_types import (
    AlarmRow,
    CancelAnswerRow,
    ChainReport,
    ChuteRow,
    CodingRow,
    Counts,
    DeviceRow,
    JournalRow,
    LineRow,
    ParcelRow,
    Recovery,
    ReviewRow,
    UnreadParcel,
)
from edge.store.log_reader import LogReader
from edge.store.read_file import ReadFile

T = TypeVar("T")
OnRecord = tuple[ShippedBefore | None, str | None]

STORY_MARGIN_ROWS = 64
"""A track's rows begin with the input before its ``TrackOpened`` and end with the effects after its
terminal record: both within one input, of at most 30 rows, or the commit after it."""
MAX_PARCELS = 100
"""Tracks listed for one waybill."""

_ON_RECORD = (
    "SELECT s.place, s.chute, (SELECT contents FROM review WHERE order_no=? AND state=?) FROM (SELECT 1)"
    " LEFT JOIN shipped s ON s.waybill=? ORDER BY s.place=? DESC, s.track DESC LIMIT 1"
)
_SHIPPED = (
    "SELECT place, chute FROM shipped WHERE waybill IN (SELECT value FROM json_each(?))"
    " ORDER BY place=? DESC, track DESC LIMIT 1"
)
_SELECT_CANCEL = (
    "SELECT inbox_seq, message_id, order_no, outcome, track, place, final, at_us FROM cancel_answer "
)


class JournalReader:
    """Synchronous, one thread. A journal that does not exist yet reads as empty. Every call may
    raise ``StoreUnreadable`` (an ``OSError``), of which ``SchemaMismatch`` is one."""

    def __init__(self, path: Path) -> None:
        self._file = ReadFile(path, "journal")
        self._log = LogReader(self._file)

    def close(self) -> None:
        self._log.close()
        self._file.close()

    # -- read models -------------------------------------------------------------------------------

    def parcel(self, track: TrackId) -> ParcelRow | None:
        found = self._ask(lambda it: it.execute(queries.SELECT_PARCEL + "WHERE track=?", (track,)).fetchone())
        return None if found is None else queries.parcel_of(found)

    def parcels(self, waybill: Waybill) -> tuple[ParcelRow, ...]:
        """Every track of a waybill, newest first, at most ``MAX_PARCELS``."""
        rows = self._ask(
            lambda it: it.execute(
                queries.SELECT_PARCEL + "WHERE waybill=? AND waybill<>'' ORDER BY track DESC LIMIT ?",
                (waybill, MAX_PARCELS),
            ).fetchall()
        )
        return tuple(queries.parcel_of(row) for row in rows or ())

    def latest_parcels(self, limit: int) -> tuple[ParcelRow, ...]:
        """Newest first."""
        rows = self._ask(
            lambda it: it.execute(queries.SELECT_PARCEL + "ORDER BY track DESC LIMIT ?", (limit,)).fetchall()
        )
        return tuple(queries.parcel_of(row) for row in rows or ())

    def shipped_before(self, waybills: tuple[Waybill, ...]) -> ShippedBefore | None:
        """The earlier parcel that counts as shipped: a proved place before an unproved one, then
        the latest. None when no waybill has one."""
        rows = self._file.find(_SHIPPED, (json.dumps(waybills), ShippedPlace.PROVED.value))
        return ShippedBefore(place=ShippedPlace(rows[0][0]), chute=rows[0][1]) if rows else None

    def on_record(self, waybill: Waybill, order_no: OrderNo) -> OnRecord:
        """The earlier parcel of a waybill as ``shipped_before``, and the contents with which an order passed
        its review and went to packing; None: it has not, or is to be reviewed anew."""
        released, proved = ReviewState.RELEASED.value, ShippedPlace.PROVED.value
        rows = self._file.find(_ON_RECORD, (order_no, released, waybill, proved))
        if not rows:
            return None, None
        place, chute, contents = rows[0]
        return None if place is None else ShippedBefore(place=ShippedPlace(place), chute=chute), contents

    def laps(self, waybill: Waybill, chute: ChuteId) -> int:
        """How often the parcel of a waybill ended in ``chute`` since it last ended elsewhere, at most
        ``MAX_PARCELS``."""
        rows = self._file.find(
            "SELECT actual_chute FROM parcel WHERE waybill=? AND exit_reason IS NOT NULL"
            " ORDER BY track DESC LIMIT ?",
            (waybill, MAX_PARCELS),
        )
        ends = [row[0] for row in rows]
        return next((n for n, end in enumerate(ends) if end != chute), len(ends))

    def review(self, order_no: OrderNo) -> ReviewRow | None:
        """None: no bench has opened its slip."""
        return self._ask(lambda it: queries.review(it, order_no))

    def review_of(self, waybill: Waybill) -> ReviewRow | None:
        return self._ask(lambda it: queries.review_of(it, waybill))

    def cancel_answer(self, inbox_seq: InboxSeq) -> CancelAnswerRow | None:
        """What the line answered to the cancel in that inbox row; None: nothing yet."""
        return _cancel(
            self._ask(lambda it: it.execute(_SELECT_CANCEL + "WHERE inbox_seq=?", (inbox_seq,)).fetchone())
        )

    def cancel_answer_of(self, message_id: MessageId) -> CancelAnswerRow | None:
        return _cancel(
            self._ask(
                lambda it: it.execute(
                    _SELECT_CANCEL + "WHERE message_id=? ORDER BY inbox_seq DESC LIMIT 1", (message_id,)
                ).fetchone()
            )
        )

    def alarms(self) -> tuple[AlarmRow, ...]:
        """Standing ones, oldest first."""
        return self._ask(queries.alarms) or ()

    def to_code(self, limit: int) -> tuple[CodingRow, ...]:
        """Parcels that no reader could read and nobody has keyed, the latest first."""
        return self._ask(lambda it: coding_queries.to_code(it, limit)) or ()

    def ready_codes(self, limit: int) -> tuple[CodingRow, ...]:
        """Codes keyed too late for their parcel, not on the belt since; the latest first."""
        return self._ask(lambda it: coding_queries.ready_codes(it, limit)) or ()

    def unread_parcel(self, track: TrackId) -> UnreadParcel | None:
        """Whose it is, as far as that is known."""
        return self._ask(lambda it: coding_queries.unread_parcel(it, track))

    def chutes(self) -> tuple[ChuteRow, ...]:
        """Chutes that have been switched or were full at least once."""
        return self._ask(queries.chutes) or ()

    def devices(self) -> tuple[DeviceRow, ...]:
        """Devices that have come or gone at least once."""
        return self._ask(queries.devices) or ()

    def line(self) -> LineRow | None:
        """None before the journal was made."""
        return self._ask(queries.line)

    def parcels_after(
        self, track: TrackId, limit: int, *, on_belt: bool = False, upto: TrackId | None = None
    ) -> tuple[ParcelRow, ...]:
        """In order of induction, at most ``limit`` above ``track`` (and not above ``upto``); ``on_belt``:
        those without an end only."""
        return self._ask(lambda it: queries.parcels_after(it, track, limit, on_belt=on_belt, upto=upto)) or ()

    def ends_after(self, seq: JournalSeq, limit: int) -> tuple[ParcelRow, ...]:
        """Parcels whose end (exit or missing) is on record above row ``seq``, in the order of their ends."""
        return self._ask(lambda it: queries.ends_after(it, seq, limit)) or ()

    def latest_rejects(self, limit: int) -> tuple[ParcelRow, ...]:
        """Parcels that have ended and not shipped, the latest end first."""
        return self._ask(lambda it: queries.latest_rejects(it, limit)) or ()

    def tracks_of(self, day: str) -> tuple[TrackId, TrackId]:
        """Tracks opened on a day of the line (YYYYMMDD): above the first, up to the second; none: equal."""
        after, upto = self._ask(lambda it: queries.tracks_of(it, day)) or (0, 0)
        return TrackId(after), TrackId(upto)

    def on_belt(self) -> int:
        """Tracks without an end."""
        return self._ask(queries.on_belt) or 0

    def counts(self, from_track: TrackId) -> Counts:
        """Parcels from a track on, in one consistent state. Reads each of them: for a day or a run."""
        counted = self._ask(lambda it: queries.counts(it, from_track))
        if counted is None:
            return Counts(inducted=0, exited=0, missing=0, shipped=0, mis_sorted=0, by_reason=(), by_chute=())
        return counted

    # -- the log -----------------------------------------------------------------------------------

    def rows_after(self, seq: JournalSeq, limit: int) -> tuple[JournalRow, ...]:
        """Durable rows above ``seq`` in order: none means that there are none. May give fewer than
        ``limit`` at the end of a closed segment."""
        return self._log.page(seq, limit)

    def rows(self, after: JournalSeq) -> Iterator[JournalRow]:
        """All rows above ``after``, read in pages."""
        return self._log.rows(after)

    def story(self, track: TrackId) -> tuple[JournalRow, ...]:
        """Every row of one parcel, in order, whichever segment it lies in."""
        found = self.parcel(track)
        if found is None:
            return ()
        last = self.last_seq() if found.last_seq is None else found.last_seq + STORY_MARGIN_ROWS
        return self._log.between(max(1, found.first_seq - STORY_MARGIN_ROWS), last, track)

    def last_seq(self) -> JournalSeq:
        return JournalSeq(self._ask(_last_seq) or 0)

    def recovery(self) -> Recovery:
        """The latest snapshot that is whole, and where everything goes on. The tail is
        ``rows(recovery.snapshot_seq)``."""
        found = self._ask(_recovery)
        if found is None:
            zero = JournalSeq(0)
            return Recovery(
                state=None, snapshot_seq=zero, last_seq=zero, inbox_cursor=InboxSeq(0), next_track=TrackId(1)
            )
        return found

    def verify_chain(self, newest: int | None = None) -> ChainReport:
        """Computes the chain, whole or of its newest rows; a damaged record is named, never raised."""
        return self._log.verify(newest)

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T | None:
        with self._file.reading() as connection:
            try:
                return None if connection is None else question(connection)
            except ValueError as error:
                raise StoreUnreadable(f"{self._file.path}: {error}") from error


def _cancel(row: tuple[int, str, str, str, int, str, int, int] | None) -> CancelAnswerRow | None:
    if row is None:
        return None
    inbox_seq, message_id, order_no, outcome, track, place, final, at_us = row
    return CancelAnswerRow(
        inbox_seq=InboxSeq(inbox_seq),
        message_id=MessageId(message_id),
        order_no=OrderNo(order_no),
        outcome=CancelOutcome(outcome),
        track=TrackId(track),
        place=place,
        final=bool(final),
        at_us=MonoUs(at_us),
    )


def _last_seq(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM event), 0),"
        " coalesce((SELECT max(last_seq) FROM segment), 0))"
    ).fetchone()
    return int(row[0])


def _recovery(connection: sqlite3.Connection) -> Recovery:
    state: bytes | None = None
    at = 0
    for seq, body, digest in connection.execute(
        "SELECT seq, CAST(body AS BLOB), sha256 FROM snapshot ORDER BY seq DESC"
    ):
        if sha256(body).digest() == digest:
            state, at = bytes(body), seq
            break
    cursor = connection.execute("SELECT value FROM meta WHERE key='inbox_cursor'").fetchone()
    track = connection.execute("SELECT coalesce(max(track), 0) + 1 FROM parcel").fetchone()[0]
    return Recovery(
        state=state,
        snapshot_seq=JournalSeq(at),
        last_seq=JournalSeq(_last_seq(connection)),
        inbox_cursor=InboxSeq(0 if cursor is None else int(cursor[0])),
        next_track=TrackId(track),
    )
