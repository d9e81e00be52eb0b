"""`beltkeeper no-reads`: causes counted for people, and old pictures read by the pipeline of today."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from drivers.streams.picture_files import jpeg_of, pixels_of
from drivers.vision.look import CodeSeen, Rung
from drivers.vision.sightings import Engine, Place, Sighting
from edge.cli import app
from edge.model import records as r
from edge.model.codes import Code, ReadQuality, ReadRule, Symbology
from edge.model.coding import CodingCheck, CodingOutcome
from edge.model.ids import BootEpoch, InboxSeq, PlcNumber, ReaderId, TrackId, Waybill
from edge.model.pictures import NoReadCause
from edge.model.units import MonoUs, UtcUs
from edge.no_reads import _code_json
from edge.store.picture_keeper import PictureKeeper
from edge.store.places import Places
from simulators.labels.printed import LabelPrint, print_label
from tests.core import store_kit
from tests.core.test_pictures import note

SIDE = ReaderId("side")
WAYBILL = "JT1234567890123"
LABEL = print_label(LabelPrint(codes=(Code(text=WAYBILL, symbology=Symbology.CODE128),), module_px=3))
BLANK = np.full((400, 600), 90, np.uint8)


def archive(data: Path) -> None:
    """Tracks 1 to 3 of the line `camera`: two labels that nothing was read of then, and a belt. The first
    one's code was keyed too late; the last picture is of an older record."""
    scribe = store_kit.Scribe(Places(data).journal)
    for track in (1, 2, 3, 4):
        at = track * 1_000_000
        scribe.write(
            store_kit.opened(at, track),
            r.Identified(
                at_us=MonoUs(at + 500),
                track=TrackId(track),
                quality=ReadQuality.NO,
                waybill=Waybill(""),
                codes=(),
                why=ReadRule.NOTHING_READ,
            ),
        )
    scribe.write(
        r.KeyedCodeTaken(
            at_us=MonoUs(9_000_000),
            inbox_seq=InboxSeq(1),
            track=TrackId(1),
            waybill=Waybill(WAYBILL),
            check=CodingCheck.TWICE,
            by="station",
            keyed_utc_us=UtcUs(0),
            outcome=CodingOutcome.GONE_BY,
        )
    )
    scribe.close()
    keeper = PictureKeeper(Places(data).pictures / SIDE, max_bytes=1 << 30, max_age_s=1 << 30, spare_bytes=0)
    keeper.open()
    for track, pixels, cause in ((1, LABEL, "blurred"), (2, LABEL, "blurred"), (3, BLANK, "nothing_seen")):
        keep(keeper, track, jpeg_of(pixels), NoReadCause(cause), epoch=1)
    keep(keeper, 4, jpeg_of(LABEL), NoReadCause.BLURRED, epoch=8)


def keep(keeper: PictureKeeper, track: int, picture: bytes, cause: NoReadCause, epoch: int) -> None:
    one = replace(
        note(track, picture),
        reader=SIDE,
        epoch=BootEpoch(epoch),
        number=PlcNumber(track),
        cause=cause,
        codes=(),
    )
    assert keeper.put(one, picture, UtcUs(0))


def run(data: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["no-reads", "camera", "--data", str(data), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_causes_as_json(tmp_path: Path) -> None:
    archive(tmp_path)
    told = json.loads(run(tmp_path, "--json", "-"))
    assert told["pictures"] == 3
    assert [(one["cause"], one["pictures"]) for one in told["counts"]] == [
        ("blurred", 2),
        ("nothing_seen", 1),
    ]
    assert "again" not in told


def test_what_the_pipeline_of_today_reads_and_on_which_rung(tmp_path: Path) -> None:
    archive(tmp_path)
    told = json.loads(run(tmp_path, "--again", "--json", "-"))
    assert [(one["track"], one["reader"], one["keyed"]) for one in told["again"]] == [
        (2, "side", ""),
        (1, "side", WAYBILL),
    ]
    for one in told["again"]:
        (code,) = one["codes"]
        assert (code["text"], code["symbology"]) == (WAYBILL, "code128")
        assert code["rung"]
        assert code["why"]


def test_a_binary_code_is_told_in_hex() -> None:
    data = b"\x00\xff\xfeone"
    place = Place(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)))
    binary = Sighting(
        symbology=Symbology.QR, text="", data=data, binary=True, engine=Engine.ZXING, place=place
    )
    readable = replace(binary, text="one", data=b"one", binary=False)
    told, plain = (_code_json(CodeSeen(sighting=one, rung=Rung.SQUARES)) for one in (binary, readable))
    assert (told["text"], told["bytes"]) == ("", data.hex())
    assert set(told) - set(plain) == {"bytes"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en_GB.UTF-8", ("3 pictures", "Blurred", "2 of 3 are read today")),
        ("zh_CN.UTF-8", ("3 张照片", "模糊")),
    ],
)
def test_what_people_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setenv("COLUMNS", "160")
    archive(tmp_path)
    told = run(tmp_path, "--again")
    for word in (*words, WAYBILL):
        assert word in told


def test_a_line_without_pictures_or_record_has_none(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "--again", "--json", "-")) == {"pictures": 0, "counts": [], "again": []}


def test_a_record_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    archive(tmp_path)
    Places(tmp_path).journal.write_bytes(b"no database" * 1_000)
    done = CliRunner().invoke(app, ["no-reads", "camera", "--data", str(tmp_path)])
    assert done.exit_code == 3
    done = CliRunner().invoke(
        app, ["no-reads", "camera", "--data", str(tmp_path / "x"), "--json", "/nowhere/f"]
    )
    assert done.exit_code == 3


def test_what_is_no_picture_of_ours_has_no_pixels() -> None:
    assert pixels_of(b"no picture") is None
    assert pixels_of(b"") is None
    pixels = pixels_of(jpeg_of(LABEL))
    assert pixels is not None
    assert pixels.shape == LABEL.shape
