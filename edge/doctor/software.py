"""Interpreter and libraries."""

import ctypes
import importlib.metadata
import platform
import sqlite3
import sys
from collections.abc import Iterator

from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import Machine

PYTHON_FIRST, PYTHON_LAST = (3, 11), (3, 13)
"""All lanes pass on the first, core and line lanes up to the last."""
SQLITE_FIRST = (3, 37, 0)
"""STRICT tables."""
SQLITE_RACE_LAST = (3, 51, 2)
"""Up to here several writing connections can lose a WAL; every database here has one."""
OPENCV = frozenset(
    {"opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"}
)
"""All of them own the one folder ``cv2``."""
ZBAR = "libzbar.so.0"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def python(_: Machine) -> Iterator[Finding]:
    version = sys.version_info[:3]
    name = f"{platform.python_implementation()} {_dotted(version)}"
    wanted = f"CPython {_dotted(PYTHON_FIRST)} … {_dotted(PYTHON_LAST)}"
    fix = Words(f"make .venv anew with {wanted}", f"请用 {wanted} 重建 .venv")
    if platform.python_implementation() != "CPython" or version < PYTHON_FIRST:
        yield failed("", f"{name}: not supported", f"{name}：不受支持", fix=fix)
    elif version[:2] > PYTHON_LAST:
        yield warning("", f"{name}: later than what is tested", f"{name}：比测试过的版本新", fix=fix)
    else:
        yield good("", name, name)


def sqlite(_: Machine) -> Iterator[Finding]:
    version = sqlite3.sqlite_version_info
    name = f"SQLite {_dotted(version)}"
    if version < SQLITE_FIRST:
        fix = Words(
            f"use a Python whose SQLite is {_dotted(SQLITE_FIRST)} or later",
            f"请使用自带 SQLite {_dotted(SQLITE_FIRST)} 或更新版本的 Python",
        )
        yield failed("", f"{name} is too old", f"{name} 过旧", fix=fix)
    elif version <= SQLITE_RACE_LAST:
        yield good(
            "",
            f"{name}; its WAL-reset race cannot happen here: each database has one writing connection",
            f"{name}；此版本的 WAL 竞态在这里不会发生：每个数据库只有一个写连接",
        )
    else:
        yield good("", name, name)


def libzbar(machine: Machine) -> Iterator[Finding]:
    try:
        ctypes.CDLL(ZBAR)
    except OSError:
        if not machine.cameras() and not machine.plugged_cameras():
            yield good("", "not installed, not needed: no camera", "未安装，也不需要：没有相机")
            return
        fix = Words("apt-get install libzbar0", "apt-get install libzbar0")
        yield warning(
            "",
            f"{ZBAR} is not there: labels are read by one engine, with two agreeing frames",
            f"没有 {ZBAR}：面单只由一个引擎读取，需两帧一致",
            fix=fix,
        )
    else:
        yield good("", f"{ZBAR} is there", f"已安装 {ZBAR}")


def opencv(machine: Machine) -> Iterator[Finding]:
    found = sorted(
        f"{name} {one.version}"
        for one in importlib.metadata.distributions()
        if (name := (one.metadata["Name"] or "").lower()) in OPENCV
    )
    names = ", ".join(found)
    if len(found) > 1:
        packages = " ".join(one.split()[0] for one in found)
        remedy = f"pip uninstall {packages}; pip install opencv-python-headless"
        yield failed(
            "",
            f"{len(found)} OpenCV packages overwrite each other's cv2: {names}",
            f"装有 {len(found)} 个 OpenCV 包，互相覆盖 cv2：{names}",
            fix=Words(remedy, remedy),
        )
    elif found:
        yield good("", names, names)
    elif machine.cameras():
        remedy = "pip install opencv-python-headless"
        yield failed("", "no OpenCV, but cameras", "有相机，但没有 OpenCV", fix=Words(remedy, remedy))
    else:
        yield good("", "none, and none is needed", "没有，也不需要")
