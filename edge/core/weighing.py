"""One weight per parcel: captured while it alone was on the scale, or none at all.

What frames make is in ``readings``, whether the scale's zero is right in ``zeroing``.

A belt scale is asked for the frames of a window of belt that ``timing.capture_window`` gives, settling
and filter already taken off. A static scale's zone is held for a parcel from its induction on, because
a slow PLC would hear of it too late at the scale; capture begins once the PLC says *held*, and the
parcel is released by number after it, or after the zone's time-out. Either is judged only when the ring
has proved who else touched the scale meanwhile (``alone``). A reading that did not change while the load
did is none, and a static scale must have shown zero since the parcel before. Integers only.
"""

from edge.core import alone, zeroing
from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.readings import no_reading, reading
from edge.core.scope import Scope
from edge.core.state import Capture, Track
from edge.core.timing import capture_window
from edge.model.alarm import AlarmKind
from edge.model.commands import CaptureStatic, CaptureWeight, SetZone, WakeAt
from edge.model.events import SamplesCaptured, WakePurpose
from edge.model.ids import EyeNo
from edge.model.records import Weighed
from edge.model.topology import Scale, ScaleKind
from edge.model.units import US_PER_MS, Mm, MonoUs, Ticks
from edge.model.verdict import ParcelState
from edge.model.weight import WeightQuality, WeightReading

ALARMED: dict[WeightQuality, AlarmKind] = {
    WeightQuality.FROZEN: AlarmKind.SCALE_FROZEN,
    WeightQuality.NO_WEIGHT: AlarmKind.SCALE_NO_WEIGHT,
}
"""What a person has to see to at the scale; a good weight ends it."""


def _settle(scope: Scope, track: Track, at_us: MonoUs, weight: WeightReading) -> None:
    track.weight = weight
    expected = track.order.expected_weight_g if track.order else None
    scope.record(Weighed(at_us=at_us, track=track.id, reading=weight, expected_g=expected))
    scale = scope.layout.topology.scale
    kind = ALARMED.get(weight.quality)
    if kind is not None and scale is not None:
        raise_alarm(scope, at_us, kind, scale.device, f"track {track.id}")
    elif weight.quality is WeightQuality.GOOD and scale is not None and scope.state.alarms:
        for over in ALARMED.values():
            clear_alarm(scope, at_us, over, scale.device)


def at_infeed(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """The parcel's trailing edge has passed the scale's infeed eye: it is on the scale, ask for it."""
    scale = scope.layout.topology.scale
    if scale is None or track.capture is not None:
        return
    if track.state is not ParcelState.TRACKED:
        let_go(scope, track)
        return
    if scale.kind is ScaleKind.STATIC:
        until = MonoUs(at_us + scale.hold_timeout_ms * US_PER_MS)
        track.capture = Capture(first=Ticks(0), last=Ticks(0), hold_until_us=until)
        watch_hold(scope, track, track.capture)
        return
    window = capture_window(
        scope.layout.topology, scale, track.origin, track.length_mm, *_neighbours_mm(scope, track)
    )
    if window is None:
        track.capture = Capture(first=Ticks(0), last=Ticks(0), samples=())
        _settle(scope, track, at_us, no_reading(WeightQuality.NEIGHBOUR))
        return
    track.capture = Capture(first=window.first, last=window.last)
    command_capture(scope, scale, track, track.capture)
    watch_capture(scope, track, track.capture)


def watch_capture(scope: Scope, track: Track, capture: Capture) -> None:
    """By then the trailing edge of whoever touched the scale during the capture has been reported."""
    proved = capture.last + scope.layout.ticks(scope.layout.topology.length_max_mm) + scope.layout.tolerance
    scope.wake(WakePurpose.WEIGH_WINDOW, track, proved, proved=True)


def command_capture(scope: Scope, scale: Scale, track: Track, capture: Capture) -> None:
    infeed = scope.layout.eye_ticks[scale.infeed_eye - 1]
    scope.out.append(
        CaptureWeight(
            track=track.id,
            scale=scale.id,
            on_ticks=Ticks(track.origin + infeed),
            from_ticks=capture.first,
            to_ticks=capture.last,
        )
    )


def _neighbours_mm(scope: Scope, track: Track) -> tuple[Mm | None, Mm | None]:
    """Gaps to the parcel ahead and to the one behind, as far as they are on the belt and known."""
    layout = scope.layout
    tail = track.origin + layout.ticks(track.length_mm)
    ahead: int | None = None
    behind: int | None = None
    for other in scope.state.tracks.values():
        if other.origin < track.origin:
            gap = track.origin - other.origin - layout.ticks(other.length_mm)
            ahead = gap if ahead is None else min(ahead, gap)
        elif other is not track:
            behind = other.origin - tail if behind is None else min(behind, other.origin - tail)
    return (
        None if ahead is None else layout.mm(ahead),
        None if behind is None else layout.mm(behind),
    )


def captured(scope: Scope, track: Track, event: SamplesCaptured) -> None:
    """The frames asked for; a second answer changes nothing."""
    capture = track.capture
    scale = scope.layout.topology.scale
    if capture is None or capture.samples is not None or scale is None or scale.id != event.scale:
        return
    capture.samples, capture.whole = event.samples, event.whole
    capture.least_g, capture.most_g = event.least_g, event.most_g
    if scale.kind is ScaleKind.STATIC:
        capture.last = scope.belt_at_most(event.at_us)
        watch_capture(scope, track, capture)
        _release(scope, track, capture)
    _judge(scope, scale, track, capture, event.at_us)


def window_over(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """Proved: whoever touched the scale during the capture has been reported."""
    scale = scope.layout.topology.scale
    if track.capture is not None and scale is not None and track.weight is None:
        track.capture.proved = True
        _judge(scope, scale, track, track.capture, at_us)


def _judge(scope: Scope, scale: Scale, track: Track, capture: Capture, at_us: MonoUs) -> None:
    if capture.samples is None or not capture.proved or track.weight is not None:
        return
    if track.disagrees or alone.shared(scope, scale, track, capture):
        weight = no_reading(WeightQuality.NEIGHBOUR, samples=len(capture.samples))
    else:
        weight = _weight(scope, scale, capture, at_us)
    _settle(scope, track, at_us, weight)
    capture.samples = ()


def _weight(scope: Scope, scale: Scale, capture: Capture, at_us: MonoUs) -> WeightReading:
    """Of a parcel that was alone on the scale."""
    samples, least_g = capture.samples or (), capture.least_g
    if capture.whole and least_g is not None and least_g == capture.most_g:
        return no_reading(WeightQuality.FROZEN, samples=len(samples))
    weight = reading(scale, samples, whole=capture.whole)
    if weight.quality is not WeightQuality.GOOD:
        return weight
    if scale.kind is ScaleKind.STATIC and (least_g is None or least_g > scale.zero_g):
        return no_reading(WeightQuality.NOT_CLEARED, samples=len(samples))
    if not zeroing.trusted(scope, at_us):
        return no_reading(WeightQuality.ZERO, samples=len(samples))
    return weight


def disproved(scope: Scope, late: Track, eye: EyeNo, at_us: MonoUs) -> list[Track]:
    """Whose weight was good, and was captured beside a body that no eye had seen before the one behind the
    scale: put onto it by hand. The weight may be that of two, and is taken back."""
    scale = scope.layout.topology.scale
    if scale is None or eye != scale.outfeed_eye:
        return []
    found = [
        track
        for track in scope.state.tracks.values()
        if track.weight is not None
        and track.weight.quality is WeightQuality.GOOD
        and track.capture is not None
        and track is not late
        and alone.beside(scope, scale, late, track.capture)
    ]
    for track in found:
        _settle(scope, track, at_us, no_reading(WeightQuality.NEIGHBOUR))
    return found


# Static zone (plc.md section 6)


def awaits_zone(scope: Scope, track: Track) -> bool:
    """The static zone is held for it, or will have to be."""
    scale = scope.layout.topology.scale
    if scale is None or not scope.layout.static_zone:
        return False
    if track.capture is not None:
        return track.capture.hold_until_us > 0
    return 0 < track.last_eye < scale.infeed_eye


def hold_zone(scope: Scope, track: Track) -> None:
    """The next number on the static zone is to stand there (ZONE-1)."""
    if awaits_zone(scope, track):
        scope.out.append(SetZone(zone=scope.layout.static_zone, hold=True, number=track.number))


def let_go(scope: Scope, track: Track) -> None:
    """It need not stand (any more); the zone stays held for the next one on its way."""
    if not scope.layout.static_zone:
        return
    scope.out.append(SetZone(zone=scope.layout.static_zone, hold=False, number=track.number))
    for other in scope.state.tracks.values():
        if other is not track and awaits_zone(scope, other):
            hold_zone(scope, other)
            return


def watch_hold(scope: Scope, track: Track, capture: Capture) -> None:
    """It stands until its time-out at most."""
    scope.out.append(
        WakeAt(
            purpose=WakePurpose.ZONE_HOLD,
            ref=track.id,
            ticks=Ticks(0),
            at_us=capture.hold_until_us,
            proved=False,
        )
    )


def zone_changed(scope: Scope, at_us: MonoUs, ticks: Ticks, before: int) -> None:
    """The PLC's held bits are other ones than ``before``: begin the capture, or shift what stood."""
    zone = scope.layout.static_zone
    if not zone or not (scope.state.plc.bits.zones_held ^ before) >> (zone - 1) & 1:
        return
    held = bool(scope.state.plc.bits.zones_held >> (zone - 1) & 1)
    for track in scope.state.tracks.values():
        capture = track.capture
        if capture is None:
            continue
        if held and capture.hold_until_us and not capture.asked:
            capture.asked, capture.first, capture.held_from = True, ticks, ticks
            _command_static(scope, track, capture)
            break
        if not held and capture.held_from:
            shift = stood(track, ticks)
            track.origin = Ticks(track.origin + shift)
            if track.deadline:
                track.deadline = Ticks(track.deadline + shift)
            track.hold_slack = scope.layout.hold_slack
            capture.held_from = Ticks(0)


def stood(track: Track, ticks: Ticks) -> Ticks:
    """How far the belt has run on at ``ticks`` while the track stands on the static scale."""
    held_from = 0 if track.capture is None else track.capture.held_from
    return Ticks(max(0, ticks - held_from)) if held_from else Ticks(0)


def _command_static(scope: Scope, track: Track, capture: Capture) -> None:
    scale = scope.layout.topology.scale
    if scale is not None:
        scope.out.append(CaptureStatic(track=track.id, scale=scale.id, until_us=capture.hold_until_us))


def _release(scope: Scope, track: Track, capture: Capture) -> None:
    if capture.hold_until_us:
        capture.hold_until_us = MonoUs(0)
        let_go(scope, track)


def hold_over(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """The zone's time-out: release it; a weight that is not there by now is none."""
    capture = track.capture
    if capture is None or not capture.hold_until_us:
        return
    if capture.samples is None:
        capture.samples = ()
        _settle(scope, track, at_us, no_reading(WeightQuality.STALE))
    _release(scope, track, capture)


def restarted(scope: Scope, track: Track, at_us: MonoUs) -> None:
    """The frames of a capture that was under way are gone with the old process: no weight."""
    capture = track.capture
    if capture is None or track.weight is not None or capture.samples is not None:
        return
    capture.samples = ()
    _settle(scope, track, at_us, no_reading(WeightQuality.STALE))
    _release(scope, track, capture)
