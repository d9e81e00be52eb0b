"""What the gateway reads: the line's journal, and its own inbox. Read-only, on one thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from edge.model.ids import InboxSeq, MessageId, OrderNo, Waybill
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader
from edge.store.journal_types import CancelAnswerRow, ParcelRow
from edge.store.places import Places

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOnRecord:
    """A cancel's inbox row, and what the line has answered to it so far."""

    inbox_seq: InboxSeq
    order_no: OrderNo
    answer: CancelAnswerRow | None


class LineRecord:
    """Every call may raise ``StoreUnreadable`` (an ``OSError``); a journal that is not there yet is
    an empty one."""

    def __init__(self, places: Places) -> None:
        self._journal = JournalReader(places.journal)
        self._inbox = InboxReader(places.inbox)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="record")

    async def cancel_answers(self, seqs: Sequence[InboxSeq]) -> dict[InboxSeq, CancelAnswerRow]:
        """The standing answers among ``seqs``."""
        return await self._ask(lambda: self._answers(seqs))

    async def cancel(self, message_id: MessageId) -> CancelOnRecord | None:
        """None: no cancel has come under this message id."""
        return await self._ask(lambda: self._cancel(message_id))

    async def parcels(self, waybill: Waybill) -> tuple[ParcelRow, ...]:
        """Every track of a waybill, newest first."""
        return await self._ask(lambda: self._journal.parcels(waybill))

    async def close(self) -> None:
        """Idempotent; called when nobody asks any more."""
        await asyncio.to_thread(self._thread.shutdown)
        self._journal.close()
        self._inbox.close()

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    def _answers(self, seqs: Sequence[InboxSeq]) -> dict[InboxSeq, CancelAnswerRow]:
        found = ((seq, self._journal.cancel_answer(seq)) for seq in seqs)
        return {seq: answer for seq, answer in found if answer is not None}

    def _cancel(self, message_id: MessageId) -> CancelOnRecord | None:
        row = self._inbox.cancel_of(message_id)
        if row is None:
            return None
        return CancelOnRecord(
            inbox_seq=row.seq, order_no=row.request.order_no, answer=self._journal.cancel_answer(row.seq)
        )
