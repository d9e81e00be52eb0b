"""MT-SICS: golden answers, four pipes, every single-bit error, fuzz.

R: MT-SICS reference manual 11781363; A: operating instructions of the AT balances; J: of the JS balances.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.codecs.mt_sics import SicsCodec, command
from edge.model.units import Grams
from edge.model.weight import WeightSample
from simulators.pipes import FOUR_WIRES
from simulators.seeds import SeededBits
from tests.core.scale_codec_kit import (
    AT,
    MOTION,
    NO_WEIGHT,
    OK,
    OVER,
    UNDER,
    Golden,
    one_bit_off,
    said,
    same_in_any_cut,
    through,
    two_bits_off,
    wrong_cases,
)

GOLDEN = [
    Golden("stable", "A p. 87, S S; R p. 8", "S S      1.253 kg", 1253, OK),
    Golden("in motion", "R p. 8, status D; J p. 30, SI", "S D      1.251 kg", 1251, MOTION),
    Golden("negative", "R p. 8, the sign stands before the digits", "S S     -0.027 kg", -27, OK),
    Golden("ten characters wide", "R p. 8, weight value", "S S  12345.678 kg", 12_345_678, OK),
    Golden("without decimals", "R p. 8, weight value", "S S         12 kg", 12_000, OK),
    Golden("half a gram rounds up", "R p. 8, weight value", "S D     0.3455 kg", 346, MOTION),
    Golden("not now", "A p. 87, S I", "S I", 0, NO_WEIGHT),
    Golden("over", "A p. 87, S +", "S +", 0, OVER),
    Golden("under", "A p. 87, S -", "S -", 0, UNDER),
    Golden("wrong parameter", "R p. 10, command-specific errors", "S L", 0, NO_WEIGHT),
    Golden("grams of a scale of kg", "R p. 8, unit; A p. 87", "S S     100.00 g", 0, NO_WEIGHT),
    Golden("pounds", "R p. 8, unit as actually set", "S S      2.500 lb", 0, NO_WEIGHT),
]
LINES = [golden.frame.encode() + b"\r\n" for golden in GOLDEN]


def codec(*, unit: str = "kg", agreeing: int = 1, ask: str = "SIR") -> SicsCodec:
    return SicsCodec(unit=unit, agreeing=agreeing, ask=ask)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.what)
def test_golden(golden: Golden) -> None:
    (sample,) = codec().feed(golden.frame.encode() + b"\r\n", AT)
    assert sample == WeightSample(at_us=AT, grams=Grams(golden.grams), state=golden.state)


def test_what_is_sent() -> None:
    """J p. 30: a command and CR LF; SIR repeats by itself, the others are asked anew."""
    assert [command(name) for name in ("S", "SI", "SIR", "Z", "T")] == [
        b"S\r\n",
        b"SI\r\n",
        b"SIR\r\n",
        b"Z\r\n",
        b"T\r\n",
    ]
    assert (codec().greeting, codec().request, codec().zero) == (b"SIR\r\n", b"", b"Z\r\n")
    assert (codec(ask="SI").greeting, codec(ask="SI").request) == (b"SI\r\n", b"SI\r\n")


@pytest.mark.parametrize("answer", ["Z A", "Z I", "Z +", "Z -", "T S    100.00 g", "T I", "T +", "ES", "EL"])
def test_an_answer_to_something_else_is_no_weight_and_no_garbage(answer: str) -> None:
    scale = codec(agreeing=2)
    heard = said(scale.feed(LINES[0] + answer.encode() + b"\r\n" + LINES[0], AT))
    assert heard == [(0, NO_WEIGHT), (1253, OK)]
    assert (scale.rejected, scale.answers) == (0, 3)


def test_a_scale_of_grams() -> None:
    heard = [said(codec(unit="g").feed(line, AT))[0] for line in LINES]
    assert [one for one in heard if one[1] is OK] == [(100, OK)]


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
def test_clean_pipes_lose_nothing(wire: str) -> None:
    scale = codec()
    assert said(through(wire, LINES, scale)) == [golden.said for golden in GOLDEN]
    assert scale.rejected == 0


def test_over_a_lossy_cable_two_equal_answers_are_never_wrong() -> None:
    scale, true = codec(agreeing=2), {golden.said for golden in GOLDEN}
    heard = said(through("lossy", [line for line in LINES * 200 for _ in range(4)], scale))
    assert scale.rejected > 0
    assert len(heard) > 600 * len(LINES)
    assert set(heard) <= true


@pytest.mark.parametrize("index", range(len(GOLDEN)), ids=[golden.what for golden in GOLDEN])
def test_no_single_bit_error_gives_another_value(index: int) -> None:
    line, good = LINES[index], GOLDEN[index].said
    for broken in one_bit_off(line):
        heard = said(codec(agreeing=2).feed(line * 2 + broken + line * 3, AT))
        assert set(heard) <= {good, (0, NO_WEIGHT)}, broken
        assert heard.count(good) >= 2


@pytest.mark.parametrize("lost", range(len(LINES[0])))
def test_a_lost_or_doubled_byte_gives_no_other_value(lost: int) -> None:
    """Also of answers that need not agree: the value has its width."""
    line, good = LINES[0], (1253, OK)
    for broken in (line[:lost] + line[lost + 1 :], line[:lost] + line[lost : lost + 1] + line[lost:]):
        assert set(said(codec().feed(line + broken + line * 2, AT))) <= {good, (0, NO_WEIGHT)}


def test_the_residual_rate_is_what_the_protocol_has() -> None:
    """One answer alone: every twelfth single-bit error is another number. Two that must agree: only
    the same error twice, at the same bit."""
    line, other = LINES[0], {(1253, OK), (1253, MOTION), (0, NO_WEIGHT)}
    alone = sum(not set(said(codec().feed(broken, AT))) <= other for broken in one_bit_off(line))
    assert 70 < alone * 1_000 // (8 * len(line)) < 100
    bits, wrong = SeededBits(5, "double"), 0
    for _ in range(4_000):
        twice = two_bits_off(line, bits) + two_bits_off(line, bits)
        heard = said(codec(agreeing=2).feed(line + twice + line * 2, AT))
        wrong += any(state in (OK, MOTION) and grams != 1253 for grams, state in heard)
    assert wrong == 0


def test_a_line_without_end_is_given_up() -> None:
    scale = codec()
    for _ in range(200):
        scale.feed(b"S S      1.253 kg " * 30, AT)
        assert len(scale._buffer) < 64
    assert said(scale.feed(b"\r\n" + LINES[0], AT)) == [(1253, OK)]


def test_fuzz() -> None:
    then = b"\r\n" + LINES[0] * 3
    assert wrong_cases(lambda: codec(agreeing=2), LINES, then=then, heard=(1253, OK), keeps=64) == []


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_whole_lines_in_any_cut_mean_the_same(chunks: list[bytes]) -> None:
    data = b"".join(chunks)[:60] + b"\r\n" + LINES[0]
    assert same_in_any_cut(codec, [data[n : n + 7] for n in range(0, len(data), 7)])
