"""What is wrong with a field is said in both languages: each text is reached, and no error is without one."""

import re
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from api.http.bodies import checked, field_errors
from api.http.field_texts import TEXTS, told
from api.http.problems import Problem
from api.http.schemas import LineCommandIn, OrderIn, PlanActivation, RuleIn
from tests.line.gateway_kit import order_json

ORDER = order_json(1)
PARCEL: dict[str, Any] = ORDER["parcels"][0]


def order(**changes: Any) -> dict[str, Any]:
    return ORDER | changes


def region(province: str, city: str, district: str) -> dict[str, Any]:
    return order(region={"province": province, "city": city, "district": district})


class Asked(BaseModel):
    """As FastAPI checks what stands in an address: not strict."""

    count: Annotated[int, Field(ge=1, le=9)] = 1
    on_belt: bool = False
    day: date = date(2026, 11, 23)


REACHED: list[tuple[str, type[BaseModel], Any]] = [
    ("missing", PlanActivation, {"message_id": "m"}),
    ("extra_forbidden", PlanActivation, {"message_id": "m", "version": 1, "more": 1}),
    ("model_type", PlanActivation, 7),
    ("dict_type", OrderIn, order(extra=7)),
    ("list_type", OrderIn, order(parcels=7)),
    ("string_type", OrderIn, order(shop=7)),
    ("string_unicode", OrderIn, order(shop="\ud800")),
    ("int_type", OrderIn, order(version="7")),
    ("bool_type", OrderIn, order(parcels=[PARCEL | {"lines": [{"sku": "A", "qty": 1, "is_gift": 1}]}])),
    ("string_pattern_mismatch", OrderIn, order(order_no="?")),
    ("string_too_long", OrderIn, order(shop="x" * 65)),
    ("string_too_short", OrderIn, order(carrier="")),
    ("too_long", OrderIn, order(flags=["a"] * 17)),
    ("too_short", OrderIn, order(parcels=[])),
    ("greater_than_equal", OrderIn, order(version=0)),
    ("less_than_equal", OrderIn, order(version=2**60)),
    ("literal_error", LineCommandIn, {"message_id": "m", "action": "dance"}),
    ("no_such_moment", OrderIn, order(cut_off="2026-02-31T18:00:00+08:00")),
    ("city_outside", OrderIn, region("33", "4403", "")),
    ("district_outside", OrderIn, region("33", "3301", "440305")),
    ("region_unknown", RuleIn, {"id": "r", "chutes": ["001"], "city": "3399"}),
    ("int_parsing", Asked, {"count": "seven"}),
    ("int_parsing_size", Asked, {"count": "7" * 5_000}),
    ("int_from_float", Asked, {"count": 7.5}),
    ("bool_parsing", Asked, {"on_belt": "perhaps"}),
    ("date_from_datetime_parsing", Asked, {"day": "today"}),
    ("date_from_datetime_inexact", Asked, {"day": "2026-11-23T18:00:00"}),
]


@pytest.mark.parametrize(("kind", "model", "value"), REACHED, ids=[one[0] for one in REACHED])
def test_each_text_is_reached_and_tells_its_limit(kind: str, model: type[BaseModel], value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    assert {one["type"] for one in refused.value.errors()} == {kind}
    (error, *_) = field_errors(refused.value)
    for text in (error.msg.en, error.msg.zh):
        assert "{" not in text.replace("{0,63}", "")
    assert re.search(r"[\u4e00-\u9fff]", error.msg.zh)


def test_every_text_has_an_example() -> None:
    assert {kind for kind, _, _ in REACHED} == TEXTS.keys() - {"kind_unknown"}


def test_limits_are_told_and_the_value_never_is() -> None:
    secret = "x" * 65
    with pytest.raises(Problem) as refused:
        checked(OrderIn, order(shop=secret))
    english, chinese = (refused.value.body(language)["errors"] for language in ("en", "zh-CN"))
    assert english == [{"loc": ["shop"], "msg": "At most 64 characters"}]
    assert chinese == [{"loc": ["shop"], "msg": "至多 64 个字符"}]
    assert secret not in str(refused.value.body("en"))


def test_what_has_no_text_is_told_as_it_came() -> None:
    assert told("of_tomorrow", {}, "As it came").zh == "As it came"
