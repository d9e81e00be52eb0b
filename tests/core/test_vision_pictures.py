"""The pipeline on drawn pixels: turned labels, several codes, what must give nothing; and whether a
camera's pictures can show anything at all."""

import sys

import cv2
import numpy as np
import pytest

from drivers.codecs.camera_messages import Picture
from drivers.vision.agreement import ReadRules
from drivers.vision.engines import zbar_missing
from drivers.vision.ladder import Ladder
from drivers.vision.locate import find_stripes, relief_of
from drivers.vision.picture_watch import PictureWatch
from drivers.vision.sharpness import Sharpness, sharpness
from drivers.vision.sightings import Pixels
from edge.model.codes import Code, Symbology
from edge.model.units import MonoUs
from simulators.labels.printed import LabelPrint, print_label

WAYBILL = Code(text="JT1234567890123", symbology=Symbology.CODE128)
ROUTE = Code(text="3304-74-451", symbology=Symbology.CODE128)
SQUARE = Code(text="JT1234567890123", symbology=Symbology.QR)
WANTED = frozenset({Symbology.CODE128, Symbology.QR})


def scene(label: Pixels, degrees: float = 0, *, size: tuple[int, int] = (1000, 1280)) -> Pixels:
    """A label in the middle of a grey belt, turned."""
    height, width = size
    rows, columns = label.shape
    middle = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1)
    middle[:, 2] += (width / 2 - columns / 2, height / 2 - rows / 2)
    drawn = cv2.warpAffine(
        label, middle, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=90
    )
    noise = np.random.default_rng(7).integers(-4, 5, (height, width))
    return np.asarray(np.clip(drawn + noise, 0, 255), np.uint8)


def counted(pixels: Pixels, wanted: frozenset[Symbology] = WANTED) -> set[tuple[str, Symbology]]:
    read = Ladder(ReadRules(wanted=wanted), budget_us=None).read(pixels)
    return {(code.sighting.text, code.sighting.symbology) for code in read.codes if code.why}


@pytest.mark.parametrize("degrees", range(0, 360, 24))
def test_a_label_is_read_however_it_lies_and_whatever_else_is_on_it(degrees: int) -> None:
    label = print_label(LabelPrint(codes=(WAYBILL, ROUTE, SQUARE), lines=("集包 嘉兴市",), module_px=2))
    assert counted(scene(label, degrees)) == {(one.text, one.symbology) for one in (WAYBILL, ROUTE, SQUARE)}


def test_stripes_are_found_with_their_direction() -> None:
    label = print_label(LabelPrint(codes=(WAYBILL,), module_px=3))
    relief = relief_of(scene(label, 30))
    assert relief is not None
    first = find_stripes(relief)[0]
    assert abs(np.degrees(first.angle) % 180 - 150) < 3
    assert abs(first.x - 640) < 40
    assert abs(first.y - 500) < 40


def test_what_shows_no_code_gives_none() -> None:
    blank = print_label(LabelPrint(codes=(), lines=("无条码", "面单破损")))
    half = print_label(LabelPrint(codes=(WAYBILL,), module_px=3))[:, :300]
    fence = np.tile(np.repeat(np.array([235, 25], np.uint8), 6), (60, 30))
    everything = frozenset(Symbology) - {Symbology.UNKNOWN}
    for label in (blank, half, fence):
        assert counted(scene(label), everything) == set()
    assert counted(np.zeros((400, 400), np.uint8), everything) == set()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (17, 9), (0, 0)])
def test_no_picture_is_too_small_to_survive(shape: tuple[int, int]) -> None:
    assert counted(np.full(shape, 128, np.uint8)) == set()


def test_symbologies_that_the_line_does_not_use_are_not_read() -> None:
    label = print_label(LabelPrint(codes=(WAYBILL, SQUARE), module_px=3))
    assert counted(scene(label), frozenset({Symbology.QR})) == {(SQUARE.text, Symbology.QR)}


@pytest.mark.skipif(bool(zbar_missing()), reason=f"libzbar0 is missing: {zbar_missing()}")
def test_a_weak_code_counts_when_both_engines_read_it() -> None:
    goods = Code(text="6901234567892", symbology=Symbology.EAN13)
    pixels = scene(print_label(LabelPrint(codes=(goods,), module_px=3)))
    assert counted(pixels, frozenset({Symbology.EAN13})) == {(goods.text, Symbology.EAN13)}


def test_without_zbar_one_engine_reads_and_what_it_may_not_decide_alone_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    goods = Code(text="6901234567892", symbology=Symbology.EAN13)
    pixels = scene(print_label(LabelPrint(codes=(WAYBILL, goods), module_px=3)))
    monkeypatch.setitem(sys.modules, "pyzbar", None)
    zbar_missing.cache_clear()
    try:
        assert "install libzbar0" in zbar_missing()
        found = counted(pixels, frozenset({Symbology.CODE128, Symbology.EAN13}))
    finally:
        zbar_missing.cache_clear()
    assert found == {(WAYBILL.text, Symbology.CODE128)}


@pytest.mark.parametrize(
    ("budget_us", "most_us", "reads"),
    [
        (500, None, False),
        (500, 900_000, False),
        (900_000, 500, False),
        (900_000, -1, False),
        (900_000, None, True),
        (900_000, 900_000, True),
    ],
)
def test_a_spent_budget_ends_the_search(budget_us: int, most_us: int | None, reads: bool) -> None:
    """The ladder's own, or what a picture that has waited has left."""
    ticks = iter(range(0, 1_000_000_000, 1_000))
    ladder = Ladder(ReadRules(wanted=WANTED), budget_us=budget_us, now_us=lambda: next(ticks))
    label = print_label(LabelPrint(codes=(WAYBILL,), module_px=3))
    assert bool(ladder.read(scene(label), most_us).codes) is reads


MS = 1_000


def watched(
    frames: list[tuple[int, Pixels]], frozen_ms: int = 2_000, *, read_ms: int | None = None
) -> PictureWatch:
    """``read_ms``: a code counts in the frame of that moment."""
    watch = PictureWatch(frozen_ms=frozen_ms)
    for ms, pixels in frames:
        watch.see(pixels, MonoUs(ms * MS), read=ms == read_ms)
    return watch


def noise(level: int, seed: int) -> Pixels:
    drawn = level + np.random.default_rng(seed).integers(-4, 5, (200, 300))
    return np.clip(drawn, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("level", "picture"), [(5, Picture.BLACK), (254, Picture.OVEREXPOSED)])
def test_pictures_that_show_nothing_are_told_after_a_while(level: int, picture: Picture) -> None:
    frames = [(0, noise(60, 0)), *((ms, noise(level, ms)) for ms in range(100, 1_300, 100))]
    assert watched(frames[:1]).picture is Picture.PLAIN
    assert watched(frames).picture is picture
    assert watched(frames[:8]).picture is Picture.PLAIN
    assert watched([*frames, (1_300, noise(60, 1))]).picture is Picture.PLAIN
    assert watched(frames[1:2]).picture is picture, "it has shown nothing else so far"


def passing(spread_px: float, until_ms: int, *, every_ms: int = 200) -> list[tuple[int, Pixels]]:
    """Labels that come and go under a lens of that blur; between them the empty belt."""
    label = scene(print_label(LabelPrint(codes=(WAYBILL, SQUARE), module_px=2)), 17)
    if spread_px:
        label = np.asarray(cv2.GaussianBlur(label, (0, 0), spread_px), np.uint8)
    belt = scene(np.full((2, 2), 90, np.uint8))
    return [(ms, belt if ms % (2 * every_ms) else label) for ms in range(0, until_ms, every_ms)]


@pytest.mark.parametrize("spread_px", [0, 1, 1.5])
def test_a_lens_that_shows_what_can_be_read_is_in_focus(spread_px: float) -> None:
    assert watched(passing(spread_px, 12_000)).picture is Picture.GOOD


@pytest.mark.parametrize("spread_px", [2.5, 4, 8])
def test_labels_that_are_all_soft_are_a_lens_out_of_focus(spread_px: float) -> None:
    assert watched(passing(spread_px, 4_000)).picture is Picture.PLAIN, "too soon to say so"
    assert watched(passing(spread_px, 8_000, every_ms=400)).picture is Picture.PLAIN, "too few to say so"
    soft = passing(spread_px, 6_000)
    assert watched(soft).picture is Picture.OUT_OF_FOCUS
    sharp = [(7_000 + ms, pixels) for ms, pixels in passing(0, 400)]
    assert watched([*soft, *sharp]).picture is Picture.GOOD


def test_a_code_that_counts_proves_the_focus_whatever_its_edges_say() -> None:
    soft = passing(4, 12_000)
    assert watched(soft, read_ms=4_000).picture is Picture.OUT_OF_FOCUS, "too long ago"
    assert watched(soft, read_ms=11_600).picture is Picture.GOOD


def test_what_lies_still_says_nothing_of_the_lens() -> None:
    edge = np.clip(np.linspace(-200, 500, 300), 20, 200).astype(np.int64)[None, :].repeat(200, axis=0)
    shadow = [
        (edge + np.random.default_rng(seed).integers(-4, 5, (200, 300))).astype(np.uint8) for seed in range(8)
    ]
    still = [(ms, shadow[ms // 100 % 8]) for ms in range(0, 20_000, 100)]
    assert sharpness(still[0][1]) is Sharpness.SOFT
    assert watched(still).picture is Picture.PLAIN


def test_no_picture_is_too_small_to_be_judged() -> None:
    for shape in ((0, 0), (1, 1), (1, 300), (300, 1), (33, 33)):
        assert sharpness(np.full(shape, 128, np.uint8)) is Sharpness.PLAIN


def test_a_white_label_that_fills_the_view_is_no_over_exposure() -> None:
    label = print_label(LabelPrint(codes=(WAYBILL, SQUARE), module_px=5))
    assert watched([(ms, label) for ms in range(0, 2_000, 100)]).picture is Picture.GOOD


def test_the_same_frame_again_and_again_is_a_frozen_source() -> None:
    still = noise(60, 1)
    assert watched([(ms, still) for ms in range(0, 2_001, 100)]).frozen
    assert not watched([(ms, still) for ms in range(0, 1_901, 100)]).frozen
    assert not watched([(ms, noise(60, ms)) for ms in range(0, 4_000, 100)]).frozen
    assert not watched([(ms, still) for ms in range(0, 9_000, 100)], frozen_ms=0).frozen
