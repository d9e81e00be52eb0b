"""A decision core on a belt of its own time: positions move in ticks, what is due happens, what came of it is
kept. What it is told is ``core_bench``'s."""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from edge.core.line import LineCore
from edge.core.timing import mm_to_ticks
from edge.model.commands import LineCommand, Record, WakeAt
from edge.model.divert import CommandStatus
from edge.model.events import Event, WakePurpose, Woke
from edge.model.ids import PlcNumber, TrackId
from edge.model.order import BeltOrder, ShippedBefore, ShippedPlace
from edge.model.records import Exited, Missing, RecordBody
from edge.model.topology import Topology
from edge.model.units import MonoUs, Ticks
from edge.model.weight import SampleState
from tests.core.core_line import START_US, Body

R = TypeVar("R")


class CoreBelt(ABC):
    """One core; ``run`` moves the belt."""

    def __init__(self, line: Topology) -> None:
        self.line = line
        self.core = LineCore(line)
        self.now = 100_000
        self.ring = 0
        self.seq = 0
        self.inbox = 100
        self.events: list[Event] = []
        self.out: list[LineCommand] = []
        self.bodies: dict[int, Body] = {}
        self.orders: dict[str, BeltOrder] = {}
        self.shipped: dict[str, ShippedBefore] = {}
        self.laps: dict[str, int] = {}
        """What the record would say of each waybill."""
        self.unreviewed: set[str] = set()
        """Waybills whose order has not passed its review."""
        self.mute: set[type] = set()
        """Commands that nobody answers."""
        self.answers: dict[int, CommandStatus] = {}
        """Number → status for its divert."""
        self.revoke_answers: dict[int, CommandStatus] = {}
        self.plc_delay_mm = 40
        self.empty_g = 0
        self.empty_state = SampleState.OK
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._n = 0
        self._wakes: dict[tuple[WakePurpose, int], WakeAt] = {}

    # -- time

    @property
    def at_us(self) -> MonoUs:
        per_s = self.line.speed_mm_s * self.line.ticks_per_m // 1_000
        return MonoUs(START_US + self.now * 1_000_000 // per_s)

    def ticks(self, mm: int) -> int:
        return mm_to_ticks(mm, self.line.ticks_per_m)

    def at(self, ticks: int, then: Callable[[], None]) -> None:
        self._n += 1
        heapq.heappush(self._due, (max(ticks, self.now), self._n, then))

    def run(self, mm: int) -> None:
        """Move the belt by ``mm`` and let everything due happen, wakes by position too."""
        until = self.now + self.ticks(mm)
        while True:
            wake = min(self._wakes.values(), key=self._wake_ticks, default=None)
            wake_at = self._wake_ticks(wake) if wake is not None else until + 1
            thing_at = self._due[0][0] if self._due else until + 1
            if min(wake_at, thing_at) > until:
                break
            if thing_at <= wake_at:
                self.now = thing_at
                heapq.heappop(self._due)[2]()
            elif wake is not None:
                self.now = max(self.now, wake_at)
                self.wake(wake)
        self.now = until

    def _wake_ticks(self, wake: WakeAt) -> int:
        if wake.ticks:
            return int(wake.ticks)
        per_s = self.line.speed_mm_s * self.line.ticks_per_m // 1_000
        return -((START_US - wake.at_us) * per_s // 1_000_000)

    def wake(self, wake: WakeAt) -> None:
        self._wakes.pop((wake.purpose, wake.ref), None)
        ticks = Ticks(self.now) if wake.ticks else Ticks(0)
        self.post(Woke(at_us=self.at_us, purpose=wake.purpose, ref=wake.ref, ticks=ticks))

    def waiting(self) -> dict[tuple[WakePurpose, int], WakeAt]:
        """The wakes that have not come due."""
        return dict(self._wakes)

    # -- in and out

    def post(self, event: Event) -> tuple[LineCommand, ...]:
        self.events.append(event)
        commands = self.core.handle(event)
        self.take(commands)
        return commands

    def take(self, commands: Iterable[LineCommand]) -> None:
        for command in commands:
            self.out.append(command)
            if isinstance(command, Record):
                self._remember(command.body)
            elif isinstance(command, WakeAt):
                self._wakes[command.purpose, command.ref] = command
            elif type(command) not in self.mute:
                self._answer(command)

    def _remember(self, body: RecordBody) -> None:
        """What the read model would say of this waybill to the next one who asks."""
        if isinstance(body, Exited | Missing) and body.counts_as_shipped:
            proved = isinstance(body, Exited) and body.shipped
            self.shipped[body.waybill] = ShippedBefore(
                place=ShippedPlace.PROVED if proved else ShippedPlace.UNPROVED,
                chute=body.chute if isinstance(body, Exited) else "",
            )

    @abstractmethod
    def _answer(self, command: LineCommand) -> None:
        """What the world does about it."""

    # -- what came of it

    def records(self, kind: type[R]) -> list[R]:
        bodies: list[RecordBody] = [command.body for command in self.out if isinstance(command, Record)]
        return [cast(R, body) for body in bodies if isinstance(body, kind)]

    def commands(self, kind: type[R]) -> list[R]:
        return [cast(R, command) for command in self.out if isinstance(command, kind)]

    def the(self, kind: type[R]) -> R:
        """The only record of that kind."""
        found = self.records(kind)
        assert len(found) == 1, found
        return found[0]

    def end_of(self, n: int) -> Exited | Missing:
        """The one end of the track of PLC number ``n``."""
        track = TrackId(self.track_id(n))
        every: tuple[Exited | Missing, ...] = (*self.records(Exited), *self.records(Missing))
        ends = [end for end in every if end.track == track]
        assert len(ends) == 1, ends
        return ends[0]

    def track_id(self, n: int) -> int:
        state = self.core.state
        number = PlcNumber(n)
        return state.numbers.get(number) or state.ended[number]
