"""Read models after each record; the log is what moves them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model import records as r
from edge.model.alarm import AlarmKind
from edge.model.divert import AbortCause, CommandStatus
from edge.model.ids import ChuteId, CommandSeq, ExitNo, InboxSeq, OrderNo, PlanId, TrackId, Waybill
from edge.model.line import LineState
from edge.model.order import CancelOutcome, ShippedBefore, ShippedPlace
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.ports.journal import JournalItem
from edge.store.journal_reader import JournalReader
from edge.store.projections import PROJECTIONS
from edge.store.rows import RECORDS
from tests.core.store_kit import (
    MIDNIGHT,
    Scribe,
    cancel_answered,
    clock,
    decided,
    exited,
    identified,
    missing,
    opened,
    parcel_life,
    told,
    weighed,
)

AT = MonoUs(50)
TRACK = TrackId(1)


@pytest.fixture
def scribe(tmp_path: Path) -> Iterator[Scribe]:
    scribe = Scribe(tmp_path / "journal.db")
    yield scribe
    scribe.close()


@pytest.fixture
def reader(scribe: Scribe) -> Iterator[JournalReader]:
    reader = JournalReader(scribe.file.path)
    yield reader
    reader.close()


def test_every_record_moves_a_read_model_but_the_clock_and_a_refused_slip() -> None:
    assert RECORDS.keys() - PROJECTIONS.keys() == {
        "ClockAgreed",
        "ReviewRefused",
        "ScaleZeroed",
        "ScaleChecked",
    }
    assert PROJECTIONS.keys() - RECORDS.keys() == {"LineStarted", "DeviceWentUp", "DeviceWentDown"}


def revoke(at: int) -> r.RevokeOrdered:
    return r.RevokeOrdered(at_us=MonoUs(at), track=TRACK, inbox_seq=InboxSeq(1))


def revoked(*, caught: bool) -> r.Revoked:
    return r.Revoked(at_us=AT, track=TRACK, status=CommandStatus.APPLIED, caught=caught)


REFUSED = r.Refused(
    at_us=AT,
    track=TRACK,
    exit=ExitNo(1),
    seq=CommandSeq(1),
    status=CommandStatus.TOO_LATE,
    reason=Reason.LATE_DECISION,
)
ABORTED = r.Aborted(at_us=AT, track=TRACK, exit=ExitNo(1), cause=AbortCause.NOT_HOME)
STATES: list[tuple[tuple[JournalItem, ...], str]] = [
    ((), "tracked"),
    ((identified(2, 1, "W1"), weighed(3, 1, 500)), "tracked"),
    ((decided(4, 1, "W1"),), "decided"),
    ((decided(4, 1, "W1"), told(5, 1)), "told"),
    ((decided(4, 1, "W1"), REFUSED), "decided"),
    ((decided(4, 1, "W1"), told(5, 1), ABORTED), "decided"),
    ((decided(4, 1, "W1"), told(5, 1), revoke(6)), "revoking"),
    ((decided(4, 1, "W1"), told(5, 1), revoke(6), revoked(caught=True)), "decided"),
    ((decided(4, 1, "W1"), told(5, 1), revoke(6), revoked(caught=False)), "told"),
    ((decided(4, 1, "W1"), told(5, 1), exited(6, 1, "W1")), "exited"),
    ((missing(6, 1, "", counts=False),), "missing"),
]


@pytest.mark.parametrize(("items", "state"), STATES, ids=[f"{n}-{s}" for n, (_, s) in enumerate(STATES)])
def test_the_state_of_a_parcel(
    scribe: Scribe, reader: JournalReader, items: tuple[JournalItem, ...], state: str
) -> None:
    scribe.write(opened(1, 1), *items)
    found = reader.parcel(TRACK)
    assert found is not None
    assert found.state == state
    assert (found.last_seq is not None) == (state in ("exited", "missing"))


def test_a_parcel_has_everything_that_was_recorded_of_it(scribe: Scribe, reader: JournalReader) -> None:
    timed = r.ToldTimed(at_us=MonoUs(19), track=TRACK, decide_to_told_us=5_500, plc_wait_us=3_100)
    scribe.write(clock(9, MIDNIGHT), *parcel_life(1, 10), timed)
    found = reader.parcel(TRACK)
    assert found is not None
    assert (found.epoch, found.number, found.length_mm, found.read_quality) == (1, 1, 300, "good")
    assert (found.waybill, found.order_no, found.order_version) == ("W1", "A-1", 3)
    assert (found.customer_code, found.shop, found.carrier) == ("C1", "S1", "zto")
    assert (found.weight_g, found.weight_quality, found.expected_g) == (500, "good", 503)
    assert (found.decided_at_us, found.decided_reason, found.decided_chute, found.decided_exit) == (
        (13, "ok", "001", 1)
    )
    assert (found.rule, found.plan, found.plan_version) == ("r-17", "main", 2)
    assert (found.told_at_us, found.decide_to_told_us, found.plc_wait_us) == (14, 5_500, 3_100)
    assert (found.exited_at_us, found.actual_exit, found.actual_chute, found.exit_reason) == (
        (15, 1, "001", "ok")
    )
    assert (found.shipped, found.counts_as_shipped, found.mis_sorted) == (True, True, False)
    assert (found.inducted_utc_us, found.exited_utc_us) == (MIDNIGHT + 1, MIDNIGHT + 6)
    assert reader.parcels(Waybill("W1")) == (found,)
    assert reader.parcels(Waybill("")) == ()
    assert reader.latest_parcels(5) == (found,)
    assert reader.parcel(TrackId(2)) is None


PROVED = ShippedBefore(place=ShippedPlace.PROVED, chute="001")
UNPROVED = ShippedBefore(place=ShippedPlace.UNPROVED, chute="")
MIS_SORT = exited(6, 1, "W1", shipped=False, mis_sorted=True, chute="007")
REJECTED = exited(6, 1, "W1", shipped=False, counts=False, chute="900", reason=Reason.HELD)
AGAIN = (opened(20, 2), identified(21, 2, "W1"))
SHIPPED: list[tuple[str, tuple[JournalItem, ...], ShippedBefore | None]] = [
    ("nothing happened", (), None),
    ("rejected", (REJECTED,), None),
    ("seen in its chute", (exited(6, 1, "W1"),), PROVED),
    ("seen in its chute, on the belt again: its second pass", (exited(6, 1, "W1"), *AGAIN), PROVED),
    ("told, place lost", (missing(6, 1, "W1", counts=True),), UNPROVED),
    ("told, place lost, on the belt again", (missing(6, 1, "W1", counts=True), *AGAIN), None),
    ("not told, lost", (missing(6, 1, "W1", counts=False),), None),
    ("in a wrong chute", (MIS_SORT,), ShippedBefore(place=ShippedPlace.UNPROVED, chute="007")),
    ("in a wrong chute, on the belt again", (MIS_SORT, *AGAIN), None),
    (
        "on the belt again, lost again",
        (MIS_SORT, *AGAIN, missing(30, 2, "W1", counts=True)),
        UNPROVED,
    ),
    (
        "on the belt again, not readable: nothing is known of it",
        (MIS_SORT, opened(20, 2), identified(21, 2, "")),
        ShippedBefore(place=ShippedPlace.UNPROVED, chute="007"),
    ),
    (
        "on the belt again and shipped now",
        (missing(6, 1, "W1", counts=True), *AGAIN, exited(30, 2, "W1")),
        PROVED,
    ),
    (
        "another parcel on the belt again",
        (missing(6, 1, "W1", counts=True), opened(20, 2), identified(21, 2, "W2")),
        UNPROVED,
    ),
    ("lost before its label was read", (missing(6, 1, "", counts=True),), None),
]


@pytest.mark.parametrize(("name", "items", "expected"), SHIPPED, ids=[name for name, _, _ in SHIPPED])
def test_what_counts_as_shipped(
    scribe: Scribe,
    reader: JournalReader,
    name: str,
    items: tuple[JournalItem, ...],
    expected: ShippedBefore | None,
) -> None:
    scribe.write(opened(1, 1), identified(2, 1, "W1"), *items)
    assert reader.shipped_before((Waybill("W1"),)) == expected
    assert reader.on_record(Waybill("W1"), OrderNo("")) == (expected, None)
    assert reader.shipped_before((Waybill("W9"),)) is None
    assert reader.shipped_before(()) is None


def test_of_several_waybills_the_proved_one_answers(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(opened(1, 1), opened(1, 2), exited(6, 1, "W1"), missing(7, 2, "W2", counts=True))
    assert reader.shipped_before((Waybill("W2"), Waybill("W1"))) == PROVED
    assert reader.shipped_before((Waybill("W2"), Waybill("W3"))) == UNPROVED


CANCELS = [
    ([CancelOutcome.PENDING], ("pending", False)),
    ([CancelOutcome.PENDING, CancelOutcome.TOO_LATE], ("too_late", True)),
    ([CancelOutcome.ACCEPTED, CancelOutcome.PENDING], ("accepted", True)),
]


@pytest.mark.parametrize(("outcomes", "stands"), CANCELS)
def test_an_answer_to_a_cancel_stands_once_it_is_final(
    scribe: Scribe, reader: JournalReader, outcomes: list[CancelOutcome], stands: tuple[str, bool]
) -> None:
    assert reader.cancel_answer(InboxSeq(4)) is None
    for at, outcome in enumerate(outcomes):
        scribe.write(cancel_answered(at, 4, outcome, place="001"))
    answer = reader.cancel_answer(InboxSeq(4))
    assert answer is not None
    assert (answer.outcome, answer.final) == stands
    assert (answer.message_id, answer.order_no, answer.place) == ("m4", "A-1", "001")
    assert reader.cancel_answer_of(answer.message_id) == answer


def test_a_code_that_is_no_text_stops_nothing_and_is_kept_whole_in_the_log(
    scribe: Scribe, reader: JournalReader
) -> None:
    scribe.write(opened(1, 1), identified(2, 1, "W\ud8001"), missing(3, 1, "W\ud8001", counts=True))
    found = reader.parcel(TRACK)
    assert found is not None
    assert found.waybill == "W\ufffd1"
    assert reader.story(TRACK)[1].item() == identified(2, 1, "W\ud8001")
    assert reader.shipped_before((Waybill("W\ufffd1"),)) == UNPROVED


def test_alarms_stand_until_they_are_cleared(scribe: Scribe, reader: JournalReader) -> None:
    def raised(at: int, subject: str) -> r.AlarmRaised:
        return r.AlarmRaised(at_us=MonoUs(at), kind=AlarmKind.CHUTE_FULL, subject=subject, detail="2 s")

    scribe.write(raised(1, "002"), raised(2, "001"), raised(3, "002"))
    assert [(alarm.subject, alarm.raised_at_us) for alarm in reader.alarms()] == [("001", 2), ("002", 3)]
    scribe.write(r.AlarmCleared(at_us=MonoUs(4), kind=AlarmKind.CHUTE_FULL, subject="002"))
    assert [(alarm.subject, alarm.detail) for alarm in reader.alarms()] == [("001", "2 s")]


def test_the_line_and_its_chutes_stand_as_last_recorded(scribe: Scribe, reader: JournalReader) -> None:
    chute = ChuteId("001")
    scribe.write(
        r.LineStateChanged(at_us=MonoUs(1), state=LineState.EXECUTE, why="belt empty"),
        r.InductionSwitched(at_us=MonoUs(2), permitted=True, why="ready"),
        r.PlanTaken(at_us=MonoUs(3), inbox_seq=InboxSeq(2), plan=PlanId("main"), version=4),
        r.ChuteSwitched(at_us=MonoUs(4), chute=chute, enabled=True, full=True),
        r.ChuteSwitched(at_us=MonoUs(5), chute=chute, enabled=False, full=True),
    )
    line = reader.line()
    assert line is not None
    assert (line.state, line.why, line.since_us) == ("execute", "belt empty", 1)
    assert (line.permitted, line.permit_why, line.plan, line.plan_version) == (True, "ready", "main", 4)
    assert [(it.chute, it.enabled, it.full, it.since_us) for it in reader.chutes()] == (
        [("001", False, True, 5)]
    )


def test_counts_from_a_track_on(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(*parcel_life(1, 10), *parcel_life(2, 20), opened(30, 3), missing(31, 3, "", counts=False))
    scribe.write(
        opened(40, 4), exited(41, 4, "", shipped=False, counts=False, chute="end", reason=Reason.NO_READ)
    )
    scribe.write(opened(50, 5))
    counts = reader.counts(TrackId(2))
    assert (counts.inducted, counts.exited, counts.missing, counts.shipped) == (4, 2, 1, 1)
    assert counts.mis_sorted == 0
    assert counts.by_reason == (("no_read", 1), ("ok", 1), ("plc_restart", 1))
    assert counts.by_chute == (("001", 1), ("end", 1))


LAPS: list[tuple[tuple[str, ...], int]] = [
    ((), 0),
    (("LOOP",), 1),
    (("LOOP", "LOOP", "LOOP"), 3),
    (("LOOP", "001"), 0),
    (("LOOP", "REJECT", "LOOP"), 1),
    (("LOOP", "", "LOOP", "LOOP"), 2),
]
"""Where a waybill ended, the oldest first; empty: missing."""


@pytest.mark.parametrize(("ends", "laps"), LAPS)
def test_laps_are_the_latest_ends_in_a_row(
    scribe: Scribe, reader: JournalReader, ends: tuple[str, ...], laps: int
) -> None:
    for track, end in enumerate(ends, start=1):
        scribe.write(opened(track, track), identified(2, track, "W1"))
        last = (
            exited(6, track, "W1", shipped=False, counts=False, chute=end, reason=Reason.NO_READ)
            if end
            else missing(6, track, "W1", counts=False)
        )
        scribe.write(last)
    scribe.write(opened(50, 50), identified(51, 50, "W1"), opened(60, 60), identified(61, 60, "W2"))
    assert reader.laps(Waybill("W1"), ChuteId("LOOP")) == laps
    assert reader.laps(Waybill("W2"), ChuteId("LOOP")) == 0
