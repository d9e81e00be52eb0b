"""Where a parcel ends when the PLC refuses or aborts, when it is gone, and what does not stop it."""

import pytest

from edge.model.commands import LookUp
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.events import (
    EyePassed,
    OrderChanged,
    PlcDetached,
)
from edge.model.ids import EyeNo, InboxSeq, PlcNumber, Waybill
from edge.model.line import OperatorAction
from edge.model.order import OrderFlag, OrderStatus, ShippedBefore, ShippedPlace
from edge.model.records import Decided, Exited, Missing
from edge.model.register_map import StateBit
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench, fail, operator
from tests.core.core_line import EPOCH, READY, bits, order, waybill

REJECT, END = 9, 10

REFUSED: list[tuple[CommandStatus, Reason]] = [
    (CommandStatus.TOO_LATE, Reason.LATE_DECISION),
    (CommandStatus.EXIT_FULL, Reason.CHUTE_FULL),
    (CommandStatus.EXIT_DISABLED, Reason.CHUTE_DISABLED),
    (CommandStatus.UNTRUSTED, Reason.POSITION_UNKNOWN),
    (CommandStatus.STALE, Reason.LINK_LOST),
    (CommandStatus.REFUSED_EPOCH, Reason.PLC_RESTART),
    (CommandStatus.UNKNOWN_NUMBER, Reason.POSITION_UNKNOWN),
    (CommandStatus.BAD_EXIT, Reason.DIVERT_ABORTED),
    (CommandStatus.REFUSED_CRC, Reason.DIVERT_ABORTED),
    (CommandStatus.REFUSED_SEQ, Reason.DIVERT_ABORTED),
    (CommandStatus.DROPPED, Reason.DIVERT_ABORTED),
]


@pytest.mark.parametrize(("status", "reason"), REFUSED)
def test_a_refused_parcel_goes_to_the_end(status: CommandStatus, reason: Reason) -> None:
    bench = CoreBench()
    bench.answers[1] = status
    bench.parcel(1)
    bench.run(12_000)
    end = bench.the(Exited)
    assert (end.exit, end.reason, end.shipped, end.counts_as_shipped) == (END, reason, False, False)
    assert bench.the(Decided).reason is Reason.OK


def test_too_late_for_the_plc_because_the_look_up_was_late_is_no_late_decision() -> None:
    bench = CoreBench()
    bench.answers[8] = CommandStatus.TOO_LATE
    bench.mute.add(LookUp)
    bench.parcel(8)
    bench.run(3_200)
    bench.look_up(bench.commands(LookUp)[0])
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (END, Reason.UPSTREAM_TIMEOUT)
    assert bench.the(Decided).reason is Reason.OK


def test_a_refused_reject_keeps_its_reason() -> None:
    bench = CoreBench()
    bench.answers[1] = CommandStatus.EXIT_FULL
    bench.parcel(1, codes=())
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (END, Reason.NO_READ)


ABORTED: list[tuple[AbortCause, Reason]] = [
    (AbortCause.EPOCH, Reason.PLC_RESTART),
    (AbortCause.STALE_HEARTBEAT, Reason.LINK_LOST),
    (AbortCause.UNTRUSTED, Reason.POSITION_UNKNOWN),
    (AbortCause.EXIT_DISABLED, Reason.CHUTE_DISABLED),
    (AbortCause.EXIT_FULL, Reason.CHUTE_FULL),
    (AbortCause.PREVIOUS_NOT_CLEAR, Reason.DIVERT_ABORTED),
    (AbortCause.ENCODER_FAULT, Reason.ENCODER_FAULT),
    (AbortCause.STOPPED, Reason.FLUSH_ESTOP),
    (AbortCause.NOT_HOME, Reason.DIVERT_ABORTED),
]


@clause("FULL-3")
@pytest.mark.parametrize(("cause", "reason"), ABORTED)
def test_an_aborted_parcel_goes_to_the_end(cause: AbortCause, reason: Reason) -> None:
    bench = CoreBench()
    body = bench.parcel(4)
    bench.run(3_500)
    bench.abort(body, cause)
    bench.run(9_000)
    end = bench.the(Exited)
    assert (end.exit, end.reason, end.counts_as_shipped, end.mis_sorted) == (END, reason, False, False)


def test_an_untrusted_abort_says_why_where_the_line_knows() -> None:
    bench = CoreBench()
    body = bench.parcel(4)
    bench.run(3_500)
    bench.status(bits(READY | StateBit.DOOR))
    bench.abort(body, AbortCause.UNTRUSTED)
    bench.run(9_000)
    assert bench.the(Exited).reason is Reason.FLUSH_ESTOP


def test_a_parcel_taken_off_is_missing_and_frees_its_place() -> None:
    bench = CoreBench()
    bench.parcel(1, taken_mm=2_000)
    bench.parcel(2, at_mm=1_100)
    bench.run(12_000)
    end = bench.end_of(1)
    assert isinstance(end, Missing)
    assert (end.reason, end.last_eye, end.counts_as_shipped) == (Reason.LOST, 2, False)
    assert isinstance(bench.end_of(2), Exited)
    assert bench.core.state.tracks == {}


def test_a_silent_plc_leaves_an_undecided_parcel_as_link_lost() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(1_000)
    bench.post(PlcDetached(at_us=bench.at_us, why="timeout"))
    bench.attach(bits())
    bench.confirm(body, END, ConfirmReason.STRAIGHT)
    assert (bench.the(Exited).reason, bench.records(Decided)) == (Reason.LINK_LOST, [])


def test_an_undecided_parcel_at_its_end_is_late() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(1_000)
    bench.confirm(body, END, ConfirmReason.STRAIGHT)
    assert bench.the(Exited).reason is Reason.LATE_DECISION


def test_a_number_without_its_first_eye_gets_a_track_that_never_ships() -> None:
    bench = CoreBench()
    bench.post(
        EyePassed(
            at_us=bench.at_us,
            epoch=EPOCH,
            ring_seq=bench.entry(),
            number=PlcNumber(77),
            eye=EyeNo(3),
            ticks=Ticks(bench.now),
            plc_ms=0,
            length_mm=Mm(300),
        )
    )
    bench.run(1_000)
    assert bench.the(Decided).reason is Reason.POSITION_UNKNOWN


def test_a_bag_code_beside_the_waybill_is_asked_for_and_does_no_harm() -> None:
    bench = CoreBench()
    bench.parcel(1, codes=(waybill(1), "HZ-BAG"))
    bench.run(12_000)
    assert [command.waybill for command in bench.commands(LookUp)] == [waybill(1), "HZ-BAG"]
    assert bench.the(Exited).shipped


def test_a_known_waybill_that_fits_no_pattern_ships() -> None:
    bench = CoreBench()
    bench.orders["OLD-7"] = order("OLD-7", routing="5")
    bench.parcel(1, codes=("OLD-7",))
    bench.run(12_000)
    end = bench.the(Exited)
    assert (end.shipped, end.waybill, end.exit) == (True, "OLD-7", 5)


def test_a_parcel_whose_place_was_never_proved_may_ship_when_it_comes_again() -> None:
    bench = CoreBench()
    bench.shipped[waybill(1)] = ShippedBefore(place=ShippedPlace.UNPROVED, chute="")
    bench.parcel(1)
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_failed_look_up_of_a_code_beside_the_waybill_does_not_ship() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(1, codes=(waybill(1), "HZ-BAG"))
    bench.run(1_500)
    bench.look_up(bench.commands(LookUp)[0])
    fail(bench, "HZ-BAG")
    fail(bench, "never asked for")
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.UPSTREAM_ERROR


@pytest.mark.parametrize("sent", ["track:2", "track:", "track:one", "", waybill(7)])
def test_sending_a_parcel_to_reject_that_is_not_there_changes_nothing(sent: str) -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(2_500)
    operator(bench, OperatorAction.REJECT_PARCEL, sent)
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_parcel_told_to_ship_and_sent_to_reject_goes_to_the_end() -> None:
    bench = CoreBench()
    bench.parcel(4)
    bench.run(3_200)
    operator(bench, OperatorAction.REJECT_PARCEL, waybill(4))
    bench.run(9_000)
    end = bench.the(Exited)
    assert (end.exit, end.reason, end.shipped) == (END, Reason.MANUAL, False)


def test_a_flag_that_comes_with_a_newer_version_takes_a_told_parcel_back() -> None:
    bench = CoreBench()
    bench.parcel(4)
    bench.run(3_200)
    bench.inbox += 1
    changed = order(
        waybill(4), routing="4", version=2, flags=(OrderFlag.ADDRESS_CHANGED, OrderFlag.RESTRICTED)
    )
    bench.post(
        OrderChanged(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox),
            waybill=Waybill(waybill(4)),
            status=OrderStatus.RELEASED,
            order=changed,
        )
    )
    bench.run(9_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (END, Reason.ADDRESS_CHANGED)
