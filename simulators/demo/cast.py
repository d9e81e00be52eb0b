"""Who plays in the demo: the processes, with the options that join them."""

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from line_config.description import BenchPort, LineDescription, ScannerPort
from line_config.device_files import CameraFile
from line_config.model import CameraSettings, ScaleConnection, SerialSettings, TcpClientSettings
from simulators.demo.processes import BAD_CONFIGURATION, DemoFailed, Keeper
from simulators.faults import FaultLevel

HOST = "127.0.0.1"
PTY = "scale.pty"


def free_ports(count: int) -> list[int]:
    """Different ones that nobody listened on a moment ago."""
    taken = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


def overrides_of(line: LineDescription, data: Path) -> tuple[str, ...]:
    """The line as it is described, but with every cable to this machine's own simulators.

    Raises ``DemoFailed`` for a line with cables that the demo's devices do not have.
    """
    scanners: list[tuple[str, ScannerPort | BenchPort]] = [
        ("readers", port) for port in line.scanners if not isinstance(port.connection, CameraSettings)
    ]
    scanners += [("benches", port) for port in line.bench_ports]
    plc, api, *numbers = free_ports(2 + len(scanners))
    found = [f"plc.host={HOST}", f"plc.port={plc}", f"api.host={HOST}", f"api.port={api}"]
    for (part, port), number in zip(scanners, numbers, strict=True):
        if not isinstance(port.connection, TcpClientSettings):
            raise DemoFailed(
                f"reader {port.reader}: the demo's scanner only answers calls", BAD_CONFIGURATION
            )
        where = f"{part}.{port.reader}.connection"
        found += [f"{where}.host={HOST}", f"{where}.port={number}"]
    if line.scale_port is not None:
        found += _scale_cable(line.scale_port.connection, data)
    return tuple(found)


def _scale_cable(connection: ScaleConnection, data: Path) -> list[str]:
    if isinstance(connection, SerialSettings):
        return [f"scale.connection.path={data / PTY}"]
    return [f"scale.connection.host={HOST}", f"scale.connection.port={free_ports(1)[0]}"]


class Cast:
    """All processes of one run. ``failed`` is told when one is lost for good."""

    def __init__(
        self,
        name: str,
        line: LineDescription,
        data: Path,
        settings: tuple[str, ...],
        *,
        seed: int,
        parcels: int | None,
        orders: Path | None,
        faults: FaultLevel,
        plc_answers_ms: int | None,
        failed: Callable[[DemoFailed], None],
    ) -> None:
        self.truth = data / "truth.jsonl"
        self._data = data
        self._line = line
        self._name = name
        self._failed = failed
        self._logs = data / "logs"
        self._sockets = tempfile.TemporaryDirectory(prefix="beltkeeper-")
        # A Unix socket's name holds 107 bytes, a data folder's may be longer.
        self._feed = str(Path(self._sockets.name) / "feed")
        settings = (*settings, *self._frame_sockets())
        self._set = [part for one in settings for part in ("--set", one)]
        self._seed = str(seed)
        self._answers_ms = line.topology.plc.turnaround_ms if plc_answers_ms is None else plc_answers_ms
        clock = str(data / "clock-offset")
        self.line = self._edge("run", "line", "--wall-clock-offset", clock)
        self.gateway = self._edge("gateway", "gateway")
        self.plant = self._plant(parcels, orders, faults, clock)
        self.cameras = self._cameras()
        listening = [*self._scanners(), *self.cameras]
        self._devices = dict.fromkeys(listening, "listening ") | dict.fromkeys(
            self._scale(), "sending " if self._serial_scale else "listening "
        )
        """Each with the word by which it says that it is ready."""

    @property
    def devices(self) -> frozenset[str]:
        """Ids of the devices that the line has to reach."""
        topology = self._line.topology
        scale = () if topology.scale is None else (str(topology.scale.id),)
        scanners = [one.device for one in topology.readers] + [one.device for one in topology.benches]
        return frozenset((*scanners, *scale, "plc"))

    @property
    def hardware(self) -> tuple[Keeper, ...]:
        """What no line PC has to run: the PLC with its belt, scanners, scale, cameras."""
        return (self.plant, *self._devices)

    @property
    def _serial_scale(self) -> bool:
        port = self._line.scale_port
        return port is not None and isinstance(port.connection, SerialSettings)

    async def open(self) -> None:
        """Everything but the line is up. Raises ``DemoFailed``."""
        self._logs.mkdir(exist_ok=True)
        ready = {self.plant: "listening ", self.gateway: "gateway_listening", **self._devices}
        for one in ready:
            one.start()
        await asyncio.gather(*(one.child.said(word) for one, word in ready.items()))

    async def close(self) -> None:
        """The line first: what it still has to say to PLC and gateway finds them there."""
        await self.line.stop()
        await self.gateway.stop()
        await asyncio.gather(*(one.stop() for one in self.hardware))
        self._sockets.cleanup()

    def close_infeed(self) -> None:
        """Nothing more is placed."""
        self.plant.child.signal(signal.SIGUSR1)

    def kill_cameras(self) -> None:
        """kill -9 for the processes that look through the simulated cameras."""
        for one in self.cameras:
            one.child.signal(signal.SIGUSR1)

    def _keeper(self, name: str, module: str, *arguments: str, anew: bool) -> Keeper:
        command = (sys.executable, "-m", module, *arguments)
        return Keeper(name, command, self._logs / f"{name}.log", self._failed, anew=anew)

    def _edge(self, command: str, name: str, *more: str) -> Keeper:
        where = ("--data", str(self._data))
        return self._keeper(name, "edge.cli", command, self._name, *where, *self._set, *more, anew=True)

    def _plant(self, parcels: int | None, orders: Path | None, faults: FaultLevel, clock: str) -> Keeper:
        found = [self._name, *self._set, "--seed", self._seed, "--parcels", str(parcels or 0)]
        found += ["--faults", faults.value, "--feed", self._feed]
        found += ["--truth", str(self.truth), "--clock-offset", clock]
        found += ["--turnaround-ms", str(self._answers_ms)]
        if orders is not None:
            found += ["--orders", str(orders)]
        return self._keeper("plant", "simulators.plant_process", *found, anew=False)

    def _scanners(self) -> list[Keeper]:
        found = []
        ports: list[ScannerPort | BenchPort] = [*self._line.scanners, *self._line.bench_ports]
        for port in ports:
            connection = port.connection
            if isinstance(connection, CameraSettings):
                continue
            assert isinstance(connection, TcpClientSettings)
            arguments = ["--feed", self._feed, "--listen", f"{connection.host}:{connection.port}"]
            arguments += ["--reader", port.reader, "--device", port.file.id, "--seed", self._seed]
            name = f"scanner-{port.reader}"
            found.append(self._keeper(name, "simulators.devices.scanner", *arguments, anew=False))
        return found

    def _frame_sockets(self) -> list[str]:
        """Settings: where the line's cameras find the frames of the simulated ones."""
        return [
            f"readers.{port.reader}.connection.source.socket={self._frames_of(port)}"
            for port in self._line.scanners
            if isinstance(port.connection, CameraSettings)
        ]

    def _frames_of(self, port: ScannerPort) -> Path:
        return Path(self._sockets.name) / f"{port.reader}.frames"

    def _cameras(self) -> list[Keeper]:
        """The simulated cameras; the processes that look through them are the line's."""
        found = []
        for port in self._line.scanners:
            if isinstance(port.file, CameraFile):
                arguments = ["--feed", self._feed, "--listen", str(self._frames_of(port))]
                arguments += ["--reader", port.reader, "--seed", self._seed]
                arguments += ["--size", f"{port.file.width_px}x{port.file.height_px}"]
                name = f"camera-{port.reader}"
                found.append(self._keeper(name, "simulators.devices.camera", *arguments, anew=False))
        return found

    def _scale(self) -> list[Keeper]:
        scale, port = self._line.topology.scale, self._line.scale_port
        if scale is None or port is None:
            return []
        connection = port.connection
        arguments = ["--feed", self._feed, "--seed", self._seed, "--protocol", port.file.protocol]
        if isinstance(connection, SerialSettings):
            arguments += ["--pty", connection.path]
        else:
            arguments += ["--listen", f"{connection.host}:{connection.port}"]
        arguments += ["--settle-ms", str(scale.settle_ms), "--delay-ms", str(scale.filter_ms)]
        arguments += ["--frame-rate-hz", str(port.file.frame_rate_hz)]
        arguments += ["--division-g", str(scale.division_g), "--capacity-g", str(scale.capacity_g)]
        return [self._keeper("scale", "simulators.devices.scale", *arguments, anew=False)]
