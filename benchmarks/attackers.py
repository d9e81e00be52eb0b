"""Somebody who means harm, as a process of its own: ``python -m benchmarks.attackers PORT KIND…``.

The key is the first line of stdin; when stdin ends, so does the attack, and how each attempt ended stands on
stdout as JSON, by kind: the answer's status, ``cut`` (closed without one), ``taken`` (all of it, unanswered)
or ``kept`` (open although nothing came).
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Final

from edge.model.ids import MessageId
from simulators.demo.messages import order_json
from simulators.orders import DrawnOrders

SLOW_HEADS: Final = 300
SLOW_BODIES: Final = 100
PATIENCE_S: Final = 20.0
"""A slow one gives up after this: nobody has cut it, though it should have been cut after 5 s, or 10."""
PAUSE_S: Final = 0.25
"""Between two attempts of one attacker."""
LAST_S: Final = 60.0
"""A kind of which no attempt has ended when the attack does (others had the cores) is let come to one end."""
FLOOD_BYTES: Final = 200_000_000
HEAD_BYTES: Final = 24_000_000
PIECE: Final = b"x" * 65_536
WIDE_BYTES: Final = 4_000_000
"""Just within what a body may have."""
DEEP: Final = 90_000
SEED: Final = 4_711
NICE: Final = 19
FIRST_ORDER: Final = 2_000_000
"""Indices that no run's parcels reach."""
BULK: Final = 500

Seen = dict[str, dict[str, int]]
"""How often it ended how, by kind."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Attack:
    """What is done to one gateway; ``seen`` counts how it ended, by kind."""

    def __init__(self, port: int, key: str) -> None:
        self.seen: dict[str, Counter[str]] = {}
        self._port = port
        self._key = key
        self._orders = DrawnOrders(SEED)
        self._numbers = count(FIRST_ORDER)

    async def slow_head(self) -> None:
        """Half a head, and then a byte a second."""
        reader, writer = await self._connect()
        writer.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
        self._ended("slow_head", await self._dripped(reader, writer))

    async def slow_body(self) -> None:
        """A whole head with a good key, and then a byte a second."""
        reader, writer = await self._connect()
        writer.write(self._head("PUT /v1/orders/SO-1", "Content-Length: 1000") + b"{")
        self._ended("slow_body", await self._dripped(reader, writer))

    async def large_body(self) -> None:
        await self._flood("large_body", self._head("PUT /v1/orders/SO-1", f"Content-Length: {FLOOD_BYTES}"))

    async def undeclared_body(self) -> None:
        head = self._head("PUT /v1/orders/SO-1", "Transfer-Encoding: chunked")
        await self._flood("undeclared_body", head, b"10000\r\n" + PIECE + b"\r\n")

    async def large_head(self) -> None:
        await self._flood("large_head", b"GET /health HTTP/1.1\r\nX-Long: ", most=HEAD_BYTES)

    async def deep_json(self) -> None:
        await self._batch("deep_json", b"[" * DEEP + b"]" * DEEP)

    async def wide_json(self) -> None:
        await self._batch("wide_json", b'{"orders":[' + b"[]," * (WIDE_BYTES // 3) + b"[]]}")

    async def bulk(self) -> None:
        """Good orders, as many as a call may have, as fast as they are taken."""
        drawn = [self._orders.order(next(self._numbers)).order for _ in range(BULK)]
        orders = [order_json(MessageId(f"a:{order.order_no}"), order) for order in drawn]
        await self._batch("bulk", json.dumps({"orders": orders}).encode())

    async def _connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._port)

    def _head(self, line: str, length: str) -> bytes:
        fields = ("Host: x", f"X-API-Key: {self._key}", "Content-Type: application/json", length)
        return "\r\n".join([f"{line} HTTP/1.1", *fields, "\r\n"]).encode()

    def _ended(self, kind: str, how: str) -> None:
        self.seen.setdefault(kind, Counter())[how] += 1

    async def _dripped(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Until it is answered or cut."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + PATIENCE_S
        try:
            while loop.time() < until_s:
                writer.write(b"x")
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        return _status(await reader.readline())
        except OSError:
            return "cut"
        finally:
            writer.close()
        return "kept"

    async def _flood(self, kind: str, head: bytes, piece: bytes = PIECE, most: int = FLOOD_BYTES) -> None:
        """Sends until it is answered or cut."""
        reader, writer = await self._connect()
        answering = asyncio.ensure_future(reader.readline())
        sent = 0
        with suppress(OSError):
            writer.write(head)
            while sent < most and not answering.done():
                writer.write(piece)
                sent += len(piece)
                await writer.drain()
        try:
            how = "taken" if sent >= most and not answering.done() else _status(await answering)
        except OSError:
            how = "cut"
        answering.cancel()
        writer.close()
        self._ended(kind, how)

    async def _batch(self, kind: str, body: bytes) -> None:
        reader, writer = await self._connect()
        try:
            writer.write(self._head("POST /v1/orders:batch", f"Content-Length: {len(body)}") + body)
            self._ended(kind, _status(await reader.readline()))
        except OSError:
            self._ended(kind, "cut")
        finally:
            writer.close()


def _status(line: bytes) -> str:
    """Of an answer's first line; ``cut`` where there is none."""
    words = line.split(b" ", 2)
    return words[1].decode("ascii", "replace") if len(words) > 1 else "cut"


KINDS: Final[Mapping[str, tuple[int, Callable[[Attack], Awaitable[None]]]]] = {
    "slow_head": (SLOW_HEADS, Attack.slow_head),
    "slow_body": (SLOW_BODIES, Attack.slow_body),
    "large_body": (2, Attack.large_body),
    "undeclared_body": (2, Attack.undeclared_body),
    "large_head": (2, Attack.large_head),
    "deep_json": (4, Attack.deep_json),
    "wide_json": (4, Attack.wide_json),
    "bulk": (2, Attack.bulk),
}
"""How many do it at once, and what."""


GROUPS: Final = (
    ("slow_head", "slow_body"),
    ("large_body", "undeclared_body", "large_head"),
    ("deep_json", "wide_json", "bulk"),
)
"""Each is a process of its own, with a key of its own."""


@asynccontextmanager
async def attacked(port: int, keys: Sequence[str]) -> AsyncIterator[Seen]:
    """All kinds meanwhile; what is yielded is filled at the end. Raises ``ChildProcessError`` where an
    attacker has failed itself."""
    seen: Seen = {}
    attackers = [await _started(port, key, kinds) for key, kinds in zip(keys, GROUPS, strict=True)]
    try:
        yield seen
    finally:
        for attacker in attackers:
            assert attacker.stdin is not None
            attacker.stdin.close()
        told = await asyncio.gather(*[attacker.communicate() for attacker in attackers])
    if any(attacker.returncode for attacker in attackers):
        raise ChildProcessError("an attacker has failed")
    for said, _ in told:
        seen.update(json.loads(said))


async def _started(port: int, key: str, kinds: Sequence[str]) -> Process:
    attacker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.attackers", str(port), *kinds), stdin=PIPE, stdout=PIPE
    )
    assert attacker.stdin is not None
    attacker.stdin.write(f"{key}\n".encode())
    await attacker.stdin.drain()
    return attacker


async def attack(port: int, kinds: list[str]) -> Attack:
    """All of it at once, each again as soon as it has ended, until stdin does. Whoever attacks sits at
    another machine, and takes none of the time of this one that anybody else wants."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    doing, seen_all = Attack(port, sys.stdin.readline().strip()), asyncio.Event()

    async def again(one: Callable[[Attack], Awaitable[None]]) -> None:
        while True:
            with suppress(OSError):
                await one(doing)
            if doing.seen.keys() >= set(kinds):
                seen_all.set()
            await asyncio.sleep(PAUSE_S)

    tasks = []
    for kind in kinds:
        many, one = KINDS[kind]
        tasks += [asyncio.ensure_future(again(one)) for _ in range(many)]
    await asyncio.to_thread(sys.stdin.read)
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_S):
            await seen_all.wait()
    for task in tasks:
        task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(found, Exception):
            raise found
    return doing


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(attack(int(sys.argv[1]), sys.argv[2:] or list(KINDS))).seen))
