"""A belt for the decision core alone: bodies pass eyes, readers read, the PLC answers, wakes come due.

Written from the PLC contract and the event types; positions move in ticks, every event is posted at the
tick at which the line would have it. Nothing here decides anything.
"""

from functools import partial

from edge.core.state import ZeroState
from edge.model.alarm import AlarmKind
from edge.model.codes import Code
from edge.model.commands import (
    CaptureWeight,
    CaptureZero,
    LineCommand,
    LookUp,
    LookUpPlace,
    Revoke,
    SendDivert,
)
from edge.model.divert import AbortCause, CommandStatus, ConfirmReason
from edge.model.events import (
    CodesRead,
    CommandAnswered,
    DeviceWentUp,
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    EyePassed,
    LineStarted,
    LookUpFailed,
    OperatorCommanded,
    OrderCancelled,
    OrderFound,
    OrderMissing,
    ParcelLost,
    ParcelUnexpected,
    PlanActivated,
    PlcAttached,
    SamplesCaptured,
    StatusBitsChanged,
    WaybillPlaceFound,
    ZeroCaptured,
)
from edge.model.ids import (
    BootEpoch,
    CommandSeq,
    ExitNo,
    EyeNo,
    InboxSeq,
    MessageId,
    OrderNo,
    PlanId,
    PlcNumber,
    RingSeq,
    TrackId,
    Waybill,
)
from edge.model.line import LineState, OperatorAction
from edge.model.order import CancelRequest
from edge.model.records import LineStateChanged
from edge.model.register_map import PlcBits, StateBit
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.topology import EyeRole, Reader, ReaderSpeaks, Topology
from edge.model.units import Grams, Mm, MonoUs, Ticks
from edge.model.weight import SampleState, WeightSample
from tests.core.core_belt import CoreBelt
from tests.core.core_line import DEMO, EPOCH, FRAMES, READY, Body, bits, order, plan, waybill

NEVER = MonoUs(2**60)


class CoreBench(CoreBelt):
    """A belt with a PLC, readers, a scale and people. ``parcel(...)`` puts a body on it."""

    def __init__(
        self, line: Topology = DEMO, *, started: bool = True, planned: bool = True, zeroed: bool = True
    ) -> None:
        """``zeroed``: the scale's zero is right for the whole test, and nobody looks at it."""
        super().__init__(line)
        self.zeroed = zeroed
        if started:
            self.start(planned)

    def _answer(self, command: LineCommand) -> None:
        match command:
            case LookUp():
                self.at(self.now + self.ticks(20), partial(self.look_up, command))
            case CaptureWeight():
                self.at(command.to_ticks, partial(self.captured, command))
            case CaptureZero():
                self.at(command.to_ticks, partial(self.saw_empty, command))
            case SendDivert() | Revoke():
                self.at(self.now + self.ticks(self.plc_delay_mm), partial(self.plc_answers, command))
            case LookUpPlace():
                self.at(self.now + self.ticks(20), partial(self.place, command))
            case _:
                pass

    def look_up(self, command: LookUp) -> None:
        found = self.orders.get(command.waybill)
        seq = InboxSeq(self.inbox)
        if found is None:
            self.post(
                OrderMissing(
                    at_us=self.at_us,
                    track=command.track,
                    waybill=command.waybill,
                    inbox_seq=seq,
                    laps=self.laps.get(command.waybill, 0),
                )
            )
        else:
            self.post(
                OrderFound(
                    at_us=self.at_us,
                    track=command.track,
                    waybill=command.waybill,
                    inbox_seq=seq,
                    order=found,
                    reviewed=command.waybill not in self.unreviewed,
                    shipped_before=self.shipped.get(command.waybill),
                    laps=self.laps.get(command.waybill, 0),
                )
            )

    def place(self, command: LookUpPlace) -> None:
        known = any(order.order_no == command.order_no for order in self.orders.values())
        before = next((self.shipped[w] for w in command.waybills if w in self.shipped), None)
        self.post(
            WaybillPlaceFound(
                at_us=self.at_us, inbox_seq=command.inbox_seq, known=known, shipped_before=before
            )
        )

    def captured(self, command: CaptureWeight) -> None:
        """Everything on the scale is weighed; the frames show the heaviest moment's sum."""
        scale = self.line.scale
        assert scale is not None
        infeed = self.ticks(self.line.eyes[scale.infeed_eye - 1].position_mm)
        outfeed = self.ticks(self.line.eyes[scale.outfeed_eye - 1].position_mm)
        grams = 0
        for body in self.bodies.values():
            leaves = body.at + outfeed + self.ticks(body.length_mm)
            if body.at + infeed <= command.to_ticks and command.from_ticks <= leaves and not body.gone:
                grams += body.grams
        samples = tuple(
            WeightSample(
                at_us=MonoUs(self.at_us - (FRAMES - n) * 20_000),
                grams=Grams(grams + (n % 3 - 1) * 5),
                state=SampleState.MOTION,
            )
            for n in range(FRAMES)
        )
        self.post(
            SamplesCaptured(
                at_us=self.at_us, track=command.track, scale=command.scale, whole=True, samples=samples
            )
        )

    def saw_empty(self, command: CaptureZero) -> None:
        """The scale as it is without a load."""
        samples = tuple(
            WeightSample(
                at_us=MonoUs(self.at_us - (FRAMES - n) * 20_000),
                grams=Grams(self.empty_g),
                state=self.empty_state,
            )
            for n in range(FRAMES)
        )
        self.post(ZeroCaptured(at_us=self.at_us, scale=command.scale, whole=True, samples=samples))

    # -- the PLC

    def plc_answers(self, command: SendDivert | Revoke) -> None:
        body = self.bodies[command.number]
        if isinstance(command, Revoke):
            status = self.revoke_answers.get(body.number) or self._revoke(body)
        else:
            status = self.answers.get(body.number, CommandStatus.APPLIED)
            body.outcome = status
            if status is CommandStatus.APPLIED:
                body.commanded = command.exit
        self.seq += 1
        self.post(
            CommandAnswered(
                at_us=self.at_us,
                track=command.track,
                epoch=command.epoch,
                number=command.number,
                exit=command.exit if isinstance(command, SendDivert) else command.end,
                revoke=isinstance(command, Revoke),
                seq=CommandSeq(self.seq),
                status=status,
                waited_us=4_000,
            )
        )

    def _revoke(self, body: Body) -> CommandStatus:
        if body.fired:
            return CommandStatus.DONE
        if body.commanded:
            commit = self.line.exits[body.commanded - 1].commit_mm
            if self.now > body.at + self.ticks(commit):
                return CommandStatus.PASSED
            body.commanded = 0
            return CommandStatus.APPLIED
        return CommandStatus.DROPPED

    def entry(self) -> RingSeq:
        self.ring += 1
        return RingSeq(self.ring)

    def _plc_ms(self) -> int:
        return self.at_us // 1_000

    def start(self, planned: bool = True) -> None:
        """Line started, devices up, PLC attached, belt purged; a plan in force."""
        self.post(LineStarted(at_us=self.at_us, build="b", config_hash="c", chutes_disabled=()))
        if self.zeroed:
            self.core.state.zero = ZeroState(
                good=True, heard=True, due_us=NEVER, gap_us=NEVER, limit_us=NEVER
            )
            self._wakes.clear()
        elif self.line.scale is not None:
            self.post(DeviceWentUp(at_us=self.at_us, device=self.line.scale.device))
        for reader in self.line.readers:
            self.post(DeviceWentUp(at_us=self.at_us, device=reader.device))
        self.attach(bits(READY | StateBit.PURGING))
        self.status(bits())
        if planned:
            self.inbox += 1
            self.post(PlanActivated(at_us=self.at_us, inbox_seq=InboxSeq(self.inbox), plan=plan(self.line)))

    def attach(self, now: PlcBits, epoch: BootEpoch = EPOCH) -> None:
        self.post(
            PlcAttached(
                at_us=self.at_us,
                epoch=epoch,
                last_seq=CommandSeq(self.seq),
                ring_next=RingSeq(self.ring + 1),
                ticks=Ticks(self.now),
                bits=now,
            )
        )

    def status(self, now: PlcBits) -> None:
        epoch = self.core.state.plc.epoch
        self.post(StatusBitsChanged(at_us=self.at_us, epoch=epoch, ticks=Ticks(self.now), bits=now))

    # -- bodies

    def put(self, body: Body) -> Body:
        """Put it on the belt; its way is worked out as it goes."""
        self.bodies[body.number] = body
        for eye in self.line.eyes:
            if eye.role is not EyeRole.END and eye.position_mm >= body.appears_mm:
                shift = self.ticks(body.shifts.get(eye.no, 0))
                lead = body.at + self.ticks(eye.position_mm) + shift
                self.at(lead + self.ticks(body.length_mm), partial(self._eye, body, eye.no, lead))
        for reader in self.line.readers:
            seen_mm = reader.position_mm + body.length_mm // 2
            if reader.speaks is ReaderSpeaks.AT_TRIGGER_END:
                seen_mm = reader.position_mm + reader.field_mm // 2 + body.length_mm
            seen = body.at + self.ticks(seen_mm)
            self.at(seen, partial(self.read, body, seen, reader=reader))
        for exit in self.line.exits:
            at = body.at + self.ticks(exit.position_mm - 200)
            self.at(at, partial(self._fire, body, exit.no))
        self.at(
            body.at + self.ticks(self.line.end_mm), partial(self._confirm, body, len(self.line.exits) + 1)
        )
        return body

    def parcel(self, n: int, at_mm: int = 0, **changes: object) -> Body:
        """A good parcel with the waybill of ``n`` and an order for chute ``n mod 8``."""
        name = waybill(n)
        self.orders.setdefault(name, order(name, routing=str(n % 8 or 8)))
        fields: dict[str, object] = {"number": n, "at": self.now + self.ticks(at_mm), "codes": (name,)}
        return self.put(Body(**{**fields, **changes}))  # type: ignore[arg-type]

    def _eye(self, body: Body, eye: int, lead: int) -> None:
        if body.gone:
            return
        position = self.line.eyes[eye - 1].position_mm
        if position >= body.taken_mm:
            body.gone = True
            self.post(
                ParcelLost(
                    at_us=self.at_us,
                    epoch=EPOCH,
                    ring_seq=self.entry(),
                    number=PlcNumber(body.number),
                    eye=EyeNo(eye),
                    ticks=Ticks(self.now),
                    plc_ms=self._plc_ms(),
                )
            )
            return
        first = body.appears_mm >= 0 and not any(
            body.appears_mm <= other.position_mm < position for other in self.line.eyes
        )
        kind = ParcelUnexpected if first else EyePassed
        self.post(
            kind(
                at_us=self.at_us,
                epoch=EPOCH,
                ring_seq=self.entry(),
                number=PlcNumber(body.number),
                eye=EyeNo(eye),
                ticks=Ticks(lead),
                plc_ms=self._plc_ms(),
                length_mm=Mm(body.length_mm),
            )
        )

    def read(self, body: Body, ticks: int, spread: int = 20, reader: Reader | None = None) -> None:
        """An answer of ``reader``, the first one if none is named, while the belt was near ``ticks``."""
        reader = reader or self.line.readers[0]
        if body.gone or body.appears_mm > reader.position_mm or reader.position_mm >= body.taken_mm:
            return
        texts = body.shown.get(reader.id, body.codes)
        codes = tuple(Code(text=text, symbology=body.symbology) for text in texts)
        self.post(
            CodesRead(
                at_us=self.at_us,
                reader=reader.id,
                ticks_from=Ticks(ticks - spread),
                ticks_to=Ticks(ticks + spread),
                codes=codes,
            )
        )

    def _fire(self, body: Body, exit: int) -> None:
        if body.gone or body.commanded != exit:
            return
        body.fired = True
        self.post(
            DivertFired(
                at_us=self.at_us,
                epoch=EPOCH,
                ring_seq=self.entry(),
                number=PlcNumber(body.number),
                exit=ExitNo(exit),
                ticks=Ticks(self.now),
                plc_ms=self._plc_ms(),
            )
        )
        where = self.line.exits[exit - 1]
        middle = (where.confirm_from_mm + where.confirm_to_mm) // 2
        self.at(body.at + self.ticks(middle), partial(self._confirm, body, exit))

    def abort(self, body: Body, cause: AbortCause) -> None:
        exit, body.commanded = body.commanded, 0
        self.post(
            DivertAborted(
                at_us=self.at_us,
                epoch=EPOCH,
                ring_seq=self.entry(),
                number=PlcNumber(body.number),
                exit=ExitNo(exit),
                cause=cause,
                ticks=Ticks(self.now),
                plc_ms=self._plc_ms(),
            )
        )

    def _confirm(self, body: Body, exit: int) -> None:
        if not body.gone and not body.unseen:
            end = len(self.line.exits) + 1
            straight = ConfirmReason.ABORTED if body.outcome else ConfirmReason.STRAIGHT
            self.confirm(body, exit, straight if exit == end else ConfirmReason.COMMANDED)

    def confirm(self, body: Body, exit: int, reason: ConfirmReason) -> None:
        body.gone = True
        self.post(
            DivertConfirmed(
                at_us=self.at_us,
                epoch=EPOCH,
                ring_seq=self.entry(),
                number=PlcNumber(body.number),
                exit=ExitNo(exit),
                reason=reason,
                ticks=Ticks(self.now),
                plc_ms=self._plc_ms(),
            )
        )

    # -- people

    def cancel(self, n: int, order_no: str = "") -> InboxSeq:
        self.inbox += 1
        seq = InboxSeq(self.inbox)
        self.post(
            OrderCancelled(
                at_us=self.at_us,
                inbox_seq=seq,
                request=CancelRequest(
                    order_no=OrderNo(order_no or "O-" + waybill(n)),
                    message_id=MessageId(f"m{seq}"),
                    waybills=(Waybill(waybill(n)),),
                ),
            )
        )
        return seq


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


def fail(bench: CoreBench, text: str) -> None:
    event = LookUpFailed(at_us=bench.at_us, track=TrackId(1), waybill=Waybill(text), why="locked")
    bench.post(event)


def states(bench: CoreBench) -> list[LineState]:
    return [row.state for row in bench.records(LineStateChanged)]


def alarms(bench: CoreBench) -> set[AlarmKind]:
    return {alarm.kind for alarm in bench.core.state.alarms.values()}
