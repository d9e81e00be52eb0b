"""The PLC's clauses over Modbus on the in-memory network, in virtual time."""

from collections.abc import Iterator

import pytest

from simulators.loop import VirtualLoop
from simulators.network import Network
from tests.plc_over_modbus import cabled, clause_tests, not_proved

TESTS = clause_tests()
globals().update(TESTS)


@pytest.fixture(autouse=True, scope="module")
def cable() -> Iterator[None]:
    loop = VirtualLoop(network=Network(1))
    with cabled(loop, 502) as cable:
        yield
        assert cable.requests > len(TESTS), "the bench went round the cable"
    loop.close()


def test_they_are_all_the_clauses_of_a_plc() -> None:
    assert not_proved(TESTS) == set()
