"""The line faults of a plan that are not the world's: PLC, bus, wall clock, line process, operators, scale.

Each strikes when its parcel is placed (``simulators.fault_plan``); the same code serves virtual and real
time.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from edge.model.line import OperatorAction
from simulators.devices.plc.faults import BusFaults, Silence
from simulators.fault_plan import FaultPlan
from simulators.faults import OF_THE_SCALE, LineFault, LineFaultKind
from simulators.plant import Plant
from simulators.world.parcel import Body
from simulators.world.truth import FaultInjected, PlcAway

US_PER_MS = 1_000


class LineSide(Protocol):
    """Whoever runs the line process, and can reach into what it stands on."""

    def can(self, kind: LineFaultKind) -> bool:
        """Whether this can be done here; what cannot is left out of the run."""
        ...

    def clock_step(self, seconds: int) -> None: ...

    def crash_line(self, down_ms: int) -> None: ...

    def operate(self, action: OperatorAction, subject: str) -> None:
        """An operator's command."""
        ...

    def trouble(self, kind: LineFaultKind, duration_ms: int) -> None:
        """The line's upstream or its disk, for so long."""
        ...


class LineFaults:
    """Strikes the faults that ``side``, the PLC or its bus have to bear."""

    def __init__(
        self,
        plan: FaultPlan,
        plant: Plant,
        bus: BusFaults,
        side: LineSide,
    ) -> None:
        self._plan = plan
        self._plant = plant
        self._bus = bus
        self._side = side
        self.on_scale: list[Callable[[LineFault, int], object]] = []
        """What happens to the scale, and when: whoever has it."""
        plant.world.on_place.append(self._placed)

    def _placed(self, body: Body) -> None:
        world = self._plant.world
        for fault in self._plan.at(body.item.spec.index):
            strike = self._strike_of(fault)
            if strike is not None and (fault.kind in OF_THE_SCALE or self._side.can(fault.kind)):
                world.at(world.now_us + fault.after_ms * US_PER_MS, strike)

    def _strike_of(self, fault: LineFault) -> Callable[[int], None] | None:
        match fault.kind:
            case LineFaultKind.PLC_SILENT:
                return partial(self._silent, fault)
            case LineFaultKind.PLC_RESTART:
                return partial(self._power_off, fault)
            case LineFaultKind.CLOCK_STEP:
                return partial(self._step, fault)
            case LineFaultKind.LINE_CRASH:
                return partial(self._crash, fault)
            case LineFaultKind.CHUTE_DISABLED:
                return partial(self._disable, fault)
            case LineFaultKind.PURGE:
                return partial(self._purge, fault)
            case (
                LineFaultKind.UPSTREAM_SILENT
                | LineFaultKind.UPSTREAM_FAILS
                | LineFaultKind.DISK_SLOW
                | LineFaultKind.DISK_LOW
            ):
                return partial(self._trouble, fault)
            case kind if kind in OF_THE_SCALE:
                return partial(self._upset_scale, fault)
            case _:
                return None

    def _note(self, fault: LineFault, now_us: int, subject: int) -> None:
        self._plant.world.truth(FaultInjected(now_us, fault.kind.value, str(subject)))

    def _silent(self, fault: LineFault, now_us: int) -> None:
        """It goes on working and answers nobody."""
        self._note(fault, now_us, fault.duration_ms)
        until_us = now_us + fault.duration_ms * US_PER_MS
        self._plant.world.truth(PlcAway(now_us, until_us, fault.kind.value))
        self._bus.silence = Silence.DEAF
        self._plant.world.at(until_us, self._speak)

    def _speak(self, _now_us: int) -> None:
        self._bus.silence = Silence.NONE

    def _power_off(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.duration_ms)
        until_us = now_us + fault.duration_ms * US_PER_MS
        self._plant.world.truth(PlcAway(now_us, until_us, fault.kind.value))
        self._bus.refuse = True
        self._bus.silence = Silence.DEAF
        self._plant.power(False)
        self._plant.world.at(until_us, self._power_on)

    def _power_on(self, _now_us: int) -> None:
        self._bus.refuse = False
        self._bus.silence = Silence.NONE
        self._plant.power(True)

    def _step(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.arg)
        self._side.clock_step(fault.arg)

    def _upset_scale(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.arg or fault.duration_ms)
        for upset in self.on_scale:
            upset(fault, now_us)

    def _crash(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.duration_ms)
        self._side.crash_line(fault.duration_ms)

    def _disable(self, fault: LineFault, now_us: int) -> None:
        chute = self._plant.world.topology.chutes[fault.arg].id
        self._plant.world.truth(FaultInjected(now_us, fault.kind.value, chute))
        self._side.operate(OperatorAction.DISABLE_CHUTE, chute)
        until_us = now_us + fault.duration_ms * US_PER_MS
        self._plant.world.at(until_us, partial(self._enable, chute))

    def _enable(self, chute: str, _now_us: int) -> None:
        self._side.operate(OperatorAction.ENABLE_CHUTE, chute)

    def _purge(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, 0)
        self._side.operate(OperatorAction.PURGE, "")

    def _trouble(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.duration_ms)
        self._side.trouble(fault.kind, fault.duration_ms)
