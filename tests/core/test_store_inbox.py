"""The inbox: idempotent by message and by version; and what the line reads of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.model.ids import ChuteId, InboxSeq, MessageId, OrderNo, PlanId, Sku, Waybill
from edge.model.line import OperatorAction
from edge.model.order import Goods, OrderFlag, OrderLine, OrderStatus, ShippedBefore, ShippedPlace
from edge.model.route import SortPlan, SortRule
from edge.model.units import Grams, UtcUs
from edge.ports.inbox import CancelRow, OperatorRow, OrderRow, OtherRow, PlanRow
from edge.store import inbox_rows, inbox_writer
from edge.store.errors import RowTooLarge, StoreUnreadable
from edge.store.inbox_reader import InboxReader
from edge.store.inbox_types import Actor, ApiKey, Taken
from edge.store.inbox_writer import InboxWriter
from tests.core.store_kit import ERP, message, order, put

A1 = OrderNo("A-1")
ADMIN = Actor(id="console:li", role="admin")
Act = Callable[[], Taken]
NEVER_SHIPPED = lambda _waybills: None  # noqa: E731
NOTHING_ON_RECORD = lambda _waybill, _order_no: (None, None)  # noqa: E731


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[InboxWriter]:
    writer = InboxWriter(tmp_path / "inbox" / "inbox.db", durable=False)
    yield writer
    writer.close()


@pytest.fixture
def reader(writer: InboxWriter, tmp_path: Path) -> Iterator[InboxReader]:
    reader = InboxReader(tmp_path / "inbox" / "inbox.db")
    yield reader
    reader.close()


def outcome(taken: Taken) -> str:
    return f"{taken.outcome.value}{' again' if taken.repeated else ''} {taken.inbox_seq} v{taken.version}"


def test_orders_are_stored_once_however_often_they_come(writer: InboxWriter) -> None:
    first, newer = put("m1", order("A-1", 3)), put("m2", order("A-1", 4, carrier="sto"))
    cycle = [
        (first, "stored 1 v3"),
        (first, "stored again 1 v3"),
        (put("m1b", order("A-1", 3)), "unchanged 0 v3"),
        (put("m1", order("A-1", 9)), "conflict 0 v0"),
        (newer, "stored 2 v4"),
        (first, "stored again 1 v3"),
        (put("m3", order("A-1", 3)), "stale_version 0 v4"),
        (put("m4", order("A-1", 4, carrier="jt")), "stale_version 0 v4"),
        (put("m3", order("A-1", 3)), "stale_version again 0 v4"),
    ]
    for one, expected in cycle:
        assert outcome(writer.put_orders([one])[0]) == expected
    state = writer.order(A1)
    assert state is not None
    assert (state.order, state.status, state.inbox_seq) == (newer.order, OrderStatus.RELEASED, 2)
    assert writer.last_seq == 2


def test_a_batch_is_judged_in_its_order_and_leaves_one_row_an_order(
    writer: InboxWriter, reader: InboxReader
) -> None:
    batch = [
        put("m1", order("A-1", 1, ["W1"])),
        put("m2", order("A-2", 1, ["W1"])),
        put("m1", order("A-1", 1, ["W1"])),
        put("m3", order("A-1", 2, ["W3"])),
        put("m4", order("A-2", 1, ["W1"])),
        put("m5", order("A-3", 1, ["W5", "W5"])),
    ]
    assert [outcome(taken) for taken in writer.put_orders(batch)] == [
        "stored 1 v1",
        "waybill_taken 0 v0",
        "stored again 1 v1",
        "stored 2 v2",
        "stored 3 v1",
        "waybill_taken 0 v0",
    ]
    assert [row.seq for row in reader.rows_after(InboxSeq(0), 100)] == [1, 2, 3]
    assert writer.put_orders([]) == ()


def test_of_orders_that_nobody_wants_only_the_row_is_read(writer: InboxWriter, reader: InboxReader) -> None:
    some = (("A-1", 1, ["W1", "W2"]), ("A-2", 1, ["W3"]), ("A-1", 2, ["W2"]), ("A-3", 1, ["W4"]))
    writer.put_orders([put(f"m{n}", order(*one)) for n, one in enumerate(some)])
    writer.cancel(message("c1"), OrderNo("A-3"))

    def read(*wanted: str) -> list[tuple[int, list[str]]]:
        rows = reader.rows_after(InboxSeq(0), 100, frozenset(Waybill(one) for one in wanted))
        parcels = [row.orders if isinstance(row, OrderRow) else () for row in rows]
        return [
            (row.seq, [f"{one.waybill} {one.status}" for one in some])
            for row, some in zip(rows, parcels, strict=True)
        ]

    whole = ["W2 released", "W1 cancelled"]
    assert read("W2", "W9") == [(1, whole), (2, []), (3, whole), (4, []), (5, [])]
    assert read("W1")[0] == (1, whole), "a label of a version before"
    assert read("W3") == [(1, []), (2, ["W3 released"]), (3, []), (4, []), (5, [])]
    assert read() == [(n, []) for n in range(1, 6)]
    assert isinstance(reader.rows_after(InboxSeq(4), 1, frozenset())[0], CancelRow)


def test_a_failed_batch_changes_nothing(writer: InboxWriter, reader: InboxReader) -> None:
    huge = order("A-2", 1, ["W2"], lines=tuple((f"sku-{n:060d}", 1) for n in range(12_000)))
    with pytest.raises(RowTooLarge, match=r"at most 1048576"):
        writer.put_orders([put("m1", order("A-1")), put("m2", huge)])
    assert reader.rows_after(InboxSeq(0), 10) == ()
    assert outcome(writer.put_orders([put("m1", order("A-1"))])[0]) == "stored 1 v1"


def test_a_crash_inside_a_call_leaves_nothing_of_it(
    writer: InboxWriter, reader: InboxReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(inbox_writer, "keep_answer", crash)
    with pytest.raises(KeyboardInterrupt):
        writer.cancel(message("c1"), A1)
    monkeypatch.setattr(inbox_writer, "keep_answer", inbox_rows.keep_answer)
    assert reader.rows_after(InboxSeq(0), 10) == ()
    assert outcome(writer.cancel(message("c1"), A1)) == "stored 1 v0"


def status(writer: InboxWriter) -> str:
    state = writer.order(A1)
    return "none" if state is None else f"{state.status.value} v{state.order.version}"


def test_hold_release_and_cancel_survive_newer_versions(writer: InboxWriter) -> None:
    cycle: list[tuple[Act, str, str]] = [
        (lambda: writer.hold(message("1"), A1), "unknown 0 v0", "none"),
        (lambda: writer.put_orders([put("2", order("A-1", 1))])[0], "stored 1 v1", "released v1"),
        (lambda: writer.release(message("3"), A1), "unchanged 0 v1", "released v1"),
        (lambda: writer.hold(message("4"), A1), "stored 2 v1", "held v1"),
        (lambda: writer.hold(message("4"), A1), "stored again 2 v1", "held v1"),
        (lambda: writer.hold(message("5"), A1), "unchanged 0 v1", "held v1"),
        (lambda: writer.put_orders([put("6", order("A-1", 2))])[0], "stored 3 v2", "held v2"),
        (lambda: writer.release(message("4"), A1), "conflict 0 v0", "held v2"),
        (lambda: writer.release(message("7"), A1), "stored 4 v2", "released v2"),
        (lambda: writer.cancel(message("8"), A1), "stored 5 v2", "cancelled v2"),
        (lambda: writer.cancel(message("9"), A1), "stored 6 v2", "cancelled v2"),
        (lambda: writer.cancel(message("8"), A1), "stored again 5 v2", "cancelled v2"),
        (lambda: writer.cancel(message("8", "other"), A1), "conflict 0 v0", "cancelled v2"),
        (lambda: writer.put_orders([put("10", order("A-1", 3))])[0], "stored 7 v3", "cancelled v3"),
        (lambda: writer.release(message("11"), A1), "cancelled 0 v3", "cancelled v3"),
        (lambda: writer.hold(message("12"), A1), "cancelled 0 v3", "cancelled v3"),
    ]
    for act, expected, then in cycle:
        assert (outcome(act()), status(writer)) == (expected, then)


def test_a_cancel_names_every_label_the_order_ever_had(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m1", order("A-1", 1, ["W1", "W2"])), put("m2", order("A-1", 2, ["W2", "W3"]))])
    writer.cancel(message("c1"), A1)
    writer.cancel(message("c2"), OrderNo("B-9"))
    rows = [row for row in reader.rows_after(InboxSeq(0), 10) if isinstance(row, CancelRow)]
    assert [(row.seq, row.request.order_no, row.request.message_id) for row in rows] == [
        (3, "A-1", "c1"),
        (4, "B-9", "c2"),
    ]
    assert [row.request.waybills for row in rows] == [("W1", "W2", "W3"), ()]


def test_a_cancel_is_found_under_its_message_id_alone(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m", order("A-1", waybills=("W1", "W2")))])
    writer.hold(message("h"), A1)
    taken = writer.cancel(message("c"), A1)
    found = reader.cancel_of(MessageId("c"))
    assert found is not None
    assert (found.seq, found.request.order_no, found.request.waybills) == (taken.inbox_seq, A1, ("W1", "W2"))
    assert [reader.cancel_of(MessageId(other)) for other in ("h", "m", "nobody")] == [None, None, None]


def test_a_label_that_a_newer_version_gave_up_must_not_ship(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m1", order("A-1", 1, ["W1"])), put("m2", order("A-1", 2, ["W2"]))])
    row = reader.rows_after(InboxSeq(1), 1)[0]
    assert isinstance(row, OrderRow)
    assert [(it.waybill, it.status, it.version) for it in row.orders] == [
        ("W2", OrderStatus.RELEASED, 2),
        ("W1", OrderStatus.CANCELLED, 2),
    ]
    assert reader.look_up(Waybill("W1"), NOTHING_ON_RECORD).order is None
    state = reader.order(A1)
    assert state is not None
    assert state.removed == ("W1",)


def test_a_waybill_moves_on_only_from_a_cancelled_order_or_one_that_gave_it_up(
    writer: InboxWriter, reader: InboxReader
) -> None:
    def owner() -> str | None:
        found = reader.look_up(Waybill("W1"), NOTHING_ON_RECORD).order
        return None if found is None else found.order_no

    writer.put_orders([put("m1", order("A-1", 1, ["W1"]))])
    assert outcome(writer.put_orders([put("m2", order("A-2", 1, ["W1"]))])[0]) == "waybill_taken 0 v0"
    writer.hold(message("h"), A1)
    assert outcome(writer.put_orders([put("m3", order("A-2", 1, ["W1"]))])[0]) == "waybill_taken 0 v0"
    writer.cancel(message("c"), A1)
    assert outcome(writer.put_orders([put("m4", order("A-2", 1, ["W1"]))])[0]) == "stored 4 v1"
    assert owner() == "A-2"
    writer.put_orders([put("m5", order("A-2", 2, ["W2"]))])
    assert owner() is None
    assert outcome(writer.put_orders([put("m6", order("A-3", 1, ["W1"]))])[0]) == "stored 6 v1"
    assert owner() == "A-3"


def test_flags_that_mean_something_to_the_line_come_in_the_order_of_their_reasons(
    writer: InboxWriter, reader: InboxReader
) -> None:
    given = ("fragile", "restricted", "return_changed")
    writer.put_orders([put("m1", order("A-1", flags=given)), put("m2", order("A-2", 1, ["W2"]))])
    flagged, plain = (reader.look_up(Waybill(one), NOTHING_ON_RECORD).order for one in ("W1", "W2"))
    assert flagged is not None
    assert plain is not None
    assert flagged.flags == (OrderFlag.RETURN_CHANGED, OrderFlag.RESTRICTED)
    assert plain.flags == ()
    row = reader.rows_after(InboxSeq(0), 1)[0]
    assert isinstance(row, OrderRow)
    assert row.orders[0].flags == flagged.flags


def goods(sku: str, grams: int, *parts: tuple[str, int], codes: tuple[str, ...] = ()) -> Goods:
    return Goods(
        sku=Sku(sku),
        barcodes=codes,
        unit_weight_g=Grams(grams),
        parts=tuple(OrderLine(sku=Sku(part), qty=qty) for part, qty in parts),
    )


WEIGHTS = [
    ("its own figure", 500, (("nobody-knows", 1),), 500),
    ("tare and goods", None, (("pen", 3), ("cup", 1), ("pen", 1)), 80 + 4 * 10 + 300),
    ("only tare", None, (), 80),
    ("a goods weight is missing", None, (("pen", 1), ("ghost", 1)), None),
    ("a bundle of a bundle", None, (("set", 2),), 80 + 2 * (2 * (10 + 300) + 10)),
    ("a bundle with its own weight", None, (("boxed", 2),), 80 + 2 * 45),
    ("a bundle with an unknown part", None, (("broken", 1),), None),
    ("a bundle that holds itself", None, (("loop", 1),), None),
    ("no weight and no parts", None, (("air", 1),), None),
]


@pytest.mark.parametrize(("name", "own", "lines", "grams"), WEIGHTS, ids=[name for name, *_ in WEIGHTS])
def test_the_expected_weight(
    writer: InboxWriter,
    reader: InboxReader,
    name: str,
    own: int | None,
    lines: tuple[tuple[str, int], ...],
    grams: int | None,
) -> None:
    shelf = [
        goods("pen", 10),
        goods("cup", 300),
        goods("duo", 0, ("pen", 1), ("cup", 1)),
        goods("set", 0, ("duo", 2), ("pen", 1)),
        goods("boxed", 45, ("pen", 1)),
        goods("broken", 0, ("pen", 1), ("ghost", 1)),
        goods("loop", 0, ("loop", 1)),
        goods("air", 0),
    ]
    writer.put_goods(message("g"), shelf)
    writer.put_orders([put("m", order("A-1", 1, ["W1"], expected=own, lines=lines))])
    found = reader.look_up(Waybill("W1"), NOTHING_ON_RECORD).order
    assert found is not None
    assert found.expected_weight_g == grams


def test_goods_are_replaced_whole(writer: InboxWriter, reader: InboxReader) -> None:
    cup = goods("cup", 310, ("lid", 1), codes=("6901", "6902"))
    writer.put_goods(message("g1"), [goods("cup", 300, codes=("6900", "6901"))])
    assert outcome(writer.put_goods(message("g2"), [cup])) == "stored 2 v0"
    assert reader.goods(Sku("cup")) == cup
    assert reader.goods(Sku("ghost")) is None


def test_a_look_up_tells_the_order_as_it_stands_and_what_shipped(
    writer: InboxWriter, reader: InboxReader
) -> None:
    shipped = ShippedBefore(place=ShippedPlace.UNPROVED, chute="")
    asked: list[tuple[Waybill, OrderNo]] = []

    def on_record(waybill: Waybill, order_no: OrderNo) -> tuple[ShippedBefore, None]:
        asked.append((waybill, order_no))
        return shipped, None

    writer.put_orders([put("m", order("A-1", 7, ["W1"], shop="店"))])
    writer.hold(message("h"), A1)
    answer = reader.look_up(Waybill("W1"), on_record)
    assert (answer.inbox_seq, answer.reviewed, answer.shipped_before) == (2, False, shipped)
    found = answer.order
    assert found is not None
    assert (found.order_no, found.version, found.status, found.shop) == ("A-1", 7, OrderStatus.HELD, "店")
    assert (found.region.province, found.routing_code, found.carrier) == ("31", "310-01", "zto")
    assert reader.look_up(Waybill("W2"), on_record).order is None
    assert asked == [("W1", "A-1"), ("W2", "")]
    place = reader.place_of(A1, (Waybill("W1"),), lambda _waybills: shipped)
    assert (place.known, place.shipped_before) == (True, shipped)
    assert not reader.place_of(OrderNo("B-1"), (), NEVER_SHIPPED).known


def plan(version: int, chute: str = "001") -> SortPlan:
    rule = SortRule(id="all", chutes=(ChuteId(chute),))
    return SortPlan(id=PlanId("main"), version=version, rules=(rule,), blind_spots=())


def test_plans_are_versions_and_one_is_active(writer: InboxWriter, reader: InboxReader) -> None:
    main = PlanId("main")
    cycle: list[tuple[Act, str, int | None]] = [
        (lambda: writer.activate_plan(message("1"), main, 0), "unknown 0 v0", None),
        (lambda: writer.put_plan(message("2"), plan(2)), "stored 1 v2", None),
        (lambda: writer.put_plan(message("3"), plan(2)), "unchanged 0 v2", None),
        (lambda: writer.put_plan(message("4"), plan(2, "002")), "stale_version 0 v2", None),
        (lambda: writer.put_plan(message("5"), plan(1)), "stale_version 0 v2", None),
        (lambda: writer.activate_plan(message("6"), main, 0), "stored 2 v2", 2),
        (lambda: writer.put_plan(message("7"), plan(3)), "stored 3 v3", 2),
        (lambda: writer.activate_plan(message("8"), main, 3), "stored 4 v3", 3),
        (lambda: writer.activate_plan(message("9"), main, 2), "stored 5 v2", 2),
        (lambda: writer.activate_plan(message("9"), main, 2), "stored again 5 v2", 2),
    ]
    for act, expected, active in cycle:
        assert outcome(act()) == expected
        found = reader.active_plan()
        assert (None if found is None else found.version) == active
    rows = reader.rows_after(InboxSeq(0), 10)
    assert [(type(row), row.seq) for row in rows] == [
        (OtherRow, 1),
        (PlanRow, 2),
        (OtherRow, 3),
        (PlanRow, 4),
        (PlanRow, 5),
    ]
    assert [row.plan.version for row in rows if isinstance(row, PlanRow)] == [2, 3, 2]
    assert reader.plan(main, 3) == plan(3)


def test_rows_come_in_order_a_few_at_a_time(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m", order("A-1"))])
    for n in range(3):
        writer.operator_command(message(f"o{n}"), OperatorAction.DISABLE_CHUTE, f"00{n}", "Li")
    assert [row.seq for row in reader.rows_after(InboxSeq(0), 2)] == [1, 2]
    rows = reader.rows_after(InboxSeq(2), 10)
    assert rows == tuple(
        OperatorRow(seq=InboxSeq(n + 2), action=OperatorAction.DISABLE_CHUTE, subject=f"00{n}", by="Li")
        for n in (1, 2)
    )
    assert reader.rows_after(InboxSeq(4), 10) == ()


def test_a_row_that_cannot_be_read_is_an_error_not_a_gap(writer: InboxWriter, reader: InboxReader) -> None:
    writer.operator_command(message("o"), OperatorAction.PURGE, "", "Li")
    writer._db.execute("UPDATE inbox SET kind='telepathy'")
    with pytest.raises(StoreUnreadable, match=r"inbox\.db: row 1: 'telepathy'"):
        reader.rows_after(InboxSeq(0), 10)


@pytest.mark.parametrize("body", ["{}", '{"order_no": "A-1"', ""])
def test_an_order_row_without_its_number_is_an_error_whoever_is_wanted(
    body: str, writer: InboxWriter, reader: InboxReader
) -> None:
    writer.put_orders([put("m1", order("A-1")), put("m2", order("A-2", 1, ["W2"]))])
    writer._db.execute("UPDATE inbox SET body=? WHERE inbox_seq=2", (body,))
    for wanted in (None, frozenset[Waybill](), frozenset({Waybill("W1")})):
        with pytest.raises(StoreUnreadable, match=r"inbox\.db: row 2: it names no order"):
            reader.rows_after(InboxSeq(0), 10, wanted)


def test_a_client_has_two_keys_at_once_and_no_more(writer: InboxWriter, reader: InboxReader) -> None:
    def key(name: str, n: int) -> ApiKey:
        return ApiKey(name=name, role="erp", key_sha256=bytes([n]) * 32, added_utc_us=UtcUs(n))

    assert [writer.add_api_key(key("erp", n), ADMIN) for n in (1, 1, 2, 3)] == [True, False, True, False]
    assert not writer.add_api_key(key("other", 1), ADMIN)
    assert writer.add_api_key(key("other", 4), ADMIN)
    assert [writer.remove_api_key(key("erp", 1), ADMIN, UtcUs(7)) for _ in range(2)] == [True, False]
    assert writer.add_api_key(key("erp", 3), ADMIN)
    assert reader.api_keys() == writer.api_keys() == (key("erp", 2), key("erp", 3), key("other", 4))
    changes = [(change.what, change.name, change.fingerprint) for change in reader.key_changes()]
    assert changes == [
        ("added", "erp", "01010101"),
        ("added", "erp", "02020202"),
        ("added", "other", "04040404"),
        ("withdrawn", "erp", "01010101"),
        ("added", "erp", "03030303"),
    ]
    assert {change.by for change in reader.key_changes()} == {ADMIN}


def test_every_row_says_who_asked(writer: InboxWriter, reader: InboxReader) -> None:
    writer.put_orders([put("m1", order("A-1", 3))])
    writer.cancel(replace(message("m2"), by=Actor(id="erp-2", role="erp")), A1)
    assert [(row.seq, row.kind, row.message_id, row.by) for row in reader.changes_after(InboxSeq(0), 9)] == [
        (1, "put_order", "m1", ERP),
        (2, "cancel", "m2", Actor(id="erp-2", role="erp")),
    ]
    assert [row.seq for row in reader.changes_after(InboxSeq(1), 9)] == [2]


def test_everything_stands_after_the_writer_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    writer = InboxWriter(path)
    writer.put_orders([put("m", order("A-1"))])
    writer.cancel(message("c"), A1)
    writer.close()
    writer = InboxWriter(path)
    assert outcome(writer.cancel(message("c"), A1)) == "stored again 2 v1"
    assert writer.last_seq == 2
    assert writer.operator_command(message("o"), OperatorAction.PURGE, "", "").inbox_seq == 3
    writer.close()
