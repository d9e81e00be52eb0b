"""Three review benches for the decision core alone, played by short words and answered in short words.

``1: PS1 A *3 BK-END``: bench 1 scans these. ``1 packing``, ``1 repick``: its gate's eyes. ``1 away``,
``1 back``: its scanner. ``cancel O1``, ``put O1`` (other lines), ``reopen O1``, ``restart``, ``wait 20``
seconds, ``plc away``, ``plc back``, ``plc new`` (an epoch), ``ring lost``. Slips are answered at once;
after ``hold`` not until ``answer``.
"""

from collections import Counter
from dataclasses import replace

from edge.core.line import LineCore
from edge.model.bench_events import BenchScanned, SlipFound, SlipMissing
from edge.model.commands import LineCommand, LookUpSlip, Record, SetGate, WakeAt
from edge.model.events import (
    DeviceWentDown,
    DeviceWentUp,
    Event,
    GatePassed,
    LineStarted,
    OperatorCommanded,
    OrderCancelled,
    OrderChanged,
    PlcAttached,
    PlcDetached,
    RingOverflowed,
    WakePurpose,
    Woke,
)
from edge.model.ids import (
    BenchId,
    BootEpoch,
    CommandSeq,
    DeviceId,
    GateNo,
    InboxSeq,
    MessageId,
    OrderNo,
    RingSeq,
    Sku,
    Waybill,
)
from edge.model.line import OperatorAction
from edge.model.order import BenchGoods, BenchOrder, CancelRequest, OrderLine, OrderStatus
from edge.model.records import (
    AlarmCleared,
    AlarmRaised,
    RecordBody,
    Reviewed,
    ReviewInterrupted,
    ReviewOpened,
    ReviewRefused,
    ReviewReopened,
    WorkLeft,
)
from edge.model.review import Difference, GateLane, ReviewRefusal
from edge.model.units import MonoUs, Ticks
from tests.core.core_line import DEMO, bits, order

GOODS: dict[str, tuple[str, ...]] = {"A": ("690A", "691A"), "B": ("690B",), "C": ("690C",)}


def bench_order(number: str, pieces: dict[str, int], *bundles: BenchGoods, **changes: object) -> BenchOrder:
    """An order of these goods; ``contents`` says which."""
    goods = [BenchGoods(sku=Sku(sku), qty=qty, barcodes=GOODS[sku]) for sku, qty in pieces.items()]
    fields: dict[str, object] = {
        "order_no": OrderNo(number),
        "version": 1,
        "status": OrderStatus.RELEASED,
        "waybill": Waybill("W" + number[1:]),
        "contents": " ".join(f"{sku}{qty}" for sku, qty in sorted(pieces.items())),
        "goods": (*goods, *bundles),
    }
    return BenchOrder(**{**fields, **changes})  # type: ignore[arg-type]


def bundle(code: str, **parts: int) -> BenchGoods:
    lines = tuple(OrderLine(sku=Sku(sku), qty=qty) for sku, qty in parts.items())
    return BenchGoods(sku=Sku("BUNDLE"), qty=0, barcodes=(code,), parts=lines)


class Benches:
    """A core with its record's read model as far as reviews go."""

    def __init__(self, **orders: BenchOrder) -> None:
        """By slip: ``PS1=…``."""
        self.core = LineCore(DEMO)
        self.orders = orders
        self.released: dict[str, str] = {}
        self.shipped: set[str] = set()
        self.events: list[Event] = []
        self.records: list[RecordBody] = []
        self.said: list[str] = []
        self.asked: list[LookUpSlip] = []
        self.held = False
        self._passed: dict[str, str] = {}
        self._wakes: dict[int, WakeAt] = {}
        self._us = 1_000_000
        self._ring, self._epoch, self._inbox = 0, 1, 0
        self._post(LineStarted(at_us=self._at(), build="b", config_hash="c", chutes_disabled=()))
        self._attach()
        self.said.clear()

    def play(self, stimulus: str) -> list[str]:
        """What came of it."""
        self.said = []
        head, *rest = stimulus.split()
        if head.endswith(":"):
            name = BenchId(f"bench{head[:-1]}")
            self._post(BenchScanned(at_us=self._at(), bench=name, texts=tuple(rest)))
        elif head.isdigit():
            self._bench(int(head), rest[0])
        else:
            self._other(head, rest[0] if rest else "")
        return self.said

    def _bench(self, gate: int, what: str) -> None:
        device = DeviceId(f"bench{gate}")
        match what:
            case "away":
                self._post(DeviceWentDown(at_us=self._at(), device=device, why="unplugged"))
            case "back":
                self._post(DeviceWentUp(at_us=self._at(), device=device))
            case _:
                self._ring += 1
                self._post(
                    GatePassed(
                        at_us=self._at(),
                        epoch=BootEpoch(self._epoch),
                        ring_seq=RingSeq(self._ring),
                        gate=GateNo(gate),
                        lane=GateLane[what.upper()],
                        ticks=Ticks(self._us // 500),
                        plc_ms=self._us // 1000,
                    )
                )

    def _other(self, head: str, subject: str) -> None:
        match head, subject:
            case "cancel", _:
                self._set(subject, status=OrderStatus.CANCELLED)
                self._cancel(subject)
            case "put", _:
                self._put(subject)
            case "reopen", _:
                self._reopen(subject)
            case "restart", _:
                self._post(LineStarted(at_us=self._at(), build="b", config_hash="c", chutes_disabled=()))
            case "hold", _:
                self.held = True
            case "answer", _:
                self.held = False
                self.answer()
            case "wait", _:
                self._us += int(subject) * 1_000_000
                self._wake_due()
            case "plc", "away":
                self._post(PlcDetached(at_us=self._at(), why="silent"))
            case "plc", "new":
                self._epoch, self._ring = self._epoch + 1, 0
                self._attach()
            case "plc", "back":
                self._attach()
            case "ring", "lost":
                self._ring += 10
                seq = RingSeq(self._ring + 1)
                epoch = BootEpoch(self._epoch)
                self._post(RingOverflowed(at_us=self._at(), epoch=epoch, ring_next=seq, ticks=Ticks(9)))
            case _:
                raise AssertionError(f"{head} {subject}")

    def answer(self) -> None:
        """Every slip that was asked for, as the record stands now."""
        asked, self.asked = self.asked, []
        for one in asked:
            self.tell(self.answer_of(one))

    def answer_of(self, asked: LookUpSlip) -> SlipFound | SlipMissing:
        """As the record stands now; to be told later, it grows old."""
        found, seq = self.orders.get(asked.slip), InboxSeq(self._inbox)
        if found is None:
            why = ReviewRefusal.UNKNOWN_SLIP
            return SlipMissing(at_us=self._at(), bench=asked.bench, slip=asked.slip, inbox_seq=seq, why=why)
        return SlipFound(
            at_us=self._at(),
            bench=asked.bench,
            slip=asked.slip,
            inbox_seq=seq,
            order=found,
            released=self.released.get(found.order_no) == found.contents,
            shipped=found.order_no in self.shipped,
        )

    def tell(self, answer: SlipFound | SlipMissing) -> None:
        self._post(answer)

    def open_slips(self) -> list[str]:
        """Orders that are open at a bench now."""
        works = [bench.work for bench in self.core.state.benches.values()]
        return [work.order.order_no for work in works if work is not None and work.order is not None]

    # -- inside

    def _at(self) -> MonoUs:
        self._us += 1_000
        return MonoUs(self._us)

    def _attach(self) -> None:
        self._post(
            PlcAttached(
                at_us=self._at(),
                epoch=BootEpoch(self._epoch),
                last_seq=CommandSeq(0),
                ring_next=RingSeq(self._ring + 1),
                ticks=Ticks(self._us // 500),
                bits=bits(),
            )
        )

    def _set(self, number: str, **changes: object) -> None:
        for slip, one in self.orders.items():
            if one.order_no == number:
                self.orders[slip] = replace(one, **changes)  # type: ignore[arg-type]

    def _cancel(self, number: str) -> None:
        self._inbox += 1
        request = CancelRequest(order_no=OrderNo(number), message_id=MessageId("m"), waybills=())
        seq = InboxSeq(self._inbox)
        self._post(OrderCancelled(at_us=self._at(), inbox_seq=seq, request=request))

    def _put(self, number: str) -> None:
        """A newer version that wants one piece more of the first goods."""
        self._inbox += 1
        old = next(one for one in self.orders.values() if one.order_no == number)
        first = replace(old.goods[0], qty=old.goods[0].qty + 1)
        contents = f"{old.contents}+"
        self._set(number, version=old.version + 1, goods=(first, *old.goods[1:]), contents=contents)
        wanted = self.core.wanted()
        if wanted is None or old.waybill in wanted:
            now = order(old.waybill, order_no=old.order_no, contents=contents)
            self._post(
                OrderChanged(
                    at_us=self._at(),
                    inbox_seq=InboxSeq(self._inbox),
                    waybill=old.waybill,
                    status=OrderStatus.RELEASED,
                    order=now,
                )
            )

    def _reopen(self, number: str) -> None:
        self._inbox += 1
        action = OperatorAction.REOPEN_REVIEW
        seq = InboxSeq(self._inbox)
        self._post(OperatorCommanded(at_us=self._at(), inbox_seq=seq, action=action, subject=number, by="Li"))

    def _wake_due(self) -> None:
        for ref, wake in sorted(self._wakes.items()):
            if wake.at_us <= self._us:
                del self._wakes[ref]
                self._post(Woke(at_us=MonoUs(self._us), purpose=wake.purpose, ref=ref, ticks=Ticks(0)))

    def _post(self, event: Event) -> None:
        self.events.append(event)
        self._take(self.core.handle(event))
        if not self.held and self.asked:
            self.answer()

    def _take(self, commands: tuple[LineCommand, ...]) -> None:
        for command in commands:
            if isinstance(command, Record):
                self.records.append(command.body)
                self._project(command.body)
                word = _word(command.body)
                self.said += [word] if word else []
            elif isinstance(command, LookUpSlip):
                self.asked.append(command)
            elif isinstance(command, SetGate):
                self.said.append(f"gate {command.gate} {'open' if command.open else 'shut'}")
            elif isinstance(command, WakeAt) and command.purpose is WakePurpose.GATE:
                self._wakes[command.ref] = command

    def _project(self, body: RecordBody) -> None:
        if isinstance(body, Reviewed):
            self._passed[body.order_no] = body.contents
        elif isinstance(body, WorkLeft) and body.released:
            self.released[body.order_no] = self._passed[body.order_no]
        elif isinstance(body, ReviewReopened | ReviewOpened):
            self.released.pop(body.order_no, None)


def _listed(some: tuple[Difference, ...]) -> str:
    return ",".join(f"{one.sku or one.code}x{one.qty}" for one in some)


def _word(body: RecordBody) -> str:
    match body:
        case ReviewOpened():
            return f"{'resumed' if body.resumed else 'opened'} {body.bench[5:]} {body.order_no}"
        case ReviewRefused():
            return f"refused {body.bench[5:]} {body.why}"
        case ReviewInterrupted():
            return f"interrupted {body.bench[5:]} {body.order_no}{' kept' if body.kept else ''}"
        case Reviewed(reason="ok"):
            return f"passed {body.bench[5:]} {body.order_no}"
        case Reviewed():
            lacks, extra = _listed(body.missing), _listed(body.extra)
            return f"{body.reason} {body.bench[5:]} {body.order_no} -{lacks} +{extra}"
        case WorkLeft():
            lane = "unseen" if body.lane is None else body.lane.name.lower()
            return (
                f"left {body.bench[5:]} {body.order_no or '?'} {lane}{' released' if body.released else ''}"
            )
        case ReviewReopened():
            return f"reopened {body.order_no}"
        case AlarmRaised() if body.kind.startswith("gate"):
            return f"alarm {body.kind} {body.subject}"
        case AlarmCleared() if body.kind.startswith("gate"):
            return f"clear {body.kind} {body.subject}"
        case _:
            return ""


def lying(texts: list[str], one: BenchOrder) -> Counter[str]:
    """What these scans say lies there, counted in the plainest way; unknown codes under themselves."""
    found: Counter[str] = Counter()
    last: list[tuple[str, int]] = []
    last_code = ""
    for text in texts:
        if text.startswith("*"):
            found.subtract(dict(last))
            last = [(sku, qty * int(text[1:])) for sku, qty in _pieces(last_code, one)] if last else []
        else:
            last_code = text
            last = _pieces(text, one)
        found.update(dict(last))
    return +found


def _pieces(code: str, one: BenchOrder) -> list[tuple[str, int]]:
    for goods in one.goods:
        if code == goods.sku or code in goods.barcodes:
            return [(part.sku, part.qty) for part in goods.parts] or [(goods.sku, 1)]
    return [(code, 1)]


GIFTS = bundle("690X", A=2, B=1)


def hall() -> Benches:
    """PS1: one A, two B. PS2: three C. PS3: two bundles of two A and a B, and a C besides."""
    return Benches(
        PS1=bench_order("O1", {"A": 1, "B": 2}),
        PS2=bench_order("O2", {"C": 3}),
        PS3=bench_order("O3", {"A": 4, "B": 2, "C": 1}, GIFTS),
    )
