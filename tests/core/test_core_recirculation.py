"""A line with a loop: what may heal goes round, so often as the record allows, and nothing for ever."""

from dataclasses import replace

import pytest

from edge.model.commands import LookUp
from edge.model.events import DivertConfirmed
from edge.model.ids import ChuteId
from edge.model.records import Decided, Exited
from edge.model.verdict import Reason
from line_config.load import load_line
from tests.core.core_bench import CoreBench
from tests.core.core_line import READY, bits, waybill

LOOP = load_line("loop").topology
assert LOOP.recirculation is not None
APART = LOOP.recirculation.apart
LIMIT = LOOP.recirculation.limit
TO_REJECT, ROUND, END = 7, 8, 9
BOTH_FULL = 0b11
"""Of the exits of routing code 1."""


def ended(bench: CoreBench, n: int = 1) -> tuple[Reason, int]:
    end = bench.end_of(n)
    assert isinstance(end, Exited)
    assert (end.shipped, end.counts_as_shipped, end.mis_sorted) == (False, False, False)
    return end.reason, end.exit


def full(bench: CoreBench, more: int = 0) -> None:
    bench.status(bits(READY, exits_full=BOTH_FULL | more))


@pytest.mark.parametrize("laps", range(LIMIT + 2))
def test_a_full_chute_sends_round_until_the_record_says_that_it_is_enough(laps: int) -> None:
    bench = CoreBench(LOOP)
    full(bench)
    bench.laps[waybill(1)] = laps
    bench.parcel(1)
    bench.run(11_000)
    if laps < LIMIT:
        assert ended(bench) == (Reason.CHUTE_FULL, ROUND)
        assert bench.the(Exited).chute == "LOOP"
    else:
        assert ended(bench) == (Reason.MAX_RECIRCULATION, TO_REJECT)
        assert bench.the(Decided).rule == "max_recirculation:chute_full"


def test_the_parcel_that_comes_round_is_another_track_and_ships_when_there_is_room() -> None:
    bench = CoreBench(LOOP)
    full(bench)
    bench.parcel(1)
    bench.run(11_000)
    bench.status(bits(READY))
    bench.laps[waybill(1)] = 1
    bench.parcel(2, codes=(waybill(1),))
    bench.run(11_000)
    assert ended(bench, 1) == (Reason.CHUTE_FULL, ROUND)
    end = bench.end_of(2)
    assert isinstance(end, Exited)
    assert (end.shipped, end.exit, end.waybill) == (True, 1, waybill(1))


def test_a_full_loop_takes_nothing() -> None:
    bench = CoreBench(LOOP)
    full(bench, 1 << ROUND - 1)
    bench.parcel(1)
    bench.run(11_000)
    assert ended(bench) == (Reason.CHUTE_FULL, TO_REJECT)


def test_an_unread_parcel_goes_round_only_if_it_cannot_be_the_one_that_did() -> None:
    bench = CoreBench(LOOP)
    for n in range(1, APART + 4):
        unread = n in (1, 2, APART + 1, APART + 2)
        bench.parcel(n, codes=() if unread else (waybill(n),))
        bench.run(1_100)
    bench.run(11_000)
    ends = {n: ended(bench, n) for n in (1, 2, APART + 1, APART + 2)}
    assert ends == {
        1: (Reason.NO_READ, ROUND),
        2: (Reason.NO_READ, TO_REJECT),
        APART + 1: (Reason.NO_READ, TO_REJECT),
        APART + 2: (Reason.NO_READ, ROUND),
    }


def test_without_an_answer_nobody_can_count_its_laps() -> None:
    bench = CoreBench(LOOP)
    bench.mute.add(LookUp)
    for n in (1, 2):
        bench.parcel(n)
        bench.run(1_100)
    bench.run(11_000)
    assert ended(bench, 1) == (Reason.UPSTREAM_TIMEOUT, ROUND)
    assert ended(bench, 2) == (Reason.UPSTREAM_TIMEOUT, TO_REJECT)


def test_what_does_not_heal_by_itself_is_rejected_at_once() -> None:
    bench = CoreBench(LOOP)
    bench.parcel(1, grams=1_500)
    bench.run(11_000)
    assert ended(bench) == (Reason.WEIGHT_MISMATCH, TO_REJECT)


def test_an_order_that_may_still_come_goes_round_where_the_line_says_so() -> None:
    assert LOOP.recirculation is not None
    reasons = (*LOOP.recirculation.reasons, Reason.UNKNOWN_ORDER)
    line = replace(LOOP, recirculation=replace(LOOP.recirculation, reasons=reasons))
    for laps, end in ((0, (Reason.UNKNOWN_ORDER, ROUND)), (LIMIT, (Reason.MAX_RECIRCULATION, TO_REJECT))):
        bench = CoreBench(line)
        bench.laps[waybill(1)] = laps
        bench.parcel(1)
        bench.orders.clear()
        bench.run(11_000)
        assert ended(bench) == end


def test_a_decision_that_the_loop_cannot_take_any_more_goes_to_the_end() -> None:
    bench = CoreBench(LOOP)
    full(bench, 1 << TO_REJECT - 1 | 1 << ROUND - 1)
    bench.parcel(1)
    bench.run(11_000)
    assert ended(bench) == (Reason.CHUTE_FULL, END)
    assert not [event for event in bench.events if isinstance(event, DivertConfirmed) and event.exit < END]


def test_the_loops_chute_is_no_reasons_own() -> None:
    assert ChuteId("LOOP") not in {chute for _, chute in LOOP.reason_chutes}
