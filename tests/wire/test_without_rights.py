"""Commands run by somebody who may not enter the line's folder: they say so, and what to do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.wire

WITHOUT_ALL_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root's own right to pass any mode bits (capabilities(7)); others have none to lose."""


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    (folder / "journal").mkdir(parents=True)
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def called(*words: str, folder: Path | None = None, lang: str = "C") -> subprocess.CompletedProcess[str]:
    prefix = WITHOUT_ALL_RIGHTS if os.geteuid() == 0 else ()
    data = {} if folder is None else {"BELTKEEPER_DATA": str(folder)}
    return subprocess.run(
        (*prefix, sys.executable, "-m", "edge.cli", *words),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "LC_ALL": lang, **data},
    )


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_doctor_finds_it_failed_and_tells_the_rest(closed: Path, by: str) -> None:
    words = ("--data", str(closed)) if by == "option" else ()
    done = called("doctor", "demo", "--json", *words, folder=closed, lang="zh_CN.UTF-8")
    assert done.stderr == ""
    assert done.returncode == 3
    found = json.loads(done.stdout)
    refused = [one for one in found["findings"] if "Permission denied" in one["said"]]
    assert {one["check"] for one in refused} >= {"folders", "fsync", "databases"}
    assert {one["check"] for one in refused} >= {"plc", "readers"}, "a line may run, and hold them"
    assert all(one["verdict"] == "failed" for one in refused)
    assert all("beltkeeper 组成员" in one["fix"] for one in refused), refused
    assert {"python", "clock", "ports"} <= {one["check"] for one in found["findings"]}
    assert not [one for one in found["findings"] if one["check"] == "clock" and "Permission" in one["said"]]


def test_people_are_told_in_words(closed: Path) -> None:
    done = called("doctor", "demo", "--data", str(closed))
    assert (done.returncode, done.stderr) == (3, "")
    assert "run it as root or as a member of group beltkeeper" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "demo"), 3, "journal"),
        (("gateway", "demo"), 3, "inbox"),
        (("parcel", "1"), 3, "journal/journal.db"),
        (("keys", "list"), 3, "gateway.console"),
    ],
)
def test_other_commands_name_the_path(closed: Path, words: tuple[str, ...], code: int, says: str) -> None:
    done = called(*words, "--data", str(closed))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Permission denied" in done.stderr
    assert f"{closed}/{says}" in done.stderr
