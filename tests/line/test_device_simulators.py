"""Simulated scanner and scale in virtual time: their manuals' promises, and our links against them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from drivers.codecs.mettler_toledo import ContinuousCodec
from drivers.codecs.mt_sics import SicsCodec
from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.codecs.yaohua_a9 import A9Codec
from drivers.links.scale_serial import ScaleLink
from drivers.links.scanner import ScannerLink
from drivers.registry import CAMERA_CODECS, SCALE_CODECS, SCANNER_CODECS
from drivers.streams.tcp import accept_tcp, open_tcp
from edge.model.codes import Code, Symbology
from edge.model.ids import DeviceId, ReaderId, ScaleId
from edge.model.units import MonoUs
from edge.model.weight import SampleState, WeightSample
from edge.ports.byte_stream import ByteStream, LinkFailed
from simulators.devices.camera_answers import CAMERA_MESSAGES
from simulators.devices.scale import ScaleIndicator
from simulators.devices.scale_frames import SCALE_FRAMES, a9_frame, continuous_frame, sics_answer
from simulators.devices.scale_platform import Platform, ScaleSetup
from simulators.devices.scanner import SCANNER_MESSAGES, ReaderSetup, Scanner, text_message
from simulators.loop import START_US, VirtualLoop
from simulators.pipes import Cable
from simulators.seeds import SeededBits

MS = 1_000
JT = Code(text="JT1234567890123", symbology=Symbology.CODE128)
GOODS = Code(text="6901234567892", symbology=Symbology.EAN13)
SETUP = ReaderSetup(latency_min_us=5 * MS, latency_max_us=40 * MS)
FORMAT = LineFormat(
    prefix=b"", terminator=b"\r\n", separator=";", aim=True, no_read=("NoRead",), heartbeat="", max_bytes=512
)
SCALE = ScaleSetup(
    settle_us=150 * MS,
    delay_us=30 * MS,
    frame_us=20 * MS,
    reading_us=20 * MS,
    noise_g=1,
    division_g=5,
    capacity_g=60_000,
)


class Ears:
    def __init__(self) -> None:
        self.codes: list[tuple[int, tuple[Code, ...]]] = []
        self.samples: list[WeightSample] = []

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.codes.append((at_us - START_US, codes))

    def weight_seen(self, scale: ScaleId, sample: WeightSample) -> None:
        self.samples.append(sample)


def scanner_run(
    script: Callable[[VirtualLoop, Scanner], Coroutine[Any, Any, None]], *, calls_us: bool = False
) -> Ears:
    """A scanner and a link that is always connected again; ``script`` plays the belt."""
    loop, ears = VirtualLoop(), Ears()

    async def open_stream() -> ByteStream:
        return await (accept_tcp if calls_us else open_tcp)("10.0.0.5", 2111)

    async def keep(link: ScannerLink) -> None:
        while True:
            try:
                await link.session(lambda: None)
            except LinkFailed:
                await asyncio.sleep(0.1)

    async def main() -> None:
        scanner = Scanner(loop, SETUP, SeededBits(3, "scanner"))
        tasks = []
        if calls_us:
            tasks.append(loop.create_task(scanner.call("10.0.0.5", 2111)))
        else:
            await scanner.listen("10.0.0.5", 2111)
        link = ScannerLink(
            device=DeviceId("scanner"),
            reader=ReaderId("top"),
            silence_ms=0,
            stale_ms=0,
            open_stream=open_stream,
            make_codec=lambda: ScannerLines(FORMAT),
            sink=ears,
        )
        tasks.append(loop.create_task(keep(link)))
        await asyncio.sleep(1)
        await script(loop, scanner)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await scanner.close()

    loop.run(main())
    return ears


@pytest.mark.parametrize("calls_us", [False, True], ids=["it listens", "it calls us"])
def test_answers_come_in_order_and_within_the_latency(calls_us: bool) -> None:
    looks = [(1_100 * MS + n * 30 * MS, (JT,) if n % 3 else ()) for n in range(60)]

    async def belt(loop: VirtualLoop, scanner: Scanner) -> None:
        for at_us, codes in looks:
            loop.call_at((START_US + at_us) / 1_000_000, scanner.saw, START_US + at_us, codes)
        await asyncio.sleep(3)

    ears = scanner_run(belt, calls_us=calls_us)
    assert [codes for _, codes in ears.codes] == [codes for _, codes in looks]
    late = [heard - at_us for (heard, _), (at_us, _) in zip(ears.codes, looks, strict=True)]
    assert all(5 * MS <= one <= 41 * MS for one in late), late
    assert max(late) - min(late) > 20 * MS


def test_a_reader_that_is_set_to_beat_says_that_it_lives() -> None:
    loop, said = VirtualLoop(), list[tuple[int, bytes]]()
    setup = replace(SETUP, heartbeat="HB", beat_us=500 * MS)

    async def main() -> None:
        scanner = Scanner(loop, setup, SeededBits(3, "scanner"))
        scanner.plug(lambda data: said.append((loop.now_us() - START_US, data)))
        await asyncio.sleep(1.6)

    loop.run(main())
    assert said == [(n * 500 * MS, b"HB\r\n") for n in (1, 2, 3)]


def test_several_codes_of_one_look_are_one_answer() -> None:
    async def belt(loop: VirtualLoop, scanner: Scanner) -> None:
        scanner.saw(loop.now_us(), (JT, GOODS))
        await asyncio.sleep(1)

    assert [codes for _, codes in scanner_run(belt).codes] == [(JT, GOODS)]


def test_what_a_stalled_reader_says_at_last_is_not_taken_for_new() -> None:
    async def belt(loop: VirtualLoop, scanner: Scanner) -> None:
        scanner.stall(loop.now_us() + 5_000 * MS)
        for _ in range(12):
            scanner.saw(loop.now_us(), (JT,))
            await asyncio.sleep(0.3)
        await asyncio.sleep(3)
        scanner.saw(loop.now_us(), (GOODS,))
        await asyncio.sleep(1)

    assert [codes for _, codes in scanner_run(belt).codes] == [(GOODS,)]


def test_power_off_garbage_and_on_again() -> None:
    async def belt(loop: VirtualLoop, scanner: Scanner) -> None:
        scanner.switch_off()
        scanner.saw(loop.now_us(), (JT,))
        await asyncio.sleep(1)
        scanner.switch_on()
        await asyncio.sleep(1)
        scanner.say(b"\xff\x00]C0HALF")
        scanner.say(b"\r\n")
        scanner.saw(loop.now_us(), (JT,))
        scanner.saw(loop.now_us(), (GOODS,))
        await asyncio.sleep(1)

    # The answer after garbage is given up with it: its head may be the garbage's tail.
    assert [codes for _, codes in scanner_run(belt).codes] == [(GOODS,)]


def test_every_symbology_goes_over_the_wire_and_back() -> None:
    texts = {Symbology.EAN8: "69012341", Symbology.UPCA: "012345678905", Symbology.EAN13: "6901234567892"}
    for symbology in Symbology:
        if symbology is Symbology.UPCE:
            continue  # sent as the 13 digits that it stands for
        code = Code(text=texts.get(symbology, "AB12"), symbology=symbology)
        (answer,) = ScannerLines(FORMAT).feed(text_message((code,), SETUP), MonoUs(1))
        assert answer.codes == (code,)  # type: ignore[union-attr]


def test_without_a_separator_each_code_is_a_message_of_its_own() -> None:
    data = text_message((JT, GOODS), replace(SETUP, separator=""))
    assert data == b"]C0JT1234567890123\r\n]E06901234567892\r\n"


def test_the_scale_s_frames_are_the_manual_s() -> None:
    assert continuous_frame(1253, motion=False, out_of_range=False) == bytes.fromhex(
        "022D3020202031323533202020202030 0D19"
    )
    assert set(SCALE_FRAMES) == set(SCALE_CODECS), "each protocol has its simulated sender"
    assert set(SCANNER_MESSAGES) == set(SCANNER_CODECS)
    assert set(CAMERA_MESSAGES) == set(CAMERA_CODECS)
    for grams in (-5, 0, 1, 25_000, 999_999):
        for motion in (False, True):
            frame = continuous_frame(grams, motion=motion, out_of_range=False)
            (sample,) = ContinuousCodec(unit="kg", checksum=True, agreeing=1).feed(frame, MonoUs(1))
            assert sample.grams == grams
            assert sample.state is (SampleState.MOTION if motion else SampleState.OK)


def test_the_other_scales_say_what_their_manuals_print() -> None:
    """XK3190-A26, page 10; AT balances, page 87. The codecs hear what was said."""
    assert a9_frame(-27, True, False) == bytes.fromhex("022D 303030303237 33 3142 03")
    assert sics_answer(1253, False, False) == b"S S      1.253 kg\r\n"
    assert (sics_answer(9, True, True), sics_answer(-9, True, True)) == (b"S +\r\n", b"S -\r\n")
    for grams in (-5, 0, 1, 25_000, 999_999):
        for motion in (False, True):
            (told,) = A9Codec(unit="kg", agreeing=1).feed(a9_frame(grams, motion, False), MonoUs(1))
            assert (told.grams, told.state) == (grams, SampleState.MOTION)
            (told,) = SicsCodec(unit="kg", agreeing=1, ask="SIR").feed(
                sics_answer(grams, motion, False), MonoUs(1)
            )
            assert (told.grams, told.state is SampleState.MOTION) == (grams, motion)


def test_a_reading_settles_in_its_time_and_not_before() -> None:
    platform = Platform(SCALE, SeededBits(1, "scale"))
    platform.load(100 * MS, 20_000)
    read = {ms: platform.read(ms * MS) for ms in range(0, 400, 20)}
    assert all(abs(read[ms][0]) <= 1 and not read[ms][1] for ms in range(0, 140, 20)), "filter's delay"
    rising = [read[ms][0] for ms in range(140, 280, 20)]
    assert rising == sorted(rising)
    assert rising[0] < 15_000
    assert read[200][1], "it says that it moves"
    assert all(abs(read[ms][0] - 20_000) <= 1 and not read[ms][1] for ms in range(280, 400, 20))


def test_readings_are_as_independent_as_they_are_said_to_be() -> None:
    slow = Platform(ScaleSetup(**{**SCALE_FIELDS, "reading_us": 100 * MS, "noise_g": 50}), SeededBits(1, "s"))
    read = [slow.read(ms * MS)[0] for ms in range(0, 1_000, 20)]
    assert all(len(set(read[n : n + 5])) == 1 for n in range(0, 50, 5))
    assert len(set(read)) > 5


SCALE_FIELDS = {name: getattr(SCALE, name) for name in ScaleSetup.__dataclass_fields__}


def scale_run(
    loads: list[tuple[int, int]], until_ms: int, silent: tuple[int, int] = (0, 0)
) -> tuple[Ears, str]:
    loop, ears = VirtualLoop(), Ears()

    async def main() -> str:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        scale = ScaleIndicator(
            loop, SCALE, SeededBits(1, "scale"), lambda data: loop.create_task(cable.device.write(data))
        )
        link = ScaleLink(
            device=DeviceId("scale"),
            scale=ScaleId("s1"),
            stale_ms=200,
            open_stream=cable.open,
            make_codec=lambda: ContinuousCodec(unit="kg", checksum=True, agreeing=1),
            sink=ears,
        )
        scale.start()
        for ms, grams in loads:
            loop.call_at((START_US + ms * MS) / 1e6, scale.load, START_US + ms * MS, grams)
        loop.call_at((START_US + silent[0] * MS) / 1e6, scale.be_silent, START_US + silent[1] * MS)
        loop.call_at((START_US + until_ms * MS) / 1e6, cable.unplug)
        with pytest.raises(LinkFailed) as failed:
            await link.session(lambda: None)
        scale.stop()
        return str(failed.value)

    why = loop.run(main())
    return ears, why


def test_a_parcel_on_the_scale_as_the_line_hears_it() -> None:
    ears, why = scale_run([(500, 5_003), (1_000, 0), (1_500, 80_000)], 2_000)
    assert why == "the cable was pulled"

    def at(ms: int) -> WeightSample:
        return min(ears.samples, key=lambda one: abs(one.at_us - START_US - ms * MS))

    assert (at(480).grams, at(480).state) == (0, SampleState.OK)
    assert at(600).state is SampleState.MOTION
    assert {(at(ms).grams, at(ms).state) for ms in range(700, 1_020, 20)} <= {
        (5_000, SampleState.OK),
        (5_005, SampleState.OK),
    }
    assert (at(1_300).grams, at(1_300).state) == (0, SampleState.OK)
    assert (at(1_900).grams, at(1_900).state) == (0, SampleState.OVER)
    spacing = {b.at_us - a.at_us for a, b in zip(ears.samples, ears.samples[1:], strict=False)}
    assert spacing == {20 * MS}


def asked_run(ask: str, script: list[tuple[int, str, int]], until_ms: int) -> tuple[Ears, str, ScaleLink]:
    """An MT-SICS scale of 20 answers/s behind a device server, heard by its link. ``script``: (ms, what
    is done to scale or link, grams or ms)."""
    loop, ears = VirtualLoop(), Ears()
    setup = replace(SCALE, protocol="mt_sics", frame_us=50 * MS, reading_us=50 * MS, noise_g=0)
    links = list[ScaleLink]()

    async def main() -> str:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        scale = ScaleIndicator(loop, setup, SeededBits(1, "scale"), cable.send)
        cable.on_heard(scale.hear)
        link = ScaleLink(
            device=DeviceId("scale"),
            scale=ScaleId("s1"),
            stale_ms=200,
            open_stream=cable.open,
            make_codec=lambda: SicsCodec(unit="kg", agreeing=2, ask=ask),
            sink=ears,
        )
        links.append(link)
        scale.start()

        def done(what: str, much: int) -> None:
            if what == "load":
                scale.load(loop.now_us(), much)
            elif what == "drift":
                scale.drift(much)
            elif what == "silent":
                scale.be_silent(loop.now_us() + much * MS)
            else:
                link.zero()

        for ms, what, much in script:
            loop.call_at((START_US + ms * MS) / 1e6, done, what, much)
        loop.call_at((START_US + until_ms * MS) / 1e6, cable.unplug)
        with pytest.raises(LinkFailed) as failed:
            await link.session(lambda: None)
        scale.stop()
        return str(failed.value)

    return ears, loop.run(main()), links[0]


@pytest.mark.parametrize("ask", ["SIR", "SI"])
def test_a_scale_that_must_be_asked_is_asked(ask: str) -> None:
    ears, why, _ = asked_run(ask, [(500, "load", 5_000)], 2_000)
    assert why == "the cable was pulled"
    assert ears.samples[0].grams == 0
    assert {one.state for one in ears.samples} == {SampleState.OK, SampleState.NO_WEIGHT}
    assert (ears.samples[-1].grams, ears.samples[-1].state) == (5_000, SampleState.OK)


def test_a_scale_that_can_be_told_sets_its_zero() -> None:
    ears, _, _ = asked_run("SIR", [(500, "drift", 40), (1_000, "zero", 0)], 2_000)
    heard = [one.grams for one in ears.samples]
    assert heard[0] == 0
    assert 40 in heard
    assert heard[-1] == 0


def test_an_asked_scale_that_gives_no_answer_is_down() -> None:
    _, why, _ = asked_run("SIR", [(1_000, "silent", 5_000)], 8_000)
    assert why == "scale: silent for 200 ms"


def test_a_scale_that_falls_silent_is_down() -> None:
    _, why = scale_run([], 5_000, silent=(1_000, 3_000))
    assert why == "scale: silent for 200 ms"
