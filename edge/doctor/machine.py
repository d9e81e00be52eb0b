"""What is examined: this machine, one line's description, its data folder, and who runs on it now."""

import grp
import os
import pwd
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.store.places import Places, unix_name
from line_config.description import LineDescription
from line_config.model import (
    CameraSettings,
    HidSettings,
    ReaderConnection,
    ScaleConnection,
    SerialSettings,
    Store,
)

GROUP = "beltkeeper"
LINE_USER, CAMERA_USER, GATEWAY_USER = "beltkeeper-line", "beltkeeper-camera", "beltkeeper-gateway"
"""Of systemd/sysusers.d."""
ANSWER_S = 2.0
ANSWER_MAX_BYTES = 4 << 20
Wired = SerialSettings | HidSettings
_DEVICE_UP = re.compile(r'^beltkeeper_device_up\{device="([^"]+)"\} (\d)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Account:
    """``groups`` by number, as the account's next process has them."""

    name: str
    uid: int
    groups: frozenset[int]

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    def may_use(self, path: Path) -> bool:
        """Reads and writes it, by the mode bits of a device file, a socket or a folder."""
        found = path.stat()
        if self.is_root:
            return True
        if found.st_uid == self.uid:
            return found.st_mode & 0o600 == 0o600
        if found.st_gid in self.groups:
            return found.st_mode & 0o060 == 0o060
        return found.st_mode & 0o006 == 0o006


def account(name: str) -> Account | None:
    """None where there is no such user."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, found.pw_uid, frozenset(os.getgrouplist(name, found.pw_gid)))


def this_account() -> Account:
    """Who runs the program, with the groups that this process has."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, frozenset((os.getegid(), *os.getgroups())))


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """``line`` None: only what does not depend on one is examined.

    ``devices_up``: which links of a running line process are up, by its own word; None where none runs.
    A device whose line runs belongs to that line, and is not opened here; nor is it where ``unseen`` is why
    nobody can tell whether one runs. ``whole``: what takes long is
    looked at to its end.
    """

    line: LineDescription | None
    data: Path
    devices_up: Mapping[str, bool] | None = None
    unseen: PermissionError | None = None
    gateway_runs: bool = False
    whole: bool = False
    dev: Path = field(default=Path("/dev"))

    @classmethod
    def now(cls, line: LineDescription | None, data: Path, *, whole: bool = False) -> "Machine":
        places = Places(data)
        devices_up, unseen = None, None
        try:
            devices_up = _devices_up(places.line_metrics)
        except PermissionError as error:
            unseen = PermissionError(error.errno, error.strerror, str(places.line_metrics))
        return cls(
            line=line,
            data=data,
            devices_up=devices_up,
            unseen=unseen,
            gateway_runs=_is_heard(places.gateway_bell),
            whole=whole,
        )

    def see_the_line(self) -> None:
        """Before a device is opened. Raises ``PermissionError`` where a line may run and hold it."""
        if self.unseen is not None:
            raise self.unseen

    @property
    def store(self) -> Store:
        return Store() if self.line is None else self.line.file.store

    def who(self, unit_user: str) -> Account:
        """The unit's user where it has been made, else whoever asks."""
        return account(unit_user) or this_account()

    def connections(self) -> tuple[tuple[str, ReaderConnection | ScaleConnection], ...]:
        """Cables of the line's readers and scale, each with its device's id."""
        if self.line is None:
            return ()
        found: list[tuple[str, ReaderConnection | ScaleConnection]] = [
            (str(port.device), port.connection) for port in self.line.scanners
        ]
        if self.line.scale_port is not None:
            found.append((str(self.line.scale_port.device), self.line.scale_port.connection))
        return tuple(found)

    def wired(self) -> tuple[tuple[str, Wired], ...]:
        """Those that are a device of this machine."""
        return tuple(
            (device, connection)
            for device, connection in self.connections()
            if isinstance(connection, SerialSettings | HidSettings)
        )

    def by_id(self, kind: str) -> tuple[Path, ...]:
        """Devices of this machine by names that stay: ``kind`` serial, v4l (cameras) or input."""
        folder = self.dev / kind / "by-id"
        return tuple(sorted(one for one in folder.iterdir() if one.exists())) if folder.is_dir() else ()

    def cameras(self) -> tuple[tuple[str, CameraSettings], ...]:
        """The line's own, each with its device's id."""
        return tuple(
            (device, connection)
            for device, connection in self.connections()
            if isinstance(connection, CameraSettings)
        )

    def plugged_cameras(self) -> tuple[Path, ...]:
        """One camera has several nodes, of which the first gives pictures."""
        return tuple(one for one in self.by_id("v4l") if one.name.endswith("-index0"))


def nearest_folder(path: Path) -> Path:
    """The folder itself, or the first above it that exists."""
    for one in (path, *path.absolute().parents):
        if one.is_dir():
            return one
    return Path("/")


def _is_heard(bell: Path) -> bool:
    """Whether a process listens at a doorbell; nothing is sent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            with unix_name(bell) as name:
                probe.connect(name)
        except OSError:
            return False
    return True


def _devices_up(metrics: Path) -> dict[str, bool] | None:
    """Asks a running line; None where nobody answers. Raises ``PermissionError`` where it may not ask."""
    said = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(ANSWER_S)
        try:
            with unix_name(metrics) as name:
                asked.connect(name)
            asked.sendall(b"GET /metrics HTTP/1.1\r\nHost: line\r\n\r\n")
            while (part := asked.recv(65_536)) and len(said) < ANSWER_MAX_BYTES:
                said += part
        except PermissionError:
            raise
        except OSError:
            return None
    return {device: up == "1" for device, up in _DEVICE_UP.findall(said.decode(errors="replace"))}
