"""Invariant 23: what a step of the wall clock does to the decisions on record, and that it is noticed."""

from dataclasses import replace

from edge.core.line import LineCore
from edge.model.commands import Record
from edge.model.events import ClockRead, Event, LineStarted
from edge.model.ids import Waybill
from edge.model.records import Decided, RecordBody
from edge.model.units import MonoUs, UtcUs
from edge.model.verdict import Reason
from edge.runtime.recovery import WithoutClockSteps
from edge.store.projections import Row
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


def play(*items: Event | RecordBody) -> tuple[int, list[str]]:
    shadow = WithoutClockSteps(Core(small_topology()))
    for seq, item in enumerate(items, start=1):
        shadow.note(Row(seq, item.at_us, None, type(item).__name__, None, "", item))
    assert shadow.compared == 0, "only catch_up plays"
    shadow.catch_up()
    shadow.catch_up()
    return shadow.compared, shadow.differing


def test_without_a_step_the_decisions_are_those_on_record() -> None:
    assert play(read(0, 0), opened(1, 1), verdict(odd=False)) == (1, [])
    later = (read(0, 0), verdict(odd=False), read(HOUR_US, HOUR_US), verdict(odd=True))
    assert play(*later) == (2, [])


def test_a_decision_that_followed_a_step_is_named() -> None:
    stepped = (read(0, 0), verdict(odd=False), read(1_000, HOUR_US), verdict(odd=True))
    assert play(*stepped) == (2, ["row 4: track 1 decided no_read"])


def test_a_new_run_of_the_process_takes_the_clock_as_it_is() -> None:
    again = (read(0, 0), verdict(odd=False), started(), read(5, HOUR_US), verdict(odd=True))
    assert play(*again) == (2, [])


def test_a_decision_that_nothing_on_record_gives_is_named() -> None:
    assert play(verdict(odd=False)) == (1, ["row 1: track 1 decided ok"])
    changed = replace(verdict(odd=False), waybill=Waybill("W2"))
    assert play(read(0, 0), changed) == (1, ["row 2: track 1 decided ok"])
