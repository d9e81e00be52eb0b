"""A line's YAML file as strict models; ``docs/line-configuration.md`` explains each key.

Units are in the names. Named things are lists with ``id``; no mapping has free keys. What the models
cannot say (references, order, timing) is checked in ``references`` and ``lint``.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.model.codes import Symbology
from edge.model.topology import ChuteKind, EyeRole
from edge.model.verdict import Reason
from line_config.fields import (
    DevicePath,
    Folder,
    Host,
    Id,
    LengthMm,
    Ms,
    Port,
    PositionMm,
    StreamUrl,
    Strict,
    Text,
    WeightG,
)
from line_config.relay import Relay

MAX_BENCHES = 8
"""The PLC has two exit eyes a gate in one word."""
END = "end"
"""Name of the end of the line where a chute names its exit."""


class Site(Strict):
    id: Id
    timezone: Text
    """IANA name, such as Asia/Shanghai."""


class ParcelSizes(Strict):
    length_min_mm: LengthMm
    length_mean_mm: LengthMm
    length_max_mm: LengthMm


class Belt(Strict):
    id: Id
    speed_mm_s: Annotated[int, Field(ge=100, le=3_000)]
    ticks_per_m: Annotated[int, Field(ge=100, le=20_000)]
    parcel: ParcelSizes
    gap_min_mm: LengthMm
    """Smallest gap that gapping leaves; closer ones are rejected (``gap_too_small``)."""
    nominal_per_h: Annotated[int, Field(ge=1, le=40_000)]
    decision_mm: PositionMm
    """Where a parcel is decided when everything is known."""


class Tolerances(Strict):
    track_mm: Annotated[int, Field(ge=1, le=1_000)]
    length_mm: Annotated[int, Field(ge=1, le=1_000)]
    commit_margin_mm: Annotated[int, Field(ge=1, le=1_000)]


class Plc(Strict):
    id: Id = "plc"
    device: Id
    host: Host
    port: Port
    unit: Annotated[int, Field(ge=0, le=255)]
    map_version: Annotated[int, Field(ge=1, le=65_535)]
    scan_ms: Annotated[int, Field(ge=1, le=100)]
    turnaround_ms: Annotated[int, Field(ge=1, le=1_000)]
    """Measured p99 of one Modbus transaction."""
    timeout_ms: Annotated[int, Field(ge=10, le=10_000)] | None = None
    """Left out: max(100, 3 × turnaround), at most 300."""
    heartbeat_ms: Annotated[int, Field(ge=50, le=30_000)]
    """The PLC drops its commands when the PC's heartbeat stands longer than this."""
    ring_capacity: Annotated[int, Field(ge=16, le=4_096)]
    full_on_ms: Annotated[int, Field(ge=100, le=60_000)] = 2_000
    """On-delay of an exit's full signal."""


class EyeSettings(Strict):
    id: Id
    role: EyeRole
    position_mm: PositionMm


class GuardZoneSettings(Strict):
    """A stretch of belt whose parcels the PLC marks together after hands could have been there."""

    id: Id
    from_mm: PositionMm
    to_mm: PositionMm
    guarded: bool
    """A stop of the belt alone lets no hand in."""


class Infeed(Strict):
    """A place where a hand or another belt puts parcels on; negative: upstream of the induction eye."""

    id: Id
    position_mm: Annotated[int, Field(ge=-200_000, le=200_000)]


class TcpClientSettings(Strict):
    """We connect to the device."""

    kind: Literal["tcp_client"]
    host: Host
    port: Port


class TcpServerSettings(Strict):
    """The device connects to us; ``host`` is the address of our own that it reaches."""

    kind: Literal["tcp_server"]
    host: Host = "127.0.0.1"
    port: Port


class SerialSettings(Strict):
    """A serial port, best by ``/dev/serial/by-id/…``; left out, the device file's format holds."""

    kind: Literal["serial"]
    path: DevicePath
    baudrate: Literal[600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] | None = None
    frame: Literal["8N1", "7E1", "7O1", "8E1", "8O1"] | None = None


class HidSettings(Strict):
    """A scanner that is a USB keyboard, best by ``/dev/input/by-id/…-event-kbd``; it is ours alone."""

    kind: Literal["hid"]
    path: DevicePath


class SimulatedFrames(Strict):
    """Frames of the simulated camera, over its Unix socket."""

    kind: Literal["simulated"]
    socket: DevicePath


class V4l2Frames(Strict):
    """A camera of this PC, best by ``/dev/v4l/by-id/…``."""

    kind: Literal["v4l2"]
    path: DevicePath


class StreamFrames(Strict):
    """A network camera: RTSP, or MJPEG over HTTP."""

    kind: Literal["stream"]
    url: StreamUrl
    open_timeout_ms: Annotated[int, Field(ge=100, le=4_000)] = 2_000
    read_timeout_ms: Annotated[int, Field(ge=100, le=4_000)] = 1_000


class FolderFrames(Strict):
    """Pictures of a folder in the order of their names, over and over: a replay."""

    kind: Literal["folder"]
    path: DevicePath


FrameSource = Annotated[
    SimulatedFrames | V4l2Frames | StreamFrames | FolderFrames, Field(discriminator="kind")
]


class CameraSettings(Strict):
    """A process of its own, ``beltkeeper camera LINE READER``, answers on a Unix socket."""

    kind: Literal["camera"]
    started_by: Literal["service", "line"] = "service"
    """``line``: the line process starts it, kills it and starts it anew."""
    socket: DevicePath | None = None
    """Left out: ``cameras/READER.socket`` in the line's data folder."""
    source: FrameSource
    trigger: Literal["free_running", "line", "eye"] = "free_running"
    """Which frames are read. ``line``: those taken while a parcel that an eye has told the line of passes.
    ``eye``: a photo-eye fires the camera itself, and its source is silent between two parcels."""
    exposure_us: Annotated[int, Field(ge=1, le=100_000)]
    module_um: Annotated[int, Field(ge=50, le=5_000)]
    """Width of the narrowest bar that it must read."""
    view_mm: LengthMm
    """Length on the parcel that the picture's width shows, where the parcel is farthest away."""

    @model_validator(mode="after")
    def _can_wait(self) -> Self:
        if self.trigger == "eye" and not isinstance(self.source, V4l2Frames | SimulatedFrames):
            raise ValueError(f"a source of kind {self.source.kind} cannot wait for an eye: trigger: line")
        return self


ScannerConnection = Annotated[
    HidSettings | SerialSettings | TcpClientSettings | TcpServerSettings, Field(discriminator="kind")
]
ReaderConnection = Annotated[
    HidSettings | SerialSettings | TcpClientSettings | TcpServerSettings | CameraSettings,
    Field(discriminator="kind"),
]
ScaleConnection = Annotated[SerialSettings | TcpClientSettings, Field(discriminator="kind")]


class Latency(Strict):
    """From the moment that the reader speaks of to its answer's last byte, as measured on site."""

    min_ms: Ms
    max_ms: Ms


class ReaderSettings(Strict):
    id: Id
    device: Id
    position_mm: PositionMm
    field_mm: LengthMm
    latency: Latency | None = None
    """Left out: the device file's. Of a camera: from the light to the stamp of its frame."""
    needed: bool = True
    """False: its answers count when they come, and are not waited for; where it is away, the line goes on
    without it. A reader behind the decision can only be such a one: it sees whether the code changed."""
    connection: ReaderConnection


class ReadingPointSettings(Strict):
    """Readers that look at a parcel from several sides: their answers are one read."""

    id: Id
    readers: Annotated[tuple[Id, ...], Field(min_length=2, max_length=8)]
    at_least: Annotated[int, Field(ge=1, le=8)] = 1
    """So many of them must be there; a label on a side that only the others see is missed meanwhile."""


class CheckParcelSettings(Strict):
    """A parcel of known weight that is run over the belt now and then."""

    id: Id
    code: Annotated[str, Field(min_length=4, max_length=64)]
    """On its label."""
    weight_g: Annotated[int, Field(ge=1, le=200_000)]
    tolerance_g: WeightG


class _ScaleSettings(Strict):
    id: Id
    device: Id
    infeed_eye: Id
    outfeed_eye: Id
    settle_ms: Ms
    filter_ms: Ms
    rate_hz: Annotated[int, Field(ge=1, le=2_000)]
    """Measured rate of independent readings; many indicators repeat each several times."""
    min_samples: Annotated[int, Field(ge=1, le=64)]
    spread_g: WeightG
    min_weight_g: WeightG
    capacity_g: Annotated[int, Field(ge=1, le=200_000)]
    division_g: Annotated[int, Field(ge=1, le=1_000)]
    stale_ms: Annotated[int, Field(ge=10, le=10_000)]
    zero_every_s: Annotated[int, Field(ge=10, le=86_400)] = 600
    """So often it is seen empty."""
    zero_within_s: Annotated[int, Field(ge=5, le=600)] = 30
    """So long a gap is asked for at induction; then no weight counts."""
    zero_g: WeightG | None = None
    """What it may show while it is empty; left out: two divisions."""
    checks: Annotated[tuple[CheckParcelSettings, ...], Field(max_length=8)] = ()
    connection: ScaleConnection


class BeltScale(_ScaleSettings):
    kind: Literal["belt"]


class StaticScale(_ScaleSettings):
    kind: Literal["static"]
    zone: Annotated[int, Field(ge=1, le=16)]
    stable_ms: Ms
    hold_timeout_ms: Annotated[int, Field(ge=100, le=30_000)]


class NoScale(Strict):
    """Parcels are not weighed: invariants 2 and 3 cannot be checked on this line."""

    kind: Literal["none"]


class DiverterSettings(Strict):
    id: Id
    kind: Literal["wheel", "pusher", "swing"]
    position_mm: PositionMm
    zone_mm: LengthMm
    actuator_ms: Annotated[int, Field(ge=1, le=5_000)]
    change_ms: Annotated[int, Field(ge=1, le=5_000)]
    eye: Id
    """The eye that clears its zone."""


class ExitSettings(Strict):
    no: Annotated[int, Field(ge=1, le=32)]
    id: Id
    diverter: Id
    side: Literal["left", "right"]
    confirm_from_mm: Annotated[int, Field(ge=1, le=10_000)]
    confirm_to_mm: Annotated[int, Field(ge=1, le=10_000)]
    """Window of the confirm eye, in belt from the diverter's position."""


class ChuteSettings(Strict):
    id: Id
    exit: Id
    """An exit's id, or ``end``."""
    kind: ChuteKind
    reserve: Annotated[int, Field(ge=1, le=1_000)]
    """Parcels it still holds after its exit says full."""


class Weighing(Strict):
    tolerance_g: WeightG
    tolerance_permille: Annotated[int, Field(ge=0, le=1_000)]
    max_weight_g: Annotated[int, Field(ge=1, le=200_000)]


class PatternSettings(Strict):
    id: Id
    carrier: Id
    regex: Annotated[str, Field(min_length=1, max_length=200)]


class CodeFormat(Strict):
    """What the codes of one symbology look like; a camera counts no others. ITF and Code 39 count only
    with lengths and a check digit or a pattern."""

    symbology: Symbology
    lengths: Annotated[tuple[Annotated[int, Field(ge=1, le=128)], ...], Field(max_length=16)] = ()
    check_digit: bool = False
    """Its last character: modulo 10 of an ITF, modulo 43 of a Code 39."""
    pattern: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """A regular expression for the whole text."""


class Reading(Strict):
    symbologies: Annotated[tuple[Symbology, ...], Field(min_length=1, max_length=10)]
    carriers: Annotated[tuple[Id, ...], Field(max_length=64)]
    """Carriers of ``carriers.yaml`` whose waybill patterns count."""
    patterns: Annotated[tuple[PatternSettings, ...], Field(max_length=64)] = ()
    """Patterns of the line's own, besides."""
    foreign_carriers: Annotated[tuple[Id, ...], Field(max_length=64)] = ()
    """Carriers of ``carriers.yaml`` that this line does not serve: what bears their label and has no order
    is ``foreign_label``."""
    foreign_patterns: Annotated[tuple[PatternSettings, ...], Field(max_length=64)] = ()
    """Labels of others besides, such as another warehouse's."""
    formats: Annotated[tuple[CodeFormat, ...], Field(max_length=10)] = ()
    no_read: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32)], ...], Field(min_length=1, max_length=16)
    ]


HealingReason = Literal[
    Reason.NO_READ,
    Reason.UNKNOWN_ORDER,
    Reason.WEIGHT_INVALID,
    Reason.UPSTREAM_TIMEOUT,
    Reason.UPSTREAM_ERROR,
    Reason.CHUTE_FULL,
    Reason.CHUTE_DISABLED,
]
"""Reasons that another lap may end without a person."""


class BenchSettings(Strict):
    """A review bench: its hand scanner and its gate."""

    id: Id
    device: Id
    gate: Annotated[int, Field(ge=1, le=MAX_BENCHES)]
    """Bit gate-1 of the PLC's gate words."""
    connection: ScannerConnection


class ReasonChute(Strict):
    reason: Reason
    chute: Id


class RecirculationSettings(Strict):
    """A lane that leads back to the infeed, for what may heal by itself."""

    chute: Id
    """Of kind ``recirculation``."""
    limit: Annotated[int, Field(ge=1, le=20)]
    """Laps of one waybill in a row; then ``max_recirculation``, to that reason's chute."""
    back_mm: Annotated[int, Field(ge=100, le=500_000)]
    """Belt of the way back: from the lane's exit to the induction eye."""
    reasons: Annotated[tuple[HealingReason, ...], Field(min_length=1, max_length=7)] = (
        Reason.NO_READ,
        Reason.WEIGHT_INVALID,
        Reason.UPSTREAM_TIMEOUT,
        Reason.UPSTREAM_ERROR,
        Reason.CHUTE_FULL,
    )


class Api(Strict):
    host: Host = "127.0.0.1"
    port: Port = 8_080


class Store(Strict):
    data_dir: Folder = "/var/lib/beltkeeper"
    min_free_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """Below it induction stops."""
    ballast_mb: Annotated[int, Field(ge=1, le=10_000)] = 64
    """A file that is given up to record the belt's last parcels when the disk is full."""
    slow_commit_ms: Annotated[int, Field(ge=10, le=60_000)] = 1_000
    max_backlog_rows: Annotated[int, Field(ge=16, le=65_536)] = 4_096
    snapshot_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000


class Pictures(Strict):
    """The no-read archive, of each camera of the line. A picture shows what is printed on a label."""

    mb_per_camera: Annotated[int, Field(ge=0, le=1_000_000)] = 1_024
    """The oldest go beyond it; 0: no picture is kept."""
    days: Annotated[int, Field(ge=1, le=3_650)] = 3
    """None is kept longer."""


class LineFile(Strict):
    """One line."""

    site: Site
    line: Belt
    tolerances: Tolerances
    plc: Plc
    infeeds: Annotated[tuple[Infeed, ...], Field(max_length=16)] = ()
    guard_zones: Annotated[tuple[GuardZoneSettings, ...], Field(max_length=16)] = ()
    eyes: Annotated[tuple[EyeSettings, ...], Field(min_length=2, max_length=32)]
    readers: Annotated[tuple[ReaderSettings, ...], Field(min_length=1, max_length=8)]
    reading_points: Annotated[tuple[ReadingPointSettings, ...], Field(max_length=4)] = ()
    scale: Annotated[NoScale | BeltScale | StaticScale, Field(discriminator="kind")]
    diverters: Annotated[tuple[DiverterSettings, ...], Field(min_length=1, max_length=32)]
    exits: Annotated[tuple[ExitSettings, ...], Field(min_length=1, max_length=32)]
    chutes: Annotated[tuple[ChuteSettings, ...], Field(min_length=1, max_length=256)]
    default_exception_chute: Id
    weighing: Weighing
    reading: Reading
    review: Literal["required", "none"]
    """Whether only what has passed a review may ship."""
    benches: Annotated[tuple[BenchSettings, ...], Field(max_length=MAX_BENCHES)] = ()
    reasons: Annotated[tuple[ReasonChute, ...], Field(max_length=64)] = ()
    recirculation: RecirculationSettings | None = None
    api: Api = Api()
    relay: Relay = Relay()
    store: Store = Store()
    pictures: Pictures = Pictures()
