"""JSON bodies, read strictly: one media type, no NaN, no doubled keys, no bottomless nesting."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import thread_time
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.bulk import BulkTurns, pieces
from api.http.field_texts import ERRORS_MAX, told_errors
from api.http.problems import FieldError, Problem, Slug
from api.settings import BATCH_MAX, JSON_VALUES_MAX, MESSAGE_MAX_BYTES

DIGITS_MAX = 64
"""Of a whole number: no field takes more than 19."""
LONG_S = 0.005
"""A parsing that others notice."""

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, most_bytes: int) -> Any:
    """The parsed body of one message. Raises ``Problem``: 415, 400, 413; 408 comes from the guards."""
    raw = await _raw_json(request)
    if len(raw) > most_bytes:
        raise Problem(Slug.BODY_TOO_LARGE, f"at most {most_bytes} bytes")
    return parse_json(raw)


@asynccontextmanager
async def bulk_json(request: Request, turns: BulkTurns) -> AsyncIterator[Any]:
    """A parsed body as large as the guards let through, to be checked in pieces within. A large one is parsed
    on a thread, which gives the interpreter up each time that somebody waits for it. ``turns``: one bulk at
    a time, and after a long parsing, where more wait, a rest as long, so that a cancel waits for one of them
    at most. Raises ``Problem`` as ``read_json``."""
    raw = await _raw_json(request)
    async with turns:
        if len(raw) <= MESSAGE_MAX_BYTES:
            asked, took_s = _timed(raw)
        else:
            asked, took_s = await asyncio.to_thread(_timed, raw)
        if took_s > LONG_S and turns.wanted:
            await asyncio.sleep(took_s)
        await turns.give_way()
        yield asked


@asynccontextmanager
async def batch_json(request: Request, turns: BulkTurns, name: str) -> AsyncIterator[Any]:
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


def _timed(raw: bytes) -> tuple[Any, float]:
    """Parsed, and the seconds of a core that it took."""
    began = thread_time()
    asked = parse_json(raw)
    return asked, thread_time() - began


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
            parse_int=_whole,
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


def _whole(digits: str) -> int | float:
    """A longer one would take the square of its length; as a float no field takes it, and each names itself
    (RFC 8259, 6: what is beyond a double's range is not interoperable)."""
    return int(digits) if len(digits) <= DIGITS_MAX else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def checked(model: type[M], value: Any, *, at: tuple[str | int, ...] = ()) -> M:
    """``value`` as ``model``; raises ``Problem(FIELDS_INVALID)`` with places below ``at``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Problem(Slug.FIELDS_INVALID, errors=field_errors(error, at)) from error


async def checked_all(
    model: type[M], values: Sequence[Any], turns: BulkTurns, *, at: tuple[str | int, ...]
) -> list[M]:
    """Each of ``values``, in pieces between which other requests are served; raises one
    ``Problem(FIELDS_INVALID)`` for all that is wrong."""
    good: list[M] = []
    wrong: list[FieldError] = []
    for piece in pieces(values):
        for index, value in piece:
            try:
                good.append(model.model_validate(value))
            except ValidationError as error:
                wrong += field_errors(error, (*at, index))
        if len(wrong) >= ERRORS_MAX:
            break
        await turns.give_way()
    if wrong:
        raise Problem(Slug.FIELDS_INVALID, errors=tuple(wrong[:ERRORS_MAX]))
    return good


def field_errors(error: ValidationError, at: tuple[str | int, ...] = ()) -> tuple[FieldError, ...]:
    """Place and message of each error, never the value."""
    return told_errors(error.errors(include_url=False, include_input=False), at)
