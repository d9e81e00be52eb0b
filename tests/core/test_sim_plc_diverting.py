"""The simulated PLC's diverters: firing, the check at that moment, the arms, the confirm eyes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.model.divert import AbortCause, CommandStatus, ConfirmReason, RingKind
from edge.model.register_map import StateBit
from edge.model.topology import Topology
from simulators.devices.plc.geometry import plan_geometry
from simulators.devices.plc.settings import PlcSettings
from tests.clauses import clause
from tests.core.plc_bench import Bench, Parcel, bench_topology

EYE, LOST, FIRED = RingKind.EYE, RingKind.LOST, RingKind.FIRED
ABORTED, CONFIRMED, UNEXPECTED = RingKind.ABORTED, RingKind.CONFIRMED, RingKind.UNEXPECTED
COMMANDED, STRAIGHT = ConfirmReason.COMMANDED.value, ConfirmReason.STRAIGHT.value
MISSORT, AFTER_ABORT = ConfirmReason.MISSORT.value, ConfirmReason.ABORTED.value


def told(exit_no: int, lead: int = 2500, length: int = 300) -> tuple[Bench, Parcel]:
    bench = Bench().ready()
    parcel = bench.put(length)
    bench.run_to(parcel, lead)
    assert bench.command(1, exit_no) is CommandStatus.APPLIED
    bench.entries()
    return bench, parcel


def two_told(first_exit: int, second_exit: int, pitch: int) -> tuple[Bench, Parcel, Parcel]:
    """Two of 300 mm, ``pitch`` from leading edge to leading edge; exit 0 tells nothing."""
    bench = Bench().ready()
    first = bench.put(300)
    bench.run(pitch)
    second = bench.put(300)
    bench.run_to(second, 2100)
    for number, exit_no in ((1, first_exit), (2, second_exit)):
        if exit_no:
            assert bench.command(number, exit_no) is CommandStatus.APPLIED
    bench.entries()
    return bench, first, second


# --- the check at the moment of firing ------------------------------------------------------------


def e_stop_mark(bench: Bench) -> None:
    track = bench.program.life.belt.numbers[1]
    bench.program.life.belt.mark(track)


def disable(bench: Bench) -> None:
    bench.pc.enabled = 0b1101
    bench.beat()


def fill(bench: Bench) -> None:
    bench.sense(lane_full=0b0010)
    bench.program.life.lanes.exits_full = 0b0010


def not_home(bench: Bench) -> None:
    bench.sense(home=0b10)


@clause("DIV-2", "DIV-9")
@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (e_stop_mark, AbortCause.UNTRUSTED),
        (disable, AbortCause.EXIT_DISABLED),
        (fill, AbortCause.EXIT_FULL),
        (not_home, AbortCause.NOT_HOME),
    ],
)
def test_what_is_wrong_at_the_moment_of_firing(spoil: Callable[[Bench], None], cause: AbortCause) -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3860)
    spoil(bench)
    bench.run_to(parcel, 7001)
    found = bench.shorts()
    assert found[0] == (ABORTED, 2, cause.value, 1)
    assert found[-1] == (CONFIRMED, 5, AFTER_ABORT, 1)
    assert parcel.exit == 0


@clause("DIV-3")
def test_a_firing_that_has_begun_finishes() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3874)
    bench.pc.alive = False
    bench.pc.enabled = 0
    bench.run(1000)
    assert parcel.exit == 2
    assert bench.shorts()[-1] == (CONFIRMED, 2, COMMANDED, 1)


# --- the previous parcel --------------------------------------------------------------------------


@clause("DIV-4")
@pytest.mark.parametrize(("pitch", "clear"), [(775, False), (776, True)])
def test_the_previous_parcel_must_have_left_the_zone(pitch: int, clear: bool) -> None:
    bench, _, second = two_told(0, 1, pitch)
    bench.run_to(second, 3900)
    entries = [entry for entry in bench.shorts() if entry[3] == 2 and entry[0] is not EYE]
    expected = (FIRED, 1, 0, 2) if clear else (ABORTED, 1, AbortCause.PREVIOUS_NOT_CLEAR.value, 2)
    assert entries == [expected]


@clause("DIV-4", "TRK-9")
def test_the_number_behind_one_lost_at_the_diverter_is_not_fired_there() -> None:
    bench, first, second = two_told(0, 1, 1000)
    bench.run_to(first, 4300)
    first.lead -= 400
    bench.run_to(second, 7001)
    found = bench.shorts()
    assert (LOST, 4, 0, 1) in found
    assert (ABORTED, 1, AbortCause.PREVIOUS_NOT_CLEAR.value, 2) in found
    assert first.exit == 0
    assert second.exit == 0


@clause("DIV-4")
def test_it_may_still_be_fired_at_a_later_diverter() -> None:
    bench, first, second = two_told(0, 3, 1000)
    bench.run_to(first, 4300)
    bench.parcels.remove(first)
    bench.run_to(second, 5100)
    assert second.exit == 3


# --- the arms -------------------------------------------------------------------------------------


@clause("DIV-5", "DIV-1")
def test_the_arm_returns_when_the_tail_has_left_the_zone() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 4649)
    assert bench.out.diverters == (2, 0)
    bench.run(1)
    assert bench.out.diverters == (0, 0)


@clause("DIV-5")
def test_the_arm_stays_out_for_the_next_of_the_same_exit() -> None:
    bench, first, second = two_told(1, 1, 800)
    bench.run_to(first, 4660)
    assert bench.out.diverters == (1, 0)
    bench.run_to(second, 4660)
    assert bench.out.diverters == (0, 0)
    assert (first.exit, second.exit) == (1, 1)


@clause("DIV-5")
@pytest.mark.parametrize("how", ["revoked", "stale"])
def test_it_returns_when_the_next_ones_command_ends(how: str) -> None:
    bench, first, second = two_told(1, 1, 1400)
    bench.run_to(first, 4660)
    assert bench.out.diverters == (1, 0)
    if how == "revoked":
        assert bench.revoke(2) is CommandStatus.APPLIED
    else:
        bench.pc.alive = False
        bench.run(401)
    assert bench.out.diverters == (0, 0)
    bench.run_to(second, 7001)
    assert second.exit == 0


@clause("DIV-5", "TRK-9")
def test_it_returns_when_something_comes_between() -> None:
    bench = Bench().ready()
    first = bench.put(300)
    bench.run(2860)
    second = bench.put(300)
    bench.command(1, 1)
    bench.command(2, 1)
    bench.run_to(first, 4660)
    assert bench.out.diverters == (1, 0)
    extra = bench.put(100, lead=2000)
    assert bench.out.diverters == (0, 0)
    bench.run_to(second, 4100)
    assert (extra.exit, second.exit) == (0, 0)
    assert bench.shorts()[-1] == (ABORTED, 1, AbortCause.PREVIOUS_NOT_CLEAR.value, 2)


@clause("DIV-5")
def test_a_parcel_without_a_command_between_two_goes_straight() -> None:
    bench = Bench().ready()
    parcels = []
    for _ in range(3):
        parcels.append(bench.put(300))
        bench.run(900)
    bench.command(1, 1)
    bench.run_to(parcels[2], 2100)
    bench.command(3, 1)
    bench.run_to(parcels[2], 4700)
    assert [parcel.exit for parcel in parcels] == [1, 0, 1]


@clause("ID-11")
def test_sides_change_over_by_way_of_rest() -> None:
    bench, first, second = two_told(1, 2, 800)
    levels: list[int] = []
    while second.lead < 4700:
        bench.run(1)
        if not levels or levels[-1] != bench.out.diverters[0]:
            levels.append(bench.out.diverters[0])
    assert levels == [0, 1, 0, 2, 0]
    assert (first.exit, second.exit) == (1, 2)


@clause("ID-11", "DIV-2")
def test_an_arm_that_still_returns_from_the_other_side() -> None:
    slow = bench_topology()
    slow = replace(slow, diverters=tuple(replace(one, change_ms=240) for one in slow.diverters))
    for topology, fired in ((bench_topology(), True), (slow, False)):
        bench = Bench(topology=topology).ready()
        first = bench.put(300)
        bench.run(800)
        second = bench.put(300)
        bench.run_to(second, 2100)
        bench.command(1, 1)
        bench.command(2, 2)
        bench.run_to(first, 4500)
        bench.sense(home=0b10)
        bench.run_to(second, 3880)
        found = bench.shorts()
        assert ((FIRED, 2, 0, 2) in found) is fired
        assert ((ABORTED, 2, AbortCause.NOT_HOME.value, 2) in found) is not fired


@clause("DIV-6")
def test_not_home_in_time_stops_the_line() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 4650)
    bench.sense(home=0b10)
    bench.run(319)
    assert bench.out.belt
    bench.run(1)
    assert not bench.out.belt
    assert StateBit.LATCHED in bench.state
    bench.sense(home=0b11)
    bench.press_reset()
    assert bench.out.belt


@clause("DIV-7")
def test_loss_of_power_or_air() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3900)
    other = bench.put(200)
    bench.sense(ready=False)
    assert bench.out.diverters == (0, 0)
    assert not bench.out.belt
    bench.press_reset()
    assert StateBit.LATCHED in bench.state
    bench.sense(ready=True)
    bench.press_reset()
    assert bench.out.belt
    assert other.exit == 0

    bench, parcel = told(2)
    bench.sense(ready=False)
    assert bench.shorts() == [(ABORTED, 2, AbortCause.STOPPED.value, 1)]


# --- the confirm eyes -----------------------------------------------------------------------------


@clause("CONF-1", "CONF-2")
def test_a_parcel_that_enters_another_exit_is_a_missort() -> None:
    bench, parcel = told(4)
    bench.run_to(parcel, 3990)
    parcel.exit = 1
    bench.run(1500)
    assert bench.shorts() == [(CONFIRMED, 1, MISSORT, 1)]
    assert bench.revoke(1) is CommandStatus.DONE


@clause("CONF-1", "CONF-2")
def test_fired_for_one_side_seen_at_the_other() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3990)
    parcel.exit = 1
    bench.run(1500)
    assert bench.shorts() == [(FIRED, 2, 0, 1), (CONFIRMED, 1, MISSORT, 1)]


@clause("CONF-1")
def test_of_two_in_the_window_the_one_fired_for_the_exit() -> None:
    bench, _, _ = two_told(0, 1, 560)
    geometry = bench.program.life.belt.geometry
    ahead = bench.program.life.belt.numbers[1]
    ahead.fired, behind = 0, bench.program.life.belt.numbers[2]
    behind.fired, behind.command = 1, 0
    plan = geometry.exits[0]
    now = bench.program.life.now.ticks
    ahead.origin = now - (plan.confirm_from + plan.confirm_to) // 2
    behind.origin = now - plan.confirm_from
    bench.sense(confirm=1)
    assert bench.shorts()[-1] == (CONFIRMED, 1, COMMANDED, 2)


@clause("CONF-1", "CONF-4")
@pytest.mark.parametrize(("lead", "number", "lost"), [(4199, 0, 0), (4200, 1, 0), (4800, 1, 0), (4801, 1, 1)])
def test_the_window_includes_its_bounds(lead: int, number: int, lost: int) -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 4150)
    bench.parcels.clear()
    bench.run(lead - 4150)
    bench.sense(confirm=0b10)
    _, *rest, last = bench.shorts()
    assert rest == [(LOST, 4, 0, 1)] * lost
    assert last == (CONFIRMED, 2, COMMANDED if number else MISSORT, number)


@clause("CONF-4")
def test_a_thing_that_nobody_tracks() -> None:
    bench = Bench().ready()
    bench.sense(confirm=0b100)
    assert bench.shorts() == [(CONFIRMED, 3, MISSORT, 0)]


@clause("CONF-5", "TRK-8")
def test_no_confirm_is_lost_at_the_next_eye_after_the_window() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 4100)
    bench.parcels.clear()
    bench.run(700)
    assert bench.shorts() == [(FIRED, 2, 0, 1)]
    bench.run(1)
    assert bench.shorts() == [(LOST, 4, 0, 1)]


HOME = 4650
LET_GO = HOME + 800
"""From the diverter to the end of its exits' windows."""


def lost_at_its_diverter(expected: int) -> tuple[Bench, Parcel]:
    """Number 1 was fired for exit 1, stands before the arm and is LOST, and should be at ``expected`` now.
    Number 2, 800 behind it, has no command."""
    bench, first, second = two_told(1, 0, 800)
    bench.run_to(first, 3990)
    bench.parcels.remove(first)
    bench.run(HOME - 3990)
    bench.step()
    bench.run(expected - HOME)
    assert [entry for entry in bench.shorts() if entry[3] == 1] == [(FIRED, 1, 0, 1), (LOST, 4, 0, 1)]
    return bench, second


@clause("CONF-8", "CONF-1", "TRK-9")
@pytest.mark.parametrize(("expected", "number"), [(5000, 1), (LET_GO, 1), (LET_GO + 1, 2)])
def test_one_that_was_lost_may_come_to_its_exit_after_all(expected: int, number: int) -> None:
    bench, second = lost_at_its_diverter(expected)
    assert 4200 <= second.lead <= 4800
    for level in (1, 0):
        bench.sense(confirm=level)
    assert bench.shorts() == [(CONFIRMED, 1, COMMANDED if number == 1 else MISSORT, number)]
    bench.run_to(second, 7001)
    if number == 1:
        assert bench.shorts() == [(EYE, 4, 300, 2), (EYE, 5, 300, 2), (CONFIRMED, 5, STRAIGHT, 2)]


@clause("CONF-8")
def test_it_comes_once_and_to_no_other_exit() -> None:
    bench, _ = lost_at_its_diverter(5000)
    for confirm, entry in (
        (0b10, (CONFIRMED, 2, MISSORT, 2)),
        (0b01, (CONFIRMED, 1, COMMANDED, 1)),
        (0b01, (CONFIRMED, 1, MISSORT, 0)),
    ):
        bench.sense(confirm=confirm)
        bench.sense(confirm=0)
        assert bench.shorts() == [entry]


@clause("CONF-8", "CONF-1")
def test_one_fired_for_the_exit_comes_before_one_that_was_lost() -> None:
    bench, _ = lost_at_its_diverter(5000)
    bench.program.life.belt.numbers[2].fired = 1
    for number in (2, 1):
        bench.sense(confirm=1)
        bench.sense(confirm=0)
        assert bench.shorts() == [(CONFIRMED, 1, COMMANDED, number)]


@clause("CONF-8", "DIV-5")
def test_an_arm_that_stays_out_may_carry_it_for_longer() -> None:
    bench, first, _ = two_told(1, 1, 1400)
    bench.run_to(first, 3990)
    bench.parcels.remove(first)
    bench.run(5200 - 3990)
    assert bench.out.diverters == (1, 0)
    bench.run(6000 - 5200)
    assert bench.out.diverters == (0, 0)
    bench.entries()
    bench.sense(confirm=1)
    assert bench.shorts() == [(CONFIRMED, 1, COMMANDED, 1)]


@clause("CONF-8")
def test_an_arm_that_was_fired_to_the_other_side_carries_it_no_more() -> None:
    bench = Bench().ready()
    parcels = []
    for number, exit_no in ((1, 1), (2, 0), (3, 2)):
        parcels.append(bench.put(300))
        bench.run(780)
        if exit_no:
            assert bench.command(number, exit_no) is CommandStatus.APPLIED
    first, second, third = parcels
    bench.run_to(first, 3990)
    bench.parcels.remove(first)
    bench.run_to(third, 3880)
    assert bench.shorts()[-1] == (FIRED, 2, 0, 3)
    bench.sense(confirm=1)
    assert bench.shorts() == [(CONFIRMED, 1, MISSORT, 2)]
    assert second.lead == 4660


@clause("CONF-8", "ENC-2")
def test_what_an_encoder_fault_gave_up_comes_without_a_number() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3990)
    bench.encoder_slips = True
    bench.run(250)
    assert (LOST, 4, 0, 1) in bench.shorts()
    bench.sense(confirm=0b10)
    assert bench.shorts()[-1] == (CONFIRMED, 2, MISSORT, 0)


@clause("CONF-5", "CONF-3")
def test_fired_but_gone_straight() -> None:
    bench, parcel = told(2)
    bench.run_to(parcel, 3990)
    parcel.exit = 0
    bench.parcels.clear()
    bench.run(20)
    bench.parcels.append(Parcel(lead=4010, length=300))
    bench.run(3000)
    assert bench.shorts() == [
        (FIRED, 2, 0, 1),
        (EYE, 4, 300, 1),
        (EYE, 5, 300, 1),
        (CONFIRMED, 5, MISSORT, 1),
    ]


@clause("CONF-5", "DIV-4")
def test_one_that_went_straight_is_in_the_way_of_the_next() -> None:
    bench, first, second = two_told(1, 3, 700)
    bench.run_to(first, 3990)
    bench.parcels.remove(first)
    bench.run(20)
    bench.parcels.append(Parcel(lead=4010, length=300))
    bench.run_to(second, 4900)
    assert (ABORTED, 3, AbortCause.PREVIOUS_NOT_CLEAR.value, 2) in bench.shorts()
    assert second.exit == 0


# --- a line that no PLC could run -----------------------------------------------------------------


def without_end(topology: Topology) -> Topology:
    return replace(topology, eyes=topology.eyes[:-1])


def crooked(topology: Topology) -> Topology:
    return replace(topology, exits=(replace(topology.exits[0], side="up"), *topology.exits[1:]))


@pytest.mark.parametrize(("spoil", "words"), [(without_end, "end of the line"), (crooked, "'up'")])
def test_a_line_without_end_or_side_is_refused(spoil: Callable[[Topology], Topology], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan_geometry(spoil(bench_topology()), PlcSettings())
