"""The service manager hears that a process is ready and lives, and hears nothing of one that hangs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.demo.cast import free_ports
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
