"""``make bench``, or ``python -m benchmarks [--parcels N] [--folder DIR] [--json FILE|-] [NAME…]``."""

import argparse
import tempfile
from pathlib import Path

from benchmarks.core import core
from benchmarks.figures import Figure, show, write_json
from benchmarks.record import recorded
from benchmarks.simulation import simulation
from benchmarks.store import store
from edge.runtime.logs import log_nothing
from line_config.load import load_line

NAMES = ("simulation", "core", "store")
PARCELS = 2_000
PARCELS_RECORDED = 400


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all by default")
    parser.add_argument("--parcels", type=int, default=PARCELS, help="of a simulation on the register bus")
    parser.add_argument("--folder", type=Path, help="a folder on the disk that is measured")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures there too; -: instead")
    options = parser.parse_args()
    names = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"no benchmark of the name {', '.join(sorted(unknown))}")
    log_nothing()
    line = load_line("demo")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="beltkeeper-bench-", dir=options.folder) as folder:
        if "simulation" in names:
            figures += simulation(line, options.parcels)
        if "core" in names or "store" in names:
            items = recorded(line, PARCELS_RECORDED, Path(folder))
            if "core" in names:
                figures += core(line.topology, items)
            if "store" in names:
                figures += store(items, Path(folder))
    if options.json != "-":
        show(figures)
    if options.json is not None:
        write_json(figures, options.json)


if __name__ == "__main__":
    main()
