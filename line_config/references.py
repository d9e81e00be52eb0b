"""References and names in a line's file, checked on the tree: also where other parts are wrong."""

import re
import zoneinfo
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import get_args

from edge.model.codes import GOODS_SYMBOLOGIES
from edge.model.records import RecordBody
from line_config.model import END
from line_config.packaged import packaged_names
from line_config.problems import Problem, Where, nearest
from line_config.validate import problem_at
from line_config.yaml_tree import Tree

Steps = tuple[str | int, ...]

NAMED = ("infeeds", "eyes", "readers", "reading_points", "diverters", "exits", "chutes", "benches")
"""Lists of named things."""
REFERENCES: tuple[tuple[str, str, str], ...] = (
    ("diverters", "eye", "eyes"),
    ("exits", "diverter", "diverters"),
    ("reasons", "chute", "chutes"),
)
"""(list, key of its items, list in which the name must be)"""


def check_references(tree: Tree, carriers: Sequence[str]) -> list[Problem]:
    """Unknown, doubled and contradicting names."""
    return [
        *_duplicates(tree),
        *_unknown_names(tree),
        *_exits(tree),
        *_devices(tree),
        *_benches(tree),
        *_reading_points(tree),
        *_timezone(tree),
        *_reading(tree, carriers),
        *_relay(tree),
    ]


def _items(tree: Tree, name: str) -> list[tuple[int, Tree]]:
    found = tree.child(name)
    return list(enumerate(found.content)) if found is not None and isinstance(found.content, list) else []


def _names(tree: Tree, name: str) -> list[str]:
    return [item.name for _, item in _items(tree, name) if item.name]


def _value(item: Tree, key: str) -> object:
    found = item.child(key)
    return found.content if found is not None else None


def _duplicates(tree: Tree) -> Iterator[Problem]:
    for name in NAMED:
        seen: dict[str, Where] = {}
        for index, item in _items(tree, name):
            if item.name in seen:
                what = f"is already an id, first in line {seen[item.name].line}"
                yield problem_at(tree, (name, index, "id"), what)
            elif item.name:
                seen[item.name] = item.where


def _unknown_names(tree: Tree) -> Iterator[Problem]:
    for source, key, target in REFERENCES:
        for index, item in _items(tree, source):
            yield from _unknown(tree, (source, index, key), _value(item, key), _names(tree, target), target)
    for index, item in _items(tree, "chutes"):
        known = list(dict.fromkeys([*_names(tree, "exits"), END]))
        yield from _unknown(tree, ("chutes", index, "exit"), _value(item, "exit"), known, "exits")
    chutes, default = _names(tree, "chutes"), _value(tree, "default_exception_chute")
    yield from _unknown(tree, ("default_exception_chute",), default, chutes, "chutes")
    loop = tree.child("recirculation")
    if loop is not None:
        yield from _unknown(tree, ("recirculation", "chute"), _value(loop, "chute"), chutes, "chutes")
    scale = tree.child("scale")
    for key in ("infeed_eye", "outfeed_eye"):
        if scale is not None:
            yield from _unknown(tree, ("scale", key), _value(scale, key), _names(tree, "eyes"), "eyes")


def _unknown(tree: Tree, steps: Steps, value: object, known: Sequence[str], noun: str) -> Iterator[Problem]:
    if isinstance(value, str) and value not in known:
        what = f"no such {noun.removesuffix('s')}"
        yield problem_at(tree, steps, what, nearest(value, known, noun=noun))


def _exits(tree: Tree) -> Iterator[Problem]:
    numbers: dict[int, str] = {}
    sides: dict[tuple[object, object], str] = {}
    for index, item in _items(tree, "exits"):
        no, side = _value(item, "no"), (_value(item, "diverter"), _value(item, "side"))
        if isinstance(no, int) and not isinstance(no, bool):
            if no in numbers:
                yield problem_at(tree, ("exits", index, "no"), f"is already the number of exit {numbers[no]}")
            numbers.setdefault(no, item.name)
        if isinstance(side[0], str) and isinstance(side[1], str):
            if side in sides:
                what = f"exit {sides[side]} is already on that side of {side[0]}"
                yield problem_at(tree, ("exits", index, "side"), what)
            sides.setdefault(side, item.name)
        if item.name == END:
            what = "is the name of the end of the line"
            yield problem_at(tree, ("exits", index, "id"), what, "name the exit otherwise")
    missing = sorted(set(range(1, len(numbers) + 1)) - set(numbers))
    if missing and len(numbers) == len(_items(tree, "exits")):
        shown = ", ".join(map(str, missing))
        yield problem_at(
            tree, ("exits",), f"numbers must be 1…{len(numbers)} without a gap; missing: {shown}"
        )
    given = [_value(item, "reason") for _, item in _items(tree, "reasons")]
    for index, reason in enumerate(given):
        if reason is not None and reason in given[:index]:
            yield problem_at(tree, ("reasons", index, "reason"), "has a chute already")


def _devices(tree: Tree) -> Iterator[Problem]:
    wanted: list[tuple[Steps, str]] = [(("plc", "device"), "plc"), (("scale", "device"), "scales")]
    for name in ("readers", "benches"):
        for index, item in _items(tree, name):
            connection = item.child("connection")
            camera = connection is not None and _value(connection, "kind") == "camera"
            wanted.append(((name, index, "device"), "cameras" if camera else "scanners"))
    for steps, folder in wanted:
        here: Tree | None = tree
        for step in steps:
            here = here.child(step) if here is not None else None
        if here is not None and isinstance(here.content, str):
            known = packaged_names("devices", folder)
            if here.content not in known:
                what = f"no such device file in devices/{folder}"
                yield problem_at(tree, steps, what, nearest(here.content, known))
    yield from _device_ids(tree)


def _device_ids(tree: Tree) -> Iterator[Problem]:
    """PLC, readers, scale and benches have ids of their own: links, alarms and metrics are named by them."""
    plc, scale = tree.child("plc"), tree.child("scale")
    taken = {(plc.name if plc is not None else "") or "plc"}
    for index, item in _items(tree, "readers"):
        if item.name in taken:
            yield problem_at(tree, ("readers", index, "id"), "is already the id of the PLC")
    taken.update(_names(tree, "readers"))
    if scale is not None and scale.name in taken:
        yield problem_at(tree, ("scale", "id"), "is already the id of another device")
    taken.add(scale.name if scale is not None else "")
    for index, item in _items(tree, "benches"):
        if item.name and item.name in taken:
            yield problem_at(tree, ("benches", index, "id"), "is already the id of another device")


def _benches(tree: Tree) -> Iterator[Problem]:
    gates: dict[int, str] = {}
    for index, item in _items(tree, "benches"):
        gate = _value(item, "gate")
        if isinstance(gate, int) and not isinstance(gate, bool):
            if gate in gates:
                yield problem_at(tree, ("benches", index, "gate"), f"is already the gate of {gates[gate]}")
            gates.setdefault(gate, item.name)
    if _value(tree, "review") == "required" and not _items(tree, "benches"):
        what = "no bench is there to review at: nothing could ship"
        yield problem_at(tree, ("review",), what, "add benches, or review: none")


def _reading_points(tree: Tree) -> Iterator[Problem]:
    """Readers of the line, each at one point at most."""
    readers, taken = _names(tree, "readers"), dict[object, str]()
    for index, item in _items(tree, "reading_points"):
        for place, reader in _items(item, "readers"):
            steps: Steps = ("reading_points", index, "readers", place)
            yield from _unknown(tree, steps, reader.content, readers, "readers")
            if reader.content in taken:
                yield problem_at(tree, steps, f"belongs to reading point {taken[reader.content]} already")
            taken.setdefault(reader.content, item.name)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _timezone(tree: Tree) -> Iterator[Problem]:
    site = tree.child("site")
    zone = _value(site, "timezone") if site is not None else None
    if isinstance(zone, str) and zone and zone not in _zones():
        hint = nearest(zone, sorted(_zones()))
        hint = hint if hint.startswith("did you mean") else "an IANA name, such as Asia/Shanghai"
        yield problem_at(tree, ("site", "timezone"), "no such time zone", hint)


def _reading(tree: Tree, carriers: Sequence[str]) -> Iterator[Problem]:
    reading = tree.child("reading")
    if reading is None:
        return
    for key in ("symbologies", "carriers", "foreign_carriers", "no_read"):
        values = [item.content for _, item in _items(reading, key)]
        for index, value in enumerate(values):
            if value in values[:index]:
                yield problem_at(tree, ("reading", key, index), "is given twice", "remove one")
            elif key.endswith("carriers"):
                yield from _unknown(tree, ("reading", key, index), value, carriers, "carriers")
            elif key == "symbologies" and value in GOODS_SYMBOLOGIES:
                yield problem_at(
                    tree, ("reading", key, index), "is for goods, never for a waybill", "remove it"
                )
    served = [item.content for _, item in _items(reading, "carriers")]
    for index, item in _items(reading, "foreign_carriers"):
        if item.content in served:
            yield problem_at(
                tree, ("reading", "foreign_carriers", index), "is served by this line", "remove it"
            )
    for key in ("patterns", "foreign_patterns"):
        for index, item in _items(reading, key):
            yield from _regex(tree, ("reading", key, index, "regex"), _value(item, "regex"))


def _regex(tree: Tree, steps: Steps, regex: object) -> Iterator[Problem]:
    if isinstance(regex, str):
        try:
            re.compile(regex)
        except (re.error, OverflowError, RecursionError) as error:
            yield problem_at(tree, steps, f"is no regular expression: {error}")


def _relay(tree: Tree) -> Iterator[Problem]:
    """Webhooks have ids of their own, none of them the broker's; their kinds are facts of the record."""
    relay = tree.child("relay")
    if relay is None:
        return
    known = sorted(one.__name__ for one in get_args(RecordBody))
    taken = {"mqtt"}
    for index, item in _items(relay, "webhooks"):
        steps: Steps = ("relay", "webhooks", index)
        if item.name in taken:
            yield problem_at(tree, (*steps, "id"), "is already the id of another target")
        taken.add(item.name)
        for place, kind in _items(item, "kinds"):
            yield from _unknown(tree, (*steps, "kinds", place), kind.content, known, "kinds")
