"""``make bench``, or ``python -m benchmarks [--parcels N] [--seconds N] [--json FILE|-] [NAME…]``."""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.core import core
from benchmarks.figures import Figure, show, write_json
from benchmarks.order_intake import order_intake
from benchmarks.reading import reading
from benchmarks.simulation import simulation
from benchmarks.slow_plc import slow_plc
from benchmarks.store import store
from benchmarks.told import told
from edge.runtime.logs import log_nothing
from line_config.load import load_line

BENCHMARKS: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "simulation": simulation,
    "core": core,
    "store": store,
    "order_intake": order_intake,
    "told": told,
    "slow_plc": slow_plc,
    "reading": reading,
}
"""One file a benchmark. A longer run in real time is ``benchmarks.real_time``."""
PARCELS = 2_000
SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    parser.add_argument("--parcels", type=int, default=PARCELS, help="of a simulation on the register bus")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of what runs in real time")
    parser.add_argument("--folder", type=Path, help="a folder on the disk that is measured")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures there too; -: instead")
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark of the name {', '.join(sorted(unknown))}")
    log_nothing()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="beltkeeper-bench-", dir=options.folder) as folder:
        bench = Bench(
            line=load_line("demo"), parcels=options.parcels, folder=Path(folder), seconds=options.seconds
        )
        for name in names:
            figures += BENCHMARKS[name](bench)
    if options.json != "-":
        show(figures)
    if options.json is not None:
        write_json(figures, options.json)


if __name__ == "__main__":
    main()
