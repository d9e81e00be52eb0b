"""Who may open what: the groups of the users that the units run as, and the folders between them."""

from collections.abc import Iterator
from pathlib import Path

from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import (
    CAMERA_USER,
    GATEWAY_USER,
    GROUP,
    LINE_USER,
    Account,
    Machine,
    account,
    group_name,
)
from edge.store.places import Places

SYSUSERS = Words(
    "systemd-sysusers (see docs/operation.md); until then the units do not start",
    "systemd-sysusers（见 docs/operation.md）；在此之前各单元无法启动",
)
FOLDER_BITS = 0o2770
"""Set-group, so that what one unit makes belongs to the group of all of them; nothing for others."""


def groups(machine: Machine) -> Iterator[Finding]:
    """Each unit's user is there and may open what it is for."""
    missing: list[str] = []
    for name, needed in (
        (LINE_USER, _ports(machine)),
        (CAMERA_USER, machine.plugged_cameras()),
        (GATEWAY_USER, ()),
    ):
        user = account(name)
        if user is not None:
            yield _user_groups(user, needed)
        else:
            missing.append(name)
    if missing:
        names = ", ".join(missing)
        yield warning("", f"no such user: {names}", f"没有用户：{names}", fix=SYSUSERS)


def _ports(machine: Machine) -> tuple[Path, ...]:
    paths = (Path(connection.path) for _, connection in machine.wired())
    return tuple(path for path in paths if path.exists())


def _user_groups(user: Account, needed: tuple[Path, ...]) -> Finding:
    lacks = sorted({group_name(path.stat().st_gid) for path in needed if not user.may_use(path)})
    if GROUP not in {group_name(gid) for gid in user.groups}:
        lacks.insert(0, GROUP)
    if lacks:
        names = ", ".join(lacks)
        command = "; ".join(f"usermod -aG {one} {user.name}" for one in lacks)
        return failed(
            user.name,
            f"is not in group {names}",
            f"不在组 {names} 中",
            fix=Words(f"{command}; then restart its unit", f"{command}；然后重启其单元"),
        )
    names = ", ".join(sorted(group_name(gid) for gid in user.groups))
    return good(user.name, f"in {names}", f"属于组 {names}")


def folders(machine: Machine) -> Iterator[Finding]:
    """The data folder, those of the databases and of the no-read archive: group and mode."""
    places = Places(machine.data)
    own = (machine.data, places.inbox.parent, places.journal.parent, places.gateway.parent)
    found = [one for one in (*own, places.pictures) if one.exists()]
    if not found:
        fix = Words(
            "systemd-tmpfiles --create (see docs/operation.md), or --data with the folder in use",
            "systemd-tmpfiles --create（见 docs/operation.md），或用 --data 指定正在使用的文件夹",
        )
        yield warning(str(machine.data), "not there yet", "尚不存在", fix=fix)
    for folder in found:
        camera = (CAMERA_USER,) if folder == places.pictures else ()
        yield _folder(folder, machine, (LINE_USER, GATEWAY_USER, *camera))


def _folder(folder: Path, machine: Machine, writers: tuple[str, ...]) -> Finding:
    if not folder.is_dir():
        remedy = f"rm {folder}"
        return failed(str(folder), "is no folder", "不是文件夹", fix=Words(remedy, remedy))
    status = folder.stat()
    mode, group = status.st_mode & 0o7777, group_name(status.st_gid)
    shown = f"{mode:04o} {group}"
    for name in writers:
        user = machine.who(name)
        if not user.may_use(folder):
            command = f"chgrp {GROUP} {folder} && chmod {FOLDER_BITS:o} {folder}"
            return failed(
                str(folder),
                f"{shown}: {user.name} cannot write it",
                f"{shown}：{user.name} 无法写入",
                fix=Words(command, command),
            )
    if mode & 0o007:
        command = f"chmod {FOLDER_BITS:o} {folder}"
        return warning(
            str(folder), f"{shown}: open to everyone", f"{shown}：对所有人开放", fix=Words(command, command)
        )
    return good(str(folder), shown, shown)
