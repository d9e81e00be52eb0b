"""Who is this parcel: codes join by belt position, the window closes once, the look-up settles it.

A code is a parcel's if its whole interval of possible positions lies in that parcel's read window and
touches no other's (plc.md section 7); otherwise every parcel it touches is ``position_unknown``. The
window closes when the ring has proved that the latest answer about the parcel has come:

- NO: nothing in an allowed symbology;
- GOOD: exactly one code fits a carrier's pattern: it is chosen and looked up;
- MULTI: two or more different ones do (domain.md section 7), without asking which is known;
- PARTIAL: only codes that fit no pattern. Each may still be a known waybill, so each is looked up.

A code that fits no pattern beside a chosen one is looked up too: if it is known, there are two
candidates, and the parcel is ``multi_read`` after all.
"""

from dataclasses import replace

from edge.core.scope import Scope
from edge.core.state import Track
from edge.model.codes import Code, ReadQuality
from edge.model.commands import LookUp
from edge.model.events import CodesRead, LookUpFailed, OrderChanged, OrderFound, OrderMissing, WakePurpose
from edge.model.ids import Waybill
from edge.model.order import BeltOrder
from edge.model.records import Identified
from edge.model.units import MonoUs, Ticks
from edge.model.verdict import ParcelState, Reason

MAX_PROBES = 4
"""Codes without a carrier's pattern that are looked up; more on one parcel prove nothing any more."""
MAX_CODES = 16
"""Different codes kept of one parcel; a label has two to five."""


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
    return _take(scope, touched[0], event.codes)


def _take(scope: Scope, track: Track, codes: tuple[Code, ...]) -> tuple[Track, ...]:
    for code in codes:
        if code not in track.codes and len(track.codes) < MAX_CODES:
            track.codes.append(code)
    if not track.closed or track.fault is not Reason.OK:
        return ()
    others = [text for text in _candidates(scope, track)[0] if text != track.waybill]
    if not others:
        return ()
    track.fault = Reason.MULTI_READ
    return (track,)


def _candidates(scope: Scope, track: Track) -> tuple[list[str], list[str]]:
    """Different texts in an allowed symbology, in the order read: with a carrier's pattern, without."""
    layout = scope.layout
    fitting: list[str] = []
    others: list[str] = []
    for code in track.codes:
        if code.symbology in layout.symbologies and code.text not in layout.no_read:
            texts = fitting if layout.waybill.fullmatch(code.text) else others
            if code.text and code.text not in texts:
                texts.append(code.text)
    return fitting, others


def _was_blind(scope: Scope, track: Track) -> bool:
    """An answer of a reader may be missing: it was away while the parcel was before it."""
    for reader in scope.layout.readers.values():
        watch = scope.state.readers.get(reader.id)
        if watch is None or not watch.up or watch.blind_until < 0:
            return True
        if scope.layout.read_window(reader, track.origin, track.length_mm)[0] < watch.blind_until:
            return True
    return False


def window_over(scope: Scope, track: Track, at_us: MonoUs, ticks: Ticks) -> None:
    """Proved: the latest answer about the parcel has come, unless an eye has moved it downstream since."""
    if track.closed or track.state is not ParcelState.TRACKED:
        return
    due = scope.layout.read_due(track.origin, track.length_mm)
    if ticks < due:
        scope.wake(WakePurpose.READ_WINDOW, track, due, proved=True)
        return
    close(scope, track, at_us, "")


def close(scope: Scope, track: Track, at_us: MonoUs, why: str) -> None:
    """Choose the waybill, put the choice on record and ask for its order. ``why`` overrides the rule's."""
    track.closed = True
    fitting, others = _candidates(scope, track)
    quality, rule = ReadQuality.NO, "nothing read"
    if fitting or others:
        if _was_blind(scope, track):
            track.flaw = Reason.POSITION_UNKNOWN if track.flaw is Reason.OK else track.flaw
            quality, rule = ReadQuality.PARTIAL, "a reader was away: another code may be missing"
        elif len(fitting) > 1 or len(others) > MAX_PROBES:
            track.fault = Reason.MULTI_READ
            quality, rule = ReadQuality.MULTI, f"{len(fitting)} fit a pattern, {len(others)} do not"
        elif fitting:
            quality, rule = ReadQuality.GOOD, f"only one fits a pattern, {len(others)} do not"
            _claim(scope, track, Waybill(fitting[0]))
        else:
            quality, rule = ReadQuality.PARTIAL, f"none fits a pattern, {len(others)} looked up"
    else:
        track.fault = Reason.NO_READ
    scope.record(
        Identified(
            at_us=at_us,
            track=track.id,
            quality=quality,
            waybill=track.waybill,
            codes=tuple(track.codes),
            why=why or rule,
        )
    )
    if quality is ReadQuality.GOOD or (quality is ReadQuality.PARTIAL and track.flaw is Reason.OK):
        for text in (*fitting, *others):
            track.unsettled.append(Waybill(text))
            scope.out.append(LookUp(track=track.id, waybill=Waybill(text)))


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
    if not track.waybill:
        _claim(scope, track, event.waybill)
    if event.waybill != track.waybill:
        if track.fault is Reason.OK:
            track.fault = Reason.MULTI_READ
        return
    track.shipped_before = event.shipped_before
    if event.inbox_seq >= track.order_seq:
        track.order, track.order_seq = event.order, event.inbox_seq


def order_missing(scope: Scope, track: Track, event: OrderMissing) -> None:
    """No order has that waybill: ``unknown_order`` if it was the chosen one, ``no_read`` if none of the
    codes was a waybill at all."""
    if event.waybill not in track.unsettled:
        return
    track.unsettled.remove(event.waybill)
    if track.fault is not Reason.OK:
        return
    if event.waybill == track.waybill:
        if track.order is None:
            track.fault = Reason.UNKNOWN_ORDER
    elif not track.waybill and not track.unsettled:
        track.fault = Reason.NO_READ


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
    track.order = _with_status(event)
    track.order_seq = event.inbox_seq
    if track.fault is Reason.UNKNOWN_ORDER:
        track.fault = Reason.OK
    return True


def _with_status(event: OrderChanged) -> BeltOrder:
    order = event.order
    return order if order.status is event.status else replace(order, status=event.status)
