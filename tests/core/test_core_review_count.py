"""What is counted at a bench against what the order has, and what never happens whatever is scanned."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.bench_count import differences
from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.commands import LookUpSlip, Record, SetGate, WakeAt
from edge.model.events import LineStarted
from edge.model.ids import BenchId, Sku
from edge.model.order import BenchGoods
from edge.model.records import (
    Reviewed,
    ReviewOpened,
    ReviewReopened,
    WorkLeft,
)
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.store.rows import decode, encode
from tests.core.core_line import DEMO
from tests.core.review_kit import Benches, bench_order, hall, lying

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
