"""What every rule of the core works on: the line, its state, and the commands of this input."""

from edge.core.layout import Layout
from edge.core.routing import Routes
from edge.core.state import CoreState, Track
from edge.model.commands import LineCommand, Record, WakeAt
from edge.model.events import WakePurpose
from edge.model.ids import PlcNumber, TrackId, Waybill
from edge.model.records import RecordBody
from edge.model.register_map import StateBit
from edge.model.units import US_PER_S, MonoUs, Ticks

RUN = int(StateBit.RUN)
"""As a plain int: it is looked at after most inputs."""


class Scope:
    """One line's state with its derived constants. ``out`` holds the commands of the current input."""

    __slots__ = ("layout", "out", "routes", "state")

    def __init__(self, layout: Layout, state: CoreState) -> None:
        self.layout = layout
        self.state = state
        self.routes = Routes(state.plan)
        self.out: list[LineCommand] = []

    def record(self, body: RecordBody) -> None:
        self.out.append(Record(body=body))

    def wake(self, purpose: WakePurpose, track: Track, ticks: int, *, proved: bool) -> None:
        self.out.append(
            WakeAt(purpose=purpose, ref=track.id, ticks=Ticks(ticks), at_us=MonoUs(0), proved=proved)
        )

    def track_of(self, number: PlcNumber) -> Track | None:
        track = self.state.numbers.get(number)
        return None if track is None else self.state.tracks[track]

    def open_for(self, waybill: Waybill) -> list[Track]:
        """The open tracks of a waybill, oldest first."""
        return [track for track in self.state.tracks.values() if track.waybill == waybill]

    def named(self, subject: str) -> list[Track]:
        """The open tracks that a person means: those of a waybill, or ``track:N``."""
        kind, _, number = subject.partition(":")
        if kind == "track" and number.isdecimal():
            track = self.state.tracks.get(TrackId(int(number)))
            return [] if track is None else [track]
        return self.open_for(Waybill(subject)) if subject else []

    def belt_seen(self, ticks: Ticks, at_us: MonoUs) -> None:
        """A position told with its moment; one behind the last says nothing (a belt runs one way)."""
        plc = self.state.plc
        if ticks >= plc.belt_ticks:
            plc.belt_ticks, plc.belt_at_us = ticks, at_us

    def belt_at_most(self, at_us: MonoUs) -> Ticks:
        """How far the belt can have come by now, from the last position told: at v_max while it runs."""
        plc = self.state.plc
        if not int(plc.bits.state) & RUN:
            return plc.belt_ticks
        line = self.layout.topology
        passed_us = max(0, at_us - plc.belt_at_us)
        return Ticks(
            plc.belt_ticks + passed_us * line.max_speed_mm_s * line.ticks_per_m // (US_PER_S * 1_000)
        )
