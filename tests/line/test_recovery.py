"""Where a restart goes on: snapshot and tail give what the whole record gives, and what differs is seen."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from edge.app import VirtualLine
from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.ids import JournalSeq
from edge.runtime.logs import log_nothing
from edge.runtime.recovery import Recovered, recover, replay
from edge.store.errors import StoreUnreadable
from edge.store.journal_file import JournalFile
from edge.store.journal_reader import JournalReader
from edge.store.journal_types import JournalRow
from edge.store.rows import EVENTS, decode, encode
from line_config.load import load_line
from simulators.faults import FaultLevel
from simulators.line_host import LineHost, WatchedBus
from simulators.loop import VirtualLoop
from simulators.network import Network
from simulators.rig import Rig, Run
from tests.core.runtime_kit import logs

PARCELS = 60
CRASHES = (150, 400)
CUTS = 12


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    log_nothing()


@dataclass(frozen=True)
class Played:
    """A run with faults and two crashes: its record, and the state in which its last process ended."""

    journal: Path
    last_state: str


class KeptRig(Rig):
    """Remembers its line processes."""

    def __init__(self, run: Run, loop: VirtualLoop, data: Path) -> None:
        super().__init__(run, loop, data)
        self.lives: list[VirtualLine] = []

    def _make_line(self, host: LineHost) -> tuple[VirtualLine, WatchedBus]:
        line, bus = super()._make_line(host)
        self.lives.append(line)
        return line, bus


LINE = load_line("demo")
LINE = replace(LINE, store=replace(LINE.store, snapshot_rows=400))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    run = Run(line=LINE, parcels=PARCELS, seed=5, faults=FaultLevel.DEFAULT, crash_at=CRASHES)
    loop = VirtualLoop(network=Network(run.seed))
    data = tmp_path_factory.mktemp("played")
    rigs: list[KeptRig] = []

    async def main() -> None:
        rigs.append(KeptRig(run, loop, data))
        await rigs[0].play(lambda _placed: None)

    loop.run(main())
    (rig,) = rigs
    assert rig.host.crashes == len(CRASHES)
    return Played(data / "journal" / "journal.db", encode(rig.lives[-1].app.core.state))


@pytest.fixture
def journal(played: Played, tmp_path: Path) -> Path:
    """A copy to be cut and spoiled."""
    folder = tmp_path / "journal"
    shutil.copytree(played.journal.parent, folder)
    return folder / played.journal.name


@pytest.fixture
def rows(played: Played) -> Iterator[tuple[JournalRow, ...]]:
    reader = JournalReader(played.journal)
    yield tuple(reader.rows(JournalSeq(0)))
    reader.close()


def cut(journal: Path, after: int) -> None:
    """As if the process had been killed when row ``after`` was the last one committed."""
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("DELETE FROM event WHERE seq > ?", (after,))
        database.execute("DELETE FROM snapshot WHERE seq > ?", (after,))


def without_snapshots(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("DELETE FROM snapshot")


def recovered(journal: Path) -> Recovered:
    return recover(journal, LINE.topology)


def test_the_next_process_begins_with_the_state_in_which_the_last_one_ended(played: Played) -> None:
    found = recovered(played.journal)
    assert encode(found.core.state) == played.last_state
    assert (found.differs_at, found.rows_since_snapshot) == (None, 0), "an orderly end leaves a snapshot"
    plc = found.core.state.plc
    assert (found.resume.epoch, found.resume.ring_last) == (plc.epoch, plc.ring_last)
    assert found.resume.ring_last > PARCELS


def test_snapshot_and_tail_equal_the_whole_record_wherever_it_is_cut(
    journal: Path, rows: tuple[JournalRow, ...]
) -> None:
    """Cut before whole inputs only: a commit holds nothing less."""
    inputs = [row.seq for row in rows if row.kind in EVENTS]
    for place in range(CUTS - 1, 0, -1):
        last = inputs[len(inputs) * place // CUTS] - 1
        cut(journal, last)
        short = recovered(journal)
        bare = journal.parent / "bare"
        shutil.copytree(journal.parent, bare, ignore=lambda *_: ["bare"])
        without_snapshots(bare / journal.name)
        whole = recovered(bare / journal.name)
        shutil.rmtree(bare)
        assert encode(short.core.state) == encode(whole.core.state), f"cut after row {last}"
        assert short.core.outstanding() == whole.core.outstanding()
        assert (short.differs_at, whole.differs_at) == (None, None)
        assert whole.rows_since_snapshot == last
        assert short.resume == whole.resume


def test_a_snapshot_anywhere_goes_on_as_the_core_that_it_is_of(rows: tuple[JournalRow, ...]) -> None:
    step = max(1, len(rows) // CUTS)
    core = LineCore(LINE.topology)
    kept: list[tuple[int, str]] = []
    n = 0
    while n < len(rows):
        end = n + step
        while end < len(rows) and rows[end].kind not in EVENTS:
            end += 1
        assert replay(core, rows[n:end]) is None
        kept.append((end, encode(core.state)))
        n = end
    assert len(kept) >= CUTS
    for end, state in kept:
        again = LineCore(LINE.topology, decode(CoreState, state))
        assert replay(again, rows[end:]) is None
        assert encode(again.state) == kept[-1][1]


def spoil(journal: Path, seq: int, sql: str) -> None:
    without_snapshots(journal)
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute(sql, (seq,))


def a_decision(rows: tuple[JournalRow, ...]) -> JournalRow:
    decisions = [row for row in rows if row.kind == "Decided"]
    return decisions[len(decisions) // 2]


def test_another_decision_than_this_builds_is_seen_where_it_stands(
    journal: Path, rows: tuple[JournalRow, ...]
) -> None:
    row = a_decision(rows)
    spoil(journal, row.seq, "UPDATE event SET body=json_set(body, '$.rule', 'another build') WHERE seq=?")
    with logs() as told_logs:
        found = recovered(journal)
    assert found.differs_at == row.seq
    assert [log["seq"] for log in told_logs if "replay differs" in log["event"]] == [row.seq]


def test_a_record_that_is_missing_is_seen_at_the_row_after_it(
    journal: Path, rows: tuple[JournalRow, ...]
) -> None:
    row = a_decision(rows)
    spoil(journal, row.seq, "DELETE FROM event WHERE seq=?")
    assert recovered(journal).differs_at == row.seq + 1


def test_records_that_are_missing_at_the_very_end_are_seen(
    journal: Path, rows: tuple[JournalRow, ...]
) -> None:
    row = a_decision(rows)
    spoil(journal, row.seq - 1, "DELETE FROM event WHERE seq > ?")
    assert recovered(journal).differs_at == row.seq - 1


def test_a_snapshot_of_another_build_is_no_loss(journal: Path, played: Played) -> None:
    """A field that this build does not know: the record is played from its first row."""
    with closing(sqlite3.connect(journal)) as database, database:
        for seq, body in database.execute("SELECT seq, CAST(body AS TEXT) FROM snapshot").fetchall():
            other = ('{"a_field_of_tomorrow":1,' + body[1:]).encode()
            database.execute(
                "UPDATE snapshot SET body=?, sha256=? WHERE seq=?", (other, sha256(other).digest(), seq)
            )
    found = recovered(journal)
    assert encode(found.core.state) == played.last_state
    assert found.differs_at is None
    assert found.rows_since_snapshot > 400


def test_a_snapshot_that_is_damaged_is_passed_over(journal: Path, played: Played) -> None:
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("UPDATE snapshot SET body=substr(body, 1, 100)")
    assert encode(recovered(journal).core.state) == played.last_state


def test_a_record_that_does_not_fit_this_line_is_one_sentence(journal: Path) -> None:
    without_snapshots(journal)
    with pytest.raises(StoreUnreadable, match="does not fit this build and configuration"):
        recover(journal, load_line("small").topology)


def test_a_line_without_a_record_begins_afresh(tmp_path: Path) -> None:
    for made in (False, True):
        if made:
            JournalFile(
                tmp_path / "journal.db", line_id="demo", timezone="Asia/Shanghai", synchronous="OFF"
            ).close()
        found = recovered(tmp_path / "journal.db")
        assert encode(found.core.state) == encode(CoreState())
        assert (found.cursor, found.rows_since_snapshot, found.differs_at) == (0, 0, None)
        assert (found.resume.epoch, found.resume.ring_last, found.resume.ticks) == (0, 0, 0)


def test_the_cursor_of_the_inbox_is_the_one_that_was_committed(played: Played) -> None:
    with closing(sqlite3.connect(played.journal)) as database:
        (kept,) = database.execute("SELECT value FROM meta WHERE key='inbox_cursor'").fetchone()
    assert recovered(played.journal).cursor == int(kept) > 0
