"""The decision core of one line: an event in, commands out; no clock, no I/O, no randomness.

Invariants: an input and everything that it causes are one call; a parcel is decided at most once; every
track ends exactly once; the state holds open tracks, exits and a plan, nothing that grows with the day;
the same events give the same commands on every machine.
"""

from typing import assert_never

from edge.core import (
    chutes,
    coding,
    devices,
    diverting,
    identify,
    intercept,
    operating,
    outstanding,
    packml,
    plc_link,
    review,
    tracking,
    wall_clock,
    weighing,
    zeroing,
)
from edge.core.layout import Layout
from edge.core.scope import Scope
from edge.core.state import CoreState, Track
from edge.model.bench_events import BenchScanned, SlipFound, SlipMissing
from edge.model.commands import LineCommand
from edge.model.events import (
    ClockRead,
    CodeKeyed,
    CodesRead,
    CommandAnswered,
    DeviceWentDown,
    DeviceWentUp,
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    Event,
    EyePassed,
    GatePassed,
    HoldCleared,
    HoldRaised,
    JamDetected,
    LineStarted,
    LookUpFailed,
    OperatorCommanded,
    OrderCancelled,
    OrderChanged,
    OrderFound,
    OrderMissing,
    ParcelLost,
    ParcelUnexpected,
    PlanActivated,
    PlcAttached,
    PlcDetached,
    PlcRefused,
    RingOverflowed,
    SamplesCaptured,
    StatusBitsChanged,
    WakePurpose,
    WarningCleared,
    WarningRaised,
    WaybillPlaceFound,
    Woke,
    ZeroCaptured,
)
from edge.model.ids import GateNo, InboxSeq, TrackId, Waybill
from edge.model.topology import Topology
from edge.model.units import MonoUs


class LineCore:
    """One owner: the line loop. ``state`` may be snapshotted between two calls; given to a new core of
    the same topology it goes on exactly as this one would."""

    def __init__(self, topology: Topology, state: CoreState | None = None) -> None:
        self._scope = Scope(Layout(topology), state or CoreState())

    @property
    def state(self) -> CoreState:
        return self._scope.state

    def handle(self, event: Event) -> tuple[LineCommand, ...]:
        """Everything that ``event`` causes, in order. Raises ``AssertionError`` (``FlowBroken``,
        ``RingBroken``) only where this process broke its own rules."""
        self._scope.out = []
        self._dispatch(event)
        return tuple(self._scope.out)

    def outstanding(self) -> tuple[LineCommand, ...]:
        """Commands without an answer, from the state alone; to be given again after a replay."""
        self._scope.out = []
        outstanding.collect(self._scope)
        return tuple(self._scope.out)

    def wanted(self) -> frozenset[Waybill] | None:
        """Waybills whose orders it wants to hear of: an open track has one, or may turn out to, or its order
        is open at a bench. None: of any, for a bench waits to learn its slip's order."""
        at_benches = review.wanted(self._scope)
        if at_benches is None:
            return None
        tracks = self.state.tracks.values()
        may_be = (waybill for track in tracks for waybill in track.unsettled)
        return frozenset((*at_benches, *may_be, *(track.waybill for track in tracks)))

    def _dispatch(self, event: Event) -> None:
        scope = self._scope
        match event:
            case EyePassed():
                plc_link.entry(scope, event)
                tracking.passed(scope, event)
                if event.eye in scope.layout.scale_eyes:
                    zeroing.passed(scope, event)
            case Woke():
                self._woke(event)
            case CodesRead():
                for track in identify.join(scope, event):
                    diverting.spoiled(scope, track, event.at_us)
            case OrderFound() | OrderMissing() | LookUpFailed():
                self._looked_up(event)
            case SamplesCaptured():
                self._captured(event)
            case ZeroCaptured():
                zeroing.captured(scope, event)
                packml.review(scope, event.at_us)
            case CommandAnswered():
                if event.track in scope.state.tracks:
                    diverting.answered(scope, scope.state.tracks[event.track], event)
            case DivertFired():
                plc_link.entry(scope, event)
                tracking.fired(scope, event)
            case DivertConfirmed():
                plc_link.entry(scope, event)
                tracking.confirmed(scope, event)
            case DivertAborted():
                plc_link.entry(scope, event)
                tracking.aborted(scope, event)
            case ParcelLost():
                plc_link.entry(scope, event)
                tracking.lost(scope, event)
            case ParcelUnexpected():
                plc_link.entry(scope, event)
                tracking.unexpected(scope, event)
                if event.eye in scope.layout.scale_eyes:
                    zeroing.passed(scope, event)
            case JamDetected():
                plc_link.entry(scope, event)
            case BenchScanned() | SlipFound() | SlipMissing() | GatePassed():
                self._at_a_bench(event)
            case (
                OrderCancelled()
                | WaybillPlaceFound()
                | OrderChanged()
                | PlanActivated()
                | OperatorCommanded()
                | CodeKeyed()
            ):
                self._from_inbox(event)
            case _:
                self._from_the_line(event)
                zeroing.step(scope, event.at_us)
                packml.review(scope, event.at_us)

    def _at_a_bench(self, event: BenchScanned | SlipFound | SlipMissing | GatePassed) -> None:
        scope = self._scope
        match event:
            case BenchScanned():
                review.scanned(scope, event)
            case SlipFound():
                review.found(scope, event)
            case SlipMissing():
                review.missing(scope, event)
            case GatePassed():
                plc_link.entry(scope, event)
                review.left(scope, event)
            case _:
                assert_never(event)

    def _from_the_line(
        self,
        event: PlcAttached
        | PlcDetached
        | PlcRefused
        | RingOverflowed
        | StatusBitsChanged
        | DeviceWentUp
        | DeviceWentDown
        | HoldRaised
        | HoldCleared
        | WarningRaised
        | WarningCleared
        | ClockRead
        | LineStarted,
    ) -> None:
        """Inputs that may change whether the line may run."""
        scope = self._scope
        match event:
            case PlcAttached():
                plc_link.attached(scope, event)
            case PlcDetached():
                plc_link.detached(scope, event)
            case PlcRefused():
                plc_link.refused(scope, event)
            case RingOverflowed():
                plc_link.overflowed(scope, event)
            case StatusBitsChanged():
                plc_link.bits_changed(scope, event)
            case DeviceWentUp():
                devices.went_up(scope, event)
            case DeviceWentDown():
                devices.went_down(scope, event)
            case HoldRaised():
                operating.hold(scope, event.at_us, event.cause, on=True)
            case HoldCleared():
                operating.hold(scope, event.at_us, event.cause, on=False)
            case WarningRaised():
                operating.warn(scope, event.at_us, event.cause, on=True)
            case WarningCleared():
                operating.warn(scope, event.at_us, event.cause, on=False)
            case ClockRead():
                wall_clock.read(scope, event)
            case LineStarted():
                self._started(event)
            case _:
                assert_never(event)

    def _from_inbox(
        self,
        event: OrderCancelled
        | WaybillPlaceFound
        | OrderChanged
        | PlanActivated
        | OperatorCommanded
        | CodeKeyed,
    ) -> None:
        scope = self._scope
        match event:
            case OrderCancelled():
                review.cancelled(scope, event.request.order_no)
                self._reconsider(intercept.cancelled(scope, event), event.at_us)
            case WaybillPlaceFound():
                intercept.place_found(scope, event)
            case OrderChanged():
                review.order_changed(scope, event)
                for track in scope.open_for(event.waybill):
                    if identify.order_changed(track, event):
                        diverting.order_changed(scope, track, event.at_us)
            case PlanActivated():
                operating.plan_activated(scope, event)
                self._reconsider(tuple(self.state.tracks.values()), event.at_us)
            case CodeKeyed():
                coded = coding.keyed(scope, event)
                self._reconsider(() if coded is None else (coded,), event.at_us)
            case OperatorCommanded():
                operating.commanded(scope, event)
                packml.review(scope, event.at_us)
            case _:
                assert_never(event)

    def _reconsider(self, tracks: tuple[Track, ...], at_us: MonoUs) -> None:
        for track in tracks:
            diverting.reconsider(self._scope, track, at_us)

    def _looked_up(self, event: OrderFound | OrderMissing | LookUpFailed) -> None:
        track = self.state.tracks.get(event.track)
        if track is None:
            return
        match event:
            case OrderFound():
                identify.order_found(self._scope, track, event)
            case OrderMissing():
                identify.order_missing(self._scope, track, event)
            case LookUpFailed():
                identify.look_up_failed(track, event)
        diverting.reconsider(self._scope, track, event.at_us)

    def _captured(self, event: SamplesCaptured) -> None:
        track = self.state.tracks.get(event.track)
        if track is not None:
            weighing.captured(self._scope, track, event)
            diverting.reconsider(self._scope, track, event.at_us)

    def _woke(self, event: Woke) -> None:
        scope = self._scope
        if event.purpose is WakePurpose.CANCEL_LIMIT:
            intercept.limit_reached(scope, InboxSeq(event.ref), event.at_us)
            return
        if event.purpose is WakePurpose.GATE:
            review.limit_reached(scope, GateNo(event.ref), event.at_us)
            return
        if event.purpose in (WakePurpose.ZERO_DUE, WakePurpose.ZERO_WINDOW):
            if event.purpose is WakePurpose.ZERO_DUE:
                zeroing.woke(scope, event.at_us)
            else:
                zeroing.window_over(scope, event.at_us, event.ticks)
            packml.review(scope, event.at_us)
            return
        track = self.state.tracks.get(TrackId(event.ref))
        if track is None:
            return
        match event.purpose:
            case WakePurpose.DECIDE:
                scope.belt_seen(event.ticks, event.at_us)
                diverting.reached(scope, track, event.at_us, event.ticks)
            case WakePurpose.DEADLINE:
                scope.belt_seen(event.ticks, event.at_us)
                diverting.deadline_reached(scope, track, event.at_us, event.ticks)
            case WakePurpose.READ_WINDOW:
                identify.window_over(scope, track, event.at_us, event.ticks)
                diverting.reconsider(scope, track, event.at_us)
            case WakePurpose.WEIGH_WINDOW:
                weighing.window_over(scope, track, event.at_us)
                diverting.reconsider(scope, track, event.at_us)
            case WakePurpose.ZONE_HOLD:
                weighing.hold_over(scope, track, event.at_us)
                diverting.reconsider(scope, track, event.at_us)
            case WakePurpose.CONFIRM:
                tracking.confirm_over(scope, track, event.at_us)
            case WakePurpose.MISSING:
                tracking.end_passed(scope, track, event.at_us, event.ticks)
            case _:
                assert_never(event.purpose)

    def _started(self, event: LineStarted) -> None:
        """A new run of the process, on a fresh or a recovered state."""
        scope = self._scope
        plc_link.restarted(scope, event.at_us)
        devices.restarted(scope)
        wall_clock.restarted(scope)
        for cause in tuple(self.state.holds):
            operating.hold(scope, event.at_us, cause, on=False)
        zeroing.started(scope, event.at_us)
        for track in tuple(self.state.tracks.values()):
            weighing.restarted(scope, track, event.at_us)
            diverting.reconsider(scope, track, event.at_us)
        intercept.restarted(scope, event.at_us)
        review.restarted(scope, event.at_us)
        if event.replay_differs:
            plc_link.replay_differs(scope, event.at_us)
        chutes.started(scope, event.chutes_disabled)
