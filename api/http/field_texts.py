"""What is wrong with a field, in both languages; limits are told, the value never is: it may be long, or
nobody's business."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.csv_cells import Words
from api.http.problems import FieldError

ERRORS_MAX: Final = 50
"""Errors listed in one problem body."""

TEXTS: Final[Mapping[str, Words]] = {
    "missing": Words(en="It is missing", zh="缺少该项"),
    "extra_forbidden": Words(en="There is no such field here", zh="此处没有该字段"),
    "model_type": Words(en="It must be an object", zh="须为对象"),
    "dict_type": Words(en="It must be an object", zh="须为对象"),
    "list_type": Words(en="It must be a list", zh="须为列表"),
    "string_type": Words(en="It must be a text", zh="须为文本"),
    "string_unicode": Words(en="It holds half a character", zh="含有不完整的字符"),
    "int_type": Words(en="It must be a whole number", zh="须为整数"),
    "int_parsing": Words(en="It must be a whole number", zh="须为整数"),
    "int_parsing_size": Words(en="The number has too many digits", zh="数字位数过多"),
    "int_from_float": Words(en="It must be a whole number", zh="须为整数"),
    "bool_type": Words(en="It must be true or false", zh="须为 true 或 false"),
    "bool_parsing": Words(en="It must be true or false", zh="须为 true 或 false"),
    "string_pattern_mismatch": Words(en="It must have the form {pattern}", zh="格式须为 {pattern}"),
    "string_too_long": Words(en="At most {max_length} characters", zh="至多 {max_length} 个字符"),
    "string_too_short": Words(en="At least {min_length} characters", zh="至少 {min_length} 个字符"),
    "too_long": Words(en="At most {max_length} of them", zh="至多 {max_length} 项"),
    "too_short": Words(en="At least {min_length} of them", zh="至少 {min_length} 项"),
    "greater_than_equal": Words(en="At least {ge}", zh="不小于 {ge}"),
    "less_than_equal": Words(en="At most {le}", zh="不大于 {le}"),
    "literal_error": Words(en="It must be one of {expected}", zh="须为其中之一：{expected}"),
    "date_from_datetime_parsing": Words(en="It must be a day, as 2026-11-23", zh="须为日期，如 2026-11-23"),
    "date_from_datetime_inexact": Words(en="It must be a day, as 2026-11-23", zh="须为日期，如 2026-11-23"),
    "no_such_moment": Words(en="There is no such moment", zh="没有这个时间"),
    "region_unknown": Words(en="There is no such region in GB/T 2260", zh="GB/T 2260 中没有该地区"),
    "city_outside": Words(en="The city is not in the province", zh="城市不属于该省"),
    "district_outside": Words(en="The district is not in the city or province", zh="区县不属于该城市或该省"),
    "kind_unknown": Words(en="No such kind: {kind}", zh="没有这种记录：{kind}"),
}
"""By pydantic's type of error; the last ones are ours."""


def told(kind: str, context: Mapping[str, Any], otherwise: str) -> Words:
    """``otherwise``: of a kind that has no text here."""
    text = TEXTS.get(kind)
    if text is None:
        return Words(en=otherwise, zh=otherwise)
    limits = {name: str(limit).replace(" or ", ", ") for name, limit in context.items()}
    return Words(en=text.en.format_map(limits), zh=text.zh.format_map(limits))


def told_errors(found: Iterable[Mapping[str, Any]], at: tuple[str | int, ...] = ()) -> tuple[FieldError, ...]:
    """``found``: as pydantic lists them, with their context; places are below ``at``."""
    errors = [
        FieldError(loc=at + tuple(one["loc"]), msg=told(one["type"], one.get("ctx", {}), one["msg"]))
        for one in found
    ]
    return tuple(errors[:ERRORS_MAX])
