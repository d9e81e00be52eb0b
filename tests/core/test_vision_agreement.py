"""When a read counts: the rule of each symbology and engine as a table, and what two frames add."""

import re

import numpy as np
import pytest

from drivers.vision.agreement import CodeRule, Evidence, ReadRules, contradicts, goods_numbers, why_it_counts
from drivers.vision.frames import FrameAgreement
from drivers.vision.ladder import CodeSeen, PictureRead, Rung
from drivers.vision.look import Look
from drivers.vision.sightings import Engine, Place, Sighting, article_number, upright_place
from drivers.vision.upright import Cut
from edge.model.codes import ReadProof, Symbology
from edge.model.units import MonoUs

X, Z = Engine.ZXING, Engine.ZBAR
ALL = frozenset(Symbology) - {Symbology.UNKNOWN}
LINE = ReadRules(wanted=ALL)
FILES = ReadRules(wanted=ALL, strict=False)
ITF14 = CodeRule(lengths=frozenset({14}), check_digit=True)
PATTERN39 = CodeRule(lengths=frozenset({6}), pattern=re.compile(r"[A-Z]{3}\d{3}"))
KNOWN = ReadRules(wanted=ALL, by_symbology={Symbology.ITF: ITF14, Symbology.CODE39: PATTERN39})
GOODS = ReadRules(wanted=ALL, goods=goods_numbers(["6901234567892", " 69012341", "012345678905"]))

TABLE: list[tuple[ReadRules, Symbology, str, set[Engine], int, bool]] = [
    (LINE, Symbology.CODE128, "JT1", {X}, 1, True),
    (LINE, Symbology.CODE128, "JT1", {Z}, 1, False),
    (LINE, Symbology.CODE128, "JT1", {X, Z}, 1, True),
    (LINE, Symbology.CODE128, "JT1", {Z}, 2, True),
    (LINE, Symbology.QR, "上海", {X}, 1, True),
    (LINE, Symbology.QR, "plain", {Z}, 1, True),
    (LINE, Symbology.QR, "上海", {Z}, 1, False),
    (LINE, Symbology.DATAMATRIX, "A", {X}, 1, True),
    (LINE, Symbology.EAN13, "6901234567892", {X}, 1, False),
    (LINE, Symbology.EAN13, "6901234567892", {X, Z}, 1, True),
    (LINE, Symbology.EAN13, "6901234567892", {X}, 2, True),
    (GOODS, Symbology.EAN13, "6901234567892", {X}, 1, True),
    (GOODS, Symbology.EAN13, "6901234567893", {X}, 1, False),
    (GOODS, Symbology.EAN8, "69012341", {Z}, 1, True),
    (GOODS, Symbology.UPCA, "012345678905", {Z}, 1, True),
    (GOODS, Symbology.EAN13, "0012345678905", {Z}, 1, True),
    (LINE, Symbology.ITF, "00012345678905", {X, Z}, 2, False),
    (LINE, Symbology.CODE39, "ABC123", {X, Z}, 2, False),
    (FILES, Symbology.ITF, "00012345678905", {X}, 1, False),
    (FILES, Symbology.ITF, "00012345678905", {X, Z}, 1, True),
    (FILES, Symbology.CODE39, "ABC123", {X}, 1, False),
    (FILES, Symbology.CODE39, "ABC123", {X, Z}, 1, True),
    (KNOWN, Symbology.ITF, "00012345678905", {X}, 1, True),
    (KNOWN, Symbology.ITF, "00012345678905", {Z}, 1, False),
    (KNOWN, Symbology.ITF, "00012345678905", {Z}, 2, True),
    (KNOWN, Symbology.CODE39, "ABC123", {X}, 1, True),
]


@pytest.mark.parametrize(("rules", "symbology", "text", "engines", "frames", "counts"), TABLE)
def test_rule(
    rules: ReadRules, symbology: Symbology, text: str, engines: set[Engine], frames: int, counts: bool
) -> None:
    evidence = Evidence(symbology=symbology, text=text, engines=frozenset(engines), frames=frames)
    assert bool(why_it_counts(evidence, rules)) is counts


@pytest.mark.parametrize(
    ("rules", "symbology", "text", "engines", "counts"),
    [
        (LINE, Symbology.CODE128, "JT1", {X}, False),
        (LINE, Symbology.CODE128, "JT1", {X, Z}, True),
        (LINE, Symbology.QR, "JT1", {X}, True),
        (GOODS, Symbology.EAN13, "6901234567892", {X}, True),
        (FILES, Symbology.ITF, "00012345678905", {X, Z}, False),
        (FILES, Symbology.CODE39, "ABC123", {X, Z}, False),
        (KNOWN, Symbology.ITF, "00012345678905", {X}, False),
    ],
)
def test_what_was_read_in_passing_needs_more_than_its_engine(
    rules: ReadRules, symbology: Symbology, text: str, engines: set[Engine], counts: bool
) -> None:
    evidence = Evidence(symbology=symbology, text=text, engines=frozenset(engines), clear=False)
    assert bool(why_it_counts(evidence, rules)) is counts


CUT = Cut(pixels=np.zeros((60, 120), np.uint8), back=np.array([[1.0, 0, 0], [0, 1.0, 0]]))


BLANK = np.full((60, 120), 255, np.uint8)


def seen(text: str, engine: Engine, place: Place | None = None, rung: Rung = Rung.UPRIGHT) -> Look:
    look = Look(FILES, BLANK)
    look.add(rung, (sighting(Symbology.CODE128, text, engine, place),), CUT)
    return look


def test_a_read_in_passing_is_unclear_until_its_own_cut_says_the_same() -> None:
    look = seen("JT1", X, rung=Rung.WHOLE)
    assert [code.why for code in look.codes] == [None]
    assert len(look.unclear()) == 1
    look.add(Rung.WHOLE_AGAIN, (sighting(Symbology.CODE128, "JT1"),), CUT)
    assert [code.clear and bool(code.why) for code in look.codes] == [True]
    assert look.unclear() == ()
    thin = seen("JT1", X, upright_place(0, 0, 100, 2))
    assert [code.why for code in thin.codes] == [None], "one thin cut is one look"
    thin.add(Rung.ENHANCED, (sighting(Symbology.CODE128, "JT1"),), CUT)
    assert [bool(code.why) for code in thin.codes] == [True], "and a band another"
    banded = seen("JT1", X, rung=Rung.ENHANCED)
    banded.add(Rung.ENHANCED, (sighting(Symbology.CODE128, "JT1"),), CUT)
    assert [code.why for code in banded.codes] == [None], (
        "one band is one look, however often it is sharpened"
    )
    banded.add(Rung.ENHANCED, (sighting(Symbology.CODE128, "JT1", place=upright_place(0, 30, 100, 40)),), CUT)
    assert [bool(code.why) for code in banded.codes] == [True]


def test_of_two_reads_at_one_place_the_one_with_more_engines_stands_or_none() -> None:
    look = seen("JT1", X)
    look.add(Rung.UPRIGHT, (sighting(Symbology.CODE128, "JT2"),), CUT)
    look.doubt()
    assert [code.why for code in look.codes] == [None, None]
    look = seen("JT1", X)
    look.add(Rung.UPRIGHT, (sighting(Symbology.CODE128, "JT2"), sighting(Symbology.CODE128, "JT2", Z)), CUT)
    look.doubt()
    assert [bool(code.why) for code in look.codes] == [False, True]


def sighting(
    symbology: Symbology, text: str, engine: Engine = X, place: Place | None = None, *, binary: bool = False
) -> Sighting:
    place = place or upright_place(0, 0, 100, 40)
    return Sighting(
        symbology=symbology, text=text, data=text.encode(), binary=binary, engine=engine, place=place
    )


@pytest.mark.parametrize(
    ("symbology", "text", "may"),
    [
        (Symbology.ITF, "00012345678905", True),
        (Symbology.ITF, "00012345678904", False),
        (Symbology.ITF, "0012345678905", False),
        (Symbology.CODE39, "ABC123", True),
        (Symbology.CODE39, "ABCD23", False),
        (Symbology.CODE128, "anything", True),
        (Symbology.UNKNOWN, "A", False),
    ],
)
def test_codes_that_the_line_does_not_have_are_not_even_seen(
    symbology: Symbology, text: str, may: bool
) -> None:
    assert KNOWN.may_be(sighting(symbology, text)) is may


def test_check_digits() -> None:
    code39 = CodeRule(check_digit=True)
    assert code39.holds(Symbology.CODE39, "CODE39W"), "ISO/IEC 16388, annex A"
    assert not code39.holds(Symbology.CODE39, "CODE39X")
    assert not code39.holds(Symbology.CODE39, "code39W")
    itf = CodeRule(check_digit=True)
    assert itf.holds(Symbology.ITF, "30712345000010"), "GS1 General Specifications, ITF-14"
    assert not itf.holds(Symbology.ITF, "٣0712345000010")


@pytest.mark.parametrize(
    ("upce", "upca"),
    [
        ("01234505", "0012000003455"),
        ("04252614", "0042100005264"),
        ("01234531", "0012300000451"),
        ("01234543", "0012340000053"),
        ("01234565", "0012345000065"),
    ],
)
def test_upc_e_is_the_upc_a_that_it_stands_for(upce: str, upca: str) -> None:
    assert article_number(Symbology.UPCE, upce) == upca


def test_two_bar_codes_at_one_place_contradict_each_other() -> None:
    one, far = sighting(Symbology.EAN13, "6901234567892"), upright_place(300, 0, 400, 40)
    assert contradicts(one, sighting(Symbology.EAN13, "6901234567893"))
    assert contradicts(one, sighting(Symbology.ITF, "1234"))
    assert not contradicts(one, sighting(Symbology.EAN13, "6901234567893", place=far))
    assert not contradicts(one, sighting(Symbology.QR, "A"))
    assert not contradicts(
        sighting(Symbology.UPCA, "012345678905"), sighting(Symbology.EAN13, "0012345678905")
    )


def test_two_codes_of_a_turned_label_do_not_contradict_each_other() -> None:
    """Their upright bounds overlap; they do not."""
    one = Place(((0, 0), (100, 100), (90, 110), (-10, 10)))
    below = Place(((-20, 20), (80, 120), (70, 130), (-30, 30)))
    assert not one.meets(below)
    assert one.meets(Place(((40, 40), (60, 60), (50, 70), (30, 50))))
    assert not contradicts(
        sighting(Symbology.CODE128, "JT1", place=one), sighting(Symbology.CODE128, "JT2", place=below)
    )


def picture(*seen: Sighting, why: ReadProof | None = None) -> PictureRead:
    codes = tuple(CodeSeen(one, Rung.UPRIGHT, {one.engine}, why) for one in seen)
    return PictureRead(codes=codes, stripes=1, spent_us=5_000)


def told(frames: list[tuple[int, PictureRead]], rules: ReadRules = LINE) -> list[tuple[int, list[str]]]:
    agreement = FrameAgreement(rules)
    found = [
        (ms, [code.text for code in agreement.newly_agreed(MonoUs(ms * 1_000), read)]) for ms, read in frames
    ]
    return [(ms, texts) for ms, texts in found if texts]


def test_what_counts_in_one_frame_is_told_once_while_it_is_in_sight() -> None:
    sure = picture(sighting(Symbology.CODE128, "JT1"), why=ReadProof.CHECK)
    assert told([(0, sure), (40, sure), (80, sure), (160, sure)]) == [(0, ["JT1"])]
    assert told([(0, sure), (201, sure)]) == [(0, ["JT1"]), (201, ["JT1"])]


def test_two_frames_agree_on_what_one_leaves_in_doubt() -> None:
    doubt = picture(sighting(Symbology.EAN13, "6901234567892"))
    other = picture(sighting(Symbology.EAN13, "6901234567885"))
    assert told([(0, doubt), (40, doubt), (80, doubt)]) == [(40, ["6901234567892"])]
    assert told([(0, doubt), (40, other), (80, doubt)]) == [(80, ["6901234567892"])]
    assert told([(0, doubt), (301, doubt)]) == []
    assert told([(0, doubt), (0, doubt)]) == [], "one frame is no second frame"


def test_two_engines_agree_across_frames() -> None:
    by_z = picture(sighting(Symbology.CODE128, "JT1", Z))
    assert told([(0, by_z), (40, picture())]) == []
    assert told([(0, by_z), (40, by_z)]) == [(40, ["JT1"])]


def test_bytes_that_are_no_text_are_no_code_of_a_parcel() -> None:
    assert told([(0, picture(sighting(Symbology.QR, "", binary=True), why=ReadProof.CHECK))]) == []


def test_a_wall_of_codes_is_not_remembered_for_ever() -> None:
    agreement = FrameAgreement(LINE)
    for n in range(1_000):
        agreement.newly_agreed(MonoUs(n), picture(sighting(Symbology.EAN13, f"{n:013}")))
    assert len(agreement._known) <= 64
