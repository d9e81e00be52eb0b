"""The one writer of inbox.db, opened by the gateway's writer thread; every call is one commit."""

from collections.abc import Sequence
from pathlib import Path

from edge.model.ids import OrderNo, PlanId
from edge.model.line import OperatorAction
from edge.model.order import Goods
from edge.model.route import SortPlan
from edge.store.inbox_types import ApiKey, Message, OrderPut, OrderState, Taken


class InboxWriter:
    """Signatures first; see the next commit.

    ``InboxWriter(path, durable=True)``: opens (and makes, migrates, locks) inbox.db. Raises
    ``WriterLocked`` when another process writes it. All calls are from one thread, synchronous,
    durable when they return, and raise ``sqlite3.Error`` when the disk fails.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None: ...

    def put_orders(self, puts: Sequence[OrderPut]) -> tuple[Taken, ...]: ...  # type: ignore[empty-body]

    def cancel(self, message: Message, order_no: OrderNo) -> Taken: ...  # type: ignore[empty-body]

    def hold(self, message: Message, order_no: OrderNo) -> Taken: ...  # type: ignore[empty-body]

    def release(self, message: Message, order_no: OrderNo) -> Taken: ...  # type: ignore[empty-body]

    def put_goods(self, message: Message, goods: Sequence[Goods]) -> Taken: ...  # type: ignore[empty-body]

    def put_plan(self, message: Message, plan: SortPlan) -> Taken: ...  # type: ignore[empty-body]

    def activate_plan(self, message: Message, plan_id: PlanId, version: int) -> Taken: ...  # type: ignore[empty-body]

    def operator_command(  # type: ignore[empty-body]
        self, message: Message, action: OperatorAction, subject: str, by: str
    ) -> Taken: ...

    def add_api_key(self, key: ApiKey) -> bool: ...  # type: ignore[empty-body]

    def remove_api_key(self, key_sha256: bytes) -> bool: ...  # type: ignore[empty-body]

    def api_keys(self) -> tuple[ApiKey, ...]: ...  # type: ignore[empty-body]

    def order(self, order_no: OrderNo) -> OrderState | None: ...

    def close(self) -> None: ...
