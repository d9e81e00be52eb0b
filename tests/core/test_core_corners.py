"""Corners: late and repeated inputs, restarts in awkward moments, limits. Each changes what it says only."""

from dataclasses import replace
from itertools import pairwise

import pytest

from edge.core.layout import LENGTHS_KEPT, Layout
from edge.core.line import LineCore
from edge.core.state import ENDED_KEPT
from edge.model.alarm import AlarmKind
from edge.model.commands import (
    CaptureWeight,
    LookUp,
    LookUpPlace,
    RequestPurge,
    Revoke,
    SendDivert,
    WakeAt,
)
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.events import (
    CommandAnswered,
    DeviceWentUp,
    HoldCause,
    HoldRaised,
    LineStarted,
    ParcelUnexpected,
    PlcDetached,
    WakePurpose,
    Woke,
)
from edge.model.ids import BootEpoch, CommandSeq, ExitNo, EyeNo, PlcNumber, TrackId
from edge.model.line import LineState, OperatorAction
from edge.model.records import (
    Aborted,
    AlarmRaised,
    CancelAnswered,
    Decided,
    Exited,
    Identified,
    LineStateChanged,
    Missing,
    Refused,
    Told,
    TrackOpened,
)
from edge.model.register_map import StateBit
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench, operator
from tests.core.core_line import DEMO, EPOCH, READY, bits, order, waybill

END = 10


def started(bench: CoreBench, **fields: bool) -> None:
    """The process begins anew on the same state."""
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=(), **fields))
    for reader in bench.line.readers:
        bench.post(DeviceWentUp(at_us=bench.at_us, device=reader.device))


def woke(bench: CoreBench, purpose: WakePurpose, ticks: int, track: int = 1) -> None:
    bench.post(Woke(at_us=bench.at_us, purpose=purpose, ref=track, ticks=Ticks(ticks)))


def answer(bench: CoreBench, status: CommandStatus, *, revoke: bool = False) -> None:
    bench.post(
        CommandAnswered(
            at_us=bench.at_us,
            track=TrackId(1),
            epoch=EPOCH,
            number=PlcNumber(8),
            exit=ExitNo(8),
            revoke=revoke,
            seq=CommandSeq(9),
            status=status,
            waited_us=0,
        )
    )


# -- wakes


def test_a_wake_for_a_parcel_that_is_gone_is_nobodys() -> None:
    bench = CoreBench()
    count = len(bench.out)
    for purpose in set(WakePurpose) - {WakePurpose.ZERO_DUE, WakePurpose.ZERO_WINDOW}:
        woke(bench, purpose, bench.now, track=404)
    assert len(bench.out) == count


@pytest.mark.parametrize(
    "purpose",
    [WakePurpose.DECIDE, WakePurpose.DEADLINE, WakePurpose.READ_WINDOW, WakePurpose.WEIGH_WINDOW],
)
def test_a_wake_that_comes_again_after_the_decision_changes_nothing(purpose: WakePurpose) -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_200)
    count = len(bench.out)
    woke(bench, purpose, bench.now)
    assert len(bench.out) == count


def test_a_wake_for_an_older_account_of_the_place_is_asked_for_again() -> None:
    bench = CoreBench()
    bench.parcel(1, shifts=dict.fromkeys(range(2, 10), 50))
    bench.run(12_000)
    asked = [w for w in bench.commands(WakeAt) if w.purpose is WakePurpose.DECIDE and w.ref == 1]
    assert [b.ticks - a.ticks for a, b in pairwise(asked)] == [bench.ticks(50)]
    assert bench.the(Exited).shipped


def test_a_parcel_that_ran_ahead_is_decided_the_earlier() -> None:
    bench = CoreBench()
    bench.parcel(1, shifts=dict.fromkeys(range(2, 10), -60))
    bench.run(2_935)
    assert bench.records(Decided) == []
    bench.run(10)
    assert bench.the(Decided).reason is Reason.OK


def test_read_window_and_end_follow_a_parcel_that_slipped_downstream() -> None:
    """Moved before its window closed (a line whose first eye stands before the reader)."""
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_000)
    track = bench.core.state.tracks[TrackId(1)]
    track.origin = Ticks(track.origin + bench.ticks(70))
    bench.run(330)
    assert bench.records(Identified) == []
    bench.run(70)
    assert len(bench.records(Identified)) == 1
    bench.bodies[1].gone = True
    bench.run(8_200)
    assert bench.records(Missing) == []
    bench.run(100)
    assert bench.the(Missing).reason is Reason.LOST


def test_the_deadline_follows_a_parcel_that_ran_ahead() -> None:
    """Eye 4 stands behind the first deadlines: the reject lane's deadline is still to come."""
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(1, shifts=dict.fromkeys(range(4, 10), -60))
    bench.run(4_800)
    asked = [w.ticks for w in bench.commands(WakeAt) if w.purpose is WakePurpose.DEADLINE]
    assert asked[0] - asked[1] == bench.ticks(60)
    woke(bench, WakePurpose.DEADLINE, asked[1] - 1)
    assert bench.records(Decided) == []
    bench.run(2_730)
    assert bench.the(Decided).reason is Reason.UPSTREAM_TIMEOUT


def test_a_window_that_could_not_be_proved_is_closed_by_the_deadline() -> None:
    """The ring stood still, so nothing was proved; the belt ran on by extrapolation."""
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_000)
    origin = bench.core.state.tracks[TrackId(1)].origin
    woke(bench, WakePurpose.DECIDE, origin + bench.ticks(DEMO.decision_mm))
    assert bench.records(Decided) == []
    bench.now += bench.ticks(6_572)
    woke(bench, WakePurpose.DEADLINE, origin + bench.ticks(7_572))
    assert bench.the(Identified).by_deadline
    assert bench.the(Decided).reason is Reason.UPSTREAM_TIMEOUT


# -- the PLC's words, late or twice


def test_answers_that_come_again_change_nothing() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_200)
    count = len(bench.out)
    for status in (CommandStatus.APPLIED, CommandStatus.TOO_LATE):
        answer(bench, status)
    for status in (CommandStatus.APPLIED, CommandStatus.PASSED, CommandStatus.STALE):
        answer(bench, status, revoke=True)
    assert len(bench.out) == count


def test_done_means_that_it_had_been_applied() -> None:
    bench = CoreBench()
    bench.mute.add(SendDivert)
    bench.parcel(8)
    bench.run(3_010)
    answer(bench, CommandStatus.DONE)
    assert bench.the(Told).exit == 8


def test_an_abort_read_before_the_answer_counts_once() -> None:
    bench = CoreBench()
    bench.mute.add(SendDivert)
    body = bench.parcel(8)
    bench.run(3_010)
    bench.abort(body, AbortCause.STALE_HEARTBEAT)
    bench.abort(body, AbortCause.STALE_HEARTBEAT)
    assert bench.the(Aborted).cause is AbortCause.STALE_HEARTBEAT
    answer(bench, CommandStatus.DROPPED)
    assert bench.records(Refused) == []
    bench.run(9_000)
    assert (bench.the(Exited).reason, bench.the(Exited).exit) == (Reason.LINK_LOST, END)


def test_an_abort_of_what_was_never_told_changes_nothing() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(1_000)
    bench.abort(body, AbortCause.STOPPED)
    bench.run(12_000)
    assert bench.records(Aborted) == []
    assert bench.the(Exited).shipped


def test_an_unexpected_number_that_is_known_opens_no_second_track() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(1_000)
    for number in (0, 8):
        bench.post(
            ParcelUnexpected(
                at_us=bench.at_us,
                epoch=EPOCH,
                ring_seq=bench.entry(),
                number=PlcNumber(number),
                eye=EyeNo(4),
                ticks=Ticks(bench.now),
                plc_ms=0,
                length_mm=Mm(300),
            )
        )
    assert len(bench.records(TrackOpened)) == 1


@clause("TRK-7")
def test_a_passage_at_an_eye_that_is_behind_is_a_disagreement() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(3_500)
    bench._eye(body, 2, bench.now)
    assert AlarmKind.POSITION_DISAGREES in {row.kind for row in bench.records(AlarmRaised)}
    assert len(bench.commands(Revoke)) == 1


def test_a_fired_parcel_that_an_eye_saw_behind_the_diverter_is_not_missing() -> None:
    bench = CoreBench()
    body = bench.parcel(1)
    bench.run(3_900)
    assert body.fired
    body.unseen = True
    bench.run(3_000)
    assert bench.records(Missing) == []
    bench.confirm(body, END, ConfirmReason.MISSORT)
    assert bench.the(Exited).mis_sorted


def test_a_fired_parcel_that_the_plc_lost_is_unconfirmed() -> None:
    bench = CoreBench()
    body = bench.parcel(3)
    bench.run(4_900)
    body.taken_mm, body.unseen = 5_000, True
    bench.run(1_200)
    end = bench.the(Missing)
    assert (end.reason, end.counts_as_shipped) == (Reason.DIVERT_UNCONFIRMED, True)


# -- restarts and limits


def test_commands_without_an_answer_are_outstanding() -> None:
    bench = CoreBench()
    bench.mute |= {SendDivert, LookUp, LookUpPlace, Revoke, CaptureWeight}
    bench.parcel(8)
    bench.run(1_400)
    bench.cancel(5)
    assert {LookUp, LookUpPlace} <= {type(c) for c in bench.core.outstanding()}
    bench.look_up(bench.commands(LookUp)[0])
    bench.captured(bench.commands(CaptureWeight)[0]) if bench.commands(CaptureWeight) else None
    bench.run(1_600)
    again = bench.core.outstanding()
    assert CaptureWeight not in {type(c) for c in again}
    deadlines = [w for w in again if isinstance(w, WakeAt) and w.purpose is WakePurpose.DEADLINE]
    assert [w.ref for w in deadlines] == [1]
    bench.captured(bench.commands(CaptureWeight)[0])
    bench.run(50)
    assert SendDivert in {type(c) for c in bench.core.outstanding()}


def test_a_revoke_without_an_answer_is_sent_again_and_the_decision_under_it_is_not() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_500)
    bench.mute.add(Revoke)
    bench.cancel(8)
    kinds = {type(c) for c in bench.core.outstanding()}
    assert Revoke in kinds
    assert SendDivert not in kinds
    started(bench)
    limits = [w for w in bench.core.outstanding() if isinstance(w, WakeAt) and not w.ticks]
    assert [w.at_us - bench.at_us for w in limits] == [350_000]


def test_a_cancel_that_waits_for_the_record_survives_the_end_of_its_track() -> None:
    bench = CoreBench()
    bench.mute |= {LookUp, LookUpPlace}
    bench.parcel(4, taken_mm=2_000)
    bench.run(1_500)
    bench.cancel(4)
    bench.run(2_000)
    assert bench.the(Missing).reason is Reason.LOST
    assert [row.outcome.value for row in bench.records(CancelAnswered)] == ["pending"]
    started(bench)
    bench.place(bench.commands(LookUpPlace)[0])
    assert [row.outcome.value for row in bench.records(CancelAnswered)] == ["pending", "accepted"]


def test_a_parcel_before_the_reader_at_a_restart_is_no_good_read() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(760)
    started(bench)
    bench.attach(bits())
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN


def test_a_reader_that_never_came_up_proves_nothing() -> None:
    bench = CoreBench(started=False)
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    bench.attach(bits(READY | StateBit.PURGING))
    bench.status(bits())
    bench.parcel(8)
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN


def test_a_restart_forgets_the_old_runs_holds() -> None:
    bench = CoreBench()
    bench.post(HoldRaised(at_us=bench.at_us, cause=HoldCause.STORE_SLOW))
    started(bench)
    assert (bench.core.state.holds, bench.core.state.alarms) == ([], {})


def test_a_replay_that_differs_untrusts_the_belt_until_it_is_empty() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(2_000)
    started(bench, replay_differs=True)
    bench.attach(bits())
    assert bench.commands(RequestPurge)[-1].on is True
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN
    bench.status(bits(READY | StateBit.PURGING))
    bench.status(bits())
    assert (bench.core.state.line, bench.core.state.alarms) == (LineState.EXECUTE, {})


def test_a_purge_asked_for_is_asked_for_once_and_again_by_a_new_process() -> None:
    bench = CoreBench()
    operator(bench, OperatorAction.PURGE)
    operator(bench, OperatorAction.PURGE)
    assert [c.on for c in bench.commands(RequestPurge)] == [True]
    started(bench)
    bench.attach(bits())
    assert [c.on for c in bench.commands(RequestPurge)] == [True, True]


def test_the_plc_silent_and_back_permits_induction_again() -> None:
    bench = CoreBench()
    bench.post(PlcDetached(at_us=bench.at_us, why=""))
    bench.attach(bits())
    states = [row.state for row in bench.records(LineStateChanged)]
    assert states[-2:] == [LineState.SUSPENDED, LineState.EXECUTE]


def test_a_standing_belt_stops_the_windows() -> None:
    """The answer comes after ten minutes on a stopped belt: the parcel has not moved, so it is in time."""
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(1)
    bench.run(3_100)
    bench.status(bits(StateBit(0)))
    command = bench.commands(LookUp)[0]
    found = bench.core.state.tracks[TrackId(1)]
    assert found.due
    later = CoreBench.look_up
    bench.mute.clear()
    later(bench, command)
    assert bench.the(Decided).reason is Reason.OK


def test_what_the_core_remembers_is_bounded() -> None:
    bench = CoreBench()
    for n in range(1, ENDED_KEPT + 40):
        bench.parcel(n, at_mm=n * 1_100, length_mm=200 + n % 200, codes=())
    bench.run(1_100 * (ENDED_KEPT + 40) + 12_000)
    state = bench.core.state
    assert len(state.ended) == ENDED_KEPT
    assert (state.tracks, state.numbers, state.cancels, state.alarms) == ({}, {}, {}, {})
    layout = Layout(DEMO)
    for length in range(LENGTHS_KEPT + 10):
        layout.read_due(Ticks(0), Mm(length))
    assert len(layout._read_cache) <= LENGTHS_KEPT


def test_a_line_without_a_reject_exit_decides_by_its_last_exit() -> None:
    line = replace(DEMO, reason_chutes=())
    assert Layout(line).reject_deadline_mm == DEMO.exits[-1].deadline_mm
    bench = CoreBench(line)
    bench.parcel(1, codes=())
    bench.run(12_000)
    assert (bench.the(Exited).exit, bench.the(Exited).reason) == (END, Reason.NO_READ)


def test_a_line_without_readers_and_scale_still_ends_every_parcel() -> None:
    line = replace(DEMO, readers=(), scale=None)
    bench = CoreBench(line)
    bench.parcel(1)
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.NO_READ


def test_without_a_scale_no_weight_is_asked_for() -> None:
    bench = CoreBench(replace(DEMO, scale=None))
    bench.orders[waybill(1)] = order(waybill(1))
    bench.parcel(1)
    bench.run(12_000)
    assert bench.the(Exited).shipped
    assert bench.commands(CaptureWeight) == []


def test_a_fresh_core_starts_with_nothing() -> None:
    core = LineCore(DEMO)
    assert core.state.tracks == {}
    assert core.state.plc.epoch == BootEpoch(0)
    assert core.state.next_track == 1
