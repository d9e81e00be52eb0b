"""What orders that pour in do to a parcel's decide → told: ``python -m benchmarks.order_effect``.

``[--minutes M] [--line NAME] [--orders-per-s N] [--folder DIR] [--json FILE|-]``. One run of the line at its
nominal rate, the line process on a core of its own; orders come through the gateway and stay away by turns,
so that what drifts in a run is in both. The bare floor's times are told apart in the same way: on a machine
with one more core it is not the line alone that the load meets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, rank
from benchmarks.order_load import OrderLoad
from benchmarks.real_command import exit_with, parser_of, seconds_of
from benchmarks.real_line import SEED, Measured, RealRun, end, measure
from benchmarks.real_time import ANSWER_MS, OF_THE_RATE, ORDERS_PER_S, kept
from drivers.streams.frame_sources import now_us
from edge.model.ids import JournalSeq
from edge.model.records import ToldTimed
from edge.model.units import US_PER_MS, US_PER_S
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from simulators.demo.play import Play

MINUTES = 8.0
TURN_S = 15.0
FEWEST_TURNS = 4
SETTLES_S = 1.0
"""After a turn has begun: what was under way is the other one's."""
CHANGE_MS = 5

Span = tuple[int, int]
"""From and to, CLOCK_MONOTONIC in µs."""
Times = list[tuple[int, float]]
"""When it began, in the same µs, and how many milliseconds it took."""


@dataclass(slots=True)
class Turns:
    """``stored``: orders, in all loaded turns."""

    calm: list[Span] = field(default_factory=list)
    loaded: list[Span] = field(default_factory=list)
    stored: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def loaded_s(self) -> float:
        return (
            sum(to_us - from_us for from_us, to_us in self.loaded) / US_PER_S + len(self.loaded) * SETTLES_S
        )


@asynccontextmanager
async def _by_turns(play: Play, turns: Turns, per_s: int, turn_s: float) -> AsyncIterator[None]:
    turning = asyncio.create_task(_turn(play, turns, per_s, turn_s))
    try:
        yield
    finally:
        await end([turning])


async def _turn(play: Play, turns: Turns, per_s: int, turn_s: float) -> None:
    load = OrderLoad(play.gateway_url, play.erp_key(), per_s, SEED)
    while True:
        turns.calm.append(await _span(turn_s))
        pouring = asyncio.create_task(load.run())
        try:
            turns.loaded.append(await _span(turn_s))
            turns.stored, turns.refused = load.stored, load.refused
        finally:
            await end([pouring])


async def _span(turn_s: float) -> Span:
    await asyncio.sleep(SETTLES_S)
    from_us = now_us()
    await asyncio.sleep(max(0.0, turn_s - SETTLES_S))
    return from_us, now_us()


def _told(data: Path) -> Times:
    """Every parcel's, from the record."""
    found: Times = []
    with closing(JournalReader(Places(data).journal)) as record:
        for row in record.rows(JournalSeq(0)):
            item = row.item() if row.kind == ToldTimed.__name__ else None
            if isinstance(item, ToldTimed):
                began_us = item.at_us - item.decide_to_told_us
                found.append((began_us, item.decide_to_told_us / US_PER_MS))
    return found


def _within(times: Times, spans: list[Span]) -> list[float]:
    return [ms for at_us, ms in times if any(from_us <= at_us <= to_us for from_us, to_us in spans)]


def order_effect(run: RealRun, per_s: int) -> list[Figure]:
    """Raises as ``measure``."""
    turns = Turns()
    turn_s = min(TURN_S, run.seconds / FEWEST_TURNS)
    found = measure(run, lambda play: _by_turns(play, turns, per_s, turn_s))
    return [
        *_compared(_told(found.ended.data), found, turns),
        *_poured(turns, per_s),
        *kept(found, orders_per_s=0),
    ]


def _compared(told: Times, found: Measured, turns: Turns) -> list[Figure]:
    figures = list[Figure]()
    p99 = list[float]()
    for name, spans in (("calm", turns.calm), ("orders pour in", turns.loaded)):
        own, bare = _within(told, spans), _within(found.bare, spans)
        p99.append(rank(own, 99))
        note = f"p50 {rank(own, 50):.1f}, max {max(own, default=0):.1f} ms of {len(own)}; "
        note += f"bare p50 {rank(bare, 50):.1f}, p99 {rank(bare, 99):.1f} of {len(bare)}"
        figures.append(Figure(name=f"decide → told p99, {name}", value=p99[-1], unit="ms", note=note))
    each = f"{len(turns.loaded)} turns each"
    name = "decide → told p99, changed by the orders"
    return [*figures, Figure(name=name, value=p99[1] - p99[0], unit="ms", at_most=CHANGE_MS, note=each)]


def _poured(turns: Turns, per_s: int) -> list[Figure]:
    rate = turns.stored / turns.loaded_s if turns.loaded else 0.0
    told = "; ".join(turns.refused)
    name = "orders through the gateway, while they pour"
    return [Figure(name=name, value=rate, unit="/s", at_least=OF_THE_RATE * per_s, note=told)]


def main() -> None:
    parser = parser_of("order_effect", __doc__, minutes=MINUTES)
    parser.add_argument("--orders-per-s", type=int, default=ORDERS_PER_S)
    options = parser.parse_args()

    def measured(folder: Path) -> list[Figure]:
        run = RealRun(
            line=options.line,
            seconds=seconds_of(options),
            answer_ms=ANSWER_MS,
            orders_per_s=0,
            folder=folder,
        )
        return order_effect(run, options.orders_per_s)

    exit_with(options, measured)


if __name__ == "__main__":
    main()
