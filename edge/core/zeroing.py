"""Whether the scale's zero is right: looked at only while eyes prove that it is empty.

A look is a stretch of belt behind whoever left the scale last, settling taken off. It counts once the ring
has proved that nobody touched the scale meanwhile; a gap that comes by itself is used from half of
``zero_every_ms`` on, then one is asked for at induction, and when that brings none in ``zero_within_ms``, no
weight counts until one comes. A scale that shows more than ``zero_g`` while empty is told to set its zero,
where it can be told, and looked at again; its weights do not count meanwhile.

Who entered the scale and was not seen to leave it may lie there: nothing is looked at until the next parcel
has passed it, or the belt has been emptied.
"""

from edge.core.alarms import clear_alarm, raise_alarm
from edge.core.readings import TELLING, independent
from edge.core.scope import RUN, Scope
from edge.core.state import PurgeStage, Track, ZeroState
from edge.core.timing import travel_mm
from edge.model.alarm import AlarmKind
from edge.model.commands import CaptureZero, SetZero, WakeAt
from edge.model.events import EyePassed, ParcelUnexpected, WakePurpose, ZeroCaptured
from edge.model.records import ScaleZeroed
from edge.model.topology import Scale
from edge.model.units import US_PER_MS, Grams, MonoUs, Ticks
from edge.model.weight import SampleState

READINGS = 3
"""Independent readings of a look."""
AGAIN_MS = 5_000
"""After a look in which the scale told nothing."""


def trusted(scope: Scope, at_us: MonoUs) -> bool:
    """Weights count."""
    zero = scope.state.zero
    return zero.good and at_us < zero.limit_us


def wants_gap(scope: Scope) -> bool:
    """Nothing is to be inducted until the scale has been empty for a moment."""
    return scope.state.zero.asking


# When


def started(scope: Scope, at_us: MonoUs) -> None:
    """A new run of the process: what was looked at counts on, and is looked at again soon."""
    scale = scope.layout.topology.scale
    if scale is not None:
        zero = scope.state.zero
        zero.heard = zero.asking = False
        _drop(zero)
        _plan(scope, scale, at_us, MonoUs(at_us + scale.zero_within_ms * US_PER_MS))


def heard(scope: Scope, at_us: MonoUs, *, up: bool) -> None:
    """The scale's link came or went. One that was away may have been switched off, and began anew."""
    zero, scale = scope.state.zero, scope.layout.topology.scale
    if scale is None:
        return
    zero.heard = up
    if up:
        zero.good = False
        _plan(scope, scale, at_us, at_us)
    step(scope, at_us)


def step(scope: Scope, at_us: MonoUs) -> None:
    """Time has passed, or the belt or the link is another one than before."""
    zero, scale = scope.state.zero, scope.layout.topology.scale
    if scale is None:
        return
    if scope.state.purge is not PurgeStage.CLEAN:
        zero.doubtful = False
    if at_us >= zero.limit_us:
        zero.good = False
        if zero.heard:
            detail = f"not seen empty for {scale.zero_every_ms + scale.zero_within_ms} ms"
            raise_alarm(scope, at_us, AlarmKind.SCALE_ZERO_OVERDUE, scale.device, detail)
        _plan(scope, scale, at_us, MonoUs(at_us + scale.zero_every_ms * US_PER_MS))
    if at_us >= zero.due_us:
        _look(scope, scale, scope.belt_at_most(at_us))
    zero.asking = zero.heard and _belt_runs(scope) and zero.gap_us <= at_us < zero.limit_us


def _plan(scope: Scope, scale: Scale, due_us: MonoUs, gap_us: MonoUs) -> None:
    zero = scope.state.zero
    zero.due_us, zero.gap_us = due_us, gap_us
    zero.limit_us = MonoUs(gap_us + scale.zero_within_ms * US_PER_MS)
    watch(scope, MonoUs(due_us - 1))


def watch(scope: Scope, at_us: MonoUs) -> None:
    """Come back when the next of the three moments is there."""
    zero = scope.state.zero
    following = [moment for moment in (zero.due_us, zero.gap_us, zero.limit_us) if moment > at_us]
    if following:
        scope.out.append(
            WakeAt(purpose=WakePurpose.ZERO_DUE, ref=0, ticks=Ticks(0), at_us=min(following), proved=False)
        )


def woke(scope: Scope, at_us: MonoUs) -> None:
    """One of the three moments is there."""
    step(scope, at_us)
    watch(scope, at_us)


# Where


def _belt_runs(scope: Scope) -> bool:
    plc = scope.state.plc
    return plc.attached and bool(int(plc.bits.state) & RUN) and scope.state.purge is PurgeStage.CLEAN


def _look(scope: Scope, scale: Scale, empty_from: Ticks) -> None:
    """Ask for a stretch of belt from there on, if nobody is known to be on it."""
    zero, line = scope.state.zero, scope.layout.topology
    if zero.last or zero.doubtful or not zero.heard or not _belt_runs(scope):
        return
    v_max = line.max_speed_mm_s
    first = Ticks(empty_from + scope.layout.ticks(travel_mm(v_max, scale.settle_ms)))
    readings_ms = READINGS * 1_000 // scale.rate_hz
    unsure_ms = line.plc.turnaround_ms + line.plc.scan_ms + scale.filter_ms
    last = Ticks(first + scope.layout.ticks(travel_mm(v_max, readings_ms + 2 * unsure_ms)))
    infeed = scope.layout.eye_ticks[scale.infeed_eye - 1] - scope.layout.tolerance
    for track in scope.state.tracks.values():
        if track.last_eye < scale.outfeed_eye and track.origin + infeed <= last:
            return
    zero.first, zero.last = first, last
    zero.samples, zero.whole, zero.proved, zero.touched = None, False, False, False
    scope.out.append(CaptureZero(scale=scale.id, from_ticks=zero.first, to_ticks=zero.last))
    proved = zero.last + scope.layout.ticks(scope.layout.topology.length_max_mm) + scope.layout.tolerance
    scope.out.append(
        WakeAt(purpose=WakePurpose.ZERO_WINDOW, ref=0, ticks=Ticks(proved), at_us=MonoUs(0), proved=True)
    )


def passed(scope: Scope, event: EyePassed | ParcelUnexpected) -> None:
    """Somebody, with or without a number, passed an eye of the scale."""
    zero, scale = scope.state.zero, scope.layout.topology.scale
    if scale is None:
        return
    tail = Ticks(event.ticks + scope.layout.ticks(event.length_mm))
    if zero.last and not zero.touched:
        settled = scope.layout.ticks(travel_mm(scope.layout.topology.max_speed_mm_s, scale.settle_ms))
        entered = event.eye == scale.infeed_eye and event.ticks <= zero.last
        zero.touched = entered or (event.eye == scale.outfeed_eye and tail > zero.first - settled)
    if event.eye == scale.outfeed_eye:
        track = scope.track_of(event.number)
        zero.doubtful = zero.doubtful and (track is None or track.disagrees)
        if event.at_us >= zero.due_us:
            _look(scope, scale, tail)


def forget(scope: Scope) -> None:
    """The PLC counts anew: a look in the old count has no proof any more."""
    _drop(scope.state.zero)


def ended(scope: Scope, track: Track) -> None:
    """A track is forgotten: if it was on the scale, nobody knows whether its parcel is."""
    scale = scope.layout.topology.scale
    if scale is not None and scale.infeed_eye <= track.last_eye < scale.outfeed_eye:
        scope.state.zero.doubtful = scope.state.zero.touched = True


# What


def captured(scope: Scope, event: ZeroCaptured) -> None:
    """The frames asked for."""
    zero = scope.state.zero
    if zero.last and zero.samples is None:
        zero.samples, zero.whole = event.samples, event.whole
        _judge(scope, event.at_us)


def window_over(scope: Scope, at_us: MonoUs, ticks: Ticks) -> None:
    """Proved: whoever touched the scale meanwhile has been reported."""
    scope.belt_seen(ticks, at_us)
    scope.state.zero.proved = True
    _judge(scope, at_us)


def _drop(zero: ZeroState) -> None:
    zero.last, zero.samples = Ticks(0), None


def _judge(scope: Scope, at_us: MonoUs) -> None:
    zero, scale = scope.state.zero, scope.layout.topology.scale
    if scale is None or not zero.last or not zero.proved or zero.samples is None:
        return
    samples, whole = zero.samples, zero.whole
    touched = zero.touched or scope.state.purge is not PurgeStage.CLEAN
    _drop(zero)
    if touched:
        step(scope, at_us)
        return
    telling = tuple(sample for sample in samples if sample.state in TELLING)
    under = any(sample.state is SampleState.UNDER for sample in samples)
    readings = [sample.grams for sample in independent(telling, scale.rate_hz)]
    if not whole or (len(readings) < READINGS and not under):
        zero.due_us = MonoUs(at_us + AGAIN_MS * US_PER_MS)
        watch(scope, at_us)
        return
    _seen(scope, scale, at_us, Grams(0) if under else max(readings, key=abs), under=under)
    step(scope, at_us)


def _seen(scope: Scope, scale: Scale, at_us: MonoUs, offset_g: Grams, *, under: bool) -> None:
    """It was empty, and showed so much, or that it is ``under`` zero."""
    zero = scope.state.zero
    good = not under and abs(offset_g) <= scale.zero_g
    scope.record(ScaleZeroed(at_us=at_us, scale=scale.id, offset_g=offset_g, good=good))
    if good:
        zero.good, zero.told = True, False
        every_us = scale.zero_every_ms * US_PER_MS
        clear_alarm(scope, at_us, AlarmKind.SCALE_DRIFT, scale.device)
        clear_alarm(scope, at_us, AlarmKind.SCALE_ZERO_OVERDUE, scale.device)
        _plan(scope, scale, MonoUs(at_us + every_us // 2), MonoUs(at_us + every_us))
    else:
        shows = "is under zero" if under else f"shows {offset_g} g"
        raise_alarm(scope, at_us, AlarmKind.SCALE_DRIFT, scale.device, f"{shows} while empty")
        again_us = MonoUs(at_us + scale.zero_within_ms * US_PER_MS) if zero.told else at_us
        if zero.good or zero.told:
            _plan(scope, scale, again_us, again_us)
        zero.good, zero.told = False, True
        scope.out.append(SetZero(scale=scale.id))
