"""``python -m benchmarks.broken_pictures [--files 20000] [--seed N] [--jobs J]``: mutated picture files
through all that a camera's process does with a frame, which must raise nothing whatever they hold. 20,000
take five minutes of one core."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from drivers.streams.frame_sources import one_core, read_picture
from drivers.streams.newest_frame import Frame
from drivers.streams.picture_files import jpeg_of
from drivers.vision.agreement import ReadRules
from drivers.vision.frames import FrameAgreement
from drivers.vision.ladder import Ladder
from drivers.vision.no_read import hints_of
from drivers.vision.picture_watch import PictureWatch
from drivers.vision.sightings import Pixels
from edge.camera_pictures import RecentFrames
from edge.model.codes import Symbology
from edge.model.units import MonoUs
from simulators.labels.mutated import mutated_files

SEED = 20_260_102
EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
FRAME_US, FROZEN_MS = 50_000, 2_000
MAX_PIXELS = 4_000_000
"""A mutated head may promise a picture of any size; looking at gigabytes of nothing proves nothing."""


def read_all(files: Iterable[bytes]) -> int:
    """How many were pictures still. Raises what the reading raises."""
    rules = ReadRules(wanted=EVERYTHING, strict=False)
    ladder, agreement = Ladder(rules, budget_us=None), FrameAgreement(rules)
    watch, recent = PictureWatch(frozen_ms=FROZEN_MS), RecentFrames(room_bytes=MAX_PIXELS)

    def look(pixels: Pixels, at_us: int) -> None:
        grabbed_us = MonoUs(at_us)
        frame = Frame(pixels=pixels, grabbed_us=grabbed_us)
        read = ladder.read(pixels)
        watch.see(pixels, grabbed_us, read=any(one.why for one in read.codes))
        agreement.newly_agreed(grabbed_us, read)
        recent.see(frame, read)
        hints_of(pixels, read)
        jpeg_of(pixels)

    pictures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated"
        for data in files:
            path.write_bytes(data)
            pixels = read_picture(path)
            if pixels is not None and 0 < pixels.size <= MAX_PIXELS:
                look(pixels, pictures * FRAME_US)
                pictures += 1
    return pictures


def _share(seed: int, files: int) -> int:
    return read_all(mutated_files(seed, files))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broken_pictures", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    share = options.files // options.jobs
    seeds = [options.seed + n for n in range(options.jobs)]
    with ProcessPoolExecutor(options.jobs, initializer=one_core) as jobs:
        pictures = sum(jobs.map(_share, seeds, [share] * options.jobs))
    sys.stdout.write(f"{options.files} files, {pictures} of them pictures still: nothing raised\n")


if __name__ == "__main__":
    main()
