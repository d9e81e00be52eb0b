"""Look-ups: one after another, failures logged once, a parcel's told, a cancel's repeated."""

import asyncio
from collections import deque
from typing import cast

from edge.model.commands import LookUp, LookUpPlace
from edge.model.events import LookUpFailed, OrderFound, OrderMissing, WaybillPlaceFound
from edge.model.ids import InboxSeq, OrderNo, TrackId, Waybill
from edge.model.order import ShippedBefore, ShippedPlace
from edge.ports.inbox import Inbox, InboxFailed, InboxRow, LookUpAnswer, PlaceAnswer
from edge.runtime import look_ups
from edge.runtime.look_ups import LookUps
from tests.core.core_line import order
from tests.core.runtime_kit import Posted, clock, logs, virtual

BEFORE = ShippedBefore(place=ShippedPlace.PROVED, chute="001")
FOUND = LookUpAnswer(inbox_seq=InboxSeq(7), order=order("W1"), reviewed=False, shipped_before=BEFORE)
NONE = LookUpAnswer(inbox_seq=InboxSeq(8), order=None, reviewed=False, shipped_before=None)
PLACE = PlaceAnswer(known=True, shipped_before=BEFORE)


class Shelf:
    """An ``Inbox`` that gives these answers in turn (None: it cannot be read), each after 2 ms."""

    def __init__(self, *answers: LookUpAnswer | PlaceAnswer | None) -> None:
        self._answers = deque(answers)
        self.asked: list[object] = []

    async def rows_after(self, seq: InboxSeq, limit: int) -> tuple[InboxRow, ...]:
        raise AssertionError(f"look-ups read no rows, and asked for {limit} after {seq}")

    async def look_up(self, waybill: Waybill) -> LookUpAnswer:
        return cast(LookUpAnswer, await self._next(waybill))

    async def place_of(self, order_no: OrderNo, waybills: tuple[Waybill, ...]) -> PlaceAnswer:
        return cast(PlaceAnswer, await self._next((order_no, waybills)))

    async def _next(self, asked: object) -> LookUpAnswer | PlaceAnswer:
        self.asked.append(asked)
        await asyncio.sleep(0.002)
        answer = self._answers.popleft()
        if answer is None:
            raise InboxFailed("locked")
        return answer


def look_up(track: int, waybill: str = "W1") -> LookUp:
    return LookUp(track=TrackId(track), waybill=Waybill(waybill))


def place(seq: int) -> LookUpPlace:
    return LookUpPlace(inbox_seq=InboxSeq(seq), order_no=OrderNo("O"), waybills=(Waybill("W1"),))


def asked(shelf: Shelf, *questions: LookUp | LookUpPlace, for_s: float = 5) -> list[object]:
    posted = Posted()

    async def main() -> int:
        subject = LookUps(cast(Inbox, shelf), posted, clock())
        for question in questions:
            subject.ask(question)
        try:
            async with asyncio.timeout(for_s):
                await subject.run()
        except TimeoutError:
            pass
        return len(subject)

    assert virtual(main) == 0
    return list(posted.events)


def test_answers_carry_what_was_asked_and_found_in_order() -> None:
    found, missing, where = asked(Shelf(FOUND, NONE, PLACE), look_up(1), look_up(2, "W2"), place(3))
    assert isinstance(found, OrderFound)
    assert (found.track, found.order, found.inbox_seq, found.shipped_before) == (1, FOUND.order, 7, BEFORE)
    assert isinstance(missing, OrderMissing)
    assert (missing.track, missing.waybill, missing.inbox_seq) == (2, "W2", 8)
    assert isinstance(where, WaybillPlaceFound)
    assert (where.inbox_seq, where.known, where.shipped_before) == (3, True, BEFORE)
    assert [found.at_us, missing.at_us, where.at_us] == [1_002_000, 1_004_000, 1_006_000]


def test_a_parcels_question_that_fails_is_answered_so_and_the_outage_is_logged_once() -> None:
    with logs() as told_logs:
        events = asked(Shelf(None, None, FOUND, None), look_up(1), look_up(2), look_up(3), look_up(4))
    assert [(type(event).__name__, cast(OrderFound, event).track) for event in events] == [
        ("LookUpFailed", 1),
        ("LookUpFailed", 2),
        ("OrderFound", 3),
        ("LookUpFailed", 4),
    ]
    assert (cast(LookUpFailed, events[0]).waybill, cast(LookUpFailed, events[0]).why) == ("W1", "locked")
    assert [(log["log_level"], log["event"]) for log in told_logs] == [
        ("error", "look-ups fail"),
        ("info", "look-ups answer again"),
        ("error", "look-ups fail"),
    ]


def test_a_cancels_question_is_asked_again_until_it_is_answered() -> None:
    shelf = Shelf(None, FOUND, None, PLACE)
    events = asked(shelf, place(3), look_up(1))
    assert [type(event).__name__ for event in events] == ["OrderFound", "WaybillPlaceFound"]
    again_us = cast(WaybillPlaceFound, events[1]).at_us - 1_000_000
    assert 2 * look_ups.AGAIN_S * 1e6 <= again_us <= 2 * look_ups.AGAIN_S * 1e6 + 10_000


def test_more_parcels_than_any_belt_holds_are_left_to_their_deadlines_cancels_never() -> None:
    subject: list[LookUps] = []

    async def main() -> None:
        one = LookUps(cast(Inbox, Shelf()), Posted(), clock())
        for n in range(look_ups.ASKED_LIMIT + 5):
            one.ask(look_up(n))
        one.ask(place(1))
        subject.append(one)

    virtual(main)
    assert len(subject[0]) == look_ups.ASKED_LIMIT + 1
