"""Orders and goods as the line needs them: no names, phones or streets."""

from dataclasses import dataclass
from enum import StrEnum

from edge.model.ids import MessageId, OrderNo, Sku, Waybill
from edge.model.quick import quick
from edge.model.units import Grams


class OrderFlag(StrEnum):
    """Words in an order's ``flags`` that keep its parcel from shipping; the line gives no meaning to
    others."""

    RETURN_CHANGED = "return_changed"
    """It is to go back to the merchant."""
    ADDRESS_CHANGED = "address_changed"
    """The label on it shows the old address."""
    RESTRICTED = "restricted"
    """Goods that its carrier or its destination does not take."""


class OrderStatus(StrEnum):
    RELEASED = "released"
    HELD = "held"
    CANCELLED = "cancelled"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Destination as codes of the GB/T 2260 scheme; an empty string where it is not known."""

    province: str
    city: str
    district: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    sku: Sku
    qty: int
    is_gift: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParcel:
    """One parcel of an order. ``tolerance_g`` 0 takes the line's own tolerance."""

    waybill_no: Waybill
    routing_code: str
    bag_place: str
    lines: tuple[OrderLine, ...]
    packaging_code: str
    tare_g: Grams
    expected_weight_g: Grams | None
    tolerance_g: Grams


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The latest version of an order, as the ERP pushed it."""

    order_no: OrderNo
    version: int
    customer_code: str
    shop: str
    platform: str
    wave: str
    pick_slip_no: str
    carrier: str
    region: Region
    parcels: tuple[OrderParcel, ...]
    cut_off: str
    flags: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = ()
    """What the ERP wants to find again, by name; the line gives it no meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    sku: Sku
    barcodes: tuple[str, ...]
    unit_weight_g: Grams
    parts: tuple[OrderLine, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BeltOrder:
    """What a decision on the belt needs of an order: one parcel, no lines.

    ``expected_weight_g``: the order's own figure, else tare plus the goods' unit weights,
    else ``None`` (a goods weight is missing).
    """

    order_no: OrderNo
    version: int
    status: OrderStatus
    customer_code: str
    shop: str
    carrier: str
    region: Region
    waybill: Waybill
    routing_code: str
    bag_place: str
    expected_weight_g: Grams | None
    tolerance_g: Grams
    flags: tuple[OrderFlag, ...] = ()
    """In the order of ``OrderFlag``: the first one is the reason."""
    contents: str = ""
    """Digest of the parcel's lines: a review of other contents is no review of this order."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchGoods:
    """Goods of an order as a review bench counts them: ``qty`` pieces of it must lie there.

    ``parts``: of a bundle, down to goods that are none; its own ``qty`` is 0 then, for its parts are
    counted, and a scan of its own barcode is a scan of all of them.
    """

    sku: Sku
    qty: int
    barcodes: tuple[str, ...]
    parts: tuple[OrderLine, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOrder:
    """What a review needs of an order: its one parcel's goods, bundles expanded, gifts included."""

    order_no: OrderNo
    version: int
    status: OrderStatus
    waybill: Waybill
    contents: str
    goods: tuple[BenchGoods, ...]


class ShippedPlace(StrEnum):
    """What is known of an earlier parcel with the same waybill."""

    PROVED = "proved"
    """Seen by the confirm eye of a shipping chute."""
    UNPROVED = "unproved"
    """Told to ship, place not proved (PLC restart, unconfirmed, mis-sorted)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedBefore:
    """An earlier parcel of this waybill that counts as shipped; ``chute`` empty if unknown."""

    place: ShippedPlace
    chute: str


class CancelOutcome(StrEnum):
    """Answers to a cancel (architecture.md section 3)."""

    ACCEPTED = "accepted"
    TOO_LATE = "too_late"
    UNKNOWN = "unknown"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    order_no: OrderNo
    message_id: MessageId
    waybills: tuple[Waybill, ...]
