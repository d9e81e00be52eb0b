"""The run in real time that is measured: a few parcels of it, so that the program does not rot."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.wire, pytest.mark.slow]
LIMIT_S = 240
SURE = {"lost, wrong or invariants broken", "line process, resident"}
"""What holds on any machine, however busy."""


async def measured(*arguments: str, folder: Path, minutes: float = 0.1) -> dict[str, dict[str, Any]]:
    """What a benchmark of a few seconds says, by name."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            *arguments,
            "--minutes",
            str(minutes),
            "--folder",
            str(folder),
            "--json",
            "-",
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert process.returncode in (0, 1), err.decode()
    assert out, err.decode()
    assert not list(folder.iterdir()), "it takes its folder with it"
    figures = {one["name"]: one for one in json.loads(out)["figures"]}
    assert process.returncode == (not all(one["reached"] for one in figures.values()))
    return figures


async def test_a_few_seconds_in_real_time(tmp_path: Path) -> None:
    """How many decisions come late is the machine's to say, which may stand still for a second."""
    figures = await measured("benchmarks.real_time", "--orders-per-s", "100", folder=tmp_path)
    assert "late decisions" in figures
    assert {name for name in SURE if not figures[name]["reached"]} == set()
    assert figures["decide → told p50, bare"]["value"] > 0
    assert figures["orders through the gateway"]["value"] > 0


async def test_a_few_seconds_with_orders_and_without(tmp_path: Path) -> None:
    """What they change is for a quiet machine; that both are measured, over some parcels each, is not."""
    figures = await measured("benchmarks.order_effect", "--orders-per-s", "100", folder=tmp_path, minutes=0.3)
    assert figures["lost, wrong or invariants broken"]["reached"]
    assert figures["decide → told p99, calm"]["value"] > 0
    assert figures["decide → told p99, orders pour in"]["value"] > 0
    assert figures["orders through the gateway, while they pour"]["value"] > 0


async def test_a_few_seconds_under_two_cameras(tmp_path: Path) -> None:
    """Whether every label is read in time is the machine's to say; that they are counted is not."""
    figures = await measured("benchmarks.cameras", "--rounds", "1", folder=tmp_path)
    assert figures["lost, wrong or invariants broken"]["reached"]
    assert "side" in figures["labels that a camera missed"]["note"]
    assert int(figures["frames that nobody looked at"]["note"].removeprefix("of ")) > 0
    assert figures["decide → told p99, two cameras"]["value"] > 0


async def test_a_few_seconds_with_pages_open_and_without(tmp_path: Path) -> None:
    """What they cost is for a quiet machine; that they look and follow meanwhile is not."""
    figures = await measured("benchmarks.page_cost", "--pages", "2", folder=tmp_path)
    assert figures["lost, wrong or invariants broken"]["reached"]
    assert figures["line process, no page"]["value"] > 0
    looks, rows = re.findall(r"\d+", figures["line process, 2 pages"]["note"])
    assert int(looks) > 2
    assert int(rows) > 2
