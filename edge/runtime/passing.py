"""Which parcels are on their way to a camera that is triggered: from the moment that an eye has told of them
until they have left its field. Nothing is decided here; a camera that is not told of a parcel reads nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.core.timing import mm_to_ticks, read_window
from edge.model.ids import BootEpoch, ReaderId, TrackId
from edge.model.records import RecordBody, TrackOpened
from edge.model.topology import Reader, Topology
from edge.model.units import Mm, Ticks
from edge.ports.sinks import BeltSample, BeltSink

KEPT = 64
"""Parcels on their way to one camera; a camera that many are told of looks at all there is."""
SETTLING = 2
"""Statuses after a silence of the PLC, until what its ring had to tell of it is told on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsWay:
    """A parcel whose leading edge was, or would have been, at the induction eye at ``origin``."""

    track: TrackId
    origin: Ticks
    length_mm: Mm


Tell = Callable[[ReaderId, tuple[TrackId, ...] | None], None]
"""A camera's parcels, whenever they change; None: nobody knows which ones, so it has to look."""


class Passing:
    """A ``BeltSink`` before another one: whatever it is told goes on to ``belt`` first."""

    def __init__(self, topology: Topology, readers: Iterable[ReaderId], belt: BeltSink, tell: Tell) -> None:
        self._topology = topology
        self._belt = belt
        self._tell = tell
        wanted = frozenset(readers)
        self._way: dict[ReaderId, deque[tuple[int, TrackId]]] = {
            one.id: deque(maxlen=KEPT) for one in topology.readers if one.id in wanted
        }
        """By reader: (ticks at which it has gone by, track), in the order told."""
        self._readers: tuple[Reader, ...] = tuple(one for one in topology.readers if one.id in wanted)
        self._epoch = BootEpoch(0)
        self._blind = SETTLING

    def begin(self, standing: Sequence[OnItsWay]) -> None:
        """What a recovered line has on its belt."""
        for one in standing:
            self._add(one)

    def observe(self, body: RecordBody) -> None:
        """Every record of the line passes here."""
        if isinstance(body, TrackOpened):
            eye = self._topology.eyes[body.eye - 1]
            origin = Ticks(body.ticks - mm_to_ticks(eye.position_mm, self._topology.ticks_per_m))
            self._add(OnItsWay(track=body.track, origin=origin, length_mm=body.length_mm))

    def belt_seen(self, sample: BeltSample) -> None:
        self._belt.belt_seen(sample)
        if sample.epoch != self._epoch:
            if self._epoch:
                for way in self._way.values():
                    way.clear()
            self._epoch, self._blind = sample.epoch, SETTLING
        if sample.ring_read and self._blind:
            self._blind -= 1
            if not self._blind:
                self._tell_all()
        for reader, way in self._way.items():
            before = len(way)
            while way and way[0][0] < sample.ticks:
                way.popleft()
            if len(way) != before and not self._blind:
                self._tell(reader, self._tracks(reader))

    def belt_unseen(self) -> None:
        self._belt.belt_unseen()
        self._blind = SETTLING
        for reader in self._way:
            self._tell(reader, None)

    def _add(self, one: OnItsWay) -> None:
        for reader in self._readers:
            last = read_window(self._topology, reader, one.origin, one.length_mm).last
            self._way[reader.id].append((last, one.track))
            if not self._blind:
                self._tell(reader.id, self._tracks(reader.id))

    def _tell_all(self) -> None:
        for reader in self._way:
            self._tell(reader, self._tracks(reader))

    def _tracks(self, reader: ReaderId) -> tuple[TrackId, ...]:
        return tuple(track for _, track in self._way[reader])
