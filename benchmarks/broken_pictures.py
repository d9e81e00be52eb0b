"""``python -m benchmarks.broken_pictures [--files 20000] [--seed N]``: mutated picture files through the
whole of the reading, which must raise nothing whatever they hold. 20,000 take ten minutes of one core."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from drivers.streams.frame_sources import one_core, read_picture
from drivers.vision.agreement import ReadRules
from drivers.vision.ladder import Ladder
from edge.model.codes import Symbology
from simulators.labels.mutated import mutated_files

SEED = 20_260_102
EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
MAX_PIXELS = 4_000_000
"""A mutated head may promise a picture of any size; looking at gigabytes of nothing proves nothing."""


def read_all(files: Iterable[bytes]) -> int:
    """How many were pictures still. Raises what the reading raises."""
    ladder = Ladder(ReadRules(wanted=EVERYTHING, strict=False), budget_us=None)
    pictures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated"
        for data in files:
            path.write_bytes(data)
            pixels = read_picture(path)
            if pixels is not None and pixels.size <= MAX_PIXELS:
                ladder.read(pixels)
                pictures += 1
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broken_pictures", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    one_core()
    pictures = read_all(mutated_files(options.seed, options.files))
    sys.stdout.write(f"{options.files} files, {pictures} of them pictures still: nothing raised\n")


if __name__ == "__main__":
    main()
