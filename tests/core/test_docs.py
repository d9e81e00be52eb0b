"""What people read is true: commands and options exist, links resolve, both languages say the same, the map
names every room, file and invariant."""

import re
import shlex
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from edge.cli import Bus, Faults, app
from simulators.world.findings import INVARIANTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAGES = sorted([*READMES, ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
CODE = [
    path
    for room in ("edge", "drivers", "line_config", "api", "simulators")
    for path in (ROOT / room).rglob("*.py")
]
NOT_ROOMS = {"build", "dist"}
"""What tools leave behind at the top (.gitignore)."""
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of https://www.apache.org/licenses/LICENSE-2.0.txt."""
CHOICES = {"--faults": Faults, "--bus": Bus}
LISTED = re.compile(r"^\| `beltkeeper (.*?)` \|", re.MULTILINE)
"""A row of the table of commands, with a synopsis."""


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands() -> dict[str, TyperCommand | TyperGroup]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    kinds = (TyperCommand, TyperGroup)
    return {name: command for name, command in group.commands.items() if isinstance(command, kinds)}


def options_of(command: TyperCommand | TyperGroup) -> set[str]:
    """What ``--help`` shows; of a group, what its commands show together."""
    if isinstance(command, TyperGroup):
        parts = [part for part in command.commands.values() if isinstance(part, TyperCommand)]
        return set().union(*map(options_of, parts))
    return {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and not getattr(parameter, "hidden", False)
    }


def shell_lines(path: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text_of(path), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def typed(path: Path) -> list[list[str]]:
    """Every call of the program that a reader would copy, as arguments; ``make demo ARGS`` too."""
    calls = [shlex.split(line) for line in shell_lines(path)]
    found = [call[1:] for call in calls if call[0].endswith("beltkeeper")]
    return found + [
        ["demo", *shlex.split(args)] for args in re.findall(r'make demo ARGS="(.*?)"', text_of(path))
    ]


@pytest.mark.parametrize("path", READMES, ids=named)
def test_what_is_typed_is_understood(path: Path) -> None:
    calls = typed(path)
    assert {call[0] for call in calls} >= {"demo", "simulate", "check", "parcel"}
    for name, *arguments in calls:
        commands()[name].make_context(name, arguments)


@pytest.mark.parametrize("path", READMES, ids=named)
def test_the_table_lists_every_command_with_every_option(path: Path) -> None:
    rows = {row.split()[0]: row.replace(r"\|", "|") for row in LISTED.findall(text_of(path))}
    assert set(rows) == set(commands())
    for name, row in rows.items():
        assert set(re.findall(r"--[a-z-]+", row)) == options_of(commands()[name]), name
        for option, choices in re.findall(r"(--[a-z]+) ([a-z]+(?:\|[a-z]+)+)", row):
            assert choices.split("|") == list(CHOICES[option]), name


def test_a_command_that_is_mistyped_is_not_understood() -> None:
    for arguments in (["--parcel", "3"], ["--faults", "some"], ["--parcels", "none"]):
        with pytest.raises(Exception, match=r"(?i)no such option|not one of|valid integer"):
            commands()["demo"].make_context("demo", arguments)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    quoted = re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z]+)", text_of(path))
    typed_ones = [line.split()[1] for line in shell_lines(path) if line.startswith("make ")]
    assert {*quoted, *typed_ones} <= targets


def test_both_languages_give_the_same_commands() -> None:
    english, chinese = READMES
    assert shell_lines(english) == shell_lines(chinese)
    assert LISTED.findall(text_of(english)) == LISTED.findall(text_of(chinese))
    cells = re.compile(r"^\| (\d|`[^|]*?`) \|", re.MULTILINE)
    assert cells.findall(text_of(english)) == cells.findall(text_of(chinese))
    heads = re.compile(r"^#+ ", re.MULTILINE)
    assert heads.findall(text_of(english)) == heads.findall(text_of(chinese))


@pytest.mark.parametrize("path", READMES, ids=named)
def test_page_one_says_that_it_is_no_safety_function(path: Path) -> None:
    before = text_of(path).partition("\n## ")[0]
    assert "docs/safety.md" in before
    assert "no safety function" in before or "不是安全功能" in before


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_the_index_leads_to_every_page() -> None:
    index = text_of(DOCS / "README.md")
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", index)}
    assert {path for path in PAGES if path.parent != DOCS / "decisions"} - {DOCS / "README.md"} <= linked
    assert len(index.splitlines()) <= 40, "one screen"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_environment_variables_are_read_somewhere(path: Path) -> None:
    read = "".join(text_of(one) for one in [*CODE, *(ROOT / "tests").rglob("*.py"), ROOT / "Makefile"])
    assert all(name in read for name in set(re.findall(r"BELTKEEPER_[A-Z_]+", text_of(path))))


def rooms() -> set[str]:
    """Folders at the top that hold something, less what tools leave there."""
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and path.name not in NOT_ROOMS
        and not path.name.endswith(".egg-info")
        and any(one.is_file() and "__pycache__" not in one.parts for one in path.rglob("*"))
    }


def test_the_map_names_every_room() -> None:
    table = text_of(DOCS / "architecture.md").partition("## The rooms")[2].partition("\n## ")[0]
    listed = {row.partition("/")[0] for row in re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)}
    assert listed == rooms()
    inside = {f"edge/{path.name}" for path in (ROOT / "edge").iterdir() if (path / "__init__.py").is_file()}
    assert inside <= set(re.findall(r"`(edge/\w+)`", table))


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_files_that_are_named_exist(path: Path) -> None:
    """In backticks: a path from the top, or the end of one; a path of the machine is not ours."""
    files = [
        str(one.relative_to(ROOT)) for room in rooms() for one in (ROOT / room).rglob("*") if one.is_file()
    ]
    for name in re.findall(r"`([\w.-][\w/.-]*\.(?:py|yaml|csv))`", text_of(path)):
        assert any(file == name or file.endswith("/" + name) for file in files), name


def test_the_map_has_every_invariant_and_who_checks_it() -> None:
    rows = re.findall(
        r"^\| (\d+) \| `(\w+)` \| (.+?) \| (.+?) \|$", text_of(DOCS / "architecture.md"), re.MULTILINE
    )
    assert {name: int(number) for number, name, _, _ in rows} == INVARIANTS
    for _, name, _, checked_by in rows:
        files = re.findall(r"`(\w+\.py)`", checked_by)
        assert files, name
        for file in files:
            (path,) = (ROOT / "simulators").rglob(file)
            assert f'"{name}"' in text_of(path), f"{file} does not judge {name}"


@pytest.mark.parametrize("path", DECISIONS, ids=named)
def test_a_decision_is_one_page_of_one_form(path: Path) -> None:
    text = text_of(path)
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (\w+)", text, re.MULTILINE)[:3] == ["Context", "Decision", "Consequences"]
    assert re.search(r"^Status: \w+", text, re.MULTILINE)
    assert len(text.splitlines()) <= 60


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    changes = text_of(ROOT / "CHANGELOG.md")
    assert f"## [{version}]" in changes
    assert "### Added" in changes
    assert "### Not yet" in changes


def test_the_licence_is_complete() -> None:
    assert sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2
