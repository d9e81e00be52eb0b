"""The databases: readable, of this program's schema, undamaged, and the record's chain unbroken.

Of a large one that is the chain of its newest rows and what a few seconds of looking find, unless the machine
is to be looked at to its end.
"""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from edge.doctor.findings import Finding, Words, failed, good
from edge.doctor.machine import Machine
from edge.store.errors import SchemaMismatch
from edge.store.files import open_reader
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from edge.store.schema import check_schema

CHECK_S = 3.0
"""A read transaction keeps the writer's WAL from being cut back: it must be short."""
STEPS = 10_000
"""Of SQLite's machine, between two looks at the time."""
CHAIN_ROWS = 5_000
"""Newest rows of the log whose chain is computed anew, across the days that are closed."""


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
        yield _database(store, path, whole=machine.whole)


def _database(store: str, path: Path, *, whole: bool) -> Finding:
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
            trouble = _broken_chain(path, whole=whole) if store == "journal" else ""
            if not trouble:
                trouble = _trouble(reader, None if whole else CHECK_S)
        except _OutOfTime:
            return _not_to_its_end(store, path)
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


def _broken_chain(path: Path, *, whole: bool) -> str:
    """Empty where each row is what was written."""
    journal = JournalReader(path)
    try:
        return journal.verify_chain(None if whole else CHAIN_ROWS).why
    finally:
        journal.close()


def _trouble(reader: sqlite3.Connection, limit_s: float | None) -> str:
    """The first thing that is wrong with the file; empty when nothing is. Raises ``_OutOfTime``."""
    until = math.inf if limit_s is None else perf_counter() + limit_s
    reader.set_progress_handler(lambda: perf_counter() > until, STEPS)
    try:
        found = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
        return "" if found == "ok" else str(found)
    except sqlite3.OperationalError as error:
        if perf_counter() > until:
            raise _OutOfTime from error
        raise
    finally:
        reader.set_progress_handler(None, 0)


def _not_to_its_end(store: str, path: Path) -> Finding:
    """What was seen of a large database, what was not, and how all of it is."""
    seen = (
        (f"its newest {CHAIN_ROWS} rows are as they were written; ", f"最新 {CHAIN_ROWS} 行与写入时一致；")
        if store == "journal"
        else ("", "")
    )
    return good(
        str(path),
        f"{seen[0]}no damage found in {CHECK_S:.0f} s, but NOT looked through to its end:"
        " `beltkeeper doctor LINE --whole` does that",
        f"{seen[1]}{CHECK_S:.0f} 秒内未发现损坏，但【未】检查到末尾："
        "全部检查请用 `beltkeeper doctor LINE --whole`",
    )
