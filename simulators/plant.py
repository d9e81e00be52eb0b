"""The plant: the belt and the PLC that drives it, joined by their wires.

Whoever wants something of the plant at an instant (a register, the load of the scale) first brings it
to that instant; between two calls it sleeps until ``wake_at``. Nothing is polled. In virtual time and
in real time it is the same: a call that comes late is caught up step by step, each at its own time.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulators.cables import Actuators, Sensors
from simulators.world.belt import World

US_PER_S = 1_000_000

STEPS_AT_ONE_INSTANT = 1_000
"""A PLC and a belt that answer each other this often without time passing never will."""


class Program(Protocol):
    """The PLC's program and its registers. ``now_us`` never goes back; errors of the bus (an address
    that does not exist) are the program's own exceptions and pass through the plant untouched."""

    def update(self, sensors: Sensors) -> tuple[Actuators, int | None]:
        """The inputs at ``sensors.at_us``; the outputs from then on, and when it wants to be called
        again at the latest (None: only when an input changes)."""
        ...

    def read(self, now_us: int, address: int, count: int) -> tuple[int, ...]: ...

    def write(self, now_us: int, address: int, values: tuple[int, ...]) -> None: ...


class BusListener(Protocol):
    """Sees every write that the PLC takes, before and after its program has seen it."""

    def written(self, at_us: int, address: int, values: tuple[int, ...]) -> None: ...

    def judged(self, at_us: int, program: Program) -> None:
        """The program ran on the write or on a later input, at ``at_us``."""
        ...


class Plant:
    """One world and one PLC program. Not re-entrant: listeners must not call back into it."""

    def __init__(self, world: World, program: Program) -> None:
        self.world = world
        self.program = program
        self.bus_listeners: list[BusListener] = []
        self.woken: Callable[[], None] | None = None
        """Called after anything that may have changed ``wake_at``."""
        self._plc_wake: int | None = world.now_us
        self._seen: Sensors | None = None

    def wake_at(self) -> int | None:
        """The next instant at which the plant does something by itself."""
        world = self.world.wake_at()
        plc = self._plc_wake
        if world is None or plc is None:
            return world if plc is None else plc
        return min(world, plc)

    def advance(self, to_us: int) -> None:
        """Bring belt and PLC to an instant, every edge at its own time on the way. A time in the past
        is taken as now: clocks of two processes may differ by a little."""
        stalled, last = 0, -1
        while True:
            wake = self.wake_at()
            if wake is None or wake > to_us:
                break
            stalled = stalled + 1 if wake == last else 0
            if stalled > STEPS_AT_ONE_INSTANT:
                raise RuntimeError(f"belt and PLC do not settle at {wake} us")
            last = wake
            self._step(max(wake, self.world.now_us))
        if to_us > self.world.now_us:
            self.world.advance(to_us)

    def read(self, now_us: int, address: int, count: int) -> tuple[int, ...]:
        """Registers as the PLC has them at ``now_us``."""
        self.advance(now_us)
        self._update()
        values = self.program.read(self.world.now_us, address, count)
        self._tell_woken()
        return values

    def write(self, now_us: int, address: int, values: tuple[int, ...]) -> None:
        """Registers are written at ``now_us``, and the program runs on them."""
        self.advance(now_us)
        self._update()
        at_us = self.world.now_us
        self.program.write(at_us, address, values)
        for listener in self.bus_listeners:
            listener.written(at_us, address, values)
        self._update()
        self._tell_woken()

    def replace(self, program: Program) -> None:
        """Another program drives the belt from now on (a PLC that is off, or one that has started)."""
        self.program = program
        self._seen = None
        self._update()
        self._tell_woken()

    def changed(self) -> None:
        """Something outside changed the world (a person, a fault): let the PLC see it."""
        self._update()
        self._tell_woken()

    def _step(self, at_us: int) -> None:
        """One instant. The PLC runs when an input changed, or when it asked for it."""
        sensors = self.world.advance(at_us)
        due = self._plc_wake is not None and self._plc_wake <= at_us
        if due or self._seen is None or _levels(sensors) != _levels(self._seen):
            self._run(sensors)

    def _update(self) -> None:
        self._run(self.world.sensors())

    def _run(self, sensors: Sensors) -> None:
        self._seen = sensors
        actuators, self._plc_wake = self.program.update(sensors)
        self.world.apply(actuators)
        for listener in self.bus_listeners:
            listener.judged(sensors.at_us, self.program)

    def _tell_woken(self) -> None:
        if self.woken is not None:
            self.woken()


def _levels(sensors: Sensors) -> tuple[int | bool, ...]:
    """What a PLC's inputs see of an edge; the encoder counts on its own."""
    return (
        sensors.eyes,
        sensors.confirm,
        sensors.home,
        sensors.lane_full,
        sensors.end_full,
        sensors.e_stop,
        sensors.door,
        sensors.pull_cord,
        sensors.reset,
        sensors.ready,
    )


class PlantDriver:
    """Runs a plant on an asyncio loop, virtual or real: one timer, set anew whenever it must be."""

    def __init__(self, plant: Plant, loop: asyncio.AbstractEventLoop) -> None:
        self._plant = plant
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._due: int | None = None
        self._running = False
        plant.woken = self._arm

    def now_us(self) -> int:
        """The loop's time in whole microseconds."""
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
        if not self._running:
            return
        due = self._plant.wake_at()
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self._loop.call_at(due / US_PER_S, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._due = None
        self._plant.advance(self.now_us())
        self._arm()
