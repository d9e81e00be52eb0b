"""One parcel's way in words: every step, nothing swallowed, in both languages."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edge.model.codes import CodeStanding, JudgedCode, Symbology
from edge.model.ids import ReaderId
from edge.model.records import Identified
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
