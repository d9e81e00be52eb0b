"""The PLC's clauses over real Modbus TCP on loopback."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.plc_over_modbus import cabled, clause_tests, not_proved

pytestmark = pytest.mark.wire

TESTS = clause_tests()
globals().update(TESTS)


@pytest.fixture(autouse=True, scope="module")
def cable() -> Iterator[None]:
    loop = asyncio.new_event_loop()
    with cabled(loop, 0) as cable:
        yield
        assert cable.requests > len(TESTS), "the bench went round the cable"
    loop.close()


def test_they_are_all_the_clauses_of_a_plc() -> None:
    assert not_proved(TESTS) == set()
