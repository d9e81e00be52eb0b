"""Every scanner's device file, read by its own codec: the bytes that its manual's page makes it send.

What each page says stands in the row; AIM identifiers are ISO/IEC 15424's, codes are examples.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import line_config
from drivers.codecs.reader_events import ReaderAnswered
from drivers.registry import SCANNER_CODECS
from edge.model.codes import Symbology
from edge.model.topology import ReadPolicy
from edge.model.units import MonoUs
from line_config.device_files import ScannerFile
from simulators.devices.keyboard import typed_events
from simulators.pipes import FOUR_WIRES, pipe_of

SCANNERS = Path(line_config.__file__).parent / "devices" / "scanners"
NAMES = sorted(path.stem for path in SCANNERS.glob("*.yaml"))
READ = ReadPolicy(symbologies=(), patterns=(), no_read=("NoRead",))
JT, EAN = ("JT1234567890123", Symbology.CODE128), ("6901234567892", Symbology.EAN13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    device: str
    data: bytes
    codes: tuple[tuple[str, Symbology], ...]
    source: str


COMMON = "no page: what is common"
TABLE = [
    Row(
        device="datalogic_quickscan_serial",
        data=b"]C0JT1234567890123\r\n",
        codes=(JT,),
        source="QuickScan Mobile reference manual, page 128: RS-232, no header, terminator CR-LF",
    ),
    Row(
        device="datalogic_quickscan_keyboard",
        data=typed_events("]C0JT1234567890123\r"),
        codes=(JT,),
        source="QuickScan Mobile reference manual, page 128: WEDGE, no header, terminator ENTER",
    ),
    Row(
        device="denso_qk20_serial",
        data=b"]E06901234567892\r",
        codes=(EAN,),
        source="QK20 user's manual, page 42: header none, terminator CR",
    ),
    Row(
        device="denso_qk20_keyboard",
        data=typed_events("]C0JT1234567890123\r", by_number=True),
        codes=(JT,),
        source="QK20 user's manual, page 42: USB keyboard, terminator ENTER",
    ),
    Row(
        device="keyence_sr750_tcp",
        data=b"]C0JT1234567890123,]E06901234567892\r",
        codes=(JT, EAN),
        source="SR-750 user's manual, page 71: header none, terminator CR",
    ),
    Row(
        device="keyence_sr750_tcp",
        data=b"ERROR\r",
        codes=(),
        source="N-410 user's manual, page 5-10: ERROR, a read error of BL and SR readers",
    ),
    Row(
        device="sick_clv410_serial",
        data=b"\x02]C0JT1234567890123\r\n\x03",
        codes=(JT,),
        source="CLV 410 operating instructions, page 44: STX and ETX; page 41: terminator CR LF",
    ),
    Row(
        device="tcp_line_reader",
        data=b"]C0JT1234567890123;]E06901234567892\r\n",
        codes=(JT, EAN),
        source=COMMON,
    ),
    Row(
        device="tcp_hand_scanner",
        data=b"JT1234567890123\r\n",
        codes=(("JT1234567890123", Symbology.UNKNOWN),),
        source=COMMON,
    ),
    Row(device="tcp_trigger_reader", data=b"NoRead\r\n", codes=(), source=COMMON),
    Row(device="serial_hand_scanner", data=b"]C0JT1234567890123\r", codes=(JT,), source=COMMON),
    Row(device="hid_hand_scanner", data=typed_events("]C0JT1234567890123\r"), codes=(JT,), source=COMMON),
]


def file_of(name: str) -> ScannerFile:
    text = (SCANNERS / f"{name}.yaml").read_text("utf-8")
    return ScannerFile.model_validate_json(json.dumps(YAML(typ="safe").load(text)))


@pytest.mark.parametrize("wire", sorted(FOUR_WIRES.keys() - {"lossy"}))
@pytest.mark.parametrize("row", TABLE, ids=[f"{row.device}-{n}" for n, row in enumerate(TABLE)])
def test_golden(row: Row, wire: str) -> None:
    file, pipe = file_of(row.device), pipe_of(wire, seed=1)
    codec = SCANNER_CODECS[file.protocol](file, READ)
    for n in range(3):
        answers = [
            event
            for at_us, piece in pipe.push(10_000_000 * n, row.data)
            for event in codec.feed(piece, MonoUs(at_us))
        ]
        assert all(isinstance(one, ReaderAnswered) for one in answers)
        found = [[(code.text, code.symbology) for code in one.codes] for one in answers]  # type: ignore[union-attr]
        assert found == [list(row.codes)]


@pytest.mark.parametrize("name", NAMES)
def test_every_device_file_has_a_row_and_says_what_it_was_held_against(name: str) -> None:
    file, rows = file_of(name), [row for row in TABLE if row.device == name]
    assert rows
    assert (file.verified == "manual") is all(", page " in row.source for row in rows)
    if file.verified == "manual":
        assert "page" in file.source
    assert file.verified in ("manual", "nothing"), "no recording and no site has been seen yet"
