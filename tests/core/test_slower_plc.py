"""A line with a slower PLC behind it is still a line that lint accepts."""

from dataclasses import replace

import pytest

from line_config.lint import findings
from line_config.load import load_line
from line_config.slower import with_slower_plc


@pytest.mark.parametrize(
    ("name", "turnaround_ms", "timeout_ms", "heartbeat_ms", "cycle_ms"),
    [
        ("demo", 20, 100, 450, 100),
        ("demo", 40, 120, 450, 120),
        ("small", 100, 300, 901, 300),
        ("small", 200, 600, 1_701, 600),
        ("fast", 20, 100, 450, 100),
    ],
)
def test_settings_follow_and_lint_accepts_them(
    name: str, turnaround_ms: int, timeout_ms: int, heartbeat_ms: int, cycle_ms: int
) -> None:
    line = load_line(name)
    slower = with_slower_plc(line, turnaround_ms)
    plc = slower.plc
    assert (plc.turnaround_ms, plc.timeout_ms, plc.heartbeat_ms, plc.cycle_ms) == (
        turnaround_ms,
        timeout_ms,
        heartbeat_ms,
        cycle_ms,
    )
    assert [str(one) for one in findings(slower)] == []
    assert slower.file.plc.turnaround_ms == turnaround_ms
    earlier = [
        a.deadline_mm <= b.deadline_mm
        for a, b in zip(slower.topology.exits, line.topology.exits, strict=True)
    ]
    assert all(earlier)


def test_the_same_plc_changes_nothing_that_runs() -> None:
    line = load_line("demo")
    same = with_slower_plc(line, line.plc.turnaround_ms)
    assert replace(same, file=line.file) == line


def test_a_quicker_plc_is_not_a_slower_one() -> None:
    with pytest.raises(ValueError, match="quicker"):
        with_slower_plc(load_line("small"), 5)
