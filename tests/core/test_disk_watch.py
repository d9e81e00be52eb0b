"""Too little room on the record's disk stops induction once, and gives up the ballast in time."""

from pathlib import Path

import pytest

from edge.model.events import Event, HoldCleared, HoldRaised, WarningCleared, WarningRaised
from edge.model.units import UtcUs
from edge.runtime.disk_watch import DiskWatch
from edge.store import disk as disk_module
from edge.store.disk import RecordDisk
from edge.store.picture_keeper import PictureKeeper
from edge.store.pictures import tracks_in
from tests.core.runtime_kit import Posted, clock, logs, virtual
from tests.core.test_pictures import JPEG, note


class Disk:
    """1,000 bytes are wanted; the ballast has 300."""

    wanted_bytes = 1_000

    def __init__(self) -> None:
        self.free = 5_000
        self.has_ballast = True
        self.pictures = 0

    def free_bytes(self) -> int:
        return self.free

    @property
    def nearly_full(self) -> bool:
        return self.free < 250

    def give_up_pictures(self) -> int:
        gone, self.pictures = self.pictures, 0
        return gone

    def give_up(self) -> None:
        self.has_ballast = False
        self.free += 300


ROOM = [
    # free before, what is posted, ballast after
    (4_000, "", True),
    (3_999, "WarningRaised disk_short", True),
    (4_000, "", True),
    (4_499, "", True),
    (4_500, "WarningCleared disk_short", True),
    (1_000, "WarningRaised disk_short", True),
    (999, "HoldRaised disk_low", True),
    (400, "", True),
    (1_124, "", True),
    (1_125, "HoldCleared disk_low", True),
    (900, "HoldRaised disk_low", True),
    (249, "", False),
    (100, "", False),
    (9_000, "WarningCleared disk_short, HoldCleared disk_low", False),
    (10, "WarningRaised disk_short, HoldRaised disk_low", False),
]


def test_warning_hold_ballast_and_logs_follow_the_room() -> None:
    disk = Disk()

    async def main() -> list[tuple[int, str, bool]]:
        posted = Posted()
        watch = DiskWatch(disk, posted, clock())
        seen = []
        for free, _, _ in ROOM:
            disk.free = free
            watch.look()
            seen.append((free, ", ".join(said(event) for event in posted.take()), disk.has_ballast))
        return seen

    with logs() as told_logs:
        assert virtual(main) == ROOM
    assert [log["event"] for log in told_logs] == [
        "disk runs short",
        "disk has room for long",
        "disk runs short",
        "disk is low: induction off",
        "disk has room again",
        "disk is low: induction off",
        "disk is nearly full: the ballast is given up",
        "disk has room for long",
        "disk has room again",
        "disk runs short",
        "disk is low: induction off",
    ]


def said(event: Event) -> str:
    assert isinstance(event, HoldRaised | HoldCleared | WarningRaised | WarningCleared)
    return f"{type(event).__name__} {event.cause.value}"


@pytest.mark.parametrize(("free", "left"), [(2_000, 3), (1_999, 0), (999, 0)])
def test_pictures_go_before_induction_stops(free: int, left: int) -> None:
    disk = Disk()
    disk.free, disk.pictures = free, 3

    async def main() -> list[str]:
        posted = Posted()
        watch = DiskWatch(disk, posted, clock())
        watch.look()
        watch.look()
        return [said(event) for event in posted.take()]

    with logs() as told:
        posted = virtual(main)
    assert disk.pictures == left
    assert ("HoldRaised disk_low" in posted) is (free < 1_000)
    given_up = [log["pictures"] for log in told if log["event"].startswith("pictures")]
    assert given_up == ([] if left else [3])


def test_a_disk_that_is_gone_ends_the_task(tmp_path: Path) -> None:
    async def main() -> None:
        gone = RecordDisk(tmp_path / "gone", tmp_path, wanted_bytes=1, ballast_bytes=1)
        await DiskWatch(gone, Posted(), clock()).run()

    with pytest.raises(FileNotFoundError):
        virtual(main)


MIB = 1 << 20


@pytest.mark.parametrize(
    ("free_mib", "before", "after"),
    [(200, False, True), (129, False, False), (129, True, True), (24, True, False), (24, False, False)],
    ids=["room for one", "none to spare", "kept while low", "given up", "nothing to give"],
)
def test_a_start_makes_or_gives_up_the_ballast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mib: int, before: bool, after: bool
) -> None:
    disk = RecordDisk(tmp_path, tmp_path / "pictures", wanted_bytes=100 * MIB, ballast_bytes=30 * MIB)
    if before:
        (tmp_path / "ballast").write_bytes(b"x")
    monkeypatch.setattr(disk_module, "free_bytes", lambda _folder: free_mib * MIB)
    disk.prepare()
    assert disk.has_ballast is after
    if after and not before:
        ballast = (tmp_path / "ballast").stat()
        assert ballast.st_size == 30 * MIB
        assert ballast.st_blocks * 512 >= 30 * MIB, "room is taken, not only promised"


def test_a_ballast_that_finds_no_room_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RecordDisk(tmp_path, tmp_path / "pictures", wanted_bytes=1, ballast_bytes=1 << 60)
    monkeypatch.setattr(disk_module, "free_bytes", lambda _folder: 1 << 62)
    with pytest.raises(OSError, match=r"."):
        disk.prepare()
    assert not disk.has_ballast


def test_pictures_on_the_record_s_disk_go_a_number_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, journal = tmp_path / "pictures", tmp_path / "journal"
    disk = RecordDisk(journal, pictures, wanted_bytes=1, ballast_bytes=1)
    journal.mkdir()
    assert disk.give_up_pictures() == 0, "there are none"
    keeper = PictureKeeper(pictures / "side", max_bytes=1 << 30, max_age_s=1 << 30, spare_bytes=0)
    keeper.open()
    for track in (1, 2, 3):
        assert keeper.put(note(track), JPEG, UtcUs(0))
    monkeypatch.setattr(disk_module, "PICTURES_AT_ONCE", 2)
    assert disk.give_up_pictures() == 2
    assert list(tracks_in(pictures / "side")) == [3]
    elsewhere = RecordDisk(Path("/proc"), pictures, wanted_bytes=1, ballast_bytes=1)
    assert elsewhere.give_up_pictures() == 0, "another file system has no room from it"
    assert list(tracks_in(pictures / "side")) == [3]
