"""Signed webhooks to a real endpoint: away, broken, refusing; dead letters seen and sent again."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from api.clock import utc_now
from api.record import LineRecord
from api.relay import target, webhooks
from api.relay.desk import RelayDesk, RelayTo
from edge.model.ids import InboxSeq
from edge.model.units import UtcUs
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from line_config.relay import Relay, WebhookSettings
from tests.core.store_kit import LINE, ZONE, parcel_life
from tests.wire.broker import free_port

pytestmark = pytest.mark.wire

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PATIENCE_S = 60.0
ANSWER = "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n{more}\r\n"


class Endpoint:
    """Somebody's HTTP server: keeps what it was told, answers by ``status`` of the waybill."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: list[dict[str, Any]] = []
        self.tries: list[str] = []
        self.status: dict[str, list[int]] = {}
        self.more = ""
        """A line of the head of whatever is not taken."""
        self.asked_s: list[float] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        lower = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(lower["content-length"]))
        message = Webhook(SECRET).verify(body, headers)
        waybill = message["body"]["waybill"]
        assert lower["webhook-id"] == message["id"]
        self.tries.append(waybill)
        self.asked_s.append(monotonic())
        answers = self.status.get(waybill, [])
        status = answers.pop(0) if answers else 204
        if status == 204:
            self.told.append(message)
        writer.write(ANSWER.format(status=status, more="" if status == 204 else self.more).encode())
        await writer.drain()
        writer.close()

    async def open(self) -> asyncio.Server:
        return await asyncio.start_server(self.serve, "127.0.0.1", self.port)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "FIRST_DELAY_MS", 5)
    monkeypatch.setattr(target, "LAST_DELAY_MS", 20)


@asynccontextmanager
async def relay_to(tmp_path: Path, port: int) -> AsyncIterator[RelayDesk]:
    places = Places(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    one = WebhookSettings(
        id="erp", url=f"http://127.0.0.1:{port}/hook", secret_file=str(secret), kinds=("Exited",)
    )
    record = LineRecord(places)
    desk = RelayDesk(RelayTo(site="hall", settings=Relay(webhooks=(one,))), LINE, record, places)
    await desk.open()
    try:
        yield desk
    finally:
        await desk.close()
        await record.close()


async def exits(tmp_path: Path, first: int, last: int) -> None:
    journal = JournalWriter(Places(tmp_path).journal, line_id=LINE, timezone=ZONE)
    for n in range(first, last + 1):
        await journal.append(parcel_life(n, n * 1_000_000, f"W{n}"), InboxSeq(n))
    await journal.close()


async def told(endpoint: Endpoint, count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_S):
        while len(endpoint.told) < count:
            await asyncio.sleep(0.01)
    return [message["body"]["waybill"] for message in endpoint.told]


async def test_an_endpoint_that_is_away_or_broken_gets_everything_in_order_once_it_is_back(
    tmp_path: Path,
) -> None:
    endpoint = Endpoint(free_port())
    await exits(tmp_path, 1, 5)
    async with relay_to(tmp_path, endpoint.port) as desk:
        async with asyncio.timeout(PATIENCE_S):
            while desk.targets[0].failed < 3:
                await asyncio.sleep(0.01)
        (now,) = await desk.now()
        assert (now.up, now.seen) == (False, 0)
        assert now.why.startswith("no answer")
        endpoint.status = {"W2": [500, 503], "W4": [429, 408]}
        async with await endpoint.open():
            assert await told(endpoint, 5) == ["W1", "W2", "W3", "W4", "W5"]
        assert endpoint.tries == ["W1", *["W2"] * 3, "W3", *["W4"] * 3, "W5"]
        (now,) = await desk.now()
        assert (now.up, now.why, now.dead_letters) == (True, "", 0)
    await exits(tmp_path, 6, 7)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port):
        assert await told(endpoint, 7) == [f"W{n}" for n in range(1, 8)], "goes on where it was"


@pytest.mark.parametrize("status", [429, 503])
async def test_an_endpoint_is_left_alone_for_as_long_as_it_asks(tmp_path: Path, status: int) -> None:
    endpoint = Endpoint(free_port())
    endpoint.status, endpoint.more = {"W1": [status]}, "Retry-After: 1\r\n"
    await exits(tmp_path, 1, 1)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port):
        assert await told(endpoint, 1) == ["W1"]
    first, second = endpoint.asked_s
    assert second - first >= 1.0, "its own delays are 20 ms here"


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        ("", 0.0),
        ("120", 120.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("9" * 400, webhooks.LONGEST_S),
        ("٣", 0.0),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 29 Nov 2026 12:00:00 GMT", webhooks.LONGEST_S),
        ("Sat, 28 Nov 2026 12:00:30", 30.0),
        ("soon", 0.0),
    ],
)
def test_what_an_endpoint_asks_for(retry_after: str, wait_s: float) -> None:
    now = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
    assert webhooks.wanted_pause_s(retry_after, now) == wait_s


@pytest.mark.parametrize(
    ("status", "tries"), [(400, webhooks.TRIES), (302, webhooks.TRIES), (500, webhooks.BROKEN_TRIES)]
)
async def test_a_message_that_is_refused_for_good_is_a_dead_letter_and_holds_up_no_other(
    tmp_path: Path, status: int, tries: int
) -> None:
    endpoint = Endpoint(free_port())
    endpoint.status = {"W2": [status] * (tries + 1)}
    await exits(tmp_path, 1, 3)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port) as desk:
        assert await told(endpoint, 2) == ["W1", "W3"]
        (letter,) = await desk.dead_letters(0, 10)
        assert (letter.target, letter.kind, letter.tries, letter.why) == (
            "erp",
            "Exited",
            tries,
            f"answered {status}",
        )
        assert json.loads(letter.body)["body"]["waybill"] == "W2"
        assert await desk.send_again(letter.id)
        async with asyncio.timeout(PATIENCE_S):  # once more, and refused once more
            while (await desk.dead_letters(0, 10))[0].tries == tries:
                await asyncio.sleep(0.01)
        assert await desk.send_again(letter.id)
        assert await told(endpoint, 3) == ["W1", "W3", "W2"]
        async with asyncio.timeout(PATIENCE_S):
            while await desk.dead_letters(0, 10):
                await asyncio.sleep(0.01)
        assert not await desk.send_again(letter.id)


def test_the_schedule_reaches_days_and_ends() -> None:
    assert list(webhooks.LATER_S) == sorted(webhooks.LATER_S)
    assert 3 * 86_400 < sum(webhooks.LATER_S) < 4 * 86_400


async def test_a_dead_letter_is_sent_again_by_itself_until_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LATER_S", (0.05, 0.1, 0.1))
    endpoint = Endpoint(free_port())
    endpoint.status = {"W2": [404] * (webhooks.TRIES + 2)}
    await exits(tmp_path, 1, 3)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port) as desk:
        assert await told(endpoint, 3) == ["W1", "W3", "W2"]
        async with asyncio.timeout(PATIENCE_S):
            while await desk.dead_letters(0, 10) or desk.targets[0].dead:
                await asyncio.sleep(0.01)
        assert endpoint.tries.count("W2") == webhooks.TRIES + 3


async def test_a_schedule_outlives_its_process_and_after_its_end_only_a_person_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LATER_S", (3_600, 0.05))
    endpoint = Endpoint(free_port())
    endpoint.status = {"W2": [422] * (webhooks.TRIES + 2)}
    await exits(tmp_path, 1, 3)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port) as desk:
        assert await told(endpoint, 2) == ["W1", "W3"]
        (letter,) = await desk.dead_letters(0, 10)
        assert (letter.retries, desk.targets[0].dead) == (0, 1)
        assert letter.due_utc_us is not None
        assert letter.due_utc_us - letter.tried_utc_us == 3_600_000_000
    monkeypatch.setattr(webhooks, "utc_now", lambda: UtcUs(utc_now() + 3_600_000_000))
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port) as desk:
        async with asyncio.timeout(PATIENCE_S):
            while (letter := (await desk.dead_letters(0, 10))[0]).due_utc_us is not None:
                await asyncio.sleep(0.01)
        assert (letter.tries, letter.retries) == (webhooks.TRIES + 2, 2)
        await exits(tmp_path, 4, 4)
        assert await told(endpoint, 3) == ["W1", "W3", "W4"]
        assert (desk.targets[0].dead, endpoint.tries.count("W2")) == (1, webhooks.TRIES + 2)
        assert await desk.send_again(letter.id)
        assert await told(endpoint, 4) == ["W1", "W3", "W4", "W2"]


async def test_an_endpoint_that_is_gone_is_asked_seldom_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhooks.GONE_S == 3_600
    monkeypatch.setattr(webhooks, "GONE_S", 0.3)
    endpoint = Endpoint(free_port())
    endpoint.status = {"W2": [410] * 2}
    await exits(tmp_path, 1, 3)
    async with await endpoint.open(), relay_to(tmp_path, endpoint.port) as desk:
        async with asyncio.timeout(PATIENCE_S):
            while "410" not in desk.targets[0].why:
                await asyncio.sleep(0.01)
        assert await told(endpoint, 3) == ["W1", "W2", "W3"]
        assert (endpoint.tries, await desk.dead_letters(0, 10)) == (["W1", "W2", "W2", "W2", "W3"], ())
    _, first, second, third, _ = endpoint.asked_s
    assert min(second - first, third - second) >= webhooks.GONE_S, "it is left alone for a while"
