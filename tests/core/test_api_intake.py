"""What may enter the inbox, without HTTP: as the simulation calls it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.intake import Actor, Intake, OrderPut, Outcome, Refusal, Refused, Taken, message_about
from edge.model.ids import ChuteId, ExitNo, MessageId, OrderNo, PlanId, Sku, Waybill
from edge.model.line import OperatorAction
from edge.model.order import Goods, Order, OrderLine, OrderParcel, Region
from edge.model.route import SortPlan, SortRule
from edge.model.topology import Chute, ChuteKind
from edge.model.units import Grams, UtcUs
from edge.store.inbox_writer import InboxWriter

ERP = Actor(id="erp-1", role="erp")

CHUTES = tuple(
    Chute(id=ChuteId(name), exit=ExitNo(no), kind=kind, reserve=2)
    for no, (name, kind) in enumerate(
        [("001", ChuteKind.SHIPPING), ("REJECT", ChuteKind.REJECT), ("END", ChuteKind.END)], start=1
    )
)

NUMBERS = count()


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InboxWriter]:
    made = InboxWriter(tmp_path_factory.mktemp("intake") / "inbox" / "inbox.db", durable=False)
    yield made
    made.close()


@pytest.fixture
def intake(writer: InboxWriter) -> Intake:
    return Intake(writer, CHUTES)


def parcel(waybill: str) -> OrderParcel:
    return OrderParcel(
        waybill_no=Waybill(waybill),
        routing_code="571-01",
        bag_place="HZ",
        lines=(OrderLine(sku=Sku("A"), qty=1),),
        packaging_code="B1",
        tare_g=Grams(50),
        expected_weight_g=None,
        tolerance_g=Grams(0),
    )


def order(name: str, *, version: int = 1, parcels: int = 1) -> Order:
    return Order(
        order_no=OrderNo(name),
        version=version,
        customer_code="K",
        shop="",
        platform="",
        wave="",
        pick_slip_no="",
        carrier="ZTO",
        region=Region(province="33", city="", district=""),
        parcels=tuple(parcel(f"W{name}{n}") for n in range(parcels)),
        cut_off="",
        flags=(),
    )


def put(made: Order, message: str = "") -> OrderPut:
    about = message_about(
        MessageId(message or f"m-{made.order_no}-{made.version}"), UtcUs(1), "put", made, by=ERP
    )
    return OrderPut(message=about, order=made)


def plan(*chutes: str, doubled: bool = False) -> SortPlan:
    rules = [SortRule(id=f"r{n}", chutes=(ChuteId(chute),)) for n, chute in enumerate(chutes)]
    if doubled:
        rules.append(replace(rules[0], carrier="ZTO"))
    return SortPlan(id=PlanId("-".join(chutes)), version=1, rules=tuple(rules), blind_spots=())


def test_a_refused_order_stops_no_other_and_answers_keep_their_places(intake: Intake) -> None:
    answers = intake.put_orders(
        [put(order("a")), put(order("b", parcels=2)), put(order("c")), put(order("d", parcels=0))]
    )
    assert [answer.outcome if isinstance(answer, Taken) else answer.refusal for answer in answers] == [
        Outcome.STORED,
        Refusal.MULTI_PARCEL,
        Outcome.STORED,
        Refusal.MULTI_PARCEL,
    ]
    assert intake.order(OrderNo("b")) is None
    found = intake.order(OrderNo("c"))
    assert found is not None
    assert found.order == order("c")


def test_more_than_a_batch_is_refused_whole(intake: Intake) -> None:
    answers = intake.put_orders([put(order(f"x{n}")) for n in range(1_001)])
    assert {answer.refusal for answer in answers if isinstance(answer, Refused)} == {Refusal.BATCH_TOO_LARGE}
    assert len(answers) == 1_001
    assert intake.order(OrderNo("x0")) is None


def test_a_message_is_the_same_when_its_words_are() -> None:
    def digest(*asked: object) -> bytes:
        return message_about(MessageId("m"), UtcUs(1), *asked, by=ERP).body_sha256

    assert digest("put", order("a")) == digest("put", order("a"))
    assert digest("put", order("a")) != digest("put", order("a", version=2))
    assert digest("cancel", "ab", "c") != digest("cancel", "a", "bc"), "parts do not run together"
    assert len(digest("x")) == 32


def test_a_repeat_does_nothing_again(intake: Intake) -> None:
    first = intake.put_order(put(order("r")).message, order("r"))
    again = intake.put_order(put(order("r")).message, order("r"))
    assert isinstance(first, Taken)
    assert again == replace(first, repeated=True)
    other = intake.put_order(put(order("r", version=2), "m-r-1").message, order("r", version=2))
    assert isinstance(other, Taken)
    assert other.outcome is Outcome.CONFLICT


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ab")), min_size=1, max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_versions_never_fall(intake: Intake, pushes: list[tuple[int, str]]) -> None:
    """Whatever comes in whatever order, the highest version that was first to be taken stands."""
    name = f"v{next(NUMBERS)}"
    expected: tuple[int, str] | None = None
    for n, (version, shop) in enumerate(pushes):
        made = replace(order(name, version=version), shop=shop)
        answer = intake.put_order(put(made, f"{name}-{n}").message, made)
        assert isinstance(answer, Taken)
        if expected is None or version > expected[0]:
            assert answer.outcome is Outcome.STORED
            expected = (version, shop)
        elif (version, shop) == expected:
            assert answer.outcome is Outcome.UNCHANGED
        else:
            assert answer.outcome is Outcome.STALE_VERSION
        found = intake.order(OrderNo(name))
        assert found is not None
        assert (found.order.version, found.order.shop) == expected


def test_a_cancel_is_always_on_record(intake: Intake) -> None:
    taken = intake.cancel(
        message_about(MessageId("c1"), UtcUs(1), "cancel", "never", by=ERP), OrderNo("never")
    )
    assert taken.outcome is Outcome.STORED
    assert taken.inbox_seq > 0


@pytest.mark.parametrize(
    ("tried", "refusal"),
    [
        (plan("001"), None),
        (plan("001", "REJECT"), Refusal.CHUTE_NOT_SHIPPING),
        (plan("END"), Refusal.CHUTE_NOT_SHIPPING),
        (plan("099"), Refusal.CHUTE_UNKNOWN),
        (plan("001", doubled=True), Refusal.DOUBLED),
    ],
)
def test_a_plan_names_shipping_chutes_of_this_line(
    intake: Intake, tried: SortPlan, refusal: Refusal | None
) -> None:
    answer = intake.put_plan(message_about(MessageId(f"p-{refusal}"), UtcUs(1), "plan", tried, by=ERP), tried)
    assert (answer.refusal if isinstance(answer, Refused) else None) == refusal


def test_one_article_twice_in_one_message(intake: Intake) -> None:
    item = Goods(sku=Sku("A"), barcodes=(), unit_weight_g=Grams(10))
    answer = intake.put_goods(message_about(MessageId("g1"), UtcUs(1), "goods", item, by=ERP), [item, item])
    assert answer == Refused(refusal=Refusal.DOUBLED, detail="sku A")


@pytest.mark.parametrize("action", OperatorAction)
def test_every_action_wants_its_subject_and_no_other(intake: Intake, action: OperatorAction) -> None:
    def refused(subject: str) -> bool:
        message = message_about(
            MessageId(f"{action}-{subject}"), UtcUs(1), "operate", action.value, subject, by=ERP
        )
        return isinstance(intake.operate(message, action, subject, "operator-1"), Refused)

    chute = action in (OperatorAction.ENABLE_CHUTE, OperatorAction.DISABLE_CHUTE)
    alarm = action is OperatorAction.ACKNOWLEDGE_ALARM
    parcel, order = action is OperatorAction.REJECT_PARCEL, action is OperatorAction.REOPEN_REVIEW
    assert refused("nothing of ours") == (not (parcel or order))
    assert refused("") == (chute or alarm or parcel or order)
    assert refused("END") == (not (chute or parcel or order))
    assert refused("jam:4") == (not (alarm or order))


def test_an_intake_leaves_no_file_but_the_inbox(tmp_path: Path) -> None:
    made = InboxWriter(tmp_path / "inbox" / "inbox.db", durable=False)
    Intake(made, CHUTES).put_order(put(order("z")).message, order("z"))
    made.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["inbox"]
