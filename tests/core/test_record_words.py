"""The record in Chinese: nothing that the line or a link says of itself is without words."""

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from edge.model import events, records
from edge.model.codes import CodeStanding, ReadProof, ReadRule, Symbology
from edge.model.coding import CodingOutcome
from edge.model.verdict import Reason
from edge.model.weight import SampleState
from line_config.load import read_packaged
from line_config.record import LEFT_OUT, RecordFile, record_words

ROOT = Path(__file__).parents[2]
KINDS = [*get_args(events.Event), *get_args(records.RecordBody)]
ELSEWHERE = {Reason, ReadRule, CodeStanding, CodingOutcome, ReadProof, Symbology, SampleState}
"""Enumerations that other tables put into words; names of symbologies; samples are told as a range."""
SOURCES = [
    *ROOT.glob("edge/core/*.py"),
    *ROOT.glob("drivers/links/*.py"),
    *ROOT.glob("drivers/links/plc/*.py"),
    *(ROOT / "drivers/streams" / name for name in ("hid.py", "tcp.py", "transport_stream.py", "unix.py")),
]
SAYING = {"raise_alarm", "set_alarm", "LinkFailed", "MustNotCommand", "_fail"}
VERBATIM = {
    "{}: evdev is not installed (pip install 'beltkeeper[hid]')",
    "{}: {}",
    "{}",
}
"""A program's own message, and what the operating system says."""


def of_a_parcel() -> list[type]:
    """Rows that stand in a parcel's story: with its track, or its number on the PLC, or a wake for it."""
    return [
        kind
        for kind in KINDS
        if kind is events.Woke or {one.name for one in fields(kind)} & {"track", "number"}
    ]


def shown(kind: type) -> Iterator[tuple[str, Any]]:
    for name, hint in get_type_hints(kind).items():
        if name not in LEFT_OUT:
            yield name, hint
            for inner in parts(hint):
                if is_dataclass(inner):
                    yield from shown(inner)


def parts(hint: Any) -> Iterator[type]:
    if isinstance(hint, type):
        yield hint
    for inner in (*get_args(hint), *([hint.__supertype__] if hasattr(hint, "__supertype__") else [])):
        yield from parts(inner)


def test_every_step_field_and_value_of_a_parcels_story_is_in_the_table_and_nothing_else() -> None:
    found, problems = read_packaged(RecordFile, "record.yaml")
    assert found is not None, problems
    kinds = of_a_parcel()
    pairs = [pair for kind in kinds for pair in shown(kind)]
    enums = {one for _, hint in pairs for one in parts(hint) if issubclass(one, Enum)} - ELSEWHERE
    of_codes = {"readers", "standing", "symbology", "state", "proof"}
    assert found.steps.keys() == {kind.__name__ for kind in kinds}
    assert found.fields.keys() == {name for name, _ in pairs} - of_codes
    assert {name: set(values) for name, values in found.values.items()} == {
        one.__name__: {value.value if isinstance(value.value, str) else value.name.lower() for value in one}
        for one in enums
    }


def spoken(path: Path) -> Iterator[str]:
    """What this file says to people, with a ``7`` for whatever differs."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in SAYING:
                yield from (text for one in args for text in texts(one))
                yield from (text for key in node.keywords if key.arg == "detail" for text in texts(key.value))
            case ast.Assign(targets=[ast.Name(id="detail" | "shows" | "why" | "found")], value=value):
                yield from texts(value)
            case ast.Return(value=ast.Tuple(elts=[ast.Attribute(value=ast.Name(id="LineState")), why])):
                yield from texts(why)
            case ast.Tuple(elts=[ast.Attribute(value=ast.Name(id="StateBit")), _, subject]):
                yield from texts(subject)


def texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=pieces):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in pieces)
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_whatever_is_said_has_chinese_words(path: Path) -> None:
    said = {text for text in spoken(path) if text not in VERBATIM}
    assert {text for text in said if any(one.isascii() and one.isalpha() for one in told(text))} == set()


def told(text: str) -> str:
    """In Chinese; what stays as it is called (PLC) is no English sentence."""
    return record_words("zh").sentence(text.replace("{}", "7")).replace("PLC", "")


def test_a_scan_of_the_sources_finds_what_is_said() -> None:
    said = {text for path in SOURCES for text in spoken(path)}
    assert {"latched, waits for a reset", "{}: silent for {} ms", "pull-cord", "is under zero"} <= said
    assert len(said) > 40


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("PLC silent: no connection to 127.0.0.1:5020", "PLC 无应答：连不上 127.0.0.1:5020"),
        ("127.0.0.1:9000: closed by the other end", "127.0.0.1:9000：被对方关闭"),
        ("shows 12 g while empty", "空秤时显示 12 克"),
        ("order SO-7 went to repick", "订单 SO-7 的货去了重拣"),
        ("c5: 5000 g, weighed 5030 g, good", "c5（5000 克）：称得 5030 克，良好"),
        ("by operator-1", "由 operator-1 保持"),
        ("scale: Connection refused", "scale：Connection refused"),
        ("of another kind", "of another kind"),
    ],
)
def test_sentences(english: str, chinese: str) -> None:
    assert record_words("zh").sentence(english) == chinese
    assert record_words("en").sentence(english) == english
