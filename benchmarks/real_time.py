"""``make realtime``: a line at its nominal rate for minutes, all processes, orders pouring in beside it.

``python -m benchmarks.real_time [--minutes M] [--line NAME] [--answer-ms MS] [--orders-per-s N]
[--set KEY=VALUE] [--folder DIR] [--json FILE|-]``. The line process has a core of its
own, on which the bare floor runs beside it; simulators, gateway and load share the others.
"""

from pathlib import Path

from benchmarks.figures import Figure, rank
from benchmarks.real_command import exit_with, parser_of, seconds_of
from benchmarks.real_line import MIB, SETTLED_S, Measured, RealRun, measure
from edge.model.verdict import Reason
from simulators.demo.summary import MUST_BE_ZERO

MINUTES = 5.0
ORDERS_PER_S = 500
ANSWER_MS = 5
TOLD_P99_MS = 50
RESIDENT_MB = 200
GROWTH_MB = 2
WAL_MB = 64
"""What is kept of a WAL (``edge.store.files``)."""
OF_THE_RATE = 0.95


def real_time(run: RealRun) -> list[Figure]:
    """Raises as ``measure``."""
    found = measure(run)
    return [*_told(found), *_memory(found), *kept(found, orders_per_s=run.orders_per_s)]


def told_p99(found: Measured) -> float:
    """Milliseconds."""
    times = found.ended.report.summary["decide_to_told_ms"]
    assert isinstance(times, dict)
    return float(times["p99"])


def _told(found: Measured) -> list[Figure]:
    summary = found.ended.report.summary
    times, waits = summary["decide_to_told_ms"], summary["plc_wait_ms"]
    assert isinstance(times, dict)
    assert isinstance(waits, dict)
    pinned = "on a core of its own" if found.pinned else "not pinned: this machine has one core"
    own = f"max {times['max']:.1f} ms; PLC wait p50 {waits['p50']:.1f}, p99 {waits['p99']:.1f} ms; {pinned}"
    bare = f"{len(found.bare_ms)} times, max {max(found.bare_ms):.1f} ms"
    return [
        Figure(name="decide → told p50", value=times["p50"], unit="ms", note=own),
        Figure(name="decide → told p50, bare", value=rank(found.bare_ms, 50), unit="ms", note=bare),
        Figure(name="decide → told p99", value=times["p99"], unit="ms", at_most=TOLD_P99_MS),
        Figure(name="decide → told p99, bare", value=rank(found.bare_ms, 99), unit="ms"),
    ]


def _memory(found: Measured) -> list[Figure]:
    first, last = found.resident_at(SETTLED_S), found.resident[-1][1]
    span = f"from {min(SETTLED_S, found.seconds):.0f} s to {found.seconds:.0f} s"
    most = max(size for _, size in found.resident)
    load = f"{found.cpu_s / found.seconds:.0%} of its core"
    return [
        Figure(name="line process, resident", value=most / MIB, unit="MB", at_most=RESIDENT_MB, note=load),
        Figure(
            name="line process, growth", value=(last - first) / MIB, unit="MB", at_most=GROWTH_MB, note=span
        ),
        Figure(
            name="line process, open files",
            value=found.files[1],
            unit="",
            at_most=found.files[0],
            note="in the second half of the run; at most what it had in the first",
        ),
        Figure(name="journal.db-wal", value=found.wal_bytes / MIB, unit="MB", at_most=WAL_MB),
    ]


def kept(found: Measured, *, orders_per_s: int) -> list[Figure]:
    """That nothing was late, lost or wrong, and the rate at which it was so."""
    ended, summary = found.ended, found.ended.report.summary
    by_reason = summary["by_reason"]
    assert isinstance(by_reason, dict)
    wrong = sum(int(str(summary[name])) for name in MUST_BE_ZERO) + sum(ended.report.violated.values())
    rate = ended.inducted / ended.belt_s * 3_600
    note = (
        f"{ended.inducted} parcels in {ended.belt_s:.0f} s, {ended.line_restarts} restarts; {dict(by_reason)}"
    )
    late = by_reason.get(Reason.LATE_DECISION.value, 0)
    figures = [
        Figure(name="parcels", value=rate, unit="/h", note=note),
        Figure(name="late decisions", value=late, unit="parcels", at_most=0),
        Figure(name="lost, wrong or invariants broken", value=wrong, unit="", at_most=0),
    ]
    if found.load is not None:
        told = f"slowest answer {found.load.slowest_s * 1_000:.0f} ms {'; '.join(found.load.refused)}".strip()
        per_s = found.load.stored / found.seconds
        least = OF_THE_RATE * orders_per_s
        figures.append(
            Figure(name="orders through the gateway", value=per_s, unit="/s", at_least=least, note=told)
        )
    return figures


def main() -> None:
    parser = parser_of("real_time", __doc__, minutes=MINUTES)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--answer-ms", type=int, default=ANSWER_MS, help="of the simulated PLC")
    parser.add_argument("--orders-per-s", type=int, default=ORDERS_PER_S, help="0: none beside the parcels'")
    options = parser.parse_args()

    def measured(folder: Path) -> list[Figure]:
        run = RealRun(
            line=options.line,
            seconds=seconds_of(options),
            answer_ms=options.answer_ms,
            orders_per_s=options.orders_per_s,
            folder=folder,
            settings=tuple(options.settings),
        )
        return real_time(run)

    exit_with(options, measured)


if __name__ == "__main__":
    main()
