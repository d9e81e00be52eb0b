"""Nothing of the process dies quietly or is covered up (invariants 31, 32), each link lives by itself, and
what grows is bounded (30): faults are planted, and seen."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.app import LineFailed, VirtualLine
from edge.model.alarm import AlarmKind
from edge.model.events import DeviceWentDown, DeviceWentUp
from edge.model.ids import JournalSeq
from edge.model.records import AlarmCleared, AlarmRaised
from edge.ports.journal import JournalItem
from edge.runtime.inbox_follower import InboxFollower
from edge.runtime.line_loop import LineLoop
from edge.runtime.link_keeper import LinkKeeper
from edge.runtime.logs import log_nothing
from edge.runtime.look_ups import LookUps
from edge.store.journal_reader import JournalReader
from line_config.load import load_line
from simulators.faults import FaultLevel
from simulators.loop import VirtualLoop
from simulators.network import Network
from simulators.rig import Rig, Run
from tests.line.test_line_app import run

S = 1_000_000


@pytest.fixture(autouse=True)
def _quiet() -> None:
    log_nothing()


async def raises(*_who: object) -> None:
    await asyncio.sleep(0.2)
    raise ZeroDivisionError("a bug")


async def returns(*_who: object) -> None:
    await asyncio.sleep(0.2)


async def is_cancelled(*_who: object) -> None:
    await asyncio.sleep(0.2)
    raise asyncio.CancelledError


TASKS = [(LineLoop, "line loop"), (InboxFollower, "inbox"), (LookUps, "look-ups"), (LinkKeeper, "link ")]


@pytest.mark.parametrize("dies", [raises, returns, is_cancelled])
@pytest.mark.parametrize(("owner", "name"), TASKS, ids=[name for _, name in TASKS])
def test_no_quiet_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, dies: Callable[..., Any]
) -> None:
    """Invariant 31: whichever task ends, however it ends, the process ends and names it; no beat more."""
    monkeypatch.setattr(owner, "run", dies)
    line, ended = run(tmp_path, 60)
    assert isinstance(ended, LineFailed)
    assert f"task {name}" in str(ended)
    stood = line.app.health.beat()
    line.app.health.progress()
    assert line.app.health.beat() == stood


def test_honest_beat(tmp_path: Path) -> None:
    """Invariant 32: a line loop that waits for ever is not covered up by the tasks that go on."""
    beats: list[int] = []

    def plant(line: VirtualLine) -> None:
        health, queue = line.app.health, line.app.queue
        before = [health.beat() for _ in range(2)]
        assert before[0] == before[1]

        queue._hand_over = lambda: None  # type: ignore[method-assign]
        loop = asyncio.get_running_loop()
        for tenths in range(2, 60):
            loop.call_later(tenths / 10, lambda: beats.append(health.beat()))

    line, ended = run(tmp_path, 8, meanwhile=plant)
    assert ended is None
    assert len(beats) == 58
    assert len(set(beats)) == 1, "the links went on, the heart did not"
    assert line.app.devices_up() == {"top": False, "plc": False}


# --- whole lines ----------------------------------------------------------------------------------------


def played(
    data: Path,
    *,
    parcels: int,
    faults: FaultLevel = FaultLevel.NONE,
    line: str = "demo",
    plant: Callable[[Rig, VirtualLoop], None] = lambda _rig, _loop: None,
    look: Callable[[Rig], None] = lambda _rig: None,
) -> Rig:
    """A run to its end, with every invariant proved; ``look`` is called once a virtual second."""
    task = Run(line=load_line(line), parcels=parcels, seed=7, faults=faults)
    loop = VirtualLoop(network=Network(task.seed))

    async def main() -> Rig:
        rig = Rig(task, loop, data)
        loop.call_soon(plant, rig, loop)
        await rig.play(lambda _placed: look(rig))
        return rig

    rig = loop.run(main())
    assert not rig.checker.finish().violated
    return rig


def rows(data: Path, *kinds: type) -> list[JournalItem]:
    reader = JournalReader(data / "journal" / "journal.db")
    try:
        return [item for row in reader.rows(JournalSeq(0)) if isinstance(item := row.item(), kinds)]
    finally:
        reader.close()


def test_a_reader_that_is_away_at_the_start_stops_no_start_and_is_healed_alone(tmp_path: Path) -> None:
    ready: list[bool] = []

    def plant(rig: Rig, loop: VirtualLoop) -> None:
        scanner = rig._scanners["top"]
        scanner.switch_off()
        loop.call_later(25, lambda: ready.append(rig._process is not None and rig._process.ready))
        loop.call_later(30, scanner.switch_on)

    played(tmp_path, parcels=40, plant=plant)
    assert ready == [True], "induction is permitted, and its parcels are told no_read"
    changes = rows(tmp_path, DeviceWentUp, DeviceWentDown)
    of_reader = [type(one) for one in changes if getattr(one, "device", "") == "top"]
    others = [one for one in changes if getattr(one, "device", "") != "top"]
    assert of_reader == [DeviceWentDown, DeviceWentUp], "each change once"
    assert all(isinstance(one, DeviceWentUp) for one in others), "nobody else's link saw anything of it"
    alarms = rows(tmp_path, AlarmRaised, AlarmCleared)
    of_it = [type(one) for one in alarms if getattr(one, "kind", "") is AlarmKind.READER_DOWN]
    assert of_it == [AlarmRaised, AlarmCleared], "shown, and over when it is over"
    came = next(one.at_us for one in changes if isinstance(one, DeviceWentUp) and one.device == "top")
    assert came - min(one.at_us for one in changes) < 32 * S, "back within a second or two of its return"


class Most:
    """The largest that was ever seen of each thing that could grow."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def look(self, rig: Rig) -> None:
        process = rig._process
        if process is None:
            return
        app, state = process.app, process.app.core.state
        self._note("tasks", len(asyncio.all_tasks()))
        self._note("queue", len(app.queue))
        self._note("tracks", len(state.tracks))
        self._note("ended", len(state.ended))
        self._note("cancels", len(state.cancels))
        self._note("alarms", len(state.alarms))
        self._note("wakes", len(app.belt.wakes))
        self._note("marks", sum(len(heap) for heap in _heaps(app.belt.wakes)))
        self._note("codes", len(app.belt._codes))
        self._note("captures", len(app.belt._captures))
        self._note("decided", len(app.loop._decided_from))
        self._note("commits", len(app.loop._commits))
        self._note("look-ups", len(app._look_ups))

    def _note(self, name: str, size: int) -> None:
        self.seen[name] = max(self.seen.get(name, 0), size)


def _heaps(wakes: Any) -> tuple[list[Any], ...]:
    return (wakes._proved, wakes._extrapolated, wakes._timed)


ON_BELT = 20
"""Parcels that the demo line's belt holds, with room for those that a fault has left standing."""
BOUNDS = {
    "tasks": 12,
    "queue": 64,
    "tracks": ON_BELT,
    "ended": 256,
    "cancels": 16,
    "alarms": 16,
    "wakes": 4 * ON_BELT,
    "marks": 4 * ON_BELT,
    "codes": 16,
    "captures": ON_BELT,
    "decided": ON_BELT,
    "commits": 64,
    "look-ups": 2 * ON_BELT,
}


def test_bounded(tmp_path: Path) -> None:
    """Invariant 30: through every fault of two blocks nothing grows beyond what the belt holds."""
    most = Most()
    played(tmp_path, parcels=240, faults=FaultLevel.HARSH, look=most.look)
    assert most.seen.keys() == BOUNDS.keys()
    assert {name: size for name, size in most.seen.items() if size > BOUNDS[name]} == {}
    assert most.seen["tracks"] > 1, "it was looked at while parcels were on the belt"
