"""A line's places in ticks, worked out once: what the core needs of a ``Topology`` at every event."""

import re
from collections.abc import Sequence

from edge.core.timing import (
    LOOP_MS,
    mm_to_ticks,
    mm_to_ticks_up,
    read_due_mm,
    read_window,
    ticks_to_mm,
    travel_mm,
)
from edge.model.codes import GOODS_SYMBOLOGIES, WaybillPattern
from edge.model.ids import BenchId, ChuteId, DeviceId, ExitNo, GateNo, ReaderId, ZoneNo
from edge.model.topology import Bench, Chute, ChuteKind, Exit, Reader, ScaleKind, Topology
from edge.model.units import Mm, Ticks
from edge.model.verdict import Reason

HOLD_CYCLES = 2
"""A static hold is seen by two status cycles, one at each end."""
LENGTHS_KEPT = 1_024
"""Read windows kept by length; parcels have a few hundred different lengths in millimetres."""


def _any_of(patterns: Sequence[WaybillPattern]) -> re.Pattern[str]:
    """Matches what any of them does; nothing where there are none."""
    return re.compile("|".join(f"(?:{one.regex})" for one in patterns) or "(?!)")


def _reading_points(topology: Topology) -> dict[ReaderId, int]:
    """Readers whose fields touch on the belt look at a parcel together, from several sides: they are one
    reading point, and so are those that the line describes as one. Numbered downstream from 0."""
    points: dict[ReaderId, int] = {}
    number, reaches = -1, Mm(0)
    for reader in sorted(topology.readers, key=lambda one: (one.position_mm - one.field_mm // 2, one.id)):
        if number < 0 or reader.position_mm - reader.field_mm // 2 > reaches:
            number += 1
        reaches = Mm(max(reaches, reader.position_mm + reader.field_mm // 2))
        points[reader.id] = number
    for point in topology.reading_points:
        joined = {points[reader] for reader in point.readers}
        points = {reader: min(joined) if no in joined else no for reader, no in points.items()}
    return points


def _waited_for(topology: Topology) -> tuple[tuple[tuple[Reader, ...], int], ...]:
    """Readers that see a parcel in each other's place, and how many of them must have been there."""
    readers = {reader.id: reader for reader in topology.readers}
    several = tuple(
        (tuple(readers[reader] for reader in point.readers), point.at_least)
        for point in topology.reading_points
    )
    joined = {reader for point in topology.reading_points for reader in point.readers}
    alone = tuple(((reader,), 1) for reader in topology.readers if reader.needed and reader.id not in joined)
    return (*alone, *several)


class Layout:
    """Constants of one line; no state."""

    def __init__(self, topology: Topology) -> None:
        per_m = topology.ticks_per_m
        self.topology = topology
        self.end_exit = ExitNo(len(topology.exits) + 1)
        self.eye_ticks = tuple(mm_to_ticks(eye.position_mm, per_m) for eye in topology.eyes)
        self.tolerance = mm_to_ticks_up(topology.track_tolerance_mm, per_m)
        self.decision = mm_to_ticks(topology.decision_mm, per_m)
        slack_mm = topology.length_max_mm + 2 * topology.track_tolerance_mm
        self.missing = mm_to_ticks_up(topology.end_mm + slack_mm, per_m)
        self.confirm_to = tuple(
            mm_to_ticks_up(exit.confirm_to_mm + topology.track_tolerance_mm, per_m) for exit in topology.exits
        )
        self.chutes: dict[ChuteId, Chute] = {chute.id: chute for chute in topology.chutes}
        self.chutes_of: dict[ExitNo, tuple[Chute, ...]] = {
            ExitNo(no): tuple(chute for chute in topology.chutes if chute.exit == no)
            for no in range(1, self.end_exit + 1)
        }
        self.reasons: dict[Reason, ChuteId] = dict(topology.reason_chutes)
        self.readers: dict[ReaderId, Reader] = {reader.id: reader for reader in topology.readers}
        self.reader_of: dict[DeviceId, ReaderId] = {reader.device: reader.id for reader in topology.readers}
        self.benches: dict[BenchId, Bench] = {bench.id: bench for bench in topology.benches}
        self.bench_of: dict[DeviceId, BenchId] = {bench.device: bench.id for bench in topology.benches}
        self.bench_at: dict[GateNo, BenchId] = {bench.gate: bench.id for bench in topology.benches}
        self.waybill = _any_of(topology.read.patterns)
        self.foreign = _any_of(topology.read.foreign)
        self.symbologies = frozenset(topology.read.symbologies) - GOODS_SYMBOLOGIES
        self.needed_readers = tuple(reader for reader in topology.readers if reader.needed)
        self.waited_for = _waited_for(topology)
        self.point_of = _reading_points(topology)
        """Reader → number of its reading point."""
        self.no_read = frozenset(topology.read.no_read)
        self._read_cache: dict[int, tuple[int, dict[ReaderId, tuple[int, int]]]] = {}
        gap_mm = topology.gap_min_mm - topology.length_tolerance_mm
        self.induction_gap = mm_to_ticks(gap_mm, per_m)
        """Lengths are as exact as the line says, so that much is not held against a gap."""
        self.later_gap = mm_to_ticks(gap_mm - 2 * topology.track_tolerance_mm, per_m)
        """Downstream each of two parcels may also have moved by its tolerance."""
        self.reject_deadline_mm = self._reject_deadline_mm()
        self.late_mm = travel_mm(topology.max_speed_mm_s, LOOP_MS)
        """A deadline's wake may be this far past it: the loop's share of the deadline's budget."""
        scale = topology.scale
        self.scale_eyes = (scale.infeed_eye, scale.outfeed_eye) if scale else ()
        self.checks = {check.code: check for check in scale.checks} if scale else {}
        self.static_zone = ZoneNo(scale.zone) if scale and scale.kind is ScaleKind.STATIC else ZoneNo(0)
        self.hold_slack = mm_to_ticks_up(
            travel_mm(topology.max_speed_mm_s, HOLD_CYCLES * topology.plc.cycle_ms), per_m
        )

    def _reject_deadline_mm(self) -> Mm:
        """The earliest deadline of the exits that rejects may need; of the last exit if they need none."""
        wanted = {self.topology.default_chute, *self.reasons.values()}
        if self.topology.recirculation is not None:
            wanted.add(self.topology.recirculation.chute)
        exits = {self.chutes[chute].exit for chute in wanted}
        rejects = [exit.deadline_mm for exit in self.topology.exits if exit.no in exits]
        return (
            min(rejects)
            if rejects
            else max((exit.deadline_mm for exit in self.topology.exits), default=Mm(0))
        )

    def zones(self, bits: int) -> list[tuple[int, int]]:
        """Positions (first and last ticks of a leading edge) at which some of a parcel may lie in these
        guard zones, as far as its place is known; on a line that describes none, everywhere."""
        line = self.topology
        if not line.guard_zones:
            return [(-self.missing, self.missing)] if bits else []
        return [
            (
                self.ticks(one.from_mm) - self.tolerance,
                self.ticks(one.to_mm + line.length_max_mm) + self.tolerance,
            )
            for one in line.guard_zones
            if bits >> (one.no - 1) & 1
        ]

    def exit(self, no: ExitNo) -> Exit:
        """One of the physical exits 1…n."""
        return self.topology.exits[no - 1]

    def reject_chute(self, reason: Reason) -> Chute:
        """The chute of an exit reason; unmapped ones take the default exception chute."""
        return self.chutes[self.reasons.get(reason, self.topology.default_chute)]

    def end_chute(self) -> ChuteId:
        """The chute at the end of the line; empty where the description names none."""
        chutes = self.chutes_of[self.end_exit]
        return chutes[0].id if chutes else ChuteId("")

    def is_shipping(self, exit: ExitNo) -> bool:
        return any(chute.kind is ChuteKind.SHIPPING for chute in self.chutes_of.get(exit, ()))

    def ticks(self, mm: int) -> Ticks:
        return mm_to_ticks(mm, self.topology.ticks_per_m)

    def mm(self, ticks: int) -> Mm:
        return ticks_to_mm(ticks, self.topology.ticks_per_m)

    def read_window(self, reader: Reader, origin: Ticks, length_mm: Mm) -> tuple[int, int]:
        """First and last belt ticks at which ``reader`` can speak of this parcel."""
        first, last = self._reads(length_mm)[1][reader.id]
        return origin + first, origin + last

    def read_due(self, origin: Ticks, length_mm: Mm) -> Ticks:
        """When the latest answer about a parcel has come of the last reader that is waited for; its
        origin for a line without any."""
        return Ticks(origin + self._reads(length_mm)[0])

    def _reads(self, length_mm: Mm) -> tuple[int, dict[ReaderId, tuple[int, int]]]:
        """Due and windows for a parcel of this length at origin 0; the formulas are linear in it."""
        known = self._read_cache.get(length_mm)
        if known is None:
            if len(self._read_cache) >= LENGTHS_KEPT:
                self._read_cache.clear()
            line = self.topology
            due_mm = max((read_due_mm(line, reader, length_mm) for reader in self.needed_readers), default=0)
            windows = {reader.id: read_window(line, reader, Ticks(0), length_mm) for reader in line.readers}
            known = self._read_cache[length_mm] = (
                mm_to_ticks_up(due_mm, line.ticks_per_m),
                {reader: (window.first, window.last) for reader, window in windows.items()},
            )
        return known
