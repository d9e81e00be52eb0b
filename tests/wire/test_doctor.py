"""The doctor beside a real PLC program (simulated), a listening reader, and a line that runs."""

import asyncio
import json
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge.doctor import Machine, broker, devices, plc, ports
from edge.doctor.findings import Verdict
from line_config import load_line
from tests.core.doctor_kit import told
from tests.wire.broker import needs_mosquitto, running_broker
from tests.wire.line_process import HallBeside, hall_beside

pytestmark = pytest.mark.wire
PATIENCE_S = 60.0
TRIES = 3


def machine(data: Path, *settings: str, plc_timeout_ms: int = 20_000) -> Machine:
    """With patience for a PLC that shares a busy machine with its tests."""
    line = load_line("fast", settings)
    topology = replace(line.topology, plc=replace(line.topology.plc, timeout_ms=plc_timeout_ms))
    return Machine.now(replace(line, topology=topology), data)


async def test_a_plc_and_a_reader_that_answer(tmp_path: Path) -> None:
    async with hall_beside(tmp_path, parcels=1) as hall:
        found = machine(tmp_path, *hall.settings, "plc.turnaround_ms=26")
        identity, turnaround = await asyncio.to_thread(lambda: told(plc.plc(found)))
        assert identity == (
            "good",
            f"plc: 127.0.0.1:{hall.server.port}: the program that the line describes",
        )
        assert turnaround[0] in {"good", "warning"}, "a busy machine may be slow"
        assert "p99" in turnaround[1]
        assert (await asyncio.to_thread(lambda: told(devices.readers(found))))[0][0] == "good"

        other = machine(tmp_path, *hall.settings, "plc.map_version=7")
        identity, _ = await asyncio.to_thread(lambda: told(plc.plc(other)))
        assert identity[0] == "failed"
        assert "map version is 1, the line says 7" in identity[1]

        hall.hall.bus.turnaround_us = 60_000
        _, turnaround = await asyncio.to_thread(lambda: told(plc.plc(found)))
        assert turnaround[0] == "warning"
        assert "the line reckons with 26 ms" in turnaround[1]

        answers = iter([0] * 5)
        hall.hall.bus.draw_us = lambda: next(answers, 3_000_000)
        hasty = machine(tmp_path, *hall.settings, plc_timeout_ms=2_000)
        identity, silent = await asyncio.to_thread(lambda: told(plc.plc(hasty)))
        assert identity[0] == "good"
        assert silent == ("failed", "plc: answered 5 times, then: no answer within 2000 ms")


@needs_mosquitto
async def test_a_broker_is_greeted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "CONNECT_S", PATIENCE_S)
    named = ("relay.mqtt.host=127.0.0.1",)
    async with running_broker(tmp_path / "broker") as mqtt:
        found = machine(tmp_path, *named, f"relay.mqtt.port={mqtt.port}")
        assert (await asyncio.to_thread(lambda: told(broker.broker(found))))[0][0] == "good"
        port = mqtt.port
    [(verdict, said)] = await asyncio.to_thread(lambda: told(broker.broker(found)))
    assert verdict == "failed"
    assert said.startswith(f"127.0.0.1:{port}: ")
    assert told(broker.broker(machine(tmp_path)))[0][0] == "good", "none is named"
    secret = machine(tmp_path, *named, f"relay.mqtt.password_file={tmp_path / 'none'}")
    [(verdict, said)] = await asyncio.to_thread(lambda: told(broker.broker(secret)))
    assert verdict == "failed"
    assert "No such file" in said


def test_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = machine(tmp_path, f"plc.port={port}", f"readers.top.connection.port={port}")
    assert told(plc.plc(found)) == [("failed", f"plc: no connection to 127.0.0.1:{port}")]
    assert told(devices.readers(found)) == [("failed", f"top: 127.0.0.1:{port}: Connection refused")]


def test_ports(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = machine(tmp_path, f"api.port={port}")
        assert told(ports.ports(found)) == [("failed", f"api: 127.0.0.1:{port}: Address already in use")]
        running = replace(found, gateway_runs=True)
        assert told(ports.ports(running)) == [("good", f"api: 127.0.0.1:{port}: our process listens")]
    assert told(ports.ports(found)) == [("good", f"api: 127.0.0.1:{port} is free")]
    [(verdict, said)] = told(ports.ports(machine(tmp_path, "api.host=203.0.113.7")))
    assert verdict == "failed"
    assert "Cannot assign requested address" in said


async def test_a_running_line_speaks_for_its_devices_and_keeps_them(tmp_path: Path) -> None:
    """A machine that stands still for a second may part a line from its devices; a doctor would each time."""
    async with hall_beside(tmp_path, parcels=1) as hall:
        line = await hall.line_process()
        try:
            good: dict[str, str] = {}
            for _ in range(TRIES):
                await line.until(hall.permitted, "induction")
                good = await examined(hall)
                assert good["databases"] == "undamaged"
                by_line = ["up, says the running line" in good.get(check, "") for check in ("plc", "readers")]
                if all(by_line) and hall.permitted():
                    break
            else:
                pytest.fail(f"it has disturbed somebody, or has not asked the line: {good}")
            await line.end()
            assert Machine.now(None, tmp_path).devices_up is None
        finally:
            await line.kill()


async def examined(hall: HallBeside) -> dict[str, str]:
    """What the doctor finds good, by check."""
    words = [word for setting in hall.settings for word in ("--set", setting)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli", "doctor", "fast", "--data", str(hall.data), "--json", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert not err
    found = json.loads(out)
    assert process.returncode == {"good": 0, "warning": 1, "failed": 3}[found["verdict"]]
    return {one["check"]: one["said"] for one in found["findings"] if one["verdict"] == Verdict.GOOD}
