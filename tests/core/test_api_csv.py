"""CSV cells in and out: encodings, places of what is wrong, and nothing that a spreadsheet would compute."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.csv_cells import (
    BOM,
    FORMULA_STARTS,
    SPOILT,
    CellError,
    Column,
    CsvUnreadable,
    Row,
    Words,
    bare,
    decoded,
    rows_of,
    safe,
    written,
)
from api.http import order_rows, plan_rows
from api.http.order_rows import checked_order, grouped
from edge.model.ids import ChuteId
from edge.model.topology import ChuteKind

READ_ANEW = (
    *(
        "2026-11",
        "1-2",
        "1/2",
        "2026/11/01",
        "11.12.26",
        "571-01-003",
        "1月2日",
        "2026年11月",
        "12:30",
        "1.50",
    ),
    *("3E5", "12E10", "1e-3", "1.5E3", "5%", "1,500", "(5)", "¥5", ".5", "0001-2", "１２３", "1 1/2"),
    *("JAN-1", "MAR5", "Sept2", "march 1", "5-MAR", "1Jan2026", "Nov-26", "1.50", "9 AM", "9:30p"),
    *("DEC 25, 2026", "TRUE", "false", "#N/A", "2026-11-01 00:00"),
)
"""What Excel makes a number, a date, a time, a truth or an error of."""
LEFT_ALONE = (
    *(
        "SO-1",
        "E5",
        "SF1234567890123",
        "B3",
        "K01",
        "ZTO",
        "MARKET5",
        "MARS",
        "JAN",
        "A-1",
        "3E",
        "3EX5",
        "1D5",
    ),
    *("1D5", "TRUELY", "杭州1", "A1:B2", "12345678901", "#1 box"),
)
DO = Words(en="a letter", zh="一个字母")
COLUMNS = (
    Column(name="a", zh="甲", do=DO, needed=True),
    Column(name="b", zh="乙", do=DO),
)


def read(text: str) -> list[tuple[int, str, str] | tuple[int, str, str, str]]:
    """Rows as (no, a, b), errors as (row, column, value, do)."""
    try:
        found = list(rows_of(text, COLUMNS))
    except CsvUnreadable as error:
        found = list(error.errors)
    return [
        (row.no, row.cells["a"], row.cells["b"])
        if isinstance(row, Row)
        else (row.row, row.column, row.value, row.do.en)
        for row in found
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n1,2\n", [(2, "1", "2")]),
        ("a,b\r\n1,2\r\n\r\n3,\r\n", [(2, "1", "2"), (4, "3", "")]),
        ("甲,乙\n1,2", [(2, "1", "2")]),
        ("B;A\n1;2", [(2, "2", "1")]),
        ("a\tb\n1\t2", [(2, "1", "2")]),
        ("a\n1", [(2, "1", "")]),
        ('a,b\n"x\ny",2\n3,4', [(2, "x\ny", "2"), (3, "3", "4")]),
        ("a,b\n73120000000001\t,'=1\n", [(2, "73120000000001", "=1")]),
        ("a,b\n'quoted,'", [(2, "'quoted", "'")]),
        ("a,,b\n1,,2", [(2, "1", "2")]),
        ("", [(1, "", "", "the first row must name the columns")]),
        ("b\n1", [(1, "a", "", "add a column a")]),
        ("a,c\n1,2", [(1, "c", "c", "remove this column; known ones: a, b")]),
        ("a,a\n1,2", [(1, "a", "a", "this column comes twice: remove one")]),
        ("a,甲\n1,2", [(1, "a", "甲", "this column comes twice: remove one")]),
        ("a,b\n1,2,3", [(2, "", "", "there are more cells than columns: remove them")]),
        ("a,b\n1,2,\n", [(2, "1", "2")]),
        ('a,b\n"1,2\n', [(2, "", "", "close the quotes of this row")]),
        ("a,b\n1," + "x" * 1_025, [(2, "b", "x" * 40, "at most 1024 characters")]),
    ],
)
def test_rows_and_what_is_wrong_with_them(text: str, found: list[object]) -> None:
    assert read(text) == found


def test_a_file_without_end() -> None:
    last = read("a\n" + "1\n" * 20_000)[-1]
    assert last == (20_001, "", "", "split the file: at most 20,000 rows")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_what_a_chinese_excel_saves(encoding: str) -> None:
    assert decoded("订单号,快递\r\n".encode(encoding)) == "订单号,快递\r\n"


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(CsvUnreadable) as caught:
        decoded(b"\xff\xff\xff")
    assert caught.value.errors[0].do.en.startswith("save the file as CSV UTF-8")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("001", "001\t"),
        ("73120000000001", "73120000000001\t"),
        ("JDVA33161312678", "JDVA33161312678"),
        ("12345", "12345"),
        ("0", "0"),
        ("正常", "正常"),
        *((text, text + "\t") for text in READ_ANEW),
        *((text, text) for text in LEFT_ALONE),
    ],
)
def test_no_cell_is_computed_or_spoiled(text: str, cell: str) -> None:
    assert safe(text) == cell


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=1, max_size=5))
def test_whatever_is_written_is_safe_and_reads_back(texts: list[str]) -> None:
    (cells,) = csv.reader(io.StringIO(written([texts]), newline=""))
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
    assert [bare(cell) for cell in cells] == [
        text.strip() if text[:1] not in FORMULA_STARTS else text.rstrip() for text in texts
    ]


def rows(text: str) -> list[Row]:
    found = list(rows_of(text, order_rows.COLUMNS))
    assert all(isinstance(row, Row) for row in found)
    return [row for row in found if isinstance(row, Row)]


HEAD = (
    "order_no,customer_code,carrier,waybill_no,sku,qty,province,city,"
    "version,is_gift,expected_weight_g,flags\n"
)
GOOD = "SO-1,K01,ZTO,73120000000001,A,2,33,3301,,,,\n"


def wrong(text: str) -> list[tuple[int, str, str]]:
    orders, errors = grouped(rows(HEAD + text))
    for order in orders:
        made = checked_order(order, "m-1")
        errors += made if isinstance(made, list) else []
    return [(error.row, error.column, error.value) for error in errors]


def test_rows_of_one_order_make_one_order() -> None:
    text = (
        HEAD
        + 'SO-1,K01,ZTO,73120000000001,A,2,33,3301,3,,1500,fragile; cold\nSO-1,,,,B,"1,000",,,,是,,\n'
        + GOOD.replace("SO-1", "SO-2")
    )
    orders, errors = grouped(rows(text))
    assert (len(orders), errors) == (2, [])
    made = checked_order(orders[0], "m-1")
    assert isinstance(made, tuple)
    body = made[1]
    (parcel,) = body.parcels
    assert (body.version, body.flags, parcel.expected_weight_g) == (3, ["fragile", "cold"], 1_500)
    assert [(line.sku, line.qty, line.is_gift) for line in parcel.lines] == [
        ("A", 2, False),
        ("B", 1_000, True),
    ]
    second = checked_order(orders[1], "m-2")
    assert isinstance(second, tuple)
    assert (second[1].version, second[1].parcels[0].expected_weight_g) == (1, None)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (GOOD, []),
        (GOOD.replace(",2,", ",two,"), [(2, "qty", "two")]),
        (GOOD.replace(",2,", ",0,"), [(2, "qty", "0")]),
        (GOOD.replace("73120000000001", "7.31E+13"), [(2, "waybill_no", "7.31E+13")]),
        (GOOD.replace("3301", "3201"), [(2, "district", "")]),
        (GOOD.replace(",33,", ",浙江,"), [(2, "province", "浙江")]),
        (GOOD.replace(",33,3301,", ",99,9901,"), [(2, "province", "99"), (2, "city", "9901")]),
        (GOOD.replace(",33,3301,", ",37,3712,"), []),
        (
            GOOD.replace("SO-1", "SO 1").replace("K01", "K" * 65),
            [(2, "order_no", "SO 1"), (2, "customer_code", "K" * 40)],
        ),
        (GOOD.replace("K01", "3.00E+05"), [(2, "customer_code", "3.00E+05")]),
        (GOOD + "SO-1,K02,,,B,1,,,,,,\n", [(3, "customer_code", "K02")]),
        (GOOD + GOOD.replace("SO-1", "SO-2") + GOOD, [(4, "order_no", "SO-1")]),
        (GOOD + "SO-1,,,,B,-1,,,,maybe,,\n", [(3, "qty", "-1"), (3, "is_gift", "maybe")]),
    ],
)
def test_each_wrong_cell_is_named(text: str, cells: list[tuple[int, str, str]]) -> None:
    assert sorted(wrong(text)) == sorted(cells)


@pytest.mark.parametrize("value", ["7.31E+13", "2026-11-01 00:00", "2026/11/1", "1月2日", "2026年11月"])
@pytest.mark.parametrize("place", ["SO-1", "73120000000001", ",A,"])
def test_what_a_spreadsheet_has_spoilt_is_told(value: str, place: str) -> None:
    text = GOOD.replace(place, place.replace(place.strip(","), value))
    (order,), _ = grouped(rows(HEAD + text))
    made = checked_order(order, "m-1")
    assert isinstance(made, list)
    assert [(error.value, error.do) for error in made] == [(value, SPOILT)]


@pytest.mark.parametrize("value", ["Nov-26", "2026-11", "3E5", "TRUE"])
def test_what_may_be_a_name_is_not_guessed_at(value: str) -> None:
    (order,), _ = grouped(rows(HEAD + GOOD.replace("SO-1", value)))
    made = checked_order(order, "m-1")
    assert isinstance(made, tuple)
    assert made[1].order_no == value


def test_a_moment_is_written_bare() -> None:
    moment = datetime(2026, 11, 24, 13, 58, 47, 692_000, tzinfo=UTC)
    assert written([[moment, "2026-11-24 13:58:47", None, 7]]) == (
        "2026-11-24 13:58:47,2026-11-24 13:58:47\t,,7\r\n"
    )


def test_every_column_of_an_order_says_what_to_do_in_both_languages() -> None:
    for column in (*order_rows.COLUMNS, *plan_rows.COLUMNS):
        assert column.zh
        assert column.do.en
        assert column.do.zh
    assert len({column.zh for column in order_rows.COLUMNS}) == len(order_rows.COLUMNS)


KINDS = {
    ChuteId("001"): ChuteKind.SHIPPING,
    ChuteId("002"): ChuteKind.SHIPPING,
    ChuteId("END"): ChuteKind.END,
}
PLAN_HEAD = "rule,carrier,routing_code,province,city,district,chutes,blind_spot\n"


def plan(text: str) -> tuple[list[tuple[str, list[str]]], int, list[tuple[int, str, str]]]:
    found = [row for row in rows_of(PLAN_HEAD + text, plan_rows.COLUMNS) if isinstance(row, Row)]
    rules, spots, errors = plan_rows.checked_rules(found, KINDS)
    return (
        [(rule.id, rule.chutes) for rule in rules],
        len(spots),
        [(error.row, error.column, error.value) for error in errors],
    )


@pytest.mark.parametrize(
    ("text", "rules", "spots", "errors"),
    [
        ("r1,ZTO,571,,,,001;002,\n", [("r1", ["001", "002"])], 0, []),
        (",,,33,,,001、002,否\n", [("row-2", ["001", "002"])], 0, []),
        (",ZTO,,65,,,,是\n", [], 1, []),
        (",ZTO,,,,,,是\n", [], 0, [(2, "province", "")]),
        (",ZTO,,99,,,,是\n", [], 0, [(2, "province", "99")]),
        ("r1,,,99,9901,,001,\n", [], 0, [(2, "province", "99"), (2, "city", "9901")]),
        ("r1,,,37,3712,,001,\n", [], 0, [(2, "city", "3712")]),
        ("r1,,,33,4403,,001,\n", [], 0, [(2, "district", "")]),
        ("r1,,,81,8101,,001,\n", [("r1", ["001"])], 0, []),
        (",ZTO,,65,,,001,是\n", [], 0, [(2, "blind_spot", "是")]),
        ("r1,,,,,,,\n", [], 0, [(2, "chutes", "")]),
        ("r1,ZTO,5.71E+11,,,,001,\n", [], 0, [(2, "routing_code", "5.71E+11")]),
        (
            "r1,,,,,,009;END,\nr 2,,,,,,001,\n",
            [("r1", ["009", "END"])],
            0,
            [(2, "chutes", "009;END"), (3, "rule", "r 2")],
        ),
        ("r1,,,,,,001,\nr1,,,,,,002,\n", [("r1", ["001"]), ("r1", ["002"])], 0, [(3, "rule", "r1")]),
    ],
)
def test_rules_and_blind_spots(
    text: str, rules: list[tuple[str, list[str]]], spots: int, errors: list[tuple[int, str, str]]
) -> None:
    assert plan(text) == (rules, spots, errors)


def test_a_wrong_chute_is_answered_with_the_good_ones() -> None:
    (row,) = [row for row in rows_of(PLAN_HEAD + "r1,,,,,,END,", plan_rows.COLUMNS) if isinstance(row, Row)]
    _, _, (error,) = plan_rows.checked_rules([row], KINDS)
    assert error == CellError(
        row=2,
        column="chutes",
        value="END",
        do=Words(en="END: not one of 001, 002", zh="END 不是发货格口；可用：001, 002"),
    )


def test_the_mark_that_excel_wants() -> None:
    assert BOM.encode() == b"\xef\xbb\xbf"
