"""The line's ``Inbox``: on one thread of its own in the daemon, inline in virtual time."""

import asyncio
import queue
import threading
from asyncio import Future
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edge.model.ids import ChuteId, InboxSeq, OrderNo, Waybill
from edge.ports.inbox import InboxRow, LookUpAnswer, PlaceAnswer, SlipAnswer
from edge.store.errors import StoreUnreadable
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader, OnRecord

T = TypeVar("T")
MAX_WAITING = 256
"""Questions that may wait: more than parcels on any belt; beyond it the disk has stood still."""
US = 1_000_000

Job = tuple[Callable[[], Any], "Future[Any]"]


class ReaderDied(Exception):
    """Ours: no question will ever be answered again; the process must end."""


def looked_up(
    inbox: InboxReader, journal: JournalReader, waybill: Waybill, loop_chute: ChuteId | None
) -> LookUpAnswer:
    """A waybill's order, and what the record has of it; ``loop_chute``: where a lap of it ends."""
    answer = inbox.look_up(waybill, journal.on_record)
    return answer if loop_chute is None else replace(answer, laps=journal.laps(waybill, loop_chute))


class ReaderThread:
    """An ``Inbox`` that reads off the loop: one thread, one open connection for each database.

    Answers come in the order of the questions. Every call raises ``StoreUnreadable`` where the
    store cannot be read, and when ``MAX_WAITING`` questions wait already; ``ReaderDied`` when an error of
    ours has ended the thread, also for the question that it was at.
    """

    def __init__(self, inbox: Path, journal: Path, loop_chute: ChuteId | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._inbox = InboxReader(inbox)
        self._journal = JournalReader(journal)
        self._loop_chute = loop_chute
        self._jobs: queue.Queue[Job | None] = queue.Queue(MAX_WAITING + 1)
        self._open: set[Future[Any]] = set()
        self._closed = False
        self._died = False
        self._ended: Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    async def rows_after(
        self, seq: InboxSeq, limit: int, wanted: frozenset[Waybill] | None = None
    ) -> tuple[InboxRow, ...]:
        return await self._ask(lambda: self._inbox.rows_after(seq, limit, wanted))

    async def look_up(self, waybill: Waybill) -> LookUpAnswer:
        return await self._ask(lambda: looked_up(self._inbox, self._journal, waybill, self._loop_chute))

    async def look_up_slip(self, slip: str) -> SlipAnswer:
        return await self._ask(lambda: self._inbox.look_up_slip(slip, self._journal.on_record))

    async def place_of(self, order_no: OrderNo, waybills: tuple[Waybill, ...]) -> PlaceAnswer:
        return await self._ask(lambda: self._inbox.place_of(order_no, waybills, self._journal.shipped_before))

    async def close(self) -> None:
        """Idempotent; what waits is answered first."""
        if not self._closed:
            self._closed = True
            self._jobs.put_nowait(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    async def _ask(self, question: Callable[[], T]) -> T:
        if self._closed:
            raise StoreUnreadable("the reader is closed")
        if self._died:
            raise ReaderDied("the thread that reads the store has ended")
        if self._jobs.qsize() >= MAX_WAITING:
            raise StoreUnreadable(f"{MAX_WAITING} questions wait for the store")
        answer: Future[T] = self._loop.create_future()
        self._open.add(answer)
        answer.add_done_callback(self._open.discard)
        self._jobs.put_nowait((question, answer))
        return await answer

    def _fail_open(self, died: ReaderDied) -> None:
        """From here on nothing is asked any more: the thread itself may still be seen alive for a while."""
        self._died = True
        for answer in tuple(self._open):
            _fail(answer, died)

    def _run(self) -> None:
        try:
            self._answer_all()
        except BaseException as error:  # noqa: BLE001 - whatever it is: nobody may wait for this thread for ever
            died = ReaderDied(f"the thread that reads the store has ended: {error!r}")
            died.__cause__ = error
            self._tell(self._fail_open, died)
        finally:
            self._inbox.close()
            self._journal.close()
            self._tell(_answer, self._ended, None)

    def _answer_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            question, answer = job
            try:
                value = question()
            except Exception as error:  # noqa: BLE001 - it is raised where the question was asked
                self._tell(_fail, answer, error)
            else:
                self._tell(_answer, answer, value)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            # Nobody is left to tell: the loop ended without ``close``, as in a crash.


def _answer(future: "Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: "Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class InlineInbox:
    """The same ``Inbox`` in virtual time: read at once, answered after ``answer_us`` (0: at once).

    ``flush`` is called with the waybills in question before the journal is read: what has been committed
    about them is in its file then.
    """

    def __init__(
        self,
        inbox: Path,
        journal: Path,
        answer_us: Callable[[], int],
        flush: Callable[[tuple[Waybill, ...]], None] = lambda _waybills: None,
        loop_chute: ChuteId | None = None,
    ) -> None:
        self._loop_chute = loop_chute
        self._inbox = InboxReader(inbox)
        self._journal = JournalReader(journal)
        self._answer_us = answer_us
        self._flush = flush

    async def rows_after(
        self, seq: InboxSeq, limit: int, wanted: frozenset[Waybill] | None = None
    ) -> tuple[InboxRow, ...]:
        return self._inbox.rows_after(seq, limit, wanted)

    async def look_up(self, waybill: Waybill) -> LookUpAnswer:
        self._flush((waybill,))
        answer = looked_up(self._inbox, self._journal, waybill, self._loop_chute)
        await self._pass_time()
        return answer

    async def look_up_slip(self, slip: str) -> SlipAnswer:
        answer = self._inbox.look_up_slip(slip, self._on_record)
        await self._pass_time()
        return answer

    def _on_record(self, waybill: Waybill, order_no: OrderNo) -> OnRecord:
        """Of an order that is known only now: the journal is asked nothing of it earlier."""
        self._flush((waybill,))
        return self._journal.on_record(waybill, order_no)

    async def place_of(self, order_no: OrderNo, waybills: tuple[Waybill, ...]) -> PlaceAnswer:
        self._flush(waybills)
        answer = self._inbox.place_of(order_no, waybills, self._journal.shipped_before)
        await self._pass_time()
        return answer

    async def _pass_time(self) -> None:
        delay_us = self._answer_us()
        if delay_us:
            await asyncio.sleep(delay_us / US)

    async def close(self) -> None:
        """Idempotent."""
        self._inbox.close()
        self._journal.close()
