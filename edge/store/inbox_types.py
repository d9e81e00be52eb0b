"""What the gateway tells the inbox, and what it is answered: frozen, with an outcome for each case."""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.ids import InboxSeq, MessageId, Waybill
from edge.model.order import Order, OrderStatus
from edge.model.quick import quick
from edge.model.units import UtcUs

FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks for a change: the id of a key or person, and the role that it has now (the gateway's own
    word)."""

    id: str
    role: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request of a client. ``body_sha256`` (32 bytes) is the hash of what was asked, in a form
    that is the same when the client repeats it; ``at_utc_us`` is when the gateway took it."""

    message_id: MessageId
    body_sha256: bytes
    at_utc_us: UtcUs
    by: Actor


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPut:
    message: Message
    order: Order


class KeyAct(StrEnum):
    ADDED = "added"
    WITHDRAWN = "withdrawn"


class RowKind(StrEnum):
    """Kinds of inbox rows, and of the messages behind them."""

    PUT_ORDER = "put_order"
    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    PUT_GOODS = "put_goods"
    PUT_PLAN = "put_plan"
    ACTIVATE_PLAN = "activate_plan"
    OPERATOR = "operator"
    CODE = "code"


class Outcome(StrEnum):
    """How the inbox took a message. Everything but CONFLICT stands for good under its message id."""

    STORED = "stored"
    """Done, and durable."""
    UNCHANGED = "unchanged"
    """The very same content is there already under the same version; no row was written."""
    STALE_VERSION = "stale_version"
    """A lower version than the stored one, or the same version with other content; nothing done."""
    WAYBILL_TAKEN = "waybill_taken"
    """A waybill belongs to another order that is not cancelled; nothing done."""
    CANCELLED = "cancelled"
    """Hold and release: the order is cancelled and stays so; nothing done."""
    UNKNOWN = "unknown"
    """Hold, release, plan activation: no such order or plan; nothing done."""
    CONFLICT = "conflict"
    """This message id came before with another body; nothing done."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The answer to one message.

    ``repeated``: the message had been taken before, and this is the answer of then.
    ``inbox_seq`` is the row that it made, 0 for none; ``version`` the order's or plan's version
    that stands after it, 0 where there is none; ``detail`` names what was in the way.
    """

    outcome: Outcome
    repeated: bool
    inbox_seq: InboxSeq
    version: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order as it stands: its latest version, and what the gateway has been told about it since."""

    order: Order
    status: OrderStatus
    inbox_seq: InboxSeq
    """The last inbox row that touched it."""
    removed: tuple[Waybill, ...]
    """Waybills of earlier versions: no longer its parcels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A machine's key: only its SHA-256 is kept. ``role`` is the gateway's own word."""

    name: str
    role: str
    key_sha256: bytes
    added_utc_us: UtcUs

    @property
    def fingerprint(self) -> str:
        """Tells the keys of one client apart; not enough to ask with."""
        return self.key_sha256.hex()[:FINGERPRINT_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key added or withdrawn."""

    at_utc_us: UtcUs
    what: KeyAct
    name: str
    role: str
    fingerprint: str
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One inbox row as its audit record: what was asked, when and by whom."""

    seq: InboxSeq
    at_utc_us: UtcUs
    kind: str
    message_id: MessageId
    by: Actor
