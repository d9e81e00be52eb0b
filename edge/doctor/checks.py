"""Every check: a literal table, in the order in which they are told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from edge.doctor import access, broker, cameras, clock, databases, devices, disk, plc, ports, software
from edge.doctor.findings import Finding, Words
from edge.doctor.machine import Machine


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` may be given up after ``limit_s``: it has no hold on anything that others need.

    ``can_be_long``: it has no limit where a machine is looked at whole.
    """

    name: str
    title: Words
    limit_s: float
    look: Callable[[Machine], Iterable[Finding]]
    can_be_long: bool = False


CHECKS: Final = (
    Check("python", Words("Python", "Python"), 1, software.python),
    Check("libzbar", Words("libzbar", "libzbar"), 2, software.libzbar),
    Check("opencv", Words("OpenCV", "OpenCV"), 5, software.opencv),
    Check("sqlite", Words("SQLite", "SQLite"), 1, software.sqlite),
    Check("groups", Words("users, groups", "用户与组"), 3, access.groups),
    Check("folders", Words("folders", "文件夹"), 3, access.folders),
    Check("space", Words("disk space", "磁盘空间"), 3, disk.space),
    Check("fsync", Words("fsync", "fsync"), 10, disk.fsync),
    Check("databases", Words("databases", "数据库"), 15, databases.databases, can_be_long=True),
    Check("clock", Words("clock", "时钟"), 3, clock.clock),
    Check("serial", Words("serial ports", "串口"), 3, devices.serial),
    Check("keyboards", Words("USB scanners", "USB 扫码器"), 3, devices.keyboards),
    Check("cameras", Words("cameras", "相机"), 10, cameras.cameras),
    Check("readers", Words("TCP devices", "TCP 设备"), 15, devices.readers),
    Check("plc", Words("PLC", "PLC"), 10, plc.plc),
    Check("broker", Words("broker", "消息代理"), 10, broker.broker),
    Check("ports", Words("ports", "端口"), 5, ports.ports),
)
