"""Every exit reason that the core can give: what was on the belt, where it ended, and why."""

from collections.abc import Callable

import pytest

from edge.model.codes import Symbology
from edge.model.commands import CaptureWeight, LookUp, SendDivert
from edge.model.events import (
    HoldCause,
    HoldRaised,
    PlcRefused,
    RingOverflowed,
)
from edge.model.ids import ChuteId, RingSeq
from edge.model.line import OperatorAction
from edge.model.order import OrderFlag, OrderStatus, ShippedBefore, ShippedPlace
from edge.model.records import Decided, Exited
from edge.model.register_map import StateBit
from edge.model.route import BlindSpot, SortRule
from edge.model.units import Ticks
from edge.model.verdict import Reason
from tests.clauses import clause
from tests.core.core_bench import CoreBench, activate, fail, operator
from tests.core.core_line import EPOCH, READY, bits, order, waybill

REJECT, END = 9, 10
Scene = Callable[[CoreBench], None]


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
