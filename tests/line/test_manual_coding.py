"""A whole line in virtual time, and a person who keys the codes of parcels that no reader could read."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.intake import Actor, Taken, message_about
from edge.model.coding import CodingOutcome
from edge.model.ids import JournalSeq, MessageId, TrackId, Waybill
from edge.model.units import UtcUs
from edge.runtime.logs import log_nothing
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from line_config.load import load_line
from simulators.fault_plan import ScriptedPlan
from simulators.faults import FaultLevel, ParcelFault, ParcelFaultKind
from simulators.loop import VirtualLoop
from simulators.network import Network
from simulators.rig import Rig, Run
from simulators.world.checker import Report

STATION = Actor(id="station-2", role="operator")
UNREAD = (6, 12)
"""Parcels whose label only a person can read."""
SEED = 11
LOOK_S = 0.1


@pytest.fixture(autouse=True)
def quiet_and_small() -> Iterator[None]:
    """A run looks for tasks that nobody holds: not among all that the test process has loaded."""
    log_nothing()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Coder:
    """Reads the pictures of those that wait, after ``after_s``, and types each code twice."""

    def __init__(self, rig: Rig, data: Path, after_s: float) -> None:
        self._rig = rig
        self._journal = JournalReader(Places(data).journal)
        self._after_s = after_s
        self.coded: dict[int, Waybill] = {}

    async def work(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._rig._look()
            for row in self._journal.to_code(10):
                if row.track not in self.coded:
                    waybill = self._rig.hall.erp.parcel(row.track - 1).planned.waybill
                    self.coded[row.track] = Waybill(waybill)
                    await asyncio.sleep(self._after_s)
                    self._key(row.track, Waybill(waybill))

    def _key(self, track: int, code: Waybill) -> None:
        message = message_about(MessageId(f"coding/{track}"), UtcUs(1), "coding", track, code, by=STATION)
        answer = self._rig._intake.key_code(message, TrackId(track), code, code, STATION.id)
        assert isinstance(answer, Taken)
        self._rig._ring()

    def close(self) -> None:
        self._journal.close()


def played(data: Path, after_s: float) -> tuple[Report, Coder]:
    line = load_line("small")
    plan = ScriptedPlan(
        line.topology, {index: ParcelFault(kind=ParcelFaultKind.NO_READ) for index in UNREAD}, ()
    )
    run = Run(line=line, parcels=20, seed=SEED, faults=FaultLevel.NONE, plan=plan)
    loop = VirtualLoop(network=Network(SEED))
    found: list[tuple[Rig, Coder]] = []

    async def main() -> None:
        rig = Rig(run, loop, data)
        coder = Coder(rig, data, after_s)
        found.append((rig, coder))
        task = loop.create_task(coder.work())
        await rig.play(lambda _placed: None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    loop.run(main())
    rig, coder = found[0]
    coder.close()
    rig.shadow.finish()
    return rig.checker.finish(), coder


def outcomes(data: Path) -> list[str]:
    reader = JournalReader(Places(data).journal)
    rows = [row.item() for row in reader.rows(JournalSeq(0)) if row.kind == "KeyedCodeTaken"]
    reader.close()
    return [row.outcome for row in rows]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("after_s", "outcome", "reason"),
    [(0.1, CodingOutcome.JOINED, None), (6.0, CodingOutcome.GONE_BY, "no_read")],
    ids=["in time", "too late"],
)
def test_in_time_it_sorts_and_too_late_it_is_ready(
    tmp_path: Path, after_s: float, outcome: CodingOutcome, reason: str | None
) -> None:
    report, coder = played(tmp_path, after_s)
    assert report.violations == ()
    assert set(coder.coded) == {index + 1 for index in UNREAD}
    assert outcomes(tmp_path) == [outcome] * len(UNREAD)
    by_reason = report.as_json()["by_reason"]
    assert isinstance(by_reason, dict)
    assert by_reason.get("no_read", 0) == (len(UNREAD) if reason else 0)
    reader = JournalReader(Places(tmp_path).journal)
    assert {row.waybill for row in reader.ready_codes(10)} == (set(coder.coded.values()) if reason else set())
    assert reader.to_code(10) == ()
    reader.close()
