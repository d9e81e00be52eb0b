"""The service manager hears that a process is ready and lives, and hears nothing of one that hangs."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from api.notify import Notify as GatewayNotify
from edge.runtime.notify import Notify as LineNotify
from line_config.packaged import packaged
from simulators.demo.cast import free_ports
from tests.core.runtime_kit import clock, virtual
from tests.wire.line_process import hall_beside
from tests.wire.service_manager import ServiceManager, kept_up_then_hung, service_manager

pytestmark = [pytest.mark.wire, pytest.mark.slow]


@pytest.fixture
def manager() -> Iterator[ServiceManager]:
    with tempfile.TemporaryDirectory() as folder, service_manager(Path(folder)) as one:
        yield one


async def test_the_line(manager: ServiceManager, tmp_path: Path) -> None:
    async with hall_beside(tmp_path, parcels=None) as hall:
        words = [word for setting in hall.settings for word in ("--set", setting)]
        process = await manager.start("run", "fast", "--data", str(tmp_path), *words)
        await kept_up_then_hung(manager, process)


async def test_a_line_whose_devices_are_away_lives_too(manager: ServiceManager, tmp_path: Path) -> None:
    """A restart does not bring a PLC back: the watchdog is about the loop alone."""
    plc, reader = free_ports(2)
    words = ("--set", f"plc.port={plc}", "--set", f"readers.top.connection.port={reader}")
    process = await manager.start("run", "fast", "--data", str(tmp_path), *words)
    await kept_up_then_hung(manager, process)


async def test_the_gateway(manager: ServiceManager, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    process = await manager.start("gateway", "demo", "--data", str(tmp_path), "--set", f"api.port={port}")
    await kept_up_then_hung(manager, process)


async def test_a_camera(manager: ServiceManager, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for seed in range(4):
        noise = np.random.default_rng(seed).integers(0, 255, (480, 640), dtype=np.uint8)
        cv2.imwrite(str(pictures / f"{seed}.png"), noise)
    described = packaged("lines", "camera.yaml").read_text()
    simulated = "source: {kind: simulated, socket: /run/beltkeeper/side.frames}"
    assert simulated in described
    line = tmp_path / "line.yaml"
    line.write_text(described.replace(simulated, f"source: {{kind: folder, path: {pictures}}}"))
    process = await manager.start("camera", str(line), "side", "--data", str(tmp_path))
    await kept_up_then_hung(manager, process)


async def _line_turns(seconds: int) -> None:
    with closing(LineNotify(clock())) as notify:
        for _ in range(seconds * 100):
            notify.progress()
            await asyncio.sleep(0.01)


async def _gateway_turns(seconds: int) -> None:
    with closing(GatewayNotify(lambda: True)) as notify:
        notify.begin()
        await asyncio.sleep(seconds - 0.01)


async def _gateway_that_cannot_write() -> None:
    with closing(GatewayNotify(lambda: False)) as notify:
        notify.begin()
        await asyncio.sleep(2)


@pytest.mark.parametrize("turns", [_line_turns, _gateway_turns])
def test_the_limit_is_met_four_times_over(
    manager: ServiceManager,
    monkeypatch: pytest.MonkeyPatch,
    turns: Callable[[int], Coroutine[Any, Any, None]],
) -> None:
    """In virtual time, since a busy machine may be late. A socket's queue holds ten words (unix(7))."""
    for name, value in manager.told_by.items():
        monkeypatch.setenv(name, value)
    virtual(lambda: turns(2))
    assert manager.words().count("WATCHDOG=1") == 8


def test_a_gateway_whose_writer_has_died_is_not_fed(
    manager: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in manager.told_by.items():
        monkeypatch.setenv(name, value)
    virtual(_gateway_that_cannot_write)
    assert manager.words().count("READY=1") == 1
    assert manager.words().count("WATCHDOG=1") == 0
