"""Event streams over real sockets: a client that reads nothing, and a stop with streams open."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from edge.model import events as e
from edge.model.ids import InboxSeq, PlanId
from edge.model.route import SortPlan, SortRule
from edge.model.units import MonoUs
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from tests.wire.gateway_process import START_S, GatewayProcess, running_gateway

pytestmark = pytest.mark.wire
ROWS = 300
RULES = 1_500
"""Some 100 kB a row: 30 MB in all, more than the sockets' own buffers take (tcp(7))."""


def ask(gateway: GatewayProcess, after: int) -> bytes:
    key = gateway.keys["operator-1"]
    return f"GET /v1/events/stream?after={after} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode()


async def _write_rows(data: Path) -> None:
    rules = tuple(SortRule(id=f"r{n}", carrier="zto") for n in range(RULES))
    plan = SortPlan(id=PlanId("p"), version=1, rules=rules, blind_spots=())
    places = Places(data)
    places.journal.parent.mkdir(parents=True)
    journal = JournalWriter(places.journal, line_id="demo", timezone="Asia/Shanghai")
    for n in range(1, ROWS + 1):
        await journal.append(
            [e.PlanActivated(at_us=MonoUs(n), inbox_seq=InboxSeq(n), plan=plan)], InboxSeq(0)
        )
    await journal.close()


@pytest.mark.slow
async def test_a_client_that_reads_nothing_is_cut_and_the_others_go_on(tmp_path: Path) -> None:
    await _write_rows(tmp_path)
    async with running_gateway(tmp_path) as gateway:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", gateway.port))
        deaf.sendall(ask(gateway, 0))
        reader, writer = await gateway.connect()
        writer.write(ask(gateway, 0))
        async with asyncio.timeout(START_S):
            await _last_row(reader)
        writer.close()
        with deaf:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(START_S):
                while await _streams(gateway):
                    await asyncio.sleep(0.2)
            deaf.setblocking(False)
            taken, end = 0, b""
            async with asyncio.timeout(START_S):
                while piece := await loop.sock_recv(deaf, 1 << 20):
                    taken, end = taken + len(piece), piece[-5:]
            assert taken < ROWS * RULES * 60, "only what the sockets had taken"
            assert end != b"0\r\n\r\n", "torn, not ended"


async def _last_row(reader: asyncio.StreamReader) -> None:
    seen = b""
    while f'"seq":{ROWS},'.encode() not in seen:
        piece = await reader.read(1 << 20)
        assert piece, "the stream has ended"
        seen = seen[-64:] + piece


async def _streams(gateway: GatewayProcess) -> int:
    async with gateway.client("operator-1") as client:
        text = (await client.get("/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith("beltkeeper_gateway_streams ")]
    return int(float(line.split()[1]))


async def test_a_stop_ends_the_streams_at_once(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        open_streams = [await gateway.connect() for _ in range(8)]
        for reader, writer in open_streams:
            writer.write(ask(gateway, 0))
            async with asyncio.timeout(START_S):
                await reader.readuntil(b"retry: 1000\n\n")
        assert await gateway.end(signal.SIGTERM) == 0
        for reader, writer in open_streams:
            whole = (await reader.read()).endswith(b"0\r\n\r\n")
            assert whole, "each ends as an answer does; what the limit of 3 s cuts is torn"
            writer.close()
