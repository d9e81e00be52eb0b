"""The simulated ERP: order and parcel for every index, faults as data, the same in two processes."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from edge.core.routing import Routes
from edge.model.codes import Symbology
from edge.model.ids import Waybill
from edge.model.order import BeltOrder, Order, OrderStatus
from edge.model.topology import Topology
from line_config import load_line
from simulators.erp import Erp
from simulators.fault_plan import FaultPlan
from simulators.faults import FaultLevel, ParcelFaultKind
from simulators.orders import DrawnOrders
from simulators.orders.catalogue import HEAVIEST_PARCEL_G, LIGHTEST_PARCEL_G
from simulators.plans import plan_of

PARCELS = 240


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_line("demo").topology


def erp(topology: Topology, level: FaultLevel = FaultLevel.NONE, parcels: int | None = PARCELS) -> Erp:
    return Erp(topology, DrawnOrders(7), FaultPlan(topology, level, 7), parcels=parcels, seed=7)


def test_parcels_are_what_the_line_takes(topology: Topology) -> None:
    source = erp(topology)
    specs = [spec for _ in range(PARCELS) if (spec := source.take()) is not None]
    assert source.take() is None
    assert [spec.index for spec in specs] == list(range(PARCELS))
    assert {spec.length_mm for spec in specs} <= set(
        range(topology.length_min_mm, topology.length_max_mm + 1)
    )
    mean = sum(spec.length_mm for spec in specs) // PARCELS
    assert abs(mean - topology.length_mean_mm) < 10
    for spec in specs:
        parcel = source.parcel(spec.index)
        assert spec == parcel.spec
        assert LIGHTEST_PARCEL_G <= spec.weight_g <= HEAVIEST_PARCEL_G
        assert abs(spec.weight_g - parcel.planned.expected_g) <= topology.weigh.tolerance_g // 3
        assert (spec.order_no, spec.waybill) == (parcel.order.order_no, parcel.planned.waybill)
        assert (parcel.pushed, parcel.held, parcel.cancel_permille) == (True, False, None)
        places = [label.from_lead_mm for label in spec.labels]
        assert places == sorted(places)
        assert all(0 < place < spec.length_mm for place in places)


def test_labels_show_one_waybill_and_what_else_a_parcel_shows(topology: Topology) -> None:
    source = erp(topology)
    seen = set()
    for index in range(PARCELS):
        spec = source.parcel(index).spec
        assert spec.candidates == (spec.waybill,)
        codes = [code for label in spec.labels for code in label.codes]
        assert codes.count(next(code for code in codes if code.text == spec.waybill)) == 1
        for code in codes:
            routing = source.parcel(index).order.parcels[0].routing_code
            assert code.text in {spec.waybill, routing, *source.parcel(index).planned.barcodes}
            seen.add((code.symbology, code.text == spec.waybill))
    assert seen == {
        (Symbology.CODE128, True),
        (Symbology.CODE128, False),
        (Symbology.QR, True),
        (Symbology.EAN13, False),
    }


def on_belt(order: Order) -> BeltOrder:
    parcel = order.parcels[0]
    return BeltOrder(
        order_no=order.order_no,
        version=order.version,
        status=OrderStatus.RELEASED,
        customer_code=order.customer_code,
        shop=order.shop,
        carrier=order.carrier,
        region=order.region,
        waybill=parcel.waybill_no,
        routing_code=parcel.routing_code,
        bag_place=parcel.bag_place,
        expected_weight_g=None,
        tolerance_g=parcel.tolerance_g,
    )


def test_faults_of_orders_are_data(topology: Topology) -> None:
    source, plan = erp(topology, FaultLevel.DEFAULT), FaultPlan(topology, FaultLevel.DEFAULT, 7)
    plain, kinds = erp(topology), set()
    for index in range(PARCELS):
        parcel, fault = source.parcel(index), plan.of(index)
        kind = fault.kind if fault is not None else None
        kinds.add(kind)
        assert parcel.pushed is (kind not in (ParcelFaultKind.UNKNOWN_ORDER, ParcelFaultKind.CHECK_PARCEL))
        assert parcel.held is (kind is ParcelFaultKind.HELD_ORDER)
        if fault is not None and kind is ParcelFaultKind.CANCELLED_ORDER:
            assert parcel.cancel_permille == fault.arg
        else:
            assert parcel.cancel_permille is None
        if fault is not None and kind is ParcelFaultKind.COPIED_LABEL:
            assert parcel.spec.waybill == plain.parcel(index - fault.arg).spec.waybill
        elif fault is not None and kind is ParcelFaultKind.CHECK_PARCEL:
            assert topology.scale is not None
            code = parcel.spec.labels[0].codes[0].text
            check = next(one for one in topology.scale.checks if one.code == code)
            assert parcel.spec.weight_g == check.weight_g + fault.arg
            assert (parcel.spec.waybill, parcel.spec.candidates) == ("", ())
        elif kind is not ParcelFaultKind.UNROUTED_ORDER:  # its label may show its routing code
            assert parcel.spec == plain.parcel(index).spec, "the parcel itself is spoiled elsewhere"
        assert (parcel.reject_permille is None) is (kind is not ParcelFaultKind.SENT_TO_REJECT)
        flags = {*parcel.order.flags, *(parcel.newer.flags if parcel.newer is not None else ())}
        assert len(flags) == (kind is ParcelFaultKind.FLAGGED_ORDER)
        if kind is ParcelFaultKind.UNROUTED_ORDER:
            assert fault is not None
            way = Routes(plan_of(topology)).find(on_belt(parcel.order))
            assert (way.rule, way.blind_spot) == (None, bool(fault.arg))
    assert kinds >= {
        ParcelFaultKind.UNKNOWN_ORDER,
        ParcelFaultKind.HELD_ORDER,
        ParcelFaultKind.CANCELLED_ORDER,
        ParcelFaultKind.COPIED_LABEL,
        ParcelFaultKind.FLAGGED_ORDER,
        ParcelFaultKind.UNROUTED_ORDER,
        ParcelFaultKind.SENT_TO_REJECT,
    }


def test_the_second_label_of_a_parcel(topology: Topology) -> None:
    source, plan = erp(topology, FaultLevel.DEFAULT), FaultPlan(topology, FaultLevel.DEFAULT, 7)
    waybills = {source.parcel(index).planned.waybill: index for index in range(PARCELS)}
    for index in [n for n in range(PARCELS) if plan.of(n) is not None] + [PARCELS - 1]:
        stray = source.waybill(index, known=False)
        assert stray not in waybills
        other = waybills[Waybill(source.waybill(index, known=True))]
        assert abs(other - index) == 1
        assert source.parcel(other).pushed


def test_without_end(topology: Topology) -> None:
    source = erp(topology, parcels=None)
    assert source.parcel(10_000_000).spec.index == 10_000_000
    assert [source.take().index for _ in range(3)] == [0, 1, 2]  # type: ignore[union-attr]
    for index in range(2_000):
        source.parcel(index)
    assert len(source._kept) <= 512


DIGEST = """
import hashlib
from line_config import load_line
from simulators.erp import Erp
from simulators.fault_plan import FaultPlan
from simulators.faults import FaultLevel
from simulators.orders import DrawnOrders
topology = load_line("demo").topology
erp = Erp(topology, DrawnOrders(7), FaultPlan(topology, FaultLevel.HARSH, 7), parcels=None, seed=7)
print(hashlib.sha256(repr([erp.parcel(n) for n in range(60)]).encode()).hexdigest())
"""


def test_two_processes_agree_without_a_word() -> None:
    """Another hash seed, another process: the same orders and parcels, byte for byte."""
    root = Path(__file__).parents[2]
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2
