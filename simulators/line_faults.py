"""The line faults of a plan that are not the world's: PLC, bus, wall clock, line process.

Each strikes when its parcel is placed (``simulators.faults``); the same code serves virtual and real time.
"""

from collections.abc import Callable
from functools import partial

from simulators.devices.plc.faults import BusFaults, Silence
from simulators.faults import FaultPlan, LineFault, LineFaultKind
from simulators.plant import Plant
from simulators.world.parcel import Body
from simulators.world.truth import FaultInjected, PlcAway

US_PER_MS = 1_000


class LineFaults:
    """``clock_step(seconds)`` and ``crash_line(down_ms)`` belong to whoever runs the line process."""

    def __init__(
        self,
        plan: FaultPlan,
        plant: Plant,
        bus: BusFaults,
        *,
        clock_step: Callable[[int], None],
        crash_line: Callable[[int], None],
    ) -> None:
        self._plan = plan
        self._plant = plant
        self._bus = bus
        self._clock_step = clock_step
        self._crash_line = crash_line
        plant.world.on_place.append(self._placed)

    def _placed(self, body: Body) -> None:
        world = self._plant.world
        for fault in self._plan.at(body.item.spec.index):
            strike = self._strike_of(fault)
            if strike is not None:
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
        self._clock_step(fault.arg)

    def _crash(self, fault: LineFault, now_us: int) -> None:
        self._note(fault, now_us, fault.duration_ms)
        self._crash_line(fault.duration_ms)
