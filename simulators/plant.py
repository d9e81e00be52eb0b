"""The plant: the belt and the PLC that drives it, joined by their wires.

Whoever wants something of the plant at an instant (a register, the load of the scale) first brings it
to that instant; between two calls it sleeps until ``wake_at``. Nothing is polled. In virtual time and
in real time it is the same: a call that comes late is caught up step by step, each at its own time.
"""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import Protocol

from edge.model.register_map import WordOrder
from edge.model.units import UINT32_MAX
from simulators.cables import Actuators, Levels, Sensors
from simulators.loop import VirtualLoop
from simulators.world.belt import World
from simulators.world.truth import PlcStarted, PlcStopped

US_PER_S = 1_000_000

STEPS_AT_ONE_INSTANT = 1_000
"""A PLC and a belt that answer each other this often without time passing never will."""
TICKS_WORD = 5
"""Offset of the belt ticks in the status block (docs/plc-contract.md section 1)."""


class Program(Protocol):
    """The PLC's program (``simulators.devices.plc.program.PlcProgram``). Registers are those of the last
    ``update``; its refusals of the bus pass through the plant untouched."""

    @property
    def epoch(self) -> int:
        """Boot epoch; new after the first ``update`` that follows ``restart``."""
        ...

    def update(self, sensors: Sensors) -> tuple[Actuators, int | None]:
        """The outputs from ``sensors.at_us`` on, and when to call again at the latest (None: only when
        an input changes)."""
        ...

    def tick(self, at_us: int, encoder_ticks: int) -> bool:
        """Only time and the belt have moved since the last ``update``: so do the registers' clocks. False:
        more is due, it takes an ``update``."""
        ...

    def read(self, address: int, count: int) -> tuple[int, ...]: ...

    def write(self, address: int, values: Sequence[int]) -> None: ...

    def restart(self) -> None: ...


class BusListener(Protocol):
    """Sees every block that the PLC takes, and what it makes of it."""

    def written(self, at_us: int, address: int, values: Sequence[int]) -> None: ...

    def ran(self, at_us: int, program: Program) -> None:
        """The program has run at ``at_us``; its registers are those of now. Not called for a ``tick``."""
        ...


class Plant:
    """One world and one PLC program. Not re-entrant: listeners must not call back into it."""

    def __init__(self, world: World, program: Program) -> None:
        self.world = world
        self.program = program
        self.bus_listeners: list[BusListener] = []
        self.woken: Callable[[], None] = _nobody
        """Called after anything that may have changed ``wake_at``."""
        self.powered = False
        self._plc_wake: int | None = None
        self._levels: Levels | None = None
        self._ran_us = -1
        """The instant of the program's last run, and the levels that it saw then."""

    def power(self, on: bool) -> None:
        """Switch the PLC (it is off at first). Without power every output is at rest."""
        if on == self.powered:
            return
        self.powered = on
        world = self.world
        if on:
            self._run(world.levels())
            world.truth(PlcStarted(world.now_us, self.program.epoch, self._shift()))
        else:
            self.program.restart()
            self._plc_wake = None
            world.apply(_at_rest(world.actuators))
            world.truth(PlcStopped(world.now_us))
        self.woken()

    def wake_at(self) -> int | None:
        """The next instant at which the plant does something by itself."""
        world, plc = self.world, self._plc_wake
        due = world.agenda.due
        if due is None:
            return plc
        due = due if due > world.now_us else world.now_us
        return due if plc is None or due < plc else plc

    def advance(self, to_us: int) -> int | None:
        """Bring belt and PLC to an instant, every edge at its own time on the way; ``wake_at`` from
        there. A time in the past is taken as now: the clocks of two processes may differ by a little."""
        world = self.world
        steps, last = 0, -1
        while (wake := self.wake_at()) is not None and wake <= to_us:
            steps = steps + 1 if wake == last else 0
            if steps > STEPS_AT_ONE_INSTANT:
                raise RuntimeError(f"belt and PLC do not settle at {wake} us")
            last = wake
            at_us = wake if wake > world.now_us else world.now_us
            world.go(at_us)
            if self.powered:
                # The PLC runs when an input changed, or when it asked for it.
                levels, plc = world.levels(), self._plc_wake
                if levels != self._levels or (plc is not None and plc <= at_us):
                    self._run(levels)
        if to_us > world.now_us:
            world.go(to_us)
        return wake

    def read(self, now_us: int, address: int, count: int) -> tuple[int, ...]:
        """Registers as the PLC has them at ``now_us``."""
        self._update(now_us)
        values = self.program.read(address, count)
        self.woken()
        return values

    def write(self, now_us: int, address: int, values: Sequence[int]) -> None:
        """Registers are written at ``now_us``, and the program runs on them at once."""
        self.advance(now_us)
        self.program.write(address, values)
        for listener in self.bus_listeners:
            listener.written(self.world.now_us, address, values)
        if self.powered:
            self._run(self.world.levels())
        self.woken()

    def touched(self, now_us: int) -> None:
        """A person or a fault changed the world at ``now_us``: let the PLC see it."""
        self._update(now_us)
        self.woken()

    def _update(self, now_us: int) -> None:
        """The program has seen this instant as it is."""
        self.advance(now_us)
        world = self.world
        if self.powered:
            levels = world.levels()
            at_us = world.now_us
            if levels != self._levels:
                self._run(levels)
            elif self._ran_us != at_us:
                if self.program.tick(at_us, world.ticks_at(at_us)):
                    self._ran_us = at_us
                else:
                    self._run(levels)

    def _run(self, levels: Levels) -> None:
        world, program = self.world, self.program
        self._ran_us = world.now_us
        self._levels = levels
        actuators, self._plc_wake = program.update(world.sensors(levels))
        world.apply(actuators)
        for listener in self.bus_listeners:
            listener.ran(self._ran_us, program)

    def _shift(self) -> int:
        plc = self.world.topology.plc.registers
        high, low = self.program.read(plc.status + TICKS_WORD, 2)
        ticks = unpack(high, low, plc.word_order)
        return (self.world.ticks_at(self.world.now_us) - ticks) & UINT32_MAX


class PlantRegisters:
    """The PLC's registers as a bus reaches them at the present moment of a clock.

    The plant moves in a context of its own: what it starts survives the process that asked.
    """

    def __init__(self, plant: Plant, now_us: Callable[[], int]) -> None:
        self._plant = plant
        self._now_us = now_us
        self._context = contextvars.copy_context()

    def read(self, address: int, count: int) -> tuple[int, ...]:
        return self._context.run(self._plant.read, self._now_us(), address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        self._context.run(self._plant.write, self._now_us(), address, values)


def unpack(first: int, second: int, order: WordOrder) -> int:
    """A u32 of two registers in a device's word order (docs/plc-contract.md)."""
    if order in (WordOrder.BADC, WordOrder.DCBA):
        first, second = (((word & 0xFF) << 8) | word >> 8 for word in (first, second))
    if order in (WordOrder.CDAB, WordOrder.DCBA):
        first, second = second, first
    return first << 16 | second


def _nobody() -> None:
    """No driver has taken the plant yet."""


def _at_rest(actuators: Actuators) -> Actuators:
    rest = (0,) * len(actuators.diverters)
    return Actuators(belt=False, induction=False, diverters=rest, zones_hold=0, gates=0, indicators=0)


class PlantDriver:
    """Runs a plant on an asyncio loop, virtual or real: one timer, set anew whenever it must be."""

    def __init__(self, plant: Plant, loop: asyncio.AbstractEventLoop) -> None:
        self._plant = plant
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._due: int | None = None
        self._running = False
        self._context = contextvars.copy_context()
        """The plant's own: its timer outlives the process whose request moved it last."""
        self.now_us = loop.now_us if isinstance(loop, VirtualLoop) else self._rounded_us
        """The loop's time in whole microseconds."""
        plant.woken = self._arm

    def _rounded_us(self) -> int:
        return round(self._loop.time() * US_PER_S)

    def start(self) -> None:
        """From now on the plant moves by itself."""
        self._running = True
        self._arm()

    def stop(self) -> None:
        """It stands until it is started again; reads and writes still work."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = None

    def _arm(self) -> None:
        if self._running and (due := self._plant.wake_at()) != self._due:
            self._arm_for(due)

    def _arm_for(self, due: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None
        if due is not None:
            self._timer = self._loop.call_at(due / US_PER_S, self._wake, context=self._context)

    def _wake(self) -> None:
        self._timer = None
        self._due = None
        due = self._plant.advance(self.now_us())
        if self._running:
            self._arm_for(due)
