"""The commands: exit codes, one clear message for what is wrong, and what they print."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from edge import cli
from line_config.load import load_line
from line_config.packaged import packaged_names
from line_config.reachable import reachable
from simulators import report
from simulators.world.findings import INVARIANTS, Findings
from tests.core import store_kit

RUNNER = CliRunner()


def call(*words: str, lang: str = "en_GB.UTF-8") -> Result:
    env = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": lang, "BELTKEEPER_DATA": "", "COLUMNS": "120"}
    return RUNNER.invoke(cli.app, list(words), env=env)


@pytest.fixture(autouse=True)
def _loud_again() -> Iterator[None]:
    """``simulate`` turns the logs off for its process."""
    yield
    structlog.reset_defaults()


# -- check


@pytest.mark.parametrize("line", ["demo", "camera", "small", "fast", "loop", "tunnel"])
def test_the_packaged_lines_hold(line: str) -> None:
    told = call("check", line)
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith(f"line {line} (")
    assert told.stdout.rstrip().endswith("the line holds")
    assert told.stderr == ""


def test_a_broken_line_is_told_problem_by_problem_with_their_places(tmp_path: Path) -> None:
    good = (Path(cli.__file__).parents[1] / "line_config" / "lines" / "demo.yaml").read_text()
    broken = tmp_path / "broken.yaml"
    broken.write_text(good.replace("speed_mm_s: 1800", "speed_mm_s: fast").replace("port: 1502", "prt: 1502"))
    told = call("check", str(broken))
    assert told.exit_code == 2
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert len([one for one in lines if one.startswith(f"{broken}:")]) >= 2
    assert "speed_mm_s" in told.stderr
    assert "prt" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("check", "nowhere.yaml"),
        ("check", "demo", "--set", "line.speed_mm_s=900000"),
        ("check", "demo", "--set", "no.such.key=1"),
        ("run", "nowhere.yaml"),
        ("gateway", "nowhere.yaml"),
        ("simulate", "nowhere.yaml"),
        ("parcel", "1", "--line", "nowhere.yaml"),
    ],
)
def test_wrong_configuration_is_exit_2_and_no_traceback(words: tuple[str, ...]) -> None:
    told = call(*words)
    assert told.exit_code == 2
    assert told.stderr.strip()
    assert "Traceback" not in told.stderr


def test_without_a_command_it_says_what_there_is() -> None:
    told = call()
    text = told.stdout + told.stderr
    for name in ("run", "gateway", "check", "simulate", "demo", "parcel"):
        assert name in text


# -- simulate


def test_a_simulation_shows_its_figures_and_writes_its_json(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    told = call("simulate", "demo", "--parcels", "12", "--seed", "7", "--json", str(file))
    assert told.exit_code == 0, told.output
    assert "12 parcels" in told.stdout
    assert "every invariant held" in told.stdout
    found = json.loads(file.read_text())
    figures = {
        *("parcels", "exited", "mis_sorted", "lost", "unverified_shipped", "cancelled_shipped"),
        *(
            "undetectable",
            "read_rate",
            "by_reason",
            "never_reached",
            "inserted",
            "by_chute",
            "decide_to_told_ms",
            "plc_wait_ms",
        ),
        *("told_while_down", "violations", "checked", "digest", "decisions_digest", "virtual_s", "wall_s"),
    }
    assert figures <= set(found)
    assert (found["parcels"], found["exited"], found["lost"], found["violations"]) == (12, 12, 0, [])
    assert set(found["checked"]) == set(INVARIANTS)
    assert set(found["by_reason"]) | set(found["never_reached"]) == set(reachable(load_line("demo").topology))
    assert len(found["digest"]) == 64


def test_json_on_stdout_is_alone_there_and_the_same_again() -> None:
    first, second = (call("simulate", "small", "--parcels", "4", "--json", "-") for _ in range(2))
    assert first.exit_code == second.exit_code == 0, first.output
    one, two = json.loads(first.stdout), json.loads(second.stdout)
    assert one.pop("wall_s") > 0
    del two["wall_s"]
    assert one == two
    assert first.stderr == "", "no bar without a terminal"


def test_operators_read_it_in_chinese() -> None:
    told = call("simulate", "small", "--parcels", "3", lang="zh_CN.UTF-8")
    assert told.exit_code == 0
    assert "所有不变式均成立" in told.stdout
    assert "正常" in told.stdout


def test_both_languages_say_the_same_things() -> None:
    assert set(report.TEXTS["en"]) == set(report.TEXTS["zh"])


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("a,b\n1,2\n", "")],
    ids=["missing", "other columns"],
)
def test_orders_that_cannot_be_used_are_exit_2(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "orders.csv"
    if content is not None:
        file.write_text(content)
    told = call("simulate", "demo", "--parcels", "2", "--orders", str(file))
    assert told.exit_code == 2
    assert told.stderr.startswith("beltkeeper simulate: ")
    assert str(file) in told.stderr
    assert says in told.stderr
    assert "Traceback" not in told.stderr


def test_a_result_that_cannot_be_written_is_exit_3(tmp_path: Path) -> None:
    told = call("simulate", "small", "--parcels", "1", "--json", str(tmp_path / "no" / "run.json"))
    assert told.exit_code == 3
    assert "No such file or directory" in told.stderr


def test_a_broken_invariant_is_exit_1_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Findings.hold

    def lying(self: Findings, invariant: str, is_kept: bool, what: str, **where: int) -> bool:
        return kept(self, invariant, is_kept and invariant != "act_once", what, **where)

    monkeypatch.setattr(Findings, "hold", lying)
    told = call("simulate", "small", "--parcels", "3")
    assert told.exit_code == 1
    assert "NOT GOOD" in told.stdout
    assert "act_once (seed 7" in told.stdout


# -- parcel


def test_a_parcels_story_is_found_by_waybill_and_by_track(tmp_path: Path) -> None:
    scribe = store_kit.Scribe(tmp_path / "journal" / "journal.db")
    scribe.write(store_kit.clock(1, store_kit.MIDNIGHT))
    scribe.write(*store_kit.parcel_life(1, 10_000_000, "SF0000000000001"))
    scribe.close()
    for key in ("SF0000000000001", "1"):
        told = call("parcel", key, "--data", str(tmp_path))
        assert told.exit_code == 0, told.output
        for what in ("EyePassed", "Identified", "Weighed", "Decided", "Told", "Exited", "rule=r-17"):
            assert what in told.stdout
        assert "11-17 00:00:10" in told.stdout, "the site's own time"
        assert "Ended as ok: Verified and routed" in told.stdout


def test_an_unknown_parcel_is_exit_1_and_makes_no_folder(tmp_path: Path) -> None:
    told = call("parcel", "SF1", "--data", str(tmp_path / "none"))
    assert told.exit_code == 1
    assert "no parcel SF1 on record" in told.stdout
    assert not (tmp_path / "none").exists()


def test_a_record_that_cannot_be_read_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal.db").write_bytes(b"no database at all" * 100)
    told = call("parcel", "SF1", "--data", str(tmp_path))
    assert told.exit_code == 3
    assert "journal.db" in told.stderr
    assert "Traceback" not in told.stderr


# -- the data folder


@pytest.mark.parametrize("command", ["run", "gateway"])
def test_a_folder_that_cannot_be_made_is_exit_3_in_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    told = call(command, "demo", "--data", str(tmp_path / "file" / "data"))
    assert told.exit_code == 3
    assert len(told.stderr.splitlines()) == 1
    assert str(tmp_path) in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("read", "nothing.png"),
        ("no-reads", "camera", "--again"),
        ("simulate", "small", "--parcels", "1"),
        ("demo",),
    ],
)
def test_a_result_that_cannot_be_written_is_known_before_the_work(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*_: object, **__: object) -> None:
        raise AssertionError("it has begun")

    monkeypatch.setattr("edge.reading.read_files", worked)
    monkeypatch.setattr("edge.no_reads.tell_no_reads", worked)
    monkeypatch.setattr("simulators.rig.simulate", worked)
    monkeypatch.setattr("simulators.demo.run_demo", worked)
    told = call(*words, "--json", str(tmp_path / "no" / "result.json"))
    assert told.exit_code == 3
    assert told.stderr == f"beltkeeper {words[0]}: {tmp_path}/no/result.json: No such file or directory\n"


def test_only_linux(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert capsys.readouterr().err == "beltkeeper runs on Linux only.\n"


def test_the_packaged_lines_are_those_that_are_tested() -> None:
    assert packaged_names("lines") == ("camera", "demo", "fast", "loop", "small", "tunnel")
    assert ", ".join(packaged_names("lines")) in cli.LINE_HELP
