"""Decide → told over a real wire against the bare minimum (write, read-back, two commits); a quick PLC."""

from benchmarks.bench import Bench
from benchmarks.figures import Figure, rank
from benchmarks.real_line import RealRun, measure

RATIO = 2.0


def told(bench: Bench) -> list[Figure]:
    """The fast line and the floor side by side on one core, one disk, one kind of PLC."""
    run = RealRun(seconds=bench.seconds, answer_ms=0, orders_per_s=0, folder=bench.place("told"))
    found = measure(run)
    times = found.ended.report.summary["decide_to_told_ms"]
    assert isinstance(times, dict)
    bare = rank(found.bare_ms, 50)
    note = f"{found.ended.inducted} parcels; p99 {times['p99']:.1f} ms, bare {rank(found.bare_ms, 99):.1f} ms"
    return [
        Figure(name="decide → told p50", value=times["p50"], unit="ms", note=note),
        Figure(name="decide → told p50, bare", value=bare, unit="ms", note=f"{len(found.bare_ms)} times"),
        Figure(name="decide → told, ratio of p50", value=times["p50"] / bare, unit="", at_most=RATIO),
    ]
