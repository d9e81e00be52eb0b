"""Orders as rows of a CSV: one row a line of goods, the rows of one order one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from api.csv_cells import SPOILT, CellError, Column, Row, Words, is_rounded, told_of
from api.http.bodies import field_errors
from api.http.schemas import OrderIn

ORDERS_MAX: Final = 1_000
"""Of one file: their one commit takes some 40 ms, which is what a cancel may wait for it."""


def _column(name: str, zh: str, do_en: str, do_zh: str, *, needed: bool = False) -> Column:
    return Column(name=name, zh=zh, do=Words(en=do_en, zh=do_zh), needed=needed)


_ID: Final = ("1 to 64 letters, digits, '.', '_', '-'", "1 至 64 个字母、数字、“.”、“_”、“-”")
_TEXT: Final = ("a text of at most 64 characters, without line breaks", "至多 64 个字符，不含换行")
_GRAMS: Final = ("whole grams, at most 1,000,000", "整数克，至多 1000000")
_YES: Final = ("yes or no, or nothing", "是、否或留空")

COLUMNS: Final = (
    _column("order_no", "订单号", *_ID, needed=True),
    _column("version", "版本", "a whole number from 1; nothing means 1", "不小于 1 的整数；留空为 1"),
    _column("customer_code", "客户代号", *_TEXT, needed=True),
    _column("shop", "店铺", *_TEXT),
    _column("platform", "平台", *_TEXT),
    _column("wave", "波次", *_TEXT),
    _column("pick_slip_no", "拣货单号", *_TEXT),
    _column(
        "carrier",
        "快递",
        "the carrier's code, 1 to 32 characters",
        "快递公司代码，1 至 32 个字符",
        needed=True,
    ),
    _column(
        "province",
        "省代码",
        "the 2 digits of a province in GB/T 2260, as 33, or nothing",
        "GB/T 2260 的省级 2 位代码，如 33，或留空",
    ),
    _column(
        "city", "市代码", "the 4 digits of GB/T 2260 within its province", "GB/T 2260 的 4 位代码，须属于该省"
    ),
    _column(
        "district",
        "区县代码",
        "the 6 digits of GB/T 2260 within its city",
        "GB/T 2260 的 6 位代码，须属于该市",
    ),
    _column(
        "waybill_no",
        "运单号",
        "4 to 40 letters, digits and '-'; format the column as text where Excel has made a number of it",
        "4 至 40 个字母、数字、“-”；若被 Excel 变成数字，请将该列设为文本",
        needed=True,
    ),
    _column("routing_code", "三段码", *_TEXT),
    _column("bag_place", "集包地", *_TEXT),
    _column("sku", "商品编码", *_ID, needed=True),
    _column("qty", "数量", "a whole number from 1 to 100,000", "1 至 100000 的整数", needed=True),
    _column("is_gift", "赠品", *_YES),
    _column("packaging_code", "包材编码", *_TEXT),
    _column("tare_g", "包材重量", *_GRAMS),
    _column("expected_weight_g", "预期重量", *_GRAMS),
    _column("tolerance_g", "重量允差", *_GRAMS),
    _column(
        "cut_off",
        "截单时间",
        "a moment with its offset, as 2026-11-23T18:00:00+08:00",
        "带时区的时间，如 2026-11-23T18:00:00+08:00",
    ),
    _column(
        "flags",
        "标记",
        "words of a-z, 0-9 and '_', at most 16, with ';' between",
        "a-z、0-9、“_” 组成的词，至多 16 个，用“;”分隔",
    ),
)
BY_NAME: Final = {column.name: column for column in COLUMNS}
LINE_COLUMNS: Final = frozenset({"sku", "qty", "is_gift"})
NAMES: Final = frozenset(
    {"order_no", "customer_code", "shop", "platform", "wave", "pick_slip_no", "carrier", "waybill_no"}
    | {"routing_code", "bag_place", "sku", "packaging_code"}
)
"""Texts that stand for something: digits in them are no number."""
WHOLE: Final = frozenset({"version", "qty", "tare_g", "expected_weight_g", "tolerance_g"})
YES: Final = frozenset({"yes", "y", "true", "1", "是"})
NO: Final = frozenset({"", "no", "n", "false", "0", "否"})
APART: Final = Words(en="put the rows of one order one below the other", zh="同一订单的各行须连续")
TOO_MANY: Final = Words(
    en=f"split the file: at most {ORDERS_MAX:,} orders", zh=f"请拆分文件：至多 {ORDERS_MAX:,} 个订单"
)


@dataclass(slots=True)
class OrderRows:
    """The rows of one order, as they stand in the file."""

    first: Row
    lines: list[Row] = field(default_factory=list)


def grouped(rows: Iterable[Row]) -> tuple[list[OrderRows], list[CellError]]:
    """Orders in the order of the file. A further row of an order may leave out what its first row said."""
    orders: list[OrderRows] = []
    seen: set[str] = set()
    errors: list[CellError] = []
    for row in rows:
        number = row.cells["order_no"]
        if orders and number == orders[-1].first.cells["order_no"]:
            orders[-1].lines.append(row)
            errors += _differing(orders[-1].first, row)
        elif number in seen:
            errors.append(row.error("order_no", APART))
        else:
            seen.add(number)
            orders.append(OrderRows(first=row, lines=[row]))
    if len(orders) > ORDERS_MAX:
        errors.append(orders[ORDERS_MAX].first.error("order_no", TOO_MANY))
    return orders, errors


def _differing(first: Row, row: Row) -> list[CellError]:
    do = Words(en=f"as in row {first.no}, or nothing", zh=f"与第 {first.no} 行相同，或留空")
    return [
        row.error(name, do)
        for name, cell in row.cells.items()
        if name not in LINE_COLUMNS and cell not in ("", first.cells[name])
    ]


def checked_order(rows: OrderRows, message_id: str) -> tuple[dict[str, Any], OrderIn] | list[CellError]:
    """The order as if it had come as JSON, or everything that is wrong with its cells."""
    spoilt = [error for row in rows.lines for error in rounded(row, NAMES)]
    if spoilt:
        return spoilt
    asked = _as_json(rows, message_id)
    try:
        return asked, OrderIn.model_validate(asked)
    except ValidationError as error:
        return [_placed(rows, found.loc) for found in field_errors(error)]


def rounded(row: Row, names: Iterable[str]) -> list[CellError]:
    """Names that a spreadsheet has made numbers of, in what may be any text."""
    return [row.error(name, SPOILT) for name in names if is_rounded(row.cells[name])]


def _as_json(rows: OrderRows, message_id: str) -> dict[str, Any]:
    cells = rows.first.cells
    expected = whole(cells["expected_weight_g"])
    return {
        "message_id": message_id,
        "order_no": cells["order_no"],
        "version": whole(cells["version"] or "1"),
        **{name: cells[name] for name in ("customer_code", "shop", "platform", "wave", "pick_slip_no")},
        "carrier": cells["carrier"],
        "region": {name: cells[name] for name in ("province", "city", "district")},
        "parcels": [
            {
                **{name: cells[name] for name in ("waybill_no", "routing_code", "bag_place")},
                "lines": [_line(row) for row in rows.lines],
                "packaging": {"code": cells["packaging_code"], "tare_g": whole(cells["tare_g"] or "0")},
                "expected_weight_g": None if expected == "" else expected,
                "tolerance_g": whole(cells["tolerance_g"] or "0"),
            }
        ],
        "cut_off": cells["cut_off"],
        "flags": [word.strip() for word in cells["flags"].split(";") if word.strip()],
    }


def _line(row: Row) -> dict[str, Any]:
    gift = row.cells["is_gift"].lower()
    known = gift in YES | NO
    return {
        "sku": row.cells["sku"],
        "qty": whole(row.cells["qty"]),
        "is_gift": gift in YES if known else gift,
    }


def whole(cell: str) -> int | str:
    """A whole number, also as 1,500; what is none stays what it is, for the model to refuse."""
    digits = cell.replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else cell


def _placed(rows: OrderRows, loc: Sequence[str | int]) -> CellError:
    """The cell that an error of the model is about."""
    row = rows.first
    if "lines" in loc:
        row = rows.lines[int(loc[loc.index("lines") + 1])]
    names = [part for part in loc if isinstance(part, str)]
    last = "packaging_code" if names[-2:] == ["packaging", "code"] else names[-1] if names else ""
    name = {"region": "district"}.get(last, last)
    column = BY_NAME.get(name, BY_NAME["order_no"])
    do = told_of(row.cells[column.name], column.do) if column.name in NAMES else column.do
    return row.error(column.name, do)
