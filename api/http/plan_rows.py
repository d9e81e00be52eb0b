"""A sort plan as rows of a CSV: one row a rule, or a blind spot."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from api.csv_cells import CellError, Column, Row, Words, told_of
from api.http.bodies import field_errors
from api.http.order_rows import BY_NAME as ORDER_COLUMNS
from api.http.order_rows import NO, YES, rounded
from api.http.schemas import RULES_MAX, BlindSpotIn, RuleIn
from edge.model.ids import ChuteId
from edge.model.topology import ChuteKind

RULE: Final = Column(
    name="rule",
    zh="规则",
    do=Words(
        en="1 to 64 letters, digits, '.', '_', '-', each once; nothing means row-N",
        zh="1 至 64 个字母、数字、“.”、“_”、“-”，不得重复；留空为 row-N",
    ),
)
CHUTES: Final = Column(
    name="chutes",
    zh="格口",
    do=Words(
        en="shipping chutes of this line, best first, with ';' between",
        zh="本产线的发货格口，优先的在前，用“;”分隔",
    ),
    needed=True,
)
BLIND_SPOT: Final = Column(
    name="blind_spot",
    zh="盲区",
    do=Words(
        en="yes where the carrier does not serve the region: then a province and no chutes; else nothing",
        zh="快递不达的地区填“是”：须填省代码，不填格口；否则留空",
    ),
)
COLUMNS: Final = (
    RULE,
    Column(name="carrier", zh="快递", do=ORDER_COLUMNS["carrier"].do),
    *(ORDER_COLUMNS[name] for name in ("routing_code", "province")),
    Column(
        name="city",
        zh="市代码",
        do=Words(
            en="the 4 digits of a city in GB/T 2260, within the rule's province; or nothing",
            zh="GB/T 2260 的市级 4 位代码，须属于该省；或留空",
        ),
    ),
    Column(
        name="district",
        zh="区县代码",
        do=Words(
            en="the 6 digits of a district in GB/T 2260, within the rule's province and city; or nothing",
            zh="GB/T 2260 的区县 6 位代码，须属于该省、市；或留空",
        ),
    ),
    CHUTES,
    BLIND_SPOT,
)
BY_NAME: Final = {column.name: column for column in COLUMNS}
NAMES: Final = ("rule", "carrier", "routing_code")
TOO_MANY: Final = Words(en=f"at most {RULES_MAX:,} rows", zh=f"至多 {RULES_MAX:,} 行")
_BETWEEN: Final = re.compile(r"[;；、/\s]+")


def checked_rules(
    rows: Iterable[Row], kinds: Mapping[ChuteId, ChuteKind]
) -> tuple[list[RuleIn], list[BlindSpotIn], list[CellError]]:
    """All rules, all blind spots, and everything that is wrong."""
    rules: list[RuleIn] = []
    spots: list[BlindSpotIn] = []
    errors: list[CellError] = []
    names: set[str] = set()
    for count, row in enumerate(rows, 1):
        if count > RULES_MAX:
            errors.append(row.error("", TOO_MANY))
            break
        if spoilt := rounded(row, NAMES):
            errors += spoilt
            continue
        name = row.cells["rule"] or f"row-{row.no}"
        blind = row.cells["blind_spot"].lower()
        if blind not in YES | NO or (blind in YES and row.cells["chutes"]):
            errors.append(row.error("blind_spot", BLIND_SPOT.do))
            continue
        place = {key: row.cells[key] for key in ("carrier", "province", "city", "district")}
        try:
            if blind in YES:
                spots.append(BlindSpotIn.model_validate(place))
                continue
            chutes = [chute for chute in _BETWEEN.split(row.cells["chutes"]) if chute]
            made: dict[str, Any] = {**place, "id": name, "chutes": chutes}
            rules.append(RuleIn.model_validate(made | {"routing_code": row.cells["routing_code"]}))
        except ValidationError as error:
            errors += [_placed(row, found.loc) for found in field_errors(error)]
            continue
        if name in names:
            errors.append(row.error("rule", RULE.do))
        names.add(name)
        errors += _unfit(row, chutes, kinds)
    return rules, spots, errors


def _unfit(row: Row, chutes: Sequence[str], kinds: Mapping[ChuteId, ChuteKind]) -> list[CellError]:
    good = [chute for chute, kind in kinds.items() if kind is ChuteKind.SHIPPING]
    wrong = [chute for chute in chutes if chute not in good]
    if not wrong:
        return []
    listed = ", ".join(good)
    do = Words(en=f"{wrong[0]}: not one of {listed}", zh=f"{wrong[0]} 不是发货格口；可用：{listed}")
    return [row.error("chutes", do)]


def _placed(row: Row, loc: Sequence[str | int]) -> CellError:
    name = {"id": "rule"}.get(str(loc[0]), str(loc[0])) if loc else "district"
    column = BY_NAME.get(name, RULE)
    do = told_of(row.cells[column.name], column.do) if column.name in NAMES else column.do
    return row.error(column.name, do)
