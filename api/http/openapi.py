"""The request bodies' share of the OpenAPI document: routes read their bodies themselves (``bodies``)."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.csv_cells import Column
from api.http.answers import ProblemBody
from api.http.schemas import (
    BlindSpotIn,
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
    ProblemBody,
)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes ``model``."""
    schema = {"$ref": REF.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def csv_body(columns: tuple[Column, ...]) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a CSV with these columns."""
    heads = ",".join(column.name for column in columns)
    told = "Columns, in any order: " + ", ".join(f"{column.name} ({column.zh})" for column in columns)
    schema = {"type": "string", "description": told, "example": heads + "\r\n"}
    return {"requestBody": {"required": True, "content": {"text/csv": {"schema": schema}}}}


PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "description": "Any error (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="ProblemBody")}}},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once: FastAPI's, with the bodies, the problem answer and the key."""
    if app.openapi_schema:
        return app.openapi_schema
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, definitions = models_json_schema([(model, "validation") for model in BODIES], ref_template=REF)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(definitions["$defs"])
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"key": []}, {"header": []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = PROBLEM_RESPONSE
    app.openapi_schema = document
    return document
