"""Weights: which frames count, what they make, and who else was on the scale."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.readings import independent, reading, stable_run, weight_fault
from edge.model.alarm import AlarmKind
from edge.model.commands import CaptureStatic, CaptureWeight, SetZone
from edge.model.events import DeviceWentUp, LineStarted, SamplesCaptured
from edge.model.ids import BootEpoch, ScaleId, TrackId
from edge.model.records import AlarmCleared, AlarmRaised, Decided, Exited, Weighed
from edge.model.register_map import StateBit
from edge.model.topology import ScaleKind
from edge.model.units import Grams, MonoUs
from edge.model.verdict import Reason
from edge.model.weight import SampleState, WeightQuality, WeightReading, WeightSample
from line_config.load import load_line
from tests.clauses import clause
from tests.core.core_bench import CoreBench
from tests.core.core_line import DEMO, EPOCH, READY, bits, order, waybill

assert DEMO.scale is not None
SCALE = replace(
    DEMO.scale,
    rate_hz=50,
    min_samples=6,
    spread_g=Grams(60),
    min_weight_g=Grams(50),
    capacity_g=Grams(60_000),
)
"""The table's scale, whatever the demo line's is set to."""
STATIC = load_line("small").topology
OK, MOTION, OVER = SampleState.OK, SampleState.MOTION, SampleState.OVER


def frames(*grams: int, state: SampleState = MOTION, every_us: int = 20_000) -> tuple[WeightSample, ...]:
    return tuple(
        WeightSample(at_us=MonoUs(n * every_us), grams=Grams(value), state=state)
        for n, value in enumerate(grams)
    )


TABLE: list[tuple[str, tuple[WeightSample, ...], bool, WeightQuality, int]] = [
    ("ten alike", frames(*[1000] * 10), True, WeightQuality.GOOD, 1000),
    ("noise about it", frames(995, 1000, 1005, 995, 1000, 1005, 1000), True, WeightQuality.GOOD, 1000),
    (
        "one outlier each side is cut",
        frames(500, *[1000] * 12, 2000, 1000, 1000),
        True,
        WeightQuality.GOOD,
        1000,
    ),
    ("the first one may settle still", frames(400, *[1000] * 9), True, WeightQuality.GOOD, 1000),
    ("the last one is no outlier", frames(*[1000] * 15, 1070), True, WeightQuality.SPREAD, 0),
    ("the last one within the spread", frames(*[1000] * 15, 1060), True, WeightQuality.GOOD, 1000),
    ("it hung and wakes up", frames(*[1000] * 7, 2400), True, WeightQuality.SPREAD, 0),
    ("frames are missing", frames(*[1000] * 10), False, WeightQuality.STALE, 0),
    ("nothing came", (), True, WeightQuality.TOO_FEW, 0),
    ("five are too few", frames(*[1000] * 5), True, WeightQuality.TOO_FEW, 0),
    ("repeats count once", frames(*[1000] * 20, every_us=5_000), True, WeightQuality.TOO_FEW, 0),
    ("it swings", frames(*[900, 1100] * 8), True, WeightQuality.SPREAD, 0),
    ("over range", (*frames(*[1000] * 9), *frames(0, state=OVER)), True, WeightQuality.OVER, 0),
    ("heavier than it can tell", frames(*[60_100] * 10), True, WeightQuality.OVER, 0),
    ("lighter than it can tell", frames(*[20] * 10), True, WeightQuality.UNDER, 0),
    ("it says under", frames(*[0] * 9, state=SampleState.UNDER), True, WeightQuality.UNDER, 0),
    (
        "a status is no weight",
        frames(*[1000] * 9, state=SampleState.NO_WEIGHT),
        True,
        WeightQuality.NO_WEIGHT,
        0,
    ),
]


@pytest.mark.parametrize(
    ("samples", "whole", "quality", "grams"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_frames_make_a_weight_or_none(
    samples: tuple[WeightSample, ...], whole: bool, quality: WeightQuality, grams: int
) -> None:
    made = reading(SCALE, samples, whole=whole)
    assert (made.quality, made.grams) == (quality, grams)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 70_000), max_size=64), st.integers(1_000, 60_000))
def test_a_good_weight_lies_among_its_frames(grams: list[int], every_us: int) -> None:
    made = reading(SCALE, frames(*grams, every_us=every_us), whole=True)
    if made.quality is WeightQuality.GOOD:
        assert min(grams) <= made.grams <= max(grams)
        assert made.samples >= SCALE.min_samples - 2 * (len(grams) // 8)
        assert made.spread_g <= SCALE.spread_g
    else:
        assert made.grams == 0


def test_equal_readings_within_one_period_count_once() -> None:
    kept = independent(frames(5, 5, 5, 6, 6, every_us=10_000), 50)
    assert [sample.at_us for sample in kept] == [0, 20_000, 30_000]


@pytest.mark.parametrize(
    ("arrivals_ms", "counted"),
    [
        ((0, 19, 38, 57, 78, 97), 6),
        ((0, 16, 39, 56, 79, 96, 116), 7),
        ((0, 24, 40, 64, 84, 103, 120), 7),
        ((0, 12, 25, 37, 50, 62, 75, 87, 100), 6),
        ((0, 60, 60, 60, 60, 60), 2),
        ((0, 14, 14, 14), 1),
    ],
    ids=["early", "jitter", "late", "80 frames/s of 50 updates/s", "a burst", "too early"],
)
def test_frames_that_jitter_count_as_often_as_the_scale_updates(
    arrivals_ms: tuple[int, ...], counted: int
) -> None:
    first = frames(500)[0]
    samples = tuple(replace(first, at_us=MonoUs(ms * 1000)) for ms in arrivals_ms)
    assert len(independent(samples, 50)) == counted


def test_a_static_weight_is_the_last_stable_run() -> None:
    scale = replace(SCALE, kind=ScaleKind.STATIC, stable_ms=100)
    rising = frames(100, 600, state=MOTION)
    still = tuple(replace(s, at_us=MonoUs(s.at_us + 40_000)) for s in frames(*[1000] * 7, state=OK))
    assert stable_run(scale, (*rising, *still)) == still
    assert stable_run(scale, still[:4]) == ()
    assert stable_run(scale, ()) == ()
    assert reading(scale, (*rising, *still), whole=True).grams == 1000


def good(grams: int) -> WeightReading:
    return WeightReading(grams=Grams(grams), quality=WeightQuality.GOOD, spread_g=Grams(0), samples=9)


@pytest.mark.parametrize(
    ("grams", "expected", "tolerance", "reason"),
    [
        (1000, 1000, 0, Reason.OK),
        (1050, 1000, 0, Reason.OK),
        (1051, 1000, 0, Reason.WEIGHT_MISMATCH),
        (10_300, 10_000, 0, Reason.OK),
        (10_301, 10_000, 0, Reason.WEIGHT_MISMATCH),
        (1011, 1000, 10, Reason.WEIGHT_MISMATCH),
        (1010, 1000, 10, Reason.OK),
        (30_001, 30_000, 0, Reason.OVERWEIGHT),
        (12_345, None, 0, Reason.OK),
    ],
)
def test_expected_weight(grams: int, expected: int | None, tolerance: int, reason: Reason) -> None:
    one = order("SF1", grams=expected, tolerance_g=Grams(tolerance))
    assert weight_fault(DEMO.weigh, good(grams), one) is reason


def test_over_range_is_overweight_and_any_other_fault_invalid() -> None:
    for quality in WeightQuality:
        bad = replace(good(0), quality=quality)
        expected = {WeightQuality.GOOD: Reason.WEIGHT_MISMATCH, WeightQuality.OVER: Reason.OVERWEIGHT}
        assert weight_fault(DEMO.weigh, bad, order("SF1")) is expected.get(quality, Reason.WEIGHT_INVALID)


def test_the_capture_lies_between_the_eyes_and_off_the_neighbours() -> None:
    bench = CoreBench()
    first, second = bench.parcel(1), bench.parcel(2, at_mm=1_000)
    bench.run(9_000)
    one, two = bench.commands(CaptureWeight)
    lengths = bench.ticks(300)
    infeed, outfeed = bench.ticks(1300), bench.ticks(2260)
    assert first.at + infeed + lengths < one.from_ticks < one.to_ticks < second.at + infeed
    assert first.at + outfeed + lengths < two.from_ticks < two.to_ticks < second.at + outfeed
    assert [row.reading.quality for row in bench.records(Weighed)] == [WeightQuality.GOOD] * 2


def test_a_body_laid_on_behind_makes_the_weight_nobodys() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_250)
    bench.parcel(9, at_mm=400 - 1_250, appears_mm=1_290, grams=500)
    bench.run(9_000)
    weighed = next(row for row in bench.records(Weighed) if row.track == 1)
    assert weighed.reading.quality is WeightQuality.NEIGHBOUR
    assert not any(end.shipped for end in bench.records(Exited))


def test_a_body_laid_between_the_scales_eyes_takes_the_weight_back_when_it_is_seen() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_250)
    bench.parcel(9, at_mm=350 - 1_250, appears_mm=1_700, grams=500)
    bench.run(1_550)
    assert quality_of(bench, 1) == [WeightQuality.GOOD]
    bench.run(9_000)
    assert quality_of(bench, 1) == [WeightQuality.GOOD, WeightQuality.NEIGHBOUR]
    assert not any(end.shipped for end in bench.records(Exited))


def test_one_first_seen_behind_the_scale_that_cannot_have_lain_beside_it_takes_nothing_back() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_250)
    bench.parcel(9, at_mm=1_400 - 1_250, appears_mm=1_700)
    bench.run(9_000)
    assert quality_of(bench, 1) == [WeightQuality.GOOD]
    assert [end.shipped for end in bench.records(Exited) if end.track == bench.track_id(1)] == [True]


def test_never_alone_on_the_scale_is_no_weight_at_all() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.parcel(2, at_mm=420)
    bench.run(2_500)
    assert {row.reading.quality for row in bench.records(Weighed)} == {WeightQuality.NEIGHBOUR}
    assert bench.commands(CaptureWeight) == []


def test_answers_that_nobody_waits_for_change_nothing() -> None:
    bench = CoreBench()
    bench.parcel(1)
    bench.run(1_400)
    track = next(iter(bench.core.state.tracks))
    for scale, whom in ((ScaleId("other"), track), (SCALE.id, TrackId(77)), (SCALE.id, track)):
        answer = SamplesCaptured(
            at_us=bench.at_us, track=whom, scale=scale, whole=True, samples=frames(*[1000] * 9)
        )
        assert bench.post(answer) == ()


def test_a_capture_under_way_at_a_restart_is_no_weight() -> None:
    bench = CoreBench()
    bench.mute.add(CaptureWeight)
    bench.parcel(1)
    bench.run(1_700)
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    assert bench.the(Weighed).reading.quality is WeightQuality.STALE
    for reader in DEMO.readers:
        bench.post(DeviceWentUp(at_us=bench.at_us, device=reader.device))
    bench.attach(bits())
    bench.run(9_000)
    assert bench.the(Exited).reason is Reason.WEIGHT_INVALID


# -- the static scale of the small line


def static_bench() -> CoreBench:
    bench = CoreBench(STATIC)
    bench.parcel(1)
    assert STATIC.scale is not None
    infeed = STATIC.eyes[STATIC.scale.infeed_eye - 1].position_mm
    bench.run(infeed + 305)
    assert [(c.hold, c.number) for c in bench.commands(SetZone)] == [(True, 1)]
    assert bench.commands(CaptureStatic) == []
    return bench


def still(bench: CoreBench, grams: int, whole: bool = True) -> SamplesCaptured:
    scale = STATIC.scale
    assert scale is not None
    every_us = 40_000
    count = scale.stable_ms * 1_000 // every_us + scale.min_samples + 2
    return SamplesCaptured(
        at_us=bench.at_us,
        track=next(iter(bench.core.state.tracks)),
        scale=scale.id,
        whole=whole,
        samples=frames(*[grams] * count, state=OK, every_us=every_us),
        least_g=Grams(0),
        most_g=Grams(grams),
    )


@clause("ZONE-5")
def test_a_static_scale_holds_weighs_and_releases_by_number() -> None:
    bench = static_bench()
    bench.run(100)
    bench.status(bits(READY, zones_held=1))
    assert len(bench.commands(CaptureStatic)) == 1
    bench.status(bits(READY, zones_held=1))
    assert len(bench.commands(CaptureStatic)) == 1
    bench.post(still(bench, 1_000))
    assert [(c.hold, c.number) for c in bench.commands(SetZone)] == [(True, 1), (False, 1)]
    before = next(iter(bench.core.state.tracks.values())).origin
    bench.now += bench.ticks(400)
    bench.status(bits())
    assert next(iter(bench.core.state.tracks.values())).origin - before == bench.ticks(400)
    assert bench.post(still(bench, 2_000)) == ()
    assert bench.records(Weighed) == []
    bench.run(1_100)
    assert bench.the(Weighed).reading.grams == 1_000


def test_a_body_close_behind_makes_a_held_weight_nobodys() -> None:
    bench = static_bench()
    bench.bodies[2] = bench.parcel(2, at_mm=400 - 1_700, appears_mm=STATIC.eyes[1].position_mm)
    bench.run(100)
    bench.status(bits(READY, zones_held=1))
    bench.post(still(bench, 2_000))
    bench.status(bits())
    bench.run(2_000)
    weighed = next(row for row in bench.records(Weighed) if row.track == 1)
    assert weighed.reading.quality is WeightQuality.NEIGHBOUR


@clause("ZONE-5")
def test_a_zone_that_is_not_weighed_in_time_is_released_without_a_weight() -> None:
    bench = static_bench()
    assert STATIC.scale is not None
    bench.run(STATIC.speed_mm_s * STATIC.scale.hold_timeout_ms // 1_000 + 10)
    assert bench.the(Weighed).reading.quality is WeightQuality.STALE
    assert [c.hold for c in bench.commands(SetZone)] == [True, False]


def test_a_restart_releases_the_held_parcel_without_a_weight() -> None:
    bench = static_bench()
    bench.status(bits(READY, zones_held=1))
    assert SetZone in {type(command) for command in bench.core.outstanding()}
    bench.post(LineStarted(at_us=bench.at_us, build="b", config_hash="c", chutes_disabled=()))
    assert bench.the(Weighed).reading.quality is WeightQuality.STALE
    assert [c.hold for c in bench.commands(SetZone)] == [True, False]


def test_a_held_parcel_that_ends_lets_go_of_its_zone() -> None:
    bench = static_bench()
    bench.bodies[1].taken_mm = 1
    bench.run(1_000)
    assert [c.hold for c in bench.commands(SetZone)] == [True, False]
    assert bench.records(Decided) == []


def test_the_small_line_ships_a_parcel_that_was_held() -> None:
    bench = static_bench()
    name = waybill(1)
    bench.orders[name] = order(name, routing="1")
    bench.status(bits(READY, zones_held=1))
    bench.post(still(bench, 1_000))
    bench.status(bits())
    bench.run(9_000)
    assert bench.the(Exited).shipped


def quality_of(bench: CoreBench, n: int) -> list[WeightQuality]:
    return [row.reading.quality for row in bench.records(Weighed) if row.track == bench.track_id(n)]


def test_one_that_stopped_on_its_way_off_the_scale_is_weighed_with_nobody() -> None:
    bench = CoreBench()
    stopped = bench.parcel(1)
    bench.parcel(2, at_mm=1_100)
    bench.run(2_300)
    stopped.gone = True  # before the outfeed eye: it stays covered, and no passage is reported
    bench.run(1_800)
    assert quality_of(bench, 2) == [WeightQuality.NEIGHBOUR]


@pytest.mark.parametrize("stops", [False, True])
def test_one_that_was_lost_on_the_scale_may_lie_there_until_another_passes(stops: bool) -> None:
    bench = CoreBench()
    bench.parcel(1, taken_mm=2_000)
    behind = bench.parcel(2, at_mm=1_100)
    bench.run(3_300)
    assert bench.core.state.scale_fouled
    behind.gone = stops
    bench.run(1_500)
    assert quality_of(bench, 2) == [WeightQuality.NEIGHBOUR if stops else WeightQuality.GOOD]
    assert bench.core.state.scale_fouled is stops


def test_what_was_lost_on_the_scale_is_gone_after_a_purge() -> None:
    bench = CoreBench()
    bench.parcel(1, taken_mm=2_000)
    bench.run(3_400)
    assert bench.core.state.scale_fouled
    bench.attach(bits(READY | StateBit.PURGING), BootEpoch(EPOCH + 1))
    bench.status(bits())
    assert not bench.core.state.scale_fouled


# -- what a scale may say besides


def after(bench: CoreBench, event: SamplesCaptured) -> WeightReading:
    bench.post(event)
    bench.status(bits())
    bench.run(2_000)
    return bench.the(Weighed).reading


def alarmed(bench: CoreBench) -> list[AlarmKind]:
    return [row.kind for row in bench.records(AlarmRaised)]


def held_bench() -> CoreBench:
    bench = static_bench()
    bench.run(100)
    bench.status(bits(READY, zones_held=1))
    return bench


def test_a_static_scale_that_has_not_returned_to_zero_weighs_nobody() -> None:
    for least, quality in (
        (10, WeightQuality.GOOD),
        (11, WeightQuality.NOT_CLEARED),
        (None, WeightQuality.NOT_CLEARED),
    ):
        bench = held_bench()
        event = replace(still(bench, 1_000), least_g=None if least is None else Grams(least))
        assert after(bench, event).quality is quality
        assert alarmed(bench) == []


def test_a_reading_that_did_not_change_with_the_load_is_none_and_alarms_until_one_does() -> None:
    bench = held_bench()
    event = replace(still(bench, 1_000), least_g=Grams(1_000), most_g=Grams(1_000))
    assert after(bench, event).quality is WeightQuality.FROZEN
    assert alarmed(bench) == [AlarmKind.SCALE_FROZEN]
    bench.run(8_000)
    assert bench.the(Exited).reason is Reason.WEIGHT_INVALID


def belt_answer(bench: CoreBench, track: int, least: int, most: int) -> SamplesCaptured:
    return SamplesCaptured(
        at_us=bench.at_us,
        track=TrackId(track),
        scale=SCALE.id,
        whole=True,
        samples=frames(*[1_000] * 9),
        least_g=Grams(least),
        most_g=Grams(most),
    )


def test_a_belt_scale_that_hangs_alarms_and_the_next_good_weight_ends_it() -> None:
    bench = CoreBench()
    bench.mute.add(CaptureWeight)
    for n, least, quality in ((1, 1_000, WeightQuality.FROZEN), (2, 0, WeightQuality.GOOD)):
        bench.parcel(n)
        bench.run(1_700)
        bench.post(belt_answer(bench, n, least, 1_000))
        bench.run(2_000)
        assert bench.records(Weighed)[-1].reading.quality is quality
    assert alarmed(bench) == [AlarmKind.SCALE_FROZEN]
    assert [row.kind for row in bench.records(AlarmCleared)] == [AlarmKind.SCALE_FROZEN]


def test_a_scale_that_talks_and_tells_no_weight_alarms() -> None:
    bench = held_bench()
    event = replace(still(bench, 1_000), samples=frames(*[0] * 20, state=SampleState.NO_WEIGHT))
    assert after(bench, event).quality is WeightQuality.NO_WEIGHT
    assert alarmed(bench) == [AlarmKind.SCALE_NO_WEIGHT]


def test_a_static_load_that_is_never_called_still_is_unstable() -> None:
    bench = held_bench()
    event = replace(still(bench, 1_000), samples=frames(*[1_000] * 30, state=MOTION))
    assert after(bench, event).quality is WeightQuality.UNSTABLE


def test_no_weight_counts_while_the_zero_is_not_known() -> None:
    bench = held_bench()
    bench.core.state.zero.good = False
    assert after(bench, still(bench, 1_000)).quality is WeightQuality.ZERO
