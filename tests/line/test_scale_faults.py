"""A scale that falls silent, hangs, drifts, or is of another make: the whole line in virtual time."""

from pathlib import Path

import pytest

from edge.model.verdict import Reason
from line_config.load import load_line
from line_config.packaged import packaged
from simulators.fault_plan import ScriptedPlan
from simulators.faults import LineFault, LineFaultKind, ParcelFault, ParcelFaultKind
from simulators.rig import Outcome, Run, simulate


def strike(kind: LineFaultKind, duration_ms: int, arg: int = 0, index: int = 6) -> LineFault:
    return LineFault(kind=kind, index=index, after_ms=0, duration_ms=duration_ms, arg=arg)


def play(
    line: str | Path,
    *faults: LineFault,
    parcels: dict[int, ParcelFault] | None = None,
    count: int = 30,
    settings: tuple[str, ...] = (),
) -> Outcome:
    described = load_line(line, settings)
    plan = ScriptedPlan(described.topology, parcels or {}, faults)
    done = simulate(Run(line=described, parcels=count, seed=3, plan=plan))
    assert done.report.violations == ()
    assert done.good
    return done


def reasons(done: Outcome) -> dict[str, int]:
    found = done.report.summary["by_reason"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("line", ["demo", "small"])
def test_a_silent_scale_costs_weights_and_heals_alone(line: str) -> None:
    figures = reasons(play(line, strike(LineFaultKind.SCALE_SILENT, 8_000 if line == "small" else 2_000)))
    assert figures["ok"] >= 20
    assert figures[Reason.WEIGHT_INVALID.value] >= 1
    # While one stands until the zone's time-out the next one comes too close.
    assert set(figures) <= {"ok", Reason.WEIGHT_INVALID.value, Reason.GAP_TOO_SMALL.value}


def test_a_scale_that_hangs_on_one_reading_gives_nobody_that_weight() -> None:
    figures = reasons(play("demo", strike(LineFaultKind.SCALE_FROZEN, 3_000)))
    assert set(figures) == {"ok", Reason.WEIGHT_INVALID.value}
    assert 3 <= figures[Reason.WEIGHT_INVALID.value] <= 10


def test_a_static_scale_that_hangs_has_not_returned_to_zero() -> None:
    figures = reasons(play("small", strike(LineFaultKind.SCALE_FROZEN, 20_000), count=16))
    assert set(figures) == {"ok", Reason.WEIGHT_INVALID.value}
    assert 1 <= figures[Reason.WEIGHT_INVALID.value] <= 5


def test_a_drift_is_seen_on_the_empty_scale_and_set_to_zero() -> None:
    """12 g on a scale that may show 10 while it is empty; it takes commands."""
    often = ("scale.zero_every_s=10", "scale.zero_within_s=5")
    figures = reasons(play("small", strike(LineFaultKind.SCALE_DRIFT, 0, 12), count=16, settings=often))
    assert figures["ok"] >= 14


def test_a_drift_of_a_scale_that_cannot_be_told_rejects_until_a_person_comes() -> None:
    often = ("scale.zero_every_s=10", "scale.zero_within_s=5")
    figures = reasons(play("demo", strike(LineFaultKind.SCALE_DRIFT, 0, 18), count=60, settings=often))
    assert figures[Reason.WEIGHT_INVALID.value] >= 10


@pytest.mark.parametrize("line", ["demo", "small"])
def test_check_parcels_leave_as_such_right_or_wrong(line: str) -> None:
    checks = {
        4: ParcelFault(kind=ParcelFaultKind.CHECK_PARCEL, arg=0),
        8: ParcelFault(kind=ParcelFaultKind.CHECK_PARCEL, arg=500),
    }
    figures = reasons(play(line, parcels=checks, count=14))
    assert figures == {"ok": 12, Reason.SCALE_CHECK_PARCEL.value: 2}


def test_the_demo_line_with_an_indicator_that_says_nothing_of_motion(tmp_path: Path) -> None:
    text = packaged("lines", "demo.yaml").read_text("utf-8")
    other = text.replace("device: mettler_toledo_continuous", "device: yaohua_xk3190_a9")
    assert other != text
    path = tmp_path / "line.yaml"
    path.write_text(other, "utf-8")
    assert reasons(play(path)) == {"ok": 30}
