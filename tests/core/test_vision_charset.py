"""Texts of matrix codes that name no character set, and retail symbols as the standard writes them."""

import numpy as np
import pytest
import segno
import zxingcpp

from drivers.vision.agreement import ReadRules
from drivers.vision.charset import text_of
from drivers.vision.ladder import CodeSeen, Ladder
from drivers.vision.sightings import Pixels, article_number, retail
from edge.model.codes import ReadProof, Symbology

EVERYTHING = frozenset(one for one in Symbology if one is not Symbology.UNKNOWN)
F = zxingcpp.BarcodeFormat


def read(pixels: Pixels, *wanted: Symbology) -> list[CodeSeen]:
    rules = ReadRules(wanted=frozenset(wanted) or EVERYTHING, strict=False)
    return list(Ladder(rules, budget_us=None).read(pixels).codes)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("圆通速递 YT1234567890", "gbk"),
        ("中通快递", "gbk"),
        ("深圳市", "gbk"),
        ("收件人：王喆，电话 138", "gbk"),
        ("こんにちは世界", "shift_jis"),
        ("東京", "shift_jis"),
        ("ﾃﾞｻﾞｲﾝQR", "shift_jis"),
        ("ﾃｽﾄ", "shift_jis"),
        ("喆吉祥", "gbk"),
        ("größe", "latin-1"),
        ("ÄÖÜ Ünïcödé", "latin-1"),
    ],
)
def test_bytes_that_name_no_character_set_are_read_in_the_likely_one(text: str, charset: str) -> None:
    matrix = np.array(segno.make(text.encode(charset), micro=False, mode="byte").matrix, np.bool_)
    drawn = np.where(matrix, 0, 255).astype(np.uint8).repeat(6, axis=0).repeat(6, axis=1)
    (code,) = read(np.pad(drawn, 40, constant_values=255))
    assert (code.sighting.text, bool(code.why)) == (text, True)
    assert code.sighting.data == text.encode(charset)
    assert code.sighting.transcoded


def test_what_is_no_likely_text_stays_bytes() -> None:
    assert text_of("喆".encode("gbk"), "\ufffd") is None
    assert text_of("ﾃﾞｻﾄ".encode("shift_jis"), "ﾃﾞｻﾄ") is None, "two hanzi in GBK, both common"
    assert text_of(b"\xb6\xb6", "¶Ж") == "¶Ж", "it names its character sets: no single one says that"
    assert text_of("圆通".encode(), "?") == "圆通"
    assert text_of(b"ABC", "?") == "ABC"


@pytest.mark.parametrize(
    ("drawn", "number", "wanted", "told"),
    [
        (F.UPCA, "036000291452", EVERYTHING, (Symbology.UPCA, "036000291452")),
        (F.UPCA, "036000291452", {Symbology.UPCA}, (Symbology.UPCA, "036000291452")),
        (F.UPCA, "036000291452", {Symbology.EAN13}, (Symbology.EAN13, "0036000291452")),
        (F.UPCE, "04252614", EVERYTHING, (Symbology.UPCE, "04252614")),
        (F.UPCE, "04252614", {Symbology.UPCE}, (Symbology.UPCE, "04252614")),
        (F.EAN13, "6901234567892", EVERYTHING, (Symbology.EAN13, "6901234567892")),
    ],
)
def test_a_retail_symbol_is_told_as_the_standard_writes_it_by_both_engines(
    drawn: zxingcpp.BarcodeFormat, number: str, wanted: frozenset[Symbology], told: tuple[Symbology, str]
) -> None:
    made = zxingcpp.create_barcode(number, drawn).to_image(scale=3, add_quiet_zones=True)
    (code,) = read(np.array(made), *wanted)
    assert (code.sighting.symbology, code.sighting.text) == told
    assert code.why is ReadProof.TWO_ENGINES


def test_a_symbology_that_is_not_wanted_is_not_told() -> None:
    made = zxingcpp.create_barcode("6901234567892", F.EAN13).to_image(scale=3, add_quiet_zones=True)
    assert read(np.array(made), Symbology.UPCA) == []


@pytest.mark.parametrize("upce", ["04252614", "01234505", "01234531", "01234543", "01234558", "01234565"])
def test_a_upc_e_and_its_number_are_the_same_article(upce: str) -> None:
    """Each of the five ways in which zeros are left out (GS1 General Specifications 5.2.2.4.2)."""
    number = article_number(Symbology.UPCE, upce)
    assert retail(Symbology.UPCE, number, EVERYTHING) == (Symbology.UPCE, upce)
