"""The simulated PLC, one parcel's way from the induction eye to its exit."""

from edge.model.divert import CommandStatus, ConfirmReason, RingKind
from edge.model.register_map import StateBit
from tests.clauses import clause
from tests.core.plc_bench import Bench

EYE, FIRED, CONFIRMED = RingKind.EYE, RingKind.FIRED, RingKind.CONFIRMED
COMMANDED, STRAIGHT = ConfirmReason.COMMANDED.value, ConfirmReason.STRAIGHT.value


@clause("START-1", "START-3")
def test_start_reset_purge_then_induction() -> None:
    bench = Bench()
    bench.run(300)
    assert bench.state.value == StateBit.LATCHED.value
    assert bench.out.belt is False
    bench.press_reset()
    assert bench.state == StateBit.RUN | StateBit.PURGING
    bench.run(7999)
    assert StateBit.PURGING in bench.state
    assert not bench.out.induction
    bench.run(2)
    assert bench.state == StateBit.RUN | StateBit.INDUCTION


@clause("TRK-1", "TRK-4", "CMD-4", "DIV-1", "CONF-2", "TRK-8")
def test_a_commanded_parcel_goes_to_its_exit() -> None:
    bench = Bench().ready()
    parcel = bench.put(300)
    origin = bench.status("ticks")
    bench.run(2500)
    assert bench.shorts() == [(EYE, 1, 300, 1), (EYE, 2, 300, 1), (EYE, 3, 300, 1)]
    assert bench.command(1, 2) is CommandStatus.APPLIED
    bench.run_to(parcel, 3873)
    assert bench.out.diverters == (0, 0)
    bench.run(1)
    assert bench.out.diverters == (2, 0)
    bench.run(1500)
    assert parcel.exit == 2
    fired, confirmed = bench.entries()
    assert fired.short == (FIRED, 2, 0, 1)
    assert fired.ticks == origin + 3874
    assert confirmed.short == (CONFIRMED, 2, COMMANDED, 1)
    assert confirmed.ticks == origin + 4500
    assert bench.out.diverters == (0, 0)


@clause("DIV-9", "CONF-3")
def test_a_parcel_nobody_decided_goes_to_the_end() -> None:
    bench = Bench().ready()
    bench.put(250)
    bench.run(7400)
    assert bench.shorts()[-2:] == [(EYE, 5, 250, 1), (CONFIRMED, 5, STRAIGHT, 1)]
