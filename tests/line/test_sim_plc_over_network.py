"""The PLC's clauses over Modbus on the in-memory network, in virtual time."""

from collections.abc import Iterator

import pytest

from simulators.loop import VirtualLoop
from simulators.network import Network
from tests.plc_over_modbus import Cable, cabled, clause_tests, goes_round, not_proved

TESTS = clause_tests()
globals().update(TESTS)


@pytest.fixture(autouse=True, scope="module")
def cable() -> Iterator[Cable]:
    loop = VirtualLoop(network=Network(1))
    with cabled(loop, 502) as cable:
        yield cable
    loop.close()


def test_the_bench_goes_round_the_cable(cable: Cable) -> None:
    assert goes_round(cable)


def test_they_are_all_the_clauses_of_a_plc() -> None:
    assert not_proved(TESTS) == set()
