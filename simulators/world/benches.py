"""The review benches and the people at them: they scan what lies there, and push it off to the gate.

A reviewer scans the slip, then every row (one scan, and a keyed quantity where there are more pieces),
then the end, and lets the work roll. What the line makes of it, only the gate shows: open, the work goes
to packing and is then ready for the infeed; shut, it drops into the re-pick lane, where a clerk puts right
what was picked wrongly and brings it back to the same bench. They are as quick as the line needs them:
three stand for as many as a hall of that pace has.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Protocol

from edge.model.codes import Code, Symbology
from edge.model.quick import quick
from edge.model.review import GateLane
from edge.model.topology import Bench
from simulators.seeds import SeededBits
from simulators.world.belt import World
from simulators.world.truth import WorkMoved

END, PAUSE = "BK-END", "BK-PAUSE"
"""The command sheet (docs/line-configuration.md, Review)."""
ROW_US = (20_000, 40_000)
"""From one scan to the next."""
BLOCK_ROWS = 8
"""Rows that the terminal collects before it sends them: two texts each, as many as a message may hold."""
LIT_US = 500_000
"""Until the stack light is on nobody begins; it is looked at this often."""
TRAVEL_US = (500_000, 700_000)
"""From the bench to its gate."""
EYE_US = 150_000
"""Work covers an exit eye for this long."""
PACK_US = 1_000_000
REPICK_US = (2_000_000, 4_000_000)
AHEAD = 32
"""Work is reviewed at most this many parcels before the next one to be placed."""
MAX_TRIES = 4
"""A work that comes back this often is carried to packing by hand: one whose order was cancelled meanwhile
would else hold up all that come after it."""

ScanListener = Callable[[int, str, tuple[Code, ...]], None]
Rows = tuple[tuple[str, str, int], ...]
"""(sku, barcode, pieces)"""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchJob:
    """The picked goods of parcel ``index``. ``wanted``: pieces by sku, as its order has them; ``picked``:
    what was really put into the box; ``right``: what is in it once the clerk has corrected it.

    ``bypass``: nobody reviews it, somebody carries it past the bench. ``hopeless``: the line has no order
    that could be reviewed, and its screen says so. ``interrupted``: the reviewer is called away in between.
    """

    index: int
    order_no: str
    slip: str
    wanted: tuple[tuple[str, int], ...]
    picked: Rows
    right: Rows
    bypass: bool = False
    hopeless: bool = False
    interrupted: bool = False


class JobSource(Protocol):
    def job(self, index: int) -> BenchJob | None:
        """The picked goods of a parcel; None: there is no such parcel."""
        ...


@dataclass(slots=True, eq=False)
class _Work:
    job: BenchJob
    lies: Rows
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Place:
    """One bench: the work that is there, and what waits to be reviewed again."""

    bench: Bench
    busy: bool = False
    back: deque[_Work] = field(default_factory=deque)


class Benches:
    """Packs parcels 0, 1, 2 … ahead of the infeed; ``packed`` is told each time one is ready."""

    def __init__(
        self, world: World, jobs: JobSource, bits: SeededBits, packed: Callable[[int], None]
    ) -> None:
        self.on_scan: list[ScanListener] = []
        self._world = world
        self._jobs = jobs
        self._bits = bits
        self._packed = packed
        self._places = [_Place(bench) for bench in world.topology.benches]
        self._ready: set[int] = set()
        self._lit = False
        self._next = 0
        self._wanted = 0
        """The parcel that is to be placed next."""
        world.at(world.now_us, self._begin)

    def _begin(self, now_us: int) -> None:
        """The line is there when its stack light is on."""
        if self._world.actuators.indicators:
            self._lit = True
            self._look_all(now_us)
        else:
            self._world.at(now_us + LIT_US, self._begin)

    def ready(self, index: int) -> bool:
        """It stands at the infeed, packed."""
        return index in self._ready

    def placed(self, index: int) -> None:
        """It has gone on the belt."""
        self._ready.discard(index)
        self._wanted = max(self._wanted, index + 1)
        self._look_all(self._world.now_us)

    def _look_all(self, now_us: int) -> None:
        for place in self._places:
            self._look(place, now_us)

    def _look(self, place: _Place, now_us: int) -> None:
        """The reviewer takes what was put right, else the next work of the wave."""
        if place.busy or not self._lit:
            return
        work = place.back.popleft() if place.back else self._take(now_us)
        if work is not None:
            place.busy = True
            self._review(place, work, now_us)

    def _take(self, now_us: int) -> _Work | None:
        while self._next < self._wanted + AHEAD:
            job = self._jobs.job(self._next)
            if job is None:
                return None
            self._next += 1
            if not job.bypass:
                return _Work(job, job.picked)
            self._carry(job, now_us)
        return None

    def _review(self, place: _Place, work: _Work, now_us: int) -> None:
        """Everything that the scanner will say, each at its own time, and the way to the gate."""
        bits, at_us = self._bits, now_us
        for scans, texts in _scans(work.job, work.lies):
            at_us += scans * bits.between(*ROW_US)
            codes = tuple(map(_code, texts))
            for listener in self.on_scan:
                listener(at_us, place.bench.id, codes)
        due = at_us + bits.between(*TRAVEL_US)
        self._world.at(due, partial(self._at_gate, place, work, at_us))

    def _at_gate(self, place: _Place, work: _Work, ended_us: int, now_us: int) -> None:
        world, gate, job = self._world, place.bench.gate, work.job
        lane = GateLane.PACKING if world.actuators.gates >> (gate - 1) & 1 else GateLane.REPICK
        bit = 1 << (2 * (gate - 1) + lane - 1)
        world.gate_eyes |= bit
        world.truth(
            WorkMoved(now_us, place.bench.id, job.order_no, ended_us, lane.value, job.wanted, work.lies)
        )
        world.at(now_us + EYE_US, partial(self._through, place, work, lane, bit))

    def _through(self, place: _Place, work: _Work, lane: GateLane, bit: int, now_us: int) -> None:
        world = self._world
        world.gate_eyes &= ~bit
        place.busy = False
        work.tries += 1
        if lane is GateLane.PACKING or work.job.hopeless or work.tries >= MAX_TRIES:
            self._carry(work.job, now_us)
        else:
            world.at(now_us + self._bits.between(*REPICK_US), partial(self._brought_back, place, work))
        self._look(place, now_us)

    def _brought_back(self, place: _Place, work: _Work, now_us: int) -> None:
        work.lies = work.job.right
        place.back.append(work)
        self._look(place, now_us)

    def _carry(self, job: BenchJob, now_us: int) -> None:
        """To packing; from there it comes to the infeed."""
        self._world.at(now_us + PACK_US, partial(self._pack, job.index))

    def _pack(self, index: int, _now_us: int) -> None:
        self._ready.add(index)
        self._packed(index)


@lru_cache(4_096)
def _code(text: str) -> Code:
    """The same goods are scanned over and over."""
    return Code(text=text, symbology=Symbology.UNKNOWN)


def _scans(job: BenchJob, lies: Rows) -> list[tuple[int, tuple[str, ...]]]:
    """What the terminal says for it, a message each, and how many scans that took."""
    rows = [(barcode,) if pieces == 1 else (barcode, f"*{pieces}") for _, barcode, pieces in lies]
    if job.interrupted:
        half = len(rows) // 2
        return [
            (1, (job.slip,)),
            *_blocks([*rows[:half], (PAUSE,)]),
            (1, (job.slip,)),
            *_blocks([*rows[half:], (END,)]),
        ]
    return [(1, (job.slip,)), *_blocks([*rows, (END,)])]


def _blocks(rows: list[tuple[str, ...]]) -> list[tuple[int, tuple[str, ...]]]:
    parts = [rows[at : at + BLOCK_ROWS] for at in range(0, len(rows), BLOCK_ROWS)]
    return [(len(part), tuple(text for row in part for text in row)) for part in parts]
