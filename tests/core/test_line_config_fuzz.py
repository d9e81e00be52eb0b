"""Whatever a file or an override says: a line, or ``LineConfigError`` with places; nothing else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from line_config import LineConfigError, load_line
from line_config.lint import lint
from line_config.packaged import packaged
from line_config.report import render_report
from line_config.yaml_tree import parse_yaml

DEMO = packaged("lines", "demo.yaml").read_text(encoding="utf-8")
LINES = DEMO.splitlines(keepends=True)
WORDS = [
    *("0", "-1", "1.5", ".nan", "1e999", "9" * 30, "null", "true", "", "~", "[]", "{}", "[1]", "{a: b}"),
    *("'001'", '"', "'", "&a x", "*a", "!!int 3", "<<", "? x", "- x", "|", ">", "#", "\t", "\0", "\ud83d"),
    *(
        "end",
        "x1",
        "d1",
        "past_d1",
        "induction",
        "scale",
        "END",
        "001",
        "belt",
        "static",
        "none",
        "tcp_server",
    ),
    *("Asia", "../x", "/dev/null", "(((", "a" * 3000, "\\U00110000", '"\\uD800"', "---", "...", "%YAML 9.9"),
]
PATHS = [
    "plc.port",
    "exits.x1.no",
    "scale.kind",
    "eyes.end.role",
    "chutes.001.exit",
    "line.speed_mm_s",
    "site.timezone",
]


def well_said(path: Path, overrides: tuple[str, ...] = ()) -> bool:
    """Whether all that is said of this line has its place, on one line each; of one that loads unproved
    there must be a proof, good or bad."""
    try:
        line = load_line(path, overrides, proved=False)
    except LineConfigError as error:
        problems = error.problems
        return bool(problems) and all(
            str(one.where) and one.what and "\n" not in str(one) for one in problems
        )
    return bool(render_report(lint(line)))


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The demo file with some of its words replaced, lines doubled, dropped or swapped."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["word", "double", "drop", "swap", "indent", "cut"])):
            case "word":
                words = lines[at].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(
                    st.sampled_from(WORDS) | st.text(max_size=8)
                )
                lines[at] = " ".join(words).rstrip("\n") + "\n"
            case "double":
                lines.insert(at, lines[at])
            case "drop":
                del lines[at]
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "indent":
                lines[at] = " " * draw(st.integers(1, 3)) + lines[at]
            case _:
                lines[at] = lines[at][: len(lines[at]) // 2] + "\n"
    return "".join(lines)


FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(text=edited())
def test_edited_lines(text: str, tmp_path: Path) -> None:
    path = tmp_path / "line.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert well_said(path)


@FUZZ
@given(position=st.integers(0, len(DEMO.encode()) - 1), junk=st.binary(max_size=6), cut=st.integers(0, 6))
def test_damaged_bytes(position: int, junk: bytes, cut: int, tmp_path: Path) -> None:
    data = DEMO.encode()
    path = tmp_path / "line.yaml"
    path.write_bytes(data[:position] + junk + data[position + cut :])
    assert well_said(path)


@FUZZ
@given(
    overrides=st.lists(
        st.tuples(st.sampled_from(PATHS) | st.text(max_size=12), st.sampled_from(WORDS)), max_size=3
    )
)
def test_overrides(overrides: list[tuple[str, str]]) -> None:
    assert well_said(packaged("lines", "demo.yaml"), tuple(f"{path}={value}" for path, value in overrides))


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@`,? \n\t\\x0é☃"), max_size=60))
def test_any_text_is_a_tree_or_problems(text: str) -> None:
    tree, problems = parse_yaml(text, "x.yaml")
    assert tree is not None or problems


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("key", ["timezone: Asia/Shanghai", "kind: belt"])
def test_every_word_in_some_places(word: str, key: str, tmp_path: Path) -> None:
    name = key.split(":", maxsplit=1)[0]
    path = tmp_path / "line.yaml"
    path.write_bytes(DEMO.replace(key, f"{name}: {word}", 1).encode("utf-8", "surrogatepass"))
    assert well_said(path)
