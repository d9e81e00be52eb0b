"""A record to measure with: a short simulation's own journal, its items in their order."""

from pathlib import Path

from edge.model.ids import JournalSeq
from edge.ports.journal import JournalItem
from edge.store.journal_reader import JournalReader
from line_config.description import LineDescription
from simulators.faults import FaultLevel
from simulators.loop import VirtualLoop
from simulators.network import Network
from simulators.rig import Rig, Run

SEED = 7


def recorded(line: LineDescription, parcels: int, folder: Path) -> list[JournalItem]:
    """Events and records of a run with default faults, as they were journaled in ``folder``."""
    run = Run(line=line, parcels=parcels, seed=SEED, faults=FaultLevel.DEFAULT)
    loop = VirtualLoop(network=Network(run.seed))

    async def play() -> None:
        await Rig(run, loop, folder).play(lambda _placed: None)

    loop.run(play())
    reader = JournalReader(folder / "journal" / "journal.db")
    try:
        return [row.item() for row in reader.rows(JournalSeq(0))]
    finally:
        reader.close()
