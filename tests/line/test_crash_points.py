"""The line process killed at every commit and every command of three golden scenarios.

A moment lies before and after each commit, before and after a command's bytes, and before its read-back.
Whatever the moment: nothing is lost, nothing decided twice, no invariant broken, and the line goes on.
"""

import gc
from collections.abc import Iterator
from functools import lru_cache

import pytest

from edge.runtime.logs import log_nothing
from line_config.description import LineDescription
from line_config.load import load_line
from simulators.rig import Outcome, Run, simulate
from simulators.seeds import SeededBits
from simulators.world.scenario import ScenarioFile, packaged_scenario

GOLDEN = ("golden_plain", "golden_cancels", "golden_plc")
SHARES = 6
"""Each scenario's sweep is cut in so many tests, every SHARES-th moment each."""
PAIRS = 8
DOUBLE_SPAN = 40
"""A second crash strikes so many moments behind the first at most: often while the first is mended."""


@pytest.fixture(scope="module", autouse=True)
def quiet_and_small() -> Iterator[None]:
    """A run looks for tasks that nobody holds: not among all that the test process has loaded."""
    log_nothing()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@lru_cache
def golden(name: str) -> tuple[ScenarioFile, LineDescription]:
    scenario = packaged_scenario(name)
    return scenario, load_line(scenario.line)


def play(name: str, *crash_at: int) -> Outcome:
    scenario, line = golden(name)
    plan = scenario.plan(line.topology)
    run = Run(line=line, parcels=scenario.parcels, seed=scenario.seed, plan=plan, crash_at=crash_at)
    return simulate(run)


@lru_cache
def undisturbed(name: str) -> Outcome:
    return play(name)


def wrong(name: str, *crash_at: int) -> str:
    """What a run with crashes did not keep; empty: all is well."""
    try:
        found = play(name, *crash_at)
    except Exception as failed:  # noqa: BLE001 - the moment must be told with whatever it was
        return f"{name} killed at {crash_at}: {failed!r} from {failed.__cause__!r}"
    figures = found.report.summary
    kept = (
        not found.report.violated
        and figures["parcels"] == golden(name)[0].parcels
        and figures["lost"] == figures["cancelled_shipped"] == figures["unverified_shipped"] == 0
        and figures["mis_sorted"] == 0
        and 1 <= found.crashes <= len(crash_at)
    )
    return "" if kept else f"{name} killed at {crash_at}: {found.crashes} {figures} {found.report.violations}"


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", GOLDEN)
def test_a_crash_at_any_moment_loses_nothing_and_decides_nothing_twice(name: str, share: int) -> None:
    moments = undisturbed(name).moments
    found = [wrong(name, at) for at in range(share + 1, moments + 1, SHARES)]
    assert len(found) >= moments // SHARES
    assert [one for one in found if one] == []


@pytest.mark.parametrize("name", GOLDEN)
def test_a_second_crash_while_the_first_is_being_mended(name: str) -> None:
    bits = SeededBits(2026, f"doubles/{name}")
    moments = undisturbed(name).moments
    found = []
    for _ in range(PAIRS):
        first = bits.between(1, moments)
        found.append(wrong(name, first, first + bits.between(1, DOUBLE_SPAN)))
    assert [one for one in found if one] == []


def test_the_golden_scenarios_have_what_they_are_for() -> None:
    plain, cancels, plc = (undisturbed(name).report for name in GOLDEN)
    assert plain.summary["by_reason"] == {"ok": 3}
    assert cancels.summary["by_reason"] == {"cancelled": 2, "held": 1, "ok": 2}
    assert cancels.checked["cancel"]
    down = plc.summary["told_while_down"]
    assert isinstance(down, dict) and down["n"] == 1
    assert "plc_restart" in str(plc.summary["by_reason"])
    assert not plain.violated and not cancels.violated and not plc.violated
