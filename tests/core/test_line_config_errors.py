"""Wrong configuration: golden error texts, all at once, each at its place."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from line_config import LineConfigError, load_line
from line_config.packaged import packaged
from line_config.yaml_tree import MAX_BYTES

DEMO = packaged("lines", "demo.yaml").read_text(encoding="utf-8")
GOLDEN: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(
    Path(__file__).with_name("test_line_config_golden.yaml").read_text(encoding="utf-8")
)
CASES = [pytest.param(case, id=f"{group}: {case['name']}") for group in GOLDEN for case in GOLDEN[group]]


def problems_of(path_or_name: str | Path, overrides: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(LineConfigError) as raised:
        load_line(path_or_name, overrides)
    return [str(problem) for problem in raised.value.problems]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_golden(case: dict[str, Any], here: Path) -> None:
    text = DEMO
    for old, new in case["edits"]:
        assert old in text, f"the demo line no longer has {old!r}"
        text = text.replace(old, new, 1)
    (here / "demo.yaml").write_text(text, encoding="utf-8")
    assert problems_of("demo.yaml") == case["problems"]


def test_there_are_many_golden_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "x.yaml: is empty"),
        (b"# nothing\n", "x.yaml: is empty"),
        (b"3\n", "x.yaml:1:1: must be a mapping"),
        (b"- 3\n", "x.yaml:1:1: must be a mapping"),
        (b"site:\n  id: caf\xe9\n", "x.yaml:2:10: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfea\x00", "x.yaml:1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a: " + b"[" * 40, "x.yaml:1:15: is nested deeper than 12 levels"),
        (b"a: [" + b"1," * 30_000 + b"]", "x.yaml:1:39999: has more than 20000 values"),
        (b"#" * (MAX_BYTES + 1), "x.yaml: is larger than 256 KiB"),
        (b"a: &a [x]\nb: &b [*a, *a]\n", "x.yaml:1:4: anchors (&name) are not allowed; write each value out"),
    ],
)
def test_files_that_are_no_lines(content: bytes, problem: str, here: Path) -> None:
    (here / "x.yaml").write_bytes(content)
    assert problem in problems_of("x.yaml")


def test_a_file_that_is_not_there_or_a_directory(here: Path) -> None:
    (here / "folder.yaml").mkdir()
    assert problems_of("none.yaml") == ["none.yaml: no such file"]
    assert problems_of("folder.yaml") == ["folder.yaml: is a directory, not a file"]
    assert problems_of(here / "none") == [f"{here / 'none'}: no such file"]
    assert problems_of("demp") == ["demp: no such file or packaged name; did you mean demo?"]
    assert problems_of("a\0b") == ["'a\\x00b': is no file name"]
    assert problems_of("x" * 300 + ".yaml") == ["x" * 300 + ".yaml: cannot be read (File name too long)"]


def test_a_file_that_may_not_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (here / "x.yaml").write_text(DEMO, encoding="utf-8")
    monkeypatch.setattr(Path, "open", refuse)
    assert problems_of("x.yaml") == ["x.yaml: cannot be read (Permission denied)"]


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("plc.port", "override plc.port: is not an override; give path=value, as in plc.port=15020"),
        ("=3", "override =3: is not an override; give path=value, as in plc.port=15020"),
        ("plc..port=3", "override plc..port=3: is not an override; give path=value, as in plc.port=15020"),
        ("plc.port=", "override plc.port=: has no printable value; give path=value, as in plc.port=15020"),
        ("plc.port=0", "override plc.port=0: plc.port = 0: must be at least 1"),
        ("plc.port=x", "override plc.port=x: plc.port = x: must be a whole number"),
        (
            'plc.port="15020"',
            'override plc.port="15020": plc.port = "15020": must be a whole number; without quotes: 15020',
        ),
        ("a\nb=1", r"override 'a\nb=1': is not an override; give path=value, as in plc.port=15020"),
        ("\udc80=1", r"override '\udc80=1': is not an override; give path=value, as in plc.port=15020"),
        ("plc.prt=1", "override plc.prt=1: plc.prt = 1: is not a known key; did you mean port?"),
        ("plv.port=1", "override plv.port=1: plv: is not a known key; did you mean plc?"),
        ("plc.port.x=1", "override plc.port.x=1: plc.port.x: has nothing below it"),
        (
            "readers.tob.field_mm=1",
            "override readers.tob.field_mm=1: readers.tob: there is no such thing; did you mean top?",
        ),
        ("readers.0=1", "override readers.0=1: readers.0: there is no such thing; known: top"),
        ("exits=3", "override exits=3: exits = 3: must be a list"),
        (
            "plc.heartbeat_ms=310",
            "override plc.heartbeat_ms=310: plc.heartbeat_ms = 310: one lost answer would drop the belt's "
            "commands: need more than 310 ms; time-out + reopening + one cycle",
        ),
    ],
)
def test_overrides_are_checked_like_the_file(override: str, problem: str) -> None:
    assert problem in problems_of("demo", (override,))


def test_a_file_does_not_speak_to_the_terminal(here: Path) -> None:
    (here / "x.yaml").write_text('"a\\e[31m\\nb": 1\n', encoding="utf-8")
    assert r"x.yaml:1:1: a\x1b[31m\nb = 1: is not a known key" in problems_of("x.yaml")[0]


def test_too_many_overrides() -> None:
    assert problems_of("demo", ("plc.port=1",) * 65) == ["overrides: 65 are given, at most 64 are allowed"]


def test_overrides_apply_in_order_and_reach_named_things_and_new_keys() -> None:
    line = load_line(
        "demo",
        [
            "plc.port=1",
            "plc.port=15020",
            "plc.timeout_ms=150",
            "readers.top.connection.port=15021",
            "scale.connection.path=/dev/pts/7",
            "api.port=18080",
            "store.min_free_mb=64",
            'chutes.001.id="0x1"',
        ],
    )
    assert (line.plc.port, line.plc.timeout_ms) == (15020, 150)
    assert line.scanners[0].connection.kind == "tcp_client"
    assert line.scanners[0].connection.port == 15021
    assert line.scale_port is not None
    assert line.scale_port.connection.kind == "serial"
    assert line.scale_port.connection.path == "/dev/pts/7"
    assert (line.api.port, line.store.min_free_mb) == (18080, 64)
    assert line.topology.chutes[0].id == "0x1"


def test_a_flood_of_problems_is_cut_in_the_text_only(here: Path) -> None:
    (here / "x.yaml").write_text("a: 1\n" * 1_000, encoding="utf-8")
    with pytest.raises(LineConfigError) as raised:
        load_line("x.yaml")
    lines = str(raised.value).splitlines()
    assert len(lines) == 201
    assert lines[-1] == f"… and {len(raised.value.problems) - 200} more"
    assert len(raised.value.problems) > 1_000
