"""The pure core: events a second over a recorded run."""

from collections.abc import Sequence
from time import process_time

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from edge.core.line import LineCore
from edge.model.topology import Topology
from edge.ports.journal import JournalItem
from edge.store.rows import EVENTS

EVENTS_PER_S = 50_000
ROUNDS = 5


def core(bench: Bench) -> list[Figure]:
    """``LineCore.handle`` over the inputs of the record, a new core each round; the best round."""
    events = [item for item in bench.items if type(item).__name__ in EVENTS]
    best_s = min(_round(bench.line.topology, events) for _ in range(ROUNDS))
    return [
        Figure(
            name="core, LineCore.handle",
            value=len(events) / best_s,
            unit="events/s",
            at_least=EVENTS_PER_S,
            note=f"{len(events)} recorded inputs, best of {ROUNDS}",
        )
    ]


def _round(topology: Topology, events: Sequence[JournalItem]) -> float:
    handle = LineCore(topology).handle
    began = process_time()
    for event in events:
        handle(event)  # type: ignore[arg-type]  # chosen by EVENTS
    return process_time() - began
