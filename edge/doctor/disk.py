"""The disk under the record: its kind, its room, and how long it takes to make a row durable."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import Machine, nearest_folder
from edge.store.places import Places

MIB = 1 << 20
SYNCS = 64
SYNC_BYTES = 4_096
SYNC_S = 2.0
"""No longer than this, however slow the disk."""
SYNC_WANTED_MS = 20
"""A decision is told within 50 ms (p99); the commit before it may take this much of them."""
NETWORKED = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "fuse.sshfs"})
"""SQLite's WAL needs shared memory and locks of one kernel (sqlite.org/wal.html, section 1)."""
WITHOUT_MODES = frozenset({"vfat", "exfat", "msdos"})
VOLATILE = frozenset({"tmpfs", "ramfs"})


def space(machine: Machine) -> Iterator[Finding]:
    folder = nearest_folder(machine.data)
    kind = _file_system(folder)
    status = os.statvfs(folder)
    free, wanted, ballast = (
        status.f_bavail * status.f_frsize // MIB,
        machine.store.min_free_mb,
        machine.store.ballast_mb,
    )
    shown = f"{free} MiB free on {kind}", f"{kind}，剩余 {free} MiB"
    elsewhere = Words(
        "put the data folder on a disk of this PC (ext4, xfs)", "请把数据文件夹放在本机磁盘上（ext4、xfs）"
    )
    room = Words(
        f"make room below {folder}, or set store.min_free_mb",
        f"请在 {folder} 腾出空间，或设 store.min_free_mb",
    )
    if kind in NETWORKED or kind in WITHOUT_MODES:
        yield failed(str(folder), f"{kind} cannot hold the record", f"{kind} 不能存放记录", fix=elsewhere)
    elif free < wanted:
        yield failed(
            str(folder),
            f"{shown[0]}; below {wanted} MiB induction is off",
            f"{shown[1]}；低于 {wanted} MiB 时停止上件",
            fix=room,
        )
    elif free < wanted + ballast:
        yield warning(
            str(folder),
            f"{shown[0]}; no room for the ballast of {ballast} MiB",
            f"{shown[1]}；放不下 {ballast} MiB 的压舱文件",
            fix=room,
        )
    elif kind in VOLATILE:
        yield warning(
            str(folder), f"{shown[0]}: gone after a restart", f"{shown[1]}：重启即丢失", fix=elsewhere
        )
    else:
        yield good(str(folder), *shown)


def _file_system(folder: Path) -> str:
    """The kind of the mount that holds it (proc_pid_mountinfo(5))."""
    device = os.stat(folder).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2] == number:
            return after.split()[0]
    return "?"


def fsync(machine: Machine) -> Iterator[Finding]:
    """As a commit does: rows appended, then made durable."""
    folder = nearest_folder(Places(machine.data).journal.parent)
    try:
        took_ms = _sync_times(folder)
    except OSError as error:
        fix = Words(f"run it as a user that may write {folder}", f"请用可写 {folder} 的用户运行")
        yield failed(str(folder), f"{error.strerror}", f"{error.strerror}", fix=fix)
        return
    took_ms.sort()
    median, slowest = took_ms[len(took_ms) // 2], took_ms[-1]
    shown = (
        f"median {median:.1f} ms, slowest of {len(took_ms)} {slowest:.1f} ms",
        f"中位数 {median:.1f} 毫秒，{len(took_ms)} 次中最慢 {slowest:.1f} 毫秒",
    )
    better = Words(
        "use an SSD with power-loss protection; nothing else should write to it",
        "请使用带掉电保护的 SSD，且不与其他程序共用",
    )
    if slowest > machine.store.slow_commit_ms:
        yield failed(
            str(folder),
            f"{shown[0]}; over {machine.store.slow_commit_ms} ms induction is off",
            f"{shown[1]}；超过 {machine.store.slow_commit_ms} 毫秒即停止上件",
            fix=better,
        )
    elif median > SYNC_WANTED_MS:
        yield warning(
            str(folder),
            f"{shown[0]}; decisions will be told late",
            f"{shown[1]}；决定会来不及告知 PLC",
            fix=better,
        )
    else:
        yield good(str(folder), *shown)


def _sync_times(folder: Path) -> list[float]:
    """Milliseconds; at least one. The file is gone afterwards."""
    took: list[float] = []
    until = perf_counter() + SYNC_S
    with tempfile.TemporaryFile(dir=folder, prefix=".doctor-") as file:
        while not took or (len(took) < SYNCS and perf_counter() < until):
            began = perf_counter()
            file.write(os.urandom(SYNC_BYTES))
            file.flush()
            os.fsync(file.fileno())
            took.append((perf_counter() - began) * 1_000)
    return took
