"""The journal read from outside, the digests, percentiles, and what is forgotten."""

import json
import sqlite3
from pathlib import Path

from simulators.world import book as book_module
from simulators.world.book import Recent
from simulators.world.checker import Checker
from simulators.world.digest import DecisionsDigest, RunDigest
from simulators.world.findings import KEPT, Findings
from simulators.world.journal_rows import JournalRow, JournalTail
from simulators.world.rules_track import Commits
from simulators.world.tally import Durations
from simulators.world.truth import Left, Removed
from tests.core.checker_kit import Body, Run, Story, write_journal
from tests.core.world_kit import line


def rows_of(n: int) -> list[tuple[str, Body]]:
    return [("Woke", {"at_us": at, "track": at % 3 or None}) for at in range(1, n + 1)]


def close_segment(path: Path, last: int) -> None:
    """Move the rows up to ``last`` into a file of a past day, as the journal's writer does."""
    past = path.parent / "segments" / "day-1.db"
    past.parent.mkdir()
    columns = "seq INTEGER PRIMARY KEY, at_us, utc_us, kind, track, body TEXT, hash BLOB"
    with sqlite3.connect(path) as main, sqlite3.connect(past) as segment:
        segment.execute(f"CREATE TABLE event ({columns})")
        moved = main.execute("SELECT * FROM event WHERE seq <= ?", (last,)).fetchall()
        segment.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?)", moved)
        main.execute("DELETE FROM event WHERE seq <= ?", (last - 3,))
        main.execute("INSERT INTO segment VALUES (1, 'day-1.db', 1, ?, x'', x'')", (last,))
    main.close()
    segment.close()


def test_closed_days_and_the_open_file_are_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_journal(path, rows_of(5_000))
    close_segment(path, 3_210)
    findings = Findings(1)
    found = [row.seq for row in JournalTail(path, "kit", findings).rows()]
    assert found == list(range(1, 5_001))
    assert findings.evaluations["chain"] == 5_000
    assert not findings.violations


def test_a_tail_goes_on_where_it_stopped_and_waits_for_its_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    findings = Findings(1)
    tail = JournalTail(path, "kit", findings)
    assert list(tail.rows()) == []
    write_journal(path, rows_of(10))
    assert len(list(tail.rows())) == 10
    assert list(tail.rows()) == []
    write_journal(path, rows_of(12))
    assert [row.seq for row in tail.rows()] == [11, 12]
    assert not findings.violations


def test_the_record_of_another_line_breaks_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_journal(path, rows_of(3), line_id="another")
    findings = Findings(1)
    list(JournalTail(path, "kit", findings).rows())
    assert findings.violated["chain"] == 1


def digest(*rows: tuple[str, Body], exits: tuple[Left | Removed, ...] = ()) -> str:
    found = RunDigest()
    for seq, (kind, body) in enumerate(rows):
        found.row(
            JournalRow(seq, body["at_us"], kind, json.dumps(body, sort_keys=True, separators=(",", ":")))
        )
    for fact in exits:
        found.exit(fact)
    return found.hexdigest()


def test_the_digest_is_blind_to_wall_time_and_versions_and_to_nothing_else() -> None:
    started = {"at_us": 1, "build": "a", "config_hash": "b", "chutes_disabled": []}
    clock = {"at_us": 2, "utc_us": 10, "stepped_us": 5}
    same = digest(("LineStarted", started), ("ClockAgreed", clock))
    other = digest(("LineStarted", {**started, "build": "z"}), ("ClockAgreed", {**clock, "utc_us": 99}))
    assert same == other
    assert same != digest(("LineStarted", {**started, "at_us": 3}), ("ClockAgreed", clock))
    assert same != digest(("LineStarted", {**started, "chutes_disabled": ["001"]}), ("ClockAgreed", clock))
    left = Left(5, 1, 3, 0, -1, ())
    assert digest(exits=(left,)) != digest(exits=(Left(5, 1, 4, 0, -1, ()),)) != digest()
    assert digest(exits=(Removed(5, 1, 30, -1, ()),)) != digest(exits=(left,))


def decisions(*tracks: tuple[int, int, str, str]) -> str:
    found = DecisionsDigest()
    for track, _, _, _ in sorted(tracks):
        found.opened(track)
    for track, number, chute, reason in tracks:
        found.closed(track, number, {"chute": chute, "reason": reason} if chute else None, reason)
    return found.hexdigest()


def test_decisions_count_in_the_order_of_induction_whenever_they_ended() -> None:
    one, two, three = (1, 1, "001", "ok"), (2, 2, "end", "no_read"), (3, 3, "", "plc_restart")
    assert decisions(one, two, three) == decisions(three, one, two)
    assert decisions(one, two, three) != decisions(one, two, (3, 3, "", "lost"))
    assert decisions(one, two) != decisions(one, (2, 2, "002", "no_read"))
    assert decisions(one, two) != decisions(one, (2, 7, "end", "no_read"))


def test_percentiles_are_nearest_rank() -> None:
    durations = Durations()
    assert durations.as_ms() == {"p50": 0.0, "p99": 0.0, "max": 0.0}
    for us in range(1_000, 101_000, 1_000):
        durations.add(us)
    assert durations.as_ms() == {"p50": 50.0, "p99": 99.0, "max": 100.0}


def test_commits_say_when_a_row_was_durable() -> None:
    commits = Commits()
    assert commits.of(1) is None
    commits.ended(3, 100)
    commits.ended(9, 200)
    assert [commits.of(seq) for seq in (1, 3, 4, 9, 10)] == [100, 100, 200, 200, None]
    commits.forget(150)
    assert commits.of(4) == 200


def test_memory_has_limits() -> None:
    recent: Recent[int] = Recent()
    for number in range(book_module.REMEMBERED + 5):
        recent.put((1, number), number)
    assert recent.get((1, 4)) is None
    assert recent.get((1, 5)) == 5
    findings = Findings(3)
    for _ in range(KEPT + 7):
        findings.hold("gap", False, "x", at_us=1)
    assert len(findings.violations) == KEPT
    assert findings.violated["gap"] == KEPT + 7


def test_settled_parcels_and_tracks_are_forgotten_on_the_way(tmp_path: Path) -> None:
    stories = [Story(n) for n in range(1, 41)]
    run = Run(tmp_path, *stories)
    rows = sorted((row for story in stories for row in story.rows.values()), key=lambda row: row[1]["at_us"])
    write_journal(run.path, rows)
    checker = Checker(line(), run.path, seed=1)
    facts = sorted(
        run.facts + [fact for story in stories for fact in story.facts.values()], key=lambda f: f.at_us
    )
    for seq, (_, body) in enumerate(rows, start=1):
        checker.commits.ended(seq, body["at_us"] + 1_000)
    last = max(story.t for story in stories)
    for fact in facts:
        checker.fact(fact)
        if fact.at_us > last:
            break
    checker.advance()
    assert len(checker._book.tracks) + len(checker._book.parcels) < 20
    for fact in facts:
        if fact.at_us > last:
            checker.fact(fact)
    assert checker.finish().violated.get("one_end") is None
