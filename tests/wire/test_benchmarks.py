"""The run in real time that is measured: a few parcels of it, so that the program does not rot."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.wire, pytest.mark.slow]
LIMIT_S = 240
SURE = {"late decisions", "lost, wrong or invariants broken", "line process, resident"}
"""What holds on any machine, however busy."""


async def test_a_few_seconds_in_real_time(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.real_time", "--minutes", "0.1", "--orders-per-s", "100"),
        *("--folder", str(tmp_path), "--json", "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    figures = {one["name"]: one for one in json.loads(out)["figures"]}
    assert {name for name in SURE if not figures[name]["reached"]} == set()
    assert figures["decide → told p50, bare"]["value"] > 0
    assert figures["orders through the gateway"]["value"] > 0
    assert not list(tmp_path.iterdir()), "it takes its folder with it"
