"""A slip's order from the inbox, bundles expanded; what the record says of its review afterwards."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model import records as r
from edge.model.ids import BenchId, InboxSeq, OrderNo, Sku, Waybill
from edge.model.line import OperatorAction
from edge.model.order import BenchOrder, Goods, OrderLine, OrderStatus
from edge.model.review import Difference, GateLane, ReviewRefusal, ReviewState
from edge.model.units import Grams, MonoUs
from edge.model.verdict import Reason
from edge.ports.journal import JournalItem
from edge.store.inbox_reader import InboxReader
from edge.store.inbox_types import Outcome
from edge.store.inbox_writer import InboxWriter
from edge.store.journal_reader import JournalReader
from tests.core.store_kit import Scribe, message, order, put

O1, W1 = OrderNo("A-1"), Waybill("W1")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[InboxWriter]:
    writer = InboxWriter(tmp_path / "inbox" / "inbox.db", durable=False)
    yield writer
    writer.close()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[InboxReader]:
    reader = InboxReader(tmp_path / "inbox" / "inbox.db")
    yield reader
    reader.close()


def asked(reader: InboxReader, slip: str) -> BenchOrder | ReviewRefusal:
    return reader.look_up_slip(slip, lambda _waybill, _order_no: (None, None)).order


def goods(sku: str, *barcodes: str, **parts: int) -> Goods:
    pieces = tuple(OrderLine(sku=Sku(part), qty=qty) for part, qty in parts.items())
    return Goods(sku=Sku(sku), barcodes=barcodes, unit_weight_g=Grams(10), parts=pieces)


def test_a_slips_goods_with_bundles_in_bundles_gifts_and_several_barcodes(
    writer: InboxWriter, reader: InboxReader
) -> None:
    shelf = [
        goods("A", "690A", "691A"),
        goods("B", "690B"),
        goods("PACK", "690P", A=2),
        goods("BOX", PACK=3, B=1),
    ]
    writer.put_goods(message("g"), shelf)
    lines = (("BOX", 2), ("A", 1), ("A", 4), ("NEW", 1))
    writer.put_orders([put("m", order("A-1", lines=lines, pick_slip_no="PS1"))])
    found = asked(reader, "PS1")
    assert isinstance(found, BenchOrder)
    assert (found.order_no, found.waybill, found.status) == (O1, W1, OrderStatus.RELEASED)
    assert {(one.sku, one.qty, one.barcodes) for one in found.goods if not one.parts} == {
        ("A", 2 * 3 * 2 + 1 + 4, ("690A", "691A")),
        ("B", 2, ("690B",)),
        ("NEW", 1, ()),
    }
    assert {
        (one.sku, one.barcodes, tuple((p.sku, p.qty) for p in one.parts)) for one in found.goods if one.parts
    } == {
        ("BOX", (), (("A", 6), ("B", 1))),
        ("PACK", ("690P",), (("A", 2),)),
    }


@pytest.mark.parametrize(
    ("shelf", "slip", "why"),
    [
        ((), "PS9", ReviewRefusal.UNKNOWN_SLIP),
        ((), "", ReviewRefusal.UNKNOWN_SLIP),
        ((), "PS2", ReviewRefusal.AMBIGUOUS_SLIP),
        ((("X", {"X": 1}),), "PS1", ReviewRefusal.ENDLESS_BUNDLE),
        ((("X", {"Y": 1}), ("Y", {"X": 1})), "PS1", ReviewRefusal.ENDLESS_BUNDLE),
        (
            tuple((f"X{n}" if n else "X", {f"X{n + 1}": 1}) for n in range(12)),
            "PS1",
            ReviewRefusal.ENDLESS_BUNDLE,
        ),
    ],
    ids=["unknown", "empty", "of two orders", "in itself", "in a circle", "too deep"],
)
def test_what_cannot_be_reviewed_says_why(
    writer: InboxWriter,
    reader: InboxReader,
    shelf: tuple[tuple[str, dict[str, int]], ...],
    slip: str,
    why: ReviewRefusal,
) -> None:
    writer.put_goods(message("g"), [goods(sku, **parts) for sku, parts in shelf])
    numbered = [("A-1", "W1", "PS1"), ("A-2", "W2", "PS2"), ("A-3", "W3", "PS2")]
    writer.put_orders(
        [
            put(f"m{n}", order(number, 1, [label], lines=(("X", 1),), pick_slip_no=slip))
            for n, (number, label, slip) in enumerate(numbered)
        ]
    )
    assert asked(reader, slip) is why


def test_an_order_without_a_slip_is_reviewed_by_its_own_number(
    writer: InboxWriter, reader: InboxReader
) -> None:
    assert asked(reader, "A-1") is ReviewRefusal.UNKNOWN_SLIP
    writer.put_orders([put("m", order("A-1", lines=(("X", 1),), pick_slip_no=""))])
    assert isinstance(asked(reader, "A-1"), BenchOrder)


def test_a_cancelled_order_gives_its_slip_to_another(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m", order("A-1", lines=(("X", 1),), pick_slip_no="PS1"))])
    writer.cancel(message("c"), O1)
    found = asked(reader, "PS1")
    assert isinstance(found, BenchOrder)
    assert found.status is OrderStatus.CANCELLED
    writer.put_orders([put("n", order("A-2", 1, ["W2"], lines=(("X", 1),), pick_slip_no="PS1"))])
    found = asked(reader, "PS1")
    assert isinstance(found, BenchOrder)
    assert found.order_no == "A-2"


def test_a_review_counts_for_the_contents_that_were_reviewed(
    writer: InboxWriter, reader: InboxReader
) -> None:
    lines = (("X", 1), ("Y", 2))
    writer.put_orders([put("m1", order("A-1", 1, lines=lines, pick_slip_no="PS1"))])
    slip = asked(reader, "PS1")
    assert isinstance(slip, BenchOrder)
    counts = {O1: slip.contents}

    def on_record(_waybill: Waybill, order_no: OrderNo) -> tuple[None, str | None]:
        return None, counts.get(order_no)

    def look() -> tuple[bool, bool]:
        return reader.look_up(W1, on_record).reviewed, reader.look_up_slip("PS1", on_record).released

    assert look() == (True, True)
    writer.put_orders([put("m2", order("A-1", 2, lines=lines, pick_slip_no="PS1", shop="other"))])
    assert look() == (True, True)
    writer.put_orders([put("m3", order("A-1", 3, lines=(("X", 1), ("Y", 3)), pick_slip_no="PS1"))])
    assert look() == (False, False)
    counts.clear()
    assert look() == (False, False)


def test_reopening_wants_an_order_that_is_there(writer: InboxWriter) -> None:
    reopen = OperatorAction.REOPEN_REVIEW
    assert writer.operator_command(message("o1"), reopen, "A-1", "Li").outcome is Outcome.UNKNOWN
    writer.put_orders([put("m", order("A-1"))])
    assert writer.operator_command(message("o2"), reopen, "A-1", "Li").outcome is Outcome.STORED


def test_goods_by_barcode(writer: InboxWriter, reader: InboxReader) -> None:
    assert reader.goods_with("690A") == ()
    writer.put_goods(message("g"), [goods("B", "690A"), goods("A", "690A", "691A")])
    assert reader.goods_with("690A") == ("A", "B")


def test_an_older_schema_of_the_inbox_is_brought_up_with_its_slips(tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "inbox.db"
    writer = InboxWriter(path, durable=False)
    writer.put_orders([put("m", order("A-1", lines=(("X", 1),), pick_slip_no="PS1"))])
    writer.close()
    with sqlite3.connect(path) as old:
        old.execute("DROP INDEX orders_pick_slip")
        old.execute("ALTER TABLE orders DROP COLUMN pick_slip_no")
        old.execute("UPDATE alembic_version SET version_num='inbox_0002'")
    old.close()
    InboxWriter(path, durable=False).close()
    reader = InboxReader(path)
    assert isinstance(asked(reader, "PS1"), BenchOrder)
    reader.close()


BENCH = BenchId("bench1")
LACKS = (Difference(sku=Sku("A"), code="", qty=1),)
EXTRA = (Difference(sku=Sku(""), code="777", qty=2),)


def opened(at: int) -> r.ReviewOpened:
    return r.ReviewOpened(
        at_us=MonoUs(at), bench=BENCH, slip="PS1", order_no=O1, order_version=1, waybill=W1, resumed=False
    )


def reviewed(at: int, reason: Reason) -> r.Reviewed:
    ok = reason is Reason.OK
    return r.Reviewed(
        at_us=MonoUs(at),
        bench=BENCH,
        slip="PS1",
        order_no=O1,
        order_version=1,
        waybill=W1,
        contents="c1",
        reason=reason,
        pieces=3,
        missing=() if ok else LACKS,
        extra=() if ok else EXTRA,
    )


def left(at: int, *, released: bool, lane: GateLane | None = GateLane.PACKING) -> r.WorkLeft:
    return r.WorkLeft(at_us=MonoUs(at), bench=BENCH, order_no=O1, waybill=W1, lane=lane, released=released)


FAILED, PASSED = reviewed(2, Reason.SKU_MISSING), reviewed(2, Reason.OK)
AGAIN = r.ReviewReopened(at_us=MonoUs(4), inbox_seq=InboxSeq(1), order_no=O1, by="Li")
BROKEN = r.ReviewInterrupted(at_us=MonoUs(2), bench=BENCH, slip="PS1", order_no=O1, kept=False)


@pytest.mark.parametrize(
    ("rows", "state", "contents"),
    [
        ([opened(1)], ReviewState.OPEN, None),
        ([opened(1), BROKEN], ReviewState.INTERRUPTED, None),
        ([opened(1), FAILED], ReviewState.FAILED, None),
        ([opened(1), FAILED, left(3, released=False, lane=GateLane.REPICK)], ReviewState.FAILED, None),
        ([opened(1), PASSED], ReviewState.PASSED, None),
        ([opened(1), PASSED, left(3, released=True)], ReviewState.RELEASED, "c1"),
        ([opened(1), PASSED, left(3, released=False, lane=None)], ReviewState.UNCONFIRMED, None),
        ([opened(1), PASSED, left(3, released=True), AGAIN], ReviewState.REOPENED, None),
        ([opened(1), PASSED, left(3, released=True), AGAIN, opened(5)], ReviewState.OPEN, None),
    ],
)
def test_the_read_model_of_a_review(
    tmp_path: Path, rows: list[JournalItem], state: ReviewState, contents: str | None
) -> None:
    path = tmp_path / "journal" / "journal.db"
    scribe = Scribe(path)
    scribe.write(*rows)
    scribe.close()
    journal = JournalReader(path)
    found = journal.review(O1)
    assert found is not None
    assert (found.state, journal.on_record(W1, O1)) == (state, (None, contents))
    assert journal.review_of(W1) == found
    if found.reason is Reason.SKU_MISSING:
        assert (found.missing, found.extra, found.pieces) == (LACKS, EXTRA, 3)
    assert journal.review(OrderNo("A-9")) is None
    assert journal.review_of(Waybill("W9")) is None
    journal.close()
