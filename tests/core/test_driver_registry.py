"""The registry, the closed unions of line_config and the device files name the same protocols."""

import json
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

import line_config
from drivers import registry
from drivers.registry import CAMERA_CODECS, PARITY, PLC_LINKS, SCALE_CODECS, SCANNER_CODECS
from drivers.streams.transport_stream import TransportStream
from drivers.streams.unix import START_MS
from edge.model.topology import ReadPolicy
from edge.model.units import MonoUs
from edge.model.weight import SampleState
from edge.ports.byte_stream import LinkFailed
from line_config.device_files import (
    TAKES_ZERO,
    TELLS_STABLE,
    CameraFile,
    CameraProtocol,
    PlcProtocol,
    ScaleFile,
    ScaleProtocol,
    ScannerFile,
    ScannerProtocol,
    SerialFrame,
)
from line_config.model import CameraSettings
from simulators.devices.keyboard import typed_events
from tests.core import (
    test_camera_codec,
    test_scale_codec_mettler_toledo,
    test_scale_codec_mt_sics,
    test_scale_codec_yaohua_a9,
    test_scanner_codec_hid,
    test_scanner_codec_lines,
)

DEVICES = Path(line_config.__file__).parent / "devices"
SCALES = sorted((DEVICES / "scales").glob("*.yaml"))
SCANNERS = sorted((DEVICES / "scanners").glob("*.yaml"))
CAMERAS = sorted((DEVICES / "cameras").glob("*.yaml"))
GOLDEN_SCALES = {
    "mettler_toledo_continuous": test_scale_codec_mettler_toledo.GOLDEN,
    "mt_sics": test_scale_codec_mt_sics.GOLDEN,
    "yaohua_a9_continuous": test_scale_codec_yaohua_a9.GOLDEN,
}
READ = ReadPolicy(symbologies=(), patterns=(), no_read=("NoRead",))


def read(path: Path) -> str:
    return json.dumps(YAML(typ="safe").load(path.read_text("utf-8")))


def test_one_table_for_each_union() -> None:
    assert set(PLC_LINKS) == set(get_args(PlcProtocol))
    assert set(SCALE_CODECS) == set(get_args(ScaleProtocol))
    assert set(SCANNER_CODECS) == set(get_args(ScannerProtocol))
    assert set(CAMERA_CODECS) == set(get_args(CameraProtocol))
    assert {frame[1] for frame in get_args(SerialFrame)} <= set(PARITY)


@pytest.mark.parametrize("path", SCALES, ids=lambda path: path.stem)
def test_every_scale_file_makes_a_codec(path: Path) -> None:
    file = ScaleFile.model_validate_json(read(path))
    assert SCALE_CODECS[file.protocol](file).feed(b"", MonoUs(1)) == ()
    assert file.checksum or file.agreeing_frames > 1, "without a check sum k frames must agree"


def test_what_a_protocol_can_do_is_said_beside_its_name() -> None:
    files = [ScaleFile.model_validate_json(read(path)) for path in SCALES]
    zeroed = {file.protocol for file in files if SCALE_CODECS[file.protocol](file).zero}
    assert zeroed == TAKES_ZERO
    tables = GOLDEN_SCALES.items()
    assert {
        name for name, table in tables if any(row.state is SampleState.OK for row in table)
    } == TELLS_STABLE


@pytest.mark.parametrize("path", SCANNERS, ids=lambda path: path.stem)
def test_every_scanner_file_makes_a_codec(path: Path) -> None:
    file = ScannerFile.model_validate_json(read(path))
    codec = SCANNER_CODECS[file.protocol](file, READ)
    said = f"{file.prefix}NoRead{file.terminator}"
    data = typed_events(said) if file.protocol == "hid_keyboard" else said.encode()
    events = codec.feed(data, MonoUs(1)) + codec.silent()
    assert [event.codes for event in events if hasattr(event, "codes")] == [()]


def test_every_protocol_has_a_golden_table_with_its_sources() -> None:
    scanners = {"text_lines", "hid_keyboard"}
    assert set(GOLDEN_SCALES) == set(SCALE_CODECS)
    assert scanners == set(SCANNER_CODECS)
    assert set(CAMERA_CODECS) == {"camera_messages"}
    assert len(test_camera_codec.GOLDEN) >= 8
    assert all(len(table) >= 8 and all(row.source for row in table) for table in GOLDEN_SCALES.values())
    assert len(test_scanner_codec_lines.GOLDEN) >= 8
    assert len(test_scanner_codec_hid.GOLDEN) >= 8


def test_every_protocol_has_a_device_file() -> None:
    assert {ScaleFile.model_validate_json(read(path)).protocol for path in SCALES} == set(SCALE_CODECS)
    assert {ScannerFile.model_validate_json(read(path)).protocol for path in SCANNERS} == set(SCANNER_CODECS)
    assert {CameraFile.model_validate_json(read(path)).protocol for path in CAMERAS} == set(CAMERA_CODECS)


async def test_a_camera_that_did_not_come_up_in_time_gets_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    given, late = list[int](), True

    async def start(_command: object, path: Path, *, start_ms: int) -> TransportStream:
        given.append(start_ms)
        if late:
            raise LinkFailed("it does not answer")
        return TransportStream(str(path))

    monkeypatch.setattr(registry, "open_child", start)
    settings = CameraSettings.model_validate(
        {
            "kind": "camera",
            "started_by": "line",
            "source": {"kind": "folder", "path": "/srv/pictures"},
            "exposure_us": 150,
            "module_um": 330,
            "view_mm": 250,
        }
    )
    cable = registry.camera_cable(settings, Path("socket"), ["camera"])
    for _ in range(5):
        with pytest.raises(LinkFailed):
            await cable()
    late = False
    await cable()
    await cable()
    assert given == [START_MS, 8_000, 16_000, 30_000, 30_000, 30_000, START_MS]
