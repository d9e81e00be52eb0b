"""What speaks each protocol and opens each cable: literal tables, nothing is searched for.

The keys are the closed unions of ``line_config.device_files`` and the kinds of its connections; a test
holds them equal.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never

from drivers.codecs.camera_messages import CameraMessages
from drivers.codecs.hid_keyboard import HidKeyboard
from drivers.codecs.mettler_toledo import ContinuousCodec
from drivers.codecs.mt_sics import SicsCodec
from drivers.codecs.scanner_lines import LineFormat, ScannerLines
from drivers.codecs.yaohua_a9 import A9Codec
from drivers.links.camera import CameraLink
from drivers.links.plc import PlcMailboxLink
from drivers.links.scale_serial import ScaleCodec, ScaleLink
from drivers.links.scanner import ScannerCodec, ScannerLink
from drivers.streams.hid import open_hid
from drivers.streams.serial import ParityName, open_serial
from drivers.streams.tcp import accept_tcp, open_tcp
from drivers.streams.unix import START_MS, open_child, open_unix
from edge.model.ids import ReaderId
from edge.model.topology import Bench, Reader, ReadPolicy, Scale
from edge.ports.byte_stream import ByteStream, OpenStream
from edge.ports.link import Link
from edge.ports.sinks import CodeSink, SampleSink
from line_config.device_files import (
    CameraProtocol,
    PlcProtocol,
    ReaderFile,
    ScaleFile,
    ScaleProtocol,
    ScannerFile,
    ScannerProtocol,
)
from line_config.model import (
    CameraSettings,
    HidSettings,
    ScaleConnection,
    ScannerConnection,
    SerialSettings,
    TcpClientSettings,
    TcpServerSettings,
)

MakeScaleCodec = Callable[[ScaleFile], ScaleCodec]
MakeScannerCodec = Callable[[ScannerFile, ReadPolicy], ScannerCodec]
MAX_BURST = 4_096
"""Messages in one read of a hand scanner: more than the shortest ones in any stream's buffer."""
LONGEST_START_MS = 30_000
PARITY: Mapping[str, ParityName] = {"N": "none", "E": "even", "O": "odd"}


def _mettler_toledo(file: ScaleFile) -> ScaleCodec:
    return ContinuousCodec(
        unit=file.unit,
        checksum=file.checksum,
        agreeing=file.agreeing_frames,
        power_up_bit=bool(file.power_up_bit),
    )


def _mt_sics(file: ScaleFile) -> ScaleCodec:
    return SicsCodec(unit=file.unit, agreeing=file.agreeing_frames, ask=file.ask or "SIR")


def _yaohua_a9(file: ScaleFile) -> ScaleCodec:
    return A9Codec(unit=file.unit, agreeing=file.agreeing_frames)


def _text_lines(file: ScannerFile, read: ReadPolicy) -> ScannerLines:
    return ScannerLines(
        LineFormat(
            prefix=file.prefix.encode(),
            terminator=file.terminator.encode(),
            separator=file.separator,
            aim=file.aim_identifiers,
            no_read=(*read.no_read, *file.no_read),
            heartbeat=file.heartbeat,
            max_bytes=file.max_line_bytes,
        )
    )


def _hid_keyboard(file: ScannerFile, read: ReadPolicy) -> HidKeyboard:
    return HidKeyboard(_text_lines(file, read))


PLC_LINKS: Mapping[PlcProtocol, type[PlcMailboxLink]] = {"mailbox": PlcMailboxLink}
SCALE_CODECS: Mapping[ScaleProtocol, MakeScaleCodec] = {
    "mettler_toledo_continuous": _mettler_toledo,
    "mt_sics": _mt_sics,
    "yaohua_a9_continuous": _yaohua_a9,
}
SCANNER_CODECS: Mapping[ScannerProtocol, MakeScannerCodec] = {
    "text_lines": _text_lines,
    "hid_keyboard": _hid_keyboard,
}
CAMERA_CODECS: Mapping[CameraProtocol, type[CameraMessages]] = {"camera_messages": CameraMessages}


def cable(connection: ScaleConnection | ScannerConnection, file: ScaleFile | ScannerFile) -> OpenStream:
    """How the line opens this device's cable; a serial port's format is the line's own, else the
    device file's."""

    async def opened() -> ByteStream:
        match connection:
            case TcpClientSettings():
                return await open_tcp(connection.host, connection.port)
            case TcpServerSettings():
                return await accept_tcp(connection.host, connection.port)
            case HidSettings():
                return await open_hid(connection.path)
            case SerialSettings():
                frame, baudrate = connection.frame or file.frame, connection.baudrate or file.baudrate
                assert frame is not None, "line_config refuses a port without a format"
                assert baudrate is not None
                return await open_serial(
                    connection.path,
                    baud=baudrate,
                    bytesize=int(frame[0]),
                    parity=PARITY[frame[1]],
                    stopbits=int(frame[2]),
                )
            case _:
                assert_never(connection)

    return opened


def scale_link(scale: Scale, file: ScaleFile, open_stream: OpenStream, sink: SampleSink) -> ScaleLink:
    make = SCALE_CODECS[file.protocol]
    return ScaleLink(
        device=scale.device,
        scale=scale.id,
        stale_ms=scale.stale_ms,
        open_stream=open_stream,
        make_codec=lambda: make(file),
        sink=sink,
    )


def bench_link(
    bench: Bench, file: ScannerFile, read: ReadPolicy, open_stream: OpenStream, sink: CodeSink
) -> ScannerLink:
    """A hand scanner: as a reader's, but everything it says counts, however much comes at once."""
    make = SCANNER_CODECS[file.protocol]
    return ScannerLink(
        device=bench.device,
        reader=ReaderId(bench.id),
        silence_ms=file.silence_ms,
        stale_ms=file.stale_ms,
        open_stream=open_stream,
        make_codec=lambda: make(file, read),
        sink=sink,
        max_together=MAX_BURST,
    )


def camera_cable(connection: CameraSettings, path: Path, command: Sequence[str]) -> OpenStream:
    """How the line reaches a camera's process at ``path``: one that runs, or one that it starts itself
    by ``command``. One that did not come up in time gets longer: on a machine that is so busy, a start that
    is broken off only makes the next one slower."""
    start_ms = START_MS

    async def opened() -> ByteStream:
        nonlocal start_ms
        if connection.started_by == "service":
            return await open_unix(path)
        limit_ms, start_ms = start_ms, min(2 * start_ms, LONGEST_START_MS)
        stream = await open_child(command, path, start_ms=limit_ms)
        start_ms = START_MS
        return stream

    return opened


def reader_link(
    reader: Reader, file: ReaderFile, read: ReadPolicy, open_stream: OpenStream, sink: CodeSink
) -> Link:
    """A camera's or a scanner's."""
    if isinstance(file, ScannerFile):
        return scanner_link(reader, file, read, open_stream, sink)
    return CameraLink(
        device=reader.device,
        reader=reader.id,
        answer_ms=file.answer_ms,
        silent_ms=file.silent_ms,
        open_stream=open_stream,
        make_codec=CAMERA_CODECS[file.protocol],
        sink=sink,
    )


def scanner_link(
    reader: Reader, file: ScannerFile, read: ReadPolicy, open_stream: OpenStream, sink: CodeSink
) -> ScannerLink:
    make = SCANNER_CODECS[file.protocol]
    return ScannerLink(
        device=reader.device,
        reader=reader.id,
        silence_ms=file.silence_ms,
        stale_ms=file.stale_ms,
        open_stream=open_stream,
        make_codec=lambda: make(file, read),
        sink=sink,
    )
