"""The heartbeat moves only while the line loop turns."""

from edge.model.commands import EnableExits, PermitInduction, RequestPurge, SetZone
from edge.model.ids import PlcNumber, ZoneNo
from edge.model.register_map import ModeBit
from edge.runtime.health import Health
from edge.runtime.outputs import Outputs


def test_a_beat_needs_progress() -> None:
    health = Health()
    assert [health.beat(), health.beat()] == [0, 0]
    health.progress()
    assert [health.beat(), health.beat()] == [1, 1]


def test_a_beat_wraps_past_zero() -> None:
    health = Health()
    beats = []
    for _ in range(65_537):
        health.progress()
        beats.append(health.beat())
    assert beats[65_533:] == [65_534, 65_535, 1, 2]


def test_a_failed_loop_beats_no_more() -> None:
    health = Health()
    health.progress()
    health.fail("first")
    health.progress()
    health.fail("second")
    assert (health.beat(), health.failed) == (0, "first")


def test_the_watchdog_is_fed_by_each_turn_until_something_has_failed() -> None:
    fed = []
    health = Health(lambda: fed.append(True))
    health.progress()
    health.progress()
    health.fail("a task ended")
    health.progress()
    assert len(fed) == 2


def test_outputs_permit_nothing_until_told_and_hold_absolute_values() -> None:
    outputs = Outputs(Health())
    first = outputs.read()
    assert (first.mode, first.exits_enabled, first.zones_hold) == (ModeBit(0), 0, 0)
    outputs.apply(PermitInduction(on=True))
    outputs.apply(RequestPurge(on=True))
    outputs.apply(EnableExits(bits=0b101))
    outputs.apply(SetZone(zone=ZoneNo(2), hold=True, number=PlcNumber(7)))
    held = outputs.read()
    assert held.mode == ModeBit.PERMIT_INDUCTION | ModeBit.REQUEST_PURGE
    assert (held.exits_enabled, held.zones_hold, held.release_number) == (0b101, 0b10, 0)
    outputs.apply(PermitInduction(on=False))
    outputs.apply(SetZone(zone=ZoneNo(2), hold=False, number=PlcNumber(7)))
    last = outputs.read()
    assert (last.mode, last.zones_hold, last.release_number) == (ModeBit.REQUEST_PURGE, 0, 7)
    assert not outputs.permitted
