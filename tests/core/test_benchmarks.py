"""What benchmarks say is reckoned rightly, and each of them is one file."""

import json
from pathlib import Path

import pytest

import benchmarks
from benchmarks.__main__ import BENCHMARKS
from benchmarks.figures import Figure, rank, write_json

FRAME = {
    "__init__",
    "__main__",
    "attack",
    "attackers",
    "bare",
    "bare_bus",
    "bench",
    "broken_pictures",
    "cameras",
    "figures",
    "misreads",
    "order_effect",
    "order_load",
    "order_server",
    "page_cost",
    "real_command",
    "real_line",
    "real_time",
    "record",
}


def test_a_benchmark_is_a_file_of_its_name() -> None:
    files = {path.stem for path in Path(benchmarks.__path__[0]).glob("*.py")}
    assert files - FRAME == set(BENCHMARKS)
    assert files >= FRAME


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [([], 99, 0), ([3], 50, 3), ([4, 1, 3, 2], 50, 2), (range(1, 101), 99, 99), (range(1, 12), 99, 11)],
)
def test_nearest_rank(values: list[float], percent: int, found: float) -> None:
    assert rank(values, percent) == found


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "reached"),
    [(1, None, None, True), (1, 1, None, True), (0.9, 1, None, False), (1, None, 1, True), (2, 0, 1, False)],
)
def test_what_is_asked_is_compared(
    value: float, at_least: float | None, at_most: float | None, reached: bool, tmp_path: Path
) -> None:
    figure = Figure(name="x", value=value, unit="s", at_least=at_least, at_most=at_most)
    assert figure.reached is reached
    write_json([figure], str(tmp_path / "json"))
    [told] = json.loads((tmp_path / "json").read_text())["figures"]
    assert (told["value"], told["reached"]) == (value, reached)
