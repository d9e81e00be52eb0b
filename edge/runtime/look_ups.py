"""Asks inbox and journal for what the core wants to know, one after another, off the parcel's path."""

import asyncio
from collections import deque

import structlog

from edge.model.bench_events import SlipFound, SlipMissing
from edge.model.commands import LookUp, LookUpPlace, LookUpSlip
from edge.model.events import Event, LookUpFailed, OrderFound, OrderMissing, WaybillPlaceFound
from edge.model.review import ReviewRefusal
from edge.model.units import MonoUs
from edge.ports.clock import Clock
from edge.ports.inbox import Inbox, InboxFailed
from edge.ports.sinks import EventSink

ASKED_LIMIT = 1_024
"""Unanswered look-ups; the core's own deadline turns those beyond into upstream_timeout."""
AGAIN_S = 0.5
"""A cancel's question that failed is asked again after this: nothing else would ever answer it."""

WHY_CHARS = 200
Question = LookUp | LookUpPlace | LookUpSlip

log = structlog.get_logger("look_up")


class LookUps:
    """A question that fails is logged once per outage. A parcel's is answered so; a cancel's, and the
    latest of each bench, are asked again."""

    def __init__(self, inbox: Inbox, events: EventSink, clock: Clock) -> None:
        self._inbox = inbox
        self._events = events
        self._clock = clock
        self._asked: deque[Question] = deque()
        self._filled = asyncio.Event()
        self._down = False
        self._again: list[LookUpPlace | LookUpSlip] = []
        self._retry: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Questions without an answer."""
        return len(self._asked) + len(self._again)

    def ask(self, question: Question) -> None:
        """Beyond ``ASKED_LIMIT`` a parcel's or slip's question is dropped; how many cancels ask is the
        inbox follower's to bound."""
        if not isinstance(question, LookUpPlace) and len(self._asked) >= ASKED_LIMIT:
            return
        self._asked.append(question)
        self._filled.set()

    async def run(self) -> None:
        try:
            while True:
                await self._filled.wait()
                self._filled.clear()
                while self._asked:
                    await self._answer(self._asked.popleft())
        finally:
            if self._retry is not None:
                self._retry.cancel()

    def _ask_again(self) -> None:
        self._retry = None
        self._asked.extend(self._again)
        self._again.clear()
        self._filled.set()

    async def _answer(self, question: Question) -> None:
        try:
            answer = await self._ask_inbox(question)
        except InboxFailed as failed:
            if not self._down:
                log.error("look-ups fail", why=str(failed))
            self._down = True
            if isinstance(question, LookUp):
                self._events.post(_failed(question, self._clock.now_us(), str(failed)))
            else:
                self._again = [one for one in self._again if not _replaces(question, one)]
                self._again.append(question)
                if self._retry is None:
                    self._retry = asyncio.get_running_loop().call_later(AGAIN_S, self._ask_again)
            return
        if self._down:
            log.info("look-ups answer again")
        self._down = False
        self._events.post(answer)

    async def _ask_inbox(self, question: Question) -> Event:
        if isinstance(question, LookUpPlace):
            place = await self._inbox.place_of(question.order_no, question.waybills)
            return WaybillPlaceFound(
                at_us=self._clock.now_us(),
                inbox_seq=question.inbox_seq,
                known=place.known,
                shipped_before=place.shipped_before,
            )
        if isinstance(question, LookUpSlip):
            return await self._ask_slip(question)
        found = await self._inbox.look_up(question.waybill)
        if found.order is None:
            return OrderMissing(
                at_us=self._clock.now_us(),
                track=question.track,
                waybill=question.waybill,
                inbox_seq=found.inbox_seq,
                laps=found.laps,
            )
        return OrderFound(
            at_us=self._clock.now_us(),
            track=question.track,
            waybill=question.waybill,
            inbox_seq=found.inbox_seq,
            order=found.order,
            reviewed=found.reviewed,
            shipped_before=found.shipped_before,
            laps=found.laps,
        )

    async def _ask_slip(self, question: LookUpSlip) -> Event:
        found = await self._inbox.look_up_slip(question.slip)
        if isinstance(found.order, ReviewRefusal):
            return SlipMissing(
                at_us=self._clock.now_us(),
                bench=question.bench,
                slip=question.slip,
                inbox_seq=found.inbox_seq,
                why=found.order,
            )
        return SlipFound(
            at_us=self._clock.now_us(),
            bench=question.bench,
            slip=question.slip,
            inbox_seq=found.inbox_seq,
            order=found.order,
            released=found.released,
            shipped=found.shipped,
        )


def _replaces(question: Question, earlier: Question) -> bool:
    """A bench asks for one slip at a time."""
    return (
        isinstance(question, LookUpSlip)
        and isinstance(earlier, LookUpSlip)
        and question.bench == earlier.bench
    )


def _failed(question: LookUp, at_us: MonoUs, why: str) -> LookUpFailed:
    return LookUpFailed(at_us=at_us, track=question.track, waybill=question.waybill, why=why[:WHY_CHARS])
