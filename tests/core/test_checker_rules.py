"""The checker's net: a clean run passes, and each planted violation is caught by its invariant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from line_config.reachable import reachable
from simulators.world.findings import INVARIANTS
from simulators.world.truth import PlcAway
from tests.core.checker_kit import Run, bench_line, clean, looping
from tests.core.checker_planted import PLANTED


def test_a_clean_run_passes_and_evaluates_everything_it_can(tmp_path: Path) -> None:
    report = clean(tmp_path).check()
    assert report.violations == ()
    assert report.violated == {}
    silent = {name for name, n in report.checked.items() if not n}
    assert silent == {"clock_free", "access", "gap", "one_label", "recirculation"}
    assert report.checked["recirculation"] is None, "this line has no loop"
    assert report.checked["clock_free"] == 0, "a simulation that did not replay has to fail for it"
    assert set(report.checked) == set(INVARIANTS)


def test_the_summary_counts_the_world(tmp_path: Path) -> None:
    run = clean(tmp_path)
    run.facts.append(PlcAway(run.stories[1].t + 1_710_000, run.stories[1].t + 1_715_000, "silent"))
    run.stories[2].row("timed", decide_to_told_us=20_000, plc_wait_us=9_000)
    summary = run.check().summary
    assert summary == {
        "parcels": 5,
        "inserted": 0,
        "recirculated": 0,
        "exited": 4,
        "mis_sorted": 0,
        "lost": 0,
        "unverified_shipped": 0,
        "cancelled_shipped": 0,
        "undetectable": 0,
        "forced_mis_sorts": 0,
        "reviewed": 5,
        "review_rejected": 0,
        "read_rate": 1.0,
        "by_reason": {"cancelled": 1, "lost": 1, "ok": 3},
        "never_reached": [one for one in reachable(bench_line()) if one not in ("cancelled", "lost", "ok")],
        "by_chute": {"001": 3, "end": 1},
        "decide_to_told_ms": {"p50": 12.0, "p99": 20.0, "max": 20.0},
        "plc_wait_ms": {"p50": 7.0, "p99": 9.0, "max": 9.0},
        "told_while_down": {"n": 1, "max_ms": 12.0},
    }


def test_laps_are_counted_and_one_that_nobody_counts_may_lie_between_two(tmp_path: Path) -> None:
    run = clean(tmp_path)
    looping(run, 3)
    report = run.check()
    assert report.violated == {}
    assert report.checked["recirculation"] == 3
    counts = [report.summary[name] for name in ("parcels", "recirculated", "exited")]
    assert counts == [6, 2, 4]


def test_judging_on_the_way_gives_the_same_report(tmp_path: Path) -> None:
    once, stepwise = clean(tmp_path), clean(tmp_path)
    stepwise.steps = True
    assert once.check() == stepwise.check()


@pytest.mark.parametrize(("plant", "invariant"), PLANTED, ids=lambda one: getattr(one, "__name__", one))
def test_a_planted_violation_is_caught(tmp_path: Path, plant: Callable[[Run], None], invariant: str) -> None:
    run = clean(tmp_path)
    plant(run)
    report = run.check()
    assert report.violated.get(invariant, 0) > 0, report.violated
    assert any(one.invariant == invariant and one.seed == 9 and one.what for one in report.violations)


def test_every_invariant_has_its_planted_violation() -> None:
    assert {invariant for _, invariant in PLANTED} | {"clock_free"} == set(INVARIANTS)
