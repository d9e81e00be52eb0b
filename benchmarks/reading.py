"""The reading pipeline beside pyzbar, zxing-cpp and OpenCV on the same frames, each at its best settings.

``python -m benchmarks.reading [--frames N] [--failures FOLDER]`` writes ``benchmarks/reading.md`` anew, and
what was not read as pictures. Times are CPU milliseconds of one thread. The *union* is what any of them
reads, ours included. Photos are those of ``BELTKEEPER_TEST_DATA/labels``, at four turns each.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import thread_time_ns

import cv2
import numpy as np
import zxingcpp

from benchmarks.bench import Bench
from benchmarks.figures import Figure, rank
from drivers.streams.frame_sources import one_core, read_picture
from drivers.vision.agreement import ReadRules, goods_numbers
from drivers.vision.engines import zbar, zbar_missing
from drivers.vision.ladder import Ladder
from drivers.vision.sightings import Pixels
from edge.model.codes import Symbology
from simulators.labels.scenes import Scene, mixed, negatives, turned, typical

REPORT = Path(__file__).with_name("reading.md")
BUDGET_US = 70_000
SEED = 20_260_101
"""Held out: what the pipeline was looked at with has other seeds."""
CODE128 = frozenset({Symbology.CODE128})
EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
TURNS = 4
WRONG_TRUTH = {"ean13-2/23", "qrcode-2/16"}
"""One has another number printed below its bars than its text file says, one holds two QR codes."""
Reads = Callable[[Pixels], set[str]]


@dataclass
class Tally:
    """Over one set of frames: what each engine read, in what time, and our rungs."""

    name: str
    frames: int = 0
    union: int = 0
    misread: int = 0
    read: Counter[str] = field(default_factory=Counter)
    rungs: Counter[str] = field(default_factory=Counter)
    ms: dict[str, list[float]] = field(default_factory=dict)
    missed: list[tuple[str, Pixels]] = field(default_factory=list)

    def timed(self, engine: str, reads: Reads, pixels: Pixels) -> set[str]:
        began = thread_time_ns()
        texts = reads(pixels)
        self.ms.setdefault(engine, []).append((thread_time_ns() - began) / 1e6)
        return texts

    def row(self, engine: str) -> str:
        times = self.ms.get(engine, [])
        part = f"{100 * self.read[engine] / max(1, self.frames):.1f} %"
        return f"| {self.name} | {engine} | {part} | {rank(times, 50):.1f} | {rank(times, 95):.1f} |"


def cpu_us() -> int:
    """So that other work on the same cores spends nothing of the budget."""
    return thread_time_ns() // 1_000


def by_zxing(pixels: Pixels) -> set[str]:
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
    return {one.text for one in zxingcpp.read_barcodes(pixels, formats, text_mode=zxingcpp.TextMode.Plain)}


def by_zbar(pixels: Pixels) -> set[str]:
    return {one.text for one in zbar(pixels, CODE128)}


def rendered(name: str, scenes: Iterable[Scene]) -> Tally:
    """Waybills in Code 128, as the camera process reads them."""
    ladder = Ladder(ReadRules(wanted=CODE128), budget_us=BUDGET_US, now_us=cpu_us)
    tally = Tally(name)
    for scene in scenes:
        truth = {code.text for code in scene.codes}

        def ours(pixels: Pixels) -> set[str]:
            read = ladder.read(pixels)
            tally.rungs.update(code.rung.value for code in read.codes if code.why)
            return {code.sighting.text for code in read.codes if code.why}

        found = {
            engine: tally.timed(engine, reads, scene.pixels)
            for engine, reads in (("ours", ours), ("zxing-cpp", by_zxing), ("pyzbar", by_zbar))
        }
        tally.frames += 1
        tally.misread += not found["ours"] <= truth
        if scene.codes:
            right = [engine for engine, texts in found.items() if scene.codes[0].text in texts]
            tally.read.update(right)
            tally.union += bool(right)
            if "ours" not in right:
                tally.missed.append(("-".join(scene.damage), scene.pixels))
    return tally


def photos(folder: Path) -> Iterator[tuple[str, Pixels, str | bytes | None]]:
    """Name, picture and what it holds; None where nothing is to be found."""
    for path in sorted(folder.glob("*/*")):
        text, data = path.with_suffix(".txt"), path.with_suffix(".bin")
        if path.suffix in {".txt", ".bin"} or (pixels := read_picture(path)) is None:
            continue
        want: str | bytes | None = None
        if text.exists():
            want = text.read_bytes().decode().strip()
        elif data.exists():
            want = data.read_bytes()
        yield f"{path.parent.name}/{path.stem}", pixels, want


def real(folder: Path) -> dict[str, Tally]:
    """Each group of photos: decoded by whom, accepted by the rule (with the articles as goods list)."""
    shown = list(photos(folder))
    goods = goods_numbers(want for name, _, want in shown if name.startswith("ean") and isinstance(want, str))
    ladder = Ladder(ReadRules(wanted=EVERYTHING, goods=goods, strict=False), budget_us=None)
    opencv, tallies = cv2.barcode.BarcodeDetector(), dict[str, Tally]()
    for name, pixels, want in shown:
        group = name.partition("-")[0]
        tally = tallies.setdefault(group, Tally(group))
        for turn in range(TURNS):
            _one_photo(tally, ladder, opencv, np.ascontiguousarray(np.rot90(pixels, turn)), want, name)
    return tallies


def _one_photo(
    tally: Tally,
    ladder: Ladder,
    opencv: cv2.barcode.BarcodeDetector,
    pixels: Pixels,
    want: str | bytes | None,
    name: str,
) -> None:
    codes = ladder.read(pixels).codes
    right = [code for code in codes if want in (code.sighting.text.strip(), code.sighting.data)]
    tally.frames += 1
    tally.misread += any(code.why and code not in right for code in codes) and name not in WRONG_TRUTH
    if want is None:
        return
    whole = _whole(pixels)
    others: dict[str, set[str | bytes]] = {
        "zxing-cpp": {one.text.strip() for one in whole} | {bytes(one.bytes) for one in whole},
        "pyzbar": {one.text.strip() for one in zbar(pixels, EVERYTHING)},
        "cv2.barcode": set(_opencv(opencv, pixels)),
    }
    reading = [engine for engine, texts in others.items() if want in texts]
    tally.read.update(reading)
    tally.read["decoded"] += bool(right)
    tally.read["accepted"] += any(code.why for code in right)
    tally.union += bool(reading or right)


def _whole(pixels: Pixels) -> list[zxingcpp.Barcode]:
    names = ("Code128", "Code39", "ITF", "EAN13", "EAN8", "UPCA", "UPCE", "QRCode", "DataMatrix")
    formats = [getattr(zxingcpp.BarcodeFormat, name) for name in names]
    mode = zxingcpp.TextMode.Plain
    return zxingcpp.read_barcodes(pixels, zxingcpp.BarcodeFormats(formats), text_mode=mode)


def _opencv(opencv: cv2.barcode.BarcodeDetector, pixels: Pixels) -> list[str]:
    try:
        return list(opencv.detectAndDecodeMulti(pixels)[1])
    except cv2.error:  # pictures that are too small for it
        return []


def rendered_sets(frames: int) -> list[Tally]:
    return [
        rendered("typical, 2 MP", typical(SEED, frames)),
        rendered("mixed damage, 1.3 MP", mixed(SEED, frames)),
        rendered("turned 0…180°, 1.3 MP", turned(SEED, every=4)),
        rendered("typical, 5 MP", typical(SEED + 1, max(1, frames // 4), size=(2592, 1944))),
        rendered("no symbol, 0.5 MP", negatives(SEED, frames)),
    ]


def figures_of(sets: list[Tally]) -> list[Figure]:
    ordinary, damaged, sweep, large, nothing = sets
    ours, peer = rank(ordinary.ms["ours"], 50), rank(ordinary.ms["pyzbar"], 50)

    def share(tally: Tally) -> float:
        return tally.read["ours"] / max(1, tally.union)

    return [
        Figure(name="reading, typical / union", value=share(ordinary), unit="×", at_least=0.99),
        Figure(name="reading, median / pyzbar's", value=ours / peer, unit="×", at_most=1 / 12),
        Figure(name="reading, typical, p95", value=rank(ordinary.ms["ours"], 95), unit="ms", at_most=25),
        Figure(name="reading, mixed damage / union", value=share(damaged), unit="×", at_least=0.92),
        Figure(name="reading, turned 0…180°", value=sweep.read["ours"] / sweep.frames, unit="×", at_least=1),
        Figure(name="reading, 5 MP, p95", value=rank(large.ms["ours"], 95), unit="ms", at_most=50),
        Figure(
            name="reading, accepted misreads",
            value=float(sum(one.misread for one in sets)),
            unit="frames",
            at_most=0,
            note=f"of {sum(one.frames for one in sets)}, {nothing.frames} of them without a symbol",
        ),
    ]


def reading(bench: Bench) -> list[Figure]:
    """As many frames as fit into the seconds of a benchmark, roughly."""
    one_core()
    if zbar_missing():
        return []
    return figures_of(rendered_sets(max(20, bench.seconds * 2)))


def report(sets: list[Tally], groups: dict[str, Tally]) -> str:
    lines = ["# Reading", "", "Made by `python -m benchmarks.reading`; ms are CPU of one thread.", ""]
    lines += ["| frames | engine | read | median ms | p95 ms |", "|---|---|---|---|---|"]
    for tally in sets:
        lines += [tally.row(engine) for engine in ("ours", "zxing-cpp", "pyzbar")]
    lines += [
        "",
        "| frames | count | union | accepted misreads | our reads by rung |",
        "|---|---|---|---|---|",
    ]
    for tally in sets:
        rungs = ", ".join(f"{rung} {count}" for rung, count in tally.rungs.most_common())
        lines.append(f"| {tally.name} | {tally.frames} | {tally.union} | {tally.misread} | {rungs} |")
    names = ("zxing-cpp", "pyzbar", "cv2.barcode", "decoded", "accepted")
    lines += ["", f"| photos | views | {' | '.join(names)} | union | accepted misreads |"]
    lines += ["|---" * (len(names) + 4) + "|"]
    for group, tally in groups.items():
        read = " | ".join(str(tally.read[name]) for name in names)
        lines.append(f"| {group} | {tally.frames} | {read} | {tally.union} | {tally.misread} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--frames", type=int, default=200, help="of each rendered set")
    parser.add_argument("--failures", type=Path, help="a folder for what was not read")
    options = parser.parse_args()
    one_core()
    if zbar_missing():
        parser.error(zbar_missing())
    sets = rendered_sets(options.frames)
    data = os.environ.get("BELTKEEPER_TEST_DATA")
    groups = real(Path(data) / "labels") if data else {}
    REPORT.write_text(report(sets, groups), encoding="utf-8")
    if options.failures is not None:
        options.failures.mkdir(parents=True, exist_ok=True)
        for tally in sets:
            for n, (damage, pixels) in enumerate(tally.missed):
                name = f"{tally.name.split(',')[0].replace(' ', '-')}-{n}-{damage or 'plain'}.png"
                cv2.imwrite(str(options.failures / name), pixels)


if __name__ == "__main__":
    main()
