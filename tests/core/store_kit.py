"""Rows and orders for the store's tests: each with every field that the test does not care about."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from edge.model import events as e
from edge.model import records as r
from edge.model.codes import ReadQuality, ReadRule
from edge.model.ids import (
    BootEpoch,
    ChuteId,
    CommandSeq,
    ExitNo,
    EyeNo,
    InboxSeq,
    MessageId,
    OrderNo,
    PlanId,
    PlcNumber,
    RingSeq,
    Sku,
    TrackId,
    Waybill,
)
from edge.model.order import CancelOutcome, Order, OrderLine, OrderParcel, Region
from edge.model.units import Grams, Mm, MonoUs, Ticks, UtcUs
from edge.model.verdict import Reason
from edge.model.weight import WeightQuality, WeightReading
from edge.ports.journal import JournalItem
from edge.store.inbox_types import Actor, Message, OrderPut
from edge.store.journal_file import Batch, JournalFile, RowMaker

LINE = "demo"
ERP = Actor(id="erp-1", role="erp")
ZONE = "Asia/Shanghai"
DAY_US = 86_400_000_000
MIDNIGHT = 1_700_150_400_000_000
"""2023-11-17T00:00 in Shanghai (2023-11-16T16:00Z)."""


def eye(at: int, number: int, epoch: int = 1) -> e.EyePassed:
    return e.EyePassed(
        at_us=MonoUs(at),
        epoch=BootEpoch(epoch),
        ring_seq=RingSeq(at),
        number=PlcNumber(number),
        eye=EyeNo(1),
        ticks=Ticks(at),
        plc_ms=at,
        length_mm=Mm(300),
    )


def opened(at: int, track: int, number: int = 0, epoch: int = 1) -> r.TrackOpened:
    return r.TrackOpened(
        at_us=MonoUs(at),
        track=TrackId(track),
        epoch=BootEpoch(epoch),
        number=PlcNumber(number or track),
        eye=EyeNo(1),
        ticks=Ticks(at),
        length_mm=Mm(300),
    )


def identified(at: int, track: int, waybill: str) -> r.Identified:
    return r.Identified(
        at_us=MonoUs(at),
        track=TrackId(track),
        quality=ReadQuality.GOOD if waybill else ReadQuality.NO,
        waybill=Waybill(waybill),
        codes=(),
        why=ReadRule.ONE_FITS if waybill else ReadRule.NOTHING_READ,
    )


def weighed(at: int, track: int, grams: int) -> r.Weighed:
    reading = WeightReading(grams=Grams(grams), quality=WeightQuality.GOOD, spread_g=Grams(2), samples=6)
    return r.Weighed(at_us=MonoUs(at), track=TrackId(track), reading=reading, expected_g=Grams(grams + 3))


def decided(at: int, track: int, waybill: str, reason: Reason = Reason.OK, chute: str = "001") -> r.Decided:
    return r.Decided(
        at_us=MonoUs(at),
        track=TrackId(track),
        waybill=Waybill(waybill),
        order_no=OrderNo("A-1"),
        order_version=3,
        customer_code="C1",
        shop="S1",
        carrier="zto",
        reason=reason,
        chute=ChuteId(chute),
        exit=ExitNo(1),
        rule="r-17",
        plan=PlanId("main"),
        plan_version=2,
        weight_g=Grams(500),
        expected_g=Grams(503),
        slack_mm=Mm(120),
        decided_from_us=MonoUs(at - 5),
    )


def told(at: int, track: int) -> r.Told:
    return r.Told(
        at_us=MonoUs(at),
        track=TrackId(track),
        exit=ExitNo(1),
        seq=CommandSeq(7),
        since_us=4_000,
        plc_wait_us=3_000,
    )


def exited(
    at: int,
    track: int,
    waybill: str,
    *,
    shipped: bool = True,
    counts: bool = True,
    mis_sorted: bool = False,
    chute: str = "001",
    reason: Reason = Reason.OK,
) -> r.Exited:
    return r.Exited(
        at_us=MonoUs(at),
        track=TrackId(track),
        waybill=Waybill(waybill),
        exit=ExitNo(1),
        chute=ChuteId(chute),
        reason=reason,
        shipped=shipped,
        counts_as_shipped=counts,
        mis_sorted=mis_sorted,
    )


def missing(at: int, track: int, waybill: str, *, counts: bool) -> r.Missing:
    return r.Missing(
        at_us=MonoUs(at),
        track=TrackId(track),
        waybill=Waybill(waybill),
        reason=Reason.PLC_RESTART,
        last_eye=EyeNo(2),
        counts_as_shipped=counts,
    )


def cancel_answered(at: int, seq: int, outcome: CancelOutcome, place: str = "") -> r.CancelAnswered:
    return r.CancelAnswered(
        at_us=MonoUs(at),
        inbox_seq=InboxSeq(seq),
        message_id=MessageId(f"m{seq}"),
        order_no=OrderNo("A-1"),
        outcome=outcome,
        track=TrackId(1),
        place=place,
        final=outcome is not CancelOutcome.PENDING,
    )


def clock(at: int, utc: int) -> r.ClockAgreed:
    return r.ClockAgreed(at_us=MonoUs(at), utc_us=UtcUs(utc), stepped_us=0)


def parcel_life(track: int, at: int, waybill: str = "") -> tuple[JournalItem, ...]:
    """A parcel that ships, as the line would write it."""
    waybill = waybill or f"W{track}"
    return (
        eye(at, track),
        opened(at, track),
        identified(at + 1, track, waybill),
        weighed(at + 2, track, 500),
        decided(at + 3, track, waybill),
        told(at + 4, track),
        exited(at + 5, track, waybill),
    )


class Scribe:
    """Writes a journal file without thread or fsync; each call is one commit."""

    def __init__(self, path: Path, zone: str = ZONE) -> None:
        self.file = JournalFile(path, line_id=LINE, timezone=zone, synchronous="OFF")
        self.maker: RowMaker = self.file.row_maker()

        self.cursor: int = self.file.inbox_cursor

    def write(self, *items: JournalItem, cursor: int = 0) -> None:
        cursor = self.cursor = max(cursor, self.cursor)
        self.file.write([Batch(rows=self.maker.make(items), inbox_cursor=InboxSeq(cursor))])

    def snapshot(self, state: bytes) -> None:
        self.file.write([self.maker.snapshot(state)])

    def close(self) -> None:
        self.file.close()


def message(name: str, body: object = "") -> Message:
    return Message(
        message_id=MessageId(name),
        body_sha256=sha256(repr(body).encode()).digest(),
        at_utc_us=UtcUs(MIDNIGHT),
        by=ERP,
    )


def order(
    number: str,
    version: int = 1,
    waybills: Iterable[str] = ("W1",),
    *,
    expected: int | None = 500,
    lines: tuple[tuple[str, int], ...] = (),
    **other: Any,
) -> Order:
    parcels = tuple(
        OrderParcel(
            waybill_no=Waybill(waybill),
            routing_code="310-01",
            bag_place="bag",
            lines=tuple(OrderLine(sku=Sku(sku), qty=qty) for sku, qty in lines),
            packaging_code="box",
            tare_g=Grams(80),
            expected_weight_g=None if expected is None else Grams(expected),
            tolerance_g=Grams(0),
        )
        for waybill in waybills
    )
    fields: dict[str, Any] = {
        "order_no": OrderNo(number),
        "version": version,
        "customer_code": "C1",
        "shop": "shop",
        "platform": "p",
        "wave": "w",
        "pick_slip_no": "s",
        "carrier": "zto",
        "region": Region(province="31", city="3101", district=""),
        "parcels": parcels,
        "cut_off": "",
        "flags": (),
    }
    return Order(**(fields | other))


def put(name: str, of: Order) -> OrderPut:
    return OrderPut(message=message(name, of), order=of)
