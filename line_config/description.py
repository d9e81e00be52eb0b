"""A loaded line: its topology, and what the composition root needs to open its devices."""

from dataclasses import dataclass, field
from typing import Literal

from edge.model.ids import DeviceId, ReaderId, ScaleId
from edge.model.topology import PlcLink, Topology
from line_config.device_files import PlcFile, PlcProtocol, ScaleProtocol, ScannerProtocol
from line_config.model import LineFile
from line_config.reasons import ReasonEntry
from line_config.yaml_tree import Tree

ParityName = Literal["none", "even", "odd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpClient:
    """We connect to the device."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpServer:
    """The device connects to us; ``host`` is our own address."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPort:
    path: str
    baudrate: int
    bytesize: int
    parity: ParityName
    stopbits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerPort:
    """One reader's cable and message format. ``no_read``: whole messages that say no-read.

    ``terminator`` empty: ``silence_ms`` of silence end a message. ``stale_ms`` 0: silence is no fault.
    """

    reader: ReaderId
    device: DeviceId
    model: str
    protocol: ScannerProtocol
    connection: TcpClient | TcpServer
    prefix: str
    terminator: str
    separator: str
    aim_identifiers: bool
    no_read: tuple[str, ...]
    max_line_bytes: int
    silence_ms: int
    heartbeat: str
    stale_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePort:
    """The scale's cable and frames. Without a check sum a value counts from ``agreeing_frames``."""

    scale: ScaleId
    device: DeviceId
    model: str
    protocol: ScaleProtocol
    connection: SerialPort | TcpClient
    checksum: bool
    agreeing_frames: int
    power_up_bit: bool
    frame_rate_hz: int
    stale_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAddress:
    """Where the gateway listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """``data_dir`` holds unless ``--data`` or ``BELTKEEPER_DATA`` says otherwise."""

    data_dir: str
    min_free_mb: int
    ballast_mb: int
    slow_commit_ms: int
    max_backlog_rows: int
    snapshot_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDescription:
    """All that ``load_line`` knows. ``source`` is the file; ``file`` its values, ``tree`` their places."""

    source: str
    site_id: str
    topology: Topology
    plc_protocol: PlcProtocol
    scanners: tuple[ScannerPort, ...]
    scale_port: ScalePort | None
    api: ApiAddress
    store: StoreLimits
    full_on_ms: int
    reasons: tuple[ReasonEntry, ...]
    plc_file: PlcFile
    file: LineFile = field(repr=False)
    tree: Tree = field(repr=False, compare=False)

    @property
    def plc(self) -> PlcLink:
        return self.topology.plc
