"""Every exit reason that the core can give: what was on the belt, where it ended, and why."""

from collections.abc import Callable

import pytest

from edge.model.codes import Symbology
from edge.model.commands import CaptureWeight, LookUp, SendDivert
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.events import (
    EyePassed,
    HoldCause,
    HoldRaised,
    LookUpFailed,
    OperatorCommanded,
    OrderChanged,
    PlanActivated,
    PlcDetached,
    PlcRefused,
    RingOverflowed,
)
from edge.model.ids import ChuteId, EyeNo, InboxSeq, PlanId, PlcNumber, RingSeq, TrackId, Waybill
from edge.model.line import OperatorAction
from edge.model.order import OrderFlag, OrderStatus, ShippedBefore, ShippedPlace
from edge.model.records import Decided, Exited, Missing
from edge.model.register_map import StateBit
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import EPOCH, READY, bits, order, waybill

REJECT, END = 9, 10
Scene = Callable[[CoreBench], None]


def operator(bench: CoreBench, action: OperatorAction, subject: str = "", by: str = "op") -> None:
    bench.inbox += 1
    bench.post(
        OperatorCommanded(
            at_us=bench.at_us, inbox_seq=InboxSeq(bench.inbox), action=action, subject=subject, by=by
        )
    )


def activate(bench: CoreBench, *rules: SortRule, blind: tuple[BlindSpot, ...] = ()) -> None:
    bench.inbox += 1
    new = SortPlan(id=PlanId("Q"), version=2, rules=rules, blind_spots=blind)
    bench.post(PlanActivated(at_us=bench.at_us, inbox_seq=InboxSeq(bench.inbox), plan=new))


def no_read(bench: CoreBench) -> None:
    bench.parcel(1, codes=())


def said_no_read(bench: CoreBench) -> None:
    bench.parcel(1, codes=("NoRead",))


def goods_code(bench: CoreBench) -> None:
    bench.parcel(1, symbology=Symbology.EAN13)


def torn_code(bench: CoreBench) -> None:
    bench.parcel(1, codes=("SF00000",))


def two_labels(bench: CoreBench) -> None:
    bench.parcel(1, codes=(waybill(1), waybill(99)))


def two_labels_one_of_no_pattern(bench: CoreBench) -> None:
    bench.orders["OLD-7"] = order("OLD-7")
    bench.parcel(1, codes=(waybill(1), "OLD-7"))


def too_many_codes(bench: CoreBench) -> None:
    bench.parcel(1, codes=(waybill(1), "a", "b", "c", "d", "e"))


def foreign(bench: CoreBench) -> None:
    bench.parcel(1, codes=("DPK202013661919",))


def unknown(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.orders.clear()


def held(bench: CoreBench) -> None:
    bench.orders[waybill(1)] = order(waybill(1), status=OrderStatus.HELD)
    bench.parcel(1)


def cancelled(bench: CoreBench) -> None:
    bench.orders[waybill(1)] = order(waybill(1), status=OrderStatus.CANCELLED)
    bench.parcel(1)


def duplicate(bench: CoreBench) -> None:
    bench.parcel(2)
    bench.parcel(1, at_mm=1_100, codes=(waybill(2),))


def second_pass(bench: CoreBench) -> None:
    bench.shipped[waybill(1)] = ShippedBefore(place=ShippedPlace.PROVED, chute="001")
    bench.parcel(1)


def no_frames(bench: CoreBench) -> None:
    bench.mute.add(CaptureWeight)
    bench.parcel(1)


def other_weight(bench: CoreBench) -> None:
    bench.parcel(1, grams=1_100)


def too_heavy(bench: CoreBench) -> None:
    bench.orders[waybill(1)] = order(waybill(1), grams=None)
    bench.parcel(1, grams=30_100)


def too_long(bench: CoreBench) -> None:
    bench.parcel(1, length_mm=440)


def merged(bench: CoreBench) -> None:
    bench.parcel(1, length_mm=620)


def grown(bench: CoreBench) -> None:
    body = bench.parcel(1)
    bench.run(1_000)
    body.length_mm += 100


def shrunk(bench: CoreBench) -> None:
    body = bench.parcel(1)
    bench.run(1_000)
    body.length_mm -= 60


def no_rule(bench: CoreBench) -> None:
    activate(bench, SortRule(id="other", carrier="jd", chutes=(ChuteId("001"),)))
    bench.parcel(1)


def rule_without_a_chute_of_this_line(bench: CoreBench) -> None:
    activate(bench, SortRule(id="far", chutes=(ChuteId("901"), ChuteId("REJECT"))))
    bench.parcel(1)


def blind_spot(bench: CoreBench) -> None:
    activate(
        bench,
        SortRule(id="all", chutes=(ChuteId("001"),)),
        blind=(BlindSpot(carrier="sf", province="330000", city="330100"),),
    )
    bench.parcel(1)


def flagged(flag: OrderFlag) -> Scene:
    def scene(bench: CoreBench) -> None:
        bench.orders[waybill(1)] = order(waybill(1), flags=(flag,))
        bench.parcel(1)

    scene.__name__ = flag.value
    return scene


def failed_look_up(bench: CoreBench) -> None:
    bench.mute.add(LookUp)
    bench.parcel(1)
    bench.run(1_500)
    fail(bench, waybill(1))


def fail(bench: CoreBench, text: str) -> None:
    event = LookUpFailed(at_us=bench.at_us, track=TrackId(1), waybill=Waybill(text), why="locked")
    bench.post(event)


def disk_low(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.post(HoldRaised(at_us=bench.at_us, cause=HoldCause.DISK_LOW))


def by_hand(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_500)
    operator(bench, OperatorAction.REJECT_PARCEL, waybill(1))


def by_its_track(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(500)
    operator(bench, OperatorAction.REJECT_PARCEL, "track:1")


def no_answer(bench: CoreBench) -> None:
    bench.mute.add(LookUp)
    bench.parcel(1)


def both_full(bench: CoreBench) -> None:
    bench.status(bits(READY, exits_full=0b11))
    bench.parcel(1)


def both_disabled(bench: CoreBench) -> None:
    operator(bench, OperatorAction.DISABLE_CHUTE, "001")
    operator(bench, OperatorAction.DISABLE_CHUTE, "002")
    bench.parcel(1)


def full_and_reject_full(bench: CoreBench) -> None:
    bench.status(bits(READY, exits_full=0b1_0000_0011))
    bench.parcel(1)


def late_answer(bench: CoreBench) -> None:
    bench.mute.add(LookUp)
    bench.parcel(1)
    bench.run(5_000)
    bench.look_up(bench.commands(LookUp)[0])


def too_close(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.parcel(2, at_mm=600)


def slipped(bench: CoreBench) -> None:
    bench.parcel(1, shifts={2: 100, 3: 100})


def code_between_two(bench: CoreBench) -> None:
    body = bench.parcel(1)
    body.taken_mm = 10**9
    bench.run(600)
    bench.read(body, body.at + bench.ticks(880), spread=bench.ticks(600))


def appeared(bench: CoreBench) -> None:
    bench.parcel(1, appears_mm=1_400)


def hand_in(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.status(bits(READY | StateBit.E_STOP))


def stood_still(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.status(bits(READY, zones_untrusted=1))


def slipping_encoder(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.status(bits(READY | StateBit.ENCODER_FAULT))


def purge_wanted(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    operator(bench, OperatorAction.PURGE)


def other_map(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.post(PlcRefused(at_us=bench.at_us, why="map"))


def entries_lost(bench: CoreBench) -> None:
    bench.parcel(1)
    bench.run(2_000)
    bench.ring += 10
    bench.post(
        RingOverflowed(
            at_us=bench.at_us, epoch=EPOCH, ring_next=RingSeq(bench.ring + 1), ticks=Ticks(bench.now)
        )
    )


TABLE: list[tuple[Scene, Reason, int]] = [
    (no_read, Reason.NO_READ, REJECT),
    (said_no_read, Reason.NO_READ, REJECT),
    (goods_code, Reason.NO_READ, REJECT),
    (torn_code, Reason.NO_READ, REJECT),
    (two_labels, Reason.MULTI_READ, REJECT),
    (two_labels_one_of_no_pattern, Reason.MULTI_READ, REJECT),
    (too_many_codes, Reason.MULTI_READ, REJECT),
    (foreign, Reason.FOREIGN_LABEL, REJECT),
    (unknown, Reason.UNKNOWN_ORDER, REJECT),
    (held, Reason.HELD, REJECT),
    (cancelled, Reason.CANCELLED, REJECT),
    (duplicate, Reason.DUPLICATE, REJECT),
    (second_pass, Reason.SECOND_PASS, REJECT),
    (no_frames, Reason.WEIGHT_INVALID, REJECT),
    (other_weight, Reason.WEIGHT_MISMATCH, REJECT),
    (too_heavy, Reason.OVERWEIGHT, REJECT),
    (too_long, Reason.OVERSIZE, REJECT),
    (merged, Reason.TWO_ON_ONE, REJECT),
    (grown, Reason.TWO_ON_ONE, END),
    (shrunk, Reason.POSITION_UNKNOWN, END),
    (no_rule, Reason.NO_RULE, REJECT),
    (rule_without_a_chute_of_this_line, Reason.NO_RULE, REJECT),
    (blind_spot, Reason.BLIND_SPOT, REJECT),
    (flagged(OrderFlag.RESTRICTED), Reason.RESTRICTED, REJECT),
    (flagged(OrderFlag.ADDRESS_CHANGED), Reason.ADDRESS_CHANGED, REJECT),
    (flagged(OrderFlag.RETURN_CHANGED), Reason.RETURN_CHANGED, REJECT),
    (no_answer, Reason.UPSTREAM_TIMEOUT, REJECT),
    (failed_look_up, Reason.UPSTREAM_ERROR, REJECT),
    (disk_low, Reason.DISK_FULL, END),
    (by_hand, Reason.MANUAL, REJECT),
    (by_its_track, Reason.MANUAL, REJECT),
    (both_full, Reason.CHUTE_FULL, REJECT),
    (both_disabled, Reason.CHUTE_DISABLED, REJECT),
    (full_and_reject_full, Reason.CHUTE_FULL, END),
    (late_answer, Reason.UPSTREAM_TIMEOUT, REJECT),
    (too_close, Reason.GAP_TOO_SMALL, END),
    (slipped, Reason.POSITION_UNKNOWN, END),
    (code_between_two, Reason.POSITION_UNKNOWN, END),
    (appeared, Reason.UNEXPECTED, END),
    (hand_in, Reason.FLUSH_ESTOP, END),
    (stood_still, Reason.POSITION_UNKNOWN, END),
    (slipping_encoder, Reason.ENCODER_FAULT, END),
    (purge_wanted, Reason.PURGED, END),
    (other_map, Reason.LINK_LOST, END),
    (entries_lost, Reason.POSITION_UNKNOWN, END),
]


@clause("ID-6", "CMD-17", "STOP-7")
@pytest.mark.parametrize(("scene", "reason", "exit"), TABLE, ids=[row[0].__name__ for row in TABLE])
def test_a_parcel_that_may_not_ship(scene: Scene, reason: Reason, exit: int) -> None:
    bench = CoreBench()
    scene(bench)
    bench.run(12_000)
    end = bench.end_of(1)
    assert isinstance(end, Exited)
    assert (end.reason, end.exit) == (reason, exit)
    assert (end.shipped, end.counts_as_shipped, end.mis_sorted) == (False, False, False)
    decided = [row for row in bench.records(Decided) if row.track == end.track]
    assert [(row.reason, row.exit) for row in decided] == [(reason, exit)]
    told = [command for command in bench.commands(SendDivert) if command.number == 1]
    assert [command.exit for command in told] == ([exit] if exit != END else [])


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
