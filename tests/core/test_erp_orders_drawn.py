"""Orders drawn by seed: the fit, waybills of every carrier, barcodes, regions; what intake will take."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from api.http.schemas import Identifier, OrderIn
from line_config.regions import region_names
from simulators.orders import DrawnOrders, read_orders
from simulators.orders.catalogue import HEAVIEST_PARCEL_G, LIGHTEST_PARCEL_G, PACKING_ERROR_G, ean13
from simulators.orders.fitted import PIECES_PER_ROW, ROWS_PER_PARCEL, Quantiles, draw
from simulators.orders.waybills import CARRIERS, WaybillBook
from simulators.seeds import SeededBits

DATA = os.environ.get("BELTKEEPER_TEST_DATA")
REAL = Path(DATA or ".") / "orders" / "online_retail_10k.csv"
PATTERNS = {
    "jt": r"JT\d{12,13}",
    "jd": r"JD[XK]\d{12}|JDV[A-Z]\d{11}",
    "zto": r"\d{12}|\d{14}",
    "sto": r"77\d{13}",
    "yunda": r"\d{13}|\d{15}",
    "yto": r"[A-Z]{2}\d{10,13}",
    "sf": r"SF\d{13}|\d{12}",
    "ems": r"[A-Z]{2}\d{9}[A-Z]{2}|\d{13}",
}
"""As domain.md section 7 has them."""


def at(values: list[int], permille: int) -> int:
    return sorted(values)[min(len(values) - 1, permille * (len(values) - 1) // 1000)]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_waybills_have_their_carrier_s_shape_and_never_repeat(carrier: str) -> None:
    book = WaybillBook(7)
    numbers = [book.number(carrier, serial) for serial in range(5_000)]
    assert all(re.fullmatch(PATTERNS[carrier], number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert numbers[:3] != [WaybillBook(8).number(carrier, serial) for serial in range(3)]


def test_ems_check_digit() -> None:
    """RR473124829GB is the example of UPU S10."""
    weights = (8, 6, 4, 2, 3, 5, 9, 7)

    def check(digits: str) -> int:
        rest = 11 - sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
        return {10: 0, 11: 5}.get(rest, rest)

    assert check("47312482") == 9
    for serial in range(200):
        number = WaybillBook(1).number("ems", serial)
        assert int(number[10]) == check(number[2:10])


def test_barcodes_are_ean13_of_china() -> None:
    assert ean13(1) == "6900000000014"
    for number in range(1, 500):
        code = ean13(number)
        assert re.fullmatch(r"690\d{10}", code)
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code)) % 10 == 0


def test_drawn_orders_are_what_intake_takes() -> None:
    orders, names = DrawnOrders(7), region_names()
    sku = TypeAdapter(Identifier)
    assert len({goods.sku for goods in orders.goods}) == len(orders.goods)
    assert all(goods.unit_weight_g >= 1 and sku.validate_python(goods.sku) for goods in orders.goods)
    weights = {goods.sku: goods.unit_weight_g for goods in orders.goods}
    for index in range(400):
        planned = orders.order(index)
        order, parcel = planned.order, planned.order.parcels[0]
        assert order.region.district in names
        assert order.region.district.startswith(order.region.city)
        assert re.fullmatch(PATTERNS[order.carrier], planned.waybill)
        assert re.fullmatch(r"\d{3,4}-\d{2}-\d{3}", parcel.routing_code)
        assert planned.expected_g == parcel.tare_g + sum(weights[one.sku] * one.qty for one in parcel.lines)
        assert planned.expected_g - PACKING_ERROR_G >= LIGHTEST_PARCEL_G
        assert planned.expected_g + PACKING_ERROR_G <= HEAVIEST_PARCEL_G
        assert planned.cancel_permille is None
        assert re.fullmatch(PATTERNS[CARRIERS[index % 8]], orders.stray_waybill(index))
        OrderIn.model_validate(
            {
                "message_id": f"m{index}",
                "order_no": order.order_no,
                "version": order.version,
                "customer_code": order.customer_code,
                "shop": order.shop,
                "platform": order.platform,
                "wave": order.wave,
                "pick_slip_no": order.pick_slip_no,
                "carrier": order.carrier,
                "region": {
                    "province": order.region.province,
                    "city": order.region.city,
                    "district": order.region.district,
                },
                "parcels": [
                    {
                        "waybill_no": parcel.waybill_no,
                        "routing_code": parcel.routing_code,
                        "bag_place": parcel.bag_place,
                        "lines": [{"sku": line.sku, "qty": line.qty} for line in parcel.lines],
                        "packaging": {"code": parcel.packaging_code, "tare_g": parcel.tare_g},
                    }
                ],
            }
        )


def test_no_waybill_is_given_twice_and_strays_belong_to_nobody() -> None:
    orders = DrawnOrders(7)
    real = {orders.order(index).waybill for index in range(500)}
    stray = {orders.stray_waybill(index) for index in range(500)}
    assert len(real) == len(stray) == 500
    assert not real & stray


def test_carriers_are_the_line_s_own() -> None:
    orders = DrawnOrders(7, carriers=("sf", "jt"))
    assert {orders.order(index).order.carrier for index in range(60)} == {"sf", "jt"}
    with pytest.raises(ValueError, match="no carrier"):
        DrawnOrders(7, carriers=())


@pytest.mark.parametrize("quantiles", [ROWS_PER_PARCEL, PIECES_PER_ROW], ids=["rows", "pieces"])
def test_what_is_drawn_has_the_quantiles_of_the_table(quantiles: Quantiles) -> None:
    assert all(a < b and low <= high for (a, low), (b, high) in pairwise(quantiles))
    bits = SeededBits(1, "draw")
    drawn = [draw(quantiles, bits) for _ in range(20_000)]
    for permille, value in quantiles[1:-2]:
        assert abs(at(drawn, permille) - value) <= max(1, value // 8), permille
    assert quantiles[0][1] == min(drawn)
    assert max(drawn) <= quantiles[-1][1]


@pytest.mark.skipif(not REAL.is_file(), reason="BELTKEEPER_TEST_DATA is not set")
def test_the_fit_is_the_data_s() -> None:
    file = read_orders(REAL)
    rows = [len(order.rows) for order in file.orders]
    pieces = [row.pieces for order in file.orders for row in order.rows]
    for values, quantiles in ((rows, ROWS_PER_PARCEL), (pieces, PIECES_PER_ROW)):
        assert [(permille, at(values, permille)) for permille, _ in quantiles] == list(quantiles)
    orders = DrawnOrders(3)
    lines = [orders.order(index).order.parcels[0].lines for index in range(2_000)]
    drawn = [line.qty for one in lines for line in one]
    for permille in (250, 500, 750, 900):
        assert abs(at([len(one) for one in lines], permille) - at(rows, permille)) <= 3
        assert abs(at(drawn, permille) - at(pieces, permille)) <= 2
