"""A PLC that takes 20, 100, 200 ms for an answer: no decision comes too late, or lint refuses the line."""

from time import process_time

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from edge.model.verdict import Reason
from line_config.description import LineDescription
from line_config.load import load_line
from line_config.packaged import packaged_names
from line_config.proof import largest_turnaround_ms
from line_config.slower import with_slower_plc
from simulators.faults import FaultLevel
from simulators.rig import Run, simulate

TURNAROUNDS_MS = (20, 100, 200)
PARCELS = 400
SEED = 7


def slow_plc(bench: Bench) -> list[Figure]:
    """Every packaged line, in virtual time without faults; 0 for a line that lint refuses."""
    parcels = min(bench.parcels, PARCELS)
    lines = [load_line(name) for name in packaged_names("lines")]
    return [_late(line, turnaround_ms, parcels) for line in lines for turnaround_ms in TURNAROUNDS_MS]


def _late(line: LineDescription, turnaround_ms: int, parcels: int) -> Figure:
    name = f"late decisions, {line.topology.line_id}, PLC of {turnaround_ms} ms"
    largest_ms = largest_turnaround_ms(line)
    if turnaround_ms > largest_ms:
        note = f"refused by lint: this line bears a PLC of at most {largest_ms} ms"
        return Figure(name=name, value=0, unit="parcels", at_most=0, note=note)
    began = process_time()
    slower = with_slower_plc(line, turnaround_ms)
    run = Run(line=slower, parcels=parcels, seed=SEED, faults=FaultLevel.NONE)
    report = simulate(run).report
    by_reason = report.summary["by_reason"]
    assert isinstance(by_reason, dict)
    note = f"{parcels} parcels, {len(report.violated)} violated, {process_time() - began:.0f} s"
    late = by_reason.get(Reason.LATE_DECISION.value, 0)
    return Figure(name=name, value=late, unit="parcels", at_most=0, note=note)
