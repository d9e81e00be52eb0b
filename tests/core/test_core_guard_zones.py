"""Guard zones: what stood where hands could reach is not shipped; what stood behind a guard is."""

import pytest

from edge.model.records import Exited
from edge.model.register_map import StateBit
from edge.model.verdict import Reason
from line_config.load import load_line
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import READY, bits

OPEN_TO_MM = 1_500
LOOP = load_line(
    "loop", [f"guard_zones.placing.to_mm={OPEN_TO_MM}", f"guard_zones.sorter.from_mm={OPEN_TO_MM}"]
).topology


@clause("STOP-7")
@pytest.mark.parametrize(
    ("at_mm", "state", "zones", "reason"),
    [
        (OPEN_TO_MM - 200, StateBit(0), 0b01, Reason.POSITION_UNKNOWN),
        (OPEN_TO_MM + 250, StateBit(0), 0b01, Reason.POSITION_UNKNOWN),
        (OPEN_TO_MM + 650, StateBit(0), 0b01, Reason.OK),
        (OPEN_TO_MM - 400, StateBit(0), 0b10, Reason.OK),
        (OPEN_TO_MM + 400, StateBit(0), 0b10, Reason.POSITION_UNKNOWN),
        (OPEN_TO_MM + 400, StateBit(0), 0b11, Reason.POSITION_UNKNOWN),
        (OPEN_TO_MM + 650, READY, 0b01, Reason.POSITION_UNKNOWN),
    ],
)
def test_what_is_marked_is_what_may_lie_in_the_zone(
    at_mm: int, state: StateBit, zones: int, reason: Reason
) -> None:
    """On a belt that runs again nobody knows who stood where: then all of it is."""
    bench = CoreBench(LOOP)
    bench.parcel(1)
    bench.run(at_mm)
    bench.status(bits(state, zones_untrusted=zones))
    bench.status(bits(READY, zones_untrusted=zones))
    bench.run(11_000)
    assert bench.the(Exited).reason is reason


def test_without_a_description_the_belt_is_one_zone() -> None:
    for at_mm in (400, 2_700):
        bench = CoreBench()
        bench.parcel(1)
        bench.run(at_mm)
        bench.status(bits(StateBit(0), zones_untrusted=1))
        bench.status(bits(READY, zones_untrusted=1))
        bench.run(11_000)
        assert bench.the(Exited).reason is Reason.POSITION_UNKNOWN
