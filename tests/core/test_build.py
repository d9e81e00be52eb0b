"""The build's name changes with the sources that decide, and only with them."""

import re
from pathlib import Path

import pytest

from edge.runtime import build


@pytest.fixture(autouse=True)
def _afresh() -> None:
    build.build_id.cache_clear()


def test_a_build_is_a_version_and_a_hash_the_same_each_time() -> None:
    first = build.build_id()
    build.build_id.cache_clear()
    assert first == build.build_id()
    assert re.fullmatch(r"[^+]+\+[0-9a-f]{8}", first)


def test_other_sources_are_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("core", "model", "runtime", "store"):
        (tmp_path / name).mkdir()
    source = tmp_path / "core" / "line.py"
    source.write_text("decide = 1\n")
    monkeypatch.setattr(build, "__file__", str(tmp_path / "runtime" / "build.py"))
    names = []
    for text in ("decide = 1\n", "decide = 2\n", "decide = 1\n"):
        source.write_text(text)
        build.build_id.cache_clear()
        names.append(build.build_id())
    assert names[0] == names[2] != names[1]
    (tmp_path / "store" / "more.py").write_text("")
    build.build_id.cache_clear()
    assert build.build_id() == names[2]
