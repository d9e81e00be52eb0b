"""One codec for everything on record: dataclass <-> canonical JSON.

Canonical: compact, ASCII, the fields of a dataclass sorted by name, enumerations by value, tuples
as lists. A field that may hold one of several dataclasses carries the class name under ``"$"``.
Mappings keep the order of their entries, for the order of a core's open tracks is state too.
Reading is strict: an unknown key, a missing key without default, or a value of another type is
``RowMalformed``. A missing key with a default takes it, so that a build that adds a field still
reads older journals. Floats are refused when the class is compiled: units are integers.

Encoders and decoders are compiled once per class and kept; types may not be recursive.
"""

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from json.encoder import encode_basestring_ascii
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from edge.model.events import Event
from edge.model.records import RecordBody
from edge.store.errors import RowMalformed

T = TypeVar("T")
Write = Callable[[Any], str]
Read = Callable[[Any], Any]

TAG = "$"
"""Key of the class name where a field may hold several classes; no field can have this name."""


def members(union: Any) -> tuple[type, ...]:
    """The classes of a (nested) union, in the order written."""
    if get_origin(union) in (Union, types.UnionType):
        return tuple(cls for part in get_args(union) for cls in members(part))
    return (union,)


EVENTS: dict[str, type] = {cls.__name__: cls for cls in members(Event)}
RECORDS: dict[str, type] = {cls.__name__: cls for cls in members(RecordBody)}

_write: dict[type, Write] = {}
_read: dict[type, Read] = {}


def encode(value: object) -> str:
    """Canonical JSON of a dataclass. Raises ``TypeError`` for a type that has no canonical form."""
    cls = type(value)
    write = _write.get(cls)
    if write is None:
        write = _write[cls] = _write_dataclass(cls)
    return write(value)


def decode(cls: type[T], text: str | bytes) -> T:
    """The dataclass that ``encode`` wrote. Raises ``RowMalformed``."""
    read = _read.get(cls)
    if read is None:
        read = _read[cls] = _read_dataclass(cls)
    try:
        obj = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowMalformed(f"{cls.__name__}: not JSON: {error}") from error
    value: T = read(obj)
    return value


def decode_row(kind: str, body: str) -> Event | RecordBody:
    """A row of the event log back to its event or record. Raises ``RowMalformed``."""
    cls = EVENTS.get(kind) or RECORDS.get(kind)
    if cls is None:
        raise RowMalformed(f"{kind}: no event or record of this name")
    value: Event | RecordBody = decode(cls, body)
    return value


# -- writing: each step turns one value into its JSON text, and refuses another type ------------------


def _write_dataclass(cls: type) -> Write:
    """One f-string for the whole class, made as ``dataclasses`` makes an ``__init__``: rows are written
    25 times a parcel. ``Point(x: int, y: int | None)`` becomes

        lambda value: f'{{"x":{write_0(value.x)},"y":{("null" if value.y is None else write_1(value.y))}}}'

    in which each ``write_n`` is the step of that field's type, or of the items of its sequence.
    """
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass")
    hints = get_type_hints(cls)
    names = sorted(field.name for field in fields(cls))
    steps: dict[str, Write] = {}
    pieces = []
    for number, name in enumerate(names):
        hint = _bare(hints[name])
        inner, each = _only_inner(hint), _each(hint)
        step = f"write_{number}"
        steps[step] = _write_of(inner or each or hint)
        text = f"{{{step}(value.{name})}}"
        if inner is not None:
            text = f"{{('null' if value.{name} is None else {step}(value.{name}))}}"
        elif each is not None:
            text = f"[{{','.join(map({step}, value.{name}))}}]"
        pieces.append(f'"{name}":{text}')
    source = 'lambda value: f"""{{' + ",".join(pieces) + '}}"""'
    write: Write = eval(source, steps)  # noqa: S307 - names of our own dataclass' fields only
    return write


def _only_inner(hint: Any) -> Any:
    """``X`` of ``X | None``; None for every other type."""
    if get_origin(hint) not in (Union, types.UnionType):
        return None
    some = [part for part in members(hint) if part is not type(None)]
    return some[0] if len(some) == 1 and len(members(hint)) == 2 else None


def _each(hint: Any) -> Any:
    """``X`` of ``tuple[X, ...]`` and ``list[X]``; None for every other type."""
    origin, args = get_origin(hint), get_args(hint)
    return args[0] if origin is list or (origin is tuple and args[1:] == (Ellipsis,)) else None


def _write_of(hint: Any) -> Write:
    hint = _bare(hint)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _write_union(hint)
    if origin in (tuple, list):
        return _write_sequence(hint)
    if origin is dict:
        return _write_mapping(*get_args(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        return _write_dataclass(hint)
    if hint is bool:
        return _write_bool
    if isinstance(hint, type) and issubclass(hint, int):
        return int.__repr__  # of an enumeration: its value
    if isinstance(hint, type) and issubclass(hint, str):
        return encode_basestring_ascii
    raise TypeError(f"{hint!r} has no canonical form")


def _write_bool(value: bool) -> str:
    if type(value) is not bool:
        raise TypeError(f"bool expected, found {value!r}")
    return "true" if value else "false"


def _write_union(hint: Any) -> Write:
    some = tuple(part for part in members(hint) if part is not type(None))
    if len(some) == 1:
        inner = _write_of(some[0])
        return lambda value: "null" if value is None else inner(value)
    steps = {cls: _write_dataclass(cls) for cls in some}

    def write(value: Any) -> str:
        if value is None:
            return "null"
        cls = type(value)
        text = steps[cls](value)
        tagged = f'{{"{TAG}":"{cls.__name__}"'
        return tagged + "}" if text == "{}" else f"{tagged},{text[1:]}"

    return write


def _write_sequence(hint: Any) -> Write:
    each = _each(hint)
    if each is None:
        steps = tuple(_write_of(arg) for arg in get_args(hint))
        return lambda value: f"[{','.join([step(item) for step, item in zip(steps, value, strict=True)])}]"
    write = _write_of(each)
    return lambda value: f"[{','.join(map(write, value))}]"


def _write_mapping(key: Any, item: Any) -> Write:
    bare = _bare(key)
    if not (isinstance(bare, type) and issubclass(bare, int | str)) or bare is bool:
        raise TypeError(f"{key!r} cannot be the key of a mapping on record")
    step = _write_of(item)
    name: Write = (lambda value: f'"{int(value)}"') if issubclass(bare, int) else encode_basestring_ascii
    return lambda value: f"{{{','.join([f'{name(key)}:{step(entry)}' for key, entry in value.items()])}}}"


def _bare(hint: Any) -> Any:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return hint


# -- reading ---------------------------------------------------------------------------------------


def _read_dataclass(cls: type) -> Read:
    hints = get_type_hints(cls)
    steps = tuple((field.name, _read_of(hints[field.name])) for field in fields(cls))
    names = frozenset(name for name, _ in steps)
    required = frozenset(
        field.name for field in fields(cls) if field.default is MISSING and field.default_factory is MISSING
    )
    title = cls.__name__

    def read(obj: Any) -> Any:
        if type(obj) is not dict:
            raise RowMalformed(f"{title}: an object expected, found {_found(obj)}")
        if obj.keys() != names:
            _refuse_keys(title, obj, names, required)
        values = {}
        for name, step in steps:
            if name in obj:
                try:
                    values[name] = step(obj[name])
                except RowMalformed as error:
                    raise RowMalformed(f"{title}.{name}: {error}") from None
        return cls(**values)

    return read


def _refuse_keys(title: str, obj: dict[str, Any], names: frozenset[str], required: frozenset[str]) -> None:
    unknown = sorted(obj.keys() - names)
    missing = sorted(required - obj.keys())
    if unknown or missing:
        raise RowMalformed(f"{title}: unknown keys {unknown}, missing keys {missing}")


def _found(obj: Any) -> str:
    text = repr(obj)
    return text if len(text) <= 40 else text[:40] + "…"


def _read_of(hint: Any) -> Read:
    hint = _bare(hint)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _read_union(hint)
    if origin in (tuple, list):
        return _read_sequence(origin, get_args(hint))
    if origin is dict:
        return _read_mapping(*get_args(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        return _read_dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _read_enum(hint)
    if hint in (int, str, bool):
        return _read_scalar(hint)
    raise TypeError(f"{hint!r} has no canonical form")


def _read_scalar(cls: type) -> Read:
    def read(obj: Any) -> Any:
        if type(obj) is not cls:
            raise RowMalformed(f"{cls.__name__} expected, found {_found(obj)}")
        return obj

    return read


def _read_enum(cls: type[Enum]) -> Read:
    scalar = int if issubclass(cls, int) else str

    def read(obj: Any) -> Any:
        if type(obj) is not scalar:
            raise RowMalformed(f"{cls.__name__} expected, found {_found(obj)}")
        try:
            return cls(obj)
        except ValueError:
            raise RowMalformed(f"{_found(obj)} is no {cls.__name__}") from None

    return read


def _read_union(hint: Any) -> Read:
    parts = members(hint)
    some = tuple(part for part in parts if part is not type(None))
    inner = _read_of(some[0]) if len(some) == 1 else _read_tagged(some)
    if len(some) == len(parts):
        return inner
    return lambda obj: None if obj is None else inner(obj)


def _read_tagged(classes: tuple[type, ...]) -> Read:
    steps = {cls.__name__: _read_dataclass(cls) for cls in classes}

    def read(obj: Any) -> Any:
        step = steps.get(str(obj.get(TAG))) if type(obj) is dict else None
        if step is None:
            raise RowMalformed(f"one of {sorted(steps)} expected, found {_found(obj)}")
        return step({name: value for name, value in obj.items() if name != TAG})

    return read


def _read_sequence(origin: type, args: tuple[Any, ...]) -> Read:
    fixed = origin is tuple and not (len(args) == 2 and args[1] is Ellipsis)
    each = tuple(_read_of(arg) for arg in args) if fixed else (_read_of(args[0]),)

    def read(obj: Any) -> Any:
        if type(obj) is not list or (fixed and len(obj) != len(each)):
            raise RowMalformed(f"a list expected, found {_found(obj)}")
        if fixed:
            return tuple(step(item) for step, item in zip(each, obj, strict=True))
        step = each[0]
        return origin([step(item) for item in obj])

    return read


def _read_mapping(key: Any, item: Any) -> Read:
    bare = _bare(key)
    read_key, read_item = _read_of(bare), _read_of(item)
    numeric = issubclass(bare, int)

    def read(obj: Any) -> Any:
        if type(obj) is not dict:
            raise RowMalformed(f"an object expected, found {_found(obj)}")
        entries = {}
        for name, value in obj.items():
            try:
                entries[read_key(int(name) if numeric else name)] = read_item(value)
            except ValueError as error:
                raise RowMalformed(f"[{_found(name)}]: {error}") from None
        return entries

    return read
