"""Orders by index, without end: a pure function of seed and index, so nothing of them is kept."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.model.ids import OrderNo, Sku, Waybill
from edge.model.order import Goods, Order, OrderLine, OrderParcel
from edge.model.quick import quick
from edge.model.units import Grams
from line_config.regions import District, districts
from simulators.orders.catalogue import carton_for, goods_of, weights_for
from simulators.orders.fitted import FittedCatalogue
from simulators.orders.retail_csv import Cancellation, RetailFile, RetailOrder, Row
from simulators.orders.waybills import CARRIERS, WaybillBook
from simulators.seeds import SeededBits

PLATFORMS = ("taobao", "tmall", "jd", "pdd", "douyin")
GUEST = "guest"
"""Customer code of orders that name no customer."""
CUSTOMERS = 40
HUBS = {"11": "010", "12": "022", "31": "021", "50": "023"}
"""A municipality's hub is numbered by its dialling code, another city's by its region code."""
CANCEL_PERMILLE = (-300, 1_200)
"""Moment of a cancel in a parcel's nominal life on the line: before it, on it, and after it."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """One order of one parcel. ``expected_g``: tare and goods, as the line should come to it;
    ``barcodes``: of its goods, some of which may show on the carton; ``cancel_permille``: when it is
    cancelled (permille of its nominal life on the line, see ``CANCEL_PERMILLE``), or None."""

    order: Order
    expected_g: int
    barcodes: tuple[str, ...]
    cancel_permille: int | None

    @property
    def waybill(self) -> Waybill:
        return self.order.parcels[0].waybill_no


class OrderSource(Protocol):
    @property
    def goods(self) -> tuple[Goods, ...]:
        """All goods that any order can name."""
        ...

    @property
    def report(self) -> tuple[str, ...]:
        """What a person wants to know of where the orders come from, a sentence each."""
        ...

    def order(self, index: int) -> PlannedOrder:
        """The order of parcel ``index``, from 0; every index has a number and a waybill of its own."""
        ...

    def stray_waybill(self, index: int) -> Waybill:
        """A waybill of the same carrier that no order has, ever."""
        ...


class CsvOrders:
    """Real orders. When they are used up they come round under new numbers and waybills."""

    def __init__(self, file: RetailFile, seed: int, carriers: Sequence[str] = CARRIERS) -> None:
        """``carriers`` among those of ``simulators.orders.waybills``."""
        bits = SeededBits(seed, "orders")
        weights = weights_for(file.orders, bits.child("weights"))
        self._file = file
        self._shipper = _Shipper(seed, carriers, goods_of(weights.items()))
        self._cancelled, matched = cancelled_orders(file, bits.child("cancellations"))
        drawn = len(file.cancellations) - matched
        self.report = (
            *file.report,
            f"{matched} cancellations are of an order in the file, {drawn} cancel one drawn by seed",
        )

    @property
    def goods(self) -> tuple[Goods, ...]:
        return self._shipper.goods

    def order(self, index: int) -> PlannedOrder:
        turn, place = divmod(index, len(self._file.orders))
        found = self._file.orders[place]
        number = f"{found.number}.{turn + 1}" if turn else found.number
        bits = self._shipper.bits(index)
        cancel = bits.between(*CANCEL_PERMILLE) if place in self._cancelled else None
        return self._shipper.order(
            index, bits, number, found.customer or GUEST, found.date, found.rows, cancel
        )

    def stray_waybill(self, index: int) -> Waybill:
        return self._shipper.stray_waybill(index)


class DrawnOrders:
    """Orders drawn from the fitted distribution; none is cancelled by itself."""

    def __init__(self, seed: int, carriers: Sequence[str] = CARRIERS) -> None:
        """``carriers`` among those of ``simulators.orders.waybills``."""
        self._catalogue = FittedCatalogue(SeededBits(seed, "orders/goods"))
        self._shipper = _Shipper(seed, carriers, goods_of(self._catalogue.goods))
        self.report = (
            "orders are drawn by seed from a distribution fitted to D. Chen, Online Retail,"
            " UCI Machine Learning Repository (CC BY 4.0)",
        )

    @property
    def goods(self) -> tuple[Goods, ...]:
        return self._shipper.goods

    def order(self, index: int) -> PlannedOrder:
        bits = self._shipper.bits(index)
        rows, customer = self._catalogue.rows(bits), f"K{bits.between(1, CUSTOMERS):03d}"
        return self._shipper.order(index, bits, f"D{index + 1:08d}", customer, "", rows, None)

    def stray_waybill(self, index: int) -> Waybill:
        return self._shipper.stray_waybill(index)


def cancelled_orders(file: RetailFile, bits: SeededBits) -> tuple[frozenset[int], int]:
    """Places of the orders that are cancelled, and how many of them their cancellation really names.

    A cancellation names an order of its customer with all of its goods; the latest one before others
    is as good a guess as any, as the file does not say more. The others cancel orders drawn by seed.
    """
    by_customer: dict[str, list[tuple[int, RetailOrder]]] = defaultdict(list)
    for place, order in enumerate(file.orders):
        by_customer[order.customer].append((place, order))
    cancelled: set[int] = set()
    for cancellation in file.cancellations:
        named = _named(cancellation, by_customer[cancellation.customer], cancelled)
        if named is not None:
            cancelled.add(named)
    matched = len(cancelled)
    free = [place for place in range(len(file.orders)) if place not in cancelled]
    bits.shuffle(free)
    return frozenset(cancelled.union(free[: len(file.cancellations) - matched])), matched


def _named(cancellation: Cancellation, orders: list[tuple[int, RetailOrder]], taken: set[int]) -> int | None:
    wanted = set(cancellation.goods)
    for place, order in reversed(orders):
        if cancellation.customer and place not in taken and wanted <= {row.sku for row in order.rows}:
            return place
    return None


class _Shipper:
    """What the file does not know: destination, carrier, waybill, routing code, carton."""

    def __init__(self, seed: int, carriers: Sequence[str], goods: tuple[Goods, ...]) -> None:
        if not carriers:
            raise ValueError("no carrier is given")
        self.goods = goods
        self._by_sku = {one.sku: one for one in goods}
        self._carriers = tuple(carriers)
        self._book = WaybillBook(seed)
        self._seed = seed

    def bits(self, index: int) -> SeededBits:
        return SeededBits(self._seed, f"order/{index}")

    def stray_waybill(self, index: int) -> Waybill:
        carrier = self._carriers[index % len(self._carriers)]
        return Waybill(self._book.number(carrier, 2 * index + 1))

    def order(
        self,
        index: int,
        bits: SeededBits,
        number: str,
        customer: str,
        wave: str,
        rows: Sequence[Row],
        cancel_permille: int | None,
    ) -> PlannedOrder:
        district = bits.pick(districts())
        carrier = bits.pick(self._carriers)
        carton = carton_for(sum(row.pieces for row in rows))
        goods = [self._by_sku[Sku(row.sku)] for row in rows]
        expected = carton.tare_g + sum(
            one.unit_weight_g * row.pieces for one, row in zip(goods, rows, strict=True)
        )
        parcel = OrderParcel(
            waybill_no=Waybill(self._book.number(carrier, 2 * index)),
            routing_code=_routing_code(district, bits),
            bag_place=_bag_place(district),
            lines=tuple(OrderLine(sku=Sku(row.sku), qty=row.pieces) for row in rows),
            packaging_code=carton.code,
            tare_g=Grams(carton.tare_g),
            expected_weight_g=None,
            tolerance_g=Grams(0),
        )
        order = Order(
            order_no=OrderNo(number),
            version=1,
            customer_code=customer,
            shop=f"{customer}-1",
            platform=bits.pick(PLATFORMS),
            wave=wave,
            pick_slip_no=f"PS{index + 1:08d}",
            carrier=carrier,
            region=district.region,
            parcels=(parcel,),
            cut_off="",
            flags=(),
        )
        return PlannedOrder(
            order=order,
            expected_g=expected,
            barcodes=tuple(one.barcodes[0] for one in goods[:3]),
            cancel_permille=cancel_permille,
        )


def _routing_code(district: District, bits: SeededBits) -> str:
    """三段码: hub, branch, courier."""
    hub = HUBS.get(district.code[:2], district.code[:4])
    return f"{hub}-{bits.between(1, 99):02d}-{bits.between(1, 999):03d}"


def _bag_place(district: District) -> str:
    """集包地: a municipality's or a city's bag."""
    city = district.province_name if district.code[:2] in HUBS else district.city_name
    return f"{city}集包"
