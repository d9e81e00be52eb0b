"""CSV as clerks have it (RFC 4180, and what a Chinese Excel makes of it): cells in with their places, and
cells out that no spreadsheet takes for formulas or numbers."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

Cell = str | int | datetime | None
BOM: Final = "\ufeff"
DELIMITERS: Final = ",;\t"
COLUMNS_MAX: Final = 64
ROWS_MAX: Final = 20_000
CELL_MAX: Final = 1_024
VALUE_SHOWN: Final = 40
"""Characters of a wrong cell that are told back."""
FORMULA_STARTS: Final = tuple("=+-@\t\r＝＋－＠")
"""What makes a spreadsheet compute a cell; the wide forms too, which a Chinese one takes for the same."""
_PLAIN_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,10}")
"""Shown as it is written. Of other digits leading zeros go, from the 12th on Excel writes 7.31E+13, from the
16th they are lost."""
_MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_READ_ANEW: Final = re.compile(
    r"[($¥￥€£]*[.,]?\d[\d\s.,:/%)年月日时分秒-]*"  # 007, 2026-11, 1/2, 12:30, 1.50, 5%, 1月2日
    r"|\d*[.,]?\d+E[+-]?\d+"  # 3E5
    rf"|{_MONTH}[\s./-]*\d[\d\s,./:-]*"  # MAR5, Jan-1
    rf"|\d+[\s./-]*{_MONTH}(?:[\s./-]*\d+)?"  # 5-MAR
    r"|\d[\d:]*\s*[AP]M?"  # 9 AM
    r"|TRUE|FALSE|真|假"
    r"|#[A-Z/0!?]+",  # #N/A
    re.IGNORECASE,
)
"""What Excel takes for a number, a date, a time, a truth or an error, and keeps as that."""
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?E\+\d{2,3}")
"""How Excel writes a number that it has rounded: nobody numbers things so."""
_DATED: Final = re.compile(
    r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?"  # 2026/11/1, 2026-11-01 00:00
    r"|(?:\d{4}年)?\d{1,2}月(?:\d{1,2}日)?"
)
"""How Excel writes a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One thing in both languages."""

    en: str
    zh: str

    def told_in(self, language: str) -> str:
        """``language``: ``zh-CN`` or ``en``."""
        return self.zh if language == "zh-CN" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """What is wrong where, and what to do. ``row`` 1 is the heading; ``column`` empty: the whole row."""

    row: int
    column: str
    value: str
    do: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``name`` and ``zh`` both head it; ``do`` says what may stand in it."""

    name: str
    zh: str
    do: Words
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``no`` as a spreadsheet numbers it; every known column has a value, empty where none was given."""

    no: int
    cells: Mapping[str, str]

    def error(self, column: str, do: Words) -> CellError:
        return CellError(row=self.no, column=column, value=self.cells.get(column, "")[:VALUE_SHOWN], do=do)


class CsvUnreadable(Exception):
    """The text is no table at all; ``errors`` say why."""

    def __init__(self, *errors: CellError) -> None:
        super().__init__(errors)
        self.errors = errors


SAVE_AS: Final = Words(
    en="save the file as CSV UTF-8 (or as GBK, as a Chinese Excel does)",
    zh="请另存为 CSV UTF-8（或中文 Excel 的默认编码 GBK）",
)
QUOTES: Final = Words(en="close the quotes of this row", zh="请补全该行的引号")
TOO_LONG: Final = Words(en=f"at most {CELL_MAX} characters", zh=f"至多 {CELL_MAX} 个字符")
TOO_MANY_ROWS: Final = Words(
    en=f"split the file: at most {ROWS_MAX:,} rows", zh=f"请拆分文件：至多 {ROWS_MAX:,} 行"
)
NO_HEADING: Final = Words(en="the first row must name the columns", zh="首行必须是列名")
TWICE: Final = Words(en="this column comes twice: remove one", zh="该列重复：请删去一列")
SPOILT: Final = Words(
    en="a spreadsheet has made a number or a date of it: format the column as text and enter it anew",
    zh="表格软件已把它变成数字或日期：请将该列设为文本后重新输入",
)
TOO_WIDE: Final = Words(en="there are more cells than columns: remove them", zh="单元格多于列数：请删去")


def decoded(raw: bytes) -> str:
    """UTF-8, with or without BOM, else GB 18030. Raises ``CsvUnreadable``."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CsvUnreadable(CellError(row=1, column="", value="", do=SAVE_AS))


def rows_of(text: str, columns: Sequence[Column]) -> Iterator[Row | CellError]:
    """The rows below the heading, blank ones left out, each as it is read. Raises ``CsvUnreadable`` for a
    heading that does not fit and at the row from which on nothing can be read."""
    heading = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    no, names = 0, None
    while True:
        no += 1
        try:
            cells = [bare(cell) for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error:
            raise CsvUnreadable(CellError(row=no, column="", value="", do=QUOTES)) from None
        if names is None:
            names = _names(cells, columns)
        elif no > ROWS_MAX:
            raise CsvUnreadable(CellError(row=no, column="", value="", do=TOO_MANY_ROWS))
        elif any(cells):
            yield _row(no, cells, names, columns)
    if names is None:
        raise CsvUnreadable(CellError(row=1, column="", value="", do=NO_HEADING))


def bare(cell: str) -> str:
    """Without blanks, and without what ``safe`` has put there."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _names(cells: Sequence[str], columns: Sequence[Column]) -> list[str]:
    known = {heading: column.name for column in columns for heading in (column.name, column.zh)}
    names: list[str] = []
    errors: list[CellError] = []
    for cell in cells[:COLUMNS_MAX]:
        name = known.get(cell.lower(), "")
        if cell and not name:
            listed = ", ".join(column.name for column in columns)
            do = Words(en=f"remove this column; known ones: {listed}", zh=f"请删去该列；可用的列：{listed}")
            errors.append(CellError(row=1, column=cell[:VALUE_SHOWN], value=cell[:VALUE_SHOWN], do=do))
        elif name and name in names:
            errors.append(CellError(row=1, column=name, value=cell, do=TWICE))
        names.append(name)
    for column in columns:
        if column.needed and column.name not in names:
            do = Words(en=f"add a column {column.name}", zh=f"请增加列 {column.zh}")
            errors.append(CellError(row=1, column=column.name, value="", do=do))
    if errors:
        raise CsvUnreadable(*errors)
    return names


def _row(no: int, cells: Sequence[str], names: Sequence[str], columns: Sequence[Column]) -> Row | CellError:
    if any(cells[len(names) :]):
        return CellError(row=no, column="", value="", do=TOO_WIDE)
    found = dict.fromkeys((column.name for column in columns), "")
    for name, cell in zip(names, cells, strict=False):
        if len(cell) > CELL_MAX:
            return CellError(row=no, column=name, value=cell[:VALUE_SHOWN], do=TOO_LONG)
        if name:
            found[name] = cell
    return Row(no=no, cells=found)


def safe(text: str) -> str:
    """A text as a cell: a formula gets an apostrophe, and what would be taken for a number or a date a tab
    behind it."""
    if text.startswith(FORMULA_STARTS):
        return "'" + text
    if _PLAIN_NUMBER.fullmatch(text) or not _READ_ANEW.fullmatch(text.strip()):
        return text
    return text + "\t"


def is_rounded(cell: str) -> bool:
    """Whether a spreadsheet has made a number of what was a name."""
    return _ROUNDED.fullmatch(cell) is not None


def told_of(cell: str, do: Words) -> Words:
    """What to do about a cell that cannot be: ``do``, unless it shows that a spreadsheet has spoilt it."""
    return SPOILT if is_rounded(cell) or _DATED.fullmatch(cell) else do


def written(rows: Sequence[Sequence[Cell]]) -> str:
    """Lines with CR LF; texts made ``safe``, moments as a spreadsheet reads them, None as nothing."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_cell(one) for one in row])
    return out.getvalue()


def _cell(value: Cell) -> str | int | None:
    match value:
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case str():
            return safe(value)
        case _:
            return value
