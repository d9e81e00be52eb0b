"""The demo's gateway and somebody who means harm, each a process of its own: what is refused, what it costs,
and that cancels and the line go on. How long they take, calm and under attack, is ``benchmarks.attack``."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median

import httpx2
import pytest

from api.console import ask
from api.settings import GatewaySettings
from benchmarks.attackers import GROUPS, KINDS, PATIENCE_S, attacked
from tests.wire.demo_process import RunningDemo, running_demo
from tests.wire.gateway_process import LET_GO_S, START_S, running_gateway
from tests.wire.test_demo import OTHERS, cut_api_port, goes_on, last_packed, outcome_holds, repeated

pytestmark = [pytest.mark.wire, pytest.mark.slow]

CANCELS = 12
SLOWER = 10
SLOWER_S = 1.0
"""A cancel may take so many times what it takes without an attack, and so long besides: these processes share
their cores with the attackers. One that waits for a bulk, or a bound that is gone, costs more."""
GROWTH_MB = 200
"""Bodies may have 64 MB at once, and are there twice while they are put together."""
SPARE_FILES = 64
"""Of the gateway, beside its connections."""
REFUSED = {
    "slow_head": {"cut"},
    "slow_body": {"408", "429"},
    "large_body": {"413", "cut"},
    "undeclared_body": {"413", "503", "cut"},
    "large_head": {"400", "cut"},
    "deep_json": {"400", "408", "cut"},
    "wide_json": {"413", "503", "408", "cut"},
    "bulk": {"200", "503", "408", "cut"},
}
"""408, or cut before the head was whole, is for whose own machine lets him send for so long: an attacker has
the cores after everybody else."""
ANSWERED = {"slow_body": "408", "deep_json": "400", "wide_json": "413", "bulk": "200"}
"""What is no accident of the machine: it is told what was wrong, and what is no harm is done."""


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def peak_mb(pid: int) -> int:
    """The most that was ever resident (proc(5))."""
    (line,) = [
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM:")
    ]
    return int(line.split()[1]) // 1024


@asynccontextmanager
async def erp_of(demo: RunningDemo) -> AsyncIterator[httpx2.AsyncClient]:
    key = json.loads((demo.data / "first-keys.json").read_text())["erp-1"]
    base = f"http://127.0.0.1:{cut_api_port(demo.data)}"
    async with httpx2.AsyncClient(
        base_url=base,
        headers={"X-API-Key": key},
        trust_env=False,
        timeout=START_S,
        limits=httpx2.Limits(keepalive_expiry=LET_GO_S),
    ) as client:
        yield client


async def cancelled(demo: RunningDemo, erp: httpx2.AsyncClient, word: str) -> list[float]:
    """Orders whose parcels come later; how long each took to its final answer, in seconds."""
    loop, took = asyncio.get_running_loop(), []
    for n in range(CANCELS):
        order, began = last_packed(demo), loop.time()
        answer = await repeated(erp, f"/v1/orders/{order}/cancel", {"message_id": f"{word}-{n}"})
        took.append(loop.time() - began)
        assert answer.status_code == 200
        assert outcome_holds(demo, order, answer.json()["outcome"])
        await asyncio.sleep(PATIENCE_S / CANCELS)
    return took


async def stolen_key(demo: RunningDemo, number: int) -> str:
    question = {"do": "add", "name": f"stolen-{number}", "role": "erp"}
    return str((await asyncio.to_thread(ask, demo.data, question))["added"]["text"])


def told_us(demo: RunningDemo) -> list[int]:
    return [body["decide_to_told_us"] for body in demo.bodies("ToldTimed")]


@pytest.mark.timeout(600)
async def test_cancels_and_the_line_go_on_under_attack(tmp_path: Path) -> None:
    async with running_demo(tmp_path / "d", "--forever", "--faults", "none") as demo:
        await demo.until(lambda: demo.inducted > 3 and last_packed(demo))
        keys = [await stolen_key(demo, n) for n in range(len(GROUPS))]
        pid = OTHERS["gateway"](demo)
        async with erp_of(demo) as erp:
            calm = await cancelled(demo, erp, "calm")
            await demo.until(lambda: told_us(demo))
            calm_us, before_mb, inducted = told_us(demo), peak_mb(pid), demo.inducted
            async with attacked(erp.base_url.port or 0, keys) as seen:
                loud = await cancelled(demo, erp, "loud")
                files = open_files(pid)
                await demo.until(partial(goes_on, demo, inducted, OTHERS["gateway"]))
                grown_mb = peak_mb(pid) - before_mb
                # parcels are told where to go meanwhile
                await demo.until(lambda: len(told_us(demo)) > len(calm_us))
            loud_us = told_us(demo)[len(calm_us) :]
            assert (await erp.get("/health")).status_code == 200
        assert OTHERS["gateway"](demo) == pid, "it outlives all of it"
        demo.process.send_signal(signal.SIGINT)
        found = await demo.ended()
    print(
        f"cancels: {median(calm):.3f} s calm, {median(loud):.3f} s loud; {files} files, {grown_mb} MB; {seen}"
    )
    assert seen.keys() == KINDS.keys() == REFUSED.keys()
    assert {kind: ends for kind, ends in seen.items() if not ends.keys() <= REFUSED[kind]} == {}
    assert [kind for kind, status in ANSWERED.items() if not seen[kind].get(status)] == []
    assert files <= GatewaySettings().connections_max + SPARE_FILES
    assert grown_mb <= GROWTH_MB
    assert median(loud) <= SLOWER * median(calm) + SLOWER_S
    assert median(loud_us) <= SLOWER * median(calm_us) + SLOWER_S * 1_000_000
    assert found.code == 0, found.out + found.err
    assert len(demo.bodies("LineStarted")) == 1


async def test_a_crowd_is_kept_out_and_whoever_is_in_is_served(tmp_path: Path) -> None:
    most = GatewaySettings().connections_max
    async with running_gateway(tmp_path) as gateway, gateway.client() as erp:
        assert (await erp.get("/health")).status_code == 200
        crowd = [socket.socket() for _ in range(most + 100)]
        files = []
        for n, one in enumerate(crowd):
            one.connect(("127.0.0.1", gateway.port))
            if n % 20 == 0:
                assert (await erp.get("/health")).status_code == 200, "over the connection that it has"
                files.append(open_files(gateway.process.pid))
        assert max(files) <= most + SPARE_FILES
        for one in crowd:
            one.close()
        async with asyncio.timeout(START_S), gateway.client() as another:
            while True:
                with suppress(httpx2.HTTPError):
                    assert (await another.get("/health")).status_code == 200
                    break
