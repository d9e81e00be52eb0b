"""What must never happen: a code that counts and is not there.

``python -m benchmarks.misreads [--frames 20000] [--seed N] [--failures FOLDER]`` reads half as many degraded
labels of every symbology and half as many look-alikes, with every effort and every symbology, as
``beltkeeper read`` does. It writes ``benchmarks/misreads.md`` and exits with 1 if anything was misread.
20,000 take half an hour of one core.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from drivers.streams.frame_sources import one_core
from drivers.vision.agreement import ReadRules
from drivers.vision.engines import zbar_missing
from drivers.vision.ladder import Ladder
from drivers.vision.sightings import article_number
from edge.model.codes import Code, Symbology
from simulators.labels.scenes import Scene, degraded, negatives

REPORT = Path(__file__).with_name("misreads.md")
SEED = 20_260_103
EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
SETS: Mapping[str, Callable[[int, int], Iterator[Scene]]] = {"degraded": degraded, "negatives": negatives}


@dataclass
class Counted:
    """Over one set of frames: how many hold a code, how many gave a true one, and what was wrong."""

    name: str
    frames: int = 0
    legible: int = 0
    true: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, Scene, str]] = field(default_factory=list)


def count(name: str, scenes: Iterable[Scene]) -> Counted:
    """What is accepted in each frame against what is on it."""
    one_core()
    ladder = Ladder(ReadRules(wanted=EVERYTHING, strict=False), budget_us=None)
    counted = Counted(name)
    for n, scene in enumerate(scenes):
        there = {_key(code) for code in scene.codes}
        codes = [one for one in ladder.read(scene.pixels).codes if one.why]
        keys = {_key(Code(text=one.sighting.text, symbology=one.sighting.symbology)) for one in codes}
        counted.frames += 1
        counted.legible += bool(there)
        counted.true.update(code.symbology.value for code in scene.codes if _key(code) in keys)
        counted.wrong += (
            (n, scene, f"{one.sighting.symbology.value} {one.sighting.text!r}: {one.why}")
            for one in codes
            if _key(Code(text=one.sighting.text, symbology=one.sighting.symbology)) not in there
        )
        for at, _, what in counted.wrong:
            if at == n:
                sys.stderr.write(f"{name} {n}: {what}\n")
    return counted


def _set(name: str, seed: int, frames: int) -> Counted:
    return count(name, SETS[name](seed, frames))


def _key(code: Code) -> str:
    return article_number(code.symbology, code.text)


def report(sets: list[Counted], seed: int) -> str:
    lines = ["# Misreads", "", f"Made by `python -m benchmarks.misreads`, seed {seed}.", ""]
    lines += ["| frames | count | with a code | read | accepted misreads |", "|---|---|---|---|---|"]
    for one in sets:
        read = one.true.total()
        lines.append(f"| {one.name} | {one.frames} | {one.legible} | {read} | {len(one.wrong)} |")
    for one in sets:
        for symbology, read in sorted(one.true.items()):
            lines.append(f"| {one.name}, {symbology} | | | {read} | |")
    lines.append("")
    for one in sets:
        for n, scene, what in one.wrong:
            lines.append(f"- {one.name} {n} ({', '.join(scene.damage)}): {what}")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.misreads", description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--failures", type=Path, help="a folder for the pictures that were misread")
    options = parser.parse_args()
    if zbar_missing():
        parser.error(zbar_missing())
    half = max(1, options.frames // 2)
    with ProcessPoolExecutor(max(1, options.jobs)) as jobs:
        sets = [one.result() for one in [jobs.submit(_set, name, options.seed, half) for name in SETS]]
    text = report(sets, options.seed)
    REPORT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    for one in sets:
        for n, scene, _ in one.wrong if options.failures else ():
            options.failures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(options.failures / f"{one.name}-{n}.png"), scene.pixels)
    sys.exit(any(one.wrong for one in sets))


if __name__ == "__main__":
    main()
