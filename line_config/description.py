"""A loaded line: its topology, and what the composition root needs to open its devices."""

from dataclasses import dataclass, field

from edge.model.ids import DeviceId, ReaderId, ScaleId
from edge.model.topology import PlcLink, Topology
from line_config.device_files import PlcFile, ReaderFile, ScaleFile, ScannerFile
from line_config.model import LineFile, ReaderConnection, ScaleConnection, ScannerConnection
from line_config.reasons import ReasonEntry
from line_config.relay import Relay
from line_config.yaml_tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerPort:
    """One reader's cable, and the device file that says what goes over it."""

    reader: ReaderId
    device: DeviceId
    file: ReaderFile
    connection: ReaderConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPort:
    """The cable of a bench's hand scanner (``reader``: the bench), and its device file."""

    reader: ReaderId
    device: DeviceId
    file: ScannerFile
    connection: ScannerConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePort:
    """The scale's cable, and the device file that says what goes over it."""

    scale: ScaleId
    device: DeviceId
    file: ScaleFile
    connection: ScaleConnection


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
class PictureLimits:
    """The no-read archive of each camera; ``mb_per_camera`` 0: none."""

    mb_per_camera: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDescription:
    """All that ``load_line`` knows. ``source`` is the file; ``file`` its values, ``tree`` their places.

    ``scanners`` are in the order of ``topology.readers``, ``bench_ports`` in that of
    ``topology.benches``; ``scale_port`` is None for a line without scale.
    """

    source: str
    site_id: str
    topology: Topology
    scanners: tuple[ScannerPort, ...]
    scale_port: ScalePort | None
    bench_ports: tuple[BenchPort, ...]
    api: ApiAddress
    relay: Relay
    store: StoreLimits
    pictures: PictureLimits
    full_on_ms: int
    reasons: tuple[ReasonEntry, ...]
    plc_file: PlcFile
    file: LineFile = field(repr=False)
    tree: Tree = field(repr=False, compare=False)

    @property
    def plc(self) -> PlcLink:
        return self.topology.plc
