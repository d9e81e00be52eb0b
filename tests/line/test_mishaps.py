"""One bad parcel never mis-sorts a neighbour: a property of the whole line over random sequences of
everything that can happen to parcels, belt, PLC and line process."""

import gc
from collections.abc import Iterator
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from edge.runtime.logs import log_nothing
from line_config.description import LineDescription
from line_config.load import load_line
from line_config.reachable import reachable
from simulators.fault_plan import ScriptedPlan, is_possible, line_fault, parcel_fault
from simulators.faults import LineFault, LineFaultKind, ParcelFault, ParcelFaultKind, ReviewFaultKind
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
@example(  # one that was fired and given up stands before the arm that is out for it
    line="fast",
    seed=9950,
    bad={9: ParcelFaultKind.DOUBLE_LABEL, 13: ParcelFaultKind.JAM},
    struck={},
)
@example(  # one slips across an eye, which takes the middle of it for its leading edge
    line="demo", seed=3764298518, bad={7: ParcelFaultKind.SLIPPED}, struck={}
)
@example(  # the scale hangs, and shows the load again with the last frame of a capture
    line="loop", seed=3006067563, bad={}, struck={3: LineFaultKind.SCALE_FROZEN}
)
@example(  # a parcel that was weighed slips back onto the scale, once a belt's and once a static one
    line="loop", seed=1041885888, bad={9: ParcelFaultKind.SLIPPED}, struck={}
)
@example(line="small", seed=388780660, bad={19: ParcelFaultKind.SLIPPED}, struck={20: LineFaultKind.DOOR})
def test_no_sequence_of_mishaps_sorts_a_parcel_wrongly(
    line: str, seed: int, bad: dict[int, ParcelFaultKind], struck: dict[int, LineFaultKind]
) -> None:
    kept(play(line, seed, bad, struck))


@pytest.mark.parametrize("seed", [2, 11])
def test_one_that_stood_before_an_arm_that_was_out_for_it_takes_no_neighbours_place(seed: int) -> None:
    """One jams behind a diverter and the next, for which that one is out, piles up before it. The PLC gives
    it up; when the belt runs again it is carried into its exit after all, with the next one close behind."""
    jam = ParcelFault(kind=ParcelFaultKind.JAM, arg=4_275)
    script = ScriptedPlan(described("fast").topology, {5: jam}, ())
    kept(simulate(Run(line=described("fast"), parcels=PARCELS, seed=seed, plan=script)))


@pytest.mark.parametrize("kind", TO_PARCELS)
def test_a_mishap_of_each_kind_on_every_second_parcel(kind: ParcelFaultKind) -> None:
    line = LINES[TO_PARCELS.index(kind) % len(LINES)]
    kept(play(line, 11, dict.fromkeys(range(FIRST, LAST, 2), kind), {}))


def scene(
    line: str,
    *faults: ParcelFault | LineFault,
    parcels: int = PARCELS,
    reviews: dict[int, ReviewFaultKind] | None = None,
) -> set[str]:
    """The reasons of a run in which these are done, a parcel's each on its own one from the sixth on."""
    topology = described(line).topology
    ones = [fault for fault in faults if isinstance(fault, ParcelFault)]
    struck = tuple(fault for fault in faults if isinstance(fault, LineFault))
    script = ScriptedPlan(topology, {5 + 2 * n: one for n, one in enumerate(ones)}, struck, reviews)
    found = simulate(Run(line=described(line), parcels=parcels, seed=5, plan=script))
    assert found.report.violations == ()
    never = found.report.summary["never_reached"]
    assert isinstance(never, list)
    return {reason.value for reason in reachable(topology)} - set(never)


def one(kind: ParcelFaultKind, arg: int = 0, by: int = 0) -> ParcelFault:
    return ParcelFault(kind=kind, arg=arg, by=by)


def struck(kind: LineFaultKind, duration_ms: int = 0, arg: int = 0, index: int = 9) -> LineFault:
    return LineFault(kind=kind, index=index, after_ms=0, duration_ms=duration_ms, arg=arg)


P, L = ParcelFaultKind, LineFaultKind
FULL = tuple(struck(L.FULL_CHUTE, 60_000, exit_no, 0) for exit_no in range(1, 9))
SCENES: list[tuple[str, tuple[ParcelFault | LineFault, ...], set[str]]] = [
    (
        "demo",
        (one(P.UNKNOWN_ORDER), one(P.HELD_ORDER), one(P.CANCELLED_ORDER, -200), one(P.NO_READ)),
        {"ok", "unknown_order", "held", "cancelled", "no_read"},
    ),
    (
        "demo",
        (one(P.DOUBLE_LABEL), one(P.FOREIGN_LABEL), one(P.COPIED_LABEL, 1), one(P.COPIED_LABEL, 10)),
        {"multi_read", "foreign_label", "duplicate"},
    ),
    ("demo", tuple(one(P.FLAGGED_ORDER, n) for n in range(3)), {"restricted", "address_changed"}),
    ("demo", (one(P.FLAGGED_ORDER, 0, 300),), {"return_changed"}),
    ("demo", (one(P.UNROUTED_ORDER), one(P.UNROUTED_ORDER, 1)), {"no_rule", "blind_spot"}),
    (
        "demo",
        (one(P.WRONG_WEIGHT, 2_000), one(P.OVERWEIGHT, 31_000), one(P.TOO_LIGHT, 20), one(P.OVERSIZE, 450)),
        {"weight_mismatch", "overweight", "weight_invalid", "oversize"},
    ),
    ("demo", (one(P.SENT_TO_REJECT, 250),), {"manual"}),
    ("demo", (one(P.CHECK_PARCEL), one(P.CHECK_PARCEL, 60)), {"scale_check_parcel"}),
    ("demo", tuple(one(P.TOO_CLOSE, 0) for _ in range(4)), {"gap_too_small", "two_on_one"}),
    (
        "demo",
        (one(P.TAKEN_OFF, 3_000), one(P.INSERTED, 1_800, 250), one(P.TURNED, 3_000, 200)),
        {"lost", "unexpected"},
    ),
    (
        "demo",
        tuple(one(P.TAKEN_OFF, 4_100 + 150 * n) for n in range(7)),
        {"divert_aborted", "position_unknown"},
    ),
    ("demo", tuple(one(P.ARRIVAL_JAM) for _ in range(3)), {"divert_unconfirmed"}),
    ("demo", FULL, {"chute_full"}),
    ("demo", tuple(struck(L.CHUTE_DISABLED, 60_000, n, 0) for n in range(8)), {"chute_disabled"}),
    ("demo", (struck(L.UPSTREAM_SILENT, 8_000),), {"upstream_timeout"}),
    ("demo", (struck(L.UPSTREAM_FAILS, 3_000),), {"upstream_error"}),
    ("demo", (struck(L.PLC_SILENT, 3_000),), {"link_lost"}),
    ("demo", (struck(L.PLC_RESTART, 500),), {"plc_restart"}),
    ("demo", (struck(L.DOOR, 2_000),), {"flush_estop"}),
    ("demo", (struck(L.ENCODER_STANDS, 1_500),), {"encoder_fault"}),
    ("demo", (struck(L.PURGE),), {"purged"}),
    ("demo", (struck(L.DISK_LOW, 6_000),), {"disk_full"}),
    ("fast", (struck(L.DISK_SLOW, 1_400),), {"late_decision"}),
    ("loop", (one(P.TOO_LIGHT, 20),), {"max_recirculation"}),
    ("demo", (one(P.SLIPPED, 2_400, -400), one(P.SLIPPED, 4_600, 300)), {"unexpected"}),
]


@pytest.mark.parametrize(
    ("line", "faults", "reasons"),
    SCENES,
    ids=lambda one: "+".join(sorted(one)) if isinstance(one, set) else "",
)
def test_each_reason_has_its_scene(
    line: str, faults: tuple[ParcelFault | LineFault, ...], reasons: set[str]
) -> None:
    assert reasons <= scene(line, *faults)


def test_a_label_that_has_shipped_comes_a_second_time() -> None:
    assert "second_pass" in scene("demo", *(one(P.COPIED_LABEL, 14) for _ in range(8)), parcels=40)


REVIEWED = {"sku_missing", "sku_extra", "not_reviewed"}


def test_what_was_picked_wrongly_or_never_reviewed_does_not_ship() -> None:
    kinds = (ReviewFaultKind.SHORT_PICK, ReviewFaultKind.OVER_PICK, ReviewFaultKind.UNREVIEWED)
    reviews = {6 + 4 * n: kind for n, kind in enumerate(kinds)}
    assert scene("demo", reviews=reviews) >= REVIEWED


def test_every_reason_that_a_line_can_reach_has_its_scene() -> None:
    seen = {"second_pass"}.union(REVIEWED, *(reasons for _, _, reasons in SCENES))
    for line in LINES:
        assert {reason.value for reason in reachable(described(line).topology)} <= seen
