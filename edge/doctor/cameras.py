"""The line's cameras: each source is there, and each camera's process answers where the line asks it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from edge.doctor.devices import answers, by_its_line, device_file, in_words
from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import CAMERA_USER, Machine
from edge.store.places import Places, unix_name
from line_config.model import CameraSettings, FolderFrames, SimulatedFrames, StreamFrames, V4l2Frames

CALL_S = 1.0
STREAM_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""Where the address names none (RFC 7826, RFC 9110)."""


def cameras(machine: Machine) -> Iterator[Finding]:
    if not machine.cameras():
        known = in_words(machine.plugged_cameras())
        yield good("", f"none in use; {known.en}", f"未使用；{known.zh}")
        return
    machine.see_the_line()
    for device, settings in machine.cameras():
        if machine.devices_up is not None:
            yield by_its_line(machine, device, settings.source.kind)
            continue
        yield _source(machine, device, settings)
        if settings.started_by == "service":
            yield _process(machine, device, settings)


def _source(machine: Machine, device: str, settings: CameraSettings) -> Finding:
    source = settings.source
    match source:
        case V4l2Frames():
            user = machine.who(CAMERA_USER)
            return device_file(device, Path(source.path), user, machine.plugged_cameras())
        case StreamFrames():
            return _stream(device, source.url)
        case FolderFrames():
            return _there(device, Path(source.path))
        case SimulatedFrames():
            return _there(device, Path(source.socket))
        case _:
            assert_never(source)


def _stream(device: str, url: str) -> Finding:
    """What its address says beside host and port may be a secret: it is not repeated."""
    try:
        address = urlsplit(url)
        port = address.port or STREAM_PORTS[address.scheme]
    except ValueError as error:
        fix = Words("correct the address in the line's file", "请更正产线文件中的地址")
        return failed(device, f"no address: {error}", f"地址有误：{error}", fix=fix)
    return answers(device, address.hostname or "", port)


def _there(device: str, path: Path) -> Finding:
    if path.exists():
        return good(device, f"{path}", f"{path}")
    fix = Words("correct the path in the line's file", "请更正产线文件中的路径")
    return failed(device, f"{path} is not there", f"{path} 不存在", fix=fix)


def _process(machine: Machine, device: str, settings: CameraSettings) -> Finding:
    """Asked only while no line runs: a camera answers its latest caller alone."""
    path = Places(machine.data).camera(device, settings.socket)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller, unix_name(path) as name:
            caller.settimeout(CALL_S)
            caller.connect(name)
    except OSError as error:
        command = f"systemctl enable --now beltkeeper-camera@{device}"
        why = error.strerror or str(error)
        return warning(
            device,
            f"its process does not answer: {why}",
            f"其进程没有应答：{why}",
            fix=Words(command, command),
        )
    return good(device, "its process answers", "其进程有应答")
