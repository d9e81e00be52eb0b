"""Scanners that type: golden key events, the four pipes, Alt and keypad, lost events, fuzz.

Event layout, key codes and what a report looks like: the Linux kernel's Documentation/input/event-codes.rst
and include/uapi/linux/input-event-codes.h (5.10); the golden bytes of the first row were written out by hand.
"""

import os
from dataclasses import replace

import pytest

from drivers.codecs.hid_keyboard import EVENT, HidKeyboard
from drivers.codecs.hid_keys import by_number
from drivers.codecs.reader_events import ReaderAnswered, ReaderEvent
from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from edge.model.codes import Code, Symbology
from edge.model.units import MonoUs
from simulators.devices.keyboard import EV_KEY, EV_SYN, event, key, struck, typed_events
from simulators.pipes import FOUR_WIRES, pipe_of
from simulators.seeds import SeededBits

AT = MonoUs(5_000)
FUZZ_CASES = int(os.environ.get("BELTKEEPER_FUZZ", "20000"))
BARE = LineFormat(
    prefix=b"",
    terminator=b"\r",
    separator="",
    aim=False,
    no_read=("NoRead",),
    heartbeat="",
    max_bytes=64,
)
AIM = replace(BARE, aim=True)
JT = "JT1234567890123"
EVERY_CHARACTER = "".join(map(chr, range(32, 127)))

A_DOWN_BY_HAND = bytes.fromhex(
    "0000000000000000 0000000000000000 0400 0400 1E000700"
    "0000000000000000 0000000000000000 0100 1E00 01000000"
    "0000000000000000 0000000000000000 0000 0000 00000000"
)
"""EV_MSC MSC_SCAN 0x7001E; EV_KEY KEY_A 1; EV_SYN SYN_REPORT 0."""
SHIFT, CTRL, ALT, RIGHT_SHIFT, CAPS = 42, 29, 56, 54, 58
KEY_A, KEY_1, ENTER, KP_ENTER, KP_5, F1 = 30, 2, 28, 96, 76, 59

GOLDEN: list[tuple[str, bytes, str]] = [
    ("a letter, byte for byte", A_DOWN_BY_HAND + key(KEY_A, down=False) + struck([ENTER]), "a"),
    ("Shift", struck([KEY_A, KEY_1], SHIFT) + struck([ENTER]), "A!"),
    ("the other Shift", struck([KEY_A], RIGHT_SHIFT) + struck([ENTER]), "A"),
    ("CapsLock, letters only", struck([CAPS, KEY_A, KEY_1, CAPS, KEY_A, ENTER]), "A1a"),
    ("CapsLock and Shift", struck([CAPS]) + struck([KEY_A, KEY_1], SHIFT) + struck([CAPS, ENTER]), "a!"),
    ("the keypad and its Enter", struck([KP_5, 55, 74, 78, 83, 98, KP_ENTER]), "5*-+./"),
    ("a key that is held", key(KEY_A, down=True) + event(EV_KEY, KEY_A, 2) * 5 + struck([ENTER]), "a"),
    ("all of ASCII", typed_events(EVERY_CHARACTER[:48] + "\r"), EVERY_CHARACTER[:48]),
    ("the rest of it", typed_events(EVERY_CHARACTER[48:] + "\r"), EVERY_CHARACTER[48:]),
    ("FNC1 as Ctrl ]", typed_events("10A1\x1d37\r"), "10A1\x1d37"),
    ("Alt and numbers", typed_events("JT-9 é\r", by_number=True), "JT-9 é"),
    ("Alt without a leading zero", struck([79, 80, 77], ALT) + struck([ENTER]), "~"),
    ("Alt and code page 437", struck([79, 77, 79], ALT) + struck([ENTER]), "í"),
    ("a LED and other kinds of event", event(0x11, 1, 1) + struck([KEY_A, ENTER]), "a"),
]


def heard(events: tuple[ReaderEvent, ...]) -> list[str]:
    return [code.text for one in events if isinstance(one, ReaderAnswered) for code in one.codes]


@pytest.mark.parametrize(("why", "data", "text"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_golden(why: str, data: bytes, text: str) -> None:
    assert heard(HidKeyboard(ScannerLines(BARE)).feed(data, AT)) == [text]


def test_an_event_is_as_long_as_the_kernel_s() -> None:
    assert (EVENT.size, len(A_DOWN_BY_HAND)) == (24, 72)
    assert key(KEY_A, down=True) == A_DOWN_BY_HAND


@pytest.mark.parametrize("by_number", [False, True])
def test_what_was_typed_is_read_as_any_line_scanner_s(by_number: bool) -> None:
    keyboard = HidKeyboard(ScannerLines(AIM))
    (event_,) = keyboard.feed(typed_events(f"]C0{JT}\r", by_number=by_number), AT)
    assert event_ == ReaderAnswered(at_us=AT, codes=(Code(text=JT, symbology=Symbology.CODE128),))
    assert keyboard.feed(typed_events("NoRead\r", by_number=by_number), AT) == (
        ReaderAnswered(at_us=AT, codes=()),
    )


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
def test_clean_pipes_lose_nothing(wire: str) -> None:
    pipe, keyboard, texts = pipe_of(wire, seed=1), HidKeyboard(ScannerLines(AIM)), list[str]()
    for n in range(20):
        data = typed_events(f"]C0JT{n:013d}\r", by_number=bool(n % 2))
        for at_us, piece in pipe.push(10_000_000 * n, data):
            texts += heard(keyboard.feed(piece, MonoUs(at_us)))
    assert texts == [f"JT{n:013d}" for n in range(20)]
    assert keyboard.rejected == 0


def test_a_lossy_pipe_raises_nothing_and_is_in_step_again() -> None:
    pipe, keyboard = pipe_of("lossy", seed=1), HidKeyboard(ScannerLines(AIM))
    for n in range(60):
        for at_us, piece in pipe.push(10_000_000 * n, typed_events(f"]C0{JT}\r")):
            keyboard.feed(piece, MonoUs(at_us))
    assert keyboard.rejected > 0
    keyboard.feed(bytes(EVENT.size), AT)
    for held in (SHIFT, CTRL, ALT):
        keyboard.feed(key(held, down=False), AT)
    keyboard.feed(typed_events("\r?\r?\r"), AT)
    texts = [heard(keyboard.feed(typed_events(f"]C0{JT}\r"), AT)) for _ in range(3)]
    assert texts[-1] == [JT]


def test_silence_ends_what_no_enter_ended() -> None:
    keyboard = HidKeyboard(ScannerLines(AIM))
    assert keyboard.feed(typed_events(f"]C0{JT}"), MonoUs(7)) == ()
    assert keyboard.silent() == (
        ReaderAnswered(at_us=MonoUs(7), codes=(Code(text=JT, symbology=Symbology.CODE128),)),
    )
    assert keyboard.silent() == ()


DROPPED = event(EV_SYN, 3, 0)
BROKEN: list[tuple[str, bytes]] = [
    ("a key that types nothing", typed_events("A") + struck([F1]) + typed_events("B\r")),
    ("Alt and no number", typed_events("A") + struck([KEY_A], ALT) + typed_events("\r")),
    ("Alt alone", typed_events("A") + struck([], ALT) + typed_events("\r")),
    ("Alt and too large a number", typed_events("A") + struck([73, 73, 73], ALT) + typed_events("\r")),
    ("Ctrl and a digit", struck([KEY_1], CTRL) + typed_events("\r")),
    ("events were lost", typed_events("JT12") + DROPPED + typed_events("34\r")),
]


@pytest.mark.parametrize(("why", "data"), BROKEN, ids=[row[0] for row in BROKEN])
def test_an_illegible_message_is_dropped_with_the_next_one(why: str, data: bytes) -> None:
    keyboard = HidKeyboard(ScannerLines(BARE))
    assert keyboard.feed(data, AT) == ()
    assert keyboard.feed(typed_events("NEXT\r"), AT) == ()
    assert heard(keyboard.feed(typed_events("AGAIN\r"), AT)) == ["AGAIN"]


def test_after_lost_events_nothing_counts_before_the_report_ends_and_no_key_is_held() -> None:
    keyboard = HidKeyboard(ScannerLines(BARE))
    keyboard.feed(key(SHIFT, down=True) + DROPPED + event(EV_KEY, KEY_A, 1), AT)
    keyboard.feed(event(EV_SYN, 0, 0) + typed_events("\rx\r"), AT)
    assert heard(keyboard.feed(typed_events("a\r"), AT)) == ["a"]


@pytest.mark.parametrize(
    ("digits", "text"),
    [("065", "A"), ("65", "A"), ("0233", "é"), ("233", "Θ"), ("0129", "�"), ("0", None), ("", None)],
)
def test_characters_by_number(digits: str, text: str | None) -> None:
    assert by_number(digits) == text


@pytest.mark.parametrize("digits", ["256", "0999", "00065"])
def test_numbers_that_are_no_characters(digits: str) -> None:
    assert by_number(digits) is None


def test_fuzz() -> None:
    """Whole events lost, doubled, swapped and changed; bytes too. It raises nothing and keeps little."""
    bits = SeededBits(20_250_102, "fuzz/hid")
    keyboards = [HidKeyboard(ScannerLines(BARE)), HidKeyboard(ScannerLines(replace(AIM, terminator=b"")))]
    messages = [typed_events(text, by_number=by) for text in (f"]C0{JT}\r", "?\r") for by in (False, True)]
    for case in range(FUZZ_CASES):
        data = bytearray(bits.pick(messages)[: 24 * bits.between(1, 40)])
        for _ in range(bits.below(4)):
            place, action = bits.below(len(data)), bits.below(3)
            if action == 0:
                data[place] = bits.below(256)
            elif action == 1:
                del data[place - place % 24 : place - place % 24 + 24 * bits.below(3)]
            else:
                data[place:place] = event(bits.below(4), bits.below(128), bits.below(3))
            data = data or bytearray(24)
        for keyboard in keyboards:
            keyboard.feed(bytes(data), AT)
            assert len(keyboard._buffer) < EVENT.size, case
            assert len(keyboard._held) <= 128, case
            if bits.chance(300):
                keyboard.silent()
