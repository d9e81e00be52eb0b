"""Codes join by belt position; the window closes once; a reader that was away proves nothing."""

from dataclasses import replace

import pytest

from edge.model.alarm import AlarmKind
from edge.model.codes import ReadQuality
from edge.model.commands import LookUp, Revoke
from edge.model.events import DeviceWentDown, DeviceWentUp, OrderChanged, OrderFound, OrderMissing
from edge.model.ids import DeviceId, InboxSeq, TrackId, Waybill
from edge.model.order import OrderStatus
from edge.model.records import Decided, Exited, Identified
from edge.model.verdict import Reason
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, Body, order, waybill

READER = DEMO.readers[0]


def quality(bench: CoreBench) -> ReadQuality:
    return bench.the(Identified).quality


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), ReadQuality.NO),
        (("?",), ReadQuality.NO),
        ((waybill(1),), ReadQuality.GOOD),
        ((waybill(1), "HZ-BAG"), ReadQuality.GOOD),
        ((waybill(1), waybill(2)), ReadQuality.MULTI),
        (("HZ-BAG",), ReadQuality.PARTIAL),
        (("a", "b", "c", "d", "e"), ReadQuality.MULTI),
    ],
)
def test_how_the_window_closes(codes: tuple[str, ...], expected: ReadQuality) -> None:
    bench = CoreBench()
    bench.parcel(1, codes=codes)
    bench.run(2_000)
    assert quality(bench) is expected
    assert [code.text for code in bench.the(Identified).codes] == list(codes)


def down(bench: CoreBench) -> None:
    bench.post(DeviceWentDown(at_us=bench.at_us, device=READER.device, why="cable"))


def up(bench: CoreBench) -> None:
    bench.post(DeviceWentUp(at_us=bench.at_us, device=READER.device))


@pytest.mark.parametrize("back_at_mm", [640, 800, 1_100])
def test_one_code_from_a_reader_that_was_away_is_no_good_read(back_at_mm: int) -> None:
    """The other label may have been read meanwhile."""
    bench = CoreBench()
    bench.parcel(1)
    bench.run(500)
    down(bench)
    assert AlarmKind.READER_DOWN in {alarm.kind for alarm in bench.core.state.alarms.values()}
    bench.run(back_at_mm - 500)
    up(bench)
    assert bench.core.state.alarms == {}
    bench.run(12_000)
    assert quality(bench) is ReadQuality.PARTIAL
    assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN


def test_a_reader_back_before_the_parcel_reads_well() -> None:
    bench = CoreBench()
    bench.parcel(1)
    down(bench)
    bench.run(200)
    up(bench)
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_device_that_decides_nothing_is_nobodys() -> None:
    bench = CoreBench()
    assert bench.post(DeviceWentDown(at_us=bench.at_us, device=DeviceId("plc"), why="")) == ()
    assert bench.post(DeviceWentUp(at_us=bench.at_us, device=DeviceId("plc"))) == ()


def test_a_scale_that_is_away_alarms() -> None:
    bench = CoreBench()
    assert DEMO.scale is not None
    bench.post(DeviceWentDown(at_us=bench.at_us, device=DEMO.scale.device, why="cable"))
    assert {alarm.kind for alarm in bench.core.state.alarms.values()} == {AlarmKind.SCALE_DOWN}
    bench.post(DeviceWentUp(at_us=bench.at_us, device=DEMO.scale.device))
    assert bench.core.state.alarms == {}


def read_late(bench: CoreBench, body: Body, code: str) -> None:
    other = Body(number=body.number, at=body.at, codes=(code,))
    bench.read(other, body.at + bench.ticks(800))


def test_a_late_code_that_says_the_same_changes_nothing() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(2_000)
    read_late(bench, body, waybill(8))
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_late_second_waybill_before_the_decision_is_multi_read() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(2_000)
    read_late(bench, body, waybill(7))
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.MULTI_READ


def test_a_late_second_waybill_after_told_takes_it_back() -> None:
    bench = CoreBench()
    body = bench.parcel(8)
    bench.run(3_500)
    read_late(bench, body, waybill(7))
    assert len(bench.commands(Revoke)) == 1
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.MULTI_READ


def test_a_code_of_nobody_is_nobodys() -> None:
    bench = CoreBench()
    body = Body(number=1, at=bench.now, codes=(waybill(1),))
    bench.read(body, bench.now)
    assert bench.out[-1] not in bench.commands(LookUp)
    assert bench.core.state.tracks == {}


def test_a_label_with_too_many_codes_is_bounded() -> None:
    bench = CoreBench()
    bench.parcel(1, codes=tuple(f"c{n}" for n in range(40)))
    bench.run(2_000)
    assert len(bench.the(Identified).codes) == 16


def answer(bench: CoreBench, kind: type[OrderFound] | type[OrderMissing], text: str, track: int) -> object:
    common = {
        "at_us": bench.at_us,
        "track": TrackId(track),
        "waybill": Waybill(text),
        "inbox_seq": InboxSeq(bench.inbox),
    }
    if kind is OrderFound:
        common |= {"order": order(text), "reviewed": False, "shipped_before": None}
    return bench.post(kind(**common))  # type: ignore[arg-type]


def test_answers_that_nobody_asked_for_change_nothing() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(2_000)
    track = next(iter(bench.core.state.tracks))
    for kind in (OrderFound, OrderMissing):
        assert answer(bench, kind, waybill(1), track) == ()
        assert answer(bench, kind, waybill(1), 99) == ()


def test_two_known_codes_without_a_pattern_are_two_candidates() -> None:
    bench = CoreBench()
    bench.orders["OLD-7"], bench.orders["OLD-8"] = order("OLD-7"), order("OLD-8")
    bench.parcel(1, codes=("OLD-7", "OLD-8"))
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.MULTI_READ


def test_missing_codes_beside_a_fault_keep_the_fault() -> None:
    bench = CoreBench()
    bench.orders["OLD-7"], bench.orders["OLD-8"] = order("OLD-7"), order("OLD-8")
    bench.parcel(1, codes=("OLD-7", "OLD-8", "OLD-9"))
    bench.run(12_000)
    assert bench.the(Exited).reason is Reason.MULTI_READ


def change(bench: CoreBench, n: int, status: OrderStatus, **fields: object) -> None:
    bench.inbox += 1
    bench.post(
        OrderChanged(
            at_us=bench.at_us,
            inbox_seq=InboxSeq(bench.inbox),
            waybill=Waybill(waybill(n)),
            status=status,
            order=order(waybill(n), **fields),  # type: ignore[arg-type]
        )
    )


def test_the_newest_row_about_an_order_wins() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(4)
    bench.run(2_000)
    change(bench, 4, OrderStatus.RELEASED, routing="6", version=3)
    bench.inbox -= 1
    bench.look_up(bench.commands(LookUp)[0])
    bench.run(12_000)
    assert (bench.the(Decided).order_version, bench.the(Exited).exit) == (3, 6)


def test_a_hold_before_the_decision_rejects_and_its_release_ships() -> None:
    for released in (False, True):
        bench = CoreBench()
        bench.parcel(4)
        bench.run(2_000)
        change(bench, 4, OrderStatus.HELD)
        if released:
            change(bench, 4, OrderStatus.RELEASED)
            bench.inbox -= 5
            change(bench, 4, OrderStatus.HELD)
        bench.run(12_000)
        assert bench.the(Exited).reason is (Reason.OK if released else Reason.HELD)


def test_an_order_that_arrives_after_the_look_up_said_unknown_ships() -> None:
    bench = CoreBench(replace(DEMO, review_required=False))
    bench.parcel(4)
    bench.orders.clear()
    bench.run(2_000)
    change(bench, 4, OrderStatus.RELEASED, routing="4")
    bench.run(12_000)
    assert bench.the(Exited).shipped


def test_a_row_that_changes_nothing_about_a_told_parcel_leaves_it() -> None:
    bench = CoreBench()
    bench.parcel(8)
    bench.run(3_500)
    change(bench, 8, OrderStatus.RELEASED, routing="1")
    bench.run(12_000)
    assert (bench.the(Exited).shipped, bench.the(Exited).exit) == (True, 8)


def test_of_which_waybills_the_core_wants_to_hear() -> None:
    bench = CoreBench()
    bench.mute.add(LookUp)
    bench.parcel(4, codes=(waybill(4), "HZ-BAG"))
    bench.run(2_000)
    wanted = bench.core.wanted()
    assert wanted is not None
    assert [text in wanted for text in (waybill(4), "HZ-BAG", waybill(5))] == [True, True, False]


def test_the_window_follows_a_parcel_that_an_eye_moved() -> None:
    """Read window and decision are worked out again from where the eyes saw it."""
    bench = CoreBench()
    bench.parcel(4, shifts={2: 60, 3: 60}, at_mm=0)
    bench.run(12_000)
    assert bench.the(Exited).shipped
