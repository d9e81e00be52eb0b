"""A camera's frames in memory, which of them shows a parcel best, and what a picture tells of a no-read."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drivers.codecs.camera_requests import KeepPicture
from drivers.streams.newest_frame import Frame
from drivers.streams.picture_files import jpeg_of
from drivers.vision.agreement import ReadRules
from drivers.vision.ladder import Ladder, PictureRead
from drivers.vision.no_read import hints_of, sharpness_of
from edge.camera_pictures import MIN_FRAMES, NoReadPictures, RecentFrames
from edge.model.codes import Code, Symbology
from edge.model.ids import BootEpoch, PlcNumber, ReaderId, TrackId
from edge.model.pictures import NoReadCause, PictureNote
from edge.model.units import MonoUs, UtcUs
from edge.store.picture_keeper import PictureKeeper
from edge.store.pictures import PictureArchive
from simulators.labels.printed import LabelPrint, print_label
from tests.core.runtime_kit import logs

MS = 1_000
NOTHING = PictureRead(codes=(), stripes=0, spent_us=0)
STRIPES = PictureRead(codes=(), stripes=1, spent_us=0)
WAYBILL = Code(text="JT1234567890123", symbology=Symbology.CODE128)
GOODS = Code(text="6901234567892", symbology=Symbology.EAN13)


def frame(ms: int, step: int = 0) -> Frame:
    """``step``: grey steps from pixel to pixel, so sharp is it."""
    pixels = np.full((64, 64), 100, np.uint8)
    pixels[:, ::2] += step
    return Frame(pixels=pixels, grabbed_us=MonoUs(ms * MS))


def best_ms(recent: RecentFrames, from_ms: int, to_ms: int) -> int | None:
    found = recent.best(MonoUs(from_ms * MS), MonoUs(to_ms * MS))
    return None if found is None else found.frame.grabbed_us // MS


def test_a_frame_with_stripes_is_before_a_sharper_one_of_the_belt() -> None:
    recent = RecentFrames()
    for ms, step, read in ((1_000, 90, NOTHING), (1_100, 20, STRIPES), (1_200, 80, NOTHING)):
        recent.see(frame(ms, step), read)
    assert best_ms(recent, 900, 1_300) == 1_100


def test_of_frames_about_as_sharp_the_one_in_the_middle_shows_the_parcel_best() -> None:
    recent = RecentFrames()
    for ms, step in ((1_000, 50), (1_100, 48), (1_200, 49), (1_300, 10)):
        recent.see(frame(ms, step), STRIPES)
    assert best_ms(recent, 950, 1_250) == 1_100
    assert best_ms(recent, 1_100, 1_400) == 1_200, "the blurred one is nearer to the middle, and no use"


def test_a_label_at_the_window_s_end_may_be_the_neighbour_s() -> None:
    recent = RecentFrames()
    for ms, read in ((1_000, NOTHING), (1_200, NOTHING), (1_450, STRIPES)):
        recent.see(frame(ms), read)
    assert best_ms(recent, 900, 1_500) == 1_200
    assert best_ms(recent, 1_300, 1_700) == 1_450


def test_only_frames_of_the_parcel_s_own_time_are_its_pictures() -> None:
    recent = RecentFrames()
    for ms in (1_000, 1_500):
        recent.see(frame(ms), STRIPES)
    assert best_ms(recent, 1_001, 1_499) is None
    assert best_ms(recent, 1_000, 1_000) == 1_000


def test_of_each_tenth_of_a_second_the_best_is_kept() -> None:
    recent = RecentFrames()
    for ms, step, read in ((1_000, 10, STRIPES), (1_040, 30, STRIPES), (1_080, 90, NOTHING)):
        recent.see(frame(ms, step), read)
    assert best_ms(recent, 1_000, 1_099) == 1_040


def test_memory_is_bounded_whatever_the_frames_are() -> None:
    room = 10 * 64 * 64
    recent = RecentFrames(room_bytes=room)
    for n in range(40):
        recent.see(frame(100 * n), STRIPES)
    assert best_ms(recent, 0, 2_950) is None
    assert best_ms(recent, 3_000, 3_050) == 3_000
    small = RecentFrames(room_bytes=1)
    for n in range(40):
        small.see(frame(100 * n), STRIPES)
    assert best_ms(small, 0, 3_900 - 100 * MIN_FRAMES) is None
    assert best_ms(small, 0, 3_999) is not None


def scene(*codes: Code, module_px: int = 3) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A label on a belt."""
    label = print_label(LabelPrint(codes=codes, module_px=module_px))
    rows, columns = label.shape
    pixels = np.full((max(600, rows + 200), max(800, columns + 200)), 60, np.uint8)
    pixels[100 : 100 + rows, 100 : 100 + columns] = label
    return pixels


def blurred(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]], px: int
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Along the rows, as by a belt that runs on."""
    kernel = np.ones(px) / px
    rows = [np.convolve(row, kernel, mode="same") for row in pixels.astype(np.float64)]
    return np.asarray(rows).astype(np.uint8)


LADDER = Ladder(ReadRules(wanted=frozenset({Symbology.CODE128, Symbology.EAN13})), budget_us=None)
PLAIN = scene(WAYBILL)
CAUSES = {
    "an empty belt": (np.full((600, 800), 60, np.uint8), NOTHING, NoReadCause.NOTHING_SEEN),
    "goods, but no waybill": (scene(GOODS), None, NoReadCause.NOT_A_WAYBILL),
    "sharp bars": (PLAIN, NOTHING, NoReadCause.UNREADABLE),
    "pale print": ((PLAIN // 5 + 100).astype(np.uint8), NOTHING, NoReadCause.LOW_CONTRAST),
    "cut off": (np.ascontiguousarray(PLAIN[:, 160:]), NOTHING, NoReadCause.CUT_OFF),
    "moved": (blurred(PLAIN, 4), NOTHING, NoReadCause.BLURRED),
    "one-pixel bars": (scene(WAYBILL, module_px=1), NOTHING, NoReadCause.TOO_SMALL),
}


@pytest.mark.parametrize("name", CAUSES)
def test_causes(name: str) -> None:
    pixels, read, cause = CAUSES[name]
    assert hints_of(pixels, LADDER.read(pixels) if read is None else read).cause is cause


def test_what_is_decoded_and_does_not_count_is_in_doubt() -> None:
    ladder = Ladder(ReadRules(wanted=frozenset({Symbology.CODE128})), budget_us=None)
    read = ladder.read(PLAIN)
    for code in read.codes:
        code.why = None
    assert read.codes
    assert hints_of(PLAIN, read).cause is NoReadCause.IN_DOUBT


@pytest.mark.parametrize("module_px", [2, 3, 4])
def test_the_narrowest_bar_is_measured(module_px: int) -> None:
    hints = hints_of(scene(WAYBILL, module_px=module_px), NOTHING)
    assert abs(hints.module_tenths - 10 * module_px) <= 5
    assert hints.contrast_percent > 60
    assert hints.sharpness_percent > 40


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (8, 8), (17, 33)])
def test_a_picture_of_any_size_tells_something(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 7, np.uint8)
    assert hints_of(pixels, NOTHING).cause is NoReadCause.NOTHING_SEEN
    assert sharpness_of(pixels) == 0
    assert jpeg_of(pixels).startswith(b"\xff\xd8\xff")


class Keeper(PictureKeeper):
    """One whose disk, or whose code, fails while ``error`` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, max_bytes=1 << 30, max_age_s=1 << 30, spare_bytes=0)
        self.error: Exception | None = None

    def put(self, note: PictureNote, picture: bytes, now_utc_us: UtcUs) -> bool:
        if self.error is not None:
            raise self.error
        return super().put(note, picture, now_utc_us)


def asked(pictures: NoReadPictures, track: int) -> None:
    pictures.keep(
        KeepPicture(
            track=TrackId(track),
            epoch=BootEpoch(1),
            number=PlcNumber(track),
            from_us=MonoUs(900 * MS),
            to_us=MonoUs(1_100 * MS),
        )
    )


def until(true: Callable[[], object]) -> None:
    for _ in range(12_000):
        if true():
            return
        time.sleep(0.005)
    pytest.fail("not within a minute")


def test_a_disk_that_fails_costs_pictures_and_is_said_once(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "side")
    pictures = NoReadPictures(ReaderId("side"), keeper, late_us=0)
    with logs() as told:
        pictures.start()
        pictures.see(frame(1_000, 50), STRIPES)
        keeper.error = OSError(28, "No space left on device")
        asked(pictures, 1)
        until(lambda: pictures.dropped == 1)
        asked(pictures, 2)
        until(lambda: pictures.dropped == 2)
        keeper.error = None
        asked(pictures, 3)
        until(lambda: pictures.kept == 1)
        until(lambda: len(told) == 2)
    assert [log["event"] for log in told] == ["no picture can be kept", "pictures are kept again"]
    assert pictures.failure is None
    (note,) = PictureArchive(tmp_path, [ReaderId("side")]).notes_of(TrackId(3))
    assert (note.number, note.stripes) == (3, 1)


def test_a_fault_of_ours_is_told_to_whoever_ends_the_process(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "side")
    keeper.error = ValueError("a fault")
    pictures = NoReadPictures(ReaderId("side"), keeper, late_us=0)
    pictures.start()
    pictures.see(frame(1_000, 50), STRIPES)
    asked(pictures, 1)
    until(lambda: pictures.failure is not None)
    assert pictures.failure == "pictures: ValueError('a fault')"


def test_what_is_too_much_at_once_is_dropped_and_what_nobody_saw_is_missed(tmp_path: Path) -> None:
    pictures = NoReadPictures(ReaderId("side"), Keeper(tmp_path / "side"), late_us=0)
    asked(pictures, 1)
    assert pictures.missed == 1
    pictures.see(frame(1_000, 50), STRIPES)
    for track in range(2, 7):
        asked(pictures, track)
    assert pictures.dropped == 3, "two wait; nobody writes them here"
