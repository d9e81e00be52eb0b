"""The wires between the belt (``simulators.world``) and the PLC (``simulators.devices.plc``).

The plant alternates: the world advances to an instant and yields ``Sensors``; the PLC's program is
called with them and yields ``Actuators``. Both say when they want to be called next; nothing is polled.
"""

from dataclasses import dataclass
from typing import NamedTuple

from edge.model.quick import quick

Levels = tuple[int, int, int, int, bool, bool, bool, bool, bool, bool, int]
"""``Sensors`` from ``eyes`` on: the inputs of which a PLC sees an edge; the encoder counts on its own."""


class Sensors(NamedTuple):
    """Levels at one instant; a tuple, for one is made at every instant of a run.

    Bit n−1 belongs to eye, exit or diverter number n.
    ``encoder_ticks``: counted by the encoder since it was made (never modulo); an encoder fault
    makes it stand still, or run while the belt stands. ``confirm``: the confirm eyes of exits 1…n.
    ``gate_eyes``: behind the benches' gates, bit 2 (gate - 1) on the packing side, the next on the other.
    The confirm eye of the end of the line is the belt eye with role END, in ``eyes``.
    ``lane_full``: the full-eyes of the exits' lanes are blocked. ``ready``: air and power are there.
    """

    at_us: int
    encoder_ticks: int
    eyes: int
    confirm: int
    home: int
    lane_full: int
    end_full: bool
    e_stop: bool
    door: bool
    pull_cord: bool
    reset: bool
    ready: bool
    gate_eyes: int = 0

    @property
    def levels(self) -> Levels:
        return self[2:]


def sensors_of(at_us: int, encoder_ticks: int, levels: Levels) -> Sensors:
    """``Sensors(at_us, encoder_ticks, *levels)``, in a third of its time."""
    return tuple.__new__(Sensors, (at_us, encoder_ticks, *levels))


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Actuators:
    """Levels that the PLC drives. ``diverters``: per diverter in order 0 rest, 1 left, 2 right.

    ``zones_hold``: sections that stand still while the belt runs. ``induction``: the infeed may put
    parcels on the belt.
    """

    belt: bool
    induction: bool
    diverters: tuple[int, ...]
    zones_hold: int
    gates: int
    indicators: int
