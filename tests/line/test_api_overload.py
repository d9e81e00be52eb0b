"""Too much at once: a bounded queue, 429 or 503 with Retry-After, and a store that fails."""

import asyncio
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.bulk import BulkTurns
from api.http import bodies, orders
from api.http.auth import Caller
from api.intake import Intake
from api.settings import MESSAGE_MAX_BYTES
from api.writer import WriterBusy, WriterThread
from tests.line.gateway_kit import Gate, open_desk, order_json, slug_of, waiting
from tests.patience import PATIENCE_S, until


async def test_a_full_queue_refuses_whole_requests(tmp_path: Path) -> None:
    async with open_desk(tmp_path, writes_max=10) as desk, Gate(desk) as gate:
        first = asyncio.create_task(
            desk.erp.post("/v1/orders:batch", json={"orders": [order_json(n) for n in range(8)]})
        )
        await waiting(desk, 9)
        refused = await desk.erp.post(
            "/v1/orders:batch", json={"orders": [order_json(n) for n in range(8, 10)]}
        )
        assert (refused.status_code, slug_of(refused)) == (503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        gate.open.set()
        assert (await first).json()["stored"] == 8
        assert slug_of(await desk.erp.get("/v1/orders/SO-8")) == "order_unknown"


async def test_one_key_cannot_take_all_places(tmp_path: Path) -> None:
    async with open_desk(tmp_path, in_flight_per_key=2, in_flight_max=3) as desk, Gate(desk) as gate:
        held = [asyncio.create_task(desk.erp.put(f"/v1/orders/SO-{n}", json=order_json(n))) for n in range(2)]
        await waiting(desk, 3)
        too_many = await desk.erp.get("/v1/orders/SO-1")
        assert (too_many.status_code, slug_of(too_many)) == (429, "too_many_requests")
        assert too_many.headers["Retry-After"] == "1"
        command = {"message_id": "x1", "action": "hold_line"}
        held.append(asyncio.create_task(desk.operator.post("/v1/line/commands", json=command)))
        await waiting(desk, 4)
        busy = await desk.operator.get("/metrics")
        assert (busy.status_code, slug_of(busy)) == (503, "overloaded")
        gate.open.set()
        assert [(await answer).status_code for answer in held] == [200] * 3
        assert (await desk.operator.get("/metrics")).status_code == 200


async def test_bodies_have_room_together_and_give_it_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path, bodies_max_bytes=2_000) as desk:
        for _ in range(3):
            too_large = await desk.erp.put("/v1/orders/SO-1", json=order_json(1, shop="x" * 2_000))
            assert (too_large.status_code, slug_of(too_large)) == (503, "overloaded")
            assert (await desk.erp.put("/v1/orders/SO-1", json=order_json(1))).status_code == 200


async def test_a_large_body_is_parsed_beside_everyone_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse_json, begun, go_on = bodies.parse_json, threading.Event(), threading.Event()

    def slowly(raw: bytes) -> Any:
        if len(raw) > MESSAGE_MAX_BYTES:
            begun.set()
            assert go_on.wait(PATIENCE_S), "the loop stood still"
        return parse_json(raw)

    monkeypatch.setattr(bodies, "parse_json", slowly)
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk:
        many = [order_json(n, shop="x" * 64) for n in range(100)]
        bulk = asyncio.create_task(desk.erp.post("/v1/orders:batch", json={"orders": many}))
        await until(begun.is_set)
        cancel = await desk.erp.post("/v1/orders/SO-2/cancel", json={"message_id": "c1"})
        assert slug_of(cancel) == "cancel_pending"
        assert not bulk.done()
        go_on.set()
        assert (await bulk).json()["stored"] == 100


async def test_bulks_are_read_one_at_a_time_and_a_cancel_passes_them(tmp_path: Path) -> None:
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk:
        async with desk.app.gateway.bulk_turns:
            bulk = asyncio.create_task(desk.erp.post("/v1/orders:batch", json={"orders": [order_json(1)]}))
            cancel = await desk.erp.post("/v1/orders/SO-2/cancel", json={"message_id": "c1"})
            assert slug_of(cancel) == "cancel_pending"
            assert not bulk.done()
        assert (await bulk).json()["stored"] == 1


async def test_a_bulk_stands_still_while_a_cancel_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def noted(asked: Any, caller: Caller, index: int) -> Any:
        looked_at.append(index)
        return tried(asked, caller, index)

    tried = orders._tried
    monkeypatch.setattr(orders, "_tried", noted)
    monkeypatch.setattr("api.bulk.GIVE_WAY_S", 60)
    async with open_desk(tmp_path, cancel_wait_ms=1) as desk, Gate(desk) as gate:
        cancel = asyncio.create_task(desk.erp.post("/v1/orders/SO-2/cancel", json={"message_id": "c1"}))
        await waiting(desk, 2)
        bulk = asyncio.create_task(desk.erp.post("/v1/orders:batch", json={"orders": [order_json(1)]}))
        await asyncio.sleep(0.2)
        assert not looked_at
        gate.open.set()
        assert slug_of(await cancel) == "cancel_pending"
        assert (await bulk).json()["stored"] == 1
    assert looked_at == [0]


async def test_cancels_without_end_do_not_stop_a_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.bulk.GIVE_WAY_S", 0.02)
    turns, pieces_done = BulkTurns(), 0
    with turns.ahead():
        async with asyncio.timeout(20):
            for _ in range(2):
                async with turns:
                    for _ in range(3):
                        await turns.give_way()
                        pieces_done += 1
    assert pieces_done == 6


async def test_a_store_that_stands_is_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path, write_wait_ms=30) as desk, Gate(desk):
        answer = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert (answer.status_code, slug_of(answer)) == (503, "store_unavailable")
    async with open_desk(tmp_path) as desk:
        again = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert again.json()["outcome"] == "stored"
        assert again.headers["Idempotent-Replayed"] == "true", "it came to stand after all"


async def test_a_disk_that_fails_is_told_and_healed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with open_desk(tmp_path) as desk:
        with monkeypatch.context() as broken:
            broken.setattr("edge.store.inbox_writer.InboxWriter.put_orders", full)
            answer = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
            assert (answer.status_code, slug_of(answer)) == (503, "store_unavailable")
        healed = await desk.erp.put("/v1/orders/SO-1", json=order_json(1))
        assert healed.json() == {"outcome": "stored", "inbox_seq": 1, "version": 1}


async def test_our_own_fault_is_one_problem_body_without_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a secret of ours")

    async with open_desk(tmp_path) as desk:
        monkeypatch.setattr("edge.store.inbox_writer.InboxWriter.order", broken)
        with capture_logs() as logged:
            answer = await desk.erp.get("/v1/orders/SO-1")
        assert (answer.status_code, slug_of(answer)) == (500, "internal_error")
        assert "secret" not in answer.text
    assert [(entry["event"], entry["exc_info"]) for entry in logged] == [("request_failed", True)]


async def test_the_thread_writes_what_was_queued_and_takes_no_more() -> None:
    done: list[str] = []

    def note(what: str, _: Intake) -> None:
        done.append(what)

    intake: Any = object()
    writer = WriterThread(lambda: intake, lambda: done.append("closed"), limit=10, committed=lambda _: None)
    await writer.start()
    assert writer.alive
    calls = [asyncio.ensure_future(writer.call(partial(note, str(n)))) for n in range(5)]
    await asyncio.sleep(0)
    await writer.stop()
    await asyncio.gather(*calls)
    assert done == ["0", "1", "2", "3", "4", "closed"]
    assert not writer.alive
    with pytest.raises(WriterBusy):
        await writer.call(lambda _: None)
    await writer.stop()


async def test_an_inbox_that_cannot_be_opened_is_said_at_start() -> None:
    def broken() -> Intake:
        raise OSError("no such disk")

    writer = WriterThread(broken, lambda: None, limit=10, committed=lambda _: None)
    with pytest.raises(OSError, match="no such disk"):
        await writer.start()
    await writer.stop()
