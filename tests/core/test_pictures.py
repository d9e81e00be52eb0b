"""The no-read archive: what a keeper leaves and a reader finds, at every limit, after every kind of end."""

import os
from pathlib import Path

import pytest

from edge.model.codes import Symbology
from edge.model.ids import BootEpoch, PlcNumber, ReaderId, TrackId
from edge.model.pictures import CodeInPicture, NoReadCause, PictureNote
from edge.model.units import US_PER_S, UtcUs
from edge.store import picture_keeper
from edge.store.picture_keeper import PictureKeeper, give_up
from edge.store.pictures import MAX_PICTURE_BYTES, PictureArchive, stem_of, tracks_in
from edge.store.rows import encode

SIDE = ReaderId("side")
NOW = 1_800_000_000 * US_PER_S
JPEG = b"\xff\xd8\xff" + b"x" * 997
PLENTY = 1 << 40


def note(track: int, picture: bytes = JPEG) -> PictureNote:
    code = CodeInPicture(
        text="6901234567892",
        hex="",
        symbology=Symbology.EAN13,
        engines=("zbar", "zxing-cpp"),
        rung="upright",
        why="two_engines",
    )
    return PictureNote(
        track=TrackId(track),
        epoch=BootEpoch(3),
        number=PlcNumber(track),
        reader=SIDE,
        taken_utc_us=UtcUs(NOW),
        width_px=1_280,
        height_px=1_024,
        picture_bytes=len(picture),
        cause=NoReadCause.BLURRED,
        engines=("zxing-cpp", "zbar"),
        codes=(code,),
        spent_us=9_000,
        stripes=2,
        contrast_percent=40,
        sharpness_percent=21,
        module_tenths=33,
    )


SIZE = len(JPEG) + len(encode(note(1)))


def keeper(
    folder: Path, *, max_bytes: int = PLENTY, max_age_s: int = 3_600, spare_bytes: int = 0
) -> PictureKeeper:
    one = PictureKeeper(folder / SIDE, max_bytes=max_bytes, max_age_s=max_age_s, spare_bytes=spare_bytes)
    one.open()
    return one


def put(one: PictureKeeper, track: int, *, later_s: int = 0, picture: bytes = JPEG) -> bool:
    return one.put(note(track, picture), picture, UtcUs(NOW + later_s * US_PER_S))


def tracks(folder: Path) -> list[int]:
    return [int(track) for track in tracks_in(folder / SIDE)]


def test_what_is_kept_is_found_by_track_and_reader(tmp_path: Path) -> None:
    one = keeper(tmp_path)
    assert put(one, 99)
    assert put(one, 100)
    archive = PictureArchive(tmp_path, [ReaderId("top"), SIDE])
    assert archive.notes_of(TrackId(99)) == (note(99),)
    assert archive.jpeg(SIDE, TrackId(100)) == JPEG
    assert archive.jpeg(ReaderId("top"), TrackId(100)) is None
    assert archive.jpeg(SIDE, TrackId(101)) is None
    assert [found.track for found in archive.newest(1)] == [100]
    assert [found.track for found in archive.newest(9)] == [100, 99]
    assert PictureArchive(tmp_path / "nowhere", [SIDE]).notes_of(TrackId(1)) == ()


@pytest.mark.parametrize("reader", ["../side", "/etc", "", "side/00000000"])
def test_no_name_that_somebody_asks_for_becomes_a_path(tmp_path: Path, reader: str) -> None:
    put(keeper(tmp_path), 5)
    assert PictureArchive(tmp_path, [SIDE]).jpeg(ReaderId(reader), TrackId(5)) is None


def test_a_link_leads_nowhere_and_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    put(keeper(tmp_path), 5)
    archive, stem = PictureArchive(tmp_path, [SIDE]), stem_of(tmp_path / SIDE, TrackId(5))
    secret = tmp_path / "secret"
    secret.write_bytes(JPEG)
    stem.with_suffix(".jpg").unlink()
    stem.with_suffix(".jpg").symlink_to(secret)
    assert archive.jpeg(SIDE, TrackId(5)) is None
    stem.with_suffix(".jpg").unlink()
    os.mkfifo(stem.with_suffix(".jpg"))
    assert archive.jpeg(SIDE, TrackId(5)) is None


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".json", b""),
        (".json", b"{}"),
        (".json", b"\xff\xfe"),
        (".json", b"[" * 10_000),
        (".json", b" " * (1 << 20)),
        (".json", encode(note(6)).encode()),
        (".jpg", b""),
        (".jpg", JPEG[:-1]),
        (".jpg", b"<svg>" + JPEG[5:]),
    ],
    ids=["empty", "no note", "no text", "deep", "huge", "another's", "no picture", "cut short", "no JPEG"],
)
def test_what_is_no_whole_picture_is_none(tmp_path: Path, suffix: str, data: bytes) -> None:
    put(keeper(tmp_path), 5)
    stem_of(tmp_path / SIDE, TrackId(5)).with_suffix(suffix).write_bytes(data)
    assert PictureArchive(tmp_path, [SIDE]).jpeg(SIDE, TrackId(5)) is None


def test_the_oldest_go_by_bytes(tmp_path: Path) -> None:
    one = keeper(tmp_path, max_bytes=3 * SIZE + 20)
    assert all(put(one, track) for track in range(1, 7))
    assert tracks(tmp_path) == [4, 5, 6]
    assert not put(one, 7, picture=JPEG[:3] + b"x" * 4 * SIZE)
    assert not put(one, 8, picture=JPEG[:3] + bytes(MAX_PICTURE_BYTES))


def test_the_oldest_go_by_age(tmp_path: Path) -> None:
    one = keeper(tmp_path, max_age_s=100)
    for track, later_s in ((1, 0), (2, 60), (3, 120)):
        assert put(one, track, later_s=later_s)
    assert tracks(tmp_path) == [2, 3]
    one.trim(UtcUs(NOW + 221 * US_PER_S))
    assert tracks(tmp_path) == []
    assert os.listdir(tmp_path / SIDE) == [], "nor do empty folders stay"


def test_the_oldest_go_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_keeper, "MAX_PICTURES", 2)
    one = keeper(tmp_path)
    for track in (1, 2, 3):
        put(one, track)
    assert tracks(tmp_path) == [2, 3]


def test_a_disk_that_fills_takes_the_oldest_and_then_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others take the room: 1,000 bytes are wanted, and each picture that goes gives 400 back."""
    one = keeper(tmp_path, spare_bytes=1_000)
    taken = 0

    def free(_folder: Path) -> int:
        return 5_000 - taken - 400 * len(tracks(tmp_path))

    monkeypatch.setattr(picture_keeper, "free_bytes", free)
    for track in (1, 2, 3, 4):
        assert put(one, track)
    taken = 3_000
    one.trim(UtcUs(NOW))
    assert tracks(tmp_path) == [3, 4]
    taken = 5_000
    assert not put(one, 5)
    assert tracks(tmp_path) == []


@pytest.mark.parametrize("end", ["half a picture", "no note", "half a note", "no picture"])
def test_what_a_kill_leaves_is_taken_away(tmp_path: Path, end: str) -> None:
    one = keeper(tmp_path)
    put(one, 5)
    put(one, 6)
    stem = stem_of(tmp_path / SIDE, TrackId(6))
    picture, beside = stem.with_suffix(".jpg"), stem.with_suffix(".json")
    if end == "half a picture":
        beside.unlink()
        picture.rename(stem.with_suffix(".jpg.new"))
    elif end == "no note":
        beside.unlink()
    elif end == "half a note":
        beside.rename(stem.with_suffix(".json.new"))
    else:
        picture.unlink()
    assert PictureArchive(tmp_path, [SIDE]).jpeg(SIDE, TrackId(6)) is None
    again = keeper(tmp_path)
    assert again.pictures == 1
    assert sorted(path.name for path in stem.parent.iterdir()) == ["0000000005.jpg", "0000000005.json"]


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    one = keeper(tmp_path, max_bytes=3 * SIZE + 20)
    for track in (1, 2, 3):
        put(one, track)
    for path in (tmp_path / SIDE).rglob("*.jpg"):
        os.utime(path, (NOW // US_PER_S, NOW // US_PER_S))
    again = keeper(tmp_path, max_bytes=3 * SIZE + 20)
    assert again.pictures == 3
    put(again, 4)
    assert tracks(tmp_path) == [2, 3, 4]


def test_a_second_picture_of_a_track_replaces_the_first(tmp_path: Path) -> None:
    one = keeper(tmp_path, max_bytes=3 * SIZE + 20)
    later = JPEG[:-1] + b"y"
    put(one, 1)
    put(one, 2)
    put(one, 1, picture=later)
    assert PictureArchive(tmp_path, [SIDE]).jpeg(SIDE, TrackId(1)) == later
    assert one.pictures == 2


def test_the_line_may_give_up_the_oldest_of_a_camera_that_is_away(tmp_path: Path) -> None:
    one = keeper(tmp_path, max_bytes=5 * SIZE + 20)
    for track in (1, 2, 3, 4, 5):
        put(one, track)
    assert give_up(tmp_path, 2) == 2
    assert tracks(tmp_path) == [3, 4, 5]
    assert put(one, 6), "its keeper goes on"
    assert tracks(tmp_path) == [3, 4, 5, 6]
    assert give_up(tmp_path, 9) == 4
    assert give_up(tmp_path / "nowhere", 9) == 0


def test_files_are_their_group_s_and_nobody_else_s(tmp_path: Path) -> None:
    put(keeper(tmp_path / "pictures"), 1)
    stem = stem_of(tmp_path / "pictures" / SIDE, TrackId(1))
    for path in (stem.with_suffix(".jpg"), stem.with_suffix(".json"), stem.parent, stem.parents[1]):
        assert path.stat().st_mode & 0o007 == 0, path
