"""What the gateway reads: the line's journal, and its own inbox. Read-only, on two threads: one for the
answers to cancels, the other for everything that may have many rows."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from edge.model.ids import InboxSeq, JournalSeq, MessageId, OrderNo, Sku, TrackId, Waybill
from edge.store.inbox_reader import InboxReader
from edge.store.inbox_types import Change
from edge.store.journal_reader import JournalReader
from edge.store.journal_types import (
    AlarmRow,
    CancelAnswerRow,
    ChuteRow,
    CodingRow,
    Counts,
    DeviceRow,
    JournalRow,
    LineRow,
    ParcelRow,
    ReviewRow,
)
from edge.store.places import Places

T = TypeVar("T")
NAMED = 100
"""Foreign codes of one review whose goods are looked up: more is no picking mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOnRecord:
    """A cancel's inbox row, and what the line has answered to it so far."""

    inbox_seq: InboxSeq
    order_no: OrderNo
    answer: CancelAnswerRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOnRecord:
    """``named``: goods by the codes that the order has no goods for."""

    row: ReviewRow
    named: dict[str, tuple[Sku, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """What stands, by the record: at row ``seq`` or a little later, so that whoever follows the log from
    there misses nothing. ``line`` None: no line has run here yet."""

    line: LineRow | None
    chutes: tuple[ChuteRow, ...]
    devices: tuple[DeviceRow, ...]
    alarms: tuple[AlarmRow, ...]
    on_belt: int
    seq: JournalSeq


class LineRecord:
    """Every call may raise ``StoreUnreadable`` (an ``OSError``); a journal that is not there yet is
    an empty one."""

    def __init__(self, places: Places) -> None:
        self._journal = JournalReader(places.journal)
        self._inbox = InboxReader(places.inbox)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="record")
        self._pages = JournalReader(places.journal)
        self._asked = InboxReader(places.inbox)
        self._paging = ThreadPoolExecutor(1, thread_name_prefix="record-pages")

    async def cancel_answers(self, seqs: Sequence[InboxSeq]) -> dict[InboxSeq, CancelAnswerRow]:
        """The standing answers among ``seqs``."""
        return await self._ask(lambda: self._answers(seqs))

    async def cancel(self, message_id: MessageId) -> CancelOnRecord | None:
        """None: no cancel has come under this message id."""
        return await self._ask(lambda: self._cancel(message_id))

    async def review(self, order_no: OrderNo) -> ReviewOnRecord | None:
        """None: no bench has opened its slip."""
        return await self._page(lambda: self._review(order_no))

    async def parcels(self, waybill: Waybill) -> tuple[ParcelRow, ...]:
        """Every track of a waybill, newest first."""
        return await self._page(lambda: self._pages.parcels(waybill))

    async def parcels_after(
        self, track: TrackId, limit: int, *, on_belt: bool = False, upto: TrackId | None = None
    ) -> tuple[ParcelRow, ...]:
        """In order of induction."""
        return await self._page(lambda: self._pages.parcels_after(track, limit, on_belt=on_belt, upto=upto))

    async def tracks_of(self, day: str) -> tuple[TrackId, TrackId]:
        """Tracks opened on a day of the line (YYYYMMDD): above the first, up to the second."""
        return await self._page(lambda: self._pages.tracks_of(day))

    async def ends_after(self, seq: JournalSeq, limit: int) -> tuple[ParcelRow, ...]:
        """In the order of their ends."""
        return await self._page(lambda: self._pages.ends_after(seq, limit))

    async def rows_after(self, seq: JournalSeq, limit: int) -> tuple[JournalRow, ...]:
        """The log, in order; none: there are none."""
        return await self._page(lambda: self._pages.rows_after(seq, limit))

    async def last_seq(self) -> JournalSeq:
        """The newest row of the log."""
        return await self._page(self._pages.last_seq)

    async def story(self, track: TrackId) -> tuple[ParcelRow | None, tuple[JournalRow, ...]]:
        """One parcel, and every row of the log about it."""
        return await self._page(lambda: (self._pages.parcel(track), self._pages.story(track)))

    async def to_code(self, limit: int) -> tuple[tuple[CodingRow, ...], tuple[CodingRow, ...]]:
        """Parcels that wait for a person to key their code; codes that were keyed too late."""
        return await self._page(lambda: (self._pages.to_code(limit), self._pages.ready_codes(limit)))

    async def parcel(self, track: TrackId) -> ParcelRow | None:
        """None: no such track."""
        return await self._page(lambda: self._pages.parcel(track))

    async def knows_track(self, track: TrackId) -> bool:
        return await self._page(lambda: self._pages.parcel(track) is not None)

    async def changes_after(self, seq: InboxSeq, limit: int) -> tuple[Change, ...]:
        """Who asked for the inbox rows above ``seq``, in order."""
        return await self._page(lambda: self._asked.changes_after(seq, limit))

    async def latest_rejects(self, limit: int) -> tuple[ParcelRow, ...]:
        """What has ended and not shipped, the latest first."""
        return await self._page(lambda: self._pages.latest_rejects(limit))

    async def counts_of_last(self, parcels: int) -> Counts:
        """Of the last so many parcels."""
        return await self._page(lambda: self._counts_of_last(parcels))

    async def now(self) -> LineNow:
        """The line as its record has it."""
        return await self._page(self._now)

    async def close(self) -> None:
        """Idempotent; called when nobody asks any more."""
        for thread in (self._thread, self._paging):
            await asyncio.to_thread(thread.shutdown)
        self._journal.close()
        self._pages.close()
        self._asked.close()
        self._inbox.close()

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    async def _page(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._paging, question)

    def _answers(self, seqs: Sequence[InboxSeq]) -> dict[InboxSeq, CancelAnswerRow]:
        found = ((seq, self._journal.cancel_answer(seq)) for seq in seqs)
        return {seq: answer for seq, answer in found if answer is not None}

    def _review(self, order_no: OrderNo) -> ReviewOnRecord | None:
        row = self._pages.review(order_no)
        if row is None:
            return None
        codes = [one.code for one in row.extra if one.code][:NAMED]
        return ReviewOnRecord(row=row, named={code: self._asked.goods_with(code) for code in codes})

    def _counts_of_last(self, parcels: int) -> Counts:
        newest = self._pages.latest_parcels(1)
        first = max(1, newest[0].track - parcels + 1) if newest else 1
        return self._pages.counts(TrackId(first))

    def _now(self) -> LineNow:
        journal = self._pages
        seq = journal.last_seq()
        return LineNow(
            line=journal.line(),
            chutes=journal.chutes(),
            devices=journal.devices(),
            alarms=journal.alarms(),
            on_belt=journal.on_belt(),
            seq=seq,
        )

    def _cancel(self, message_id: MessageId) -> CancelOnRecord | None:
        row = self._inbox.cancel_of(message_id)
        if row is None:
            return None
        return CancelOnRecord(
            inbox_seq=row.seq, order_no=row.request.order_no, answer=self._journal.cancel_answer(row.seq)
        )
