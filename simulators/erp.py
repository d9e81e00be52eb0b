"""The simulated ERP and its packing benches: an order and a physical parcel for every index.

It says what is to be pushed, held and cancelled, and what stands on the belt; it calls nobody: the rig
and the demo take its orders to the line's intake in their own way. Everything is a pure function of
seed and index, so two processes with one seed agree without a word.
"""

from dataclasses import dataclass, replace

from edge.model.codes import Code, Symbology
from edge.model.order import Goods, Order, OrderFlag, Region
from edge.model.quick import quick
from edge.model.topology import Topology
from simulators.fault_plan import FaultPlan
from simulators.faults import ParcelFault, ParcelFaultKind, ReviewFaultKind
from simulators.orders.catalogue import PACKING_ERROR_G
from simulators.orders.source import OrderSource, PlannedOrder
from simulators.plans import plan_of
from simulators.seeds import SeededBits
from simulators.world.benches import BenchJob, Rows
from simulators.world.mishaps import OtherWaybills
from simulators.world.parcel import Label, ParcelSpec

LABEL_MARGIN_MM = 20
"""Nobody sticks a label nearer to an edge."""
ROUTING_BARCODE_PERMILLE = 400
"""So many waybill labels show their routing code as a barcode too."""
QR_PERMILLE = 200
"""So many show the waybill a second time, as QR."""
GOODS_BARCODE_PERMILLE = 150
"""On so many cartons the barcode of some goods can be seen."""
KEPT = 512
"""Parcels that were asked for lately."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ErpParcel:
    """``spec`` before any physical fault. ``pushed`` False: the ERP never sent the order. ``held``: on
    hold from the push on. ``cancel_permille``: when the order is cancelled, in permille of the parcel's
    nominal life from the infeed to the end of the line (negative: before it is placed; over 1000: after
    it has left), or None. ``newer``: a version that is pushed at ``newer_permille`` of its life.
    ``reject_permille``: when a person sends it to reject."""

    index: int
    planned: PlannedOrder
    spec: ParcelSpec
    pushed: bool
    held: bool
    cancel_permille: int | None
    newer: Order | None = None
    newer_permille: int = 0
    reject_permille: int | None = None

    @property
    def order(self) -> Order:
        return self.planned.order


class Erp(OtherWaybills):
    """Parcels 0…``parcels``−1 (None: without end) of one run; a ``ParcelSource`` for the infeed."""

    def __init__(
        self, topology: Topology, orders: OrderSource, faults: FaultPlan, *, parcels: int | None, seed: int
    ) -> None:
        self._topology = topology
        self._orders = orders
        self._faults = faults
        self._parcels = parcels
        self._seed = seed
        self._barcodes: dict[str, tuple[str, ...]] = {one.sku: one.barcodes for one in orders.goods}
        self._next = 0
        self._kept: dict[int, ErpParcel] = {}
        # An honest parcel never looks like a wrong one.
        self._error_g = min(PACKING_ERROR_G, topology.weigh.tolerance_g // 3)

    @property
    def goods(self) -> tuple[Goods, ...]:
        """To be pushed before the first order."""
        return self._orders.goods

    def parcel(self, index: int) -> ErpParcel:
        """The parcel that is placed as number ``index``, from 0."""
        found = self._kept.get(index)
        if found is None:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            found = self._kept[index] = self._make(index)
        return found

    def take(self) -> ParcelSpec | None:
        """The next parcel that a packer puts on the infeed."""
        if self._parcels is not None and self._next >= self._parcels:
            return None
        self._next += 1
        return self.parcel(self._next - 1).spec

    def job(self, index: int) -> BenchJob | None:
        """What was picked for parcel ``index``, for its review bench."""
        if self._parcels is not None and index >= self._parcels:
            return None
        parcel, fault = self.parcel(index), self._faults.review(index)
        wanted: dict[str, int] = {}
        for line in parcel.order.parcels[0].lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.qty
        bits = SeededBits(self._seed, f"bench/{index}")
        right = tuple((sku, bits.pick(self._barcodes[sku]), qty) for sku, qty in wanted.items())
        early = parcel.cancel_permille is not None and parcel.cancel_permille < 0
        return BenchJob(
            index=index,
            order_no=parcel.order.order_no,
            slip=parcel.order.pick_slip_no,
            wanted=tuple(wanted.items()),
            picked=self._picked(right, fault, bits),
            right=right,
            bypass=fault is ReviewFaultKind.UNREVIEWED,
            hopeless=not parcel.pushed or early,
            interrupted=fault is ReviewFaultKind.INTERRUPTED,
        )

    def _picked(self, right: Rows, fault: ReviewFaultKind | None, bits: SeededBits) -> Rows:
        """What the picker put into the box."""
        spoilt = bits.below(len(right))
        sku, barcode, pieces = right[spoilt]
        rest = (*right[:spoilt], *right[spoilt + 1 :])
        fewer: Rows = ((sku, barcode, pieces - 1),) if pieces > 1 else ()
        if fault is ReviewFaultKind.SHORT_PICK:
            return (*rest, *fewer)
        if fault is ReviewFaultKind.OVER_PICK:
            return (*rest, (sku, barcode, pieces + 1))
        if fault is ReviewFaultKind.WRONG_PICK:
            other = bits.pick([one for one in self._barcodes if one not in {row[0] for row in right}])
            return (*rest, *fewer, (other, self._barcodes[other][0], 1))
        return right

    def close(self) -> None:
        """Nothing more is packed: ``take`` says that there is no other parcel."""
        self._parcels = self._next

    def waybill(self, index: int, *, known: bool) -> str:
        """What the second label of parcel ``index`` says: a neighbour's waybill, whose order is pushed
        (two parcels in a row are never both disturbed), or one that no order has."""
        if not known:
            return self._orders.stray_waybill(index)
        last = self._parcels is not None and index + 1 >= self._parcels
        return self._orders.order(index - 1 if last and index else index + 1).waybill

    def _make(self, index: int) -> ErpParcel:
        planned = self._orders.order(index)
        fault = self._faults.of(index)
        kind = fault.kind if fault is not None else None
        newer: Order | None = None
        if fault is not None and kind is ParcelFaultKind.UNROUTED_ORDER:
            planned = self._unrouted(planned, blind=bool(fault.arg))
        elif fault is not None and kind is ParcelFaultKind.FLAGGED_ORDER:
            flagged = replace(planned.order, flags=(tuple(OrderFlag)[fault.arg].value,))
            if fault.by:
                newer = replace(flagged, version=planned.order.version + 1)
            else:
                planned = replace(planned, order=flagged)
        cancel = planned.cancel_permille
        if fault is not None and kind is ParcelFaultKind.CANCELLED_ORDER:
            cancel = fault.arg
        pushed = kind not in (ParcelFaultKind.UNKNOWN_ORDER, ParcelFaultKind.CHECK_PARCEL)
        return ErpParcel(
            index=index,
            planned=planned,
            spec=self._check_parcel(index, fault.arg)
            if fault is not None and kind is ParcelFaultKind.CHECK_PARCEL
            else self._spec(index, planned, fault),
            pushed=pushed,
            held=kind is ParcelFaultKind.HELD_ORDER,
            cancel_permille=cancel if pushed else None,
            newer=newer,
            newer_permille=fault.by if fault is not None else 0,
            reject_permille=(
                fault.arg if fault is not None and kind is ParcelFaultKind.SENT_TO_REJECT else None
            ),
        )

    def _unrouted(self, planned: PlannedOrder, *, blind: bool) -> PlannedOrder:
        """Its destination has no rule of the plan, or is a blind spot of its carrier."""
        order = planned.order
        region, carrier = Region(province="", city="", district=""), order.carrier
        spots = plan_of(self._topology).blind_spots
        if blind and spots:
            spot = spots[order.version % len(spots)]
            region = Region(province=spot.province, city=spot.city, district=spot.district)
            carrier = spot.carrier
        parcels = tuple(replace(one, routing_code="000-00-000") for one in order.parcels)
        return replace(planned, order=replace(order, region=region, carrier=carrier, parcels=parcels))

    def _spec(self, index: int, planned: PlannedOrder, fault: ParcelFault | None) -> ParcelSpec:
        bits = SeededBits(self._seed, f"parcel/{index}")
        length = self._length_mm(bits)
        shown = planned
        if fault is not None and fault.kind is ParcelFaultKind.COPIED_LABEL and index >= fault.arg:
            shown = self._orders.order(index - fault.arg)
        return ParcelSpec(
            index=index,
            length_mm=length,
            weight_g=planned.expected_g + bits.between(-self._error_g, self._error_g),
            order_no=shown.order.order_no,
            waybill=shown.waybill,
            labels=_labels(shown, length, bits),
            candidates=(shown.waybill,),
        )

    def _check_parcel(self, index: int, heavier_g: int) -> ParcelSpec:
        """One of the scale's check parcels, of nobody's order."""
        scale = self._topology.scale
        assert scale is not None
        bits = SeededBits(self._seed, f"parcel/{index}")
        check, length = bits.pick(scale.checks), self._length_mm(bits)
        code = Code(text=check.code, symbology=Symbology.CODE128)
        return ParcelSpec(
            index=index,
            length_mm=length,
            weight_g=check.weight_g + heavier_g,
            order_no="",
            waybill="",
            labels=(_label(length, (code,), bits),),
            candidates=(),
        )

    def _length_mm(self, bits: SeededBits) -> int:
        """Between the line's shortest and longest parcel, its mean in the long run."""
        topology = self._topology
        low, mean, high = topology.length_min_mm, topology.length_mean_mm, topology.length_max_mm
        longer = bits.chance((mean - low) * 1000 // (high - low) if high > low else 0)
        return bits.between(mean, high) if longer else bits.between(low, mean)


def _labels(planned: PlannedOrder, length_mm: int, bits: SeededBits) -> tuple[Label, ...]:
    """The waybill label, and perhaps the barcode of goods, in the order in which a reader meets them."""
    codes = [Code(text=planned.waybill, symbology=Symbology.CODE128)]
    if bits.chance(ROUTING_BARCODE_PERMILLE):
        routing = planned.order.parcels[0].routing_code
        codes.append(Code(text=routing, symbology=Symbology.CODE128))
    if bits.chance(QR_PERMILLE):
        codes.append(Code(text=planned.waybill, symbology=Symbology.QR))
    labels = [_label(length_mm, tuple(codes), bits)]
    if bits.chance(GOODS_BARCODE_PERMILLE) and planned.barcodes:
        goods = Code(text=bits.pick(planned.barcodes), symbology=Symbology.EAN13)
        labels.append(_label(length_mm, (goods,), bits))
    return tuple(sorted(labels, key=lambda label: label.from_lead_mm))


def _label(length_mm: int, codes: tuple[Code, ...], bits: SeededBits) -> Label:
    margin = min(LABEL_MARGIN_MM, length_mm // 2)
    return Label(from_lead_mm=bits.between(margin, length_mm - margin), codes=codes)
