"""Every clause of docs/plc-contract.md is named by a test, and every name is a clause."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@functools.cache
def clauses() -> dict[str, str]:
    """id → owner, from the tables of section 5."""
    text = (ROOT / "docs" / "plc-contract.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]+-\d+) \| (\w+) \|", text, re.MULTILINE)
    assert len(rows) == len({row[0] for row in rows}), "an id stands twice"
    return dict(rows)


@functools.cache
def named() -> dict[str, list[str]]:
    """id → files whose tests name it in ``@clause(...)``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "clause(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for call in node.decorator_list:
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and call.func.id == "clause"
                ):
                    for argument in call.args:
                        assert isinstance(argument, ast.Constant)
                        found.setdefault(str(argument.value), []).append(path.name)
    return found


def test_owners() -> None:
    assert set(clauses().values()) == {"PLC", "PC", "LINT"}


def test_no_test_names_a_clause_that_does_not_exist() -> None:
    assert set(named()) <= set(clauses())


@pytest.mark.parametrize("owner", ["PLC", "PC", "LINT"])
def test_every_clause_is_named_by_a_test(owner: str) -> None:
    missing = [name for name, whose in clauses().items() if whose == owner and name not in named()]
    assert missing == []


def test_the_plcs_clauses_are_proved_on_the_simulated_plc() -> None:
    own = {name for name, whose in clauses().items() if whose == "PLC"}
    by_simulator = {name for name, files in named().items() if any("sim_plc" in file for file in files)}
    assert own <= by_simulator
