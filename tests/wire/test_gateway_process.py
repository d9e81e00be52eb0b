"""The gateway over real sockets: clients that misbehave, signals, kill -9, and what it may load."""

import asyncio
import json
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge.model.ids import InboxSeq
from edge.model.order import CancelOutcome
from edge.ports.inbox import CancelRow
from edge.store.inbox_reader import InboxReader
from edge.store.places import Places
from tests.line.gateway_kit import open_line, order_json, slug_of
from tests.wire.gateway_process import START_S, GatewayProcess, answered, launch, running_gateway

pytestmark = pytest.mark.wire


def request(gateway: GatewayProcess, head: str, body: bytes = b"") -> bytes:
    return f"{head}\r\nHost: x\r\nAuthorization: Bearer {gateway.keys['erp-1']}\r\n\r\n".encode() + body


async def test_orders_cancels_and_a_clean_end(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        assert stat.S_IMODE((tmp_path / "first-keys.json").stat().st_mode) == 0o600
        async with gateway.client() as erp:
            stored = await erp.put("/v1/orders/SO-1", json=order_json(1))
            assert stored.json()["outcome"] == "stored"
            async with open_line(Places(tmp_path), lambda row: (CancelOutcome.ACCEPTED,)):
                answer = await answered(erp, "/v1/orders/SO-1/cancel", {"message_id": "c1"})
            assert (answer.status_code, answer.json()["outcome"]) == (200, "accepted")
            assert await gateway.end(signal.SIGTERM) == 0
    assert not (tmp_path / "gateway.bell").exists()
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        assert (await erp.put("/v1/orders/SO-1", json=order_json(1))).content == stored.content


async def test_killed_with_a_cancel_in_flight(tmp_path: Path) -> None:
    """The cancel is on record before its client knows; repeated, it gets the journal's answer."""
    places = Places(tmp_path)
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        await erp.put("/v1/orders/SO-1", json=order_json(1))
        reader, writer = await gateway.connect()
        body = b'{"message_id":"c1"}'
        head = "POST /v1/orders/SO-1/cancel HTTP/1.1\r\nContent-Type: application/json\r\n"
        writer.write(request(gateway, head + f"Content-Length: {len(body)}", body))
        async with asyncio.timeout(START_S):
            while not _cancels(places):
                await asyncio.sleep(0.002)
        assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
        said = await reader.read()
        assert not said or said.startswith(b"HTTP/1.1 503 "), "nothing, or no more than that it is pending"
        writer.close()
    async with (
        running_gateway(tmp_path) as gateway,
        gateway.client() as erp,
        open_line(places, lambda row: (CancelOutcome.TOO_LATE,)),
    ):
        again = await answered(erp, "/v1/orders/SO-1/cancel", {"message_id": "c1"})
        assert (again.status_code, again.json()["outcome"], again.json()["place"]) == (200, "too_late", "002")
        assert len(_cancels(places)) == 1


def _cancels(places: Places) -> list[CancelRow]:
    reader = InboxReader(places.inbox)
    try:
        return [row for row in reader.rows_after(InboxSeq(0), 100) if isinstance(row, CancelRow)]
    finally:
        reader.close()


async def test_what_was_answered_is_there_after_kill_9(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        stored: list[int] = []

        async def push(first: int) -> None:
            for n in range(first, first + 1_000):
                answer = await erp.put(f"/v1/orders/SO-{n}", json=order_json(n))
                stored.extend([n] if answer.status_code == 200 else [])

        pushing = [asyncio.create_task(push(first)) for first in (0, 1_000, 2_000, 3_000)]
        async with asyncio.timeout(START_S):
            while len(stored) < 100:
                await asyncio.sleep(0.002)
        await gateway.end(signal.SIGKILL)
        await asyncio.gather(*pushing, return_exceptions=True)
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        found = await asyncio.gather(*[erp.get(f"/v1/orders/SO-{n}") for n in stored[-40:]])
        assert [answer.status_code for answer in found] == [200] * 40


async def test_slow_and_broken_clients(tmp_path: Path) -> None:
    """Half a head, a body too large, garbage, and a client that reads nothing; others are served."""
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        slow = [await gateway.connect() for _ in range(50)]
        for _, writer in slow:
            writer.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert (await erp.get("/health")).status_code == 200

        reader, writer = await gateway.connect()
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"].endswith("request_malformed")
        writer.close()

        reader, writer = await gateway.connect()
        head = "PUT /v1/orders/SO-1 HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 200000000"
        writer.write(request(gateway, head))
        async with asyncio.timeout(START_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.close()

        reader, writer = await gateway.connect()
        head = head.replace("200000000", "5000000")
        writer.write(request(gateway, head, bytes(5_000_000)) + request(gateway, "GET /v1/line HTTP/1.1"))
        async with asyncio.timeout(START_S):
            for status in (b"413", b"200"):
                answered = await reader.readuntil(b"\r\n\r\n")
                assert answered.startswith(b"HTTP/1.1 " + status), (
                    "one that is not much too large costs no connection"
                )
                await reader.readexactly(int(answered.lower().partition(b"content-length: ")[2].split()[0]))
        writer.close()

        reader, writer = await gateway.connect()
        writer.write(b"GET /" + b"a" * 40_000)
        async with asyncio.timeout(START_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        writer.close()

        async with asyncio.timeout(START_S):
            for reader, writer in slow:
                assert await reader.read() == b"", "cut without a word"
                writer.close()
        async with gateway.client() as another:  # the first one's connection may be let go of just now
            assert (await another.get("/health")).status_code == 200


async def test_a_stop_does_not_wait_for_idle_or_stuck_clients(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        _, idle = await gateway.connect()
        cut, stuck = await gateway.connect()
        head = "PUT /v1/orders/SO-1 HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100"
        stuck.write(request(gateway, head, b"{"))
        async with gateway.client() as erp:
            await erp.get("/health")
        assert await gateway.end(signal.SIGTERM) == 0
        assert b" 408 " not in await cut.read(), "the body's own deadline would have ended it too, later"
        idle.close()
        stuck.close()


async def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """Files may not grow over 1 MB: what was answered stays, the rest is refused, nobody falls over."""
    async with running_gateway(tmp_path, file_bytes=1_000_000) as gateway, gateway.client() as erp:
        taken = 0
        refused = None
        for n in range(0, 10_000, 20):
            orders = {"orders": [order_json(m) for m in range(n, n + 20)]}
            answer = await erp.post("/v1/orders:batch", json=orders)
            if answer.status_code != 200:
                refused = answer
                break
            taken = n + 20
        assert refused is not None
        assert (refused.status_code, slug_of(refused)) == (503, "store_unavailable")
        assert taken > 0
        cancel = await erp.post("/v1/orders/SO-0/cancel", json={"message_id": "c1"})
        assert cancel.status_code == 503
        assert (await erp.get(f"/v1/orders/SO-{taken - 1}")).status_code == 200
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        assert (await erp.get(f"/v1/orders/SO-{taken - 1}")).status_code == 200
        again = await erp.put(f"/v1/orders/SO-{taken}", json=order_json(taken))
        assert again.json()["outcome"] == "stored"


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await launch(tmp_path, taken.getsockname()[1])
        _, said = await process.communicate()
    assert process.returncode == 3
    assert said.decode().count("\n") == 1
    assert "cannot listen on 127.0.0.1 port" in said.decode()


async def test_a_second_gateway_of_one_inbox(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        second = await launch(tmp_path)
        _, said = await second.communicate()
        assert second.returncode == 3
        assert "already being written" in said.decode()
        async with gateway.client() as erp:
            assert slug_of(await erp.get("/v1/orders/SO-1")) == "order_unknown"


MANY = 100_000
"""Objects: the libraries' alone are more."""
AT_WORK = """
import asyncio, json, sys
from pathlib import Path
import httpx2
import api.server
from api.http.app import create_app
from api.settings import GatewaySettings
from line_config.load import load_line

async def work(data):
    app = create_app(GatewaySettings(cancel_wait_ms=1), load_line("demo").topology, data)
    await app.gateway.open()
    key = json.loads((data / "first-keys.json").read_text())["erp-1"]
    transport = httpx2.ASGITransport(app=app)
    headers = {"X-API-Key": key}
    async with httpx2.AsyncClient(transport=transport, base_url="http://x", headers=headers) as erp:
        await erp.post("/v1/orders/SO-1/cancel", json={"message_id": "c1"})
        await erp.get("/v1/parcels/73120000000001")
        await erp.get("/docs")
    await app.gateway.close()

asyncio.run(work(Path(sys.argv[1])))
print(json.dumps(sorted(sys.modules)))
"""


async def test_what_stands_to_its_end_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    """Else each full collection holds its loop up for as long as that takes, and a cancel with it."""
    async with running_gateway(tmp_path) as gateway:
        assert await gateway.end(signal.SIGTERM) == 0
        assert gateway.process.stdout is not None
        assert int(await gateway.process.stdout.read()) > MANY


def test_the_gateway_holds_no_device(tmp_path: Path) -> None:
    """No driver, camera, serial port or Modbus can be reached from what it has loaded at work."""
    program = [sys.executable, "-c", AT_WORK, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    tops = {name.partition(".")[0] for name in loaded}
    assert "fastapi" in tops
    assert not tops & {"drivers", "simulators", "cv2", "serial", "serialx", "pymodbus", "zxingcpp", "pyzbar"}
    decides = {name for name in loaded if name.startswith(("edge.core", "edge.runtime", "edge.app"))}
    assert decides <= {"edge.core", "edge.core.timing"}, "the formulas that line_config proves a line with"
    assert "edge.store.journal_writer" not in loaded
