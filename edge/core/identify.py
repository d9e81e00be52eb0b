"""Who is this parcel: codes join by belt position, the window closes once, the look-up settles it.

A code is a parcel's if its whole interval of possible positions lies in that parcel's read window and
touches no other's (plc.md section 7); otherwise every parcel it touches is ``position_unknown``. The
window closes when the ring has proved that the latest answer about the parcel has come, of every reader
that is waited for:

- NO: nothing in an allowed symbology;
- GOOD: exactly one code fits a carrier's pattern: it is chosen and looked up;
- MULTI: two or more different ones do (``edge.core.candidates``), without asking which is known;
- PARTIAL: only codes that fit no carrier of this line. Each may still be a known waybill, so each is
  looked up. One that no order has is a foreign label where it fits a carrier that is not served here.

Readers of one reading point stand in for each other: while enough of them were there, what they read
counts, and the record says who was away.

A code that fits no pattern beside a chosen one is looked up too: if it is known, there are two
candidates, and the parcel is ``multi_read`` (or ``code_changed``) after all. What comes after the window
was closed may still contradict the choice, also when the parcel is told; a first candidate counts
as long as nothing is decided. Each change is on record (``ChoiceChanged``).
"""

from dataclasses import replace

from edge.core.candidates import Sifted, contradiction, judged, sift
from edge.core.scope import Scope
from edge.core.state import SeenCode, Track
from edge.model.codes import ReadQuality, ReadRule
from edge.model.commands import ArchiveImage, LookUp
from edge.model.events import CodesRead, LookUpFailed, OrderChanged, OrderFound, OrderMissing, WakePurpose
from edge.model.ids import ReaderId, Waybill
from edge.model.order import BeltOrder
from edge.model.records import ChoiceChanged, Identified
from edge.model.topology import Reader
from edge.model.units import MonoUs, Ticks
from edge.model.verdict import ParcelState, Reason

MAX_PROBES = 4
"""Codes without a carrier's pattern that are looked up; more on one parcel prove nothing any more."""
MAX_CODES = 16
"""Different codes kept of one parcel; a label has two to five."""
_SETTLED: dict[ReadRule, ReadQuality] = {
    ReadRule.ONE_FITS: ReadQuality.GOOD,
    ReadRule.ONE_KNOWN: ReadQuality.GOOD,
    ReadRule.KEYED: ReadQuality.GOOD,
    ReadRule.NONE_KNOWN: ReadQuality.NO,
    ReadRule.FOREIGN: ReadQuality.PARTIAL,
    ReadRule.TWO_CANDIDATES: ReadQuality.MULTI,
    ReadRule.POINTS_DIFFER: ReadQuality.MULTI,
}
"""Quality of a read whose choice changed for that rule."""


def join(scope: Scope, event: CodesRead) -> tuple[Track, ...]:
    """Give the codes to the one parcel that they can only be of. Answers the tracks that are no longer
    what they were: by a flaw, or by a code that came after their window was closed."""
    reader = scope.layout.readers[event.reader]
    touched: list[Track] = []
    inside = True
    for track in scope.state.tracks.values():
        first, last = scope.layout.read_window(reader, track.origin, track.length_mm)
        if first <= event.ticks_to and event.ticks_from <= last:
            touched.append(track)
            inside = first <= event.ticks_from and event.ticks_to <= last
    if not event.codes or not touched:
        return ()
    if len(touched) > 1 or not inside:
        for track in touched:
            if track.flaw is Reason.OK:
                track.flaw = Reason.POSITION_UNKNOWN
        return tuple(touched)
    return _take(scope, touched[0], event)


def _take(scope: Scope, track: Track, event: CodesRead) -> tuple[Track, ...]:
    fresh = False
    for code in event.codes:
        seen = next((one for one in track.codes if one.code == code), None)
        if seen is None:
            if len(track.codes) >= MAX_CODES:
                continue
            seen = SeenCode(code=code)
            track.codes.append(seen)
        if event.reader not in seen.readers:
            seen.readers.append(event.reader)
            fresh = True
    return (track,) if fresh and track.closed and rejudge(scope, track, event.at_us) else ()


def rejudge(scope: Scope, track: Track, at_us: MonoUs, rule: ReadRule = ReadRule.ONE_FITS) -> bool:
    """A candidate came after the window was closed: the first one is chosen while nothing is decided, for
    ``rule``; another one contradicts. Answers whether anything changed."""
    late_first = track.fault is Reason.NO_READ and track.state is ParcelState.TRACKED
    if track.fault is not Reason.OK and not late_first:
        return False
    candidates = sift(scope.layout, track).candidates
    if not candidates or candidates == [track.waybill]:
        return False
    if len(candidates) > 1:
        _contradict(scope, track, at_us, candidates)
        return True
    if track.state is not ParcelState.TRACKED or track.flaw is not Reason.OK:
        return False
    track.fault = Reason.OK
    _claim(scope, track, Waybill(candidates[0]))
    asked = track.waybill in track.unsettled
    if not asked:
        track.unsettled.append(track.waybill)
    _changed(scope, track, at_us, rule)
    if not asked:
        scope.out.append(LookUp(track=track.id, waybill=track.waybill))
    return True


def _contradict(scope: Scope, track: Track, at_us: MonoUs, candidates: list[str]) -> None:
    track.fault, rule = contradiction(scope.layout, track, candidates)
    _changed(scope, track, at_us, rule)


def _changed(scope: Scope, track: Track, at_us: MonoUs, rule: ReadRule) -> None:
    scope.record(
        ChoiceChanged(
            at_us=at_us,
            track=track.id,
            quality=_SETTLED[rule],
            waybill=track.waybill,
            codes=judged(scope.layout, track),
            why=rule,
        )
    )


def _was_away(scope: Scope, track: Track, reader: Reader) -> bool:
    """An answer of this reader may be missing: it was away while the parcel was before it."""
    watch = scope.state.readers.get(reader.id)
    if watch is None or not watch.up or watch.blind_until < 0:
        return True
    return scope.layout.read_window(reader, track.origin, track.length_mm)[0] < watch.blind_until


def _was_blind(scope: Scope, away: tuple[ReaderId, ...]) -> bool:
    """So many were away that others do not make up for it."""
    return any(
        sum(reader.id not in away for reader in readers) < at_least
        for readers, at_least in scope.layout.waited_for
    )


def window_over(scope: Scope, track: Track, at_us: MonoUs, ticks: Ticks) -> None:
    """Proved: the latest answer about the parcel has come, unless an eye has moved it downstream since."""
    if track.closed or track.state is not ParcelState.TRACKED:
        return
    due = scope.layout.read_due(track.origin, track.length_mm)
    if ticks < due:
        scope.wake(WakePurpose.READ_WINDOW, track, due, proved=True)
        return
    close(scope, track, at_us)


def close(scope: Scope, track: Track, at_us: MonoUs, *, by_deadline: bool = False) -> None:
    """Choose the waybill, put the choice on record and ask for its order."""
    track.closed = True
    found = sift(scope.layout, track)
    needed = scope.layout.needed_readers
    away = tuple(reader.id for reader in needed if _was_away(scope, track, reader))
    quality, rule = _choose(scope, track, found, away)
    if quality is ReadQuality.GOOD or (quality is ReadQuality.PARTIAL and track.flaw is Reason.OK):
        track.unsettled = [Waybill(text) for text in (*found.fitting, *found.foreign, *found.others)]
    scope.record(
        Identified(
            at_us=at_us,
            track=track.id,
            quality=quality,
            waybill=track.waybill,
            codes=judged(scope.layout, track),
            why=rule,
            by_deadline=by_deadline,
            away=away,
        )
    )
    for waybill in track.unsettled:
        scope.out.append(LookUp(track=track.id, waybill=waybill))
    if quality is ReadQuality.NO:
        _keep_pictures(scope, track)


def _keep_pictures(scope: Scope, track: Track) -> None:
    """A person may read them, and they tell why no reader could. None of a parcel whose place is in doubt:
    its neighbour's label could be on it, and be keyed for it."""
    if track.flaw is not Reason.OK:
        return
    for reader in scope.layout.topology.readers:
        first, last = scope.layout.read_window(reader, track.origin, track.length_mm)
        scope.out.append(
            ArchiveImage(
                track=track.id,
                epoch=track.epoch,
                number=track.number,
                reader=reader.id,
                from_ticks=Ticks(first),
                to_ticks=Ticks(last),
            )
        )


def _choose(
    scope: Scope, track: Track, found: Sifted, away: tuple[ReaderId, ...]
) -> tuple[ReadQuality, ReadRule]:
    """What the open window's codes make of the parcel; a rule that ends it sets its fault."""
    if not (found.candidates or found.others):
        track.fault = Reason.NO_READ
        return ReadQuality.NO, ReadRule.NOTHING_READ
    if _was_blind(scope, away):
        track.flaw = Reason.POSITION_UNKNOWN if track.flaw is Reason.OK else track.flaw
        return ReadQuality.PARTIAL, ReadRule.READER_AWAY
    if len(found.candidates) > 1:
        track.fault, rule = contradiction(scope.layout, track, found.candidates)
        return ReadQuality.MULTI, rule
    if len(found.others) > MAX_PROBES:
        track.fault = Reason.MULTI_READ
        return ReadQuality.MULTI, ReadRule.TOO_MANY
    if found.fitting:
        _claim(scope, track, Waybill(found.fitting[0]))
        by_reader = any(seen.readers and seen.code.text == track.waybill for seen in track.codes)
        return ReadQuality.GOOD, ReadRule.ONE_FITS if by_reader else ReadRule.KEYED
    return ReadQuality.PARTIAL, ReadRule.ONLY_FOREIGN if found.foreign else ReadRule.NONE_FITS


def _claim(scope: Scope, track: Track, waybill: Waybill) -> None:
    """From here on the track is open for the waybill; a second one is a duplicate at once."""
    if scope.open_for(waybill):
        track.fault = Reason.DUPLICATE
    track.waybill = waybill


def order_found(scope: Scope, track: Track, event: OrderFound) -> None:
    """The look-up's answer; one that was not asked for (any more) changes nothing."""
    if event.waybill not in track.unsettled:
        return
    track.unsettled.remove(event.waybill)
    for seen in track.codes:
        seen.known = seen.known or seen.code.text == event.waybill
    track.waited = track.due
    if not track.waybill:
        _claim(scope, track, event.waybill)
        _changed(scope, track, event.at_us, ReadRule.ONE_KNOWN)
    if event.waybill != track.waybill:
        if track.fault is Reason.OK:
            _contradict(scope, track, event.at_us, [track.waybill, event.waybill])
        return
    track.laps = event.laps
    track.shipped_before = event.shipped_before
    if track.order is None or event.inbox_seq >= track.order_seq:
        track.order, track.order_seq = event.order, event.inbox_seq
    track.reviewed = (
        event.reviewed
        and track.order.contents == event.order.contents
        and event.order.order_no not in scope.state.reopened
    )


def order_missing(scope: Scope, track: Track, event: OrderMissing) -> None:
    """No order has that waybill: ``unknown_order`` if it was the chosen one; if none of the codes was a
    waybill at all, ``foreign_label`` where one fits a carrier that is not served here, else ``no_read``."""
    if event.waybill not in track.unsettled:
        return
    track.unsettled.remove(event.waybill)
    track.waited = track.due
    if track.fault is not Reason.OK:
        return
    if event.waybill == track.waybill:
        track.laps = event.laps
        if track.order is None:
            track.fault = Reason.UNKNOWN_ORDER
    elif not track.waybill and not track.unsettled:
        foreign = bool(sift(scope.layout, track).foreign)
        track.fault = Reason.FOREIGN_LABEL if foreign else Reason.NO_READ
        _changed(scope, track, event.at_us, ReadRule.FOREIGN if foreign else ReadRule.NONE_KNOWN)
        if not foreign:
            _keep_pictures(scope, track)


def look_up_failed(track: Track, event: LookUpFailed) -> None:
    """Nobody can say what the waybill is: an order's, another one's, or none's."""
    if event.waybill in track.unsettled:
        track.unsettled.remove(event.waybill)
        if track.fault is Reason.OK:
            track.fault = Reason.UPSTREAM_ERROR


def order_changed(track: Track, event: OrderChanged) -> bool:
    """A newer row about the order of this track; the higher ``inbox_seq`` wins."""
    if event.inbox_seq <= track.order_seq:
        return False
    if track.order is None or track.order.contents != event.order.contents:
        track.reviewed = False
    track.order = _with_status(event)
    track.order_seq = event.inbox_seq
    if track.fault is Reason.UNKNOWN_ORDER:
        track.fault = Reason.OK
    return True


def _with_status(event: OrderChanged) -> BeltOrder:
    order = event.order
    return order if order.status is event.status else replace(order, status=event.status)
