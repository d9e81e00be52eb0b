"""Cancels: on record first, then the line's words and nobody else's ."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from httpx2 import Response

from edge.model.ids import InboxSeq
from edge.model.order import CancelOutcome
from edge.ports.inbox import CancelRow
from edge.store.inbox_reader import InboxReader
from tests.line.gateway_kit import Desk, Gate, open_desk, open_line, order_json, slug_of, waiting

ACCEPTED, TOO_LATE, UNKNOWN, PENDING = (
    CancelOutcome.ACCEPTED,
    CancelOutcome.TOO_LATE,
    CancelOutcome.UNKNOWN,
    CancelOutcome.PENDING,
)
LONG_MS = 20_000
"""A wait that only a lost answer reaches."""


async def cancel(desk: Desk, order: str = "SO-1", message: str = "c1") -> Response:
    return await desk.erp.post(f"/v1/orders/{order}/cancel", json={"message_id": message})


def cancels_on_record(desk: Desk) -> list[CancelRow]:
    reader = InboxReader(desk.places.inbox)
    try:
        return [row for row in reader.rows_after(InboxSeq(0), 100) if isinstance(row, CancelRow)]
    finally:
        reader.close()


@pytest.mark.parametrize(("outcome", "place"), [(ACCEPTED, ""), (TOO_LATE, "002"), (UNKNOWN, "")])
async def test_the_lines_answer_is_given_word_by_word(
    tmp_path: Path, outcome: CancelOutcome, place: str
) -> None:
    async with (
        open_desk(tmp_path, cancel_wait_ms=LONG_MS) as desk,
        open_line(desk.places, lambda row: (outcome,)) as line,
    ):
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        answer = await cancel(desk)
        assert answer.status_code == 200
        assert answer.json() == {
            "message_id": "c1",
            "order_no": "SO-1",
            "outcome": outcome.value,
            "place": place,
            "track": 7,
            "inbox_seq": 2,
            "final": True,
        }
        assert line.rings > 1, "the bell was rung, the line did not find the row by polling"
        assert (await desk.erp.get("/v1/cancels/c1")).json() == answer.json()
        assert (await desk.erp.get("/v1/orders/SO-1")).json()["status"] == "cancelled"


async def test_the_inbox_row_carries_the_waybills(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        await cancel(desk)
        (row,) = cancels_on_record(desk)
        assert (row.request.order_no, row.request.waybills) == ("SO-1", ("73120000000001",))


async def test_without_a_line_it_is_pending_and_in_force(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=30) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        answer = await cancel(desk)
        assert (answer.status_code, slug_of(answer)) == (503, "cancel_pending")
        assert answer.headers["Location"] == "/v1/cancels/c1"
        assert answer.headers["Retry-After"] == "1"
        assert len(cancels_on_record(desk)) == 1
        standing = await desk.erp.get(answer.headers["Location"])
        assert (standing.status_code, standing.json()["outcome"], standing.json()["final"]) == (
            200,
            "pending",
            False,
        )


async def test_the_wait_is_bounded(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=400) as desk:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await cancel(desk)
        assert loop.time() - began >= 0.39, "and it ends, though no line is there"


async def test_a_later_answer_stands_at_the_address_and_for_a_repeat(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=30) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        pending = await cancel(desk)
        assert slug_of(pending) == "cancel_pending"
        async with open_line(desk.places, lambda row: (TOO_LATE,)):
            pass
        desk.app.gateway.settings = replace(desk.app.gateway.settings, cancel_wait_ms=LONG_MS)
        standing = await desk.erp.get(pending.headers["Location"])
        again = await cancel(desk)
        assert (again.status_code, again.json()["outcome"], again.json()["place"]) == (200, "too_late", "002")
        assert again.json() == standing.json()
        assert len(cancels_on_record(desk)) == 1, "one message, one row"


async def test_pending_on_record_is_not_final(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=LONG_MS) as desk:
        async with open_line(desk.places, lambda row: (PENDING,)) as line:
            answer = await cancel(desk)
            assert (answer.status_code, slug_of(answer)) == (503, "cancel_pending")
            assert (await desk.erp.get("/v1/cancels/c1")).json()["outcome"] == "pending"
            line.answer(cancels_on_record(desk)[0], (ACCEPTED,))
        again = await cancel(desk)
        assert (again.status_code, again.json()["outcome"]) == (200, "accepted")


async def test_many_cancels_at_once_get_each_its_own_answer(tmp_path: Path) -> None:
    outcomes = (ACCEPTED, TOO_LATE, UNKNOWN)
    async with (
        open_desk(tmp_path, cancel_wait_ms=LONG_MS) as desk,
        open_line(desk.places, lambda row: (outcomes[int(row.request.order_no[3:]) % 3],)),
    ):
        answers = await asyncio.gather(*[cancel(desk, f"SO-{n}", f"c{n}") for n in range(30)])
        for n, answer in enumerate(answers):
            body = answer.json()
            assert (body["order_no"], body["outcome"]) == (f"SO-{n}", outcomes[n % 3].value)


async def test_the_same_cancel_twice_at_once_is_one_row_and_one_answer(tmp_path: Path) -> None:
    async with (
        open_desk(tmp_path, cancel_wait_ms=LONG_MS) as desk,
        open_line(desk.places, lambda row: (ACCEPTED,)),
    ):
        one, two = await asyncio.gather(cancel(desk), cancel(desk))
        assert one.json() == two.json()
        assert len(cancels_on_record(desk)) == 1


async def test_the_same_message_id_for_another_order_is_refused(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk:
        await cancel(desk)
        answer = await cancel(desk, "SO-2")
        assert (answer.status_code, slug_of(answer)) == (409, "message_id_reused")
        assert len(cancels_on_record(desk)) == 1


async def test_a_cancel_overtakes_a_batch_that_waits(tmp_path: Path) -> None:
    async with (
        open_desk(tmp_path, cancel_wait_ms=LONG_MS) as desk,
        open_line(desk.places, lambda row: (ACCEPTED,)),
    ):
        async with Gate(desk):
            orders = {"orders": [order_json(n) for n in range(1_000)]}
            batch = asyncio.create_task(desk.erp.post("/v1/orders:batch", json=orders))
            await waiting(desk, 1_001)
            asked = asyncio.create_task(cancel(desk))
            await waiting(desk, 1_002)
        assert (await asked).json()["inbox_seq"] == 1, "not behind what was there before it"
        assert (await batch).json()["stored"] == 1_000


async def test_an_unreadable_journal_is_a_line_that_has_not_answered(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=30) as desk:
        desk.places.journal.parent.mkdir(parents=True)
        desk.places.journal.write_bytes(b"this is no database at all" * 100)
        answer = await cancel(desk)
        assert (answer.status_code, slug_of(answer)) == (503, "cancel_pending")
        standing = await desk.erp.get("/v1/cancels/c1")
        assert (standing.status_code, slug_of(standing)) == (503, "store_unavailable")


async def test_nobody_cancelled_that(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.erp.put("/v1/orders/SO-1", json=order_json(1, message="p1"))
        for message in ("nobody", "p1"):
            answer = await desk.erp.get(f"/v1/cancels/{message}")
            assert (answer.status_code, slug_of(answer)) == (404, "cancel_unknown")
