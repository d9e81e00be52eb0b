"""The doctor's checks on machines made up for them; what needs sockets is in the wire lane."""

import importlib.metadata
import os
import sqlite3
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.doctor import (
    Machine,
    Verdict,
    access,
    cameras,
    clock,
    databases,
    devices,
    disk,
    software,
)
from edge.doctor.machine import Account, group_name, nearest_folder, this_account
from edge.store.journal_reader import JournalReader
from line_config import load_line
from line_config.model import CameraSettings, HidSettings
from tests.core import store_kit
from tests.core.doctor_kit import told

DEMO = load_line("demo")
NOBODY = Account("nobody", 65_534, frozenset({65_534}))
ROOT = Account("root", 0, frozenset({0}))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "dev").mkdir()
    return Machine(line=DEMO, data=tmp_path / "data", dev=tmp_path / "dev")


def serial_at(path: Path) -> Machine:
    line = load_line("demo", [f"scale.connection.path={path}"])
    return Machine(line=line, data=path.parent, dev=path.parent)


# -- software


@pytest.mark.parametrize(
    ("version", "name", "verdict"),
    [
        ((3, 11, 2), "CPython", "good"),
        ((3, 13, 9), "CPython", "good"),
        ((3, 10, 12), "CPython", "failed"),
        ((3, 14, 0), "CPython", "warning"),
        ((3, 11, 2), "PyPy", "failed"),
    ],
)
def test_python(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, version: tuple[int, ...], name: str, verdict: str
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr("platform.python_implementation", lambda: name)
    [(found, said)] = told(software.python(machine))
    assert found == verdict
    assert ".".join(map(str, version)) in said


@pytest.mark.parametrize(
    ("version", "verdict", "says"),
    [((3, 36, 0), "failed", "too old"), ((3, 40, 1), "good", "race"), ((3, 51, 3), "good", "SQLite 3.51.3")],
)
def test_sqlite(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, version: tuple[int, ...], verdict: str, says: str
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    [(found, said)] = told(software.sqlite(machine))
    assert (found, says in said) == (verdict, True)


def test_libzbar_is_missed_where_there_are_cameras(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(software, "ZBAR", "libno-such-library.so.0")
    assert told(software.libzbar(machine))[0][0] == "good"
    camera = machine.dev / "v4l" / "by-id" / "usb-maker_cam-video-index0"
    camera.parent.mkdir(parents=True)
    camera.symlink_to("/dev/null")
    assert told(software.libzbar(machine))[0][0] == "warning"


@pytest.mark.parametrize(
    ("packages", "verdict"),
    [
        ((), "good"),
        (("opencv-python-headless",), "good"),
        (("opencv-python", "opencv-python-headless"), "failed"),
    ],
)
def test_opencv_twice_is_seen(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, packages: tuple[str, ...], verdict: str
) -> None:
    def distributions() -> Iterator[SimpleNamespace]:
        for name in packages:
            metadata = Message()
            metadata["Name"] = name
            yield SimpleNamespace(metadata=metadata, version="4.13.0")

    monkeypatch.setattr(importlib.metadata, "distributions", distributions)
    [(found, said)] = told(software.opencv(machine))
    assert found == verdict
    assert all(name in said for name in packages)


# -- users and folders


def test_users_that_are_not_there_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.setattr(access, "account", lambda name: None)
    [(verdict, said)] = told(access.groups(machine))
    assert verdict == "warning"
    assert said.count("beltkeeper-") == 3


def test_each_user_is_in_the_groups_of_what_it_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.write_text("")
    port.chmod(0o660)
    machine = serial_at(port)
    gid = port.stat().st_gid
    users = {
        "beltkeeper-line": Account("beltkeeper-line", 901, frozenset({901})),
        "beltkeeper-camera": Account("beltkeeper-camera", 902, frozenset({902})),
        "beltkeeper-gateway": Account("beltkeeper-gateway", 903, frozenset({903})),
    }
    monkeypatch.setattr(access, "account", users.get)
    monkeypatch.setattr(access, "group_name", lambda number: "dialout" if number == gid else "beltkeeper")
    found = told(access.groups(machine))
    assert found[0] == ("failed", "beltkeeper-line: is not in group dialout")
    assert [verdict for verdict, _ in found[1:]] == ["good", "good"]
    [lacking, *_] = access.groups(machine)
    assert lacking.fix is not None
    assert "usermod -aG dialout beltkeeper-line" in lacking.fix.en
    users["beltkeeper-line"] = Account("beltkeeper-line", 901, frozenset({901, gid}))
    assert told(access.groups(machine))[0][0] == "good"


def test_an_account_may_use_what_its_mode_bits_allow(tmp_path: Path) -> None:
    path = tmp_path / "device"
    path.write_text("")
    owner, group = path.stat().st_uid, path.stat().st_gid
    rows = [
        (0o600, Account("owner", owner, frozenset()), True),
        (0o660, Account("member", 4_711, frozenset({group})), True),
        (0o640, Account("member", 4_711, frozenset({group})), False),
        (0o660, Account("other", 4_711, frozenset({4_711})), False),
        (0o666, Account("other", 4_711, frozenset({4_711})), True),
        (0o000, ROOT, True),
    ]
    for mode, account, may in rows:
        path.chmod(mode)
        assert account.may_use(path) is may, f"{mode:o} {account}"


def test_folders(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(Machine, "who", lambda self, name: replace(this_account(), name=name))
    assert told(access.folders(machine)) == [("warning", f"{machine.data}: not there yet")]
    journal = machine.data / "journal"
    journal.mkdir(parents=True)
    group = group_name(journal.stat().st_gid)
    for folder in (machine.data, journal):
        folder.chmod(0o2770)
    assert [verdict for verdict, _ in told(access.folders(machine))] == ["good", "good"]
    journal.chmod(0o2777)
    assert told(access.folders(machine))[1] == ("warning", f"{journal}: 2777 {group}: open to everyone")
    monkeypatch.setattr(Machine, "who", lambda self, name: replace(NOBODY, name=name))
    journal.chmod(0o2770)
    verdict, said = told(access.folders(machine))[0]
    assert verdict == "failed"
    assert "beltkeeper-line cannot write it" in said


def test_pictures_are_their_cameras_to_write(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    pictures = machine.data / "pictures"
    pictures.mkdir(parents=True)
    for folder in (machine.data, pictures):
        folder.chmod(0o2770)
    users = {"beltkeeper-camera": NOBODY}
    monkeypatch.setattr(
        Machine, "who", lambda self, name: replace(users.get(name, this_account()), name=name)
    )
    (verdict, _), (wrong, said) = told(access.folders(machine))
    assert (verdict, wrong) == ("good", "failed")
    assert said.endswith("beltkeeper-camera cannot write it")


def test_a_file_where_a_folder_should_be(machine: Machine) -> None:
    machine.data.write_text("")
    assert told(access.folders(machine)) == [("failed", f"{machine.data}: is no folder")]


# -- disk


Room = namedtuple("Room", "f_bavail f_frsize")


@pytest.mark.parametrize(
    ("free_mib", "kind", "verdict", "says"),
    [
        (5_000, "ext4", "good", "5000 MiB"),
        (500, "ext4", "failed", "induction is off"),
        (550, "ext4", "warning", "ballast"),
        (5_000, "tmpfs", "warning", "gone after a restart"),
        (5_000, "nfs4", "failed", "cannot hold"),
        (5_000, "vfat", "failed", "cannot hold"),
    ],
)
def test_room_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, free_mib: int, kind: str, verdict: str, says: str
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: Room(free_mib, 1 << 20))
    monkeypatch.setattr(disk, "_file_system", lambda _: kind)
    [(found, said)] = told(disk.space(machine))
    assert found == verdict
    assert says in said


def test_the_kind_of_a_file_system_is_the_kernels_word() -> None:
    assert disk._file_system(Path("/proc")) == "proc"


def test_fsync_is_measured_and_leaves_nothing(machine: Machine) -> None:
    machine.data.mkdir()
    [(verdict, said)] = told(disk.fsync(machine))
    assert verdict in {"good", "warning"}
    assert "median" in said
    assert list(machine.data.iterdir()) == []


@pytest.mark.parametrize(
    ("took_ms", "verdict"),
    [([1.0, 2.0, 3.0], "good"), ([30.0, 40.0, 50.0], "warning"), ([1.0, 1.0, 1_500.0], "failed")],
)
def test_a_slow_disk_is_said(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, took_ms: list[float], verdict: str
) -> None:
    monkeypatch.setattr(disk, "_sync_times", lambda _: took_ms)
    assert told(disk.fsync(machine))[0][0] == verdict


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    def refused(_: Path) -> list[float]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "_sync_times", refused)
    assert told(disk.fsync(machine)) == [("failed", f"{nearest_folder(machine.data)}: Permission denied")]


# -- databases and clock


def recorded(data: Path, midnight: int = store_kit.MIDNIGHT) -> Path:
    path = data / "journal" / "journal.db"
    scribe = store_kit.Scribe(path)
    scribe.write(store_kit.clock(1, midnight))
    scribe.write(*store_kit.parcel_life(1, 10_000_000, "SF0000000000001"))
    scribe.close()
    return path


def spoilt(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


DAMAGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("none", lambda path: None, "undamaged"),
    (
        "a row changed",
        lambda path: spoilt(path, "UPDATE event SET body=replace(body, '1', '2') WHERE seq=5"),
        "row 5 is not what was written",
    ),
    ("a row gone", lambda path: spoilt(path, "DELETE FROM event WHERE seq=4"), "row 4 is not there"),
    ("no database", overwritten, "not a database"),
    (
        "another program's",
        lambda path: spoilt(path, "UPDATE alembic_version SET version_num='journal_9999'"),
        "schema journal_9999",
    ),
]


@pytest.mark.parametrize(("what", "damage", "says"), DAMAGES, ids=[row[0] for row in DAMAGES])
def test_a_damaged_record_is_seen(
    machine: Machine, what: str, damage: Callable[[Path], None], says: str
) -> None:
    damage(recorded(machine.data))
    inbox, journal = told(databases.databases(machine))
    assert inbox == (
        "good",
        f"{machine.data / 'inbox' / 'inbox.db'}: not there yet: the first start makes it",
    )
    assert journal[0] == ("good" if what == "none" else "failed")
    assert says in journal[1]


def test_a_large_record_is_read_as_far_as_time_allows(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    path = recorded(machine.data)
    monkeypatch.setattr(databases, "CHECK_S", -1.0)
    monkeypatch.setattr(databases, "STEPS", 1)
    _, journal = told(databases.databases(machine))
    assert journal[0] == "good"
    assert "NOT looked through to its end: `beltkeeper doctor LINE --whole`" in journal[1]
    assert "newest 5000 rows are as they were written" in journal[1]
    _, whole = told(databases.databases(replace(machine, whole=True)))
    assert whole == ("good", f"{path}: undamaged")
    spoilt(path, "UPDATE event SET body=replace(body, '1', '2') WHERE seq=5")
    _, broken = told(databases.databases(machine))
    assert broken == ("failed", f"{path}: damaged: row 5 is not what was written"), "the chain comes first"


def test_the_chain_of_the_newest_rows_is_looked_at_and_whole_all_of_it(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    path = recorded(machine.data)
    monkeypatch.setattr(databases, "CHAIN_ROWS", 3)
    spoilt(path, "UPDATE event SET body=replace(body, '1', '2') WHERE seq=5")
    assert told(databases.databases(machine))[1] == ("good", f"{path}: undamaged"), "an old row"
    _, whole = told(databases.databases(replace(machine, whole=True)))
    assert whole == ("failed", f"{path}: damaged: row 5 is not what was written")
    last = JournalReader(path).last_seq()
    spoilt(path, f"UPDATE event SET body=body || ' ' WHERE seq={last}")
    _, newest = told(databases.databases(machine))
    assert newest == ("failed", f"{path}: damaged: row {last} is not what was written")


def test_a_clock_before_the_records_end_fails(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(clock, "_is_agreed", lambda: True)
    recorded(machine.data)
    assert told(clock.clock(machine))[0][0] == "good"
    tomorrow = int(datetime.now(UTC).timestamp() * 1_000_000) + store_kit.DAY_US
    later = replace(machine, data=machine.data.parent / "later")
    recorded(later.data, tomorrow)
    [(verdict, said)] = told(clock.clock(later))
    assert verdict == "failed"
    assert "before the record's end" in said


def test_a_clock_that_nobody_keeps(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(clock, "_is_agreed", lambda: False)
    [(verdict, said)] = told(clock.clock(machine))
    assert verdict == "warning"
    assert "Asia/Shanghai, not synchronised" in said


# -- serial ports and cameras


def test_a_serial_port_by_a_name_that_stays(tmp_path: Path) -> None:
    by_id = tmp_path / "serial" / "by-id" / "usb-maker_adapter-if00-port0"
    by_id.parent.mkdir(parents=True)
    port = tmp_path / "ttyUSB0"
    port.symlink_to("/dev/null")
    by_id.symlink_to("../../ttyUSB0")
    assert told(devices.serial(replace(serial_at(by_id), dev=tmp_path)))[0][0] == "good"
    [finding] = devices.serial(serial_at(port))
    assert (finding.subject, finding.verdict) == ("scale", Verdict.WARNING)
    alias = by_id.with_name("usb-another_name")
    alias.symlink_to("../../ttyUSB0")
    assert told(devices.serial(replace(serial_at(by_id), dev=tmp_path)))[0][0] == "good"
    alias.unlink()
    assert finding.fix is not None
    assert str(by_id) in finding.fix.en
    [gone] = devices.serial(replace(serial_at(tmp_path / "ttyUSB7"), dev=tmp_path))
    assert gone.verdict is Verdict.FAILED
    assert gone.fix is not None
    assert str(by_id) in gone.fix.en


def test_a_serial_port_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert told(devices.serial(serial_at(tmp_path / "file")))[0][0] == "failed"


def test_a_serial_port_that_its_user_may_not_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.symlink_to("/dev/null")
    monkeypatch.setattr(Machine, "who", lambda self, name: NOBODY)
    monkeypatch.setattr(Account, "may_use", lambda self, path: False)
    [(verdict, said)] = told(devices.serial(serial_at(port)))
    assert verdict == "failed"
    assert "nobody may not open it" in said


def test_a_running_line_is_asked_instead_of_its_devices(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.symlink_to("/dev/null")
    for up, verdict in ((True, "good"), (False, "failed")):
        running = replace(serial_at(port), devices_up={"scale": up, "top": up, "plc": up})
        assert told(devices.serial(running))[0][0] == verdict
        assert told(devices.readers(running))[0][0] == verdict


def test_a_scanner_that_types_is_a_device_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert told(devices.keyboards(serial_at(tmp_path / "none"))) == [
        ("good", "none in use; plugged in: none")
    ]
    path = tmp_path / "input" / "by-id" / "usb-maker_scanner-event-kbd"
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/null")
    (path.parent / "usb-maker_mouse-event-mouse").symlink_to("/dev/null")
    port = HidSettings(kind="hid", path=str(path))
    monkeypatch.setattr(Machine, "connections", lambda self: (("top", port),))
    machine = replace(serial_at(tmp_path / "none"), dev=tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert told(devices.keyboards(machine)) == [("good", f"top: {path}")]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert told(devices.keyboards(machine))[0] == ("failed", "evdev: not installed")


def camera_at(**source: str) -> CameraSettings:
    return CameraSettings.model_validate(
        {"kind": "camera", "source": source, "exposure_us": 200, "module_um": 330, "view_mm": 400}
    )


def with_camera(machine: Machine, settings: CameraSettings, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(Machine, "connections", lambda self: (("side", settings),))
    return machine


def test_a_line_without_cameras_tells_what_is_plugged_in(machine: Machine) -> None:
    assert told(cameras.cameras(machine)) == [("good", "none in use; plugged in: none")]
    folder = machine.dev / "v4l" / "by-id"
    folder.mkdir(parents=True)
    for index in (0, 1):
        (folder / f"usb-maker_cam-video-index{index}").symlink_to("/dev/null")
    [(verdict, said)] = told(cameras.cameras(machine))
    assert (verdict, said.count("usb-maker_cam")) == ("good", 1)


def test_a_camera_of_this_machine(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    by_id = machine.dev / "v4l" / "by-id" / "usb-maker_cam-video-index0"
    by_id.parent.mkdir(parents=True)
    by_id.symlink_to("/dev/null")
    subject = with_camera(machine, camera_at(kind="v4l2", path=str(by_id)), monkeypatch)
    source, process = told(cameras.cameras(subject))
    assert source == ("good", f"side: {by_id}")
    assert process[0] == "warning"
    assert "its process does not answer" in process[1]
    monkeypatch.setattr(Account, "may_use", lambda self, path: False)
    assert told(cameras.cameras(subject))[0][0] == "failed"
    running = replace(subject, devices_up={"side": True})
    assert [verdict for verdict, _ in told(cameras.cameras(running))] == ["good"]


def test_a_camera_whose_source_is_a_folder_or_no_address(
    monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    folder = camera_at(kind="folder", path=str(machine.dev))
    assert told(cameras.cameras(with_camera(machine, folder, monkeypatch)))[0] == (
        "good",
        f"side: {machine.dev}",
    )
    gone = camera_at(kind="folder", path=str(machine.dev / "gone"))
    assert told(cameras.cameras(with_camera(machine, gone, monkeypatch)))[0][0] == "failed"
    secret = camera_at(kind="stream", url="rtsp://user:secret@camera:many/stream")
    [(verdict, said), _] = told(cameras.cameras(with_camera(machine, secret, monkeypatch)))
    assert verdict == "failed"
    assert "secret" not in said
