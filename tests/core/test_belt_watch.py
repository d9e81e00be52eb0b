"""Moments become belt positions: codes wait for the ring, captures for the proof, statics for the scale."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.model.codes import Code, Symbology
from edge.model.commands import CaptureStatic, CaptureWeight, CaptureZero
from edge.model.events import CodesRead, SamplesCaptured, WakePurpose, ZeroCaptured
from edge.model.ids import BootEpoch, ReaderId, ScaleId, TrackId
from edge.model.topology import ScaleKind, Topology
from edge.model.units import Grams, MonoUs, Ticks
from edge.model.weight import SampleState, WeightSample
from edge.runtime import belt_watch
from edge.runtime.belt_watch import ANYWHERE, BeltWatch
from tests.core.core_line import DEMO
from tests.core.runtime_kit import EPOCH, Posted, clock, status, ticks_at, virtual, wake

S, MS = 1_000_000, 1_000
READER = DEMO.readers[0]
assert DEMO.scale is not None
SCALE = DEMO.scale
STATIC = replace(DEMO, scale=replace(SCALE, kind=ScaleKind.STATIC, stable_ms=200))
CODE = (Code(text="SF0000000000001", symbology=Symbology.CODE128),)


class Bench:
    """A belt watch on an even belt; ``belt`` and ``frames`` run beside each other in virtual time."""

    def __init__(self, line: Topology = DEMO, *, epoch: int = EPOCH) -> None:
        self.posted = Posted()
        self.time = clock()
        self.watch = BeltWatch(line, self.time, self.posted, BootEpoch(epoch))

    def see(self, **changes: object) -> None:
        self.watch.belt_seen(status(self.time.now_us(), **changes))  # type: ignore[arg-type]

    def frame(self, grams: int = 500, state: SampleState = SampleState.OK) -> None:
        sample = WeightSample(at_us=self.time.now_us(), grams=Grams(grams), state=state)
        self.watch.weight_seen(SCALE.id, sample)

    async def run(self, until_us: int, *, frames: bool = True, belt: bool = True, **changes: object) -> None:
        """A status every 100 ms and a frame every 20 ms."""
        n = 0
        while self.time.now_us() < until_us:
            if belt and n % 5 == 0:
                self.see(**changes)
            if frames:
                self.frame()
            n += 1
            await asyncio.sleep(0.02)

    def read(self, at_us: int | None = None, codes: tuple[Code, ...] = CODE) -> None:
        self.watch.codes_seen(READER.id, MonoUs(at_us or self.time.now_us()), codes)

    def capture(self, first: int, last: int, track: int = 1) -> None:
        self.watch.capture(
            CaptureWeight(
                track=TrackId(track),
                scale=SCALE.id,
                on_ticks=Ticks(first),
                from_ticks=Ticks(first),
                to_ticks=Ticks(last),
            )
        )

    def codes(self) -> list[CodesRead]:
        return [event for event in self.posted.events if isinstance(event, CodesRead)]

    def captured(self) -> list[SamplesCaptured]:
        return [event for event in self.posted.events if isinstance(event, SamplesCaptured)]


def play(script: Callable[[Bench], object], **made: object) -> Bench:
    async def main() -> Bench:
        bench = Bench(**made)  # type: ignore[arg-type]
        result = script(bench)
        if asyncio.iscoroutine(result):
            await result
        bench.watch.close()
        return bench

    return virtual(main)


# -- codes


def test_a_code_waits_until_the_ring_is_read_past_its_latest_moment() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        read_us = bench.time.now_us()
        bench.read()
        bench.see(ring_read=False)
        await asyncio.sleep(0.1)
        bench.see(ring_read=False)
        assert bench.codes() == [], "positions are known, the ring is not"
        bench.see()
        (found,) = bench.codes()
        low = ticks_at(read_us - READER.latency_max_ms * MS)
        high = ticks_at(read_us - READER.latency_min_ms * MS)
        assert found.ticks_from <= low <= high <= found.ticks_to
        assert found.ticks_to - found.ticks_from <= high - low + 2 * 40
        assert (found.reader, found.codes, found.at_us) == (READER.id, CODE, bench.time.now_us())

    play(script)


def test_a_status_taken_before_the_moment_proves_nothing_of_it() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.read(bench.time.now_us() + READER.latency_min_ms * MS)
        bench.see()
        assert bench.codes() == []
        await asyncio.sleep(0.05)
        bench.see()
        assert len(bench.codes()) == 1

    play(script)


def test_a_no_read_is_an_answer_too() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.read(codes=())
        await bench.run(3 * S)

    (found,) = play(script).codes()
    assert found.codes == ()


def test_answers_keep_their_order_and_a_later_one_overtakes_none() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        later = bench.time.now_us() + 500 * MS
        bench.read(later)
        bench.read(codes=())
        bench.see()
        await asyncio.sleep(0.1)
        bench.see()
        assert bench.codes() == [], "the second waits behind the first"
        await bench.run(4 * S)

    assert [found.codes for found in play(script).codes()] == [CODE, ()]


@pytest.mark.parametrize("gone", ["before the first status", "while the link was down"])
def test_a_moment_of_which_little_is_known_may_be_anywhere(gone: str) -> None:
    async def script(bench: Bench) -> None:
        if gone == "before the first status":
            bench.read()
            await asyncio.sleep(0.5)
        else:
            await bench.run(2 * S)
            bench.watch.belt_unseen()
            await asyncio.sleep(0.5)
            bench.read()
            assert bench.codes() == [], "the ring has not been read that far"
            await asyncio.sleep(60)
        await bench.run(bench.time.now_us() + S)

    (found,) = play(script).codes()
    if gone == "before the first status":
        assert (found.ticks_from, found.ticks_to) == (0, ANYWHERE)
    else:
        assert found.ticks_from <= ticks_at(2 * S) <= ticks_at(2_500 * MS) <= found.ticks_to
        assert found.ticks_to - found.ticks_from < 700 * MS * 3_780 // S, "at v_max since the last status"


def test_a_babbling_reader_costs_the_oldest_their_place_and_no_memory() -> None:
    async def script(bench: Bench) -> None:
        for n in range(belt_watch.PENDING_CODES + 3):
            bench.read(codes=(replace(CODE[0], text=str(n)),))

    found = play(script).codes()
    assert [code.text for read in found for code in read.codes] == ["0", "1", "2"]
    assert {read.ticks_to for read in found} == {ANYWHERE}


# -- captures on a belt scale


def test_a_capture_has_the_frames_whose_whole_interval_lies_inside() -> None:
    first, last = ticks_at(2 * S), ticks_at(2 * S + 200 * MS)

    async def script(bench: Bench) -> None:
        await bench.run(1_900 * MS)
        bench.capture(first, last)
        await bench.run(3 * S)

    bench = play(script)
    (found,) = bench.captured()
    assert (found.track, found.scale, found.whole) == (1, SCALE.id, True)
    moments = [sample.at_us - SCALE.filter_ms * MS for sample in found.samples]
    assert moments == sorted(moments)
    assert first <= ticks_at(moments[0])
    assert ticks_at(moments[-1]) <= last
    assert 8 <= len(moments) <= 10, "of ten frames, at most one at each end is in doubt"
    assert found.at_us >= 2 * S + 200 * MS


def test_a_capture_tells_what_the_scale_said_since_the_parcel_came_on() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        now = bench.time.now_us()
        first, last = ticks_at(now - 500 * MS), ticks_at(now - 200 * MS)
        bench.watch.capture(
            CaptureWeight(
                track=TrackId(1),
                scale=SCALE.id,
                on_ticks=Ticks(ticks_at(now - 700 * MS)),
                from_ticks=Ticks(first),
                to_ticks=Ticks(last),
            )
        )
        (found,) = bench.captured()
        assert found.least_g is not None
        assert found.most_g is not None
        assert found.least_g <= min(one.grams for one in found.samples)
        assert found.most_g >= max(one.grams for one in found.samples)

    play(script)


def test_what_a_scale_said_after_a_silence_tells_nothing_of_the_load_before() -> None:
    """It comes back while the parcel lies there: readings that are all one do not mean that it hangs."""

    async def script(bench: Bench) -> None:
        await bench.run(2 * S, frames=False)
        back_us = bench.time.now_us()
        await bench.run(back_us + 300 * MS)
        bench.watch.capture(
            CaptureWeight(
                track=TrackId(1),
                scale=SCALE.id,
                on_ticks=Ticks(ticks_at(back_us - 800 * MS)),
                from_ticks=Ticks(ticks_at(back_us)),
                to_ticks=Ticks(ticks_at(back_us + 150 * MS)),
            )
        )
        (found,) = bench.captured()
        assert found.samples
        assert (found.least_g, found.most_g) == (None, None)

    play(script)


def test_a_look_at_the_empty_scale_is_answered_as_one() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        now = bench.time.now_us()
        bench.watch.capture(
            CaptureZero(
                scale=SCALE.id,
                from_ticks=Ticks(ticks_at(now - 500 * MS)),
                to_ticks=Ticks(ticks_at(now - 200 * MS)),
            )
        )
        (found,) = [event for event in bench.posted.events if isinstance(event, ZeroCaptured)]
        assert found.whole
        assert len(found.samples) > 10

    play(script)


def test_a_capture_waits_for_the_proof_and_for_the_scale() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(1_700 * MS), ticks_at(1_900 * MS))
        assert bench.captured() == [], "the newest frame is of 30 ms ago, beyond the end: but not proved so"
        await bench.run(2 * S + 60 * MS, ring_read=False)
        assert len(bench.captured()) == 0 or bench.captured()[0].whole
        await bench.run(2 * S + 200 * MS)
        assert len(bench.captured()) == 1

    play(script)


def test_a_silent_scale_leaves_the_capture_not_whole_after_its_limit() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(2 * S), ticks_at(2_200 * MS))
        await bench.run(2_100 * MS)
        silent_from = bench.time.now_us()
        await bench.run(3 * S, frames=False)
        (found,) = bench.captured()
        assert not found.whole
        assert found.at_us - silent_from >= SCALE.stale_ms * MS - 20 * MS

    play(script)


def test_a_scale_that_never_spoke_is_answered_at_once() -> None:
    async def script(bench: Bench) -> None:
        bench.capture(ticks_at(1_100 * MS), ticks_at(1_200 * MS))
        await bench.run(1_400 * MS, frames=False)

    (found,) = play(script).captured()
    assert (found.whole, found.samples) == (False, ())


def test_a_hole_in_the_frames_leaves_the_capture_not_whole() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(2 * S), ticks_at(2_800 * MS))
        await bench.run(2_200 * MS)
        await bench.run(2_500 * MS, frames=False)
        await bench.run(3_200 * MS)

    (found,) = play(script).captured()
    assert not found.whole
    assert len(found.samples) > 10


def test_a_long_capture_carries_its_newest_64_frames() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(2 * S), ticks_at(4 * S))
        await bench.run(5 * S)

    (found,) = play(script).captured()
    assert found.whole
    assert len(found.samples) == belt_watch.CAPTURE_LIMIT
    assert found.samples[-1].at_us - SCALE.filter_ms * MS >= 3_900 * MS


def test_frames_that_were_dropped_leave_the_capture_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The belt stood so long on the scale that the first frames of the window are no more kept."""
    monkeypatch.setattr(belt_watch, "SAMPLES_KEPT", 100)
    stands = ticks_at(2_200 * MS)

    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(2_050 * MS), stands + 400)
        await bench.run(2_200 * MS)
        await bench.run(6 * S, ticks=stands, running=False)
        assert bench.captured() == []
        n = 0
        while bench.time.now_us() < 7 * S:
            bench.see(ticks=stands + n * 36)
            bench.frame()
            n += 1
            await asyncio.sleep(0.01)

    (found,) = play(script).captured()
    assert len(found.samples) == belt_watch.CAPTURE_LIMIT
    assert not found.whole


def test_captures_are_bounded_the_oldest_is_answered_as_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belt_watch, "CAPTURES_OPEN", 2)

    async def script(bench: Bench) -> None:
        for track in (1, 2, 3):
            bench.capture(10_000_000, 10_000_100, track)

    (found,) = play(script).captured()
    assert (found.track, found.whole) == (1, False)


def test_a_new_epoch_answers_every_capture_and_forgets_the_wakes() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        bench.capture(ticks_at(2 * S), ticks_at(3 * S), 4)
        bench.capture(ticks_at(3 * S), ticks_at(4 * S), 5)
        bench.watch.wake_at(wake(WakePurpose.DECIDE, 4, ticks=20_000))
        await bench.run(2_100 * MS, epoch=EPOCH + 1)
        await bench.run(4 * S, epoch=EPOCH + 1)

    bench = play(script)
    assert [(e.track, e.whole, e.samples) for e in bench.captured()] == [(4, False, ()), (5, False, ())]
    assert bench.posted.events == list(bench.captured())


@pytest.mark.parametrize(("epoch", "wakes"), [(EPOCH, 1), (EPOCH - 1, 0)])
def test_after_a_restart_wakes_belong_to_the_epoch_on_record(epoch: int, wakes: int) -> None:
    """``outstanding`` gives them before the first status has told which epoch the PLC is in."""

    async def script(bench: Bench) -> None:
        bench.watch.wake_at(wake(WakePurpose.DECIDE, 4, ticks=9_000))
        await bench.run(4 * S)

    assert len(play(script, epoch=epoch).posted.events) == wakes


def test_frames_of_a_scale_that_the_line_does_not_have_are_an_error_of_ours() -> None:
    async def script(bench: Bench) -> None:
        sample = WeightSample(at_us=MonoUs(1), grams=Grams(1), state=SampleState.OK)
        with pytest.raises(ValueError, match="'other'"):
            bench.watch.weight_seen(ScaleId("other"), sample)
        with pytest.raises(KeyError):
            bench.watch.codes_seen(ReaderId("other"), MonoUs(1), CODE)
            bench.see()

    play(script)


# -- captures on a static scale


def static(bench: Bench, until_us: int, track: int = 1) -> None:
    bench.watch.capture_static(CaptureStatic(track=TrackId(track), scale=SCALE.id, until_us=MonoUs(until_us)))


def test_a_static_capture_ends_as_soon_as_the_load_is_stable() -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S)
        static(bench, 6 * S)
        for n in range(20):
            bench.frame(100 * n)
            await asyncio.sleep(0.02)
        await bench.run(5 * S)

    (found,) = play(script, line=STATIC).captured()
    stable_from = 2 * S + 400 * MS
    assert found.whole
    assert stable_from + 200 * MS <= found.at_us <= stable_from + 260 * MS
    assert min(sample.at_us for sample in found.samples) >= 2 * S + SCALE.filter_ms * MS
    assert [sample.grams for sample in found.samples[-5:]] == [500] * 5


@pytest.mark.parametrize(("frames", "whole"), [(False, False), (True, True)])
def test_a_load_that_never_settles_is_answered_at_the_limit(frames: bool, whole: bool) -> None:
    async def script(bench: Bench) -> None:
        await bench.run(2 * S, frames=False)
        static(bench, 3 * S)
        for n in range(60):
            if frames:
                bench.frame(100 * n)
            await asyncio.sleep(0.02)

    (found,) = play(script, line=STATIC).captured()
    assert (found.at_us, found.whole) == (3 * S, whole)
    assert len(found.samples) == (48 if frames else 0), "frames whose moment lay in the hold"


def test_a_static_capture_that_another_replaces_or_an_epoch_ends_is_answered() -> None:
    async def script(bench: Bench) -> None:
        bench.see()
        static(bench, 3 * S, 1)
        static(bench, 4 * S, 2)
        assert [(e.track, e.whole) for e in bench.captured()] == [(1, False)]
        bench.see(epoch=EPOCH + 1)
        assert [(e.track, e.whole) for e in bench.captured()] == [(1, False), (2, False)]
        await asyncio.sleep(6)

    assert len(play(script, line=STATIC).captured()) == 2


def test_a_closed_watch_answers_no_more() -> None:
    async def script(bench: Bench) -> None:
        static(bench, 3 * S)
        bench.watch.close()
        await asyncio.sleep(4)

    assert play(script, line=STATIC).posted.events == []
