"""Two cameras over a fast line beside the same line with a scanner: ``python -m benchmarks.cameras``.

``[--minutes M] [--rounds N] [--folder DIR] [--json FILE|-]``. Both at 12,000 parcels an hour, by turns, with
all processes, simulators too, on whatever cores there are; the bare floor runs beside each. Of the times each
line's best round counts: what else the machine does only adds to them.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.figures import Figure, rank
from benchmarks.real_command import exit_with, parser_of, seconds_of
from benchmarks.real_line import Beside, Measured, RealRun, measure
from benchmarks.real_time import kept
from edge.model.ids import JournalSeq, ReaderId
from edge.model.records import Identified
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from line_config.load import load_line
from simulators.demo.play import Play
from simulators.world.parcel import facing

MINUTES = 1.0
ROUNDS = 3
ANSWER_MS = 5
SCANNED, SEEN = "fast", "tunnel"
"""The line with a scanner, and the one with two cameras in its place."""
SLOWER_MS = 5
TAKEN, MISSED = "beltkeeper_camera_frames_total", "beltkeeper_camera_frames_missed_total"


@dataclass(slots=True)
class Labels:
    """Labels that faced each camera, and of them those that it told of in time; frames."""

    faced: Counter[ReaderId] = field(default_factory=Counter)
    read: Counter[ReaderId] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    """Taken by all cameras, and of them missed, as the line process has counted them."""

    @property
    def missed(self) -> int:
        return self.faced.total() - self.read.total()


def cameras(seconds: int, rounds: int, folder: Path) -> list[Figure]:
    """Raises as ``measure``."""
    scanned, seen, labels = list[Measured](), list[Measured](), Labels()
    for n in range(rounds):
        scanned.append(_played(SCANNED, seconds, folder / f"{SCANNED}-{n}"))
        place = folder / f"{SEEN}-{n}"
        seen.append(_played(SEEN, seconds, place, lambda play: _framed(play, labels)))
        _count(seen[-1], labels)
    of_each = ", ".join(f"{one} {labels.read[one]} of {labels.faced[one]}" for one in sorted(labels.faced))
    plain, fused = (
        _told(scanned, "decide → told p99, a scanner"),
        _told(seen, "decide → told p99, two cameras"),
    )
    slower = fused.value - plain.value
    return [
        Figure(name="labels that a camera missed", value=labels.missed, unit="", at_most=0, note=of_each),
        Figure(
            name="frames that nobody looked at",
            value=labels.frames[MISSED],
            unit="",
            at_most=0,
            note=f"of {labels.frames[TAKEN]}",
        ),
        plain,
        fused,
        Figure(name="two cameras, slower by", value=slower, unit="ms", at_most=SLOWER_MS),
        *kept(seen[-1], orders_per_s=0),
    ]


def _played(line: str, seconds: int, place: Path, beside: Beside = lambda _: nullcontext()) -> Measured:
    place.mkdir()
    run = RealRun(line=line, seconds=seconds, answer_ms=ANSWER_MS, orders_per_s=0, folder=place, pinned=False)
    return measure(run, beside)


@asynccontextmanager
async def _framed(play: Play, labels: Labels) -> AsyncIterator[None]:
    """From the first parcel to the last: what the cameras took while they warmed up is none of a parcel's."""
    before = await _frames(play)
    yield
    after = await _frames(play)
    labels.frames.update({name: round(after[name] - before[name]) for name in (TAKEN, MISSED)})


async def _frames(play: Play) -> Counter[str]:
    async with httpx2.AsyncClient(base_url=play.gateway_url, trust_env=False) as http:
        answer = await http.get("/metrics/line", headers={"X-API-Key": play.operator_key()})
    found = Counter[str]()
    for family in text_string_to_metric_families(answer.raise_for_status().text):
        for sample in family.samples:
            found[sample.name] += sample.value  # type: ignore[assignment]
    return found


def _told(rounds: list[Measured], name: str) -> Figure:
    p99 = list[float]()
    for one in rounds:
        times = one.ended.report.summary["decide_to_told_ms"]
        assert isinstance(times, dict)
        p99.append(times["p99"])
    bare = ", ".join(f"{rank(one.bare_ms, 99):.1f}" for one in rounds)
    note = f"of {', '.join(f'{one:.1f}' for one in p99)}; bare beside them {bare}"
    return Figure(name=name, value=min(p99), unit="ms", note=note)


def _count(found: Measured, labels: Labels) -> None:
    """The world says which cameras a parcel's label faced, the record which of them told of it."""
    topology = load_line(SEEN).topology
    told: dict[str, set[ReaderId]] = {}
    with closing(JournalReader(Places(found.ended.data).journal)) as record:
        for row in record.rows(JournalSeq(0)):
            item = row.item() if row.kind == Identified.__name__ else None
            if isinstance(item, Identified):
                for code in item.codes:
                    told.setdefault(code.text, set()).update(code.readers)
    with (found.ended.data / "truth.jsonl").open(encoding="utf-8") as truth:
        for line in truth:
            row = json.loads(line)
            if row["fact"] != "Placed" or not row["waybill"]:
                continue
            for reader in facing(row["index"], topology):
                labels.faced[reader] += 1
                labels.read[reader] += reader in told.get(row["waybill"], ())


def main() -> None:
    parser = parser_of("cameras", __doc__, minutes=MINUTES, each="of each line", line=False)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of both lines")
    options = parser.parse_args()
    exit_with(options, lambda folder: cameras(seconds_of(options), options.rounds, folder))


if __name__ == "__main__":
    main()
