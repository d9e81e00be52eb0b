"""The codec: everything that can be on record comes back equal, and in one form only."""

import json
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.model.codes import Code, Symbology
from edge.model.events import Event
from edge.model.ids import TrackId
from edge.model.order import Order
from edge.model.records import AlarmRaised, RecordBody
from edge.store.errors import RowMalformed
from edge.store.rows import EVENTS, RECORDS, decode, decode_row, encode, members


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    pass


@dataclass(slots=True, kw_only=True)
class Tree:
    """Every shape a core's state may have."""

    tracks: dict[TrackId, One]
    names: dict[str, tuple[int, ...]]
    colours: dict[Colour, int]
    sizes: dict[Size, Size | None]
    either: One | Nothing | None
    pair: tuple[int, str]
    items: list[One]
    seen: bool
    later: int = 7
    more: list[int] = field(default_factory=list)


TREE = Tree(
    tracks={TrackId(10): One(kind="a"), TrackId(9): One(kind="b")},
    names={"z": (1, 2), "a": ()},
    colours={Colour.RED: 1},
    sizes={Size.BIG: Size.BIG},
    either=One(kind="x"),
    pair=(1, "two"),
    items=[One(kind="y")],
    seen=True,
)


@given(item=st.one_of([st.from_type(cls) for cls in (*EVENTS.values(), *RECORDS.values())]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_event_and_record_comes_back_equal(item: Any) -> None:
    text = encode(item)
    back = decode_row(type(item).__name__, text)
    assert back == item
    assert type(back) is type(item)
    assert encode(back) == text
    assert text.isascii()
    assert "\n" not in text
    keys = list(json.loads(text))
    assert keys == sorted(keys)


@given(order=st.from_type(Order))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_orders_come_back_equal(order: Order) -> None:
    assert decode(Order, encode(order)) == order


def test_kinds_are_named_once_over_events_and_records() -> None:
    assert len(EVENTS) == len(members(Event))
    assert len(RECORDS) == len(members(RecordBody))
    assert not EVENTS.keys() & RECORDS.keys()


def test_a_state_tree_comes_back_equal_with_its_order_of_entries() -> None:
    back = decode(Tree, encode(TREE))
    assert back == TREE
    assert list(back.tracks) == [10, 9]
    assert list(back.names) == ["z", "a"]
    assert type(next(iter(back.sizes))) is Size


@pytest.mark.parametrize("either", [None, Nothing(), One(kind="$")])
def test_a_union_of_classes_carries_its_class(either: One | Nothing | None) -> None:
    tree = decode(
        Tree, encode(TREE).replace('"either":{"$":"One","kind":"x"}', f'"either":{_tagged(either)}')
    )
    assert tree.either == either


def _tagged(value: One | Nothing | None) -> str:
    if value is None:
        return "null"
    return json.dumps({"$": type(value).__name__, **json.loads(encode(value))})


def test_the_form_is_compact_sorted_and_ascii() -> None:
    code = Code(text='快"\ud800\n', symbology=Symbology.CODE128)
    assert encode(code) == '{"proof":null,"symbology":"code128","text":"\\u5feb\\"\\ud800\\n"}'
    assert decode(Code, encode(code)) == code


def test_a_missing_key_takes_its_default() -> None:
    text = encode(TREE).replace('"later":7,', "").replace('"more":[],', "")
    assert "later" not in text
    assert decode(Tree, text) == TREE


BAD = [
    ("not JSON", "not JSON"),
    ("[]", "an object expected"),
    ('{"symbology":"qr"}', "missing keys"),
    ('{"symbology":"qr","text":"x","extra":1}', "unknown keys"),
    ('{"symbology":"qr","text":1}', "str expected"),
    ('{"symbology":"qr","text":null}', "str expected"),
    ('{"symbology":"telepathy","text":"x"}', "is no Symbology"),
    ('{"symbology":1,"text":"x"}', "Symbology expected"),
    ("[" * 100_000, "not JSON"),
]


@pytest.mark.parametrize(("text", "why"), BAD, ids=[why + text[:20] for text, why in BAD])
def test_what_does_not_fit_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(RowMalformed, match=why):
        decode(Code, text)


BAD_TREE = [
    ('"pair":[1,"two"]', '"pair":[1]', r"Tree\.pair: a list expected"),
    ('"pair":[1,"two"]', '"pair":[true,"two"]', r"Tree\.pair: int expected, found True"),
    ('"seen":true', '"seen":1', r"Tree\.seen: bool expected"),
    ('"later":7', '"later":7.0', r"Tree\.later: int expected"),
    ('"$":"One"', '"$":"Two"', r"Tree\.either: one of"),
    ('"9":', '"nine":', r"Tree\.tracks: \['nine'\]"),
    ('"red":1', '"blue":1', r"Tree\.colours: \['blue'\]"),
    ('"items":[{', '"items":[7,{', r"Tree\.items: One: an object expected, found 7"),
    ('"kind":"b"', '"kind":2', r"Tree\.tracks: .*One\.kind: str expected"),
]


@pytest.mark.parametrize(("was", "becomes", "why"), BAD_TREE, ids=[becomes for _, becomes, _ in BAD_TREE])
def test_a_refusal_names_the_path(was: str, becomes: str, why: str) -> None:
    text = encode(TREE)
    assert was in text
    with pytest.raises(RowMalformed, match=why):
        decode(Tree, text.replace(was, becomes))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RowMalformed, match="EyeWinked"):
        decode_row("EyeWinked", "{}")


@dataclass(frozen=True)
class WithFloat:
    ratio: float


@dataclass(frozen=True)
class WithBytes:
    blob: bytes


@pytest.mark.parametrize("value", [WithFloat(0.5), WithBytes(b""), 7])
def test_a_type_without_canonical_form_is_refused_when_it_is_first_met(value: object) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_a_value_of_another_type_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode(AlarmRaised(at_us=1.5, kind="jam", subject="", detail=""))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        encode(AlarmRaised(at_us=1, kind="jam", subject=3, detail=""))  # type: ignore[arg-type]
