"""Scan review at the benches: tables of what is scanned and what comes of it, and what never happens."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.bench_count import differences
from edge.core.line import LineCore
from edge.core.review import MAX_CODES, MAX_PARKED
from edge.core.state import CoreState
from edge.model.bench_events import BenchScanned
from edge.model.commands import LookUpSlip, Record, SetGate, WakeAt
from edge.model.events import LineStarted, OperatorCommanded, OrderChanged
from edge.model.ids import BenchId, InboxSeq, OrderNo, Sku, Waybill
from edge.model.line import OperatorAction
from edge.model.order import BenchGoods, OrderStatus
from edge.model.records import (
    Decided,
    Exited,
    Reviewed,
    ReviewOpened,
    ReviewReopened,
    RevokeOrdered,
    WorkLeft,
)
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.store.rows import decode, encode
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, order, waybill
from tests.core.review_kit import Benches, bench_order, bundle, lying

GIFTS = bundle("690X", A=2, B=1)


def hall() -> Benches:
    """PS1: one A, two B. PS2: three C. PS3: two bundles of two A and a B, and a C besides."""
    return Benches(
        PS1=bench_order("O1", {"A": 1, "B": 2}),
        PS2=bench_order("O2", {"C": 3}),
        PS3=bench_order("O3", {"A": 4, "B": 2, "C": 1}, GIFTS),
    )


CYCLES: dict[str, tuple[tuple[str, list[str]], ...]] = {
    "right: the gate opens for it, and it is released when seen": (
        ("1: PS1", ["opened 1 O1"]),
        ("1: 690A", []),
        ("1: 690B", []),
        ("1: B", []),
        ("1: BK-END", ["passed 1 O1", "gate 1 open"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
    ),
    "missing, extra, foreign: what, and how many": (
        ("1: PS1 690B *5 BK-END", ["opened 1 O1", "sku_missing 1 O1 -Ax1 +Bx3"]),
        ("1 repick", ["left 1 O1 repick"]),
        ("1: PS1 690A 690B 690B 777 777 BK-END", ["opened 1 O1", "sku_extra 1 O1 - +777x2"]),
        ("1 repick", ["left 1 O1 repick"]),
        ("1: PS1 691A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
    ),
    "several barcodes and the goods' own number; a keyed quantity is of the last scan and replaces": (
        ("2: PS1 691A 690B *9 *2 BK-END", ["opened 2 O1", "passed 2 O1", "gate 2 open"]),
    ),
    "a scan taken back": (("2: PS2 690C *3 690A *0 BK-END", ["opened 2 O2", "passed 2 O2", "gate 2 open"]),),
    "a quantity with nothing before it is of nothing; one after goods counted before adds to them": (
        ("2: PS2 *7 690C 690C *2 BK-END", ["opened 2 O2", "passed 2 O2", "gate 2 open"]),
    ),
    "a bundle by its barcode, by its parts, or some of each": (
        ("1: PS3 690X *2 690C BK-END", ["opened 1 O3", "passed 1 O3", "gate 1 open"]),
        ("1 repick", ["alarm gate_wrong bench1", "gate 1 shut", "left 1 O3 repick"]),
        ("1: PS3 690X 690A *2 690B 690C BK-END", ["opened 1 O3", "passed 1 O3", "gate 1 open"]),
        ("1 packing", ["gate 1 shut", "left 1 O3 packing released"]),
    ),
    "the slip of what is open begins its count anew": (
        ("1: PS1 777 PS1 690A", ["opened 1 O1"]),
        ("1: 690B", []),
        ("1: PS1 690A 690B *2 BK-END", ["interrupted 1 O1", "opened 1 O1", "passed 1 O1", "gate 1 open"]),
    ),
    "interrupted and resumed, at another bench too": (
        ("1: PS1 690A", ["opened 1 O1"]),
        ("1: BK-PAUSE", ["interrupted 1 O1 kept"]),
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("2: PS1 690B *2 BK-END", ["resumed 2 O1", "passed 2 O1", "gate 2 open"]),
    ),
    "one slip is open at one bench only, by whichever number": (
        ("1: PS1", ["opened 1 O1"]),
        ("2: PS1", ["refused 2 open_elsewhere"]),
        ("2: PS1B", ["refused 2 open_elsewhere"]),
        ("1: 690A 690B *2 BK-END", ["passed 1 O1", "gate 1 open"]),
        ("2: PS1", ["refused 2 open_elsewhere"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
        ("2: PS1", ["refused 2 already_passed"]),
    ),
    "asked for at two benches at once: the first to be answered has it": (
        ("hold", []),
        ("1: PS1B", []),
        ("2: PS1", []),
        ("answer", ["opened 1 O1", "refused 2 open_elsewhere"]),
    ),
    "scanned on while the order is looked up": (
        ("hold", []),
        ("1: PS2 690C *3 BK-END", []),
        ("answer", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
    ),
    "unknown, cancelled, shipped: nothing opens": (
        ("1: 690A", ["refused 1 unknown_slip"]),
        ("cancel O1", []),
        ("1: PS1", ["refused 1 cancelled"]),
        ("1: BK-END", ["refused 1 no_slip"]),
        ("1: BK-PAUSE", []),
    ),
    "cancelled while it is open: its end passes nothing": (
        ("1: PS1 690A 690B *2", ["opened 1 O1"]),
        ("cancel O1", []),
        ("1: BK-END", ["refused 1 cancelled"]),
        ("1 repick", ["left 1 ? repick"]),
    ),
    "put anew while it is open: compared with what it is now": (
        ("1: PS1 690A 690B *2", ["opened 1 O1"]),
        ("put O1", ["resumed 1 O1"]),
        ("1: BK-END", ["sku_missing 1 O1 -Ax1 +"]),
    ),
    "put anew after it passed: to be reviewed again": (
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
        ("put O1", []),
        ("1: PS1 690A *2 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
    ),
    "reopened: a second review may pass it": (
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
        ("reopen O1", ["reopened O1"]),
        ("1: PS1 690A BK-END", ["opened 1 O1", "sku_missing 1 O1 -Bx2 +"]),
    ),
    "reopened on its way through the gate: not released": (
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("reopen O1", ["gate 1 shut", "reopened O1"]),
        ("1 packing", ["alarm gate_wrong bench1", "left 1 O1 packing"]),
    ),
    "put right before it has left": (
        ("1: PS1 690A BK-END", ["opened 1 O1", "sku_missing 1 O1 -Bx2 +"]),
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
    ),
    "the work before is not through the gate": (
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "refused 1 gate_busy"]),
        ("1 packing", ["gate 1 shut", "left 1 O1 packing released"]),
        ("1: BK-END", ["passed 1 O2", "gate 1 open"]),
    ),
    "ended without a verdict, and something else is scanned: given up": (
        ("plc away", []),
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "refused 1 gate_away"]),
        ("1: BK-END", ["refused 1 gate_away"]),
        ("1: PS2 690C *3", ["interrupted 1 O1", "opened 1 O2"]),
        ("plc back", []),
        ("1: BK-END", ["passed 1 O2", "gate 1 open"]),
    ),
    "the scanner was away: begun anew with the slip": (
        ("1: PS1 690A 777", ["opened 1 O1"]),
        ("1 away", ["interrupted 1 O1"]),
        ("1 back", []),
        ("1: 690B *2", []),
        ("1: BK-END", ["refused 1 broken_off"]),
        ("1: PS1 690A 690B *2 BK-END", ["opened 1 O1", "passed 1 O1", "gate 1 open"]),
    ),
    "broken off at one bench, taken up at another": (
        ("1: PS1 690A", ["opened 1 O1"]),
        ("restart", ["interrupted 1 O1"]),
        ("plc back", []),
        ("2: PS1 690A 690B *2 BK-END", ["opened 2 O1", "passed 2 O1", "gate 2 open"]),
        ("1: BK-END", ["refused 1 no_slip"]),
    ),
    "broken off, and carried to re-pick: the bench is free for the next slip": (
        ("1: PS1 690A", ["opened 1 O1"]),
        ("1 away", ["interrupted 1 O1"]),
        ("1 back", []),
        ("1 repick", ["left 1 ? repick"]),
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
    ),
    "work that leaves unjudged releases nothing, and is told where it goes to packing": (
        ("1: PS1 690A", ["opened 1 O1"]),
        ("1 repick", ["left 1 ? repick"]),
        ("1: PS1 690A 690B *2 BK-END", ["interrupted 1 O1", "opened 1 O1", "passed 1 O1", "gate 1 open"]),
        ("2 packing", ["alarm gate_wrong bench2", "left 2 ? packing"]),
    ),
    "failed work that goes to packing": (
        ("1: PS1 690A BK-END", ["opened 1 O1", "sku_missing 1 O1 -Bx2 +"]),
        ("1 packing", ["alarm gate_wrong bench1", "left 1 O1 packing"]),
    ),
    "not seen behind the gate in time: not released, reviewed again": (
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("wait 19", []),
        ("wait 2", ["alarm gate_unconfirmed bench1", "gate 1 shut", "left 1 O2 unseen"]),
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("1 packing", ["clear gate_unconfirmed bench1", "gate 1 shut", "left 1 O2 packing released"]),
    ),
    "while the PLC is away its silence proves nothing, and the gate is shut": (
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("plc away", ["gate 1 shut"]),
        ("wait 30", []),
        ("plc back", []),
        ("1 packing", ["gate 1 shut", "left 1 O2 packing released"]),
    ),
    "a new PLC epoch, lost ring entries: what left meanwhile was not seen": (
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("plc new", ["alarm gate_unconfirmed bench1", "gate 1 shut", "left 1 O2 unseen"]),
        ("1: PS2 690C *3 BK-END", ["opened 1 O2", "passed 1 O2", "gate 1 open"]),
        ("ring lost", ["gate 1 shut", "left 1 O2 unseen"]),
    ),
}


@clause("GATE-4", "GATE-5")
@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle(name: str) -> None:
    benches = hall()
    benches.orders["PS1B"] = benches.orders["PS1"]
    for stimulus, expected in CYCLES[name]:
        assert benches.play(stimulus) == expected, stimulus


def test_an_order_that_shipped_is_not_reviewed_again() -> None:
    benches = hall()
    benches.shipped.add("O1")
    assert benches.play("1: PS1") == ["refused 1 shipped_before"]


def test_a_look_up_that_is_older_than_a_verdict_is_asked_again() -> None:
    benches = hall()
    benches.orders["PS1B"] = benches.orders["PS1"]
    benches.play("1: PS1 690A 690B *2")
    benches.play("hold")
    benches.play("2: PS1B")
    old = benches.answer_of(benches.asked.pop())
    benches.play("1: BK-END")
    benches.play("1 packing")
    benches.said = []
    benches.tell(old)
    assert benches.said == []
    assert benches.play("answer") == ["refused 2 already_passed"]


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    benches = hall()
    answer = benches.answer_of(LookUpSlip(bench=BenchId("bench1"), slip="PS1"))
    benches.tell(answer)
    benches.play("1: PS2")
    benches.tell(answer)
    benches.tell(benches.answer_of(LookUpSlip(bench=BenchId("bench1"), slip="PS9")))
    assert benches.open_slips() == ["O2"]


def test_a_gate_that_is_no_benchs_is_nobodys() -> None:
    assert hall().play("7 packing") == []


def test_there_is_a_limit_on_codes_pieces_and_interrupted_slips() -> None:
    benches = hall()
    assert benches.play("1: PS1 690A *999999 690B *2") == ["refused 1 too_many"]
    assert benches.play("1: BK-END") == ["refused 1 broken_off"]
    assert benches.play("1: PS1") == ["opened 1 O1"]
    assert benches.play("1: 690A *1000000 690A") == ["refused 1 too_many", "interrupted 1 O1"]
    many = " ".join(f"X{n}" for n in range(MAX_CODES + 1))
    assert benches.play("1: PS1") == ["opened 1 O1"]
    assert benches.play(f"1: {many}") == ["refused 1 too_many", "interrupted 1 O1"]
    for n in range(MAX_PARKED + 2):
        benches.orders[f"P{n}"] = bench_order(f"O{n + 10}", {"A": 1})
        assert benches.play(f"2: P{n}") == [f"opened 2 O{n + 10}"]
        assert benches.play("2: 690A BK-PAUSE") == [f"interrupted 2 O{n + 10} kept"]
    assert len(benches.core.state.parked) == MAX_PARKED
    assert benches.play("2: P0") == ["opened 2 O10"]
    assert benches.play("1: P4 690A BK-PAUSE") == []
    assert benches.play("1: P4") == ["resumed 1 O14"]
    assert benches.play("3: P5") == ["resumed 3 O15"]


# -- the count


def test_a_shared_barcode_counts_for_whichever_makes_it_right() -> None:
    def goods(sku: str, *codes: str, qty: int = 1) -> BenchGoods:
        return BenchGoods(sku=Sku(sku), qty=qty, barcodes=codes)

    some = (goods("P", "x", "y"), goods("Q", "x", "z", qty=2), goods("R", "y", "z"))
    one = replace(bench_order("O1", {}), goods=some)
    assert differences(one, {"x": 2, "y": 1, "z": 1}) == ((), ())
    assert differences(one, {"x": 3, "y": 1}) == ((), ())
    assert differences(one, {"y": 2, "z": 2}) == ((), ())
    missing, extra = differences(one, {"x": 4})
    assert [(d.sku, d.qty) for d in missing] == [("R", 1)]
    assert sum(d.qty for d in extra) == 1


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 3)), min_size=1, max_size=5),
    st.lists(st.frozensets(st.sampled_from("wxyz"), min_size=1, max_size=3), min_size=4, max_size=4),
    st.data(),
)
def test_pieces_that_can_be_the_orders_are_never_judged_wrong(
    wanted: list[tuple[str, int]], codes: list[frozenset[str]], data: st.DataObject
) -> None:
    """Scan every piece of the order by any of its barcodes, shared or not: right. One more: wrong."""
    counts = {sku: sum(qty for name, qty in wanted if name == sku) for sku, _ in wanted}
    barcodes = dict(zip("abcd", map(sorted, codes), strict=True))
    some = tuple(
        BenchGoods(sku=Sku(sku), qty=qty, barcodes=tuple(barcodes[sku])) for sku, qty in counts.items()
    )
    one = replace(bench_order("O1", {}), goods=some)
    scanned: dict[str, int] = {}
    for sku, qty in counts.items():
        for _ in range(qty):
            code = data.draw(st.sampled_from(barcodes[sku]))
            scanned[code] = scanned.get(code, 0) + 1
    assert differences(one, scanned) == ((), ())
    more = data.draw(st.sampled_from([*scanned, "other"]))
    missing, extra = differences(one, {**scanned, more: scanned.get(more, 0) + 1})
    assert (missing, sum(one.qty for one in extra)) == ((), 1)


# -- what never happens, whatever is scanned at however many benches

TEXTS = st.sampled_from(
    [
        "PS1",
        "PS2",
        "PS3",
        "690A",
        "691A",
        "690B",
        "690C",
        "690X",
        "777",
        "*0",
        "*2",
        "*3",
        "BK-END",
        "BK-PAUSE",
    ]
)
STEPS = st.one_of(
    st.tuples(st.integers(1, 3), st.lists(TEXTS, min_size=1, max_size=5)).map(
        lambda drawn: f"{drawn[0]}: {' '.join(drawn[1])}"
    ),
    st.sampled_from(
        [f"{gate} {what}" for gate in (1, 2, 3) for what in ("packing", "repick", "away", "back")]
        + [
            "hold",
            "answer",
            "reopen O1",
            "put O1",
            "cancel O2",
            "restart",
            "wait 21",
            "plc new",
            "plc away",
            "plc back",
        ]
        + ["1: PS1 690A 690B *2 BK-END", "2: PS2 690C *3 BK-END", "3: PS3 690X *2 690C BK-END"]
    ),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_whatever_is_scanned(steps: list[str]) -> None:
    benches = hall()
    standing: set[str] = set()
    for step in steps:
        seen = len(benches.records)
        benches.play(step)
        for body in benches.records[seen:]:
            if isinstance(body, Reviewed):
                right = not body.missing and not body.extra
                assert (body.reason is Reason.OK) == right
            if isinstance(body, WorkLeft) and body.released:
                assert body.order_no not in standing, "passed twice without being reopened"
                standing.add(body.order_no)
            if isinstance(body, ReviewOpened):
                assert body.order_no not in standing
            if isinstance(body, ReviewReopened):
                standing.discard(body.order_no)
        if step == "put O1":
            standing.discard("O1")
        slips = benches.open_slips()
        assert len(slips) == len(set(slips)), "one slip is open at two benches"
        leaving = [
            s.leaving.order_no for s in benches.core.state.benches.values() if s.leaving and s.leaving.passed
        ]
        assert not set(leaving) & set(slips)
    _replays(benches)


def _replays(benches: Benches) -> None:
    """Bit for bit, from the first input and from a snapshot in the middle."""
    core, half = LineCore(DEMO), len(benches.events) // 2
    derived = []
    for n, event in enumerate(benches.events):
        if n == half:
            kept = decode(CoreState, encode(core.state))
            core = LineCore(DEMO, kept)
        derived += [command.body for command in core.handle(event) if isinstance(command, Record)]
    assert derived[-len(benches.records) :] == benches.records
    assert encode(core.state) == encode(benches.core.state)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["PS1", "PS2", "PS3"]),
    st.lists(TEXTS.filter(lambda text: not text.startswith(("PS", "BK"))), max_size=12),
    st.lists(st.tuples(st.integers(2, 3), TEXTS), max_size=8),
    st.lists(st.integers(0, 12), max_size=3),
)
def test_it_passes_if_and_only_if_the_multisets_are_equal(
    slip: str, texts: list[str], others: list[tuple[int, str]], pauses: list[int]
) -> None:
    """Whatever the other benches scan meanwhile, and however often it is interrupted."""
    benches = hall()
    one = benches.orders[slip]
    benches.play(f"1: {slip}")
    for n, text in enumerate(texts):
        benches.play(f"1: {text}")
        if n in pauses and not (n + 1 < len(texts) and texts[n + 1].startswith("*")):
            benches.play("1: BK-PAUSE")
            benches.play(f"1: {slip}")
        if n < len(others) and others[n][1] != slip:
            benches.play(f"{others[n][0]}: {others[n][1]}")
    benches.play("1: BK-END")
    verdict = next(body for body in benches.records if isinstance(body, Reviewed) and body.slip == slip)
    wanted: dict[str, int] = {goods.sku: goods.qty for goods in one.goods if goods.qty}
    lies = lying(texts, one)
    assert (verdict.reason is Reason.OK) == (lies == wanted)
    assert {d.sku: d.qty for d in verdict.missing} == {
        sku: qty - lies[sku] for sku, qty in wanted.items() if qty > lies[sku]
    }
    assert {d.sku or d.code: d.qty for d in verdict.extra} == {
        sku: qty - wanted.get(sku, 0) for sku, qty in lies.items() if qty > wanted.get(sku, 0)
    }


def test_a_restart_still_waits_for_what_is_on_its_way_and_opens_no_gate_for_it() -> None:
    benches = hall()
    benches.play("1: PS2 690C *3 BK-END")
    core = LineCore(DEMO, decode(CoreState, encode(benches.core.state)))
    core.handle(LineStarted(at_us=MonoUs(9), build="b", config_hash="c", chutes_disabled=()))
    left = core.outstanding()
    assert not [command for command in left if isinstance(command, SetGate)]
    assert [command.ref for command in left if isinstance(command, WakeAt) and command.purpose == "gate"] == [
        1
    ]


def test_a_slip_that_is_being_looked_up_is_asked_for_again_after_a_replay() -> None:
    benches = hall()
    benches.play("hold")
    benches.play("1: PS1")
    assert LookUpSlip(bench=BenchId("bench1"), slip="PS1") in benches.core.outstanding()


# -- on the belt


def test_unreviewed_work_leaves_as_not_reviewed() -> None:
    bench = CoreBench()
    bench.unreviewed.add(waybill(4))
    bench.parcel(4)
    bench.run(14_000)
    assert (bench.the(Decided).reason, bench.the(Exited).shipped) == (Reason.NOT_REVIEWED, False)
    assert bench.the(Exited).chute == "REJECT"


def test_a_line_may_be_told_not_to_require_a_review() -> None:
    bench = CoreBench(replace(DEMO, review_required=False))
    bench.unreviewed.add(waybill(4))
    bench.parcel(4)
    bench.run(14_000)
    assert bench.the(Exited).shipped


def change(bench: CoreBench, n: int, contents: str) -> None:
    now = order(waybill(n), routing=str(n), contents=contents)
    seq = InboxSeq(bench.inbox + 1)
    bench.inbox += 1
    status = OrderStatus.RELEASED
    bench.post(
        OrderChanged(at_us=bench.at_us, inbox_seq=seq, waybill=Waybill(waybill(n)), status=status, order=now)
    )


@pytest.mark.parametrize(
    ("contents", "at_mm", "reason"),
    [
        ("", 2_000, Reason.OK),
        ("other", 2_000, Reason.NOT_REVIEWED),
        ("", 3_500, Reason.OK),
        ("other", 3_500, Reason.NOT_REVIEWED),
    ],
    ids=["same goods", "other goods", "same goods, told", "other goods, told"],
)
def test_a_passed_order_that_is_put_anew_counts_as_reviewed_only_with_the_same_goods(
    contents: str, at_mm: int, reason: Reason
) -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(at_mm)
    change(bench, 8, contents)
    bench.run(14_000)
    assert bench.the(Exited).reason is reason
    assert len(bench.records(RevokeOrdered)) == (reason is not Reason.OK and at_mm > 3_000)


@pytest.mark.parametrize("at_mm", [2_000, 3_500], ids=["undecided", "told"])
def test_a_review_that_is_reopened_takes_its_parcel_off(at_mm: int) -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(at_mm)
    bench.post(
        OperatorCommanded(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox + 1),
            action=OperatorAction.REOPEN_REVIEW,
            subject="O-" + waybill(8),
            by="Li",
        )
    )
    bench.run(14_000)
    assert (bench.the(Exited).reason, bench.the(Exited).shipped) == (Reason.NOT_REVIEWED, False)


def test_an_answer_from_before_a_reopening_is_not_believed() -> None:
    bench = CoreBench()
    action = OperatorAction.REOPEN_REVIEW
    subject = OrderNo("O-" + waybill(8))
    bench.post(
        OperatorCommanded(at_us=bench.at_us, inbox_seq=InboxSeq(1), action=action, subject=subject, by="Li")
    )
    bench.parcel(8)
    bench.run(14_000)
    assert bench.the(Exited).reason is Reason.NOT_REVIEWED


def test_a_bench_scan_is_one_input_whatever_it_holds() -> None:
    core = hall().core
    scan = BenchScanned(at_us=MonoUs(1), bench=BenchId("bench1"), texts=("PS1", "690A", "*2"))
    assert core.handle(scan) == (LookUpSlip(bench=BenchId("bench1"), slip="PS1"),)
