"""One parcel's way in words: every step, nothing swallowed, in both languages."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edge.model.codes import CodeStanding, JudgedCode, Symbology
from edge.model.ids import BenchId, OrderNo, ReaderId, Sku, Waybill
from edge.model.records import Identified, Reviewed, ReviewOpened
from edge.model.review import Difference
from edge.model.units import MonoUs
from edge.model.verdict import Reason
from edge.store.places import Places
from edge.story import tell_parcel
from line_config.load import load_line
from tests.core import store_kit

LINE = load_line("demo")


def told(data: Path, key: str, language: str = "en") -> tuple[bool, str]:
    out = io.StringIO()
    found = tell_parcel(data, LINE, key, language, Console(file=out, width=200))
    return found, out.getvalue()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    scribe = store_kit.Scribe(Places(tmp_path).journal)
    scribe.write(store_kit.clock(1, store_kit.MIDNIGHT))
    life = store_kit.parcel_life(1, 5_000_000, "[red]W1")
    codes = (
        JudgedCode(
            text="[bold]7[/bold]",
            symbology=Symbology.CODE128,
            readers=(ReaderId("top"), ReaderId("side")),
            standing=CodeStanding.NO_WAYBILL,
        ),
    )
    identified = life[2]
    assert isinstance(identified, Identified)
    scribe.write(*life[:2], replace(identified, codes=codes), *life[3:])
    scribe.write(*store_kit.parcel_life(2, 9_000_000, "W2"))
    scribe.write(*store_kit.parcel_life(3, 10_000_000, "W2"))
    scribe.close()
    return tmp_path


def test_every_row_stands_with_its_time_and_its_values(data: Path) -> None:
    found, text = told(data, "1")
    assert found
    assert text.startswith("Parcel 1 · waybill [red]W1")
    steps = ["EyePassed", "TrackOpened", "Identified", "Weighed", "Decided", "Told", "Exited"]
    places = [text.index(f" {step} ") for step in steps]
    assert places == sorted(places)
    assert "11-17 00:00:05.000" in text
    assert "Ended as ok: Verified and routed" in text


def test_what_came_from_outside_is_text_never_markup(data: Path) -> None:
    _, text = told(data, "[red]W1")
    assert "[bold]7[/bold] code128 (top, side): fits no pattern, and no order is known" in text
    assert "one_fits: Exactly one code fits a carrier's pattern" in text
    found, text = told(data, "[red]nobody")
    assert not found
    assert "no parcel [red]nobody on record" in text


def test_a_waybill_with_two_passes_tells_both_the_newest_first(data: Path) -> None:
    _, text = told(data, "W2")
    assert text.index("Parcel 3") < text.index("Parcel 2")


def test_in_chinese(data: Path) -> None:
    found, text = told(data, "2", "zh")
    assert found
    assert "包裹 2 · 面单 W2" in text
    assert "结果 ok：正常" in text


def test_a_row_without_an_agreed_clock_has_no_wall_time(tmp_path: Path) -> None:
    scribe = store_kit.Scribe(Places(tmp_path).journal)
    scribe.write(*store_kit.parcel_life(1, 5_000_000))
    scribe.close()
    found, text = told(tmp_path, "1")
    assert found
    assert "00:00:05" not in text


@pytest.mark.parametrize(
    ("key", "language", "lines"),
    [
        (
            "W9",
            "en",
            [
                "Review of order A-1 by slip PS1 at bench1: failed · Goods of the order are missing",
                "missing: A × 1",
            ],
        ),
        (
            "A-1",
            "zh",
            ["订单 A-1 复核（配货单 PS1，bench1）：不符 · 复核缺货", "缺少：A × 1", "多出：777 × 2"],
        ),
    ],
)
def test_the_review_of_an_order_is_told_even_before_its_parcel_is_on_the_belt(
    tmp_path: Path, key: str, language: str, lines: list[str]
) -> None:
    scribe = store_kit.Scribe(Places(tmp_path).journal)
    bench, order_no, label = BenchId("bench1"), OrderNo("A-1"), Waybill("W9")
    common = {"bench": bench, "slip": "PS1", "order_no": order_no, "order_version": 1, "waybill": label}
    verdict = Reviewed(
        at_us=MonoUs(2),
        contents="c",
        reason=Reason.SKU_MISSING,
        pieces=2,
        missing=(Difference(sku=Sku("A"), code="", qty=1),),
        extra=(Difference(sku=Sku(""), code="777", qty=2),),
        **common,  # type: ignore[arg-type]
    )
    scribe.write(ReviewOpened(at_us=MonoUs(1), resumed=False, **common), verdict)  # type: ignore[arg-type]
    scribe.close()
    found, text = told(tmp_path, key, language)
    assert found
    assert [line for line in lines if line not in text] == []
