"""The record and the truth, joined: which track was which parcel.

Facts of the truth come in the order of time, rows of the journal in theirs. A parcel is settled once
both have said their last word on it; then it is judged and forgotten, so memory does not grow.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edge.model.units import UINT32_MAX
from simulators.world.journal_rows import Fields
from simulators.world.truth import (
    Carried,
    CommandJudged,
    CommandWritten,
    Inducted,
    Left,
    OnScale,
    Placed,
    Removed,
)

REMEMBERED = 200_000
"""Waybills, orders and edges that are remembered after their parcels: hours of the fastest line."""

ROUNDING_TICKS = 2

V = TypeVar("V")


class Recent(Generic[V]):
    """A mapping that forgets its oldest entries beyond ``REMEMBERED``."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str | tuple[int, int], V] = OrderedDict()

    def get(self, key: str | tuple[int, int]) -> V | None:
        return self._entries.get(key)

    def put(self, key: str | tuple[int, int], value: V) -> None:
        self._entries[key] = value
        if len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)

    def pop(self, key: str | tuple[int, int]) -> V | None:
        return self._entries.pop(key, None)


@dataclass(slots=True, eq=False)
class TrueParcel:
    """A parcel as it was. ``group``: parcels that touch it, so that the eyes saw one thing."""

    placed: Placed
    laps: int = 0
    """How often it has gone round."""
    inducted: Inducted | None = None
    epoch: int = 0
    on_scale: list[OnScale] = field(default_factory=list)
    """Each time that it was on it: one that slips back is on it again."""
    carried: list[Carried] = field(default_factory=list)
    left: Left | None = None
    removed: Removed | None = None
    gone_us: int = 0
    swapped: bool = False
    """By hand on the running belt: nobody can know it from the other one any more."""
    blind: bool = False
    """It was on the belt while the encoder lied."""
    group: list["TrueParcel"] = field(default_factory=list)
    head: "TrueParcel | None" = None
    """The first of its group, where it is not the first itself."""
    close: bool = False
    """Closer to a neighbour than the line allows."""
    tracks: list["Track"] = field(default_factory=list)

    @property
    def uid(self) -> int:
        return self.placed.parcel

    @property
    def gone(self) -> bool:
        return self.left is not None or self.removed is not None

    @property
    def forced(self) -> bool:
        return any(one.forced for one in self.carried)


@dataclass(slots=True, eq=False)
class Track:
    """A track as the journal has it. Fields hold the bodies of its rows; 0 or None: no such row yet."""

    track: int
    epoch: int
    number: int
    eye: int
    ticks: int
    opened_at_us: int
    parcel: TrueParcel | None = None
    identified: Fields | None = None
    samples: list[Fields] = field(default_factory=list)
    weighed: Fields | None = None
    zero_age_us: int = 0
    """Of the scale's zero when it was weighed; −1: never seen right."""
    orders: dict[str, int] = field(default_factory=dict)
    """Waybill → when its look-up for this track was answered with an order."""
    decided: Fields | None = None
    decided_seq: int = 0
    decisions: int = 0
    told: Fields | None = None
    revoke_seq: int = 0
    fired: int = 0
    ended: Fields | None = None
    ended_kind: str = ""
    ends: int = 0
    written: list[CommandWritten] = field(default_factory=list)
    judged: list[CommandJudged] = field(default_factory=list)


class Book:
    """Open parcels and tracks, and what is remembered of the closed ones."""

    def __init__(self, ticks_per_m: int) -> None:
        self._ticks_per_m = ticks_per_m
        self.parcels: dict[int, TrueParcel] = {}
        self.tracks: dict[int, Track] = {}
        self.by_number: dict[tuple[int, int], Track] = {}
        self.commands: dict[tuple[int, int], tuple[list[CommandWritten], list[CommandJudged]]] = {}
        """Of numbers whose track the journal has not shown yet."""
        self.epoch = 0
        self.shifts: dict[int, int] = {}
        self.ended_epochs: dict[int, int] = {}
        """Boot epoch → when its PLC stopped."""
        self.last_ticks: dict[int, int] = {}
        """Boot epoch → the largest ticks of a ring entry on record."""
        self.overflowed: set[int] = set()
        self.edges: Recent[list[TrueParcel]] = Recent()
        """(eye, encoder ticks modulo 2³²) of leading edges → whose they were; of several in that order
        where the encoder stood still."""
        self.orders_changed: Recent[int] = Recent()
        """Waybill → when a row about its order came to an open track."""
        self.unnumbered: Recent[bool] = Recent()
        """(eye, encoder ticks) of passages that the PLC reported without a number."""

    def encoder(self, epoch: int, ticks: int) -> int:
        """A PLC's ticks as the encoder had them."""
        return (ticks + self.shifts.get(epoch, 0)) & UINT32_MAX

    def edge(self, parcel: TrueParcel, eye: int, encoder_ticks: int) -> None:
        """A leading edge of a parcel was seen by an eye."""
        key = (eye, encoder_ticks & UINT32_MAX)
        known = self.edges.get(key)
        if known is None:
            self.edges.put(key, [parcel])
        elif parcel not in known:
            known.append(parcel)

    def open_track(self, track: Track) -> None:
        """A ``TrackOpened`` row: find out whose leading edge it was that the PLC reported."""
        self.tracks[track.track] = track
        self._match(track)
        key = (track.epoch, track.number)
        self.by_number[key] = track
        early = self.commands.pop(key, None)
        if early is not None:
            track.written, track.judged = early

    def match_late(self) -> None:
        """Edges downstream are known only when their parcel is gone: look again for open tracks."""
        for track in self.tracks.values():
            if track.parcel is None:
                self._match(track)

    def _match(self, track: Track) -> None:
        """A parcel has one track of each eye: where two edges have the same ticks, tracks and parcels
        come in the same order."""
        for parcel in self.edges.get((track.eye, self.encoder(track.epoch, track.ticks))) or ():
            if not any(one.eye == track.eye for one in parcel.tracks):
                track.parcel = parcel
                parcel.tracks.append(track)
                return

    def close_track(self, track: Track) -> None:
        """It is judged."""
        del self.tracks[track.track]
        del self.by_number[track.epoch, track.number]

    def commands_of(self, epoch: int, number: int) -> tuple[list[CommandWritten], list[CommandJudged]]:
        """The lists to which facts about commands for a number go."""
        track = self.by_number.get((epoch, number))
        if track is not None:
            return track.written, track.judged
        return self.commands.setdefault((epoch, number), ([], []))

    def unseen(self, parcel: TrueParcel) -> str:
        """Why the line cannot have a track of a parcel that passed the induction eye; empty: it must."""
        inducted = parcel.inducted
        assert inducted is not None
        if parcel.head is not None:
            return "merged"
        if parcel.epoch == 0:
            return "plc_off"
        if self.unnumbered.get((1, inducted.ticks & UINT32_MAX)):
            return "unnumbered"
        if parcel.epoch in self.overflowed:
            return "overflow"
        if parcel.epoch in self.ended_epochs and self._unread(parcel, inducted):
            return "restart"
        return ""

    def _unread(self, parcel: TrueParcel, inducted: Inducted) -> bool:
        """Nothing that happened after its trailing edge, when its entry was written, is on record:
        the PLC went before the ring was read as far."""
        length = parcel.placed.length_mm * self._ticks_per_m // 1000 + ROUNDING_TICKS
        own = inducted.ticks - self.shifts.get(parcel.epoch, 0)
        last = self.last_ticks.get(parcel.epoch, 0)
        return (own + length - last) & UINT32_MAX <= UINT32_MAX // 2
