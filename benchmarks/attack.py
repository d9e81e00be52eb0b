"""One line twice in real time, calm and under attack: how long cancels take, and the line's own timing.

``python -m benchmarks.attack [--minutes M] [--line NAME] [--folder DIR] [--json FILE|-]``. The line process
has a core of its own; simulators, gateway, client and attackers share the others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx2

from api.console import ask
from benchmarks.attackers import GROUPS, Seen, attacked
from benchmarks.figures import Figure, rank
from benchmarks.real_command import exit_with, parser_of, seconds_of
from benchmarks.real_line import Measured, RealRun, measure
from benchmarks.real_time import told_p99
from edge.model.ids import JournalSeq
from edge.model.verdict import ParcelState, Reason
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from simulators.demo.play import Play
from simulators.demo.summary import MUST_BE_ZERO

MINUTES = 1.0
ANSWER_MS = 5
"""Of the simulated PLC."""
EVERY_S = 0.5
"""A cancel, of an order whose parcel was not told and of one that was, in turns."""
AHEAD = 20
"""Parcels; the ERP has pushed 48 at the least."""
TIMEOUT_S = 30.0
NOT_TOLD_MS = 200
ANY_MS = 450
TOLD_P99_MS = 50
CHANGE_MS = 5
LOST = ("DeviceWentDown", "DivertAborted")
OK = 200


@dataclass(slots=True)
class Cancels:
    """Milliseconds to each answer, of orders whose parcels were not told and of all others; ``unanswered``:
    503 or none. ``lost``: how often the line lost a device, or the PLC took a divert back."""

    not_told_ms: list[float] = field(default_factory=list)
    other_ms: list[float] = field(default_factory=list)
    unanswered: int = 0
    lost: int = 0
    seen: Seen = field(default_factory=dict)
    """What became of the attackers, by kind."""


@dataclass(frozen=True, slots=True)
class _Client:
    """An ERP that cancels and looks at its watch."""

    http: httpx2.AsyncClient
    record: JournalReader
    found: Cancels

    async def run(self) -> None:
        while True:
            for pick, times in ((self._ahead, self.found.not_told_ms), (self._told, self.found.other_ms)):
                order_no = pick()
                if order_no:
                    await self._cancel(order_no, times)
                await asyncio.sleep(EVERY_S)

    def _ahead(self) -> str:
        """Its parcel is not on the belt yet: without faults, order n has track n."""
        newest = self.record.latest_parcels(1)
        return f"D{newest[0].track + AHEAD:08d}" if newest else ""

    def _told(self) -> str:
        """One that the PLC was told of, or that has left."""
        rows = self.record.latest_parcels(AHEAD)
        told = [row.order_no for row in rows if row.state in (ParcelState.TOLD, ParcelState.EXITED)]
        return (told[0] or "") if told else ""

    async def _cancel(self, order_no: str, times: list[float]) -> None:
        began = monotonic()
        answer: httpx2.Response | None = None
        with suppress(httpx2.HTTPError):
            body = {"message_id": f"timed:{order_no}:{len(times)}"}
            answer = await self.http.post(f"/v1/orders/{order_no}/cancel", json=body)
        times.append((monotonic() - began) * 1_000)
        self.found.unanswered += answer is None or answer.status_code != OK


def beside(
    found: Cancels, data: Path, *, harm: bool
) -> Callable[[Play], AbstractAsyncContextManager[object]]:
    """Cancels all the while, and with ``harm`` the attackers too."""

    @asynccontextmanager
    async def all_the_while(play: Play) -> AsyncIterator[None]:
        record = JournalReader(Places(data).journal)
        headers = {"X-API-Key": play.erp_key()}
        keys = [await _stolen(data, n) for n in range(len(GROUPS))]
        port = httpx2.URL(play.gateway_url).port or 0
        attackers: AbstractAsyncContextManager[Seen] = attacked(port, keys) if harm else nullcontext({})
        try:
            async with (
                httpx2.AsyncClient(
                    base_url=play.gateway_url, headers=headers, timeout=TIMEOUT_S, trust_env=False
                ) as http,
                attackers as seen,
            ):
                client = asyncio.create_task(_Client(http, record, found).run())
                try:
                    yield
                finally:
                    client.cancel()
                    with suppress(asyncio.CancelledError):
                        await client
            found.seen = seen
            found.lost = sum(row.kind in LOST for row in record.rows(JournalSeq(0)))
        finally:
            record.close()

    return all_the_while


async def _stolen(data: Path, number: int) -> str:
    question = {"do": "add", "name": f"stolen-{number}", "role": "erp"}
    return str((await asyncio.to_thread(ask, data, question))["added"]["text"])


def attack(line: str, seconds: int, folder: Path) -> list[Figure]:
    """Raises as ``measure``, and ``ChildProcessError``."""
    runs = []
    for name, harm in (("calm", False), ("under attack", True)):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        run = RealRun(line=line, seconds=seconds, answer_ms=ANSWER_MS, orders_per_s=0, folder=place)
        found = Cancels()
        runs.append((name, found, measure(run, beside(found, place / "line", harm=harm))))
    told_ms = {name: told_p99(measured) for name, _, measured in runs}
    figures = [one for name, found, measured in runs for one in _figures(name, found, measured)]
    change = told_ms["under attack"] - told_ms["calm"]
    return [*figures, Figure(name="decide → told p99, change", value=change, unit="ms", at_most=CHANGE_MS)]


def _figures(name: str, found: Cancels, measured: Measured) -> list[Figure]:
    summary = measured.ended.report.summary
    by_reason = summary["by_reason"]
    assert isinstance(by_reason, dict)
    wrong = sum(int(str(summary[one])) for one in MUST_BE_ZERO) + sum(measured.ended.report.violated.values())
    late = by_reason.get(Reason.LATE_DECISION.value, 0)
    bare = f"a bare client's p99 {rank(measured.bare_ms, 99):.1f} ms meanwhile"
    ends = "; ".join(f"{kind}: {ways}" for kind, ways in found.seen.items()) or "no attackers"
    return [
        *_waits(f"cancel, not told, {name}", found.not_told_ms, NOT_TOLD_MS),
        *_waits(f"cancel, any other, {name}", found.other_ms, ANY_MS),
        Figure(name=f"cancels without an answer, {name}", value=found.unanswered, unit="", note=ends),
        Figure(
            name=f"decide → told p99, {name}",
            value=told_p99(measured),
            unit="ms",
            at_most=TOLD_P99_MS,
            note=bare,
        ),
        Figure(name=f"late decisions, {name}", value=late, unit="parcels", at_most=0),
        Figure(name=f"devices lost, diverts aborted, {name}", value=found.lost, unit="", at_most=0),
        Figure(name=f"lost, wrong or invariants broken, {name}", value=wrong, unit="", at_most=0),
    ]


def _waits(name: str, times_ms: list[float], at_most: int) -> list[Figure]:
    note = f"{len(times_ms)} cancels"
    return [
        Figure(name=f"{name}, p50", value=rank(times_ms, 50), unit="ms", note=note),
        Figure(name=f"{name}, max", value=max(times_ms, default=0.0), unit="ms", at_most=at_most),
    ]


def main() -> None:
    options = parser_of("attack", __doc__, minutes=MINUTES, each="of each of the two").parse_args()
    exit_with(options, lambda folder: attack(options.line, seconds_of(options), folder))


if __name__ == "__main__":
    main()
