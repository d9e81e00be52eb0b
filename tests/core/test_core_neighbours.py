"""One missing, extra, merged or slipped parcel never mis-sorts a neighbour; a restart changes nothing."""

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.line import LineCore
from edge.model.commands import LineCommand, SendDivert, WakeAt
from edge.model.records import Exited, Missing
from edge.store.rows import decode, encode
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, Body, waybill

TRAIN = 7
PITCH_MM = 1_150
MIDDLE = 4
END = len(DEMO.exits) + 1


def train(bench: CoreBench, **middle: object) -> None:
    for n in range(1, TRAIN + 1):
        bench.parcel(n, at_mm=n * PITCH_MM, **(middle if n == MIDDLE else {}))


def check(bench: CoreBench, touched: set[int]) -> None:
    """Nobody is mis-sorted; whoever was not touched ships exactly where its order says."""
    assert not any(end.mis_sorted for end in bench.records(Exited))
    for n in range(1, TRAIN + 1):
        end = bench.end_of(n)
        if isinstance(end, Exited) and end.shipped:
            assert (end.waybill, end.exit) == (waybill(n), n)
        if n not in touched:
            assert isinstance(end, Exited)
            assert end.shipped, (n, end)
    assert bench.core.state.tracks == {}
    assert bench.core.state.numbers == {}


@settings(max_examples=40, deadline=None)
@given(mm=st.integers(1, 8_500))
def test_a_parcel_taken_off_anywhere(mm: int) -> None:
    bench = CoreBench()
    train(bench, taken_mm=mm)
    bench.run(30_000)
    check(bench, {MIDDLE})


@settings(max_examples=40, deadline=None)
@given(mm=st.integers(1, 8_500), offset=st.integers(330, 820), length=st.integers(100, 400))
def test_a_body_laid_between_two_parcels(mm: int, offset: int, length: int) -> None:
    bench = CoreBench()
    train(bench)
    at = bench.now + bench.ticks(MIDDLE * PITCH_MM + offset)
    bench.put(Body(number=99, at=at, length_mm=length, appears_mm=mm, codes=(waybill(99),)))
    bench.run(30_000)
    check(bench, {MIDDLE, MIDDLE + 1})


@settings(max_examples=25, deadline=None)
@given(length=st.integers(431, 750), codes=st.sampled_from([(), (waybill(4),), (waybill(4), waybill(5))]))
def test_two_parcels_that_came_as_one(length: int, codes: tuple[str, ...]) -> None:
    bench = CoreBench()
    train(bench, length_mm=length, codes=codes)
    bench.run(30_000)
    check(bench, {MIDDLE, MIDDLE + 1})
    end = bench.end_of(MIDDLE)
    assert isinstance(end, Exited)
    assert not end.shipped


@settings(max_examples=40, deadline=None)
@given(slip=st.integers(-79, 300), eye=st.integers(2, 8))
def test_a_parcel_that_slipped(slip: int, eye: int) -> None:
    """Within the tolerance it is followed; beyond it nothing is commanded, or what was told revoked."""
    bench = CoreBench()
    train(bench, shifts=dict.fromkeys(range(eye, 10), slip))
    bench.run(30_000)
    check(bench, {MIDDLE, MIDDLE + 1})


@settings(max_examples=25, deadline=None)
@given(gap=st.integers(20, 1_000))
def test_two_parcels_too_close_both_go_to_the_end(gap: int) -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.parcel(2, at_mm=300 + gap)
    bench.run(14_000)
    for n in (1, 2):
        end = bench.end_of(n)
        assert isinstance(end, Exited)
        assert end.shipped == (gap >= DEMO.gap_min_mm - DEMO.length_tolerance_mm)
        assert end.exit == (n if end.shipped else END)


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(-700, 700), spread=st.integers(0, 700))
def test_a_code_is_given_to_its_own_parcel_or_to_nobody(shift: int, spread: int) -> None:
    """A stray code with any interval: no parcel ever takes the waybill of another and ships."""
    bench = CoreBench()
    train(bench)
    body = bench.bodies[MIDDLE]
    middle = body.at + bench.ticks(850)
    stray = Body(number=50, at=body.at, codes=(waybill(50),))
    bench.at(middle, lambda: bench.read(stray, middle + bench.ticks(shift), bench.ticks(spread)))
    bench.run(30_000)
    for n in range(1, TRAIN + 1):
        end = bench.end_of(n)
        assert isinstance(end, Exited | Missing)
        assert end.waybill in ("", waybill(n))


def test_restarted_at_any_event_the_core_goes_on_alike() -> None:
    """A state written to JSON and read back after each event gives the same commands from there on."""
    bench = CoreBench(zeroed=False)
    train(bench, taken_mm=3_000, codes=(waybill(4), "HZ-BAG"))
    bench.run(2_900)
    bench.cancel(2)
    bench.run(3_000)
    bench.cancel(1)
    bench.run(24_000)
    core = LineCore(DEMO)
    replayed: list[LineCommand] = []
    for n, event in enumerate(bench.events):
        if n % 3 == 0:
            core = LineCore(DEMO, decode(type(core.state), encode(core.state)))
        elif n % 3 == 1:
            core = LineCore(DEMO, deepcopy(core.state))
        replayed.extend(core.handle(event))
    assert replayed == bench.out
    assert encode(core.state) == encode(bench.core.state)


def test_what_is_outstanding_is_what_was_commanded_and_not_answered() -> None:
    """At any moment: the wakes that a fresh core asks for are those that the running line waits for."""
    bench = CoreBench()
    train(bench)
    for _ in range(60):
        bench.run(211)
        again = LineCore(DEMO, deepcopy(bench.core.state)).outstanding()
        wakes = {(c.purpose, c.ref): c for c in again if isinstance(c, WakeAt)}
        waited = {key: wake for key, wake in bench.waiting().items() if wake.ref in bench.core.state.tracks}
        missing = {key: waited[key] for key in waited if key not in wakes}
        assert not [wake for wake in missing.values() if wake.ticks > bench.now]
        assert [wake for key, wake in wakes.items() if key not in waited and wake.ticks > bench.now] == []
        told = [c for c in again if isinstance(c, SendDivert)]
        assert set(told) <= set(bench.commands(SendDivert))


def test_equal_codes_of_two_reads_count_once() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(850)
    bench.read(body, body.at + bench.ticks(860))
    bench.run(100)
    codes = bench.core.state.tracks[next(iter(bench.core.state.tracks))].codes
    assert [seen.code.text for seen in codes] == [waybill(1)]
    assert codes[0].readers == [DEMO.readers[0].id]
