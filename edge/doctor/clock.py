"""The wall clock: agreed with a time server, and not before the record's end."""

import ctypes
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.doctor.findings import Finding, Words, failed, good, warning
from edge.doctor.machine import Machine
from edge.store.files import open_reader
from edge.store.places import Places

TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
TIMEX_BYTES = 256
"""More than ``struct timex`` has on any 64-bit Linux (208); all zero, it asks and sets nothing."""
STEP_US = 2_000_000
"""A larger step raises the line's alarm (docs/architecture.md)."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clock(machine: Machine) -> Iterator[Finding]:
    zone = ZoneInfo("UTC" if machine.line is None else machine.line.topology.timezone)
    now = datetime.now(UTC).astimezone(zone)
    last = _end_of_record(machine)
    fix = Words(
        "apt-get install chrony (or timedatectl set-ntp true), and name a time server that is reachable",
        "apt-get install chrony（或 timedatectl set-ntp true），并配置可达的时间服务器",
    )
    shown = f"{now:%Y-%m-%d %H:%M:%S} {zone.key}"
    if last is not None and last > now + timedelta(microseconds=STEP_US):
        end = f"{last.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        yield failed(
            "", f"{shown} is before the record's end, {end}", f"{shown} 早于记录的末尾 {end}", fix=fix
        )
    elif _is_agreed():
        yield good("", f"{shown}, synchronised", f"{shown}，已同步")
    else:
        yield warning("", f"{shown}, not synchronised", f"{shown}，未同步", fix=fix)


def _is_agreed() -> bool:
    """By the kernel's word, whichever program keeps it."""
    answer: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return 0 <= answer < TIME_ERROR


def _end_of_record(machine: Machine) -> datetime | None:
    journal = Places(machine.data).journal
    try:
        if not journal.exists():
            return None
        reader = open_reader(journal)
        try:
            row = reader.execute(
                "SELECT utc_us FROM event WHERE utc_us IS NOT NULL ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        finally:
            reader.close()
    except (sqlite3.Error, OSError):  # what is wrong with the record is told by its own check
        return None
    return None if row is None else EPOCH + timedelta(microseconds=row[0])
