"""Line scanners: golden messages, four pipes, limits, fuzz.

AIM identifiers from ISO/IEC 15424:2008, annex; no-read texts from domain.md section 7's readers.
"""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.codecs.aim import identified
from drivers.codecs.reader_events import ReaderAnswered, ReaderBeat, ReaderEvent
from drivers.codecs.scanner_lines import MAX_CODES, LineFormat, ScannerLines
from edge.model.codes import Code, Symbology
from edge.model.units import MonoUs
from simulators.pipes import FOUR_WIRES, pipe_of
from simulators.seeds import SeededBits

AT = MonoUs(5_000)
FUZZ_CASES = int(os.environ.get("BELTKEEPER_FUZZ", "20000"))
NO_READ = ("NoRead", "noread", "NOREAD", "?", "multicode")
CRLF = LineFormat(
    prefix=b"",
    terminator=b"\r\n",
    separator=";",
    aim=True,
    no_read=NO_READ,
    heartbeat="HB",
    max_bytes=256,
)
GOLDEN: list[tuple[bytes, tuple[tuple[str, Symbology], ...]]] = [
    (b"]C0JT1234567890123\r\n", (("JT1234567890123", Symbology.CODE128),)),
    (b"]C1010693123456789410A1\r\n", (("010693123456789410A1", Symbology.CODE128),)),
    (b"]C110A1\x1d37123\r\n", (("10A1\x1d37123", Symbology.CODE128),)),
    (b"]A0ABC-39\r\n", (("ABC-39", Symbology.CODE39),)),
    (b"]I177012345678901\r\n", (("77012345678901", Symbology.ITF),)),
    (b"]E06901234567892\r\n", (("6901234567892", Symbology.EAN13),)),
    (b"]E469012341\r\n", (("69012341", Symbology.EAN8),)),
    (b"]E0012345678905\r\n", (("012345678905", Symbology.UPCA),)),
    (b"]E36901234567892+12\r\n", (("6901234567892+12", Symbology.UNKNOWN),)),
    (b"]Q1https://a.cn/\xe5\x8d\x95?1\r\n", (("https://a.cn/单?1", Symbology.QR),)),
    (b"]d1SF1234567890123\r\n", (("SF1234567890123", Symbology.DATAMATRIX),)),
    (b"]e0(01)0691\r\n", (("(01)0691", Symbology.UNKNOWN),)),
    (
        b"]C0JT1234567890123;]E06901234567892\r\n",
        (("JT1234567890123", Symbology.CODE128), ("6901234567892", Symbology.EAN13)),
    ),
    *[(text.encode() + b"\r\n", ()) for text in NO_READ],
]
MESSAGES = [message for message, _ in GOLDEN]


def codes(pairs: tuple[tuple[str, Symbology], ...]) -> tuple[Code, ...]:
    return tuple(Code(text=text, symbology=symbology) for text, symbology in pairs)


def heard(events: tuple[ReaderEvent, ...]) -> list[tuple[str, ...]]:
    return [tuple(code.text for code in event.codes) for event in events if isinstance(event, ReaderAnswered)]


@pytest.mark.parametrize(("message", "pairs"), GOLDEN, ids=[repr(message) for message in MESSAGES])
def test_golden(message: bytes, pairs: tuple[tuple[str, Symbology], ...]) -> None:
    assert ScannerLines(CRLF).feed(message, AT) == (ReaderAnswered(at_us=AT, codes=codes(pairs)),)


def through(wire: str, messages: list[bytes], reader: ScannerLines) -> list[ReaderEvent]:
    pipe, events = pipe_of(wire, seed=1), list[ReaderEvent]()
    for n, message in enumerate(messages):
        for at_us, piece in pipe.push(20_000 * n, message):
            events.extend(reader.feed(piece, MonoUs(at_us)))
    return events


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
def test_clean_pipes_lose_nothing(wire: str) -> None:
    reader = ScannerLines(CRLF)
    events = through(wire, MESSAGES * 3, reader)
    assert [event.codes for event in events if isinstance(event, ReaderAnswered)] == [
        codes(pairs) for _, pairs in GOLDEN
    ] * 3
    assert reader.rejected == 0
    assert [event.at_us for event in events] == sorted(event.at_us for event in events)


def test_an_answer_is_stamped_with_the_arrival_of_its_last_byte() -> None:
    reader = ScannerLines(CRLF)
    assert reader.feed(b"]C0JT12345678", MonoUs(100)) == ()
    assert [event.at_us for event in reader.feed(b"90123\r\n", MonoUs(200))] == [200]


def test_a_lossy_cable_raises_nothing_and_is_in_step_again() -> None:
    reader = ScannerLines(CRLF)
    through("lossy", MESSAGES * 50, reader)
    assert reader.rejected > 0
    reader.feed(b"\r\n\r\n", AT)
    reader.feed(b"?\r\n", AT)
    assert heard(reader.feed(MESSAGES[0], AT)) == [("JT1234567890123",)]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"\xff\xfe]C0JT1\r\n", "no text"),
        (b"]C0JT12\x0034\r\n", "a control character"),
        (b"JT1234567890123\r\n", "no identifier"),
        (b"]C0\r\n", "an identifier and no data"),
        (b"]C0JT1;;]C0JT2\r\n", "an empty code"),
        (b"\r\n", "an empty message"),
        (b"]C0" + b"A" * 300 + b"\r\n", "too long"),
        (b";".join([b"]C0A"] * (MAX_CODES + 1)) + b"\r\n", "too many codes"),
    ],
)
def test_a_broken_message_is_dropped_with_the_next_one(broken: bytes, why: str) -> None:
    reader = ScannerLines(CRLF)
    assert reader.feed(broken, AT) == (), why
    assert reader.feed(MESSAGES[0], AT) == (), "its head may be the broken one's tail"
    assert heard(reader.feed(MESSAGES[0], AT)) == [("JT1234567890123",)]
    assert reader.rejected == 2


def test_a_message_that_never_ends_keeps_nothing() -> None:
    reader = ScannerLines(CRLF)
    for _ in range(1_000):
        assert reader.feed(b"A" * 100, AT) == ()
        assert len(reader._buffer) <= CRLF.max_bytes + 2
    assert heard(reader.feed(b"\r\n?\r\n" + MESSAGES[0], AT)) == [("JT1234567890123",)]


def test_a_terminator_split_by_an_overlong_message_is_still_one() -> None:
    reader = ScannerLines(CRLF)
    reader.feed(b"A" * 400 + b"\r", AT)
    assert heard(reader.feed(b"\n?\r\n" + MESSAGES[0], AT)) == [("JT1234567890123",)]


def test_heartbeat_is_no_answer() -> None:
    assert ScannerLines(CRLF).feed(b"HB\r\n", AT) == (ReaderBeat(at_us=AT),)
    no_beat = replace(CRLF, heartbeat="", aim=False)
    assert heard(ScannerLines(no_beat).feed(b"HB\r\n", AT)) == [("HB",)]


def test_prefix_and_bare_codes() -> None:
    fmt = replace(CRLF, prefix=b"\x02", terminator=b"\x03", separator="", aim=False)
    reader = ScannerLines(fmt)
    (event,) = reader.feed(b"\x02A;B\x03", AT)
    assert event == ReaderAnswered(at_us=AT, codes=(Code(text="A;B", symbology=Symbology.UNKNOWN),))
    assert reader.feed(b"A;B\x03", AT) == ()
    assert reader.rejected == 1


def test_silence_ends_a_message_where_there_is_no_terminator() -> None:
    reader = ScannerLines(replace(CRLF, terminator=b""))
    assert reader.silent() == ()
    assert reader.feed(b"]C0JT1234", MonoUs(1)) == ()
    assert reader.feed(b"567890123", MonoUs(2)) == ()
    (event,) = reader.silent()
    assert event == ReaderAnswered(at_us=MonoUs(2), codes=codes((("JT1234567890123", Symbology.CODE128),)))
    assert reader.silent() == ()
    reader.feed(b"A" * 1_000, MonoUs(3))
    assert reader.silent() == ()
    assert reader.rejected == 1


def test_silence_ends_what_no_terminator_ended() -> None:
    reader = ScannerLines(CRLF)
    reader.feed(b"]C0JT1234567890123", MonoUs(1))
    assert heard(reader.silent()) == [("JT1234567890123",)]
    reader.feed(b"]C0JT1234567890123\r", MonoUs(2))
    assert heard(reader.silent()) == [("JT1234567890123",)], "the rest of the terminator was lost"
    assert heard(reader.feed(b"]C0JT1234567890123\r\n", MonoUs(3))) == [("JT1234567890123",)]
    assert reader.silent() == ()


def test_a_no_read_may_be_a_control_character() -> None:
    fmt = replace(CRLF, no_read=(*NO_READ, "\x18"), prefix=b"\x02", terminator=b"\r\n\x03")
    assert ScannerLines(fmt).feed(b"\x02\x18\r\n\x03", AT) == (ReaderAnswered(at_us=AT, codes=()),)


def test_no_read_texts_are_exact() -> None:
    fmt = replace(CRLF, aim=False)
    assert heard(ScannerLines(fmt).feed(b"?\r\nNoread\r\n", AT)) == [(), ("Noread",)]


@pytest.mark.parametrize("text", ["", "]", "]C", "]C0", "C0AB"])
def test_what_is_no_identifier(text: str) -> None:
    assert identified(text) is None


def test_fuzz() -> None:
    bits = SeededBits(20_250_101, "fuzz")
    readers = [ScannerLines(CRLF), ScannerLines(replace(CRLF, terminator=b"", prefix=b"]"))]
    for case in range(FUZZ_CASES):
        data = bytearray(b"".join(bits.pick(MESSAGES) for _ in range(bits.between(1, 3))))
        for _ in range(bits.below(5)):
            place, action = bits.below(len(data)), bits.below(3)
            if action == 0:
                data[place] = bits.below(256)
            elif action == 1:
                del data[place : place + bits.below(12)]
            else:
                data[place:place] = bytes(bits.below(256) for _ in range(bits.below(8)))
            data = data or bytearray(b"\r")
        for reader in readers:
            reader.feed(bytes(data), AT)
            assert len(reader._buffer) <= CRLF.max_bytes + 2, case
            if bits.chance(300):
                reader.silent()


@given(st.lists(st.binary(max_size=40), max_size=12), st.booleans())
def test_any_bytes_in_any_cut_mean_the_same(chunks: list[bytes], aim: bool) -> None:
    fmt = replace(CRLF, aim=aim, terminator=b"\r")
    one, many = ScannerLines(fmt), ScannerLines(fmt)
    whole = one.feed(b"".join(chunks), AT)
    assert tuple(event for chunk in chunks for event in many.feed(chunk, AT)) == whole
