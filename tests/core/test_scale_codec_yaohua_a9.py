"""Yaohua A9 continuous: golden frames, four pipes, every single-bit error, fuzz.

The manuals print tables, not frames. Each frame below is put together from the table named beside it
(A26: XK3190-A26 manual, continuous communication format 0; A23: XK3190-A23p; A9: XK3190-A9+).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.codecs.yaohua_a9 import A9Codec
from edge.model.units import Grams
from edge.model.weight import WeightSample
from simulators.pipes import FOUR_WIRES
from simulators.seeds import SeededBits
from tests.core.scale_codec_kit import (
    AT,
    MOTION,
    Golden,
    one_bit_off,
    said,
    same_in_any_cut,
    through,
    two_bits_off,
    wrong_cases,
)

GOLDEN = [
    Golden("+1560", "A26 p. 10, bytes 1-12, point 0", "02 2B 303031353630 30 3139 03", 1_560_000, MOTION),
    Golden("1.253 kg", "A26 p. 10, byte 9: 3", "02 2B 303031323533 33 3144 03", 1253, MOTION),
    Golden("-0.027 kg", "A26 p. 10, byte 2: -", "02 2D 303030303237 33 3142 03", -27, MOTION),
    Golden("12.34 kg", "A26 p. 10, byte 9: 2", "02 2B 303031323334 32 3144 03", 12_340, MOTION),
    Golden("12.5 kg", "A26 p. 10, byte 9: 1", "02 2B 303030313235 31 3143 03", 12_500, MOTION),
    Golden("0.3456 kg", "A26 p. 10, byte 9: 4", "02 2B 303033343536 34 3142 03", 346, MOTION),
    Golden("nothing", "A23 p. 20, bytes 1-8; p. 21", "02 2B 303030303030 33 3138 03", 0, MOTION),
    Golden("full digits", "A23 p. 20, bytes 3-8; p. 21", "02 2B 393939393939 33 3138 03", 999_999, MOTION),
    Golden("a nibble above 9", "A9 p. 11, note 1: B as 42h", "02 2B 303030303033 33 3142 03", 3, MOTION),
    Golden("a nibble of 9", "A9 p. 11, note 1: 9 as 39h", "02 2B 303030303031 33 3139 03", 1, MOTION),
    Golden("-2.000 kg", "A23 p. 21, byte 2: -", "02 2D 303032303030 33 3143 03", -2_000, MOTION),
]
FRAMES = [bytes.fromhex(golden.frame) for golden in GOLDEN]


def codec(*, unit: str = "kg", agreeing: int = 1) -> A9Codec:
    return A9Codec(unit=unit, agreeing=agreeing)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.what)
def test_golden(golden: Golden) -> None:
    (sample,) = codec().feed(bytes.fromhex(golden.frame), AT)
    assert sample == WeightSample(at_us=AT, grams=Grams(golden.grams), state=golden.state)


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
def test_clean_pipes_lose_nothing(wire: str) -> None:
    scale = codec()
    assert said(through(wire, FRAMES, scale)) == [golden.said for golden in GOLDEN]
    assert scale.rejected == 0


def test_a_lossy_cable_loses_frames_and_invents_hardly_any() -> None:
    scale, true = codec(), {golden.said for golden in GOLDEN}
    heard = said(through("lossy", FRAMES * 400, scale))
    assert scale.rejected > 0
    assert len(heard) > 300 * len(FRAMES)
    wrong = [one for one in heard if one not in true]
    assert len(wrong) * 1_000 <= len(heard), wrong


@pytest.mark.parametrize("index", range(len(GOLDEN)), ids=[golden.what for golden in GOLDEN])
def test_no_single_bit_error_gives_another_value(index: int) -> None:
    frame, good = FRAMES[index], GOLDEN[index].said
    for broken in one_bit_off(frame):
        assert said(codec().feed(frame + broken + frame, AT)) == [good, good], broken.hex()


@pytest.mark.parametrize("lost", range(12))
def test_a_lost_or_doubled_byte_gives_no_other_value(lost: int) -> None:
    frame, good = FRAMES[1], (1253, MOTION)
    for broken in (frame[:lost] + frame[lost + 1 :], frame[:lost] + frame[lost : lost + 1] + frame[lost:]):
        heard = said(codec().feed(frame + broken + frame * 2, AT))
        assert set(heard) == {good}
        assert len(heard) >= 3


def test_the_residual_rate_of_double_bit_errors_is_what_the_codec_says() -> None:
    bits, wrong, cases = SeededBits(5, "double"), 0, 10_000
    for _ in range(cases):
        index = bits.below(len(FRAMES))
        good = {GOLDEN[index].said, (1253, MOTION)}
        heard = said(codec().feed(two_bits_off(FRAMES[index], bits) + FRAMES[1], AT))
        wrong += any(one not in good for one in heard)
    assert cases * 5 < wrong * 1_000 < cases * 35


def test_an_indicator_that_is_set_to_grams() -> None:
    assert said(codec(unit="g").feed(FRAMES[0], AT)) == [(1560, MOTION)]
    assert said(codec(unit="g").feed(FRAMES[1], AT)) == [(1, MOTION)]


def test_garbage_and_half_frames_before_a_frame() -> None:
    garbage = b"\x02\x02\r\xff\x03garbage" + FRAMES[3][:7] + b"\x02" * 30
    assert said(codec().feed(garbage + FRAMES[1], AT)) == [(1253, MOTION)]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("02 2A 303031323533 33 3143 03", "neither plus nor minus"),
        ("02 2B 202031323533 33 3144 03", "blanks are no digits"),
        ("02 2B 303031323533 35 3142 03", "five decimals"),
        ("02 2B 303031323533 33 3164 03", "a small letter in the check sum"),
    ],
)
def test_what_is_no_frame_of_the_manual(frame: str, why: str) -> None:
    scale = codec()
    assert scale.feed(bytes.fromhex(frame), AT) == (), why
    assert scale.rejected == 12


def test_nothing_grows() -> None:
    scale = codec()
    for _ in range(200):
        scale.feed(b"\x02+0" * 1_000, AT)
    assert len(scale._buffer) < 12
    assert said(scale.feed(FRAMES[1], AT)) == [(1253, MOTION)]


def test_fuzz() -> None:
    assert wrong_cases(codec, FRAMES, then=FRAMES[1] * 2, heard=(1253, MOTION), keeps=12) == []


@given(st.lists(st.binary(max_size=64), max_size=12))
def test_any_bytes_in_any_cut_mean_the_same(chunks: list[bytes]) -> None:
    assert same_in_any_cut(codec, chunks)
