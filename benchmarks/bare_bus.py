"""The floor of decide → told as two programs: a register server, and a client that does the bare minimum.

``python -m benchmarks.bare_bus plc --answer-ms 5`` says ``listening HOST:PORT``. ``python -m
benchmarks.bare_bus told --port PORT --folder DIR`` commits, writes a command's registers, reads a status
block back and commits again, every 0.3 s: the four waits that nobody can leave out. A line of stdout for
each: CLOCK_MONOTONIC in µs at its beginning, and milliseconds.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.bare import BareJournal
from simulators.devices.plc.faults import BusFaults
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.process import run_until_ended

HOST = "127.0.0.1"
UNIT = 1
COMMAND, STATUS = 0, 64
COMMAND_WORDS, STATUS_WORDS = 7, 22
"""As docs/plc-contract.md has them."""
EVERY_S = 0.3
ROW = (0, "Decided", "x" * 600)
"""A decision's row has about so many bytes."""


class PlainRegisters:
    """Keeps what is written; no program runs."""

    def __init__(self) -> None:
        self._words = [0] * 256

    def read(self, address: int, count: int) -> tuple[int, ...]:
        return tuple(self._words[address : address + count])

    def write(self, address: int, values: Sequence[int]) -> None:
        self._words[address : address + len(values)] = values


async def plc(answer_ms: int) -> None:
    """Serves for ever."""
    faults = BusFaults(turnaround_us=answer_ms * 1_000)
    server = ModbusPlcServer(PlainRegisters(), host=HOST, port=0, unit=UNIT, read_write=False, faults=faults)
    await server.start()
    _say(f"listening {HOST}:{server.port}")
    await asyncio.Event().wait()


async def told(port: int, folder: Path) -> None:
    """Measures for ever. Raises ``OSError`` when the server is not there."""
    client = AsyncModbusTcpClient(HOST, port=port, timeout=1, retries=0)
    if not await client.connect():
        raise OSError(f"no connection to {HOST}:{port}")
    journal = BareJournal(folder / "bare.db")
    words = list(range(COMMAND_WORDS))
    while True:
        began_ns = monotonic_ns()
        journal.commit((ROW,))
        await client.write_registers(COMMAND, words, device_id=UNIT)
        await client.read_holding_registers(STATUS, count=STATUS_WORDS, device_id=UNIT)
        journal.commit((ROW,))
        _say(f"{began_ns // 1_000} {(monotonic_ns() - began_ns) / 1_000_000:.3f}")
        await asyncio.sleep(EVERY_S)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_bus", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    server = parts.add_parser("plc")
    server.add_argument("--answer-ms", type=int, default=0)
    client = parts.add_parser("told")
    client.add_argument("--port", type=int, required=True)
    client.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    if options.part == "plc":
        run_until_ended(plc(options.answer_ms))
    else:
        run_until_ended(told(options.port, options.folder))


if __name__ == "__main__":
    main()
