"""The line's end of a camera process, in virtual time: up when it sees, old answers are none."""

import pytest

from drivers.codecs.camera_messages import CameraMessages
from drivers.codecs.camera_requests import CameraRequests, KeepPicture, ParcelsPassing, encode_request
from drivers.links.camera import REQUESTS, CameraLink
from edge.model.codes import Code, Symbology
from edge.model.ids import BootEpoch, DeviceId, PlcNumber, ReaderId, TrackId
from edge.model.units import MonoUs
from edge.ports.byte_stream import LinkFailed
from simulators.devices.camera_answers import beat_message, read_message
from simulators.loop import START_US, VirtualLoop
from simulators.pipes import Cable
from simulators.seeds import SeededBits

MS = 1_000
JT1 = (Code(text="JT1", symbology=Symbology.CODE128),)


class Heard:
    """A ``CodeSink``: (ms since the run began, code texts)."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, list[str]]] = []

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        assert reader == "side"
        self.answers.append(((at_us - START_US) // MS, [code.text for code in codes]))


class Session:
    def __init__(self) -> None:
        self.frames = (0, 0)
        """Came, missed."""
        self.heard = Heard()
        self.up_ms: list[int] = []
        self.failure = ""
        self.ended_ms = 0


def read(grabbed_ms: int) -> bytes:
    return read_message(START_US + grabbed_ms * MS, JT1)


def run(script: list[tuple[int, bytes]], until_ms: int, *, sessions: int = 1) -> Session:
    """Play ``script`` (ms, bytes) to a link whose answers are due 100 ms after the stamp and that must be
    heard every 500 ms; the cable is pulled at ``until_ms``. ``sessions``: so often it is opened."""
    loop, session = VirtualLoop(), Session()

    def now_ms() -> int:
        return (loop.now_us() - START_US) // MS

    async def main() -> Session:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        link = CameraLink(
            device=DeviceId("side"),
            reader=ReaderId("side"),
            answer_ms=100,
            silent_ms=500,
            open_stream=cable.open,
            make_codec=CameraMessages,
            sink=session.heard,
        )
        for ms, data in script:
            loop.call_at((START_US + ms * MS) / 1_000_000, cable.send, data)
        loop.call_at((START_US + until_ms * MS) / 1_000_000, cable.unplug)
        for _ in range(sessions):
            try:
                await link.session(lambda: session.up_ms.append(now_ms()))
            except LinkFailed as failed:
                session.failure = str(failed)
            session.ended_ms = now_ms()
        session.frames = link.frames, link.missed
        return session

    return loop.run(main())


def test_an_answer_is_as_old_as_its_stamp_however_late_it_comes() -> None:
    beats = [(ms, beat_message()) for ms in range(150, 900, 200)]
    session = run([*beats, (300, read(250)), (600, read(400))], 800)
    assert session.up_ms == [150]
    assert session.heard.answers == [(350, ["JT1"]), (500, ["JT1"])]
    assert session.failure == "the cable was pulled"


def test_nothing_counts_before_it_has_said_that_it_sees() -> None:
    session = run([(150, read(140)), (200, beat_message()), (250, read(240))], 400)
    assert session.heard.answers == [(340, ["JT1"])]


def test_the_backlog_of_the_opening_is_no_news() -> None:
    session = run([(10, beat_message() + read(5)), (200, beat_message())], 400)
    assert session.up_ms == [200]
    assert session.heard.answers == []


def test_old_answers_and_answers_from_the_future_are_none() -> None:
    beats = [(ms, beat_message()) for ms in range(150, 3_000, 200)]
    session = run([*beats, (2_500, read(499)), (2_600, read(600)), (2_700, read(2_701))], 2_900)
    assert session.heard.answers == [(700, ["JT1"])]


def test_silence_is_a_dead_camera() -> None:
    session = run([(200, beat_message()), (300, read(290))], 5_000)
    assert session.failure == "side: silent for 500 ms"
    assert session.ended_ms == 800


def test_garbage_is_no_sign_of_life() -> None:
    session = run([(ms, b"?\n") for ms in range(150, 2_000, 100)], 5_000)
    assert session.failure == "side: silent for 500 ms"
    assert session.up_ms == []


def test_a_camera_that_goes_blind_is_down_with_its_reason() -> None:
    session = run([(200, beat_message()), (400, beat_message("out_of_focus"))], 5_000)
    assert session.failure == "side: its pictures are out of focus"
    assert session.ended_ms == 400


def test_one_that_ends_itself_is_down_with_its_cause() -> None:
    last = b'{"v":2,"kind":"ends","why":"no frame for 1000 ms"}\n'
    session = run([(200, beat_message()), (400, last)], 5_000)
    assert session.failure == "side: no frame for 1000 ms"
    assert session.ended_ms == 400


def test_frames_are_counted_over_all_its_processes() -> None:
    """The second process begins at nothing; the third session finds that same one again."""
    said = [(150, (5, 0)), (300, (9, 1)), (1_150, (2, 2)), (1_300, (4, 2)), (2_150, (6, 3))]
    script = [(ms, beat_message("good", *counts)) for ms, counts in said]
    assert run(script, 5_000, sessions=3).frames == (9 + 6, 1 + 3)


def test_one_that_comes_up_blind_is_waited_for() -> None:
    blind = [(ms, beat_message("black")) for ms in range(150, 2_000, 200)]
    session = run([*blind, (1_500, read(1_490)), (2_000, beat_message()), (2_100, read(2_090))], 2_300)
    assert session.up_ms == [2_000]
    assert session.heard.answers == [(2_190, ["JT1"])]


def test_a_belt_that_shows_nothing_yet_is_good_enough() -> None:
    session = run([(ms, beat_message("plain")) for ms in range(150, 1_000, 200)], 1_000)
    assert session.up_ms == [150]


def test_what_was_out_of_focus_is_up_again_when_it_has_shown_a_sharp_picture() -> None:
    """A process that was started anew for it has seen only the empty belt so far."""
    anew = [(ms, beat_message("plain")) for ms in range(550, 2_000, 200)]
    sharp = [(ms, beat_message()) for ms in range(2_000, 2_300, 200)]
    script = [(200, beat_message()), (400, beat_message("out_of_focus")), *anew, (1_900, read(1_890)), *sharp]
    session = run([*script, (2_300, read(2_290)), (2_350, beat_message("plain"))], 2_400, sessions=2)
    assert session.up_ms == [200, 2_000]
    assert session.heard.answers == [(2_390, ["JT1"])]
    assert session.failure == "the cable was pulled"


def keep(n: int) -> KeepPicture:
    return KeepPicture(
        track=TrackId(n),
        epoch=BootEpoch(1),
        number=PlcNumber(n),
        from_us=MonoUs(n),
        to_us=MonoUs(n + 1),
    )


def test_pictures_are_asked_for_at_once_and_never_of_one_that_was_away() -> None:
    loop, asked = VirtualLoop(), list[bytes]()
    wanted = [keep(n) for n in range(1, 40)]

    async def main() -> None:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        cable.on_heard(asked.append)
        link = CameraLink(
            device=DeviceId("side"),
            reader=ReaderId("side"),
            answer_ms=100,
            silent_ms=500,
            open_stream=cable.open,
            make_codec=CameraMessages,
            sink=Heard(),
        )
        link.keep(wanted[0])
        for ms in (200, 400):
            loop.call_at((START_US + ms * MS) / 1_000_000, cable.send, beat_message())
        for one in wanted[1:]:
            loop.call_at((START_US + 300 * MS) / 1_000_000, link.keep, one)
        loop.call_at((START_US + 600 * MS) / 1_000_000, cable.unplug)
        with pytest.raises(LinkFailed):
            await link.session(lambda: None)

    loop.run(main())
    assert asked == [encode_request(one) for one in wanted[-REQUESTS:]], "the latest of too many"


def test_a_triggered_camera_is_told_at_once_and_anew_when_it_comes_back() -> None:
    loop, asked = VirtualLoop(), list[tuple[int, bytes]]()

    async def main() -> None:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        cable.on_heard(lambda data: asked.append(((loop.now_us() - START_US) // MS, data)))
        link = CameraLink(
            device=DeviceId("side"),
            reader=ReaderId("side"),
            answer_ms=100,
            silent_ms=500,
            open_stream=cable.open,
            make_codec=CameraMessages,
            sink=Heard(),
        )
        link.passing((TrackId(7),))
        for ms, tracks in ((250, (TrackId(7), TrackId(8))), (300, ())):
            loop.call_at((START_US + ms * MS) / 1_000_000, link.passing, tracks)
            for n in range(1, 2 * REQUESTS):
                loop.call_at((START_US + ms * MS) / 1_000_000, link.keep, keep(n))
        for _ in range(2):
            with pytest.raises(LinkFailed):
                await link.session(lambda: None)

    loop.run(main())
    told = [((TrackId(7),), 100), ((TrackId(7), TrackId(8)), 250), ((), 300), ((), 700)]
    at = [(ms, one) for ms, data in asked for one in CameraRequests().feed(data)]
    assert [(one.tracks, ms) for ms, one in at if isinstance(one, ParcelsPassing)] == told
