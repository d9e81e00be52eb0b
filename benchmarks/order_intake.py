"""Orders through HTTP, one and 500 a request, against the same app without storage, in turns."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from edge.model.ids import MessageId
from simulators.demo.messages import order_json
from simulators.orders import DrawnOrders

RATIO = 0.6
ROUNDS = 5
CONNECTIONS = 16
SINGLES = 800
"""Orders a round, one a request over ``CONNECTIONS``."""
BULKS = 6
BULK = 500
START_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    key: str

    def request(self, method: str, path: str, body: object) -> bytes:
        text = json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text


def order_intake(bench: Bench) -> list[Figure]:
    """Clients and servers share the machine; the two servers never work at once."""
    numbers, orders = count(1), DrawnOrders(7)

    def some(how_many: int) -> list[dict[str, object]]:
        drawn = (orders.order(next(numbers)).order for _ in range(how_many))
        return [order_json(MessageId(f"b:{order.order_no}"), order) for order in drawn]

    with (
        _server(bench.place("orders-inbox"), "inbox") as ours,
        _server(bench.place("orders-nothing"), "nothing") as bare,
    ):
        singles = _in_turns(ours, bare, lambda server: _singles(server, some(SINGLES)))
        bulks = _in_turns(ours, bare, lambda server: _bulks(server, [some(BULK) for _ in range(BULKS)]))
    return [*_figures("one a request", singles, SINGLES), *_figures(f"{BULK} a request", bulks, BULK * BULKS)]


Work = tuple[int, Sequence[bytes]]
"""Connections, and the requests that they share."""
Times = list[tuple[float, float]]


def _singles(server: Server, orders: Sequence[dict[str, object]]) -> Work:
    return CONNECTIONS, [server.request("PUT", f"/v1/orders/{one['order_no']}", one) for one in orders]


def _bulks(server: Server, batches: Sequence[Sequence[dict[str, object]]]) -> Work:
    return 1, [server.request("POST", "/v1/orders:batch", {"orders": batch}) for batch in batches]


def _in_turns(ours: Server, bare: Server, work: Callable[[Server], Work]) -> Times:
    """Seconds of each round, ours and bare; what is sent is made beforehand. The first round warms up."""
    times = []
    for _ in range(ROUNDS + 1):
        took = []
        for server in (ours, bare):
            connections, requests = work(server)
            took.append(asyncio.run(_sent(server, connections, requests)))
        times.append((took[0], took[1]))
    return times[1:]


async def _sent(server: Server, connections: int, requests: Sequence[bytes]) -> float:
    async def push(mine: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
        for request in mine:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200 "), head
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            assert b'"refused":' not in body or b'"refused":0' in body, body[:500]
        writer.close()

    began = perf_counter()
    await asyncio.gather(*[push(requests[first::connections]) for first in range(connections)])
    return perf_counter() - began


@contextmanager
def _server(folder: Path, store: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.order_server", str(folder), store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            keys, until_s = folder / "first-keys.json", perf_counter() + START_S
            while not keys.exists() and perf_counter() < until_s:
                sleep(0.02)
            yield Server(port=port, key=json.loads(keys.read_text())["erp-1"])
        finally:
            process.send_signal(signal.SIGTERM)


def _figures(what: str, times: Times, orders: int) -> list[Figure]:
    ours, bare = (median(took) for took in zip(*times, strict=True))
    ratio = median(without / took for took, without in times)
    note = f"{orders} orders a round, median of {len(times)} in turns"
    return [
        Figure(name=f"orders, {what}", value=orders / ours, unit="orders/s", note=note),
        Figure(name=f"orders, {what}, without storage", value=orders / bare, unit="orders/s"),
        Figure(name=f"orders, {what}, ratio", value=ratio, unit="", at_least=RATIO),
    ]
