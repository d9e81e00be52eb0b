"""Scan review at the benches: tables of what is scanned and what comes of it, and what never happens."""

import pytest

from edge.core.review import MAX_CODES, MAX_PARKED
from edge.model.commands import LookUpSlip
from edge.model.ids import BenchId, Waybill
from tests.clauses import clause
from tests.core.review_kit import bench_order, hall

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


def test_it_wants_to_hear_of_orders_that_are_open_and_of_any_while_a_slip_is_asked_for() -> None:
    """A row that the answer is older than may be of an order that nobody knows yet."""
    benches = hall()
    assert benches.core.wanted() == frozenset()
    benches.held = True
    benches.play("1: PS1")
    assert benches.core.wanted() is None
    benches.answer()
    assert benches.core.wanted() == frozenset({Waybill("W1")})
    benches.play("put O1")
    assert benches.core.wanted() is None, "it is asked for anew"
    benches.play("1: BK-PAUSE")
    assert benches.core.wanted() == frozenset()


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
