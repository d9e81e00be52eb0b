"""What a review at a bench means for the parcel on the belt."""

from dataclasses import replace

import pytest

from edge.model.bench_events import BenchScanned
from edge.model.commands import LookUpSlip
from edge.model.events import OperatorCommanded, OrderChanged
from edge.model.ids import BenchId, InboxSeq, OrderNo, Waybill
from edge.model.line import OperatorAction
from edge.model.order import OrderStatus
from edge.model.records import (
    Decided,
    Exited,
    RevokeOrdered,
)
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, order, waybill
from tests.core.review_kit import hall


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
