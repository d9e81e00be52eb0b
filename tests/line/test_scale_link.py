"""Scale link in virtual time: up at the first frame, pace, bursts of old frames, silence."""

import pytest

from drivers.codecs.mettler_toledo import ContinuousCodec
from drivers.links.scale_serial import ScaleLink, paced
from edge.model.ids import DeviceId, ScaleId
from edge.model.units import Grams, MonoUs
from edge.model.weight import SampleState, WeightSample
from edge.ports.byte_stream import LinkFailed
from simulators.loop import START_US, VirtualLoop
from simulators.pipes import Cable
from simulators.seeds import SeededBits

MS = 1_000
STALE_MS = 200


def frame(grams: int) -> bytes:
    body = b"\x02\x2d\x30\x20%6d     0\r" % grams
    return body + bytes([-sum(body) & 0x7F])


class Weighed:
    """A ``SampleSink``: (ms since the run began, grams)."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []

    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None:
        assert scale == "s1"
        self.samples.append(((sample.at_us - START_US) // MS, sample.grams))


def run(script: list[tuple[int, bytes]]) -> tuple[list[tuple[int, int]], int | None, str, int]:
    """Samples, when the link came up, why it failed and when, all in ms since the opening."""
    loop = VirtualLoop()
    sink, ups = Weighed(), list[int]()

    async def main() -> tuple[str, int]:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        link = ScaleLink(
            device=DeviceId("scale-1"),
            scale=ScaleId("s1"),
            stale_ms=STALE_MS,
            open_stream=cable.open,
            make_codec=lambda: ContinuousCodec(unit="kg", checksum=True, agreeing=1),
            sink=sink,
        )
        for ms, data in script:
            when = (START_US + ms * MS) / 1_000_000
            loop.call_at(when, lambda data=data: loop.create_task(cable.device.write(data)))
        with pytest.raises(LinkFailed) as failed:
            await link.session(lambda: ups.append((loop.now_us() - START_US) // MS))
        return str(failed.value), (loop.now_us() - START_US) // MS

    why, when = loop.run(main())
    assert len(ups) <= 1
    return sink.samples, ups[0] if ups else None, why, when


def test_up_at_the_first_frame_after_the_backlog() -> None:
    samples, up, why, when = run([(20 * n + 5, frame(1_000 + n)) for n in range(1, 11)])
    assert up == 105
    assert samples == [(125, 1_006), (145, 1_007), (165, 1_008), (185, 1_009), (205, 1_010)]
    assert (why, when) == ("scale-1: silent for 200 ms", 205 + STALE_MS)


def test_a_scale_that_never_speaks_never_came_up() -> None:
    assert run([(150, b"\x02garbage\r\n" * 9)]) == ([], None, "scale-1: silent for 200 ms", 100 + STALE_MS)


def test_garbage_between_frames_keeps_nobody_alive() -> None:
    _, up, _, when = run([(120, frame(1)), *((120 + n, b"\x02\x30\x30") for n in range(300))])
    assert (up, when) == (120, 120 + STALE_MS)


def test_a_burst_of_old_frames_after_a_pause_counts_for_nothing() -> None:
    """The adapter sat on 90 ms of frames; they come at once, or one by one in the same instant."""
    steady = [(ms, frame(5_000)) for ms in (110, 130, 150)]
    new = [(ms, frame(700)) for ms in (260, 280)]
    for burst in ([(250, frame(5_000) * 5)], [(250, frame(5_000))] * 5):
        samples, *_ = run([*steady, *burst, *new])
        assert samples == [(130, 5_000), (150, 5_000), (260, 700), (280, 700)]


def test_after_a_long_pause_the_first_frame_only_sets_the_pace() -> None:
    samples, *_ = run([(120, frame(1)), (140, frame(2)), (260, frame(3)), (280, frame(4))])
    assert samples == [(140, 2), (280, 4)]


def sample(grams: int) -> WeightSample:
    return WeightSample(at_us=MonoUs(1_000_000), grams=Grams(grams), state=SampleState.OK)


def test_frames_that_a_slow_reader_finds_together_are_spread_over_the_time_between() -> None:
    three = [sample(1), sample(2), sample(3)]
    assert [one.at_us for one in paced(three, 60 * MS, 100 * MS)] == [960_000, 980_000, 1_000_000]


@pytest.mark.parametrize(
    ("count", "span_us"),
    [(1, 0), (1, 999), (2, 1_999), (3, 100 * MS + 1), (1, 100 * MS + 1), (4, 80 * MS), (200, 100 * MS)],
)
def test_what_is_out_of_pace_counts_for_nothing(count: int, span_us: int) -> None:
    assert list(paced([sample(n) for n in range(count)], span_us, 100 * MS)) == []
