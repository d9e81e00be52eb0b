"""When the simulated ERP says what: orders ahead of their parcels, holds, cancels in a parcel's life.

It knows no intake: ``ErpLine`` is the rig's (inline) or the demo's (HTTP). Message ids follow from the
order, so a repeat is a repeat.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from edge.model.ids import MessageId, OrderNo
from edge.model.line import OperatorAction
from edge.model.order import Goods, Order
from edge.model.topology import Topology
from simulators.erp import Erp, ErpParcel
from simulators.fault_plan import life_us

AHEAD = 64
"""Orders are pushed so many parcels before theirs is placed."""
PERMILLE = 1_000


class ErpLine(Protocol):
    """The line's intake as the ERP calls it."""

    def put_goods(self, message_id: MessageId, goods: Sequence[Goods]) -> None: ...

    def put_orders(self, orders: Sequence[tuple[MessageId, Order]]) -> None: ...

    def hold(self, message_id: MessageId, order_no: OrderNo) -> None: ...

    def cancel(self, message_id: MessageId, order_no: OrderNo) -> None: ...


Operate = Callable[[MessageId, OperatorAction, str], None]


class OrderDesk:
    """``later(us, call)`` runs ``call`` after so many microseconds. ``operate``: an operator's command,
    where this run has an operator."""

    def __init__(
        self,
        erp: Erp,
        topology: Topology,
        line: ErpLine,
        later: Callable[[int, Callable[[], None]], object],
        *,
        parcels: int | None,
        operate: Operate | None = None,
    ) -> None:
        self._operate = operate
        self._erp = erp
        self._line = line
        self._later = later
        self._life_us = life_us(topology)
        pitch_us = 3_600_000_000 // topology.nominal_per_h
        self._pitch_us = pitch_us
        self._before = -(-self._life_us * 3 // 10 // pitch_us)
        """A cancel 300 permille of a life before its parcel is placed, in parcels."""
        self._parcels = parcels
        self._pushed = 0

    def open(self) -> None:
        """Goods first, then the first orders; cancels that come before the first parcels at once."""
        self._line.put_goods(MessageId("goods/1"), self._erp.goods)
        self._push(AHEAD)
        for index in range(self._before):
            self._plan_early_cancel(index)

    def placed(self, index: int) -> None:
        """Parcel ``index`` was put on the infeed just now."""
        self._push(index + AHEAD)
        parcel = self._erp.parcel(index)
        if parcel.cancel_permille is not None and parcel.cancel_permille >= 0:
            self._cancel_after(parcel, self._life_us * parcel.cancel_permille // PERMILLE)
        if parcel.newer is not None:
            self._after(parcel.newer_permille, partial(self._put_newer, parcel.newer))
        if parcel.reject_permille is not None and self._operate is not None:
            self._after(parcel.reject_permille, partial(self._reject, self._operate, parcel.spec.waybill))
        self._plan_early_cancel(index + self._before)

    def _after(self, permille: int, call: Callable[[], None]) -> None:
        """In permille of a parcel's nominal life."""
        self._later(self._life_us * permille // PERMILLE, call)

    def _put_newer(self, order: Order) -> None:
        self._line.put_orders([(MessageId(f"put/{order.order_no}/{order.version}"), order)])

    def _reject(self, operate: Operate, waybill: str) -> None:
        operate(MessageId(f"reject/{waybill}"), OperatorAction.REJECT_PARCEL, waybill)

    def _push(self, until: int) -> None:
        """In blocks, so that one commit serves many."""
        last = until if self._parcels is None else min(until, self._parcels)
        if last - self._pushed < AHEAD // 4 and last != self._parcels:
            return
        parcels = [self._erp.parcel(index) for index in range(self._pushed, last)]
        self._pushed = max(self._pushed, last)
        wanted = [one for one in parcels if one.pushed]
        if wanted:
            self._line.put_orders([(MessageId(f"put/{one.order.order_no}"), one.order) for one in wanted])
        for one in wanted:
            if one.held:
                self._line.hold(MessageId(f"hold/{one.order.order_no}"), one.order.order_no)

    def _plan_early_cancel(self, index: int) -> None:
        if self._parcels is not None and index >= self._parcels:
            return
        parcel = self._erp.parcel(index)
        if parcel.cancel_permille is not None and parcel.cancel_permille < 0:
            lead_us = -self._life_us * parcel.cancel_permille // PERMILLE
            self._cancel_after(parcel, max(0, min(index, self._before) * self._pitch_us - lead_us))

    def _cancel_after(self, parcel: ErpParcel, us: int) -> None:
        order_no = parcel.order.order_no
        self._later(us, lambda: self._line.cancel(MessageId(f"cancel/{order_no}"), order_no))
