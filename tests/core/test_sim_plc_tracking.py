"""The simulated PLC's tracking: windows, LOST, UNEXPECTED, jams, held zones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.divert import AbortCause, CommandStatus, ConfirmReason, RingKind
from edge.model.register_map import StateBit
from tests.clauses import clause
from tests.core.plc_bench import Bench, bench_topology

EYE, LOST, UNEXPECTED = RingKind.EYE, RingKind.LOST, RingKind.UNEXPECTED
CONFIRMED, JAM, FIRED, ABORTED = RingKind.CONFIRMED, RingKind.JAM, RingKind.FIRED, RingKind.ABORTED
STRAIGHT = ConfirmReason.STRAIGHT.value
MISSORT = ConfirmReason.MISSORT.value


@clause("TRK-2", "TRK-3")
@pytest.mark.parametrize("slip", [-50, -49, 0, 50])
def test_a_slip_within_the_tolerance_is_the_same_number(slip: int) -> None:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, 500)
    parcel.lead += slip
    bench.run_to(parcel, 1500)
    parcel.lead += slip
    bench.run_to(parcel, 2400)
    assert bench.shorts() == [(EYE, 1, 300, 1), (EYE, 2, 300, 1), (EYE, 3, 300, 1)]


@clause("TRK-5", "TRK-6", "TRK-8")
@pytest.mark.parametrize("slip", [-51, 51])
def test_a_slip_beyond_it_is_lost_and_unexpected(slip: int) -> None:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, 500)
    parcel.lead += slip
    bench.run_to(parcel, 1100)
    found = bench.shorts()
    assert found[0] == (EYE, 1, 300, 1)
    assert sorted(found[1:]) == [(LOST, 2, 0, 1), (UNEXPECTED, 2, 300, 2)]
    assert bench.command(1, 1) is CommandStatus.UNKNOWN_NUMBER
    assert bench.command(2, 1) is CommandStatus.UNTRUSTED
    bench.run(6500)
    assert bench.shorts()[-1] == (CONFIRMED, 5, ConfirmReason.ABORTED.value, 2)


@clause("TRK-5")
def test_lost_when_the_window_is_over_not_before() -> None:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, 650)
    bench.parcels.clear()
    bench.run(100)
    assert bench.shorts() == [(EYE, 1, 300, 1)]
    bench.run(1)
    assert bench.shorts() == [(LOST, 2, 0, 1)]


@clause("TRK-6")
def test_a_parcel_put_on_the_belt_is_followed_to_the_end() -> None:
    bench = Bench().ready()
    bench.put(250, lead=1000)
    bench.run(6300)
    assert bench.shorts() == [
        (UNEXPECTED, 3, 250, 1),
        (EYE, 4, 250, 1),
        (EYE, 5, 250, 1),
        (CONFIRMED, 5, STRAIGHT, 1),
    ]


@clause("TRK-6", "CONF-3")
def test_first_seen_at_the_end() -> None:
    bench = Bench().ready()
    bench.put(250, lead=6000)
    bench.run(1300)
    assert bench.shorts() == [(UNEXPECTED, 6, 250, 1), (CONFIRMED, 5, STRAIGHT, 1)]


@clause("TRK-2")
def test_two_in_one_window_the_nearer_one_then_the_one_ahead() -> None:
    bench = Bench().ready()
    first = bench.put(40)
    bench.run(60)
    second = bench.put(10)
    bench.run(400)
    bench.entries()
    bench.parcels.remove(first)
    second.lead += 30
    bench.run(500)
    assert bench.shorts() == [(EYE, 2, 10, 1), (LOST, 2, 0, 2)], "30 from each: the one ahead"
    bench = Bench().ready()
    first = bench.put(40)
    bench.run(60)
    second = bench.put(10)
    bench.run(400)
    bench.entries()
    bench.parcels.remove(first)
    second.lead += 29
    bench.run(500)
    assert bench.shorts() == [(EYE, 2, 10, 2), (LOST, 2, 0, 1)]


@clause("TRK-4")
def test_ticks_and_ms_are_those_of_the_leading_edge() -> None:
    bench = Bench().ready()
    ticks, ms = bench.status("ticks"), bench.status("plc_ms")
    bench.put(380)
    bench.run(379)
    assert bench.entries() == []
    bench.run(1)
    (entry,) = bench.entries()
    assert (entry.ticks, entry.ms, entry.arg) == (ticks, ms, 380)


@clause("TRK-9")
@given(
    lengths=st.lists(st.integers(200, 400), min_size=3, max_size=3),
    gap=st.integers(700, 1200),
    fault=st.sampled_from(["taken", "added", "forward", "backward"]),
    at=st.integers(450, 3700),
)
@settings(max_examples=40, deadline=None)
def test_a_fault_of_one_parcel_leaves_its_neighbours_alone(
    lengths: list[int], gap: int, fault: str, at: int
) -> None:
    def run(with_fault: bool) -> tuple[list[tuple[RingKind, int, int, int]], list[int]]:
        bench = Bench().ready()
        parcels = []
        for length in lengths:
            parcels.append(bench.put(length))
            bench.run(gap + length)
        victim = parcels[1]
        entries = bench.shorts()
        numbers = (1, 3)
        for number, exit_no in zip(numbers, (1, 2), strict=True):
            parcel = parcels[number - 1]
            if parcel.lead < 2500:
                bench.run_to(parcel, 2500)
            bench.command(number, exit_no)
        if with_fault and fault == "taken":
            bench.parcels.remove(victim)
        elif with_fault and fault == "added":
            bench.put(200, lead=victim.lead + at % 2 * 100 - 50 - 300)
        elif with_fault:
            victim.lead += 120 if fault == "forward" else -120
        bench.run(9000)
        entries += bench.shorts()
        mine = [entry for entry in entries if entry[3] in numbers]
        return mine, [parcels[0].exit, parcels[2].exit]

    calm, calm_exits = run(False)
    faulty, exits = run(True)
    barred = (ABORTED, 2, AbortCause.PREVIOUS_NOT_CLEAR.value, 3)
    if barred not in faulty:
        assert exits == calm_exits
        if fault == "taken":
            assert faulty == calm
    assert exits[0] == calm_exits[0] and exits[1] in (calm_exits[1], 0)


@clause("JAM-1", "JAM-2", "STOP-6")
def test_a_jam_stops_the_induction_then_the_belt() -> None:
    bench = Bench().ready()
    bench.obstacles = 0b0010
    bench.step()
    bench.run(480)
    assert StateBit.JAM not in bench.state
    bench.run(1)
    assert StateBit.JAM in bench.state
    assert not bench.out.induction
    assert bench.out.belt
    assert bench.shorts() == [(JAM, 2, 0, 0)]
    bench.run(480)
    assert not bench.out.belt
    assert StateBit.LATCHED in bench.state
    bench.press_reset()
    assert StateBit.LATCHED in bench.state, "the eye is still blocked"
    bench.obstacles = 0
    bench.step()
    assert StateBit.JAM not in bench.state
    bench.press_reset()
    assert bench.out.belt


@clause("JAM-1")
def test_a_parcel_too_long_is_a_jam_only_while_it_passes() -> None:
    bench = Bench().ready()
    bench.put(600)
    bench.run(500)
    assert StateBit.JAM in bench.state
    bench.run(101)
    assert StateBit.JAM not in bench.state
    assert bench.out.induction
    assert bench.shorts() == [(JAM, 1, 0, 0), (EYE, 1, 600, 1)]


@clause("TRK-5", "TRK-8")
def test_a_number_that_the_pc_has_never_seen_ends_unseen() -> None:
    bench = Bench().ready()
    bench.obstacles = 0b0001
    bench.step()
    bench.run(760)
    bench.obstacles = 0
    bench.step()
    assert bench.shorts() == [(JAM, 1, 0, 0), (EYE, 1, 760, 0)]


# --- the held zone --------------------------------------------------------------------------------


def static_bench() -> Bench:
    bench = Bench(topology=bench_topology(static=True)).ready()
    bench.pc.hold = 1
    bench.run(100)
    return bench


@clause("ZONE-1", "ZONE-2", "ZONE-3")
def test_hold_and_release_by_number() -> None:
    bench = static_bench()
    parcel = bench.put(400)
    bench.run_to(parcel, 1999)
    assert bench.status("zones_held") == 0
    bench.run(1)
    assert bench.status("zones_held") == 1
    bench.run(700)
    assert parcel.lead == 2000
    bench.pc.release = 2
    bench.run(100)
    assert bench.status("zones_held") == 1, "another number's release"
    bench.pc.hold = 0
    bench.run(100)
    assert bench.status("zones_held") == 1, "the bit alone releases nobody"
    bench.pc.release = 1
    bench.run(110)
    assert bench.status("zones_held") == 0
    assert 2000 < parcel.lead <= 2100
    bench.run_to(parcel, 3000)
    assert bench.command(1, 3) is CommandStatus.APPLIED
    bench.run_to(parcel, 5600)
    kinds = [entry[:2] for entry in bench.shorts()]
    assert kinds == [(EYE, 1), (EYE, 2), (EYE, 3), (EYE, 4), (FIRED, 3), (EYE, 5), (CONFIRMED, 3)]
    assert bench.status("zones_untrusted") == 0


@clause("ZONE-1")
def test_without_the_bit_nobody_is_held() -> None:
    bench = static_bench()
    bench.pc.hold = 0
    bench.run(100)
    parcel = bench.put(400)
    bench.run_to(parcel, 3000)
    assert bench.status("zones_held") == 0


@clause("ZONE-4")
def test_a_hold_ends_by_itself() -> None:
    bench = static_bench()
    parcel = bench.put(400)
    bench.run_to(parcel, 2000)
    bench.run(2499)
    assert bench.status("zones_held") == 1
    bench.run(1)
    assert bench.status("zones_held") == 0


@clause("ZONE-4", "TRK-9")
def test_the_next_parcel_at_the_zone_releases() -> None:
    bench = static_bench()
    parcel = bench.put(300)
    bench.run(900)
    following = bench.put(300)
    bench.run_to(following, 1399)
    assert bench.status("zones_held") == 1
    bench.run(1)
    assert bench.status("zones_held") == 0
    bench.run_to(parcel, 3000)
    assert not any(entry[0] in (LOST, UNEXPECTED) for entry in bench.shorts())
