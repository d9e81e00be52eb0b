"""The PLC comes, goes, restarts, loses entries, stops: what becomes of the belt and of induction."""

import pytest

from edge.core.plc_link import RingBroken
from edge.model.alarm import AlarmKind
from edge.model.commands import LookUp, PermitInduction, RequestPurge, Revoke, SendDivert
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.events import (
    CommandAnswered,
    DivertConfirmed,
    EyePassed,
    JamDetected,
    ParcelLost,
    ParcelUnexpected,
    PlcDetached,
    RingOverflowed,
)
from edge.model.ids import BootEpoch, CommandSeq, ExitNo, EyeNo, PlcNumber, RingSeq, TrackId
from edge.model.line import LineState, OperatorAction
from edge.model.records import (
    AlarmAcknowledged,
    AlarmRaised,
    CancelAnswered,
    Decided,
    Exited,
    Missing,
    Refused,
    Revoked,
    Told,
    TrackOpened,
)
from edge.model.register_map import StateBit
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench, alarms, operator, states
from tests.core.core_line import EPOCH, READY, Body, bits

END = 10


def eye(bench: CoreBench, number: int, no: int = 1, ring_seq: int = 0, epoch: int = EPOCH) -> EyePassed:
    return EyePassed(
        at_us=bench.at_us,
        epoch=BootEpoch(epoch),
        ring_seq=RingSeq(ring_seq or bench.entry()),
        number=PlcNumber(number),
        eye=EyeNo(no),
        ticks=Ticks(bench.now),
        plc_ms=0,
        length_mm=Mm(300),
    )


def test_the_ring_is_read_in_order_and_once() -> None:
    bench = CoreBench()
    bench.post(eye(bench, 1))
    for wrong in (eye(bench, 2, ring_seq=1), eye(bench, 2, ring_seq=3), eye(bench, 2, ring_seq=2, epoch=8)):
        with pytest.raises(RingBroken):
            bench.core.handle(wrong)
    bench.post(eye(bench, 2, ring_seq=2))
    assert len(bench.records(TrackOpened)) == 2


def test_passages_of_a_purge_and_jams_open_nothing() -> None:
    bench = CoreBench()
    bench.post(eye(bench, 0))
    bench.post(
        JamDetected(
            at_us=bench.at_us, epoch=EPOCH, ring_seq=bench.entry(), eye=EyeNo(2), ticks=Ticks(1), plc_ms=0
        )
    )
    assert bench.records(TrackOpened) == []
    assert bench.core.state.plc.ring_last == 2


def test_a_new_epoch_ends_every_open_track_at_once() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.parcel(1, at_mm=1_200)
    bench.parcel(2, at_mm=3_000, codes=())
    bench.run(6_100)
    bench.post(PlcDetached(at_us=bench.at_us, why="restart"))
    bench.ring = 0
    bench.attach(bits(READY | StateBit.PURGING), BootEpoch(8))
    ends = bench.records(Missing)
    assert [(end.reason, end.counts_as_shipped) for end in ends] == [
        (Reason.PLC_RESTART, True),
        (Reason.PLC_RESTART, False),
    ]
    assert bench.core.state.tracks == {}
    assert AlarmKind.PLC_RESTARTED in alarms(bench)
    bench.status(bits())
    assert AlarmKind.PLC_RESTARTED not in alarms(bench)
    assert states(bench)[-1] is LineState.EXECUTE


def test_an_answer_for_an_ended_track_changes_nothing() -> None:
    bench = CoreBench()
    answer = CommandAnswered(
        at_us=bench.at_us,
        track=TrackId(5),
        epoch=EPOCH,
        number=PlcNumber(5),
        exit=ExitNo(1),
        revoke=False,
        seq=CommandSeq(1),
        status=CommandStatus.APPLIED,
        waited_us=0,
    )
    assert bench.post(answer) == ()


def test_a_silent_plc_keeps_the_tracks_and_what_is_decided_meanwhile() -> None:
    bench = CoreBench()
    bench.mute.add(SendDivert)
    bench.parcel(8)
    bench.run(2_900)
    bench.post(PlcDetached(at_us=bench.at_us, why="timeout"))
    assert bench.commands(PermitInduction)[-1].on is False
    assert states(bench)[-1] is LineState.SUSPENDED
    bench.run(300)
    assert bench.the(Decided).reason is Reason.OK
    bench.attach(bits())
    assert states(bench)[-1] is LineState.EXECUTE
    bench.answers[8] = CommandStatus.TOO_LATE
    bench.plc_answers(bench.commands(SendDivert)[0])
    assert bench.the(Refused).reason is Reason.LINK_LOST
    assert alarms(bench) == set()


def test_what_was_inducted_while_the_plc_was_silent_is_link_lost_and_not_late() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(100)
    bench.post(PlcDetached(at_us=bench.at_us, why="timeout"))
    bench.attach(bits())
    bench.run(1_000)
    bench.confirm(body, END, ConfirmReason.STRAIGHT)
    assert (bench.the(Exited).reason, bench.records(Decided)) == (Reason.LINK_LOST, [])


def test_an_answer_that_is_missing_because_the_plc_was_silent_is_link_lost() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(1)
    bench.run(1_000)
    bench.post(PlcDetached(at_us=bench.at_us, why="timeout"))
    bench.attach(bits())
    bench.run(9_000)
    assert (bench.the(Decided).reason, bench.the(Exited).exit) == (Reason.LINK_LOST, END)


@clause("ENC-2")
def test_what_the_plc_gives_up_with_its_encoder_is_missing_for_that_reason() -> None:
    bench = CoreBench()
    told = bench.parcel(8)
    bench.parcel(2, at_mm=1_100)
    bench.run(3_300)
    assert bench.the(Told).exit == 8
    bench.abort(told, AbortCause.ENCODER_FAULT)
    for number in (8, 2):
        lost = ParcelLost(
            at_us=bench.at_us,
            epoch=EPOCH,
            ring_seq=bench.entry(),
            number=PlcNumber(number),
            eye=EyeNo(4),
            ticks=Ticks(bench.now),
            plc_ms=0,
        )
        bench.post(lost)
    assert [row.reason for row in bench.records(Missing)] == [Reason.ENCODER_FAULT] * 2


def test_lost_entries_untrust_the_belt_and_take_back_what_was_told() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.parcel(1, at_mm=1_500)
    bench.run(3_600)
    bench.ring += 40
    bench.post(
        RingOverflowed(
            at_us=bench.at_us, epoch=EPOCH, ring_next=RingSeq(bench.ring + 1), ticks=Ticks(bench.now)
        )
    )
    assert [command.on for command in bench.commands(RequestPurge)] == [True]
    assert states(bench)[-1] is LineState.STARTING
    bench.status(bits(READY | StateBit.PURGING))
    assert [command.on for command in bench.commands(RequestPurge)] == [True, False]
    bench.run(50)
    assert bench.the(Revoked).caught
    bench.run(12_000)
    assert {end.reason for end in bench.records(Exited)} == {Reason.POSITION_UNKNOWN}
    bench.status(bits())
    assert states(bench)[-1] is LineState.EXECUTE
    assert alarms(bench) == set()


def test_a_gap_in_the_ring_at_a_reconnect_is_an_overflow() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(1_000)
    bench.post(PlcDetached(at_us=bench.at_us, why="timeout"))
    bench.ring += 3
    bench.attach(bits())
    assert AlarmKind.RING_OVERFLOW in alarms(bench)
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN


def test_a_body_known_only_by_its_end_gets_a_track_and_an_end() -> None:
    bench = CoreBench()
    stranger = bench.parcel(44)
    bench.confirm(stranger, 3, ConfirmReason.COMMANDED)
    end = bench.the(Exited)
    assert (end.mis_sorted, end.shipped, end.counts_as_shipped) == (True, False, True)
    assert alarms(bench) == {AlarmKind.MIS_SORT}


def test_late_entries_of_an_ended_number_change_nothing() -> None:
    bench = CoreBench()
    body = bench.parcel(1, taken_mm=2_000)
    bench.run(4_000)
    assert bench.the(Missing).reason is Reason.LOST
    bench.confirm(body, 1, ConfirmReason.COMMANDED)
    bench.post(eye(bench, 1, 4))
    assert len(bench.records(TrackOpened)) == 1
    assert bench.records(Exited) == []


@clause("CONF-7")
def test_a_mis_sort_is_not_reported_as_shipped_but_counts() -> None:
    bench = CoreBench()
    body = bench.parcel(3)
    bench.run(5_050)
    bench.confirm(body, 4, ConfirmReason.MISSORT)
    end = bench.the(Exited)
    assert (end.exit, end.chute, end.shipped) == (4, "004", False)
    assert (end.mis_sorted, end.counts_as_shipped) == (True, True)
    assert end.reason is Reason.DIVERT_UNCONFIRMED
    assert alarms(bench) == {AlarmKind.MIS_SORT}
    operator(bench, OperatorAction.ACKNOWLEDGE_ALARM, "plc_down")
    assert alarms(bench) == {AlarmKind.MIS_SORT}
    operator(bench, OperatorAction.ACKNOWLEDGE_ALARM, "mis_sort", by="op-1")
    assert alarms(bench) == set()
    seen = bench.the(AlarmAcknowledged)
    assert (seen.kind, seen.by) == (AlarmKind.MIS_SORT, "op-1")


def test_an_acknowledged_cause_alarms_on_until_it_is_gone_and_anew_when_it_is_back() -> None:
    bench = CoreBench()
    for _ in range(2):
        bench.status(bits(READY | StateBit.E_STOP))
        for subject in ("jam", "e_stop:door", "e_stop", "e_stop:"):
            operator(bench, OperatorAction.ACKNOWLEDGE_ALARM, subject, by="op-1")
        assert alarms(bench) == {AlarmKind.E_STOP}
        bench.status(bits())
        assert alarms(bench) == set()
    assert [row.by for row in bench.records(AlarmAcknowledged)] == ["op-1", "op-1"]


def test_a_fired_parcel_that_went_straight_on_is_a_mis_sort_at_the_end() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(3_200)
    bench.confirm(body, END, ConfirmReason.MISSORT)
    end = bench.the(Exited)
    assert (end.reason, end.mis_sorted, end.counts_as_shipped) == (Reason.DIVERT_UNCONFIRMED, True, True)


def test_straight_on_without_a_word_is_no_mis_sort() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(3_200)
    bench.confirm(body, END, ConfirmReason.STRAIGHT)
    end = bench.the(Exited)
    assert (end.reason, end.mis_sorted, end.counts_as_shipped) == (Reason.DIVERT_ABORTED, False, False)


def test_a_body_without_a_number_in_an_exit_alarms() -> None:
    bench = CoreBench()
    bench.post(
        DivertConfirmed(
            at_us=bench.at_us,
            epoch=EPOCH,
            ring_seq=bench.entry(),
            number=PlcNumber(0),
            exit=ExitNo(2),
            reason=ConfirmReason.MISSORT,
            ticks=Ticks(bench.now),
            plc_ms=0,
        )
    )
    assert alarms(bench) == {AlarmKind.MIS_SORT}


def test_no_confirm_in_the_window_is_missing_and_counts_as_shipped() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(3_900)
    body.gone = True
    bench.run(1_500)
    end = bench.the(Missing)
    assert (end.reason, end.counts_as_shipped) == (Reason.DIVERT_UNCONFIRMED, True)
    assert alarms(bench) == {AlarmKind.DIVERT_UNCONFIRMED}
    raised = bench.the(AlarmRaised)
    assert (raised.subject, raised.detail.split(" was ")[0]) == ("exit 1", "track 1")


@clause("CONF-6")
@pytest.mark.parametrize("how", ["itself", "next", "nobody", "other exit", "acknowledged"])
def test_the_alarm_of_a_lane_through_whose_mouth_something_has_come_is_over(how: str) -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(3_900)
    body.gone = True
    bench.run(1_500)
    match how:
        case "itself":
            bench.confirm(body, 1, ConfirmReason.COMMANDED)
        case "next":
            bench.confirm(bench.parcel(2), 1, ConfirmReason.MISSORT)
        case "nobody":
            bench.confirm(Body(number=0, at=bench.now), 1, ConfirmReason.MISSORT)
        case "other exit":
            bench.confirm(bench.parcel(2), 2, ConfirmReason.COMMANDED)
        case _:
            operator(bench, OperatorAction.ACKNOWLEDGE_ALARM, "divert_unconfirmed:exit 1")
    assert (AlarmKind.DIVERT_UNCONFIRMED in alarms(bench)) is (how == "other exit")
    assert [end.track for end in bench.records(Missing)] == [1]
    assert [end.track for end in bench.records(Exited)] == ([2] if how in ("next", "other exit") else [])


def test_one_that_went_straight_and_is_lost_later_sticks_in_no_lane() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(3_900)
    bench.post(eye(bench, 1, 4))
    body.gone = True
    bench.run(12_000)
    assert bench.the(Missing).last_eye == 4
    assert AlarmKind.DIVERT_UNCONFIRMED not in alarms(bench)


def test_past_the_end_without_a_word_it_is_missing() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(1_900)
    body.gone = True
    bench.run(12_000)
    end = bench.the(Missing)
    assert (end.reason, end.last_eye) == (Reason.LOST, 2)


def test_told_and_gone_the_cancel_is_too_late_without_a_place() -> None:
    bench = CoreBench()
    bench.parcel(8, taken_mm=4_000)
    bench.mute.add(Revoke)
    bench.run(3_700)
    bench.cancel(8)
    bench.run(12_000)
    final = bench.records(CancelAnswered)[-1]
    assert (final.outcome.value, final.place, final.final) == ("too_late", "", True)


def test_an_unexpected_body_is_decided_at_once_and_commands_nothing() -> None:
    bench = CoreBench()
    body = ParcelUnexpected(
        at_us=bench.at_us,
        epoch=EPOCH,
        ring_seq=bench.entry(),
        number=PlcNumber(6),
        eye=EyeNo(4),
        ticks=Ticks(bench.now),
        plc_ms=0,
        length_mm=Mm(300),
    )
    bench.post(body)
    assert (bench.the(Decided).reason, bench.the(Decided).exit) == (Reason.UNEXPECTED, END)
    assert bench.commands(SendDivert) == []


@clause("TRK-7")
def test_a_revoke_for_a_disagreement_that_comes_too_late_is_not_shipped() -> None:
    bench = CoreBench()
    bench.revoke_answers[8] = CommandStatus.PASSED
    bench.parcel(8, shifts={4: 200})
    bench.run(12_000)
    end = bench.the(Exited)
    assert (end.exit, end.reason, end.shipped, end.counts_as_shipped) == (
        8,
        Reason.POSITION_UNKNOWN,
        False,
        True,
    )
    assert AlarmKind.POSITION_DISAGREES in alarms(bench)
