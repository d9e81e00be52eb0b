"""The simulated PLC fires for nobody whose arm would carry the next one along."""

import pytest

from edge.model.divert import AbortCause, CommandStatus, RingKind
from simulators.devices.plc.geometry import plan_geometry
from simulators.devices.plc.settings import PlcSettings
from tests.clauses import clause
from tests.core.plc_bench import Bench, bench_topology

LENGTH_MM = 300
BEHIND = plan_geometry(bench_topology(), PlcSettings()).arms[0].behind
"""Ticks, which are millimetres on the bench."""


@clause("DIV-10")
@pytest.mark.parametrize(
    ("gap", "second_exit", "fires"),
    [
        (BEHIND, 0, True),
        (BEHIND - 1, 0, False),
        (BEHIND - 1, 2, False),
        (BEHIND - 1, 3, False),
        (BEHIND - 1, 1, True),
    ],
    ids=["just enough", "too close", "to the other side", "to another diverter", "the same way"],
)
def test_a_number_is_not_fired_where_its_arm_would_carry_the_next_one_along(
    gap: int, second_exit: int, fires: bool
) -> None:
    bench = Bench().ready()
    first = bench.put(LENGTH_MM)
    bench.run(LENGTH_MM + gap)
    second = bench.put(LENGTH_MM)
    bench.run_to(second, 2_100)
    for number, exit_no in ((1, 1), (2, second_exit)):
        if exit_no:
            assert bench.command(number, exit_no) is CommandStatus.APPLIED
    bench.entries()
    bench.run_to(first, 4_000)
    entries = [entry for entry in bench.shorts() if entry[3] == 1 and entry[0] is not RingKind.EYE]
    aborted = (RingKind.ABORTED, 1, AbortCause.PREVIOUS_NOT_CLEAR.value, 1)
    assert entries == [(RingKind.FIRED, 1, 0, 1) if fires else aborted]


@clause("DIV-10")
def test_the_next_one_goes_straight_on_untouched() -> None:
    bench = Bench().ready()
    bench.put(LENGTH_MM)
    bench.run(LENGTH_MM + BEHIND)
    second = bench.put(LENGTH_MM)
    bench.run_to(second, 2_100)
    assert bench.command(1, 1) is CommandStatus.APPLIED
    bench.run_to(second, 7_001)
    assert second.exit == 0


@clause("DIV-10", "TRK-6")
@pytest.mark.parametrize(
    ("appears", "fires"),
    [(2_000, True), (2_150, False), (2_290, False)],
    ids=["its leading edge", "across the eye", "nearly past the eye"],
)
def test_one_that_was_laid_across_an_eye_may_be_nearer_than_that_eye_says(appears: int, fires: bool) -> None:
    """It is as long as any, and put on so far behind that it would be carried along unless the eye saw its
    leading edge."""
    bench = Bench().ready()
    first = bench.put(LENGTH_MM)
    gap = BEHIND + 100 if fires else BEHIND - 1
    bench.run_to(first, appears + LENGTH_MM + gap)
    assert bench.command(1, 1) is CommandStatus.APPLIED
    laid = bench.put(400, lead=appears)
    bench.entries()
    bench.run_to(first, 4_001)
    fired = [entry for entry in bench.shorts() if entry[0] in (RingKind.FIRED, RingKind.ABORTED)]
    assert fired == [
        (RingKind.FIRED, 1, 0, 1) if fires else (RingKind.ABORTED, 1, AbortCause.PREVIOUS_NOT_CLEAR.value, 1)
    ]
    assert laid.exit == 0
