"""The examples of the OpenAPI document are true, and there is one of everything that the document names."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from api.csv_cells import Row, bare, rows_of, safe
from api.http import answers, coding_answers, examples, order_rows, plan_rows, schemas
from api.http.app import create_app
from api.http.examples import EXAMPLES
from api.http.exports import HEADINGS
from api.http.pictures import JPEG
from api.http.schemas import GoodsItem, OrderIn, RuleIn
from api.settings import GatewaySettings
from line_config.load import load_line

Json = dict[str, Any]
LINE = load_line("demo").topology
KINDS = {chute.id: chute.kind for chute in LINE.chutes}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Json:
    app = create_app(GatewaySettings(), LINE, tmp_path_factory.mktemp("gateway"))
    found: Json = app.inner.openapi()
    return found


def contents(document: Json) -> Iterator[tuple[str, str, Json]]:
    """(where, media type, what the document says of it) of every body and every answer."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for where, told in bodies.items():
                for media_type, media in told.get("content", {}).items():
                    yield f"{method} {path} {where}", media_type, media


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_fits_its_model(name: str) -> None:
    model = next(getattr(one, name) for one in (schemas, answers, coding_answers) if hasattr(one, name))
    assert issubclass(model, BaseModel)
    value = model.model_validate(EXAMPLES[name])
    for items, item in (("orders", OrderIn), ("goods", GoodsItem), ("rules", RuleIn)):
        for inner in getattr(value, items, []) if isinstance(getattr(value, items, None), list) else []:
            item.model_validate(inner)


def test_every_body_and_every_answer_of_the_document_has_one(document: Json) -> None:
    seen = 0
    for where, media_type, media in contents(document):
        if media_type == JPEG:
            continue
        seen += 1
        several = [one["value"] for one in media.get("examples", {}).values()]
        given = [media["example"]] if "example" in media else several
        assert given, where
        assert all(given), where
        model = media["schema"].get("$ref", "").rpartition("/")[2]
        if model in EXAMPLES:
            assert given == [EXAMPLES[model]], where
        else:
            assert media_type != "application/json", (where, "a model without an example")
    assert seen > 100


def test_each_example_is_of_something_in_the_document(document: Json) -> None:
    models = {media["schema"].get("$ref", "").rpartition("/")[2] for _, _, media in contents(document)}
    assert set(EXAMPLES) <= models


def of_csv(document: Json, path: str) -> str:
    example = document["paths"][path]["post"]["requestBody"]["content"]["text/csv"]["example"]
    assert isinstance(example, str)
    return example


def test_the_orders_example_goes_through_the_importer(document: Json) -> None:
    rows = list(rows_of(of_csv(document, "/v1/orders:import"), order_rows.COLUMNS))
    orders, errors = order_rows.grouped([row for row in rows if isinstance(row, Row)])
    assert (len(rows), len(orders), errors) == (3, 2, [])
    made = [order_rows.checked_order(order, "m-1") for order in orders]
    assert [one[1].order_no for one in made if isinstance(one, tuple)] == ["SO-11", "SO-12"]


def test_the_plan_example_goes_through_the_importer(document: Json) -> None:
    rows = list(rows_of(of_csv(document, "/v1/plans/{plan_id}/import"), plan_rows.COLUMNS))
    rules, spots, errors = plan_rows.checked_rules([row for row in rows if isinstance(row, Row)], KINDS)
    assert (len(rules), len(spots), errors) == (1, 1, [])


def test_texts_are_what_the_gateway_writes() -> None:
    heads, row = csv.reader(io.StringIO(examples.PARCELS_CSV, newline=""))
    assert heads == [heading.en for heading in HEADINGS]
    assert len(row) == len(heads)
    cells = dict(zip(heads, row, strict=True))
    assert all(cells[name] == safe(bare(cells[name])) for name in ("waybill", "order_no", "chute"))
    retry, event, end = examples.STREAM.split("\n\n")
    assert (retry, end) == ("retry: 1000", "")
    number, data = event.split("\n")
    assert json.loads(data.removeprefix("data: "))["seq"] == int(number.removeprefix("id: "))
    for text in (examples.METRICS, examples.LINE_METRICS):
        (family,) = text_string_to_metric_families(text)
        assert len(family.samples) == 1
