"""The reading pipeline beside pyzbar, zxing-cpp and OpenCV on the same frames, each at its best settings.

``python -m benchmarks.reading [--frames N]`` writes ``benchmarks/reading.md`` anew, and pictures of what was
not read. Times are CPU milliseconds of one thread. The *union* is what any of them reads, ours included, also
with other binarizers and on the picture twice as large. Photos are those of ``BELTKEEPER_TEST_DATA/labels``,
at four turns each.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import thread_time_ns
from typing import Final

import cv2
import numpy as np
import zxingcpp

from benchmarks.bench import Bench
from benchmarks.figures import Figure, rank, show
from drivers.streams.frame_sources import one_core, read_picture
from drivers.vision.agreement import ReadRules, goods_numbers
from drivers.vision.engines import zbar, zbar_missing
from drivers.vision.ladder import Ladder
from drivers.vision.sightings import Pixels
from edge.model.codes import Symbology
from simulators.labels.scenes import Scene, mixed, negatives, turned, typical

REPORT = Path(__file__).with_name("reading.md")
FAILURES = Path(__file__).with_name("reading_failures")
MAX_FAILURES, FAILURE_WIDTH, FAILURE_QUALITY = 12, 480, 60
ENLARGED_PIXELS = 3_000_000
"""Larger pictures are not enlarged."""
BINARIZERS = (
    zxingcpp.Binarizer.LocalAverage,
    zxingcpp.Binarizer.GlobalHistogram,
    zxingcpp.Binarizer.FixedThreshold,
)
BUDGET_US = 70_000
SEED = 20_260_101
"""Held out: what the pipeline was looked at with has other seeds."""
CODE128 = frozenset({Symbology.CODE128})
EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
FORMATS128 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
NAMES = ("Code128", "Code39", "ITF", "EAN13", "EAN8", "UPCA", "UPCE", "QRCode", "DataMatrix")
FORMATS = zxingcpp.BarcodeFormats([getattr(zxingcpp.BarcodeFormat, name) for name in NAMES])
ENGINES = ("ours", "zxing-cpp", "pyzbar", "cv2.barcode")
TURNS = 4
PHOTO_FLOORS: Final = (
    (
        "Code 128, Code 39, ITF, QR, Data Matrix",
        ("code128", "code39", "itf", "qrcode", "datamatrix"),
        "decoded",
        0.985,
    ),
    ("Code 128, QR, Data Matrix", ("code128", "qrcode", "datamatrix"), "accepted", 0.985),
    ("Code 39, ITF", ("code39", "itf"), "accepted", 0.80),
    ("EAN-13/8", ("ean13", "ean8"), "decoded", 0.92),
    ("EAN-13/8 of the goods list", ("ean13", "ean8"), "accepted", 0.90),
)
"""What, its groups of photos, decoded or accepted, and the share of the union that is asked."""
WRONG_TRUTH = {"ean13-2/23", "ean13-2/28", "qrcode-2/16"}
"""Two have another number printed below their bars than their text files say, one holds two QR codes."""
OPENCV = cv2.barcode.BarcodeDetector()
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
    """Codes that count, by the rung that saw them first."""
    rung_ms: dict[str, list[float]] = field(default_factory=dict)
    ms: dict[str, list[float]] = field(default_factory=dict)
    missed: list[tuple[str, Pixels]] = field(default_factory=list)
    """Read by another engine and not by ours."""
    lost: list[tuple[str, Pixels]] = field(default_factory=list)
    """Read by nobody."""

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
    return {one.text for one in zxingcpp.read_barcodes(pixels, FORMATS128, text_mode=zxingcpp.TextMode.Plain)}


def by_zbar(pixels: Pixels) -> set[str]:
    return {one.text for one in zbar(pixels, CODE128)}


def by_opencv(pixels: Pixels) -> set[str]:
    """EAN and UPC-A are all that it decodes."""
    try:
        return set(OPENCV.detectAndDecodeMulti(pixels)[1])
    except cv2.error:  # pictures that are too small for it
        return set()


def at_best(
    pixels: Pixels, wanted: frozenset[Symbology], formats: zxingcpp.BarcodeFormats
) -> set[str | bytes]:
    """What the engines read with any of their settings."""
    found = set[str | bytes]()
    sizes = [pixels]
    if 0 < pixels.size <= ENLARGED_PIXELS:
        twice = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        sizes.append(np.asarray(twice, np.uint8))
    for one in sizes:
        for binarizer in BINARIZERS:
            mode = zxingcpp.TextMode.Plain
            for code in zxingcpp.read_barcodes(one, formats, binarizer=binarizer, text_mode=mode):
                found |= {code.text.strip(), bytes(code.bytes)}
        for sighting in zbar(one, wanted):
            found |= {sighting.text.strip(), sighting.data}
    return found


def rendered(name: str, scenes: Iterable[Scene]) -> Tally:
    """Waybills in Code 128, as the camera process reads them."""
    ladder = Ladder(ReadRules(wanted=CODE128), budget_us=BUDGET_US, now_us=cpu_us)
    tally = Tally(name)
    for scene in scenes:
        truth = {code.text for code in scene.codes}

        def ours(pixels: Pixels) -> set[str]:
            read = ladder.read(pixels)
            for rung, spent_us in read.rungs_us:
                tally.rung_ms.setdefault(rung.value, []).append(spent_us / 1_000)
            tally.rungs.update(code.rung.value for code in read.codes if code.why)
            return {code.sighting.text for code in read.codes if code.why}

        found = {
            engine: tally.timed(engine, reads, scene.pixels)
            for engine, reads in zip(ENGINES, (ours, by_zxing, by_zbar, by_opencv), strict=True)
        }
        tally.frames += 1
        tally.misread += not found["ours"] <= truth
        if scene.codes:
            waybill = scene.codes[0].text
            right = [engine for engine, texts in found.items() if waybill in texts]
            tally.read.update(right)
            any_reads = bool(right) or waybill in at_best(scene.pixels, CODE128, FORMATS128)
            tally.union += any_reads
            if "ours" not in right:
                (tally.missed if any_reads else tally.lost).append(("-".join(scene.damage), scene.pixels))
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
    tallies = dict[str, Tally]()
    for name, pixels, want in shown:
        group = name.partition("-")[0]
        tally = tallies.setdefault(group, Tally(group))
        for turn in range(TURNS):
            _one_photo(tally, ladder, np.ascontiguousarray(np.rot90(pixels, turn)), want, name)
    return tallies


def _one_photo(tally: Tally, ladder: Ladder, pixels: Pixels, want: str | bytes | None, name: str) -> None:
    codes = ladder.read(pixels).codes
    right = [code for code in codes if want in (code.sighting.text.strip(), code.sighting.data)]
    tally.frames += 1
    tally.misread += any(code.why and code not in right for code in codes) and name not in WRONG_TRUTH
    if want is None:
        return
    whole = zxingcpp.read_barcodes(pixels, FORMATS, text_mode=zxingcpp.TextMode.Plain)
    others: dict[str, set[str | bytes]] = {
        "zxing-cpp": {one.text.strip() for one in whole} | {bytes(one.bytes) for one in whole},
        "pyzbar": {one.text.strip() for one in zbar(pixels, EVERYTHING)},
        "cv2.barcode": set(by_opencv(pixels)),
    }
    reading = [engine for engine, texts in others.items() if want in texts]
    tally.read.update(reading)
    tally.read["decoded"] += bool(right)
    tally.read["accepted"] += any(code.why for code in right)
    any_reads = bool(reading or right) or want in at_best(pixels, EVERYTHING, FORMATS)
    tally.union += any_reads
    if any_reads and not right:
        tally.missed.append((name.replace("/", "-"), pixels))


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


def photo_figures(groups: dict[str, Tally]) -> list[Figure]:
    """Shares of the union of all engines, over the groups that a floor is asked of together."""
    figures = []
    for what, names, kind, floor in PHOTO_FLOORS:
        some = [groups[name] for name in names if name in groups]
        union, read = sum(one.union for one in some), sum(one.read[kind] for one in some)
        name = f"photos, {what}, {kind}"
        note = f"{read} of {union}"
        figures.append(Figure(name=name, value=read / max(1, union), unit="×", at_least=floor, note=note))
    wrong = sum(one.misread for one in groups.values())
    return [*figures, Figure(name="photos, accepted misreads", value=wrong, unit="views", at_most=0)]


def reading(bench: Bench) -> list[Figure]:
    """As many frames as fit into the seconds of a benchmark, roughly."""
    one_core()
    if zbar_missing():
        return []
    return figures_of(rendered_sets(max(20, bench.seconds * 2)))


def write_failures(tallies: Iterable[Tally]) -> list[str]:
    """The first of what another engine read and ours did not, then of what nobody read, each as a small
    picture; their names."""
    sets = tuple(tallies)
    for old in FAILURES.glob("*.jpg"):
        old.unlink()
    FAILURES.mkdir(exist_ok=True)
    names: list[str] = []
    missed = [(tally, "missed", *one) for tally in sets for one in tally.missed]
    missed += [(tally, "by-nobody", *one) for tally in sets for one in tally.lost]
    for n, (tally, how, damage, pixels) in enumerate(missed):
        if n == MAX_FAILURES:
            break
        by = min(1.0, FAILURE_WIDTH / pixels.shape[1])
        small = cv2.resize(pixels, None, fx=by, fy=by, interpolation=cv2.INTER_AREA)
        kind = tally.name.split(",")[0].replace(" ", "-")
        names.append(f"{n:02}-{how}-{kind}-{damage or 'plain'}.jpg")
        cv2.imwrite(str(FAILURES / names[-1]), small, [cv2.IMWRITE_JPEG_QUALITY, FAILURE_QUALITY])
    return names


def report(
    sets: list[Tally], groups: dict[str, Tally], figures: list[Figure], failures: list[str], made_by: str
) -> str:
    lines = ["# Reading", "", f"Made by `{made_by}`; ms are CPU of one thread.", ""]
    lines += ["| asked | reached | floor or ceiling | |", "|---|---|---|---|"]
    for one in figures:
        limit = f"≥ {one.at_least:g}" if one.at_least is not None else f"≤ {one.at_most:.3g}"
        lines.append(f"| {one.name} | {one.value:.3g} {one.unit} | {limit} {one.unit} | {one.note} |")
    lines.append("")
    lines += ["| frames | engine | read | median ms | p95 ms |", "|---|---|---|---|---|"]
    for tally in sets:
        lines += [tally.row(engine) for engine in ENGINES]
    lines += ["", "| frames | count | union | accepted misreads | read by nobody |", "|---|---|---|---|---|"]
    for tally in sets:
        counts = f"{tally.frames} | {tally.union} | {tally.misread} | {len(tally.lost)}"
        lines.append(f"| {tally.name} | {counts} |")
    lines += ["", "| frames | rung | climbed | its codes | median ms | p95 ms |", "|---|---|---|---|---|---|"]
    for tally in sets:
        for rung, times in tally.rung_ms.items():
            spent = f"{rank(times, 50):.2f} | {rank(times, 95):.2f}"
            lines.append(f"| {tally.name} | {rung} | {len(times)} | {tally.rungs[rung]} | {spent} |")
    names = ("zxing-cpp", "pyzbar", "cv2.barcode", "decoded", "accepted")
    lines += ["", f"| photos | views | {' | '.join(names)} | union | accepted misreads |"]
    lines += ["|---" * (len(names) + 4) + "|"]
    for group, tally in groups.items():
        read = " | ".join(str(tally.read[name]) for name in names)
        lines.append(f"| {group} | {tally.frames} | {read} | {tally.union} | {tally.misread} |")
    every = [tally for tally in (*sets, *groups.values()) if tally.missed]
    lines += ["", f"Read by another engine and not by ours: {sum(len(one.missed) for one in every)}"]
    lines += [f"- {one.name}: {', '.join(damage or 'plain' for damage, _ in one.missed)}" for one in every]
    lines += [""] + [f"![{name}]({FAILURES.name}/{name})" for name in failures]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--frames", type=int, default=200, help="of each rendered set")
    options = parser.parse_args()
    one_core()
    if zbar_missing():
        parser.error(zbar_missing())
    sets = rendered_sets(options.frames)
    data = os.environ.get("BELTKEEPER_TEST_DATA")
    groups = real(Path(data) / "labels") if data else {}
    figures = figures_of(sets) + (photo_figures(groups) if groups else [])
    failures = write_failures(sets)  # photos are not ours to give away
    made_by = f"python -m benchmarks.reading --frames {options.frames}"
    REPORT.write_text(report(sets, groups, figures, failures, made_by), encoding="utf-8")
    show(figures)


if __name__ == "__main__":
    main()
