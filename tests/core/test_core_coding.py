"""A person keys the code of a parcel that no reader could read: in time, too late, beside a reader's."""

import pytest

from edge.model.codes import CodeStanding, ReadRule
from edge.model.coding import CodingCheck, CodingOutcome
from edge.model.commands import ArchiveImage, LookUp, Revoke
from edge.model.events import CodeKeyed
from edge.model.ids import InboxSeq, TrackId
from edge.model.records import ChoiceChanged, Decided, Exited, Identified, KeyedCodeTaken
from edge.model.units import UtcUs
from edge.model.verdict import Reason
from tests.core.core_bench import CoreBench
from tests.core.core_line import Body, order, waybill

OWN = waybill(1)


def keyed(bench: CoreBench, text: str = OWN, track: int = 1) -> CodingOutcome:
    bench.inbox += 1
    bench.post(
        CodeKeyed(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox),
            track=TrackId(track),
            text=text,
            check=CodingCheck.TWICE,
            by="station-2",
            keyed_utc_us=UtcUs(1_000_000),
        )
    )
    row = bench.records(KeyedCodeTaken)[-1]
    assert (row.track, row.waybill, row.by, row.keyed_utc_us) == (track, text, "station-2", 1_000_000)
    assert (row.inbox_seq, row.check) == (bench.inbox, CodingCheck.TWICE)
    return row.outcome


def unread(bench: CoreBench, at_mm: int, length_mm: int = 300) -> Body:
    body = bench.parcel(1, codes=(), length_mm=length_mm)
    bench.run(at_mm)
    return body


@pytest.mark.parametrize("at_mm", [1_900, 2_900])
def test_before_the_decision_the_parcel_sorts(at_mm: int) -> None:
    bench = CoreBench()
    unread(bench, at_mm)
    assert bench.the(Identified).why is ReadRule.NOTHING_READ
    assert keyed(bench) is CodingOutcome.JOINED
    bench.run(12_000)
    changed = bench.the(ChoiceChanged)
    assert (changed.why, changed.waybill) == (ReadRule.KEYED, OWN)
    assert [(code.text, code.readers, code.standing) for code in changed.codes] == [
        (OWN, (), CodeStanding.CHOSEN)
    ]
    assert (bench.the(Decided).waybill, bench.the(Exited).shipped) == (OWN, True)


def test_before_the_window_is_closed_it_is_a_candidate_like_a_reader_s() -> None:
    bench = CoreBench()
    unread(bench, 900)
    assert keyed(bench) is CodingOutcome.JOINED
    bench.run(12_000)
    assert (bench.the(Identified).why, bench.the(Identified).waybill) == (ReadRule.KEYED, OWN)
    assert bench.records(ChoiceChanged) == []
    assert bench.the(Exited).shipped


def test_after_the_decision_it_changes_nothing_and_is_ready() -> None:
    bench = CoreBench()
    unread(bench, 3_400)
    assert keyed(bench) is CodingOutcome.GONE_BY
    bench.run(12_000)
    assert bench.commands(LookUp) == []
    assert bench.the(Exited).reason is Reason.NO_READ
    assert keyed(bench) is CodingOutcome.GONE_BY, "it has left the line by now"


def test_a_parcel_that_nobody_knows() -> None:
    bench = CoreBench()
    assert keyed(bench, track=7) is CodingOutcome.UNKNOWN


def test_a_parcel_that_a_reader_has_identified_keeps_its_waybill() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(2_000)
    assert keyed(bench, waybill(2)) is CodingOutcome.IDENTIFIED
    bench.run(12_000)
    assert (bench.the(Exited).waybill, bench.the(Exited).shipped) == (OWN, True)
    bench.parcel(3)
    bench.run(3_500)
    assert keyed(bench, waybill(4), track=2) is CodingOutcome.IDENTIFIED


def test_a_parcel_that_is_unfit_for_another_reason_stays_so() -> None:
    bench = CoreBench()
    unread(bench, 2_300, length_mm=440)
    assert keyed(bench) is CodingOutcome.IDENTIFIED
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.OVERSIZE


def test_a_code_under_look_up_is_not_overtaken() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(1, codes=("HZ-3",))
    bench.run(2_000)
    assert keyed(bench) is CodingOutcome.IDENTIFIED


@pytest.mark.parametrize(("text", "reason"), [(waybill(9), Reason.UNKNOWN_ORDER), ("OLD-7", Reason.OK)])
def test_the_order_decides_whatever_was_keyed(text: str, reason: Reason) -> None:
    """One that fits no carrier is looked up all the same: a person says that it is the waybill."""
    bench = CoreBench()
    bench.orders["OLD-7"] = order("OLD-7")
    unread(bench, 2_000)
    keyed(bench, text)
    bench.run(12_000)
    assert bench.the(Exited).reason is reason


def test_the_waybill_of_a_parcel_on_the_belt_is_a_duplicate() -> None:
    bench = CoreBench()
    bench.parcel(2)
    bench.parcel(1, at_mm=1_100, codes=())
    bench.run(3_100)
    assert keyed(bench, waybill(2), track=2) is CodingOutcome.JOINED
    bench.run(12_000)
    assert bench.end_of(1).reason is Reason.DUPLICATE
    assert bench.end_of(2).reason is Reason.OK


def test_two_people_who_key_different_codes_ship_nothing() -> None:
    bench = CoreBench()
    unread(bench, 2_000)
    keyed(bench)
    assert keyed(bench, waybill(2)) is CodingOutcome.IDENTIFIED
    bench.run(12_000)
    assert bench.the(Exited).shipped, "the first one stands: it was looked up and weighed"


def test_a_reader_that_contradicts_later_takes_it_back() -> None:
    bench = CoreBench()
    body = unread(bench, 2_000)
    keyed(bench)
    bench.run(1_400)
    bench.read(Body(number=1, at=body.at, codes=(waybill(2),)), body.at + bench.ticks(800))
    assert len(bench.commands(Revoke)) == 1
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.CODE_CHANGED


def test_pictures_of_a_no_read_are_asked_for_once_of_each_reader_where_it_was_before_it() -> None:
    bench = CoreBench()
    body = unread(bench, 3_400)
    asked = bench.commands(ArchiveImage)
    readers = {reader.id: reader for reader in bench.line.readers}
    assert [one.reader for one in asked] == list(readers)
    for one in asked:
        assert one.track == 1
        middle = body.at + bench.ticks(readers[one.reader].position_mm + 150)
        assert one.from_ticks < middle < one.to_ticks
    bench.run(12_000)
    assert bench.commands(ArchiveImage) == asked


def test_no_picture_is_asked_for_of_what_was_read() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(12_000)
    assert bench.commands(ArchiveImage) == []


def test_a_code_that_no_order_has_is_a_no_read_with_pictures() -> None:
    bench = CoreBench()
    bench.parcel(1, codes=("NOTHING-KNOWN",))
    bench.run(3_400)
    assert bench.the(ChoiceChanged).why is ReadRule.NONE_KNOWN
    assert {one.track for one in bench.commands(ArchiveImage)} == {1}


def test_no_picture_is_asked_for_of_parcels_whose_labels_could_be_taken_for_each_other() -> None:
    bench = CoreBench()
    bench.parcel(1, codes=())
    bench.run(400)
    bench.parcel(2, codes=())
    bench.run(12_000)
    assert {row.reason for row in bench.records(Decided)} == {Reason.GAP_TOO_SMALL}
    assert len(bench.records(Identified)) == 2
    assert bench.commands(ArchiveImage) == []
