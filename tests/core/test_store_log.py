"""The event log: chained, dated, cut into days, and found again whole."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.alarm import AlarmKind
from edge.model.events import ClockRead, LineStarted, WakePurpose, Woke
from edge.model.ids import BootEpoch, InboxSeq, JournalSeq, TrackId
from edge.model.order import CancelOutcome
from edge.model.records import AlarmRaised
from edge.model.units import MonoUs, Ticks, UtcUs
from edge.ports.journal import JournalFailed
from edge.store import files, journal_file, segments
from edge.store.errors import RowTooLarge, SchemaMismatch, StoreUnreadable
from edge.store.files import open_writer
from edge.store.journal_reader import JournalReader
from edge.store.schema import LOG_SCHEMAS
from edge.store.segments import Rotation
from tests.core.store_kit import (
    DAY_US,
    LINE,
    MIDNIGHT,
    Scribe,
    cancel_answered,
    clock,
    exited,
    eye,
    opened,
    parcel_life,
)

ZERO = JournalSeq(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "journal.db"


@pytest.fixture
def scribe(path: Path) -> Iterator[Scribe]:
    scribe = Scribe(path)
    yield scribe
    scribe.close()


@pytest.fixture
def reader(path: Path) -> Iterator[JournalReader]:
    reader = JournalReader(path)
    yield reader
    reader.close()


def started(at: int) -> LineStarted:
    return LineStarted(at_us=MonoUs(at), build="b", config_hash="c", chutes_disabled=())


def days(scribe: Scribe, count: int, rows: int = 3) -> None:
    """``count`` days with a parcel and some wakes each."""
    scribe.write(started(1), clock(2, MIDNIGHT))
    for n in range(count):
        at = 10 + n * DAY_US
        wake = Woke(at_us=MonoUs(at + 9), purpose=WakePurpose.DECIDE, ref=n + 1, ticks=Ticks(0))
        scribe.write(*parcel_life(n + 1, at), *[wake] * rows, cursor=n)


def rotate(scribe: Scribe) -> Rotation:
    rotation = Rotation(scribe.file)
    while rotation.due():
        rotation.step()
    return rotation


def test_the_chain_is_what_anyone_can_compute_from_the_file(scribe: Scribe, path: Path) -> None:
    scribe.write(started(1), clock(2, MIDNIGHT), *parcel_life(1, 10))
    scribe.write(*parcel_life(2, 20))
    head = sha256(b"beltkeeper journal\n" + LINE.encode()).digest()
    rows = sqlite3.connect(path).execute("SELECT * FROM event ORDER BY seq").fetchall()
    assert len(rows) == 16
    for expected, (seq, at_us, utc_us, kind, track, body, digest) in enumerate(rows, 1):
        fields = [seq, at_us, "" if utc_us is None else utc_us, kind, "" if track is None else track, body]
        head = sha256(head + "\n".join(map(str, fields)).encode()).digest()
        assert (seq, digest) == (expected, head)


def test_rows_go_on_in_number_and_chain_after_a_restart(path: Path, reader: JournalReader) -> None:
    for n in range(3):
        scribe = Scribe(path)
        scribe.write(started(n), *parcel_life(n + 1, 10), cursor=n)
        scribe.write()  # nothing is a commit too
        scribe.close()
    assert [row.seq for row in reader.rows(ZERO)] == list(range(1, 25))
    assert reader.verify_chain().rows == 24
    assert reader.verify_chain().bad_seq is None
    recovery = reader.recovery()
    assert (recovery.state, recovery.last_seq, recovery.inbox_cursor, recovery.next_track) == (None, 24, 2, 4)


def test_the_inbox_cursor_never_falls(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(eye(1, 0), cursor=5)
    scribe.cursor = 0
    with pytest.raises(JournalFailed, match="the inbox cursor fell from 5 to 4"):
        scribe.write(eye(2, 0), cursor=4)
    scribe.file.close()
    assert (reader.recovery().inbox_cursor, reader.last_seq()) == (5, 1)


def test_rows_say_which_parcel_they_are_about(scribe: Scribe, path: Path, reader: JournalReader) -> None:
    limit = Woke(at_us=MonoUs(3), purpose=WakePurpose.CANCEL_LIMIT, ref=7, ticks=Ticks(0))
    wake = Woke(at_us=MonoUs(3), purpose=WakePurpose.DECIDE, ref=7, ticks=Ticks(0))
    scribe.write(eye(1, 33), opened(1, 7, number=33), wake, limit)
    scribe.write(eye(2, 33), eye(2, 34), eye(2, 33, epoch=2))
    scribe.close()
    again = Scribe(path)  # knows the open track from the file
    again.write(eye(3, 33), exited(4, 7, "W1"))
    again.write(eye(5, 33), cancel_answered(6, 1, CancelOutcome.ACCEPTED))
    again.close()
    tracks = [row.track for row in reader.rows(ZERO)]
    assert tracks == [7, 7, 7, None, 7, None, None, 7, 7, None, 1]
    assert [row.seq for row in reader.story(TrackId(7))] == [1, 2, 3, 5, 8, 9]
    assert reader.story(TrackId(8)) == ()


def test_wall_time_is_given_to_rows_from_the_agreed_clock_on(scribe: Scribe, reader: JournalReader) -> None:
    read = ClockRead(at_us=MonoUs(5), utc_us=UtcUs(999))
    scribe.write(started(1), read)
    scribe.write(clock(10, 1_010), read)
    scribe.write(started(1), read)
    assert [row.utc_us for row in reader.rows(ZERO)] == [None, None, 1_010, 1_005, None, None]


def test_items_come_back_as_they_were_appended(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(*parcel_life(1, 10))
    assert tuple(row.item() for row in reader.rows(ZERO)) == parcel_life(1, 10)


def test_rows_and_snapshots_over_their_bounds_are_refused_and_take_no_number(
    scribe: Scribe, reader: JournalReader
) -> None:
    big = AlarmRaised(
        at_us=MonoUs(1), kind=AlarmKind.JAM, subject="", detail="x" * journal_file.MAX_BODY_BYTES
    )
    with pytest.raises(RowTooLarge, match=r"AlarmRaised: \d+ bytes, at most 1048576"):
        scribe.write(eye(1, 1), big)
    with pytest.raises(RowTooLarge, match="core snapshot"):
        scribe.snapshot(bytes(journal_file.MAX_SNAPSHOT_BYTES + 1))
    scribe.write(eye(1, 1))
    assert [row.seq for row in reader.rows(ZERO)] == [1]


def test_the_two_latest_snapshots_are_kept_and_a_damaged_one_is_passed_over(
    scribe: Scribe, reader: JournalReader, path: Path
) -> None:
    for n in range(4):
        scribe.write(eye(n, 0))
        scribe.snapshot(b"state %d" % n)
    assert (reader.recovery().state, reader.recovery().snapshot_seq) == (b"state 3", 4)
    with sqlite3.connect(path) as damage:
        assert damage.execute("SELECT seq FROM snapshot ORDER BY seq").fetchall() == [(3,), (4,)]
        damage.execute("UPDATE snapshot SET body='state X' WHERE seq=4")
    damage.close()
    assert (reader.recovery().state, reader.recovery().snapshot_seq) == (b"state 2", 3)
    assert [row.seq for row in reader.rows(reader.recovery().snapshot_seq)] == [4]


def test_a_failed_commit_leaves_nothing_and_says_why(path: Path, reader: JournalReader) -> None:
    scribe = Scribe(path)
    scribe.write(*parcel_life(1, 10))
    scribe.file.connection.execute("PRAGMA max_page_count=1")
    with pytest.raises(JournalFailed, match=r"journal\.db: database or disk is full; the journal cannot be"):
        scribe.write(*(item for n in range(2, 400) for item in parcel_life(n, n * 10)))
    scribe.close()
    assert reader.last_seq() == 7
    assert reader.verify_chain().bad_seq is None


def test_past_days_move_to_segments_and_nothing_else_changes(
    scribe: Scribe, reader: JournalReader, path: Path
) -> None:
    days(scribe, 4, rows=1200)
    before = list(reader.rows(ZERO))
    stories = [reader.story(TrackId(n)) for n in (1, 2, 3, 4)]
    assert [len(story) for story in stories] == [71, 71, 71, 71]
    rotate(scribe)
    files = sorted(file.name for file in (path.parent / "segments").iterdir())
    assert files == [f"journal-2023111{7 + n}-{n + 1}.db" for n in range(3)]
    left = scribe.file.connection.execute("SELECT min(seq), max(seq), count(*) FROM event").fetchone()
    assert left == (3 + 3 * 1207, 2 + 4 * 1207, 1207)
    assert list(reader.rows(ZERO)) == before
    assert [reader.story(TrackId(n)) for n in (1, 2, 3, 4)] == stories
    assert reader.verify_chain().rows == len(before) == 2 + 4 * 1207
    assert reader.verify_chain().bad_seq is None
    assert [row.seq for row in reader.rows_after(JournalSeq(1000), 5)] == [1001, 1002, 1003, 1004, 1005]
    scribe.write(*parcel_life(5, 20 + 3 * DAY_US))
    assert reader.last_seq() == len(before) + 7
    assert reader.verify_chain().bad_seq is None


def test_segments_closed_by_an_earlier_build_are_read_as_they_stand(
    scribe: Scribe, reader: JournalReader, path: Path
) -> None:
    days(scribe, 2)
    rotate(scribe)
    before = list(reader.rows(ZERO))
    (segment,) = (path.parent / "segments").iterdir()
    for revision, readable in ((LOG_SCHEMAS[0], True), ("journal_9999", False)):
        with closing(sqlite3.connect(segment)) as file, file:
            file.execute("UPDATE alembic_version SET version_num=?", (revision,))
        again = JournalReader(path)
        if readable:
            assert list(again.rows(ZERO)) == before
        else:
            with pytest.raises(SchemaMismatch, match="journal_9999"):
                again.rows_after(ZERO, 1)
        again.close()


def test_days_end_at_the_sites_midnight_and_never_go_back(path: Path, scribe: Scribe) -> None:
    def written() -> list[tuple[str, int]]:
        return scribe.file.connection.execute("SELECT * FROM day ORDER BY first_seq").fetchall()

    scribe.write(started(1))
    scribe.write(clock(0, MIDNIGHT - 1))
    assert written() == [("20231116", 1)]
    scribe.write(eye(0, 0), eye(1, 0))
    assert written() == [("20231116", 1), ("20231117", 4)]
    scribe.write(clock(0, MIDNIGHT - DAY_US))
    scribe.write(clock(0, MIDNIGHT + 3 * DAY_US))
    assert written()[2:] == [("20231120", 6)]


def test_a_restart_in_a_closed_journal_goes_on(scribe: Scribe, path: Path, reader: JournalReader) -> None:
    days(scribe, 3)
    rotate(scribe)
    scribe.close()
    again = Scribe(path)
    again.write(started(1), clock(2, MIDNIGHT + 4 * DAY_US), *parcel_life(9, 30))
    rotate(again)
    again.close()
    assert reader.verify_chain().bad_seq is None
    assert reader.last_seq() == 41
    assert len(list((path.parent / "segments").iterdir())) == 3


@given(stop=st.integers(0, 40), torn=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_crash_at_any_step_of_a_rotation_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, stop: int, torn: bool
) -> None:
    path = tmp_path_factory.mktemp("crash") / "journal.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SLICE_ROWS", 4)
        patch.setattr(segments, "open_writer", lambda file, synchronous: open_writer(file, synchronous="OFF"))
        scribe = Scribe(path)
        days(scribe, 3)
        reader = JournalReader(path)
        before = list(reader.rows(ZERO))
        rotation = Rotation(scribe.file)
        for _ in range(stop):
            rotation.step()
            assert [row.seq for row in reader.rows(ZERO)] == [row.seq for row in before]
        crash = scribe.file.connection
        crash.close()  # what is in the file is all there is
        scribe.file.close()
        if torn:
            for file in path.parent.glob("segments/*.tmp"):
                file.write_bytes(file.read_bytes()[:1000])
        again = Scribe(path)
        assert list(reader.rows(ZERO)) == before
        rotate(again)
        assert list(reader.rows(ZERO)) == before
        assert reader.verify_chain() == JournalReader(path).verify_chain()
        assert reader.verify_chain().bad_seq is None
        assert again.file.connection.execute("SELECT count(*) FROM segment").fetchone() == (2,)
        assert again.file.connection.execute("SELECT count(*) FROM event").fetchone() == (10,)
        assert list(path.parent.glob("segments/*.tmp*")) == []
        again.close()
        reader.close()


DAMAGE = [
    ("UPDATE event SET body=replace(body, 'W2', 'W9') WHERE seq=12", 12, "is not what was written"),
    ("UPDATE event SET at_us=at_us+1 WHERE seq=9", 9, "is not what was written"),
    ("UPDATE event SET hash=zeroblob(32) WHERE seq=7", 7, "is not what was written"),
    ("DELETE FROM event WHERE seq=5", 5, "is not there"),
    ("UPDATE event SET seq=-seq WHERE seq=1", 1, "is not there"),
    ("UPDATE meta SET value='other' WHERE key='line_id'", 1, "is not what was written"),
]


@pytest.mark.parametrize(("sql", "bad", "why"), DAMAGE, ids=[sql for sql, _, _ in DAMAGE])
def test_the_first_damaged_row_is_named(
    scribe: Scribe, reader: JournalReader, path: Path, sql: str, bad: int, why: str
) -> None:
    scribe.write(*parcel_life(1, 10), *parcel_life(2, 20))
    with sqlite3.connect(path) as damage:
        damage.execute(sql)
    damage.close()
    report = reader.verify_chain()
    assert (report.bad_seq, report.rows) == (bad, bad - 1)
    assert why in report.why


def test_a_segment_that_was_cut_swapped_or_lost_is_named(
    scribe: Scribe, reader: JournalReader, path: Path
) -> None:
    days(scribe, 3)
    rotate(scribe)
    first, second = sorted((path.parent / "segments").iterdir())
    kept = shutil.copy(first, path.parent / "kept.db")
    with sqlite3.connect(first) as damage:
        damage.execute("DELETE FROM event WHERE seq>=10")
    damage.close()
    assert reader.verify_chain().bad_seq == 10
    shutil.copy(second, first)
    assert reader.verify_chain().bad_seq == 1
    shutil.copy(kept, first)
    assert reader.verify_chain().bad_seq is None
    second.unlink()
    report = reader.verify_chain()
    assert (report.bad_seq, report.why.endswith("-2.db is missing")) == (13, True)
    with pytest.raises(StoreUnreadable, match=r"-2\.db is missing"):
        list(reader.rows(ZERO))


def test_a_body_is_canonical_json(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(*parcel_life(1, 10))
    for row in reader.rows(ZERO):
        assert json.dumps(json.loads(row.body), separators=(",", ":"), sort_keys=True) == row.body


def test_epochs_keep_numbers_apart(scribe: Scribe, reader: JournalReader) -> None:
    scribe.write(opened(1, 1, number=5, epoch=1), opened(2, 2, number=5, epoch=2))
    scribe.write(eye(3, 5, epoch=1), eye(4, 5, epoch=2))
    assert [row.track for row in reader.rows_after(JournalSeq(2), 9)] == [1, 2]
    assert BootEpoch(2) == reader.parcel(TrackId(2)).epoch  # type: ignore[union-attr]
    assert reader.recovery().inbox_cursor == InboxSeq(0)


def test_an_end_leaves_no_wal_behind_although_a_reader_is_open(path: Path) -> None:
    """SQLite takes the WAL away with the last connection only, and the gateway's stays open."""
    scribe, reader = Scribe(path), JournalReader(path)
    for n in range(300):
        scribe.write(clock(n, MIDNIGHT + n))
    last = reader.last_seq()
    wal = path.with_name("journal.db-wal")
    assert wal.stat().st_size > 100_000
    scribe.close()
    scribe.close()
    assert wal.stat().st_size == 0
    assert reader.last_seq() == last == 300
    reader.close()


def test_a_reader_that_does_not_let_go_delays_no_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CLOSE_BUSY_MS", 1)
    scribe = Scribe(path)
    scribe.write(clock(1, MIDNIGHT))
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT * FROM event").fetchall()
        scribe.write(clock(2, MIDNIGHT))
        scribe.close()
        slow.rollback()
    again = Scribe(path)
    assert again.file.last_seq == 2, "and nothing of it is lost"
    again.close()
