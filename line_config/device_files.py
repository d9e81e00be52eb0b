"""Device files: what is known of a model, read from ``devices/{plc,scales,scanners,cameras}/*.yaml``.

A new model of a known protocol is one such file. Protocol names are closed here; the drivers'
registry has the same ones.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.model.register_map import WordOrder
from edge.model.topology import ReaderSpeaks
from line_config.fields import Id, Ms, Strict, Text

PlcProtocol = Literal["mailbox"]
ScaleProtocol = Literal["mettler_toledo_continuous", "mt_sics", "yaohua_a9_continuous"]
TELLS_STABLE: frozenset[ScaleProtocol] = frozenset({"mettler_toledo_continuous", "mt_sics"})
"""Protocols whose frames say whether the weight stands still: a static scale needs one."""
TAKES_ZERO: frozenset[ScaleProtocol] = frozenset({"mt_sics"})
"""Protocols by which a scale can be told to set its zero."""
ScannerProtocol = Literal["text_lines", "hid_keyboard"]
CameraProtocol = Literal["camera_messages"]
Verified = Literal["manual", "recording", "site", "nothing"]
"""What a device file's figures were held against: the maker's manual (``source`` says where), bytes recorded
from a device, a device in use on a site; or nothing: what is common, to be held against the device."""

Address = Annotated[int, Field(ge=0, le=65_535)]
Baudrate = Literal[600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
SerialFrame = Literal["8N1", "7E1", "7O1", "8E1", "8O1"]


class _DeviceFile(Strict):
    id: Id
    maker: Text
    models: Annotated[tuple[Text, ...], Field(min_length=1, max_length=64)]
    source: Text
    """The manual or standard that the figures are from."""


class PlcFile(_DeviceFile):
    """Where a PLC program has the blocks of docs/plc-contract.md (wire addresses, from 0)."""

    protocol: PlcProtocol
    identity: Address
    status: Address
    ring: Address
    pc_status: Address
    command: Address
    word_order: WordOrder
    max_block: Annotated[int, Field(ge=22, le=32)]
    """Registers at once; the largest block that is not split is the status of 22."""
    read_write: bool
    """It answers FC23: PC status out and PLC status in are one transaction."""


class ScaleFile(_DeviceFile):
    protocol: ScaleProtocol
    baudrate: Baudrate
    frame: SerialFrame
    unit: Literal["kg", "g"]
    """Unit that the indicator is set to; a frame in any other one is no weight."""
    checksum: bool
    """Frames end with a check sum; without it, they are sent without."""
    agreeing_frames: Annotated[int, Field(ge=1, le=10)]
    """Equal frames before a value counts (more than one where frames have no check sum)."""
    frame_rate_hz: Annotated[int, Field(ge=1, le=2_000)]
    """Frames sent a second; the independent readings among them are the line's ``rate_hz``."""
    power_up_bit: bool | None = None
    """``mettler_toledo_continuous``: status word B, bit 6 says "zero not captured"; false for clones in
    which it is always set."""
    ask: Literal["S", "SI", "SIR"] | None = None
    """``mt_sics``: what the scale is asked with; SIR once, the others anew after each answer."""

    @model_validator(mode="after")
    def _has_what_its_protocol_needs(self) -> Self:
        for key, protocol in (("power_up_bit", "mettler_toledo_continuous"), ("ask", "mt_sics")):
            if (getattr(self, key) is not None) != (self.protocol == protocol):
                raise ValueError(f"{key} belongs to protocol {protocol}, which needs it, and to no other")
        if self.checksum and self.protocol == "mt_sics":
            raise ValueError("answers of mt_sics have no check sum: checksum: false")
        if not self.checksum and self.protocol == "yaohua_a9_continuous":
            raise ValueError("frames of yaohua_a9_continuous have a check sum: checksum: true")
        if not self.checksum and self.agreeing_frames < 2:
            raise ValueError("without a check sum at least two frames must agree: agreeing_frames: 2")
        return self


class ScannerFile(_DeviceFile):
    """``text_lines``: each answer is one message of text, its codes parted by ``separator``;
    ``hid_keyboard``: the same, typed as a USB keyboard with the US layout, or by numbers on the keypad.

    A message ends with ``terminator`` (typed: Enter is CR), or by ``silence_ms`` of silence, or by either.
    """

    protocol: ScannerProtocol
    verified: Verified
    speaks: ReaderSpeaks
    latency_min_ms: Ms
    latency_max_ms: Ms
    baudrate: Baudrate | None = None
    frame: SerialFrame | None = None
    """Of its serial port; left out where it has none."""
    prefix: Annotated[str, Field(max_length=8)]
    terminator: Annotated[str, Field(max_length=4)]
    separator: Annotated[str, Field(max_length=4)]
    """Empty: one code a message."""
    aim_identifiers: bool
    """Each code begins with its AIM identifier, such as ``]C1``."""
    max_line_bytes: Annotated[int, Field(ge=16, le=8_192)]
    silence_ms: Annotated[int, Field(ge=0, le=1_000)]
    no_read: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32)], ...], Field(max_length=8)
    ] = ()
    """Messages that mean no-read, besides those of the line's ``reading.no_read``."""
    heartbeat: Annotated[str, Field(max_length=32)]
    """A message that only says that the reader lives; empty: it sends none."""
    stale_ms: Annotated[int, Field(ge=0, le=600_000)]
    """With a heartbeat: longer silence is a dead link. 0: silence says nothing."""

    @model_validator(mode="after")
    def _ends_somehow(self) -> Self:
        if not self.terminator and not self.silence_ms:
            raise ValueError("a message ends by terminator or by silence_ms: at least one of them")
        if bool(self.heartbeat) != bool(self.stale_ms):
            raise ValueError("heartbeat and stale_ms belong together: both or neither")
        if self.latency_min_ms > self.latency_max_ms:
            raise ValueError("latency_min_ms is larger than latency_max_ms")
        if bool(self.baudrate) != bool(self.frame):
            raise ValueError("baudrate and frame belong together: both or neither")
        if self.protocol == "hid_keyboard" and (self.baudrate or self.heartbeat):
            raise ValueError("a keyboard has no baudrate, no frame and no heartbeat")
        return self


class CameraFile(_DeviceFile):
    """An area camera that this software reads itself.

    ``stamp_min_ms…stamp_max_ms``: from the light to the stamp that its frame gets at the grab.
    """

    protocol: CameraProtocol
    width_px: Annotated[int, Field(ge=160, le=16_384)]
    height_px: Annotated[int, Field(ge=120, le=16_384)]
    frames_per_s: Annotated[int, Field(ge=1, le=1_000)]
    stamp_min_ms: Ms
    stamp_max_ms: Ms
    answer_ms: Annotated[int, Field(ge=10, le=2_000)]
    """From the stamp to the answer at the latest: the budget of the decoders, and the way to the line."""
    silent_ms: Annotated[int, Field(ge=600, le=3_000)]
    """The process gives a sign of life several times in this time, or it is taken for hung."""
    frozen_ms: Annotated[int, Field(ge=0, le=60_000)]
    """The same picture, bit for bit, for so long: it is frozen. 0: its pictures are still by nature."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stamp_min_ms > self.stamp_max_ms:
            raise ValueError("stamp_min_ms is larger than stamp_max_ms")
        return self


ReaderFile = ScannerFile | CameraFile
