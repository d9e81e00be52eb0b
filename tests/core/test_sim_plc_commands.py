"""The simulated PLC's command block: checks in order, repeats, revokes, the heartbeat."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.divert import AbortCause, CommandStatus, RingKind
from simulators.devices.plc.commands import is_newer
from simulators.devices.plc.registers import command_crc
from simulators.devices.plc.settings import PlcSettings
from tests.clauses import clause
from tests.core.plc_bench import Bench, Parcel

S = CommandStatus
END = 5


def bench_with_parcel(lead: int = 2500) -> tuple[Bench, Parcel]:
    bench = Bench().ready()
    parcel = bench.put(300)
    bench.run_to(parcel, lead)
    bench.entries()
    return bench, parcel


def fill(bench: Bench, exit_no: int) -> None:
    bench.sense(lane_full=1 << exit_no - 1)
    bench.run(2000)
    assert bench.status("exits_full") == 1 << exit_no - 1


# --- the table, row by row: each row's block also fails every later check that it can -------------


@clause("CMD-1", "CMD-4")
def test_row_1_a_misfit_is_given_three_scans() -> None:
    bench, _ = bench_with_parcel()
    block = [99, 0, 77, 9, 0, 0xBAD, 50]
    bench.write(4112, *block)
    bench.run(14)
    assert bench.answer() is S.NONE
    bench.run(1)
    assert bench.answer() is S.REFUSED_CRC
    assert bench.status("last_crc") == 0xBAD
    assert bench.status("last_seq") == 0, "a misfit is compared with nothing"
    assert bench.command(1, 2) is S.APPLIED


@clause("CMD-1")
def test_half_a_block_that_is_completed_in_time_is_no_misfit() -> None:
    bench, _ = bench_with_parcel()
    block = [1, 0, 1, 2, 0, 0, 1]
    block[5] = command_crc(block)
    bench.write(4112, *block[:3])
    bench.run(10)
    bench.write(4115, *block[3:])
    assert bench.answer() is S.APPLIED
    bench.run(20)
    assert bench.answer() is S.APPLIED


@clause("CMD-3", "CMD-4")
def test_rows_2_3_equal_seq() -> None:
    bench, _ = bench_with_parcel()
    assert bench.command(1, 2, seq=7) is S.APPLIED
    bench.pc.alive = False
    bench.run(500)
    assert bench.command(1, 2, seq=7) is S.APPLIED, "acknowledged again though stale by now"
    assert bench.command(1, 3, seq=7) is S.REFUSED_SEQ
    assert bench.status("last_seq") == 7
    assert bench.command(1, 2, seq=7) is S.APPLIED, "the kept answer is still that of the newest"


@clause("CMD-3", "CMD-4")
def test_row_4_not_newer() -> None:
    bench, _ = bench_with_parcel()
    bench.command(1, 2, seq=100)
    for seq in (99, 100 + 32_768, 0):
        assert bench.command(9, 9, seq=seq, epoch=77) is S.REFUSED_SEQ
        assert bench.status("last_seq") == 100


@clause("CMD-4")
def test_row_5_another_epoch() -> None:
    bench, _ = bench_with_parcel()
    assert bench.command(9, 9, epoch=2) is S.REFUSED_EPOCH
    assert bench.status("last_seq") == 1


@clause("CMD-4")
def test_row_6_unknown_number() -> None:
    bench, _ = bench_with_parcel()
    bench.pc.alive = False
    bench.run(500)
    assert bench.command(9, 9) is S.UNKNOWN_NUMBER


@clause("CMD-4", "ID-5")
@pytest.mark.parametrize(("exit_no", "revoke"), [(0, False), (END, False), (6, False), (2, True), (0, True)])
def test_row_7_bad_exit(exit_no: int, revoke: bool) -> None:
    bench, _ = bench_with_parcel()
    bench.pc.alive = False
    bench.run(500)
    assert bench.command(1, exit_no, revoke=revoke) is S.BAD_EXIT


@clause("CMD-4")
@pytest.mark.parametrize(("exit_no", "revoke"), [(2, False), (END, True)])
def test_row_8_stale_on_arrival(exit_no: int, revoke: bool) -> None:
    bench, _ = bench_with_parcel()
    bench.sense(e_stop=True)
    bench.pc.alive = False
    bench.run(500)
    assert bench.command(1, exit_no, revoke=revoke) is S.STALE


@clause("CMD-4")
def test_row_9_a_repeat_comes_before_trust_and_commit_point() -> None:
    bench, parcel = bench_with_parcel()
    assert bench.command(1, 2) is S.APPLIED
    bench.run_to(parcel, 3860)
    assert bench.command(1, 2) is S.APPLIED, "past the commit point, but it stands"


def untrust(bench: Bench) -> None:
    bench.sense(e_stop=True)


def past_commit(bench: Bench) -> None:
    bench.run(3850 - 2500)


def exit_full(bench: Bench) -> None:
    bench.program.life.lanes.exits_full = 0b0010


def disabled(bench: Bench) -> None:
    bench.pc.enabled = 0b1101
    bench.beat()


@clause("CMD-4", "CMD-7")
@pytest.mark.parametrize(
    ("causes", "status"),
    [
        ((untrust, past_commit, exit_full, disabled), S.UNTRUSTED),
        ((past_commit, exit_full, disabled), S.TOO_LATE),
        ((exit_full, disabled), S.EXIT_FULL),
        ((disabled,), S.EXIT_DISABLED),
        ((), S.APPLIED),
    ],
)
def test_rows_10_to_14(causes: tuple[Callable[[Bench], None], ...], status: CommandStatus) -> None:
    bench, _ = bench_with_parcel()
    for cause in reversed(causes):
        cause(bench)
    assert bench.command(1, 2) is status
    repeated = S.APPLIED if status is S.APPLIED else S.DROPPED
    assert bench.command(1, 2) is repeated


@clause("CMD-4")
def test_the_commit_point_itself_is_not_past_it() -> None:
    bench, _ = bench_with_parcel(3849)
    assert bench.command(1, 2) is S.APPLIED
    bench, _ = bench_with_parcel(3850)
    assert bench.command(1, 2) is S.TOO_LATE


# --- sequence numbers -----------------------------------------------------------------------------


@clause("CMD-2")
@pytest.mark.parametrize(
    ("seq", "last", "newer"),
    [
        (1, 0, True), (65_535, 0, True), (0, 0, False), (0, 65_535, False),
        (2, 1, True), (1, 1, False), (1, 2, False),
        (1, 65_535, True), (65_535, 1, False),
        (32_768, 1, True), (32_769, 1, False),
    ],
)  # fmt: skip
def test_newer(seq: int, last: int, newer: bool) -> None:
    assert is_newer(seq, last) is newer


@clause("CMD-2")
@given(st.integers(1, 65_535), st.integers(1, 65_535))
@settings(max_examples=100)
def test_of_two_sequences_one_is_newer(one: int, other: int) -> None:
    assert is_newer(one, other) + is_newer(other, one) == (one != other)


# --- outcomes -------------------------------------------------------------------------------------


@clause("CMD-5")
def test_revoke_before_the_commit_point_is_applied_once() -> None:
    bench, parcel = bench_with_parcel()
    bench.command(1, 2)
    assert bench.revoke(1) is S.APPLIED
    assert bench.revoke(1) is S.REVOKED
    assert bench.command(1, 2) is S.REVOKED
    bench.run_to(parcel, 7001)
    assert parcel.exit == 0
    assert bench.shorts()[-1] == (RingKind.CONFIRMED, END, 2, 1)


@clause("CMD-5")
def test_revoke_without_a_command_forbids_one() -> None:
    bench, _ = bench_with_parcel()
    assert bench.revoke(1) is S.APPLIED
    assert bench.command(1, 2) is S.REVOKED
    assert bench.command(1, 3) is S.REVOKED


@clause("CMD-5")
def test_revoke_past_the_commit_point_and_after_firing_is_too_late() -> None:
    bench, parcel = bench_with_parcel()
    bench.command(1, 2)
    bench.run_to(parcel, 3849)
    bench.run(1)
    assert bench.revoke(1) is S.PASSED
    bench.run_to(parcel, 3900)
    assert bench.revoke(1) is S.DONE
    bench.run(1000)
    assert parcel.exit == 2
    assert bench.revoke(1) is S.DONE
    assert bench.command(1, 2) is S.DONE


@clause("CMD-5", "LINK-2")
def test_revoke_of_a_dropped_command_is_dropped() -> None:
    bench, _ = bench_with_parcel()
    bench.command(1, 2)
    bench.pc.alive = False
    bench.run(500)
    bench.pc.alive = True
    bench.run(200)
    assert bench.revoke(1) is S.DROPPED


@clause("CMD-6")
def test_256_outcomes_are_kept_the_oldest_is_forgotten() -> None:
    bench = Bench(settings=PlcSettings(outcomes=3)).ready()
    for number in range(1, 5):
        parcel = bench.put(200)
        bench.run_to(parcel, 2500)
        assert bench.command(number, 1) is S.APPLIED
        bench.run(2500)
        assert parcel.exit == 1
        bench.parcels.clear()
    assert [bench.command(number, 1) for number in range(1, 5)] == [S.UNKNOWN_NUMBER, *[S.DONE] * 3]
    assert PlcSettings().outcomes == 256


@clause("CMD-8")
def test_another_exit_than_the_recorded_one() -> None:
    bench, parcel = bench_with_parcel()
    bench.command(1, 2)
    assert bench.command(1, 3) is S.BAD_EXIT
    bench.run_to(parcel, 4600)
    assert parcel.exit == 2


@clause("CMD-5")
def test_a_lost_parcels_command_is_dropped() -> None:
    bench, parcel = bench_with_parcel()
    bench.command(1, 4)
    bench.parcels.clear()
    bench.run(2500)
    assert bench.shorts() == [(RingKind.LOST, 4, 0, 1)]
    assert bench.revoke(1) is S.DROPPED
    assert parcel.exit == 0


# --- zero is nothing, and the heartbeat -----------------------------------------------------------


@clause("ID-10")
def test_a_zero_block_is_not_judged_and_a_zero_heartbeat_is_not_fresh() -> None:
    bench, _ = bench_with_parcel()
    bench.write(4112, *[0] * 7)
    bench.run(50)
    assert bench.answer() is S.NONE
    bench.pc.alive = False
    for _ in range(10):
        bench.run(100)
        bench.write(4096, *[0] * 12)
    assert not bench.program.life.pc.fresh


@clause("LINK-1")
def test_fresh_until_the_limit_and_only_by_moving() -> None:
    bench = Bench()
    bench.pc.alive = False
    assert not bench.program.life.pc.fresh
    bench.beat()
    assert not bench.program.life.pc.fresh, "a first value has not moved yet"
    bench.beat()
    assert bench.program.life.pc.fresh
    bench.run(400)
    assert bench.program.life.pc.fresh
    bench.run(1)
    assert not bench.program.life.pc.fresh
    bench.pc.beat -= 1
    bench.beat()
    assert not bench.program.life.pc.fresh, "the same value again"


@clause("LINK-2", "LINK-3")
def test_stale_drops_every_command_for_good() -> None:
    bench = Bench().ready()
    first = bench.put(200)
    bench.run(1000)
    second = bench.put(200)
    bench.run_to(first, 2500)
    assert bench.command(1, 1) is S.APPLIED
    assert bench.command(2, 3) is S.APPLIED
    bench.pc.gates = 3
    bench.run(100)
    assert bench.out.gates == 3
    bench.entries()
    bench.pc.alive = False
    bench.run(401)
    stale = AbortCause.STALE_HEARTBEAT.value
    aborts = [entry for entry in bench.shorts() if entry[0] is RingKind.ABORTED]
    assert aborts == [(RingKind.ABORTED, 1, stale, 1), (RingKind.ABORTED, 3, stale, 2)]
    assert not bench.out.induction
    assert bench.out.gates == 0
    bench.pc.alive = True
    bench.run(200)
    assert bench.out.induction
    third = bench.put(200)
    bench.run_to(third, 2500)
    assert bench.command(3, 2) is S.APPLIED, "new commands are taken"
    bench.run(5000)
    assert (first.exit, second.exit, third.exit) == (0, 0, 2)
