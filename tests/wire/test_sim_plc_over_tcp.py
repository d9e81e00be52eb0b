"""The PLC's clauses over real Modbus TCP on loopback."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.plc_over_modbus import Cable, cabled, clause_tests, goes_round, not_proved

pytestmark = pytest.mark.wire

TESTS = clause_tests()
globals().update(TESTS)


@pytest.fixture(autouse=True, scope="module")
def cable() -> Iterator[Cable]:
    loop = asyncio.new_event_loop()
    with cabled(loop, 0) as cable:
        yield cable
    loop.close()


def test_the_bench_goes_round_the_cable(cable: Cable) -> None:
    assert goes_round(cable)


def test_they_are_all_the_clauses_of_a_plc() -> None:
    assert not_proved(TESTS) == set()
