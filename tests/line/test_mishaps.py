"""One bad parcel never mis-sorts a neighbour: a property of the whole line over random sequences of
everything that can happen to parcels, belt, PLC and line process."""

import gc
from collections.abc import Iterator
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edge.runtime.logs import log_nothing
from line_config.description import LineDescription
from line_config.load import load_line
from simulators.fault_plan import ScriptedPlan, is_possible, line_fault, parcel_fault
from simulators.faults import LineFault, LineFaultKind, ParcelFault, ParcelFaultKind
from simulators.rig import Outcome, Run, simulate
from simulators.seeds import SeededBits

PARCELS = 26
FIRST, LAST = 3, 21
"""The places of bad parcels: the line comes back after the last one."""
LINES = ("demo", "small", "fast", "loop")
TO_PARCELS = tuple(ParcelFaultKind)
TO_THE_LINE = tuple(LineFaultKind)


@pytest.fixture(scope="module", autouse=True)
def quiet_and_small() -> Iterator[None]:
    """A run looks for tasks that nobody holds: not among all that the test process has loaded."""
    log_nothing()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@lru_cache
def described(line: str) -> LineDescription:
    return load_line(line)


def plan(
    line: str, seed: int, bad: dict[int, ParcelFaultKind], struck: dict[int, LineFaultKind]
) -> ScriptedPlan:
    """Each with arguments of its own, drawn by seed."""
    topology = described(line).topology
    bits = SeededBits(seed, "mishaps")
    parcels: dict[int, ParcelFault] = {}
    for index, kind in sorted(bad.items()):
        if is_possible(topology, kind, harsh=True):
            parcels[index] = parcel_fault(topology, kind, bits.child(f"parcel/{index}"), harsh=True)
    troubles: list[LineFault] = [
        line_fault(topology, kind, index, bits.child(f"line/{index}"), whole=True)
        for index, kind in sorted(struck.items())
    ]
    return ScriptedPlan(topology, parcels, tuple(troubles))


def play(line: str, seed: int, bad: dict[int, ParcelFaultKind], struck: dict[int, LineFaultKind]) -> Outcome:
    return simulate(Run(line=described(line), parcels=PARCELS, seed=seed, plan=plan(line, seed, bad, struck)))


def kept(found: Outcome) -> None:
    figures = found.report.as_json()
    assert found.report.violations == ()
    never = ("mis_sorted", "lost", "unverified_shipped", "cancelled_shipped")
    assert {name: figures[name] for name in never} == dict.fromkeys(never, 0)
    assert figures["parcels"] == PARCELS


places = st.integers(FIRST // 2, LAST // 2).map(lambda half: 2 * half + 1)
"""Odd ones: between two bad parcels there is always a good one."""
bad_parcels = st.dictionaries(places, st.sampled_from(TO_PARCELS), min_size=1, max_size=8)
struck_lines = st.dictionaries(st.integers(FIRST, LAST), st.sampled_from(TO_THE_LINE), max_size=3)


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow,),
)
@given(line=st.sampled_from(LINES), seed=st.integers(0, 2**32 - 1), bad=bad_parcels, struck=struck_lines)
def test_no_sequence_of_mishaps_sorts_a_parcel_wrongly(
    line: str, seed: int, bad: dict[int, ParcelFaultKind], struck: dict[int, LineFaultKind]
) -> None:
    kept(play(line, seed, bad, struck))


@pytest.mark.parametrize("kind", TO_PARCELS)
def test_a_mishap_of_each_kind_on_every_second_parcel(kind: ParcelFaultKind) -> None:
    line = LINES[TO_PARCELS.index(kind) % len(LINES)]
    kept(play(line, 11, dict.fromkeys(range(FIRST, LAST, 2), kind), {}))
