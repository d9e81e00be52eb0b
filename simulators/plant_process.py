"""The hall as a process: belt, PLC and people in real time, the PLC on Modbus TCP.

``python -m simulators.plant_process demo --plc-port 0 --feed SOCKET --truth FILE --clock-offset FILE``.
It is the same hall as in virtual time, on a plain loop; a timer that comes late is caught up step by
step. Labels and loads go over the feed, the ground truth as JSON lines into a file, a step of the wall
clock as microseconds into a file that the line reads. SIGUSR1: nothing more is placed. That the line
process is to crash is said in the truth (``FaultInjected`` of kind ``line_crash``, subject ms); whoever
runs it kills it.
"""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge.model.codes import Code
from edge.model.line import OperatorAction
from line_config.load import load_line
from line_config.problems import LineConfigError
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.process import run_until_ended
from simulators.faults import FaultLevel, LineFault, LineFaultKind
from simulators.feed import FeedServer, LabelPrinted, LabelSeen, LoadChanged, ScaleUpset
from simulators.hall import Hall, HallSetup, order_source
from simulators.orders import OrdersFileError
from simulators.world.parcel import Body
from simulators.world.truth import TruthFile

US_PER_S = 1_000_000
BAD_CONFIGURATION = 2


class ClockFile:
    """What the line's wall clock is wrong by, in a file; whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset_us = 0
        self._write()

    def step(self, seconds: int) -> None:
        self._offset_us += seconds * US_PER_S
        self._write()

    def _write(self) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_text(f"{self._offset_us}\n")
        fresh.replace(self._path)


class HallBroken(Exception):
    """A callback of the simulation raised: what follows would be no hall any more."""


class FarLine:
    """A ``LineSide``: the line process is another one's. Its clock is a file, its crash is told in the
    truth log that whoever runs it follows; its upstream, disk and operators are out of reach."""

    def __init__(self, clock_step: Callable[[int], None]) -> None:
        self.clock_step = clock_step

    def can(self, kind: LineFaultKind) -> bool:
        return kind not in (
            LineFaultKind.CHUTE_DISABLED,
            LineFaultKind.PURGE,
            LineFaultKind.UPSTREAM_SILENT,
            LineFaultKind.UPSTREAM_FAILS,
            LineFaultKind.DISK_SLOW,
            LineFaultKind.DISK_LOW,
        )

    def crash_line(self, down_ms: int) -> None:
        """Told in the truth log already."""

    def operate(self, action: OperatorAction, subject: str) -> None:
        raise AssertionError(f"{action} {subject}: out of reach, and so never asked for")

    def trouble(self, kind: LineFaultKind, duration_ms: int) -> None:
        raise AssertionError(f"{kind}: out of reach, and so never asked for")


class Alarmed:
    """asyncio only logs what a callback raises; here it ends the process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.broken: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(self._raised)

    def _raised(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        if not self.broken.done():
            broken = HallBroken(context["message"])
            broken.__cause__ = context.get("exception")
            self.broken.set_exception(broken)


def setup_of(options: argparse.Namespace) -> HallSetup:
    """Raises ``LineConfigError`` or ``OrdersFileError``."""
    return HallSetup(
        line=load_line(options.line, options.settings),
        seed=options.seed,
        parcels=options.parcels or None,
        orders=order_source(options.orders, options.seed),
        faults=FaultLevel(options.faults),
        turnaround_ms=options.turnaround_ms,
    )


def shown_to(feed: FeedServer, hall: Hall) -> None:
    """Whatever a reader or the scale can notice goes over the feed, and what cameras will see."""

    def label(at_us: int, reader: str, codes: tuple[Code, ...]) -> None:
        feed.publish(LabelSeen(at_us=at_us, reader=reader, codes=codes))

    def load(at_us: int, grams: int) -> None:
        feed.publish(LoadChanged(at_us=at_us, grams=grams))

    def placed(body: Body) -> None:
        for one in body.item.spec.labels:
            feed.publish(LabelPrinted(codes=one.codes))

    def upset(fault: LineFault, at_us: int) -> None:
        feed.publish(ScaleUpset(at_us=at_us, fault=fault))

    hall.world.on_label.append(label)
    hall.world.on_place.append(placed)
    hall.line_faults.on_scale.append(upset)
    if hall.benches is not None:
        hall.benches.on_scan.append(label)
    hall.world.platform.listeners.append(load)


async def run(setup: HallSetup, options: argparse.Namespace) -> None:
    """Power on, and go on until the process is ended. Raises ``OSError`` and ``HallBroken``."""
    loop = asyncio.get_running_loop()
    alarmed = Alarmed(loop)
    clock = ClockFile(options.clock_offset)
    feed = FeedServer(options.feed)
    plc = setup.line.topology.plc
    with options.truth.open("w", encoding="utf-8") as stream:
        hall = Hall(setup, loop, TruthFile(stream), FarLine(clock.step))
        shown_to(feed, hall)
        server = ModbusPlcServer(
            hall.registers,
            host=plc.host,
            port=plc.port if options.plc_port is None else options.plc_port,
            unit=plc.unit,
            read_write=plc.registers.read_write,
            faults=hall.bus,
        )
        await feed.start()
        try:
            await server.start()
            loop.add_signal_handler(signal.SIGUSR1, hall.erp.close)
            gc.freeze()
            hall.start()
            sys.stdout.write(f"listening {plc.host}:{server.port}\n")
            sys.stdout.flush()
            await alarmed.broken
        finally:
            hall.stop()
            await server.stop()
            await feed.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.plant_process", description=__doc__)
    parser.add_argument("line", metavar="LINE")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--parcels", type=int, default=120, help="0: without end")
    parser.add_argument("--orders", type=Path)
    parser.add_argument("--faults", choices=[level.value for level in FaultLevel], default="default")
    parser.add_argument("--turnaround-ms", type=int, help="how long the PLC takes for an answer")
    parser.add_argument("--plc-port", type=int, help="instead of the line's; 0 takes a free one")
    parser.add_argument("--feed", type=Path, required=True, help="Unix socket for scanners and scale")
    parser.add_argument("--truth", type=Path, required=True, help="ground truth, as JSON lines")
    parser.add_argument("--clock-offset", type=Path, required=True, help="file for steps of the clock")
    options = parser.parse_args(arguments)
    try:
        setup = setup_of(options)
    except (LineConfigError, OrdersFileError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_CONFIGURATION)
    run_until_ended(run(setup, options))


if __name__ == "__main__":
    main()
