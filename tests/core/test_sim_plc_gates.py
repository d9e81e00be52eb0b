"""The gates of the review benches on the simulated PLC: open for one work, and an eye behind each side."""

from edge.model.divert import RingKind
from edge.model.review import GateLane
from tests.clauses import clause
from tests.core.plc_bench import Bench

PACKING_1, REPICK_1, PACKING_3 = 0b1, 0b10, 0b10000


def gates_of(bench: Bench) -> tuple[int, int]:
    """As driven, and as the status block says."""
    return bench.out.gates, bench.status("gates")


@clause("GATE-1", "LINK-2")
def test_a_gate_is_open_while_the_pc_wants_it_and_lives() -> None:
    bench = Bench().ready()
    assert gates_of(bench) == (0, 0)
    bench.pc.gates = 0b101
    bench.run(200)
    assert gates_of(bench) == (0b101, 0b101)
    bench.pc.gates = 0b100
    bench.run(200)
    assert gates_of(bench) == (0b100, 0b100)
    bench.pc.alive = False
    bench.run(2_000)
    assert gates_of(bench) == (0, 0)
    bench.pc.alive = True
    bench.run(300)
    assert gates_of(bench) == (0b100, 0b100)


@clause("GATE-2")
def test_an_open_gate_lets_one_work_through_to_packing() -> None:
    bench = Bench().ready()
    bench.pc.gates = 0b101
    bench.run(200)
    bench.sense(gate_eyes=PACKING_1)
    assert bench.out.gates == 0b101, "it shuts behind the work, not on it"
    bench.sense(gate_eyes=0)
    assert bench.out.gates == 0b100
    bench.run(500)
    assert bench.out.gates == 0b100, "the same bit opens it no more"
    bench.pc.gates = 0b100
    bench.run(200)
    bench.pc.gates = 0b101
    bench.run(200)
    assert bench.out.gates == 0b101


@clause("GATE-2")
def test_work_that_went_the_other_way_does_not_shut_it() -> None:
    bench = Bench().ready()
    bench.pc.gates = 0b1
    bench.run(200)
    bench.sense(gate_eyes=REPICK_1)
    bench.sense(gate_eyes=0)
    assert bench.out.gates == 0b1


@clause("GATE-3")
def test_each_leading_edge_is_one_entry_whatever_the_belt_does() -> None:
    bench = Bench()
    bench.run(300)
    assert not bench.out.belt
    bench.sense(gate_eyes=PACKING_1 | PACKING_3)
    bench.sense(gate_eyes=PACKING_3)
    bench.sense(gate_eyes=PACKING_3 | REPICK_1)
    bench.sense(gate_eyes=0)
    assert bench.shorts() == [
        (RingKind.GATE, 1, GateLane.PACKING, 0),
        (RingKind.GATE, 3, GateLane.PACKING, 0),
        (RingKind.GATE, 1, GateLane.REPICK, 0),
    ]


@clause("GATE-3")
def test_an_eye_that_is_blocked_at_the_start_is_no_passage() -> None:
    bench = Bench()
    bench.inputs = bench.inputs._replace(gate_eyes=PACKING_1)
    bench.program.restart()
    bench.read_to = 0
    bench.step()
    bench.sense(gate_eyes=0)
    assert bench.shorts() == []
