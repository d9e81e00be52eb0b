"""Eye edges become passages, passages numbers (contract clauses TRK-*, JAM-*, CONF-3)."""

from collections.abc import Callable
from functools import partial

from edge.model.divert import CommandStatus, ConfirmReason, RingKind
from simulators.devices.plc.agenda import Agenda, Timer
from simulators.devices.plc.belt import Belt, Track
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.ring import EventRing

WORD_MAX = 0xFFFF


class Passage:
    """One eye, and what is in front of it. ``number`` 0: nobody's. ``fresh``: its UNEXPECTED is due."""

    __slots__ = ("at_ms", "at_ticks", "blocked", "fresh", "jam", "jammed", "number")

    def __init__(self) -> None:
        self.blocked = False
        self.jammed = False
        self.fresh = False
        self.number = 0
        self.at_ticks = 0
        self.at_ms = 0
        self.jam: Timer


class Tracking:
    """``anonymous`` is true while passages that no number waits for carry number 0.
    ``distrusted`` tells whether a number made now, of that origin, is marked at once. ``on_entered`` and
    ``on_left`` are called with the eye's index and the track at a leading and a trailing edge."""

    def __init__(
        self,
        *,
        now: Moment,
        by_ticks: Agenda,
        belt: Belt,
        ring: EventRing,
        diverting: Diverting,
        distrusted: Callable[[int], bool],
        on_jam: Callable[[], None],
    ) -> None:
        self._now = now
        self._by_ticks = by_ticks
        self._belt = belt
        self._ring = ring
        self._diverting = diverting
        self._distrusted = distrusted
        self._on_jam = on_jam
        self._geometry = belt.geometry
        self._next_number = 1
        self.anonymous = True
        self.jammed = False
        self.on_entered: Callable[[int, Track | None], None] | None = None
        self.on_left: Callable[[int, Track], None] | None = None
        self.passages = [Passage() for _ in belt.geometry.eyes]
        for index, passage in enumerate(self.passages):
            passage.jam = by_ticks.timer(partial(self._jam, index))

    def edge(self, index: int, blocked: bool) -> None:
        """One eye changed its level now."""
        passage = self.passages[index]
        passage.blocked = blocked
        if blocked:
            passage.at_ticks = self._now.ticks
            passage.at_ms = self._now.ms
            passage.jam.set(self._now.ticks + self._geometry.jam + 1)
            track = self._enter(index, passage)
            if self.on_entered is not None:
                self.on_entered(index, track)
        else:
            passage.jam.clear()
            if passage.jammed:
                passage.jammed = False
                self.jammed = any(one.jammed for one in self.passages)
            self._leave(index, passage)

    def end(self, track: Track, status: CommandStatus) -> None:
        """The number ends; a command that still stands ends as ``status``."""
        self._diverting.ended(track, status)
        self._belt.remove(track)

    def give_up(self) -> None:
        """Every position is unknown: all numbers are LOST at the eye they wait for (ENC-2)."""
        for track in tuple(self._belt.tracks):
            self._end_lost(track)

    def _enter(self, index: int, passage: Passage) -> Track | None:
        passage.fresh = False
        passage.number = 0
        if index == 0:
            if self.anonymous:
                return None
            track = self._open(self._now.ticks, 1, refused=False)
            passage.number = track.number
            return track
        match = self._match(index)
        if match is not None:
            passage.number = match.number
            if index == self._geometry.end_eye:
                self._confirm_end(match)
            else:
                self._belt.seen(match)
                self._diverting.moved(match)
            return match
        if self.anonymous:
            return None
        passage.fresh = True
        if index == self._geometry.end_eye:
            passage.number = self._take_number()
            return None
        origin = self._now.ticks - self._geometry.eyes[index]
        track = self._open(origin, index + 1, refused=True)
        passage.number = track.number
        return track

    def _match(self, index: int) -> Track | None:
        """The number waiting for that eye whose expected ticks are nearest (TRK-2)."""
        best: Track | None = None
        best_key = (self._geometry.tolerance + 1, 0)
        position = self._geometry.eyes[index]
        for track in self._belt.waiting[index]:
            if track.held_at is not None:
                continue
            expected = track.origin + position
            key = (abs(self._now.ticks - expected), expected)
            if key < best_key:
                best, best_key = track, key
        return best

    def _take_number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number

    def _open(self, origin: int, eye: int, *, refused: bool) -> Track:
        track = Track(
            number=self._take_number(),
            origin=origin,
            eye=eye,
            length=self._geometry.length_max,
            refused=refused,
        )
        track.lost_timer = self._by_ticks.timer(partial(self._lose, track))
        self._belt.add(track)
        self._diverting.follow(track, self._by_ticks)
        self._belt.expect(track)
        if self._distrusted(origin):
            self._belt.mark(track)
        return track

    def _confirm_end(self, track: Track) -> None:
        if track.fired or track.command:
            reason = ConfirmReason.MISSORT
        elif track.aborted:
            reason = ConfirmReason.ABORTED
        else:
            reason = ConfirmReason.STRAIGHT
        self.end(track, CommandStatus.DONE)
        self._ring.push(RingKind.CONFIRMED, self._geometry.end_exit, arg=reason.value, number=track.number)

    def _leave(self, index: int, passage: Passage) -> None:
        ticks = self._now.ticks - passage.at_ticks
        length = min(self._geometry.to_mm(ticks), WORD_MAX)
        at_end = index == self._geometry.end_eye
        if at_end and passage.number and not passage.fresh:
            return
        track = self._belt.numbers.get(passage.number)
        number = passage.number if track is not None or at_end else 0
        kind = RingKind.UNEXPECTED if passage.fresh and number else RingKind.EYE
        self._ring.push(kind, index + 1, arg=length, number=number, ticks=passage.at_ticks, ms=passage.at_ms)
        if at_end and number:
            self._ring.push(
                RingKind.CONFIRMED,
                self._geometry.end_exit,
                arg=ConfirmReason.STRAIGHT.value,
                number=number,
                ticks=passage.at_ticks,
                ms=passage.at_ms,
            )
        if track is not None:
            track.announced = True
            track.length = ticks
            if self.on_left is not None:
                self.on_left(index, track)

    def _lose(self, track: Track) -> None:
        """Waited for in vain."""
        self._end_lost(track)
        if track.announced:
            self._diverting.lost(track)

    def _end_lost(self, track: Track) -> None:
        """The number ends unseen. The number behind is not fired where this one may still lie (DIV-4)."""
        index = track.eye
        following = self._belt.behind(track.origin)
        if following is not None:
            for arm, plan in enumerate(self._geometry.arms):
                if plan.eye == index:
                    following.barred |= 1 << arm
        self.end(track, CommandStatus.DROPPED)
        if track.announced:
            self._ring.push(RingKind.LOST, index + 1, number=track.number)

    def _jam(self, index: int) -> None:
        passage = self.passages[index]
        if passage.jammed:
            self._on_jam()
            return
        passage.jammed = self.jammed = True
        passage.jam.set(passage.at_ticks + 2 * self._geometry.jam + 1)
        self._ring.push(RingKind.JAM, index + 1)
