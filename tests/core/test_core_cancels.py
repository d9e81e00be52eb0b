"""Cancels, at every moment of a parcel's life: answered once, truthfully (architecture, section 3)."""

import pytest

from edge.model.commands import LookUp, LookUpPlace, Revoke, SendDivert
from edge.model.divert import AbortCause, CommandStatus
from edge.model.events import OrderChanged, WaybillPlaceFound
from edge.model.ids import InboxSeq, Waybill
from edge.model.order import CancelOutcome, OrderStatus, ShippedBefore, ShippedPlace
from edge.model.records import CancelAnswered, Exited, Revoked, RevokeOrdered, Told
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, order, waybill

ACCEPTED, TOO_LATE, UNKNOWN, PENDING = (
    CancelOutcome.ACCEPTED,
    CancelOutcome.TOO_LATE,
    CancelOutcome.UNKNOWN,
    CancelOutcome.PENDING,
)
REJECT, END = 9, 10


def answers(bench: CoreBench) -> list[tuple[CancelOutcome, str, bool]]:
    return [(row.outcome, row.place, row.final) for row in bench.records(CancelAnswered)]


@pytest.mark.parametrize("mm", [1_400, 2_000, 2_990])
def test_before_the_decision_it_is_accepted_and_the_parcel_rejected(mm: int) -> None:
    bench = CoreBench()
    bench.parcel(4)
    bench.run(mm)
    bench.cancel(4)
    assert answers(bench) == [(ACCEPTED, "", True)]
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (REJECT, Reason.CANCELLED)
    assert bench.commands(Revoke) == []


def test_before_the_parcel_is_read_the_record_is_asked() -> None:
    bench = CoreBench()
    bench.parcel(4)
    bench.run(500)
    bench.cancel(4)
    assert len(bench.commands(LookUpPlace)) == 1
    bench.run(30)
    assert answers(bench) == [(ACCEPTED, "", True)]


@clause("ID-6")
@pytest.mark.parametrize("mm", [3_060, 3_400, 6_700])
def test_after_told_and_before_the_commit_point_it_is_revoked(mm: int) -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(mm)
    seq = bench.cancel(8)
    assert bench.the(RevokeOrdered).inbox_seq == seq
    assert answers(bench) == []
    bench.run(50)
    assert bench.the(Revoked).caught
    assert answers(bench) == [(ACCEPTED, "", True)]
    bench.run(12_000)
    end = bench.the(Exited)
    assert (end.exit, end.reason, end.counts_as_shipped) == (END, Reason.CANCELLED, False)


def test_between_decided_and_told_it_waits_for_the_acknowledge() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_010)
    assert len(bench.commands(SendDivert)) == 1
    bench.cancel(8)
    assert bench.commands(Revoke) == []
    bench.run(40)
    assert bench.the(Told).exit == 8
    assert len(bench.commands(Revoke)) == 1
    bench.run(50)
    assert answers(bench) == [(ACCEPTED, "", True)]


def test_past_the_commit_point_it_is_too_late() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(DEMO.exits[0].commit_mm + 10)
    bench.cancel(1)
    bench.run(50)
    assert not bench.the(Revoked).caught
    assert answers(bench) == [(TOO_LATE, "001", True)]
    bench.run(9_000)
    assert bench.the(Exited).shipped


def test_a_fired_parcel_is_too_late_without_a_revoke() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(3_900)
    bench.cancel(1)
    assert answers(bench) == [(TOO_LATE, "001", True)]
    assert bench.commands(Revoke) == []


def test_a_refused_divert_accepts_the_cancel() -> None:
    bench = CoreBench()
    bench.answers[1] = CommandStatus.EXIT_FULL
    bench.parcel(1)
    bench.run(3_010)
    bench.cancel(1)
    bench.run(50)
    assert answers(bench) == [(ACCEPTED, "", True)]
    assert bench.commands(Revoke) == []


def test_an_abort_while_the_revoke_is_out_accepts_it() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(3_500)
    bench.mute.add(Revoke)
    bench.cancel(8)
    bench.abort(body, AbortCause.STALE_HEARTBEAT)
    assert answers(bench) == [(ACCEPTED, "", True)]
    bench.revoke_answers[8] = CommandStatus.DROPPED
    bench.plc_answers(bench.commands(Revoke)[0])
    bench.run(12_000)
    assert answers(bench) == [(ACCEPTED, "", True)]
    assert bench.the(Exited).reason is Reason.CANCELLED


@clause("CMD-14")
def test_after_350_ms_it_is_pending_and_the_outcome_follows() -> None:
    bench = CoreBench()
    bench.mute.add(Revoke)
    bench.parcel(8)
    bench.run(3_500)
    at_us = bench.at_us
    bench.cancel(8)
    bench.run(629)
    assert answers(bench) == []
    bench.run(2)
    assert answers(bench) == [(PENDING, "", False)]
    assert abs(bench.the(CancelAnswered).at_us - at_us - 350_000) < 1_000
    bench.plc_answers(bench.commands(Revoke)[0])
    assert answers(bench) == [(PENDING, "", False), (ACCEPTED, "", True)]
    bench.run(12_000)
    assert len(answers(bench)) == 2


def test_a_revoke_that_was_not_judged_goes_out_again_and_not_for_ever() -> None:
    bench = CoreBench()
    bench.revoke_answers[8] = CommandStatus.STALE
    bench.parcel(8)
    bench.run(3_500)
    bench.cancel(8)
    bench.run(12_000)
    assert len(bench.commands(Revoke)) == 3
    assert answers(bench) == [(PENDING, "", False), (TOO_LATE, "008", True)]
    assert bench.the(Exited).counts_as_shipped


def test_a_confirm_while_the_revoke_is_out_is_too_late() -> None:
    bench = CoreBench()
    bench.mute.add(Revoke)
    bench.parcel(1)
    bench.run(3_700)
    bench.cancel(1)
    bench.run(6_000)
    assert answers(bench)[-1] == (TOO_LATE, "001", True)


def test_a_parcel_decided_for_the_reject_lane_is_accepted_at_once() -> None:
    bench = CoreBench()
    bench.parcel(4, grams=2_000)
    bench.run(3_500)
    bench.cancel(4)
    assert answers(bench) == [(ACCEPTED, "", True)]
    assert bench.commands(Revoke) == []


@pytest.mark.parametrize(
    ("known", "before", "expected"),
    [
        (False, None, (UNKNOWN, "", True)),
        (True, None, (ACCEPTED, "", True)),
        (True, ShippedBefore(place=ShippedPlace.PROVED, chute="003"), (TOO_LATE, "003", True)),
        (True, ShippedBefore(place=ShippedPlace.UNPROVED, chute=""), (TOO_LATE, "", True)),
    ],
)
def test_without_an_open_track_the_record_answers(
    known: bool, before: ShippedBefore | None, expected: tuple[CancelOutcome, str, bool]
) -> None:
    bench = CoreBench()
    if known:
        bench.orders[waybill(5)] = order(waybill(5))
    if before is not None:
        bench.shipped[waybill(5)] = before
    bench.cancel(5)
    bench.run(30)
    assert answers(bench) == [expected]
    assert bench.core.state.cancels == {}


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    bench = CoreBench()
    found = WaybillPlaceFound(at_us=bench.at_us, inbox_seq=InboxSeq(9), known=True, shipped_before=None)
    assert bench.post(found) == ()


def test_a_second_parcel_of_a_shipped_waybill_leaves_the_cancel_too_late() -> None:
    bench = CoreBench()
    bench.shipped[waybill(4)] = ShippedBefore(place=ShippedPlace.PROVED, chute="002")
    bench.parcel(4)
    bench.run(2_000)
    bench.cancel(4)
    assert answers(bench) == [(TOO_LATE, "002", True)]


def test_while_the_look_up_is_out_the_record_is_asked_too() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(4)
    bench.run(1_500)
    bench.cancel(4)
    bench.run(30)
    assert answers(bench) == [(ACCEPTED, "", True)]
    bench.inbox -= 1
    bench.look_up(bench.commands(LookUp)[0])
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.CANCELLED


def test_an_order_put_anew_after_its_cancel_ships() -> None:
    bench = CoreBench()
    bench.parcel(4)
    bench.run(2_000)
    bench.cancel(4)
    bench.inbox += 1
    bench.post(
        OrderChanged(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox),
            waybill=Waybill(waybill(4)),
            status=OrderStatus.RELEASED,
            order=order(waybill(4), routing="6", version=2),
        )
    )
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).shipped) == (6, True)


@pytest.mark.parametrize(
    ("status", "reason"), [(OrderStatus.HELD, Reason.HELD), (OrderStatus.CANCELLED, Reason.CANCELLED)]
)
def test_a_row_that_stops_a_told_parcel_takes_it_back(status: OrderStatus, reason: Reason) -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_500)
    bench.inbox += 1
    bench.post(
        OrderChanged(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox),
            waybill=Waybill(waybill(8)),
            status=status,
            order=order(waybill(8)),
        )
    )
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (END, reason)
    assert answers(bench) == []


def test_a_cancel_in_the_instant_of_the_decision_never_ships() -> None:
    """Before or after it: the answer is accepted and the parcel does not ship."""
    for mm in range(2_994, 3_006):
        bench = CoreBench()
        bench.parcel(8)
        bench.run(mm)
        bench.cancel(8)
        bench.run(12_000)
        assert answers(bench) == [(ACCEPTED, "", True)]
        assert not bench.the(Exited).shipped


@pytest.mark.parametrize("mm", range(3_000, 5_000, 37))
def test_whatever_the_moment_the_answer_is_the_truth(mm: int) -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(mm)
    bench.cancel(1)
    bench.run(12_000)
    final = [row for row in bench.records(CancelAnswered) if row.final]
    assert len(final) == 1
    assert (final[0].outcome is TOO_LATE) == bench.the(Exited).shipped
