"""A client made from an OpenAPI document and nothing else: one method for each ``operationId``.

It knows what the document says, so it refuses to send what the document does not allow, and to take an
answer that the document does not have.
"""

import re
from typing import Any

import httpx2
import jsonschema_rs

Json = dict[str, Any]


class NotInDocument(AssertionError):
    """The document does not allow that request, or does not know that answer."""


class Answered(Exception):
    """A documented answer that is no success."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class OpenApiClient:
    """``await client.call("get_line")``, with path, query and header parameters by their names and the body
    as ``body``. ``covered``: what has been called."""

    def __init__(self, document: Json, http: httpx2.AsyncClient) -> None:
        self._document = document
        self._http = http
        self.covered: set[str] = set()
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    async def call(self, name: str, body: Any = None, **given: Any) -> Any:
        """The answer's JSON, or its text. Raises ``Answered`` for a documented problem."""
        method, path, operation = self.operations[name]
        query: dict[str, Any] = {}
        headers: dict[str, str] = {}
        for parameter in operation.get("parameters", []):
            if parameter["name"] not in given:
                if parameter.get("required"):
                    raise NotInDocument(f"{name}: {parameter['name']} is missing")
                continue
            value = given.pop(parameter["name"])
            self._check(parameter["schema"], value, f"{name} {parameter['name']}")
            match parameter["in"]:
                case "path":
                    path = path.replace(f"{{{parameter['name']}}}", str(value))
                case "query":
                    query[parameter["name"]] = value
                case _:
                    headers[parameter["name"]] = str(value)
        if given or re.search(r"[{}]", path):
            raise NotInDocument(f"{name}: {path}, {given}")
        content = self._content(name, operation, body, headers)
        answer = await self._http.request(method, path, params=query, headers=headers, content=content)
        self.covered.add(name)
        return self._taken(name, operation, answer)

    def _content(self, name: str, operation: Json, body: Any, headers: dict[str, str]) -> bytes | None:
        if "requestBody" not in operation:
            return None
        ((media_type, media),) = operation["requestBody"]["content"].items()
        self._check(media["schema"], body, name)
        headers["Content-Type"] = media_type
        return (
            httpx2.Request("POST", "http://x", json=body).read()
            if media_type.endswith("json")
            else body.encode()
        )

    def _taken(self, name: str, operation: Json, answer: httpx2.Response) -> Any:
        documented = operation["responses"].get(str(answer.status_code))
        if documented is None:
            raise NotInDocument(f"{name}: status {answer.status_code}: {answer.text}")
        media_type = answer.headers["content-type"].partition(";")[0]
        media = documented["content"].get(media_type)
        if media is None:
            raise NotInDocument(f"{name}: {media_type} with status {answer.status_code}")
        value = answer.json() if media_type.endswith("json") else answer.text
        self._check(media["schema"], value, f"{name}'s answer")
        if answer.is_success:
            return value
        raise Answered(answer.status_code, answer.json())

    def _check(self, schema: Json, value: Any, what: str) -> None:
        whole = {**schema, "components": self._document["components"]}
        try:
            jsonschema_rs.validate(whole, value)
        except jsonschema_rs.ValidationError as error:
            raise NotInDocument(f"{what}: {error.message}") from error
