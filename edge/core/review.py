"""Scan review (扫描复核): what lies on a bench is what its order says, or it does not pass.

A person scans the pick slip, then every item, then ``END``. The verdict belongs to the order, not to a
track: the belt asks the record for it. A bench, by what is scanned:

- nothing open: any text is a slip, and its order is asked for;
- open: a text is one piece of goods, ``*12`` makes the last scan twelve pieces (``*0`` takes it back),
  ``PAUSE`` keeps the count until the slip is scanned again, at whichever bench, the slip itself begins the
  count anew, and ``END`` compares;
- ended: the gate opens to packing for this one work, or stays shut, and it goes to the bench's re-pick
  lane. Only work that a gate's eye has seen on its way to packing is *released* for the belt.

A slip is open at one bench only. Scans that may be lost (the scanner or this process was away) break a
review off: a lost scan of something extra could pass it. It begins anew with its slip.
"""

from collections.abc import Callable
from dataclasses import replace

from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.bench_count import differences
from edge.core.scope import Scope
from edge.core.state import BenchState, BenchWork, Leaving
from edge.model.alarm import AlarmKind
from edge.model.bench_events import BenchScanned, SlipFound, SlipMissing
from edge.model.commands import LookUpSlip, SetGate, WakeAt
from edge.model.events import GatePassed, OrderChanged, WakePurpose
from edge.model.ids import BenchId, GateNo, InboxSeq, OrderNo, Waybill
from edge.model.order import BenchOrder, OrderStatus
from edge.model.records import (
    Reviewed,
    ReviewInterrupted,
    ReviewOpened,
    ReviewRefused,
    ReviewReopened,
    WorkLeft,
)
from edge.model.review import GateLane, ReviewRefusal
from edge.model.units import US_PER_MS, MonoUs, Ticks
from edge.model.verdict import Reason

END, PAUSE, TIMES = "BK-END", "BK-PAUSE", "*"
"""The bench's command sheet; ``TIMES`` begins a keyed quantity."""
MAX_CODES = 2_048
"""Different codes of one review: an order's 500 lines, each with more than one barcode."""
MAX_PIECES = 1_000_000
MAX_PARKED = 64
"""Interrupted reviews kept; the oldest is forgotten, and begins anew."""
MAX_REOPENED = 256
"""Far more than answers can be under way."""
GATE_WAIT_MS = 20_000
"""Work that no eye has seen behind the gate by then was carried off by hand."""


def scanned(scope: Scope, event: BenchScanned) -> None:
    """What a bench's scanner said, in order."""
    bench = scope.state.benches.setdefault(event.bench, BenchState())
    for text in event.texts:
        if text == END:
            _end(scope, event.bench, bench, event.at_us)
        elif text == PAUSE:
            _pause(scope, event.bench, bench, event.at_us)
        elif bench.work is None or bench.work.ended or text == bench.work.slip:
            _slip(scope, event.bench, bench, text, event.at_us)
        elif not bench.work.broken and not _count(bench.work, text):
            _refuse(scope, event.bench, bench.work, event.at_us, ReviewRefusal.TOO_MANY)
            _break(scope, event.bench, bench.work, event.at_us)


def _count(work: BenchWork, text: str) -> bool:
    """One piece of some goods, or how many the last scan stands for. False: more than a bench keeps."""
    if text.startswith(TIMES) and text[1:].isascii() and text[1:].isdigit() and len(text) <= len("*1000000"):
        if not work.last:
            return True
        pieces = work.before + int(text[1:])
    else:
        work.last, work.before = text, work.scanned.get(text, 0)
        pieces = work.before + 1
    work.pieces += pieces - work.scanned.get(work.last, 0)
    work.scanned[work.last] = pieces
    return work.pieces <= MAX_PIECES and len(work.scanned) <= MAX_CODES


def _slip(scope: Scope, name: BenchId, bench: BenchState, slip: str, at_us: MonoUs) -> None:
    """Open it, resume it, or begin its count anew. What was ended without a verdict is given up."""
    state, work = scope.state, bench.work
    for other, at in state.benches.items():
        if other != name and at.work is not None and at.work.slip == slip:
            if not at.work.broken:
                _refuse(scope, name, BenchWork(slip=slip), at_us, ReviewRefusal.OPEN_ELSEWHERE)
                return
            at.work = None
    if work is not None and work.order is not None:
        _interrupted(scope, name, work, at_us, kept=False)
    parked = next((one for one in state.parked if one.slip == slip), None)
    if parked is not None:
        state.parked.remove(parked)
    bench.work = parked or BenchWork(slip=slip)
    scope.out.append(LookUpSlip(bench=name, slip=slip))


def found(scope: Scope, event: SlipFound) -> None:
    """The slip's order; one that was not asked for (any more) changes nothing."""
    bench = scope.state.benches.get(event.bench)
    work = _asked(bench, event.slip)
    if bench is None or work is None:
        return
    if work.stale:
        work.stale = False
        scope.out.append(LookUpSlip(bench=event.bench, slip=event.slip))
        return
    refusal = _hindrance(scope, event)
    if refusal is not None:
        bench.work = None
        _refuse(scope, event.bench, replace(work, order=event.order), event.at_us, refusal)
        return
    if bench.leaving is not None and bench.leaving.order_no == event.order.order_no:
        bench.leaving = None  # it failed, and is put right before it has left
    work.order = event.order
    scope.record(
        ReviewOpened(
            at_us=event.at_us,
            bench=event.bench,
            slip=work.slip,
            order_no=event.order.order_no,
            order_version=event.order.version,
            waybill=event.order.waybill,
            resumed=work.resumed,
        )
    )
    if work.ended:
        _end(scope, event.bench, bench, event.at_us)


def missing(scope: Scope, event: SlipMissing) -> None:
    """Nothing can be reviewed by that slip."""
    bench = scope.state.benches.get(event.bench)
    work = _asked(bench, event.slip)
    if bench is not None and work is not None:
        bench.work = None
        _refuse(scope, event.bench, work, event.at_us, event.why)


def _asked(bench: BenchState | None, slip: str) -> BenchWork | None:
    """The work whose look-up this slip was."""
    work = None if bench is None else bench.work
    if work is None or work.slip != slip or work.order is not None or work.broken:
        return None
    return work


def _hindrance(scope: Scope, event: SlipFound) -> ReviewRefusal | None:
    order_no = event.order.order_no
    for name, bench in scope.state.benches.items():
        open_there = bench.work is not None and _order_of(bench.work) == order_no and not bench.work.broken
        leaving = bench.leaving is not None and bench.leaving.order_no == order_no
        if open_there or (leaving and (name != event.bench or (bench.leaving and bench.leaving.passed))):
            return ReviewRefusal.OPEN_ELSEWHERE
    if event.released and order_no not in scope.state.reopened:
        return ReviewRefusal.ALREADY_PASSED
    if event.shipped:
        return ReviewRefusal.SHIPPED_BEFORE
    return ReviewRefusal.CANCELLED if event.order.status is OrderStatus.CANCELLED else None


def _pause(scope: Scope, name: BenchId, bench: BenchState, at_us: MonoUs) -> None:
    """The count is kept, and the bench is free. What is broken off has none."""
    work, bench.work = bench.work, None
    if work is None or work.broken:
        return
    if work.order is not None:
        _interrupted(scope, name, work, at_us, kept=True)
    parked = scope.state.parked
    parked.append(replace(work, order=None, last="", resumed=True, ended=False))
    if len(parked) > MAX_PARKED:
        del parked[0]


def _end(scope: Scope, name: BenchId, bench: BenchState, at_us: MonoUs) -> None:
    """Everything that lies there was scanned: compare, and let it go. Where its gate cannot, the end may
    be scanned again as long as nothing else is."""
    work = bench.work
    if work is None or work.broken:
        why = ReviewRefusal.NO_SLIP if work is None else ReviewRefusal.BROKEN_OFF
        _refuse(scope, name, work or BenchWork(slip=""), at_us, why)
        return
    work.ended = True
    if work.order is None:
        return
    if work.order.status is OrderStatus.CANCELLED:
        bench.work = None
        _refuse(scope, name, work, at_us, ReviewRefusal.CANCELLED)
    elif bench.leaving is not None:
        _refuse(scope, name, work, at_us, ReviewRefusal.GATE_BUSY)
    elif not scope.state.plc.attached:
        _refuse(scope, name, work, at_us, ReviewRefusal.GATE_AWAY)
    else:
        _judge(scope, name, bench, work, work.order, at_us)


def _judge(
    scope: Scope, name: BenchId, bench: BenchState, work: BenchWork, order: BenchOrder, at_us: MonoUs
) -> None:
    lacking, extra = differences(order, work.scanned)
    reason = Reason.SKU_MISSING if lacking else Reason.SKU_EXTRA if extra else Reason.OK
    passed = reason is Reason.OK
    scope.record(
        Reviewed(
            at_us=at_us,
            bench=name,
            slip=work.slip,
            order_no=order.order_no,
            order_version=order.version,
            waybill=order.waybill,
            contents=order.contents,
            reason=reason,
            pieces=work.pieces,
            missing=lacking,
            extra=extra,
        )
    )
    bench.work = None
    limit_us = MonoUs(at_us + GATE_WAIT_MS * US_PER_MS)
    bench.leaving = Leaving(order_no=order.order_no, waybill=order.waybill, passed=passed, limit_us=limit_us)
    _outdate(scope)
    gate = scope.layout.benches[name].gate
    if passed:
        scope.out.append(SetGate(gate=gate, open=True))
    _watch_gate(scope, gate, limit_us)


def _outdate(scope: Scope) -> None:
    """What the record says of orders has changed: answers that are under way may be older."""
    for bench in scope.state.benches.values():
        if bench.work is not None and bench.work.order is None:
            bench.work.stale = True


def _watch_gate(scope: Scope, gate: GateNo, limit_us: MonoUs) -> None:
    scope.out.append(WakeAt(purpose=WakePurpose.GATE, ref=gate, ticks=Ticks(0), at_us=limit_us, proved=False))


def left(scope: Scope, event: GatePassed) -> None:
    """An exit eye saw work. Only what had passed and went to packing is released."""
    name = scope.layout.bench_at.get(event.gate)
    if name is None:
        return
    bench = scope.state.benches.setdefault(name, BenchState())
    leaving = bench.leaving
    if leaving is not None:
        released = leaving.passed and event.lane is GateLane.PACKING
        if leaving.passed is not (event.lane is GateLane.PACKING):
            detail = f"order {leaving.order_no} went to {event.lane.name.lower()}"
            raise_alarm(scope, event.at_us, AlarmKind.GATE_WRONG, name, detail)
        clear_alarm(scope, event.at_us, AlarmKind.GATE_UNCONFIRMED, name)
        _gone(scope, name, bench, event.at_us, event.lane, released=released)
        return
    if event.lane is GateLane.PACKING:
        raise_alarm(scope, event.at_us, AlarmKind.GATE_WRONG, name, "work without a verdict went to packing")
    if bench.work is not None and bench.work.broken:
        bench.work = None  # that is what left: the next slip is another's
    scope.record(
        WorkLeft(
            at_us=event.at_us,
            bench=name,
            order_no=OrderNo(""),
            waybill=Waybill(""),
            lane=event.lane,
            released=False,
        )
    )


def _gone(
    scope: Scope, name: BenchId, bench: BenchState, at_us: MonoUs, lane: GateLane | None, *, released: bool
) -> None:
    leaving, bench.leaving = bench.leaving, None
    assert leaving is not None
    _outdate(scope)
    if released and leaving.order_no in scope.state.reopened:
        scope.state.reopened.remove(leaving.order_no)
    if leaving.passed:
        scope.out.append(SetGate(gate=scope.layout.benches[name].gate, open=False))
    scope.record(
        WorkLeft(
            at_us=at_us,
            bench=name,
            order_no=leaving.order_no,
            waybill=leaving.waybill,
            lane=lane,
            released=released,
        )
    )


def plc_away(scope: Scope) -> None:
    """Whatever is on its way finds the gate shut: nobody knows what comes there when it opens again."""
    for name, bench in scope.state.benches.items():
        if bench.leaving is not None and bench.leaving.passed:
            scope.out.append(SetGate(gate=scope.layout.benches[name].gate, open=False))


def limit_reached(scope: Scope, gate: GateNo, at_us: MonoUs) -> None:
    """No eye has seen the work in time; while the PLC is away that proves nothing."""
    name = scope.layout.bench_at.get(gate)
    bench = scope.state.benches.get(name) if name is not None else None
    if bench is None or bench.leaving is None:
        return
    if not scope.state.plc.attached:
        bench.leaving.limit_us = MonoUs(at_us + GATE_WAIT_MS * US_PER_MS)
    if at_us < bench.leaving.limit_us:
        _watch_gate(scope, gate, bench.leaving.limit_us)
        return
    assert name is not None
    _unseen(scope, name, bench, at_us)


def gates_unseen(scope: Scope, at_us: MonoUs) -> None:
    """Entries of the PLC's ring are lost: what left meanwhile was not seen."""
    for name, bench in scope.state.benches.items():
        if bench.leaving is not None:
            _unseen(scope, name, bench, at_us)


def _unseen(scope: Scope, name: BenchId, bench: BenchState, at_us: MonoUs) -> None:
    assert bench.leaving is not None
    detail = f"order {bench.leaving.order_no} was not seen behind the gate"
    raise_alarm(scope, at_us, AlarmKind.GATE_UNCONFIRMED, name, detail)
    _gone(scope, name, bench, at_us, None, released=False)


def broken_off(scope: Scope, name: BenchId, at_us: MonoUs) -> None:
    """Its scanner is away, or was: what was scanned meanwhile is lost."""
    bench = scope.state.benches.get(name)
    if bench is None or bench.work is None or bench.work.broken:
        return
    if bench.work.order is None:
        bench.work = None
    else:
        _break(scope, name, bench.work, at_us)


def _break(scope: Scope, name: BenchId, work: BenchWork, at_us: MonoUs) -> None:
    if work.order is not None:
        _interrupted(scope, name, work, at_us, kept=False)
    work.broken, work.order, work.scanned, work.pieces = True, None, {}, 0


def restarted(scope: Scope, at_us: MonoUs) -> None:
    """A new run: its scanners were away, and its clock may be a new one."""
    for name, bench in scope.state.benches.items():
        broken_off(scope, name, at_us)
        if bench.leaving is not None:
            bench.leaving.limit_us = MonoUs(at_us + GATE_WAIT_MS * US_PER_MS)
            _watch_gate(scope, scope.layout.benches[name].gate, bench.leaving.limit_us)


def command(scope: Scope) -> None:
    """What stands of the benches' wishes, again after a replay. No gate is opened again: the work for which
    it stood open is gone."""
    for name, bench in scope.state.benches.items():
        if bench.leaving is not None:
            _watch_gate(scope, scope.layout.benches[name].gate, bench.leaving.limit_us)
        if bench.work is not None and _asks(bench.work):
            scope.out.append(LookUpSlip(bench=name, slip=bench.work.slip))


def wanted(scope: Scope) -> list[Waybill] | None:
    """Waybills of the orders that are open at benches; None while the order of a slip is asked for."""
    if any(bench.work is not None and _asks(bench.work) for bench in scope.state.benches.values()):
        return None
    return [order.waybill for _, _, order in _open(scope, lambda _: True)]


def _asks(work: BenchWork) -> bool:
    """Its slip's order is not known yet."""
    return work.order is None and not work.broken


def order_changed(scope: Scope, event: OrderChanged) -> None:
    """A row about an order that is open at a bench: what lies there is compared with what it is now."""
    for name, work, order in _open(scope, lambda order: order.waybill == event.waybill):
        if order.contents != event.order.contents or order.status is not event.status:
            work.order, work.resumed = None, True
            scope.out.append(LookUpSlip(bench=name, slip=work.slip))


def cancelled(scope: Scope, order_no: OrderNo) -> None:
    """Its end will not pass it any more, unless it is put anew."""
    for _, work, order in _open(scope, lambda order: order.order_no == order_no):
        work.order = replace(order, status=OrderStatus.CANCELLED)


def reopened(scope: Scope, at_us: MonoUs, inbox_seq: InboxSeq, order_no: OrderNo, by: str) -> None:
    """A person wants it reviewed anew: what passed does not count any more, and its slip opens again."""
    known = scope.state.reopened
    if order_no in known:
        known.remove(order_no)
    known.append(order_no)
    if len(known) > MAX_REOPENED:
        del known[0]
    for name, bench in scope.state.benches.items():
        if bench.leaving is not None and bench.leaving.order_no == order_no and bench.leaving.passed:
            bench.leaving.passed = False
            scope.out.append(SetGate(gate=scope.layout.benches[name].gate, open=False))
    scope.record(ReviewReopened(at_us=at_us, inbox_seq=inbox_seq, order_no=order_no, by=by))


def _open(scope: Scope, wanted: Callable[[BenchOrder], bool]) -> list[tuple[BenchId, BenchWork, BenchOrder]]:
    return [
        (name, bench.work, bench.work.order)
        for name, bench in scope.state.benches.items()
        if bench.work is not None and bench.work.order is not None and wanted(bench.work.order)
    ]


def _order_of(work: BenchWork) -> OrderNo:
    return OrderNo("") if work.order is None else work.order.order_no


def _interrupted(scope: Scope, name: BenchId, work: BenchWork, at_us: MonoUs, *, kept: bool) -> None:
    scope.record(
        ReviewInterrupted(at_us=at_us, bench=name, slip=work.slip, order_no=_order_of(work), kept=kept)
    )


def _refuse(scope: Scope, name: BenchId, work: BenchWork, at_us: MonoUs, why: ReviewRefusal) -> None:
    scope.record(ReviewRefused(at_us=at_us, bench=name, slip=work.slip, order_no=_order_of(work), why=why))
