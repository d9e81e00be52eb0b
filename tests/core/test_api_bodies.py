"""Strict JSON and strict models: whatever is sent, the answer is a value or a problem."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.json_schema import models_json_schema

from api.bulk import BulkTurns
from api.http.answers import CellErrorBody, FieldErrorBody, ProblemBody
from api.http.bodies import DIGITS_MAX, checked, checked_all, parse_json
from api.http.field_texts import ERRORS_MAX
from api.http.mapping import order_body, order_of
from api.http.openapi import BODIES, REF
from api.http.problems import Problem, Slug
from api.http.schemas import (
    GoodsBatch,
    GoodsIn,
    LineCommandIn,
    MessageOnly,
    OrderBatch,
    OrderIn,
    PlanActivation,
    PlanIn,
    RuleIn,
    Strict,
)
from api.settings import JSON_VALUES_MAX
from edge.model.line import OperatorAction
from edge.model.order import OrderStatus
from tests.line.gateway_kit import order_json

T = TypeVar("T")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
MODELS: list[type[Strict]] = [
    OrderIn,
    OrderBatch,
    MessageOnly,
    GoodsIn,
    GoodsBatch,
    PlanIn,
    RuleIn,
    PlanActivation,
    LineCommandIn,
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def tried(ask: Callable[[], T]) -> T | Problem:
    try:
        return ask()
    except Problem as problem:
        return problem


@pytest.mark.parametrize("value", [b"0", b"[]", b"{}", b'{"a":1}'])
def test_more_values_than_are_parsed(value: bytes) -> None:
    """Refused by their bytes: it is the parsing that others would wait for."""
    for count, slug in ((JSON_VALUES_MAX // 3, None), (JSON_VALUES_MAX + 1, Slug.BODY_TOO_LARGE)):
        found = tried(lambda many=count: parse_json(b"[" + b",".join([value] * many) + b"]"))  # type: ignore[misc]
        assert (found.slug if isinstance(found, Problem) else None) == slug


@given(st.integers(min_value=10**DIGITS_MAX) | st.integers(max_value=-(10**DIGITS_MAX)))
def test_a_number_of_endless_digits_is_no_whole_number(number: int) -> None:
    assert isinstance(parse_json(str(number).encode()), float)
    with pytest.raises(Problem) as refused:
        checked(OrderIn, order_json(1) | {"version": parse_json(b"1" * 4_000)})
    assert refused.value.errors[0].loc == ("version",)


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_any_bytes(raw: bytes) -> None:
    value = tried(lambda: parse_json(raw))
    if isinstance(value, Problem):
        assert value.slug is Slug.JSON_MALFORMED
    else:
        assert json.loads(raw) == value


@given(ANY_JSON)
@settings(max_examples=200)
def test_what_json_writes_is_read_back(value: Any) -> None:
    text = json.dumps(value)
    try:
        assert parse_json(text.encode()) == value
    except Problem:
        assert "NaN" in text or "Infinity" in text


@given(st.sampled_from(MODELS), ANY_JSON)
@settings(max_examples=300)
def test_any_value_as_any_body(model: type[Strict], value: Any) -> None:
    body = tried(lambda: checked(model, value))
    if isinstance(body, Problem):
        assert body.slug is Slug.FIELDS_INVALID
        assert 0 < len(body.errors) <= ERRORS_MAX
        assert [one for one in body.errors if not CHINESE.search(one.msg.zh)] == []
        json.dumps(body.body("en"))


@given(st.sampled_from(sorted(order_json(1))), ANY_JSON)
@settings(max_examples=300)
def test_an_order_with_one_field_of_any_value(field: str, value: Any) -> None:
    """What is taken is given back as it was said: nothing is converted or dropped."""
    asked = order_json(1) | {field: value}
    body = tried(lambda: checked(OrderIn, asked))
    if isinstance(body, Problem):
        assert {error.loc[0] for error in body.errors} == {field}
        assert [one for one in body.errors if not CHINESE.search(one.msg.zh)] == []
        return
    given_back = order_body(order_of(body), OrderStatus.RELEASED)
    if field in given_back and field not in ("region", "parcels"):
        assert given_back[field] == value


@pytest.mark.parametrize("model", MODELS)
def test_no_body_takes_what_it_does_not_know(model: type[Strict]) -> None:
    with pytest.raises(Problem) as caught:
        checked(model, {"unheard_of": 1})
    assert ("unheard_of",) in {error.loc for error in caught.value.errors}


ANSWERED = frozenset({ProblemBody.__name__, FieldErrorBody.__name__, CellErrorBody.__name__})
"""In the document beside the bodies: ours to write, and bounded where they are made."""


def test_every_string_and_list_has_a_bound() -> None:
    """Over the generated schemas: no string without pattern, enum or maximum, no unbounded list."""
    unbounded: list[str] = []

    def walk(where: str, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                walk(where, item)
        if not isinstance(node, dict):
            return
        kind = node.get("type")
        if kind == "string" and not {"maxLength", "pattern", "enum", "const"} & node.keys():
            unbounded.append(where)
        if kind == "array" and "maxItems" not in node:
            unbounded.append(where)
        if kind == "integer" and not {"minimum", "maximum"} <= node.keys():
            unbounded.append(where)
        for name, inner in node.items():
            walk(f"{where}.{name}", inner)

    _, definitions = models_json_schema([(model, "validation") for model in BODIES], ref_template=REF)
    assert {model.__name__ for model in MODELS} <= definitions["$defs"].keys()
    for name, schema in definitions["$defs"].items():
        if name not in ANSWERED:
            walk(name, schema)
    assert unbounded == []


def test_actions_are_the_models() -> None:
    schema = LineCommandIn.model_json_schema()["properties"]["action"]
    assert set(schema["enum"]) == {action.value for action in OperatorAction}


async def test_all_errors_of_a_list_come_at_once_up_to_a_bound() -> None:
    rules = [{"id": f"r{n}", "chutes": ["001"] if n % 2 else []} for n in range(60)]
    with pytest.raises(Problem) as caught:
        await checked_all(RuleIn, rules, BulkTurns(), at=("rules",))
    assert [error.loc for error in caught.value.errors] == [("rules", n, "chutes") for n in range(0, 60, 2)]
    with pytest.raises(Problem) as caught:
        await checked_all(RuleIn, [{}] * 5_000, BulkTurns(), at=("rules",))
    assert len(caught.value.errors) == ERRORS_MAX
