"""YAML text → a plain tree that knows the place of every key and value.

A small YAML on purpose: one document of mappings, lists and scalars. Anchors, aliases, tags and merge
keys are refused (they hide what a line is, and can blow up); plain scalars are null, booleans,
decimal integers, floats, or text. Every limit is a problem with its place, never an exception.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from line_config.problems import Problem, Where

MAX_BYTES = 256 * 1024
"""A line of 32 exits takes 12 kB."""
MAX_DEPTH = 12
MAX_NODES = 20_000
MAX_TEXT = 2_000
MAX_DIGITS = 18
"""Larger integers fit no unit here."""

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WIDE_ESCAPE = re.compile(r"\\U([0-9A-Fa-f]{8})")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Tree:
    """A value and its place. ``content`` is a scalar, a list of trees or a mapping of them.

    ``raw`` is the scalar as written, empty for a null that was left out; ``keys`` holds the places of a
    mapping's keys.
    """

    where: Where
    content: "Scalar | list[Tree] | dict[str, Tree]"
    raw: str = ""
    keys: dict[str, Where] = field(default_factory=dict)

    def plain(self) -> object:
        """The value without places, as JSON has it."""
        if isinstance(self.content, dict):
            return {key: child.plain() for key, child in self.content.items()}
        if isinstance(self.content, list):
            return [child.plain() for child in self.content]
        return self.content

    def child(self, step: str | int) -> "Tree | None":
        """The child by key, by list index, or by ``id`` in a list of named things."""
        if isinstance(self.content, dict):
            return self.content.get(str(step))
        if isinstance(self.content, list):
            if isinstance(step, int):
                return self.content[step] if 0 <= step < len(self.content) else None
            return next((item for item in self.content if item.name == step), None)
        return None

    @property
    def name(self) -> str:
        """``id`` of a named thing, else empty."""
        if isinstance(self.content, dict) and "id" in self.content:
            found = self.content["id"].content
            return found if isinstance(found, str) else ""
        return ""

    def shown(self) -> str:
        """The value as an error shows it: scalars only, short."""
        if isinstance(self.content, dict | list):
            return ""
        text = self.raw or "null"
        return text if len(text) <= 60 else text[:57] + "…"


def read_yaml(path: Path, source: str) -> tuple[Tree | None, list[Problem]]:
    """The tree of a file, as far as it could be read, and what is wrong with it."""
    whole = Where(source=source)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, [Problem(where=whole, what="no such file")]
    except IsADirectoryError:
        return None, [Problem(where=whole, what="is a directory, not a file")]
    except OSError as error:
        return None, [Problem(where=whole, what=f"cannot be read ({error.strerror or error})")]
    if len(data) > MAX_BYTES:
        return None, [Problem(where=whole, what=f"is larger than {MAX_BYTES // 1024} KiB")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        place = Where(source=source, line=line, column=column)
        hint = "save the file as UTF-8"
        return None, [Problem(where=place, what=f"byte 0x{data[error.start]:02x} is not UTF-8", hint=hint)]
    return parse_yaml(text, source)


def parse_yaml(text: str, source: str) -> tuple[Tree | None, list[Problem]]:
    """As ``read_yaml``, from text."""
    builder = _Builder(source)
    try:
        tree = builder.document(YAML(typ="safe", pure=True).parse(StringIO(text)))
    except _Stop:
        tree = None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or error).split())
        tree = None
        builder.problems.append(Problem(where=builder.place(mark), what=f"is not YAML: {what}"))
    except ReaderError as error:
        tree = None
        what = f"is not YAML: character U+{int(error.character):04X} is not allowed"
        builder.problems.append(Problem(where=_at(text, error.position, source), what=what))
    except (YAMLError, ValueError, OverflowError) as error:
        # Escapes such as "\UFFFFFFFF" leave ruamel's scanner as plain ValueErrors without a place.
        tree = None
        found = next((m for m in _WIDE_ESCAPE.finditer(text) if int(m[1], 16) > 0x10FFFF), None)
        where = Where(source=source) if found is None else _at(text, found.start(), source)
        what = f"is not YAML: {error}" if found is None else f"{found[0]} is no character"
        builder.problems.append(Problem(where=where, what=what))
    return tree, builder.problems


def _at(text: str, offset: int, source: str) -> Where:
    before = text[:offset]
    return Where(source=source, line=before.count("\n") + 1, column=offset - before.rfind("\n"))


class _Stop(Exception):
    """A limit was passed: its problem is noted, the rest of the file is not read."""


class _Builder:
    """Events → tree, counting nodes and depth as they come."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.nodes = 0

    def place(self, mark: object) -> Where:
        line, column = getattr(mark, "line", None), getattr(mark, "column", None)
        if not isinstance(line, int) or not isinstance(column, int):
            return Where(source=self.source)
        return Where(source=self.source, line=line + 1, column=column + 1)

    def complain(self, where: Where, what: str, hint: str = "") -> None:
        self.problems.append(Problem(where=where, what=what, hint=hint))

    def stop(self, where: Where, what: str, hint: str = "") -> _Stop:
        self.complain(where, what, hint)
        return _Stop()

    def document(self, events: Iterator[object]) -> Tree | None:
        tree: Tree | None = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.stop(self.place(event.start_mark), "a second document starts here")
            elif isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent | AliasEvent):
                tree = self.node(event, events, 1)
        if tree is None:
            self.complain(Where(source=self.source), "is empty")
        return tree

    def node(self, event: object, events: Iterator[object], depth: int) -> Tree:
        where = self.place(getattr(event, "start_mark", None))
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.stop(where, f"has more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            raise self.stop(where, f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent):
            self.complain(where, "aliases (*name) are not allowed", "write the value out")
            return Tree(where, None)
        if getattr(event, "anchor", None):
            self.complain(where, "anchors (&name) are not allowed", "write each value out")
        if getattr(event, "tag", None):
            self.complain(where, "tags (!name) are not allowed", "leave the tag out")
        if isinstance(event, MappingStartEvent):
            return self.mapping(where, events, depth)
        if isinstance(event, SequenceStartEvent):
            items: list[Tree] = []
            while not isinstance(event := next(events), SequenceEndEvent):
                items.append(self.node(event, events, depth + 1))
            return Tree(where, items)
        assert isinstance(event, ScalarEvent)
        return self.scalar(
            where, str(event.value), plain=bool(event.implicit[0]) and event.style in (None, "")
        )

    def mapping(self, where: Where, events: Iterator[object], depth: int) -> Tree:
        content: dict[str, Tree] = {}
        keys: dict[str, Where] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if isinstance(key.content, dict | list):
                self.complain(key.where, "a key must be a word")
            elif (name := key.content if isinstance(key.content, str) else key.raw) in content:
                first = keys[name]
                what = f"duplicate key, first given in line {first.line}"
                self.problems.append(Problem(where=key.where, path=name, what=what, hint="remove one"))
            else:
                content[name], keys[name] = value, key.where
        return Tree(where, content, keys=keys)

    def scalar(self, where: Where, text: str, *, plain: bool) -> Tree:
        if len(text) > MAX_TEXT:
            what = f"a text of {len(text)} characters, at most {MAX_TEXT} are allowed"
            raise self.stop(where, what, "is a quote missing?")
        if any("\ud800" <= char <= "\udfff" or char == "\0" for char in text):
            self.complain(where, "holds a character that is no text (NUL or half of a surrogate pair)")
            return Tree(where, "", raw="?")
        if not plain:
            return Tree(where, text, raw=json.dumps(text, ensure_ascii=False))
        if _INT.fullmatch(text) and len(text) > MAX_DIGITS:
            self.complain(where, f"a number of {len(text)} digits, at most {MAX_DIGITS} are allowed")
            return Tree(where, 0, raw=text)
        return Tree(where, _resolve(text), raw=text)


def scalar_of(text: str) -> Scalar:
    """A plain scalar's value, as an override on the command line gives it."""
    if _INT.fullmatch(text) and len(text) > MAX_DIGITS:
        return text
    return _resolve(text)


def _resolve(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
