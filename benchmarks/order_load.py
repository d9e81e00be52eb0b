"""An ERP that pushes so many orders a second, whatever else happens; none of them has a parcel here."""

import asyncio
from collections.abc import Iterator
from itertools import count
from time import monotonic

import httpx2

from edge.model.ids import MessageId
from simulators.demo.messages import order_json
from simulators.orders import DrawnOrders

FIRST = 1_000_000
"""Indices that no run's parcels reach."""
CALL_S = 0.1
"""A call holds what has gathered in so long, as ERPs send."""
TIMEOUT_S = 10.0
OK = 200
REFUSED_KEPT = 3


class OrderLoad:
    """``stored``: orders of which the gateway has said so; ``run`` ends when it is cancelled."""

    def __init__(self, url: str, key: str, per_s: int, seed: int) -> None:
        self.stored = 0
        self.slowest_s = 0.0
        self.refused: list[str] = []
        """The first answers to orders that were not stored."""
        self._at_once = max(1, round(per_s * CALL_S))
        self._every_s = self._at_once / per_s
        self._orders = _bodies(seed)
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def run(self) -> None:
        """At a fixed pace: what a slow answer delays is made up for. Once more: the orders go on."""
        due_s = monotonic()
        async with httpx2.AsyncClient(
            base_url=self._url, headers=self._headers, timeout=TIMEOUT_S, trust_env=False
        ) as client:
            while True:
                await asyncio.sleep(max(0.0, due_s - monotonic()))
                due_s += self._every_s
                await self._push(client, [next(self._orders) for _ in range(self._at_once)])

    async def _push(self, client: httpx2.AsyncClient, orders: list[dict[str, object]]) -> None:
        began = monotonic()
        answer = await client.post("/v1/orders:batch", json={"orders": orders})
        self.slowest_s = max(self.slowest_s, monotonic() - began)
        stored = int(answer.json()["stored"]) if answer.status_code == OK else 0
        self.stored += stored
        if stored < len(orders) and len(self.refused) < REFUSED_KEPT:
            self.refused.append(f"{answer.status_code}: {stored} of {len(orders)} stored")


def _bodies(seed: int) -> Iterator[dict[str, object]]:
    orders = DrawnOrders(seed)
    for index in count(FIRST):
        order = orders.order(index).order
        yield order_json(MessageId(f"load:{order.order_no}"), order)
