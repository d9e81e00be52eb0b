"""What open live pages cost the line process: ``python -m benchmarks.page_cost``.

``[--minutes M] [--pages N] [--line NAME] [--folder DIR] [--json FILE|-]``. One run of the line at its nominal
rate, the line process on a core of its own; nobody looks and ``N`` pages are open by turns, so that what
drifts in a run is in both. A page does what ``live.js`` does: it follows the events, and looks anew after an
exit, a change of what stands, and every 5 s. For a quiet machine: the difference is small beside both.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from time import monotonic

import httpx2

from benchmarks.figures import Figure
from benchmarks.real_command import exit_with, parser_of, seconds_of
from benchmarks.real_line import RealRun, cpu_of, measure
from benchmarks.real_time import kept
from simulators.demo.play import Play

MINUTES = 6.0
PAGES = 3
ANSWER_MS = 5
AT_MOST = 1.0
"""Percent of a core."""
TURN_S = 10.0
"""The kernel counts a process' time in hundredths of a second: 0.1 % of a turn."""
FEWEST_TURNS = 4
AGAIN_S = 5.0
LATER_S = {"Exited": 1.0, "Missing": 0.2}
STANDING_S = 0.1
"""How soon ``live.js`` looks anew after a row; rows that only move a parcel are no reason."""
MOVING = frozenset(
    {"TrackOpened", "EyePassed", "ParcelUnexpected", "Identified", "Decided", "StatusBitsChanged"}
    | {"PlcAttached", "PlcDetached", "PlcRefused"}
)
TIMEOUT_S = 10.0


@dataclass(slots=True)
class Turns:
    """Percent of a core that the line process took in each turn, and how often a page looked."""

    alone: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    looks: int = 0
    rows: int = 0


class _Page:
    """One browser on the live page, less the drawing."""

    def __init__(self, http: httpx2.AsyncClient, turns: Turns) -> None:
        self._http = http
        self._turns = turns
        self._soon: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        seq = await self._look()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again())
            async with self._http.stream("GET", "/live/stream", params={"after": seq}, timeout=None) as rows:
                rows.raise_for_status()
                async for line in rows.aiter_lines():
                    kind = json.loads(line[6:]).get("kind") if line.startswith("data: ") else None
                    if kind is not None:
                        self._turns.rows += 1
                        self._row(group, kind)

    def _row(self, group: asyncio.TaskGroup, kind: str) -> None:
        if kind not in MOVING and (self._soon is None or self._soon.done()):
            self._soon = group.create_task(self._later(LATER_S.get(kind, STANDING_S)))

    async def _later(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self._look()

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await self._look()

    async def _look(self) -> int:
        answer = await self._http.get("/live/now")
        answer.raise_for_status()
        self._turns.looks += 1
        return int(answer.json()["seq"])


@asynccontextmanager
async def _by_turns(play: Play, turns: Turns, pages: int, turn_s: float) -> AsyncIterator[None]:
    headers = {"X-API-Key": play.erp_key()}
    async with httpx2.AsyncClient(
        base_url=play.gateway_url, headers=headers, timeout=TIMEOUT_S, trust_env=False
    ) as http:
        turning = asyncio.create_task(_turn(play, turns, http, pages, turn_s))
        try:
            yield
        finally:
            turning.cancel()
            with suppress(asyncio.CancelledError):
                await turning


async def _turn(play: Play, turns: Turns, http: httpx2.AsyncClient, pages: int, turn_s: float) -> None:
    while True:
        turns.alone.append(await _taken(play, turn_s))
        async with asyncio.TaskGroup() as group:
            looking = [group.create_task(_Page(http, turns).run()) for _ in range(pages)]
            turns.watched.append(await _taken(play, turn_s))
            for page in looking:
                page.cancel()


async def _taken(play: Play, turn_s: float) -> float:
    """Percent of a core from now on."""
    began, before_s = monotonic(), cpu_of(play.line_pid)
    await asyncio.sleep(turn_s)
    return (cpu_of(play.line_pid) - before_s) / (monotonic() - began) * 100


def page_cost(run: RealRun, pages: int) -> list[Figure]:
    """Raises as ``measure``."""
    turns = Turns()
    turn_s = min(TURN_S, run.seconds / FEWEST_TURNS)
    found = measure(run, lambda play: _by_turns(play, turns, pages, turn_s))
    pairs = [after - before for before, after in zip(turns.alone, turns.watched, strict=False)]
    unsure = stdev(pairs) / len(pairs) ** 0.5 if len(pairs) > 1 else 0.0
    each = f"{len(pairs)} turns of {turn_s:g} s"
    seen = f"{turns.looks} looks, {turns.rows} rows followed"
    return [
        Figure(name="line process, no page", value=fmean(turns.alone), unit="% of a core", note=each),
        Figure(
            name=f"line process, {pages} pages", value=fmean(turns.watched), unit="% of a core", note=seen
        ),
        Figure(
            name="what the pages cost it",
            value=fmean(pairs),
            unit="% of a core",
            at_most=AT_MOST,
            note=f"± {unsure:.2f} (standard error)",
        ),
        *kept(found, orders_per_s=0),
    ]


def main() -> None:
    parser = parser_of("page_cost", __doc__, minutes=MINUTES)
    parser.add_argument("--pages", type=int, default=PAGES)
    options = parser.parse_args()

    def measured(folder: Path) -> list[Figure]:
        run = RealRun(
            line=options.line,
            seconds=seconds_of(options),
            answer_ms=ANSWER_MS,
            orders_per_s=0,
            folder=folder,
        )
        return page_cost(run, options.pages)

    exit_with(options, measured)


if __name__ == "__main__":
    main()
