"""Wall time: one offset, followed while it drifts, kept when it steps until a person confirms."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.line import LineCore
from edge.model.alarm import AlarmKind
from edge.model.commands import LineCommand, Record
from edge.model.events import ClockRead, LineStarted, OperatorCommanded
from edge.model.ids import InboxSeq
from edge.model.line import OperatorAction
from edge.model.records import AlarmCleared, AlarmRaised, ClockAgreed
from edge.model.units import MonoUs, UtcUs
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO

DAY = 1_700_000_000_000_000
MINUTE = 60_000_000


def read(core: LineCore, at: int, utc: int) -> list[object]:
    return bodies(core.handle(ClockRead(at_us=MonoUs(at), utc_us=UtcUs(utc))))


def bodies(commands: tuple[LineCommand, ...]) -> list[object]:
    return [command.body for command in commands if isinstance(command, Record)]


def confirm(core: LineCore, at: int) -> list[object]:
    action = OperatorAction.CONFIRM_CLOCK
    event = OperatorCommanded(at_us=MonoUs(at), inbox_seq=InboxSeq(1), action=action, subject="", by="lin")
    return bodies(core.handle(event))


def agreed(core: LineCore) -> LineCore:
    made = read(core, 0, DAY)
    assert made == [ClockAgreed(at_us=MonoUs(0), utc_us=UtcUs(DAY), stepped_us=0)]
    return core


def test_drift_is_followed_and_less_than_a_millisecond_not_worth_a_record() -> None:
    core = agreed(LineCore(DEMO))
    assert read(core, MINUTE, DAY + MINUTE + 999) == []
    assert read(core, 2 * MINUTE, DAY + 2 * MINUTE + 1_500) == [
        ClockAgreed(at_us=MonoUs(2 * MINUTE), utc_us=UtcUs(DAY + 2 * MINUTE + 1_500), stepped_us=1_500)
    ]


def test_a_step_alarms_once_and_the_old_offset_stays_until_confirmed() -> None:
    core = agreed(LineCore(DEMO))
    first = read(core, MINUTE, DAY + MINUTE - 3_600_000_000)
    assert [type(row) for row in first] == [AlarmRaised]
    assert read(core, 2 * MINUTE, DAY + 2 * MINUTE - 3_600_000_000) == []
    assert core.state.clock.offset_us == DAY
    made = confirm(core, 2 * MINUTE)
    assert made == [
        ClockAgreed(
            at_us=MonoUs(2 * MINUTE),
            utc_us=UtcUs(DAY + 2 * MINUTE - 3_600_000_000),
            stepped_us=-3_600_000_000,
        ),
        AlarmCleared(at_us=MonoUs(2 * MINUTE), kind=AlarmKind.CLOCK_STEP, subject=""),
    ]
    assert read(core, 3 * MINUTE, DAY + 3 * MINUTE - 3_600_000_000) == []


def test_a_step_that_steps_back_is_over() -> None:
    core = agreed(LineCore(DEMO))
    read(core, MINUTE, DAY + MINUTE + 5_000_000)
    assert [type(row) for row in read(core, 2 * MINUTE, DAY + 2 * MINUTE)] == [AlarmCleared]
    assert confirm(core, 2 * MINUTE) == []
    assert core.state.clock.offset_us == DAY


def test_a_new_run_takes_its_first_reading_and_alarms_if_time_went_back() -> None:
    for moved, alarms in ((0, 0), (5_000_000, 0), (-1_000_000, 0), (-60_000_000, 1)):
        core = agreed(LineCore(DEMO))
        core.handle(LineStarted(at_us=MonoUs(7), build="b", config_hash="c", chutes_disabled=()))
        made = read(core, 50, DAY + moved)
        assert [type(row) for row in made] == [ClockAgreed, *[AlarmRaised] * alarms]
        assert core.state.clock.offset_us == DAY + moved - 50


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(10**10), 10**10), max_size=6))
def test_no_wall_clock_changes_a_decision(steps: list[int]) -> None:
    """The same parcels with and without readings of a stepping clock: the same commands but its own."""
    runs = []
    for stepping in (False, True):
        bench = CoreBench()
        for n in range(1, 4):
            bench.parcel(n, at_mm=n * 1_100)
        for step in steps:
            bench.run(1_500)
            if stepping:
                bench.post(ClockRead(at_us=bench.at_us, utc_us=UtcUs(DAY + step)))
        bench.run(14_000)
        own = (ClockAgreed, AlarmRaised, AlarmCleared)
        runs.append([c for c in bench.out if not (isinstance(c, Record) and isinstance(c.body, own))])
    assert runs[0] == runs[1]
