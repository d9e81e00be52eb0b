"""The numbers on the belt, in belt order, and what each is waiting for."""

from bisect import insort
from dataclasses import dataclass, field

from simulators.devices.plc.agenda import Timer
from simulators.devices.plc.geometry import Geometry
from simulators.devices.plc.moment import Moment


@dataclass(slots=True, eq=False)
class Track:
    """One number.

    ``origin``: the ticks at which its leading edge was at the induction eye. ``eye``: index of the
    eye it waits for. ``length`` in ticks, the longest parcel's until measured. ``announced``: the PC
    has an entry of it. ``command``: the exit whose accepted command stands. ``fired``: the exit it
    was fired for, ``confirm_end`` the last ticks of its confirm window, ``straight``: seen
    downstream all the same. ``aborted``: a command for it was dropped or refused. ``marked``: until
    it exits; ``marked_in``: bit of the guard zone of it. ``refused``: unexpected, no command is
    accepted. ``held_at``: ticks at which its zone stopped. ``barred``: bit per diverter that must not
    fire for it.
    """

    number: int
    origin: int
    eye: int
    length: int
    refused: bool = False
    announced: bool = False
    command: int = 0
    fired: int = 0
    confirm_end: int = 0
    straight: bool = False
    aborted: bool = False
    marked: bool = False
    marked_in: int = 0
    held_at: int | None = None
    barred: int = 0
    lost_timer: Timer = field(init=False, repr=False)
    fire_timer: Timer = field(init=False, repr=False)


def _origin(track: Track) -> int:
    return track.origin


class Belt:
    """``tracks`` is ordered from the front of the belt; ``waiting`` is by eye index, unordered;
    ``zones_untrusted``: bits of the guard zones in which a number on the belt was marked."""

    __slots__ = ("_marked", "_now", "geometry", "numbers", "tracks", "waiting", "zones_untrusted")

    def __init__(self, now: Moment, geometry: Geometry) -> None:
        self._now = now
        self.geometry = geometry
        self.tracks: list[Track] = []
        self.numbers: dict[int, Track] = {}
        self.waiting: list[list[Track]] = [[] for _ in geometry.eyes]
        self._marked = {one.bit: 0 for one in geometry.guards}
        """How many, by the bit of the zone."""
        self.zones_untrusted = 0

    def add(self, track: Track) -> None:
        insort(self.tracks, track, key=_origin)
        self.numbers[track.number] = track
        self.waiting[track.eye].append(track)

    def remove(self, track: Track) -> None:
        """The number ends; nothing is due for it any more."""
        self.tracks.remove(track)
        self.waiting[track.eye].remove(track)
        del self.numbers[track.number]
        track.lost_timer.clear()
        track.fire_timer.clear()
        if track.marked:
            self._marked[track.marked_in] -= 1
            if not self._marked[track.marked_in]:
                self.zones_untrusted &= ~track.marked_in

    def mark(self, track: Track, bit: int = 0) -> None:
        """``bit``: of its guard zone, where that is not the one of its leading edge."""
        if not track.marked:
            track.marked = True
            track.marked_in = bit or self.geometry.guard_at(self.position(track)).bit
            self._marked[track.marked_in] += 1
            self.zones_untrusted |= track.marked_in

    def seen(self, track: Track) -> None:
        """Its leading edge is now at the eye it waited for; it waits for the next."""
        self.waiting[track.eye].remove(track)
        track.origin = self._now.ticks - self.geometry.eyes[track.eye]
        track.eye += 1
        self.waiting[track.eye].append(track)
        self.tracks.sort(key=_origin)
        if track.fired:
            track.straight = True
        self.expect(track)

    def expect(self, track: Track) -> None:
        """Set when it is LOST: after its window, and after its confirm window if it was fired."""
        if track.held_at is not None:
            track.lost_timer.clear()
            return
        over = track.origin + self.geometry.eyes[track.eye] + self.geometry.tolerance
        if track.fired and not track.straight:
            over = max(over, track.confirm_end)
        track.lost_timer.set(over + 1)

    def position(self, track: Track) -> int:
        """Ticks from the induction eye to its leading edge, by the belt."""
        now = self._now.ticks if track.held_at is None else track.held_at
        return now - track.origin

    def foremost(self, track: Track) -> int:
        """Where its leading edge may be at most. One that was UNEXPECTED may have been laid across the eye:
        what the eye saw first was no leading edge, and only its trailing edge is sure (DIV-10)."""
        lead = self.position(track)
        if not track.refused:
            return lead
        return lead + self.geometry.length_max - (track.length if track.announced else 0)

    def behind(self, origin: int) -> Track | None:
        """The first number behind one with that origin."""
        for track in self.tracks:
            if track.origin > origin:
                return track
        return None

    def ahead(self, track: Track) -> list[Track]:
        """The numbers ahead of it, nearest first."""
        return self.tracks[: self.tracks.index(track)][::-1]
