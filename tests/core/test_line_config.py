"""The packaged lines, plans, device files and tables, and the schemas made from the models."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.core import timing
from edge.model.topology import ChuteKind, EyeRole, ReaderSpeaks, ScaleKind, Topology
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason
from line_config import LineConfigError, load_line, load_plan
from line_config.device_files import PlcFile, ScaleFile, ScannerFile
from line_config.load import load_reasons, read_packaged
from line_config.make_regions import make_regions
from line_config.packaged import packaged, packaged_names
from line_config.regions import districts, exists, provinces, region_names, region_of
from line_config.schema_dump import SCHEMAS, schema_text

LINES = packaged_names("lines")


@pytest.fixture(scope="module")
def demo() -> Topology:
    return load_line("demo").topology


def test_the_lines_that_are_packaged() -> None:
    assert LINES == ("camera", "demo", "fast", "loop", "small", "tunnel")


@pytest.mark.parametrize("name", LINES)
def test_a_packaged_line_is_the_same_by_name_and_by_path(name: str) -> None:
    path = packaged("lines", f"{name}.yaml")
    assert load_line(name) == load_line(path) == load_line(str(path))


@pytest.mark.parametrize("name", LINES)
def test_eyes_and_exits_are_ordered_by_number(name: str) -> None:
    line = load_line(name).topology
    assert [eye.no for eye in line.eyes] == list(range(1, len(line.eyes) + 1))
    assert [one.no for one in line.exits] == list(range(1, len(line.exits) + 1))
    assert all(a.position_mm < b.position_mm for a, b in pairwise(line.eyes))
    assert all(a.position_mm <= b.position_mm for a, b in pairwise(line.exits))
    assert line.eyes[0].role is EyeRole.INDUCTION
    assert line.eyes[0].position_mm == 0
    assert line.eyes[-1].role is EyeRole.END
    assert line.eyes[-1].position_mm == line.end_mm


def test_the_demo_line(demo: Topology) -> None:
    assert (demo.speed_mm_s, demo.max_speed_mm_s, demo.nominal_per_h, demo.end_mm) == (1800, 1890, 6400, 9000)
    assert [one.position_mm for one in demo.diverters] == [4000, 5000, 6000, 7000, 8000]
    assert sum(chute.kind is ChuteKind.SHIPPING for chute in demo.chutes) == 8
    assert (demo.default_chute, demo.chutes[-1].exit) == ("END", len(demo.exits) + 1)
    assert demo.scale is not None
    assert demo.scale.kind is ScaleKind.BELT
    assert (demo.exits[0].commit_mm, demo.exits[0].deadline_mm) == (3744, 3572)


def test_the_small_line_reads_at_trigger_end_and_weighs_standing() -> None:
    small = load_line("small").topology
    assert [reader.speaks for reader in small.readers] == [ReaderSpeaks.AT_TRIGGER_END]
    assert small.scale is not None
    assert (small.scale.kind, small.scale.zone) == (ScaleKind.STATIC, 1)
    assert len(small.diverters) == 2


def test_the_fast_line_carries_12000_an_hour_without_a_scale() -> None:
    fast = load_line("fast").topology
    assert (fast.nominal_per_h, fast.scale, len(fast.diverters)) == (12000, None, 12)


def test_every_reason_has_a_chute_that_never_ships(demo: Topology) -> None:
    chutes = dict(demo.reason_chutes)
    assert set(chutes) == set(Reason) - {Reason.OK}
    kinds = {chute.id: chute.kind for chute in demo.chutes}
    assert {kinds[chute] for chute in chutes.values()} == {ChuteKind.REJECT, ChuteKind.END}
    assert chutes[Reason.NO_READ] == "REJECT"
    assert chutes[Reason.LOST] == "END"


def test_a_reason_may_have_a_chute_of_its_own(tmp_path: Path) -> None:
    text = packaged("lines", "demo.yaml").read_text(encoding="utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(text + "\nreasons:\n  - {reason: no_read, chute: END}\n", encoding="utf-8")
    chutes = dict(load_line(path).topology.reason_chutes)
    assert (chutes[Reason.NO_READ], chutes[Reason.MULTI_READ]) == ("END", "REJECT")


def test_map_hash_follows_what_the_plc_must_know(demo: Topology) -> None:
    same = load_line("demo", ["plc.port=15020", "weighing.tolerance_g=10", "chutes.001.reserve=20"])
    other = load_line("demo", ["diverters.d4.actuator_ms=110"])
    assert same.topology.map_hash == demo.map_hash != other.topology.map_hash
    assert 0 < demo.map_hash < 2**32


def _leaves(model: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in model.items():
        if isinstance(value, dict):
            found += _leaves(value, (*path, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found += _leaves(value[0], (*path, key, value[0].get("id", "0")))
        elif isinstance(value, int) and not isinstance(value, bool):
            found.append((*path, key))
    return found


LOADED = {name: load_line(name) for name in ("demo", "small")}
FILES: dict[str, Any] = {name: json.loads(line.file.model_dump_json()) for name, line in LOADED.items()}
NO_CHOICE = (("eyes", "induction", "position_mm"), ("exits", "x1", "no"), ("benches", "bench1", "gate"))
"""No other value, or none near it, is legal, and it is refused before it is read."""
NUMBERS = [
    ("demo", leaf) for leaf in _leaves(FILES["demo"]) if leaf[0] != "infeeds" and leaf not in NO_CHOICE
]
NUMBERS += [("small", ("scale", *leaf)) for leaf in _leaves(FILES["small"]["scale"])]


@pytest.mark.parametrize(
    ("name", "leaf"), NUMBERS, ids=lambda part: part if isinstance(part, str) else ".".join(part)
)
def test_every_number_of_a_line_is_read(name: str, leaf: tuple[str, ...]) -> None:
    """A key that changes nothing would be a key that nobody reads (infeeds are proved, not carried on)."""
    value: Any = FILES[name]
    for step in leaf:
        value = next(item for item in value if item["id"] == step) if isinstance(value, list) else value[step]
    changed = load_line(name, [f"{'.'.join(leaf)}={value - 1 or value + 1}"], proved=False)
    seen = ("topology", "scanners", "scale_port", "bench_ports", "api", "store", "pictures", "full_on_ms")
    assert any(getattr(changed, part) != getattr(LOADED[name], part) for part in seen)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_the_models(name: str) -> None:
    path = packaged("schema", f"{name}.schema.json")
    assert path.read_text(encoding="utf-8") == schema_text(name), "run python -m line_config.schema_dump"


def test_no_schema_has_free_keys_or_unbounded_values() -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, list):
            for index, item in enumerate(node):
                walk(item, f"{path}[{index}]")
        if not isinstance(node, dict):
            return
        match node.get("type"):
            case "object":
                assert node["additionalProperties"] is False, path
            case "integer":
                assert {"minimum", "maximum"} <= set(node) or "enum" in node, path
            case "array":
                assert "maxItems" in node, path
            case "number":
                raise AssertionError(f"{path}: a fraction")
            case "string":
                assert {"pattern", "maxLength", "enum", "const"} & set(node), path
        for key, item in node.items():
            walk(item, f"{path}.{key}")

    for name in SCHEMAS:
        walk(json.loads(schema_text(name)), name)


@pytest.mark.parametrize(
    ("folder", "model"), [("plc", PlcFile), ("scales", ScaleFile), ("scanners", ScannerFile)]
)
def test_device_files_are_strict_and_named_as_they_say(folder: str, model: Any) -> None:
    names = packaged_names("devices", folder)
    assert names
    for name in names:
        found, problems = read_packaged(model, "devices", folder, f"{name}.yaml")
        assert problems == []
        assert found is not None
        assert found.id == name


def test_reasons_have_texts_and_actions_in_both_languages() -> None:
    entries, problems = load_reasons()
    assert problems == []
    assert [entry.reason for entry in entries] == list(Reason)
    assert (
        len({entry.text.zh for entry in entries}) == len({entry.text.en for entry in entries}) == len(Reason)
    )
    assert all(entry.chute is not ChuteKind.SHIPPING for entry in entries if entry.reason is not Reason.OK)


def test_regions_are_real_and_whole() -> None:
    names = region_names()
    assert len(districts()) == 2978
    assert (names["44"], names["4403"], names["440305"]) == ("广东省", "深圳市", "南山区")
    assert len([code for code in names if len(code) == 2]) == 31
    one = region_of("440305")
    assert (one.province, one.city, one.district) == ("44", "4403", "440305")
    assert region_of("44").city == ""
    assert provinces() == {code for code in names if len(code) == 2} | {"71", "81", "82"}
    assert all(map(exists, ("44", "4403", "440305", "71", "8100", "820001")))
    assert not any(map(exists, ("99", "4499", "440399", "9901", "990101")))
    assert districts()[0].region == region_of("110101")


@pytest.mark.skipif("BELTKEEPER_TEST_DATA" not in os.environ, reason="needs BELTKEEPER_TEST_DATA")
def test_regions_are_those_of_the_source() -> None:
    source = Path(os.environ["BELTKEEPER_TEST_DATA"]) / "regions"
    assert packaged("regions.csv").read_text(encoding="utf-8") == make_regions(source)


def test_the_demo_plan_covers_every_province(demo: Topology) -> None:
    plan = load_plan("demo", demo)
    provinces = {rule.province for rule in plan.rules if not rule.carrier and not rule.city}
    assert {one.code[:2] for one in districts()} <= provinces
    assert {chute for rule in plan.rules for chute in rule.chutes} == {f"00{n}" for n in range(1, 9)}
    assert any(len(rule.chutes) > 1 for rule in plan.rules)
    assert {spot.carrier for spot in plan.blind_spots} == {"zto", "sto", "yunda"}
    assert any(spot.district == "542521" and spot.city == "5425" for spot in plan.blind_spots)


def test_a_plan_is_checked_against_tables_and_line(tmp_path: Path, demo: Topology) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "id: p\nversion: 1\nrules:\n"
        "  - {id: a, regions: ['99'], chutes: ['001']}\n"
        "  - {id: a, carrier: sff, chutes: ['009', '001', '001']}\n"
        "  - {id: c, regions: [44], chutes: [REJECT]}\n"
        "blind_spots:\n  - {carrier: zto, regions: ['123']}\n",
        encoding="utf-8",
    )
    with pytest.raises(LineConfigError) as raised:
        load_plan(path, demo)
    assert [str(problem).removeprefix(f"{path}:") for problem in raised.value.problems] == [
        '6:23: rules.c.regions[0] = 44: must be a text; put it in quotes: "44"',
        '8:30: blind_spots[0].regions[0] = "123": has a form that is not allowed; '
        'a code of 2, 4 or 6 digits in quotes, such as "4403"',
    ]
    path.write_text(path.read_text().replace("[44]", "['44', '44']").replace("['123']", "['1234']"))
    with pytest.raises(LineConfigError) as raised:
        load_plan(path, demo)
    assert [str(problem).removeprefix(f"{path}:") for problem in raised.value.problems] == [
        '4:23: rules.a.regions[0] = "99": no such region; codes are in regions.csv',
        "5:10: rules.a.id = a: is already the id of another rule",
        "5:22: rules.a.carrier = sff: no such carrier; did you mean sf?",
        '5:36: rules.a.chutes[0] = "009": is no shipping chute of line demo; did you mean 008?',
        '5:50: rules.a.chutes[2] = "001": is given twice; remove one',
        '6:29: rules.c.regions[1] = "44": matches the same parcels as rule c; remove one',
        "6:45: rules.c.chutes[0] = REJECT: is no shipping chute of line demo; "
        "shipping chutes: 001, 002, 003, 004, 005, 006, 007, 008",
        '8:30: blind_spots[0].regions[0] = "1234": no such region; codes are in regions.csv',
    ]


def test_windows_of_neighbours_never_touch_at_the_smallest_gap(demo: Topology) -> None:
    """What the lint proves about codes, with the core's own windows."""
    (reader,) = demo.readers
    width = timing.mm_to_ticks(timing.reader_uncertainty_mm(demo, reader), demo.ticks_per_m)
    pitch = timing.mm_to_ticks(demo.length_max_mm + demo.gap_min_mm, demo.ticks_per_m)
    first = timing.read_window(demo, reader, Ticks(0), demo.length_max_mm)
    second = timing.read_window(demo, reader, Ticks(pitch), demo.length_min_mm)
    assert first.last < second.first
    assert first.last - first.first > 2 * width


def test_a_parcel_is_captured_alone_and_settled(demo: Topology) -> None:
    assert demo.scale is not None
    window = timing.capture_window(demo, demo.scale, Ticks(1000), Mm(400), Mm(700), Mm(700))
    assert window is not None
    assert (window.first, window.last) == (1000 + 2 * (1300 + 400 + 284), 1000 + 2 * (2260 - 57))
    assert timing.capture_window(demo, demo.scale, Ticks(0), Mm(400), Mm(200), Mm(700)) is None
    near = timing.capture_window(demo, demo.scale, Ticks(0), Mm(400), None, Mm(400))
    assert near is not None
    assert near.last == 2 * (1300 + 400 + 400 - 57)
