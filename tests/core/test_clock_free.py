"""Invariant 23: what a step of the wall clock does to the decisions on record, and that it is noticed."""

from dataclasses import replace

from edge.core.line import LineCore
from edge.core.state import CoreState
from edge.model.commands import Record
from edge.model.events import ClockRead, Event, LineStarted
from edge.model.ids import TrackId, Waybill
from edge.model.records import Decided, RecordBody
from edge.model.units import MonoUs, UtcUs
from edge.model.verdict import Reason
from edge.runtime.recovery import WithoutClockSteps
from edge.store.projections import Row
from edge.store.rows import encode
from tests.core.store_kit import decided, opened
from tests.lines_for_tests import small_topology

HOUR_US = 3_600_000_000


class Core(LineCore):
    """Decides one parcel at each reading of the clock, by the parity of its hour: what no core may do."""

    def handle(self, event: Event) -> tuple[Record, ...]:
        if not isinstance(event, ClockRead):
            return ()
        odd = event.utc_us // HOUR_US % 2
        return (Record(body=opened(1, 1)), Record(body=verdict(odd=bool(odd))))


def verdict(*, odd: bool) -> Decided:
    return decided(1, 1, "W1", Reason.NO_READ if odd else Reason.OK)


def read(at_us: int, utc_us: int) -> ClockRead:
    return ClockRead(at_us=MonoUs(at_us), utc_us=UtcUs(utc_us))


def started() -> LineStarted:
    return LineStarted(at_us=MonoUs(0), build="b", config_hash="c", chutes_disabled=(), replay_differs=False)


def noted(*items: Event | RecordBody | bytes) -> WithoutClockSteps:
    """Bytes are a snapshot; every core made from one says so in ``MADE_FROM``."""
    MADE_FROM.clear()

    def made(state: CoreState | None) -> LineCore:
        MADE_FROM.append(state)
        return Core(small_topology(), state)

    shadow = WithoutClockSteps(made)
    for seq, item in enumerate(items, start=1):
        if isinstance(item, bytes):
            shadow.note_snapshot(item)
        else:
            shadow.note(Row(seq, item.at_us, None, type(item).__name__, None, "", item))
    assert shadow.compared == 0, "only catch_up and finish play"
    return shadow


MADE_FROM: list[CoreState | None] = []


def snapshot(next_track: int) -> bytes:
    state = CoreState()
    state.next_track = TrackId(next_track)
    return encode(state).encode()


def play(*items: Event | RecordBody | bytes) -> tuple[int, list[str]]:
    shadow = noted(*items)
    shadow.catch_up()
    shadow.finish()
    shadow.finish()
    return shadow.compared, shadow.differing


def test_without_a_step_the_decisions_are_those_on_record() -> None:
    assert play(read(0, 0), opened(1, 1), verdict(odd=False)) == (1, [])
    later = (read(0, 0), verdict(odd=False), read(HOUR_US, HOUR_US), verdict(odd=True))
    assert play(*later) == (2, [])


def test_a_decision_that_followed_a_step_is_named() -> None:
    stepped = (read(0, 0), verdict(odd=False), read(1_000, HOUR_US), verdict(odd=True))
    assert play(*stepped) == (2, ["row 4: track 1 decided no_read"])


def test_before_a_step_there_is_nothing_to_catch_up_with() -> None:
    shadow = noted(read(0, 0), verdict(odd=False))
    shadow.catch_up()
    assert shadow.compared == 0
    shadow.note(Row(3, 1_000, None, "ClockRead", None, "", read(1_000, HOUR_US)))
    shadow.catch_up()
    assert shadow.compared == 1, "from the first row on: no snapshot stands before the step"


def test_what_is_played_begins_at_the_snapshot_before_the_last_without_a_step() -> None:
    before = (read(0, 0), verdict(odd=True))  # wrong, and left behind two snapshots
    last = (read(2, 2), verdict(odd=False))
    assert play(*before, snapshot(5), read(1, 1), verdict(odd=True), snapshot(6), *last) == (
        2,
        ["row 5: track 1 decided no_read"],
    )
    assert [state and state.next_track for state in MADE_FROM] == [5]


def test_a_step_keeps_the_stretch_before_it_whatever_snapshots_follow() -> None:
    stepped = (read(1_000, HOUR_US), verdict(odd=True))
    after = (snapshot(8), snapshot(9), read(2_000, HOUR_US), verdict(odd=False))
    assert play(read(0, 0), verdict(odd=True), snapshot(6), snapshot(7), *stepped, *after) == (
        2,
        ["row 6: track 1 decided no_read"],
    )
    assert [state and state.next_track for state in MADE_FROM] == [6]


def test_a_new_run_of_the_process_takes_the_clock_as_it_is() -> None:
    again = (read(0, 0), verdict(odd=False), started(), read(5, HOUR_US), verdict(odd=True))
    assert play(*again) == (2, [])


def test_a_decision_that_nothing_on_record_gives_is_named() -> None:
    assert play(verdict(odd=False)) == (1, ["row 1: track 1 decided ok"])
    changed = replace(verdict(odd=False), waybill=Waybill("W2"))
    assert play(read(0, 0), changed) == (1, ["row 2: track 1 decided ok"])
