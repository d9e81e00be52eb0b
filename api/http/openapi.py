"""The OpenAPI document: FastAPI's, with the bodies that routes read themselves (``bodies``), every answer
that a route can give by its status, and an example of each."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.csv_cells import Column
from api.http.answers import REPLAYED, ProblemBody
from api.http.auth import OPEN_PATHS
from api.http.examples import EXAMPLES
from api.http.problems import KINDS, PROBLEM_MEDIA_TYPE, TYPE_PREFIX
from api.http.schemas import (
    BlindSpotIn,
    CodingIn,
    GoodsBatch,
    GoodsIn,
    GoodsItem,
    LineCommandIn,
    MessageOnly,
    OrderBatch,
    OrderIn,
    PlanActivation,
    PlanIn,
    RuleIn,
)

REF: Final = "#/components/schemas/{model}"
BODIES: Final[tuple[type[BaseModel], ...]] = (
    OrderIn,
    OrderBatch,
    MessageOnly,
    GoodsIn,
    GoodsItem,
    GoodsBatch,
    PlanIn,
    RuleIn,
    BlindSpotIn,
    PlanActivation,
    LineCommandIn,
    CodingIn,
    ProblemBody,
)
ALWAYS: Final = (400, 500, 503)
WITH_KEY: Final = (401, 403, 429)
WITH_PARAMETERS: Final = (422,)
WITH_PATH: Final = (404,)
WITH_BODY: Final = (408, 409, 413, 415, 422)
WITH_CURSOR: Final = (409,)
CURSORS: Final = ("/v1/events", "/v1/events/stream")


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes ``model``."""
    schema = {"$ref": REF.format(model=model.__name__)}
    content = {"application/json": {"schema": schema, "example": EXAMPLES[model.__name__]}}
    return {"requestBody": {"required": True, "content": content}}


def csv_body(columns: tuple[Column, ...], example: str) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a CSV with these columns."""
    told = "Columns, in any order: " + ", ".join(f"{column.name} ({column.zh})" for column in columns)
    schema = {"type": "string", "description": told}
    return {
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": schema, "example": example}},
        }
    }


def text_answer(media_type: str, example: str) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route whose answer is a text."""
    return {200: {"content": {media_type: {"schema": {"type": "string"}, "example": example}}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema:
        return app.openapi_schema
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, definitions = models_json_schema([(model, "validation") for model in BODIES], ref_template=REF)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(definitions["$defs"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"key": []}, {"header": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    app.openapi_schema = document
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Security, every status, and an example of the answer."""
    if path in OPEN_PATHS:
        operation["security"] = []
    answers = operation["responses"]
    answers.pop("422", None)
    for media in answers["200"].get("content", {}).values():
        model = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if model in EXAMPLES:
            media["example"] = EXAMPLES[model]
    if "requestBody" in operation:
        answers["200"]["headers"] = {
            REPLAYED: {
                "description": "true: this message came before, and this is the answer of then",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    for status in sorted(set(_statuses(path, operation))):
        answers[str(status)] = problem_answer(status)


def _statuses(path: str, operation: dict[str, Any]) -> Iterator[int]:
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    yield from ALWAYS
    if path not in OPEN_PATHS:
        yield from WITH_KEY
    if places:
        yield from WITH_PARAMETERS
    if "path" in places:
        yield from WITH_PATH
    if "requestBody" in operation:
        yield from WITH_BODY
    if path in CURSORS:
        yield from WITH_CURSOR


def problem_answer(status: int) -> dict[str, Any]:
    """Every problem of a status, each with its example."""
    kinds = {slug: kind for slug, kind in KINDS.items() if kind.status == status}
    examples = {
        slug.value: {"value": {"type": TYPE_PREFIX + slug, "title": kind.en, "status": status}}
        for slug, kind in kinds.items()
    }
    answer: dict[str, Any] = {
        "description": ", ".join(slug.value for slug in kinds),
        "content": {
            PROBLEM_MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemBody")}, "examples": examples}
        },
    }
    if status in (429, 503):
        seconds = {"type": "string", "pattern": "^[0-9]+$"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": seconds}}
    return answer
