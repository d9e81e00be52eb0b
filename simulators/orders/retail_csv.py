"""Real orders from a CSV: invoice, goods, quantity, date, customer, one row a line of an invoice.

The columns are found by name, in any order, others are ignored. Made for D. Chen, *Online Retail*, UCI
Machine Learning Repository (CC BY 4.0); any file with such columns will do. An invoice whose number
begins with C cancels. Nothing is corrected in silence: rows that are no goods, that are of no positive
quantity and cancel nothing, or that no parcel can hold are skipped and named in the report; whatever
else is wrong ends the reading with its place.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO

MAX_ROWS = 1_000_000
"""The whole of Online Retail has 541,909."""
MAX_PIECES = 100_000
"""Of one row, either sign; more is a slip of the keyboard."""
ROWS_PER_PARCEL = 40
"""Longer invoices are split into ``-1``, ``-2``, …"""
MOST_PIECES = 20_000
"""Of one parcel: at 1 g a piece it still weighs less than 25 kg."""
NAMED = 5
"""Rows of one kind that the report names by their line."""

COLUMNS = {
    "invoice": ("invoiceno", "invoice", "orderno", "order"),
    "goods": ("stockcode", "goods", "goodsno", "sku", "item"),
    "quantity": ("quantity", "qty", "pieces"),
    "date": ("invoicedate", "date", "orderdate"),
    "customer": ("customerid", "customer", "customercode"),
}
"""Names of each column, compared without case, blanks, ``_`` and ``-``."""
NOT_GOODS = frozenset(
    (
        "POST",
        "M",
        "D",
        "DOT",
        "C2",
        "S",
        "B",
        "CRUK",
        "PADS",
        "AMAZONFEE",
        "BANK CHARGES",
        "ADJUST",
        "TEST001",
    )
)
"""Codes of the data set that stand for postage, manual entries, discounts, fees and tests."""
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
CANCELS = re.compile(r"[Cc][0-9]")
WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?")


class OrdersFileError(Exception):
    """``file:line: what is wrong; what to do``."""

    def __init__(self, path: Path, line: int, what: str, hint: str) -> None:
        super().__init__(f"{path}:{line}: {what}; {hint}")


class Row(NamedTuple):
    """One row with goods: a scan of ``sku`` and a keyed quantity."""

    sku: str
    pieces: int


@dataclass(frozen=True, slots=True)
class RetailOrder:
    """One parcel's worth of an invoice."""

    number: str
    customer: str
    date: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """``goods`` of ``customer`` are wanted no more."""

    number: str
    customer: str
    goods: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailFile:
    """In the order of the file. ``report``: what was read and what was skipped, a sentence each."""

    orders: tuple[RetailOrder, ...]
    cancellations: tuple[Cancellation, ...]
    report: tuple[str, ...]


@dataclass(slots=True)
class _Invoice:
    customer: str
    date: str
    line: int
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class _Skipped:
    """Rows of one kind: how many of which code, and where the first ones are."""

    codes: Counter[str] = field(default_factory=Counter)
    lines: list[int] = field(default_factory=list)

    def add(self, code: str, line: int) -> None:
        self.codes[code] += 1
        self.lines.append(line)

    def places(self) -> str:
        more = len(self.lines) - NAMED
        return "line " + ", ".join(map(str, self.lines[:NAMED])) + (f" and {more} more" if more > 0 else "")


def read_orders(path: Path) -> RetailFile:
    """Raises ``OrdersFileError`` at the first thing that is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _Reading(path).read(file)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise OrdersFileError(path, line, f"no UTF-8 ({error.reason})", "save the file as UTF-8") from error
    except OSError as error:
        raise OrdersFileError(
            path, 1, error.strerror or str(error), "name a CSV file that can be read"
        ) from error


class _Reading:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 1
        self._rows = 0
        self._invoices: dict[str, _Invoice] = {}
        self._no_goods = _Skipped()
        self._no_pieces = _Skipped()
        self._too_many: list[str] = []

    def read(self, file: TextIO) -> RetailFile:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, None)
            if header is None:
                raise self._wrong("the file is empty", "give a CSV with a header line")
            places = self._columns(header)
            for fields in reader:
                self._line = reader.line_num
                if fields:
                    self._row(fields, places, len(header))
        except csv.Error as error:
            self._line = reader.line_num
            raise self._wrong(f"no CSV ({error})", "separate by commas, quote with double quotes") from error
        orders, cancellations = tuple(self._orders()), tuple(self._cancellations())
        if not orders:
            raise self._wrong("no order with goods", "an order is a row with goods and a positive quantity")
        return RetailFile(
            orders=orders, cancellations=cancellations, report=self._report(orders, cancellations)
        )

    def _wrong(self, what: str, hint: str) -> OrdersFileError:
        return OrdersFileError(self._path, self._line, what, hint)

    def _columns(self, header: list[str]) -> tuple[int, ...]:
        names = [re.sub(r"[\s_-]", "", name).lower() for name in header]
        places = []
        for wanted, known in COLUMNS.items():
            found = [place for place, name in enumerate(names) if name in known]
            if len(found) != 1:
                what = f"{len(found) or 'no'} column{'s' * (len(found) > 1)} for the {wanted}"
                shown = ", ".join(header)[:200]
                raise self._wrong(what, f"name one of the columns ({shown}) {known[0]}")
            places.append(found[0])
        return tuple(places)

    def _row(self, fields: list[str], places: tuple[int, ...], width: int) -> None:
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise self._wrong(f"more than {MAX_ROWS} rows", "give a part of the file")
        if len(fields) != width:
            raise self._wrong(
                f"{len(fields)} fields, the header has {width}", "quote fields that hold a comma"
            )
        number, sku, pieces, date, customer = (fields[place].strip() for place in places)
        if not NUMBER.fullmatch(number):
            raise self._wrong(f"invoice {number[:40]!r}", "give 1-32 letters, digits, dots or dashes")
        if not WHOLE.fullmatch(pieces) or abs(int(pieces)) > MAX_PIECES:
            raise self._wrong(f"quantity {pieces[:40]!r}", f"give a whole number, at most {MAX_PIECES}")
        if not DATE.fullmatch(date):
            raise self._wrong(f"date {date[:40]!r}", "give it as 2010-12-01 or 1/12/2010, time may follow")
        if len(customer) > 32 or not customer.isprintable():
            raise self._wrong(f"customer {customer[:40]!r}", "give at most 32 characters, or nothing")
        if sku.upper() in NOT_GOODS:
            self._no_goods.add(sku.upper(), self._line)
        elif not NUMBER.fullmatch(sku):
            raise self._wrong(f"goods {sku[:40]!r}", "give 1-32 letters, digits, dots or dashes")
        elif (int(pieces) <= 0) is not (CANCELS.match(number) is not None):
            self._no_pieces.add(number, self._line)
        else:
            self._take(number, customer, date, Row(sku, abs(int(pieces))))

    def _take(self, number: str, customer: str, date: str, row: Row) -> None:
        invoice = self._invoices.setdefault(number, _Invoice(customer, date, self._line))
        if invoice.customer != customer:
            hint = f"line {invoice.line} gives it to {invoice.customer!r}: one invoice has one customer"
            raise self._wrong(f"invoice {number} of customer {customer!r}", hint)
        invoice.rows.append(row)

    def _orders(self) -> Iterator[RetailOrder]:
        for number, invoice in self._invoices.items():
            if CANCELS.match(number):
                continue
            parts = [
                invoice.rows[at : at + ROWS_PER_PARCEL] for at in range(0, len(invoice.rows), ROWS_PER_PARCEL)
            ]
            for part, rows in enumerate(parts, 1):
                name = f"{number}-{part}" if len(parts) > 1 else number
                if sum(row.pieces for row in rows) > MOST_PIECES:
                    self._too_many.append(name)
                else:
                    yield RetailOrder(name, invoice.customer, invoice.date, tuple(rows))

    def _cancellations(self) -> Iterator[Cancellation]:
        for number, invoice in self._invoices.items():
            if CANCELS.match(number):
                goods = tuple(dict.fromkeys(row.sku for row in invoice.rows))
                yield Cancellation(number, invoice.customer, goods)

    def _report(
        self, orders: tuple[RetailOrder, ...], cancellations: tuple[Cancellation, ...]
    ) -> tuple[str, ...]:
        report = [f"{self._rows} rows: {len(orders)} orders, {len(cancellations)} cancellations"]
        if self._no_goods.lines:
            codes = ", ".join(f"{code} {n}" for code, n in self._no_goods.codes.most_common())
            report.append(f"{len(self._no_goods.lines)} rows are no goods and are skipped: {codes}")
        if self._no_pieces.lines:
            places = self._no_pieces.places()
            report.append(
                f"{len(self._no_pieces.lines)} rows of a quantity that is not positive and cancels nothing,"
                f" or is positive and cancels, are skipped: {places}"
            )
        if self._too_many:
            shown = ", ".join(self._too_many[:NAMED])
            report.append(
                f"{len(self._too_many)} orders of more than {MOST_PIECES} pieces are skipped: {shown}"
            )
        return tuple(report)
