"""What the line is plugged into, and whether it answers. A running line is asked instead of its devices."""

import importlib.util
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import LINE_USER, Account, Machine, Wired, group_name
from line_config.model import HidSettings, SerialSettings, TcpClientSettings

CALL_S = 1.0
STABLE_NAMES = frozenset({"by-id", "by-path"})
"""Folders of udev whose names do not depend on who was plugged in first."""


def serial(machine: Machine) -> Iterator[Finding]:
    """Each serial port of the line, by a name that stays when plugs are changed."""
    ports = [one for one in machine.wired() if isinstance(one[1], SerialSettings)]
    yield from _wired(machine, ports, machine.by_id("serial"))


def keyboards(machine: Machine) -> Iterator[Finding]:
    """Each scanner that types, the same way; and the library that takes it away from the console."""
    ports = [one for one in machine.wired() if isinstance(one[1], HidSettings)]
    if ports and importlib.util.find_spec("evdev") is None:
        remedy = "pip install 'beltkeeper[hid]'"
        yield failed("evdev", "not installed", "未安装", fix=Words(remedy, remedy))
    typing = tuple(one for one in machine.by_id("input") if one.name.endswith("-event-kbd"))
    yield from _wired(machine, ports, typing)


def _wired(
    machine: Machine, ports: list[tuple[str, Wired]], plugged_in: tuple[Path, ...]
) -> Iterator[Finding]:
    known = in_words(plugged_in)
    if not ports:
        yield good("", f"none in use; {known.en}", f"未使用；{known.zh}")
    for device, connection in ports:
        if machine.devices_up is None:
            user = machine.who(LINE_USER)
            yield device_file(device, Path(connection.path), user, plugged_in)
        else:
            yield by_its_line(machine, device, connection.path)


def in_words(plugged_in: tuple[Path, ...]) -> Words:
    names = ", ".join(str(one) for one in plugged_in)
    return Words(f"plugged in: {names or 'none'}", f"已插入：{names or '无'}")


def device_file(device: str, path: Path, user: Account, plugged_in: tuple[Path, ...]) -> Finding:
    """Of a device of this machine: there, ``user`` may open it, and by a name that stays."""
    if not path.exists():
        known = in_words(plugged_in)
        fix = Words(
            f"plug it in, or correct the path in the line's file; {known.en}",
            f"请插好，或更正产线文件中的路径；{known.zh}",
        )
        return failed(device, f"{path} is not there", f"{path} 不存在", fix=fix)
    if not stat.S_ISCHR(path.stat().st_mode):
        fix = Words("correct the path in the line's file", "请更正产线文件中的路径")
        return failed(device, f"{path} is no device", f"{path} 不是设备", fix=fix)
    if not user.may_use(path):
        command = f"usermod -aG {group_name(path.stat().st_gid)} {user.name}"
        return failed(
            device,
            f"{path}: {user.name} may not open it",
            f"{path}：{user.name} 无权打开",
            fix=Words(command, command),
        )
    stays = next((one for one in plugged_in if one.resolve() == path.resolve()), None)
    if stays is not None and path.parent.name not in STABLE_NAMES:
        fix = Words(f"write {stays} into the line's file", f"请在产线文件中写 {stays}")
        return warning(
            device, f"{path} may be another device after a restart", f"{path} 重启后可能变成别的设备", fix=fix
        )
    return good(device, f"{path}", f"{path}")


def readers(machine: Machine) -> Iterator[Finding]:
    """Each device that is called over TCP answers."""
    called = [
        (device, connection)
        for device, connection in machine.connections()
        if isinstance(connection, TcpClientSettings)
    ]
    if not called:
        yield good("", "none is called over TCP", "没有需经 TCP 连接的设备")
        return
    machine.see_the_line()
    for device, connection in called:
        where = f"{connection.host}:{connection.port}"
        if machine.devices_up is not None:
            yield by_its_line(machine, device, where)
        else:
            yield answers(device, connection.host, connection.port)


def answers(device: str, host: str, port: int) -> Finding:
    """Something listens there; nothing is said to it."""
    where = f"{host}:{port}"
    try:
        socket.create_connection((host, port), CALL_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        return failed(device, f"{where}: {why}", f"{where}：{why}", fix=_reach(where))
    return good(device, f"{where} answers", f"{where} 有应答")


def by_its_line(machine: Machine, device: str, where: str) -> Finding:
    """The word of the line process that holds the device now."""
    assert machine.devices_up is not None
    if machine.devices_up.get(device, False):
        return good(device, f"{where}: up, says the running line", f"{where}：运行中的产线报告已连接")
    return failed(
        device,
        f"{where}: down, says the running line",
        f"{where}：运行中的产线报告已断开",
        fix=_reach(where),
    )


def _reach(where: str) -> Words:
    return Words(
        f"is it switched on and plugged in? does {where} stand in its settings?",
        f"是否已通电并接好线？设备设置中是否为 {where}？",
    )
