"""The simulated ERP's side of the wire: orders, holds and cancels over HTTP, repeated until answered.

A message keeps its id through every repeat, so that a gateway that died in between cannot do it twice.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx2

from edge.model.ids import MessageId, OrderNo
from edge.model.order import Goods, Order
from edge.model.route import SortPlan
from simulators.demo.messages import goods_json, order_json, plan_json, wire_id
from simulators.demo.processes import DemoFailed

GOODS_AT_ONCE = 500
ORDERS_AT_ONCE = 200
QUEUE_LIMIT = 10_000
"""Messages that wait for a gateway that is away: half an hour of parcels."""
CANCELS_LIMIT = 256
"""Cancels that wait for their answer at one time."""
SAID_KEPT = 5_000
"""Answers that are compared with the record at the end: those of the last half day."""
TIMEOUT_S = 6.0
RETRY_S = 0.05
PENDING_S = 0.2
OK, UNAVAILABLE, TOO_MANY = 200, 503, 429
PENDING = "urn:beltkeeper:problem:cancel_pending"


@dataclass(frozen=True, slots=True)
class Call:
    """``cancel`` empty: a message that must simply be taken."""

    method: str
    path: str
    body: dict[str, Any]
    cancel: str = ""


class CancelTally:
    """What became of the cancels. Waits are from the first sending to the journal's answer."""

    def __init__(self) -> None:
        self.sent = 0
        self.outcomes: Counter[str] = Counter()
        self.pending = 0
        """Answers 503 cancel_pending on the way."""
        self.broken = 0
        """Calls that the gateway did not answer at all."""
        self.open: set[str] = set()
        self.slowest_s = 0.0
        self.said: OrderedDict[str, str] = OrderedDict()
        """Message id → the outcome that the gateway told, of the latest ones."""

    def answered(self, order_no: str, message_id: str, outcome: str, took_s: float) -> None:
        self.open.discard(order_no)
        self.said[message_id] = outcome
        if len(self.said) > SAID_KEPT:
            self.said.popitem(last=False)
        self.outcomes[outcome] += 1
        self.slowest_s = max(self.slowest_s, took_s)


class HttpErp:
    """An ``ErpLine`` (``simulators.order_desk``): takes calls at once, sends them in their order.

    ``failed`` is told when the gateway refuses what a right ERP sends.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        failed: Callable[[DemoFailed], None],
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.cancels = CancelTally()
        self._failed = failed
        self._client = httpx2.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_S,
            transport=transport,
            trust_env=False,
        )
        self._queue: asyncio.Queue[Call] = asyncio.Queue(QUEUE_LIMIT)
        self._sending = False
        self._cancelling: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Everything was sent and answered."""
        return not self._queue.qsize() and not self._sending and not self.cancels.open

    def put_goods(self, message_id: MessageId, goods: Sequence[Goods]) -> None:
        for first in range(0, len(goods), GOODS_AT_ONCE):
            some = [goods_json(one) for one in goods[first : first + GOODS_AT_ONCE]]
            body = {"message_id": f"{wire_id(message_id)}:{first}", "goods": some}
            self._queue.put_nowait(Call("POST", "/v1/goods:batch", body))

    def put_orders(self, orders: Sequence[tuple[MessageId, Order]]) -> None:
        for first in range(0, len(orders), ORDERS_AT_ONCE):
            some = [order_json(one, order) for one, order in orders[first : first + ORDERS_AT_ONCE]]
            self._queue.put_nowait(Call("POST", "/v1/orders:batch", {"orders": some}))

    def hold(self, message_id: MessageId, order_no: OrderNo) -> None:
        body = {"message_id": wire_id(message_id)}
        self._queue.put_nowait(Call("POST", f"/v1/orders/{order_no}/hold", body))

    def cancel(self, message_id: MessageId, order_no: OrderNo) -> None:
        body = {"message_id": wire_id(message_id)}
        self._queue.put_nowait(Call("POST", f"/v1/orders/{order_no}/cancel", body, cancel=order_no))

    def use_plan(self, plan: SortPlan) -> None:
        """Put and activate."""
        put = {"message_id": "plan:put"} | plan_json(plan)
        self._queue.put_nowait(Call("PUT", f"/v1/plans/{plan.id}", put))
        body = {"message_id": "plan:activate", "version": plan.version}
        self._queue.put_nowait(Call("POST", f"/v1/plans/{plan.id}/activate", body))

    async def run(self) -> None:
        """Sends what was called for, for ever. Cancels go out in their turn, and their answers are
        waited for beside it."""
        try:
            while True:
                call = await self._queue.get()
                self._sending = True
                if call.cancel:
                    await self._begin_cancel(call)
                else:
                    await self._send(call)
                self._sending = False
        finally:
            for task in self._cancelling:
                task.cancel()
            await asyncio.gather(*self._cancelling, return_exceptions=True)
            await self._client.aclose()

    async def _begin_cancel(self, call: Call) -> None:
        while len(self._cancelling) >= CANCELS_LIMIT:
            await asyncio.wait(self._cancelling, return_when=asyncio.FIRST_COMPLETED)
        self.cancels.sent += 1
        self.cancels.open.add(call.cancel)
        task = asyncio.create_task(self._cancel(call))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def _call(self, call: Call) -> httpx2.Response | None:
        """The answer, or None where the call must be repeated."""
        try:
            answer = await self._client.request(call.method, call.path, json=call.body)
        except httpx2.HTTPError:
            self.cancels.broken += bool(call.cancel)
            return None
        busy = answer.status_code in (UNAVAILABLE, TOO_MANY)
        return None if busy and answer.json().get("type") != PENDING else answer

    async def _send(self, call: Call) -> None:
        while True:
            answer = await self._call(call)
            if answer is not None:
                break
            await asyncio.sleep(RETRY_S)
        if answer.status_code != OK or answer.json().get("refused"):
            self._failed(_refused(call, answer))

    async def _cancel(self, call: Call) -> None:
        """Under one message id until the journal has answered."""
        began = monotonic()
        while True:
            answer = await self._call(call)
            if answer is None:
                await asyncio.sleep(RETRY_S)
            elif answer.status_code == UNAVAILABLE:
                self.cancels.pending += 1
                await asyncio.sleep(PENDING_S)
            elif answer.status_code == OK:
                outcome = answer.json()["outcome"]
                self.cancels.answered(call.cancel, call.body["message_id"], outcome, monotonic() - began)
                return
            else:
                self._failed(_refused(call, answer))
                return


def _refused(call: Call, answer: httpx2.Response) -> DemoFailed:
    return DemoFailed(
        f"the gateway refused {call.method} {call.path}: {answer.status_code} {answer.text[:500]}"
    )
