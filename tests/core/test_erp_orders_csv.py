"""Orders from a CSV: what is read, what is skipped and named, what is refused with its place."""

import os
from pathlib import Path

import pytest

from edge.model.order import Order
from simulators.orders import CsvOrders, OrdersFileError, PlannedOrder, read_orders
from simulators.orders.catalogue import HEAVIEST_PARCEL_G, LIGHTEST_PARCEL_G, PACKING_ERROR_G
from simulators.orders.retail_csv import Row

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
DATA = os.environ.get("BELTKEEPER_TEST_DATA")
REAL = Path(DATA or ".") / "orders" / "online_retail_10k.csv"


def row(invoice: str, goods: str, quantity: object, customer: str = "17850", date: str = "1/12/2010") -> str:
    return f"{invoice},{goods},SOME GOODS,{quantity},{date},2.55,{customer},United Kingdom\n"


def written(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def weight_g(order: Order, source: CsvOrders) -> int:
    unit = {goods.sku: goods.unit_weight_g for goods in source.goods}
    (parcel,) = order.parcels
    return parcel.tare_g + sum(unit[line.sku] * line.qty for line in parcel.lines)


def test_invoices_are_orders(tmp_path: Path) -> None:
    file = read_orders(
        written(
            tmp_path, row("536365", "85123A", 6), row("536365", "71053", 8), row("536366", "22632", 1, "")
        )
    )
    assert [(order.number, order.customer, order.rows) for order in file.orders] == [
        ("536365", "17850", (Row("85123A", 6), Row("71053", 8))),
        ("536366", "", (Row("22632", 1),)),
    ]
    assert file.report == ("3 rows: 2 orders, 0 cancellations",)


def test_columns_are_found_by_name_and_a_bom_is_no_name(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("\ufeffCustomer,x,Order No,qty,SKU,Date\r\nK1,,7,3,A-1,2024-05-06 10:20\r\n".encode())
    (order,) = read_orders(path).orders
    assert (order.number, order.customer, order.date) == ("7", "K1", "2024-05-06 10:20")
    assert order.rows == (Row("A-1", 3),)


def test_long_invoices_are_split(tmp_path: Path) -> None:
    file = read_orders(
        written(tmp_path, *(row("7", f"2{n:04d}", 1) for n in range(85)), row("8", "20000", 1))
    )
    assert [(order.number, len(order.rows)) for order in file.orders] == [
        ("7-1", 40),
        ("7-2", 40),
        ("7-3", 5),
        ("8", 1),
    ]


def test_what_is_skipped_is_named(tmp_path: Path) -> None:
    file = read_orders(
        written(
            tmp_path,
            row("1", "85123A", 2),
            row("1", "POST", 1),
            row("1", "post", 1),
            row("1", "BANK CHARGES", -1),
            row("2", "71053", -10),
            row("3", "71053", 0),
            row("C4", "71053", 10),
            row("5", "22423", 20_001),
        )
    )
    assert [order.number for order in file.orders] == ["1"]
    assert file.cancellations == ()
    assert file.report == (
        "8 rows: 1 orders, 0 cancellations",
        "3 rows are no goods and are skipped: POST 2, BANK CHARGES 1",
        "3 rows of a quantity that is not positive and cancels nothing, or is positive and cancels,"
        " are skipped: line 6, 7, 8",
        "1 orders of more than 20000 pieces are skipped: 5",
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "the file is empty; give a CSV with a header line"),
        ("a,b\n1,2\n", 1, "no column for the invoice; name one of the columns (a, b) invoiceno"),
        ("invoice,order,goods,quantity,date,customer\n", 1, "2 columns for the invoice; "),
        (HEADER, 1, "no order with goods; an order is a row with goods and a positive quantity"),
        (HEADER + row("1", "POST", 1), 2, "no order with goods; "),
        (
            HEADER + row("1", "85123A", 1) + "1,2\n",
            3,
            "2 fields, the header has 8; quote fields that hold a comma",
        ),
        (HEADER + row("1", "85123A", "six"), 2, "quantity 'six'; give a whole number, at most 100000"),
        (HEADER + row("1", "85123A", "1.5"), 2, "quantity '1.5'; "),
        (HEADER + row("1", "85123A", 100_001), 2, "quantity '100001'; "),
        (HEADER + row("1", "85123A", "9" * 5_000), 2, "quantity '9999"),
        (HEADER + row("", "85123A", 1), 2, "invoice ''; give 1-32 letters, digits, dots or dashes"),
        (HEADER + row("=cmd()", "85123A", 1), 2, "invoice '=cmd()'; "),
        (HEADER + row("1", "", 1), 2, "goods ''; "),
        (HEADER + row("1", "85 123", 1), 2, "goods '85 123'; "),
        (HEADER + row("1", "85123A", 1, date="yesterday"), 2, "date 'yesterday'; give it as 2010-12-01"),
        (HEADER + row("1", "85123A", 1, customer="x" * 33), 2, "customer 'xxx"),
        (HEADER + row("1", "85123A", 1) + row("1", "71053", 1, "9"), 3, "invoice 1 of customer '9'; line 2"),
        (HEADER + '1,"85123A', 2, "no CSV (unexpected end of data); separate by commas"),
        (HEADER.replace(",", ";"), 1, "no column for the invoice; "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OrdersFileError) as refused:
        read_orders(path)
    assert str(refused.value).startswith(f"{path}:{line}: {says}")


def test_another_encoding_and_no_file(tmp_path: Path) -> None:
    path = written(tmp_path, row("1", "85123A", 1))
    path.write_bytes(path.read_bytes() + "2,85123A,5 £ TIN,1,1/12/2010,1,1,UK\n".encode("latin-1"))
    with pytest.raises(OrdersFileError, match=r":3: no UTF-8 .*; save the file as UTF-8"):
        read_orders(path)
    with pytest.raises(OrdersFileError, match="No such file"):
        read_orders(tmp_path / "missing.csv")
    with pytest.raises(OrdersFileError, match="directory"):
        read_orders(tmp_path)


def source(tmp_path: Path, *rows: str, seed: int = 7) -> CsvOrders:
    return CsvOrders(read_orders(written(tmp_path, *rows)), seed)


def test_orders_come_round_under_new_numbers(tmp_path: Path) -> None:
    orders = source(tmp_path, row("1", "85123A", 6), row("2", "71053", 1))
    planned = [orders.order(index) for index in range(6)]
    assert [one.order.order_no for one in planned] == ["1", "2", "1.2", "2.2", "1.3", "2.3"]
    assert len({one.waybill for one in planned}) == 6
    assert planned[0].order.parcels[0].lines == planned[2].order.parcels[0].lines


def test_a_cancellation_cancels_its_own_order_if_there_is_one(tmp_path: Path) -> None:
    rows = [row(str(number), "85123A", 1, f"K{number}") for number in range(30)]
    rows += [row("30", "71053", 4, "K7"), row("C31", "71053", -4, "K7"), row("31", "71053", 1, "K8")]
    orders = source(tmp_path, *rows)
    cancelled = [orders.order(index) for index in range(len(orders._file.orders))]
    assert [one.order.order_no for one in cancelled if one.cancel_permille is not None] == ["30"]
    assert "1 cancellations are of an order in the file, 0 cancel one drawn by seed" in orders.report


def test_a_cancellation_of_nothing_known_cancels_one_drawn_by_seed(tmp_path: Path) -> None:
    rows = [row(str(number), "85123A", 1, f"K{number}") for number in range(30)]
    rows += [row("C31", "71053", -4, "K99"), row("C32", "85123A", -4, "")]
    drawn = set()
    for seed in range(5):
        orders = source(tmp_path, *rows, seed=seed)
        found = {index for index in range(30) if orders.order(index).cancel_permille is not None}
        assert len(found) == 2
        drawn |= found
    assert len(drawn) > 4


def test_one_goods_weighs_the_same_everywhere_and_every_parcel_can_be_carried(tmp_path: Path) -> None:
    rows = [row("1", "85123A", 12_000), row("1", "22423", 8_000), row("2", "85123A", 1), row("3", "22423", 1)]
    for seed in range(20):
        orders = source(tmp_path, *rows, seed=seed)
        for index in range(3):
            planned = orders.order(index)
            assert planned.expected_g == weight_g(planned.order, orders)
            assert planned.expected_g - PACKING_ERROR_G >= LIGHTEST_PARCEL_G
            assert planned.expected_g + PACKING_ERROR_G <= HEAVIEST_PARCEL_G


def test_the_same_seed_gives_the_same_orders(tmp_path: Path) -> None:
    rows = [row(str(number), f"2{number:04d}", number + 1) for number in range(20)]

    def planned(seed: int) -> list[PlannedOrder]:
        orders = source(tmp_path, *rows, seed=seed)
        return [orders.order(index) for index in (19, 3, 3, 40)]

    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


@pytest.mark.skipif(not REAL.is_file(), reason="BELTKEEPER_TEST_DATA is not set")
def test_the_real_file() -> None:
    file = read_orders(REAL)
    assert (len(file.orders), len(file.cancellations)) == (545, 41)
    assert max(len(order.rows) for order in file.orders) == 40
    assert (
        file.report[1]
        == "38 rows are no goods and are skipped: POST 18, M 10, DOT 6, D 2, C2 1, BANK CHARGES 1"
    )
    assert file.report[2].startswith("30 rows ")
    orders = CsvOrders(file, 7)
    for index in range(2 * len(file.orders)):
        planned = orders.order(index)
        assert LIGHTEST_PARCEL_G <= planned.expected_g <= HEAVIEST_PARCEL_G
    assert sum(orders.order(index).cancel_permille is not None for index in range(545)) == 41
