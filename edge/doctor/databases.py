"""The databases: readable, of this program's schema, undamaged, and the record's chain unbroken."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from edge.doctor.findings import Finding, Words, failed, good
from edge.doctor.machine import Machine
from edge.store.chain import link
from edge.store.errors import SchemaMismatch
from edge.store.files import open_reader
from edge.store.places import Places
from edge.store.schema import check_schema

CHECK_S = 3.0
"""A read transaction keeps the writer's WAL from being cut back: it must be short."""
STEPS = 10_000
"""Of SQLite's machine, between two looks at the time."""
CHAIN_ROWS = 5_000
"""Newest rows of the log whose chain is computed anew."""


class _OutOfTime(Exception):
    """So far nothing was found."""


def databases(machine: Machine) -> Iterator[Finding]:
    places = Places(machine.data)
    for store, path in (("inbox", places.inbox), ("journal", places.journal), ("gateway", places.gateway)):
        if store == "gateway" and not path.exists():
            continue  # made where something is relayed
        if not path.exists():
            yield good(str(path), "not there yet: the first start makes it", "尚不存在：首次启动时建立")
            continue
        yield _database(store, path)


def _database(store: str, path: Path) -> Finding:
    upgrade = Words(
        "start the process that writes it (line or gateway) from this same version",
        "请用同一版本启动写入它的进程（产线或网关）",
    )
    kept = Words(
        f"stop line and gateway, keep {path.parent} as it is for those who look into it, restore a backup",
        f"停止产线与网关，原样保留 {path.parent} 以便查明，再恢复备份",
    )
    try:
        reader = open_reader(path)
        try:
            if not check_schema(reader, store, path):
                return good(str(path), "empty", "空")
            try:
                trouble = _trouble(reader, store)
            except _OutOfTime:
                whole = f"sqlite3 -readonly {path} 'PRAGMA integrity_check'"
                return good(
                    str(path),
                    f"nothing found in {CHECK_S:.0f} s, not read to its end: {whole}",
                    f"{CHECK_S:.0f} 秒内未发现问题，未读完：{whole}",
                )
        finally:
            reader.close()
    except SchemaMismatch as error:
        return failed(str(path), str(error), str(error), fix=upgrade)
    except sqlite3.OperationalError as error:
        access = Words(
            f"read it as a member of the group of {path.parent}", f"请以 {path.parent} 所属组的成员读取"
        )
        return failed(str(path), str(error), str(error), fix=access)
    except sqlite3.DatabaseError as error:
        return failed(str(path), f"damaged: {error}", f"已损坏：{error}", fix=kept)
    if trouble:
        return failed(str(path), f"damaged: {trouble}", f"已损坏：{trouble}", fix=kept)
    return good(str(path), "undamaged", "完好")


def _trouble(reader: sqlite3.Connection, store: str) -> str:
    """The first thing that is wrong; empty when nothing is. Raises ``_OutOfTime``."""
    until = perf_counter() + CHECK_S
    reader.set_progress_handler(lambda: perf_counter() > until, STEPS)
    try:
        found = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            return str(found)
        return _broken_chain(reader) if store == "journal" else ""
    except sqlite3.OperationalError as error:
        if perf_counter() > until:
            raise _OutOfTime from error
        raise
    finally:
        reader.set_progress_handler(None, 0)


def _broken_chain(reader: sqlite3.Connection) -> str:
    """Of the open file's newest rows; each closed segment is verified when it is closed."""
    columns = "seq, at_us, utc_us, kind, track, body, hash"
    rows = reader.execute(
        f"SELECT * FROM (SELECT {columns} FROM event ORDER BY seq DESC LIMIT ?) ORDER BY seq",  # noqa: S608
        (CHAIN_ROWS,),
    )
    before: tuple[int, bytes] | None = None
    for seq, at_us, utc_us, kind, track, body, digest in rows:
        if before is not None:
            if seq != before[0] + 1:
                return f"row {before[0] + 1} is not there"
            if link(before[1], seq, at_us, utc_us, kind, track, body) != digest:
                return f"row {seq} is not what was written"
        before = seq, digest
    return ""
