"""Scanner link in virtual time: backlog, bursts, silence, a cable that breaks."""

from dataclasses import replace

import pytest

from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.links.scanner import ScannerLink
from drivers.streams.tcp import open_tcp
from edge.model.codes import Code
from edge.model.ids import DeviceId, ReaderId
from edge.model.units import MonoUs
from edge.ports.byte_stream import LinkFailed, OpenStream
from simulators.loop import START_US, VirtualLoop
from simulators.pipes import Cable
from simulators.seeds import SeededBits

FORMAT = LineFormat(
    prefix=b"",
    terminator=b"\r\n",
    separator=";",
    aim=False,
    no_read=("NoRead",),
    heartbeat="HB",
    max_bytes=128,
)
MS = 1_000


class Heard:
    """A ``CodeSink``: (ms since the run began, code texts)."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, list[str]]] = []

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        assert reader == "r1"
        self.answers.append(((at_us - START_US) // MS, [code.text for code in codes]))


class Session:
    """A link on a cable, with what it said and when it came up and failed."""

    def __init__(self, loop: VirtualLoop, open_stream: OpenStream, **options: int) -> None:
        self.loop = loop
        self.heard = Heard()
        self.up_ms: int | None = None
        self.failure = ""
        silence_ms = options.get("silence_ms", 0)
        self.link = ScannerLink(
            device=DeviceId("scanner-1"),
            reader=ReaderId("r1"),
            silence_ms=silence_ms,
            stale_ms=options.get("stale_ms", 0),
            open_stream=open_stream,
            make_codec=lambda: ScannerLines(
                replace(FORMAT, terminator=b"\r\n" if options.get("terminated", not silence_ms) else b"")
            ),
            sink=self.heard,
        )
        self.task = loop.create_task(self._run())

    def _went_up(self) -> None:
        self.up_ms = (self.loop.now_us() - START_US) // MS

    async def _run(self) -> None:
        try:
            await self.link.session(self._went_up)
        except LinkFailed as failed:
            self.failure = str(failed)


def at(loop: VirtualLoop, ms: int, data: bytes, cable: Cable) -> None:
    loop.call_at((START_US + ms * MS) / 1_000_000, lambda: loop.create_task(cable.device.write(data)))


def run(script: list[tuple[int, bytes]], until_ms: int, *, cut_ms: int = 0, **options: int) -> Session:
    """Play ``script`` (ms, bytes) to a link; the cable is pulled at ``cut_ms``."""
    loop = VirtualLoop()

    async def main() -> Session:
        cable = Cable(loop, SeededBits(1, "cable"), failed=LinkFailed)
        session = Session(loop, cable.open, **options)
        for ms, data in script:
            at(loop, ms, data, cable)
        loop.call_at((START_US + (cut_ms or until_ms) * MS) / 1_000_000, cable.unplug)
        await session.task
        return session

    return loop.run(main())


def test_answers_come_out_with_their_moments() -> None:
    session = run([(200, b"JT1\r\n"), (300, b"JT2;6901\r\n"), (400, b"NoRead\r\n")], 500)
    assert session.heard.answers == [(200, ["JT1"]), (300, ["JT2", "6901"]), (400, [])]
    assert session.up_ms == 100
    assert session.failure == "the cable was pulled"


def test_the_backlog_of_the_opening_is_no_news() -> None:
    session = run([(10, b"OLD1\r\nOLD2\r\n"), (90, b"OLD3\r\nHAL"), (110, b"F\r\n"), (200, b"JT1\r\n")], 300)
    # A message that began in the backlog ends outside of it: whole, never its tail.
    assert session.heard.answers == [(110, ["HALF"]), (200, ["JT1"])]


def test_a_burst_of_more_answers_than_a_label_has_codes_is_dropped() -> None:
    burst = b"".join(b"OLD%d\r\n" % n for n in range(9))
    session = run([(200, burst), (300, b"JT1\r\n")], 400)
    assert session.heard.answers == [(300, ["JT1"])]


def test_a_reader_with_a_heartbeat_may_not_be_silent() -> None:
    beats = [(ms, b"HB\r\n") for ms in range(200, 1_000, 100)]
    session = run(beats, 2_000, stale_ms=250)
    assert session.failure == "scanner-1: silent for 250 ms"
    assert session.loop.now_us() - START_US == 1_150 * MS
    assert session.heard.answers == []


def test_a_heartbeat_that_only_silence_ends_is_one() -> None:
    beats = [(ms, b"HB") for ms in range(200, 1_000, 100)]
    session = run(beats, 2_000, stale_ms=250, silence_ms=30)
    assert session.failure == "scanner-1: silent for 250 ms"
    assert session.loop.now_us() - START_US == 1_150 * MS


def test_garbage_is_no_sign_of_life() -> None:
    session = run([(ms, b"\xff\r\n") for ms in range(200, 1_000, 50)], 2_000, stale_ms=250)
    assert session.failure == "scanner-1: silent for 250 ms"
    assert session.loop.now_us() - START_US == 350 * MS


def test_a_missing_terminator_is_made_up_for_by_silence() -> None:
    script = [(90, b"OLD"), (200, b"JT1\r\n"), (210, b"JT2"), (300, b"JT3\r\n")]
    session = run(script, 400, silence_ms=30, terminated=1)
    assert session.heard.answers == [(200, ["JT1"]), (210, ["JT2"]), (300, ["JT3"])]


def test_a_reader_without_a_terminator() -> None:
    script = [(90, b"OL"), (110, b"D"), (200, b"JT"), (210, b"1"), (300, b"NoRead")]
    session = run(script, 400, silence_ms=30)
    assert session.heard.answers == [(210, ["JT1"]), (300, [])]


@pytest.mark.parametrize("held_ms", [0, 500])
def test_over_tcp_a_dead_end_is_a_failure_with_its_reason(held_ms: int) -> None:
    loop = VirtualLoop()

    async def main() -> None:
        with pytest.raises(LinkFailed, match=r"^tcp 10\.0\.0\.9:2112: .*refused"):
            await open_tcp("10.0.0.9", 2112)
        loop.network.route("10.0.0.9", 2112).held = True
        with pytest.raises(LinkFailed, match=f"no answer within {held_ms + 1} ms"):
            await open_tcp("10.0.0.9", 2112, connect_ms=held_ms + 1)

    loop.run(main())
