"""systemd/: the units parse, are shut in, start commands that exist, and their users share what they must."""

import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from edge.cli import app
from edge.doctor.access import FOLDER_BITS
from edge.doctor.machine import CAMERA_USER, GATEWAY_USER, GROUP, LINE_USER

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNITS = sorted((SYSTEMD / "system").glob("*.service"))
EXPOSURE_LIMIT = 1.5
USERS = {
    "beltkeeper-line.service": LINE_USER,
    "beltkeeper-gateway.service": GATEWAY_USER,
    "beltkeeper-camera@.service": CAMERA_USER,
}
DEVICE_GROUPS = {LINE_USER: {"dialout", "input"}, CAMERA_USER: {"video"}, GATEWAY_USER: set[str]()}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here (Debian package systemd)")
    return found


def named(path: Path) -> str:
    return path.name


def settings(unit: Path) -> dict[str, list[str]]:
    """Key → values in order; sections have no key twice with different meanings here."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_there_is_a_unit_for_each_process() -> None:
    assert {unit.name for unit in UNITS} == set(USERS)


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_is_shut_in(unit: Path) -> None:
    done = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE_LIMIT, done.stdout


def test_the_line_goes_first() -> None:
    """systemd.resource-control(5): once any unit has a weight or a quota, each has a group of its own, and
    nice values count within a group only."""
    found = {unit.name: settings(unit) for unit in UNITS}
    line = found.pop("beltkeeper-line.service")
    for other in found.values():
        assert int(line["CPUWeight"][0]) >= 10 * int(other["CPUWeight"][0])
        assert int(line["Nice"][0]) < int(other["Nice"][0])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Debian: its targets and groups, and our files where docs/operation.md puts them."""
    where = tmp_path_factory.mktemp("root")
    program = where / "opt" / "beltkeeper" / "bin" / "beltkeeper"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = where / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for unit in UNITS:
        shutil.copy(unit, units / unit.name.replace("@.", "@top."))
    (where / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (where / "etc" / "group").write_text("root:x:0:\ndialout:x:20:\nvideo:x:44:\ninput:x:101:\n")
    return where


def test_the_units_parse_without_a_word(root: Path) -> None:
    analyze = tool("systemd-analyze")
    targets = Path("/usr/lib/systemd/system")
    if not (targets / "sysinit.target").exists():
        pytest.skip("systemd's own targets are not here (Debian package systemd)")
    own = root / "usr" / "lib" / "systemd" / "system"
    own.mkdir(parents=True)
    for target in targets.glob("*.target"):
        shutil.copy(target, own)
    units = sorted((root / "etc" / "systemd" / "system").iterdir())
    done = subprocess.run(
        [analyze, "verify", "--man=no", f"--root={root}", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "beltkeeper" in line]
    assert said == [], done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    (start,) = settings(unit)["ExecStart"]
    program, name, *arguments = shlex.split(start.replace("%i", "top"))
    assert program == "/opt/beltkeeper/bin/beltkeeper"
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    group.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_is_kept_up_and_watched(unit: Path) -> None:
    found = settings(unit)
    assert (found["Type"], found["Restart"]) == (["notify"], ["always"])
    assert int(found["WatchdogSec"][0]) <= 10
    assert found["StartLimitIntervalSec"] == ["0"], "it never gives up"
    assert found["RestartPreventExitStatus"] == ["2"], "but for a description that does not hold"
    assert found["UMask"] == ["0007"]


@pytest.mark.parametrize("unit", UNITS, ids=named)
def test_a_unit_has_the_user_and_the_devices_that_it_is_for(unit: Path) -> None:
    found, user = settings(unit), USERS[unit.name]
    assert (found["User"], found["Group"]) == ([user], [GROUP])
    groups = set(" ".join(found.get("SupplementaryGroups", [])).split())
    assert groups == DEVICE_GROUPS[user]
    assert found["DevicePolicy"] == ["closed"]
    assert bool(found.get("DeviceAllow")) == bool(groups)
    assert (found.get("PrivateNetwork") == ["yes"]) == (user == CAMERA_USER)
    assert (found.get("PrivateDevices") == ["yes"]) == (user == GATEWAY_USER)


def test_a_unit_writes_where_its_state_is_and_nowhere_else() -> None:
    writes = {unit.name: settings(unit)["ReadWritePaths"] for unit in UNITS}
    assert writes == {
        "beltkeeper-line.service": ["/var/lib/beltkeeper"],
        "beltkeeper-gateway.service": ["/var/lib/beltkeeper"],
        "beltkeeper-camera@.service": ["/var/lib/beltkeeper/cameras /var/lib/beltkeeper/pictures"],
    }
    gateway = settings(SYSTEMD / "system" / "beltkeeper-gateway.service")
    assert gateway["ReadOnlyPaths"] == ["-/var/lib/beltkeeper/pictures"]


def test_users_groups_and_folders_are_made(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("users and folders of others are made by root only")
    for name, file, *options in (
        ("systemd-sysusers", "sysusers.d/beltkeeper.conf"),
        ("systemd-tmpfiles", "tmpfiles.d/beltkeeper.conf", "--create"),
    ):
        command = [tool(name), f"--root={root}", *options, str(SYSTEMD / file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    users = {
        row.split(":")[0]: int(row.split(":")[2]) for row in (root / "etc/passwd").read_text().splitlines()
    }
    rows = [row.split(":") for row in (root / "etc/group").read_text().splitlines()]
    members = {name: set(who.split(",")) - {""} for name, _, _, who in rows}
    number = {name: int(gid) for name, _, gid, _ in rows}
    assert members[GROUP] == set(USERS.values()) <= set(users)
    for user, groups in DEVICE_GROUPS.items():
        assert {name for name in ("dialout", "input", "video") if user in members[name]} == groups
    data = root / "var" / "lib" / "beltkeeper"
    for folder, owner in (
        (data, "root"),
        (data / "journal", LINE_USER),
        (data / "inbox", GATEWAY_USER),
        (data / "gateway", GATEWAY_USER),
        (data / "cameras", CAMERA_USER),
        (data / "pictures", CAMERA_USER),
    ):
        status = folder.stat()
        assert stat.S_IMODE(status.st_mode) == FOLDER_BITS, folder
        assert (status.st_uid, status.st_gid) == (users[owner], number[GROUP]), folder


def test_every_udev_rule_matches_something_and_does_something() -> None:
    rules = [
        line
        for line in (SYSTEMD / "udev" / "60-beltkeeper.rules").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(rules) == 3
    for rule in rules:
        parts = [
            re.fullmatch(r'([A-Z]+)(\{[\w/]+\})?(==|!=|=|\+=)"([^"]*)"', part) for part in rule.split(", ")
        ]
        assert all(parts), rule
        operators = [part[3] for part in parts if part]
        assert operators.index("=") > 0, "matches come first"
        assert all(one in {"==", "!="} for one in operators[: operators.index("=")])
        keys = {part[1] for part in parts if part}
        assert keys <= {"ACTION", "SUBSYSTEM", "DRIVER", "ATTR", "KERNEL", "ENV", "TEST"}
