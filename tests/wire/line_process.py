"""The line as a process of its own, beside a hall in this one: belt, PLC on Modbus TCP, reader, people."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from edge.model.codes import Code
from edge.store.journal_reader import JournalReader
from edge.store.places import Places
from line_config.device_files import ScannerFile
from line_config.load import load_line
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.scanner import Scanner, reader_setup
from simulators.faults import FaultLevel
from simulators.hall import Hall, HallSetup, order_source
from simulators.plant_process import FarLine
from simulators.seeds import SeededBits
from simulators.world.checker import Checker, Report

START_S = 100.0
"""A cold start, a reset by a person and a purge, on two busy cores."""
LOOK_S = 0.05


@dataclass
class LineProcess:
    """``ended`` is what it leaves: its exit code, and what it said on stderr."""

    process: asyncio.subprocess.Process
    said: list[bytes] = field(default_factory=list)
    _listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, line: str, data: Path, *settings: str) -> "LineProcess":
        words = [word for setting in settings for word in ("--set", setting)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli", "run", line, "--data", str(data), *words),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        started = cls(process)
        started._listening = asyncio.create_task(started._listen())
        return started

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line)

    async def ended(self) -> tuple[int, str]:
        async with asyncio.timeout(START_S):
            code = await self.process.wait()
            if self._listening is not None:
                await self._listening
        return code, b"".join(self.said).decode()

    def tell(self, *numbers: signal.Signals) -> None:
        """Nothing if it has ended. Not by ``send_signal``, which looks whether the child lives and may take
        its exit code away from the loop."""
        with suppress(ProcessLookupError):
            for number in numbers:
                if self.process.returncode is None:
                    os.kill(self.process.pid, number)

    async def end(self) -> tuple[int, str]:
        self.tell(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """Whatever it does; nothing if it has ended."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        await self.ended()

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Fails when the process ends, or time is up, first."""
        limit_s = monotonic() + START_S
        while not true():
            assert self.process.returncode is None, b"".join(self.said).decode()
            assert monotonic() < limit_s, f"{what}: it took too long"
            await asyncio.sleep(LOOK_S)


def logged(stderr: str) -> list[dict[str, Any]]:
    """Every line is one JSON object."""
    return [json.loads(line) for line in stderr.splitlines()]


class HallBeside:
    """A hall of the fast line (no scale, 12,000 parcels/h) in this process, and its checker."""

    def __init__(self, data: Path, *, parcels: int | None) -> None:
        loop = asyncio.get_running_loop()
        self.line = load_line("fast")
        self.data = data
        self.places = Places(data)
        self.checker = Checker(self.line.topology, self.places.journal, 7)
        setup = HallSetup(
            line=self.line, seed=7, parcels=parcels, orders=order_source(None, 7), faults=FaultLevel.NONE
        )
        self.hall = Hall(setup, loop, self.checker.fact, FarLine(_never))
        (port,) = self.line.scanners
        assert isinstance(port.file, ScannerFile)
        self.scanner = Scanner(loop, reader_setup(port.file), SeededBits(7, "scanner"))
        self.hall.world.on_label.append(self._labelled)
        plc = self.line.topology.plc
        self.server = ModbusPlcServer(
            self.hall.registers,
            host="127.0.0.1",
            port=0,
            unit=plc.unit,
            read_write=plc.registers.read_write,
            faults=self.hall.bus,
        )

    def _labelled(self, at_us: int, _reader: str, codes: tuple[Code, ...]) -> None:
        self.scanner.saw(at_us, codes)

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"plc.port={self.server.port}", f"readers.top.connection.port={self.scanner.port}")

    async def open(self) -> None:
        await self.scanner.listen("127.0.0.1", 0)
        await self.server.start()
        self.hall.start()

    async def close(self) -> None:
        self.hall.stop()
        await self.server.stop()
        await self.scanner.close()

    async def line_process(self, *more: str) -> LineProcess:
        return await LineProcess.start("fast", self.data, *self.settings, *more)

    def asked(self, question: Callable[[JournalReader], Any]) -> Any:
        reader = JournalReader(self.places.journal)
        try:
            return question(reader)
        finally:
            reader.close()

    def inducted(self) -> int:
        return int(self.asked(lambda it: len(it.latest_parcels(10_000))))

    def open_parcels(self) -> int:
        return int(self.asked(lambda it: sum(row.last_seq is None for row in it.latest_parcels(10_000))))

    def permitted(self) -> bool:
        line = self.asked(JournalReader.line)
        return line is not None and line.permitted

    def alarms(self) -> set[str]:
        return {alarm.kind for alarm in self.asked(JournalReader.alarms)}

    def proved(self) -> Report:
        """What the line kept of everything that has happened in the hall."""
        return self.checker.finish()


@asynccontextmanager
async def hall_beside(data: Path, *, parcels: int | None = None) -> AsyncIterator[HallBeside]:
    hall = HallBeside(data, parcels=parcels)
    await hall.open()
    try:
        yield hall
    finally:
        await hall.close()


def _never(_what: int) -> None:
    raise AssertionError("a run without faults")
