"""A gateway without a socket to HTTP, and a line that only answers cancels."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

from api.bells import LineBell, OwnBell
from api.http.app import GatewayApp, create_app
from api.http.auth import Role, issue_key
from api.intake import Intake
from api.settings import GatewaySettings
from edge.model.events import OrderCancelled
from edge.model.ids import InboxSeq, TrackId
from edge.model.order import CancelOutcome
from edge.model.records import CancelAnswered
from edge.model.topology import Topology
from edge.model.units import MonoUs, UtcUs
from edge.ports.inbox import CancelRow
from edge.store.inbox_reader import InboxReader
from edge.store.inbox_types import Actor
from edge.store.inbox_writer import InboxWriter
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from line_config.load import load_line
from tests.patience import PATIENCE_S

ADMIN = Actor(id="console:test", role="admin")
PATIENCE_MS = round(PATIENCE_S * 1_000)
SETTINGS = GatewaySettings(
    body_deadline_ms=PATIENCE_MS, write_wait_ms=PATIENCE_MS, line_metrics_ms=PATIENCE_MS
)
"""No limit that a slow machine reaches, unless a test gives its own."""
Json = dict[str, Any]
Reply = Callable[[CancelRow], tuple[CancelOutcome, ...]]


@cache
def demo_topology() -> Topology:
    return load_line("demo").topology


def order_json(n: int, *, version: int = 1, message: str = "", **changes: Any) -> Json:
    """A good order; ``changes`` replace its fields."""
    return {
        "message_id": message or f"put-{n}-{version}",
        "order_no": f"SO-{n}",
        "version": version,
        "customer_code": "K01",
        "shop": "shop 1",
        "platform": "taobao",
        "wave": "W1",
        "pick_slip_no": f"P{n}",
        "carrier": "ZTO",
        "region": {"province": "33", "city": "3301", "district": "330106"},
        "parcels": [
            {
                "waybill_no": f"7312{n:010d}",
                "routing_code": "571-01-003",
                "bag_place": "HZ",
                "lines": [{"sku": "85123A", "qty": 2}, {"sku": "22423", "qty": 1, "is_gift": True}],
                "packaging": {"code": "B3", "tare_g": 120},
                "expected_weight_g": 1_500,
                "tolerance_g": 40,
            }
        ],
        "cut_off": "2026-11-23T18:00:00+08:00",
        "flags": ["fragile"],
        "extra": {"erp_ref": "7-1"},
    } | changes


@dataclass(frozen=True)
class Desk:
    """An open gateway, and a client for each role."""

    app: GatewayApp
    places: Places
    clients: dict[Role, httpx2.AsyncClient]
    anonymous: httpx2.AsyncClient

    @property
    def erp(self) -> httpx2.AsyncClient:
        return self.clients[Role.ERP]

    @property
    def operator(self) -> httpx2.AsyncClient:
        return self.clients[Role.OPERATOR]


@asynccontextmanager
async def open_desk(data: Path, **settings: Any) -> AsyncIterator[Desk]:
    """Fresh keys for all roles are put in before the start."""
    places = Places(data)
    texts = {}
    writer = InboxWriter(places.inbox, durable=False)
    for key in writer.api_keys():
        writer.remove_api_key(key, ADMIN, UtcUs(0))
    for role in Role:
        issued, stored = issue_key(role.value, role, UtcUs(0))
        writer.add_api_key(stored, ADMIN)
        texts[role] = issued.text
    writer.close()
    app = create_app(replace(SETTINGS, **settings), demo_topology(), data)
    await app.gateway.open()
    clients = {role: _client(app, {"Authorization": f"Bearer {text}"}) for role, text in texts.items()}
    desk = Desk(app, places, clients, _client(app, {}))
    try:
        yield desk
    finally:
        for client in (*clients.values(), desk.anonymous):
            await client.aclose()
        await app.gateway.close()


def _client(app: GatewayApp, headers: dict[str, str]) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


class Gate:
    """Holds the writer thread in one call until it is opened."""

    def __init__(self, desk: Desk) -> None:
        self.open = threading.Event()
        self._desk = desk
        self._held: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> "Gate":
        entered = threading.Event()

        def hold(_: Intake) -> None:
            entered.set()
            assert self.open.wait(PATIENCE_S)

        self._held = asyncio.create_task(self._desk.app.gateway.writer.call(hold))
        assert await asyncio.to_thread(entered.wait, PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open.set()
        assert self._held is not None
        await self._held


async def waiting(desk: Desk, count: int) -> None:
    """Until so many orders and calls wait for the writer thread."""
    async with asyncio.timeout(PATIENCE_S):
        while desk.app.gateway.writer.waiting < count:
            await asyncio.sleep(0.001)


class Stream:
    """One streamed answer of the app, read piece by piece as a server would pass it on."""

    def __init__(self, app: GatewayApp, path: str, query: str, headers: dict[str, str]) -> None:
        self._pieces: asyncio.Queue[Json] = asyncio.Queue()
        self._gone = asyncio.Event()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("10.0.0.9", 4711),
        }
        self._asked = False
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Json:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._pieces.put(message)

    async def status(self) -> int:
        """Of the answer's start, which is taken."""
        async with asyncio.timeout(PATIENCE_S):
            start = await self._pieces.get()
        assert start["type"] == "http.response.start"
        return int(start["status"])

    async def piece(self) -> str:
        """The next piece of the body; empty at its end."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self._pieces.get()
        assert message.get("more_body", False) == bool(message["body"])
        return str(message["body"].decode())

    async def leave(self) -> None:
        self._gone.set()
        async with asyncio.timeout(PATIENCE_S):
            await self.task


@asynccontextmanager
async def open_stream(
    desk: Desk, query: str = "", role: Role = Role.VIEWER, **headers: str
) -> AsyncIterator[Stream]:
    key = {"Authorization": desk.clients[role].headers["Authorization"]}
    sent = key | {name.replace("_", "-"): value for name, value in headers.items()}
    stream = Stream(desk.app, "/v1/events/stream", query, sent)
    try:
        yield stream
    finally:
        await stream.leave()


def slug_of(answer: httpx2.Response) -> str:
    """The problem's slug; the body must be a problem in every respect."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    prefix = "urn:beltkeeper:problem:"
    assert body["type"].startswith(prefix)
    return str(body["type"].removeprefix(prefix))


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


class FakeLine:
    """Reads the inbox when rung, and puts on record what ``reply`` says to each cancel."""

    def __init__(self, places: Places, reply: Reply) -> None:
        self._reply = reply
        self._reader = InboxReader(places.inbox)
        places.journal.parent.mkdir(parents=True, exist_ok=True)
        self._journal = JournalWriter(places.journal, line_id="demo", timezone="Asia/Shanghai")
        self._cursor = InboxSeq(0)
        self._gateway = LineBell(places.gateway_bell)
        self._own = OwnBell(places.line_bell, self._look)
        self._tasks: set[asyncio.Future[Any]] = set()
        self.rings = 0

    def open(self) -> None:
        self._own.open()
        self._look()

    def _look(self) -> None:
        self.rings += 1
        for row in self._reader.rows_after(self._cursor, 100):
            self._cursor = row.seq
            if isinstance(row, CancelRow):
                self.answer(row, self._reply(row))

    def answer(self, row: CancelRow, outcomes: tuple[CancelOutcome, ...]) -> None:
        for outcome in outcomes:
            done = self._journal.append(
                [
                    OrderCancelled(at_us=MonoUs(1), inbox_seq=row.seq, request=row.request),
                    CancelAnswered(
                        at_us=MonoUs(1),
                        inbox_seq=row.seq,
                        message_id=row.request.message_id,
                        order_no=row.request.order_no,
                        outcome=outcome,
                        track=TrackId(7),
                        place="002" if outcome is CancelOutcome.TOO_LATE else "",
                        final=outcome is not CancelOutcome.PENDING,
                    ),
                ],
                row.seq,
            )
            self._tasks.add(done)
            done.add_done_callback(lambda _: self._gateway.ring())

    async def close(self) -> None:
        self._own.close()
        await asyncio.gather(*self._tasks)
        await self._journal.close()
        self._reader.close()
        self._gateway.close()


@asynccontextmanager
async def open_line(places: Places, reply: Reply) -> AsyncIterator[FakeLine]:
    line = FakeLine(places, reply)
    line.open()
    try:
        yield line
    finally:
        await line.close()
