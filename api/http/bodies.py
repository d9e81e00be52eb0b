"""JSON bodies, read strictly: one media type, no NaN, no doubled keys, no bottomless nesting."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import thread_time
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.http.problems import FieldError, Problem, Slug
from api.settings import BATCH_MAX, JSON_VALUES_MAX, SLICE

ERRORS_MAX = 50
"""Errors listed in one problem body."""
LONG_S = 0.005
"""A parsing that others notice."""

M = TypeVar("M", bound=BaseModel)


class Turns:
    """One at a time, in the order in which they came. ``wanted``: how many more wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self.wanted = 0

    async def __aenter__(self) -> None:
        self.wanted += 1
        try:
            await self._lock.acquire()
        finally:
            self.wanted -= 1

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


async def read_json(request: Request, most_bytes: int) -> Any:
    """The parsed body of one message. Raises ``Problem``: 415, 400, 413; 408 comes from the guards."""
    raw = await _raw_json(request)
    if len(raw) > most_bytes:
        raise Problem(Slug.BODY_TOO_LARGE, f"at most {most_bytes} bytes")
    return parse_json(raw)


@asynccontextmanager
async def bulk_json(request: Request, turns: Turns) -> AsyncIterator[Any]:
    """A parsed body as large as the guards let through, to be checked in slices within. ``turns``: one bulk
    at a time, and after a long parsing, where more wait, a rest as long, so that a cancel waits for one of
    them at most. Raises ``Problem`` as ``read_json``."""
    raw = await _raw_json(request)
    async with turns:
        began = thread_time()
        asked = parse_json(raw)
        took_s = thread_time() - began
        await asyncio.sleep(took_s if took_s > LONG_S and turns.wanted else 0)
        yield asked


@asynccontextmanager
async def batch_json(request: Request, turns: Turns, name: str) -> AsyncIterator[Any]:
    """As ``bulk_json``, and its list ``name`` is no longer than a batch may be."""
    async with bulk_json(request, turns) as asked:
        items = asked.get(name) if isinstance(asked, dict) else None
        if isinstance(items, list) and len(items) > BATCH_MAX:
            raise Problem(Slug.BATCH_TOO_LARGE, f"{len(items)} {name}, at most {BATCH_MAX}")
        yield asked


async def _raw_json(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(Slug.MEDIA_TYPE)
    return await request.body()


def keyed(asked: Any, key: str) -> Any:
    """``asked`` with the message id that came as Idempotency-Key (empty: none did). Raises ``Problem``
    where it has another one of its own."""
    if not key or not isinstance(asked, dict):
        return asked
    if asked.get("message_id", key) != key:
        raise Problem(Slug.KEY_DISAGREES)
    return {**asked, "message_id": key}


def parse_json(raw: bytes) -> Any:
    """RFC 8259 and I-JSON (RFC 7493: no doubled names, UTF-8). Raises ``Problem``: JSON_MALFORMED, or
    BODY_TOO_LARGE where there may be more values than are parsed."""
    if sum(map(raw.count, (b",", b"[", b"{"))) > JSON_VALUES_MAX:
        raise Problem(Slug.BODY_TOO_LARGE, f"at most {JSON_VALUES_MAX} values")
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise Problem(Slug.JSON_MALFORMED, f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise Problem(Slug.JSON_MALFORMED, "nested too deeply") from error
    except ValueError as error:
        raise Problem(Slug.JSON_MALFORMED, str(error)[:200]) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the name {name[:64]!r} comes twice in one object")
            seen.add(name)
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def checked(model: type[M], value: Any, *, at: tuple[str | int, ...] = ()) -> M:
    """``value`` as ``model``; raises ``Problem(FIELDS_INVALID)`` with places below ``at``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Problem(Slug.FIELDS_INVALID, errors=field_errors(error, at)) from error


async def checked_all(model: type[M], values: Sequence[Any], *, at: tuple[str | int, ...]) -> list[M]:
    """Each of ``values``, in slices between which other requests are served; raises one
    ``Problem(FIELDS_INVALID)`` for all that is wrong."""
    good: list[M] = []
    wrong: list[FieldError] = []
    for start in range(0, len(values), SLICE):
        for index, value in enumerate(values[start : start + SLICE], start):
            try:
                good.append(model.model_validate(value))
            except ValidationError as error:
                wrong += field_errors(error, (*at, index))
        if len(wrong) >= ERRORS_MAX:
            break
        await asyncio.sleep(0)
    if wrong:
        raise Problem(Slug.FIELDS_INVALID, errors=tuple(wrong[:ERRORS_MAX]))
    return good


def field_errors(error: ValidationError, at: tuple[str | int, ...] = ()) -> tuple[FieldError, ...]:
    """Place and message of each error, never the value: it may be long, or nobody's business."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(FieldError(loc=at + e["loc"], msg=e["msg"]) for e in found[:ERRORS_MAX])
