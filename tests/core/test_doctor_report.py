"""The doctor's table of checks, how it is run, and what people and programs are told."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edge.doctor import CHECKS, Examined, Machine, Verdict, as_json, examine, show, worst
from edge.doctor.checks import Check
from edge.doctor.findings import Finding, Words, failed, good, warning
from line_config import load_line
from tests.core.doctor_kit import told
from tests.core.test_cli import call
from tests.patience import PATIENCE_S


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(line=load_line("demo"), data=tmp_path)


# -- the table


def test_the_table_has_what_a_line_pc_needs_each_once_and_bounded() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert {"python", "libzbar", "opencv", "serial", "groups", "cameras", "plc", "space", "fsync"} <= set(
        names
    )
    assert {"clock", "ports", "sqlite", "databases"} <= set(names)
    assert all(0 < check.limit_s <= 15 for check in CHECKS)


def test_a_check_that_hangs_is_given_up_and_the_next_is_told() -> None:
    never = threading.Event()

    def hangs(_: Machine) -> Iterator[Finding]:
        never.wait(30)
        yield good("", "late", "晚")

    checks = (
        Check("hangs", Words("hangs", "卡住"), 0.05, hangs),
        Check("next", Words("next", "下一项"), PATIENCE_S, lambda _: [good("", "there", "在")]),
    )
    first, second = examine(Machine(line=None, data=Path("/")), checks)
    never.set()
    assert told(first.findings) == [("failed", "no answer within 0 s")]
    assert told(second.findings) == [("good", "there")]


def test_only_what_can_be_long_has_no_limit_where_all_is_looked_at(machine: Machine) -> None:
    assert [check.name for check in CHECKS if check.can_be_long] == ["databases"]
    may_end = threading.Event()

    def slow(_: Machine) -> Iterator[Finding]:
        may_end.wait(PATIENCE_S)
        yield good("", "to its end", "到末尾")

    check = Check("slow", Words("slow", "慢"), 0.05, slow, can_be_long=True)
    [short] = examine(machine, (check,))
    later = threading.Timer(0.2, may_end.set)
    later.start()
    [whole] = examine(replace(machine, whole=True), (check,))
    later.join()
    assert told(short.findings) == [("failed", "no answer within 0 s")]
    assert told(whole.findings) == [("good", "to its end")]


@pytest.mark.parametrize(
    ("error", "said", "fix"),
    [
        (
            PermissionError(13, "Permission denied", "/data/inbox"),
            "/data/inbox: cannot be looked at: Permission denied",
            "as a member of group beltkeeper",
        ),
        (OSError(5, "Input/output error"), "cannot be looked at: Input/output error", "journalctl -k"),
    ],
)
def test_what_the_machine_refuses_is_a_failed_check(error: OSError, said: str, fix: str) -> None:
    def refused(_: Machine) -> Iterator[Finding]:
        yield good("", "so far", "至此")
        raise error

    checks = (
        Check("refused", Words("refused", "被拒"), PATIENCE_S, refused),
        Check("next", Words("next", "下一项"), PATIENCE_S, lambda _: [good("", "there", "在")]),
    )
    first, second = examine(Machine(line=None, data=Path("/")), checks)
    assert told(first.findings) == [("good", "so far"), ("failed", said)]
    remedy = first.findings[1].fix
    assert remedy is not None
    assert fix in remedy.en
    assert told(second.findings) == [("good", "there")]


def test_a_check_that_is_broken_is_our_error_and_raised() -> None:
    def broken(_: Machine) -> Iterator[Finding]:
        raise KeyError("ours")
        yield

    with pytest.raises(KeyError, match="ours"):
        list(examine(Machine(line=None, data=Path("/")), (Check("b", Words("b", "b"), PATIENCE_S, broken),)))


def test_what_is_not_good_must_say_what_to_do() -> None:
    with pytest.raises(AssertionError):
        Finding("", Verdict.FAILED, Words("x", "x"), None)


# -- what is told


FOUND = (
    Examined(CHECKS[0], (good("", "fine", "好"),)),
    Examined(CHECKS[4], (warning("a", "so so", "一般", fix=Words("mend it", "修理")),)),
    Examined(CHECKS[6], (failed("b", "broken", "坏了", fix=Words("replace it", "更换")),)),
)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("ok", "warning", "FAILED", "a: so so", "→ mend it", "1 good, 1 to look at, 1 failed.")),
        ("zh", ("正常", "注意", "失败", "a: 一般", "→ 修理", "正常 1 项，注意 1 项，失败 1 项。")),
    ],
)
def test_people_are_told_in_their_language(machine: Machine, language: str, words: tuple[str, ...]) -> None:
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    assert show(machine, iter(FOUND), language, console) == FOUND
    text = console.export_text()
    console.file.close()
    assert all(word in text for word in words), text


def test_json_names_each_check_and_what_to_do(machine: Machine) -> None:
    found = as_json(machine, FOUND, "en")
    assert (found["line"], found["verdict"]) == ("demo", "failed")
    assert found["findings"][1] == {
        "check": "groups",
        "subject": "a",
        "verdict": "warning",
        "said": "so so",
        "fix": "mend it",
    }


@pytest.mark.parametrize(("upto", "verdict", "code"), [(1, "good", 0), (2, "warning", 1), (3, "failed", 3)])
def test_the_exit_status_is_the_worst_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, upto: int, verdict: str, code: int
) -> None:
    assert worst(FOUND[:upto]).value == verdict
    monkeypatch.setattr("edge.doctor.examine", lambda machine: iter(FOUND[:upto]))
    shown = call("doctor", "demo", "--data", str(tmp_path))
    assert shown.exit_code == code, shown.output
    machine_told = call("doctor", "demo", "--data", str(tmp_path), "--json", lang="zh_CN.UTF-8")
    assert machine_told.exit_code == code
    assert json.loads(machine_told.stdout)["verdict"] == verdict
    assert json.loads(machine_told.stdout)["findings"][0]["said"] == "好"


def test_without_a_line_only_the_machine_is_examined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told_json = call("doctor", "--data", str(tmp_path), "--json")
    found = json.loads(told_json.stdout)
    assert found["line"] is None
    assert {one["check"] for one in found["findings"]} == {check.name for check in CHECKS}
    assert told_json.exit_code == {"good": 0, "warning": 1, "failed": 3}[found["verdict"]]


def test_a_wrong_line_is_exit_2() -> None:
    assert call("doctor", "nowhere.yaml").exit_code == 2
