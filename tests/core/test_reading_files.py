"""`beltkeeper read`: the list it answers with, and real photos of codes with the text beside each.

The photos are `BELTKEEPER_TEST_DATA/labels`, the samples of the zxing-cpp project. Three of their
expectations are not held against us: `ean13-2/23` and `ean13-2/28` have 9784872348880 printed below their
bars, not what their text files say, and `qrcode-2/16` holds a QR code within a QR code: both are right.
"""

import json
import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from typer.testing import CliRunner

from benchmarks.broken_pictures import read_all
from benchmarks.misreads import count
from drivers.streams.frame_sources import read_picture
from drivers.vision.agreement import ReadRules, goods_numbers
from drivers.vision.engines import zbar_missing
from drivers.vision.ladder import CodeSeen, Ladder
from edge.cli import app
from edge.model.codes import Code, Symbology
from edge.reading import SYMBOLOGIES, WrongOptions, goods_of, read_files, symbologies_of
from simulators.labels.mutated import mutated_files
from simulators.labels.printed import LabelPrint, print_label
from simulators.labels.scenes import degraded, mixed, negatives, turned, typical

DATA = os.environ.get("BELTKEEPER_TEST_DATA", "")
LABELS = Path(DATA) / "labels"
WRONG_TRUTH = {"ean13-2/23", "ean13-2/28", "qrcode-2/16"}
EVERYTHING = frozenset(SYMBOLOGIES)
DEGRADED, NEGATIVE, MUTATED = 40, 24, 60
with_photos = pytest.mark.skipif(not DATA, reason="needs BELTKEEPER_TEST_DATA")
with_zbar = pytest.mark.skipif(bool(zbar_missing()), reason=f"libzbar0 is missing: {zbar_missing()}")


def picture(folder: Path, *codes: Code) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.png"
    cv2.imwrite(str(path), print_label(LabelPrint(codes=codes)))
    return str(path)


def test_the_list_has_an_entry_for_each_path_as_given(tmp_path: Path) -> None:
    waybill = Code(text="JT1234567890123", symbology=Symbology.CODE128)
    square = Code(text="单号1", symbology=Symbology.QR)
    good = picture(tmp_path, waybill, square)
    blank = picture(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    paths = [
        good,
        blank,
        str(tmp_path / "text.png"),
        "nowhere.png",
        str(tmp_path),
        str(tmp_path / "empty.png"),
    ]
    entries = read_files(paths, EVERYTHING, frozenset())
    assert [entry["image"] for entry in entries] == paths
    codes = entries[0]["codes"]
    assert isinstance(codes, list)
    assert {(code["text"], code["symbology"], code["agreed"]) for code in codes} == {
        ("JT1234567890123", "code128", True),
        ("单号1", "qr", True),
    }
    assert all(set(code) == {"text", "symbology", "engines", "agreed"} for code in codes)
    assert "why" not in entries[0]
    assert all(entry["codes"] == [] and entry["why"] for entry in entries[1:])
    assert all(isinstance(entry["ms"], float) for entry in entries)


def test_binary_content_is_told_in_hex(tmp_path: Path) -> None:
    """Two of them that differ in their bytes are two codes."""
    contents = (b"\x00\x01\xff\xfe\x80one", b"\x00\x01\xff\xfe\x80two")
    drawn = [
        np.asarray(zxingcpp.create_barcode(one, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4), np.uint8)
        for one in contents
    ]
    path = tmp_path / "binary.png"
    cv2.imwrite(str(path), np.hstack([np.pad(one, 40, constant_values=255) for one in drawn]))
    (entry,) = read_files([str(path)], EVERYTHING, frozenset())
    codes = entry["codes"]
    assert isinstance(codes, list)
    found = {(code["text"], code["symbology"], code.get("bytes"), code["agreed"]) for code in codes}
    assert found == {("", "qr", one.hex(), True) for one in contents}


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    waybill = Code(text="JT1234567890123", symbology=Symbology.CODE128)
    (entry,) = read_files([picture(tmp_path, waybill)], frozenset({Symbology.QR}), frozenset())
    assert entry["codes"] == []


@with_zbar
def test_weak_codes_need_two_engines_and_a_goods_list_needs_one(tmp_path: Path) -> None:
    goods = Code(text="6901234567892", symbology=Symbology.EAN13)
    (entry,) = read_files([picture(tmp_path, goods)], EVERYTHING, frozenset())
    assert entry["codes"] == [
        {"text": goods.text, "symbology": "ean13", "engines": ["zbar", "zxing-cpp"], "agreed": True}
    ]


def test_options(tmp_path: Path) -> None:
    assert symbologies_of(["code128,qr", "itf"]) == {Symbology.CODE128, Symbology.QR, Symbology.ITF}
    assert symbologies_of([]) == EVERYTHING
    with pytest.raises(WrongOptions, match="--symbologies unknown: no such symbology; known: code128"):
        symbologies_of(["unknown"])
    goods = tmp_path / "goods.csv"
    goods.write_text("﻿sku,barcode\nA,6901234567892\nB,\nC\n", encoding="utf-8")
    assert goods_of(goods) == {"6901234567892"}
    goods.write_text("sku,ean\nA,6901234567892\n")
    with pytest.raises(WrongOptions, match="no column barcode in its head, which has sku, ean"):
        goods_of(goods)
    with pytest.raises(WrongOptions, match="No such file"):
        goods_of(tmp_path / "nothing.csv")
    goods.write_bytes(b"barcode\n\xff\xfe\n")
    with pytest.raises(WrongOptions, match="neither UTF-8 nor GBK"):
        goods_of(goods)


def test_the_command(tmp_path: Path) -> None:
    path = picture(tmp_path, Code(text="JT1234567890123", symbology=Symbology.CODE128))
    told = CliRunner().invoke(app, ["read", path, "nowhere", "--json", "-"])
    assert told.exit_code == 0
    assert [entry["image"] for entry in json.loads(told.stdout)] == [path, "nowhere"]
    told = CliRunner().invoke(app, ["read", path, "--json", str(tmp_path / "found.json")])
    assert "code128 'JT1234567890123': agreed" in told.stdout
    assert json.loads((tmp_path / "found.json").read_text())[0]["codes"]
    assert CliRunner().invoke(app, ["read", path, "--symbologies", "aztec"]).exit_code == 2
    assert CliRunner().invoke(app, ["read", path, "--json", "/nowhere/file"]).exit_code == 3


def photos() -> list[tuple[str, Path, str | bytes | None]]:
    """Name, file and what it holds (None: nothing) of every photo."""
    found = []
    for path in sorted(LABELS.glob("*/*")):
        if path.suffix not in {".txt", ".bin"}:
            text, data = path.with_suffix(".txt"), path.with_suffix(".bin")
            want: str | bytes | None = None
            if text.exists():
                want = text.read_bytes().decode()
            elif data.exists():
                want = data.read_bytes()
            found.append((f"{path.parent.name}/{path.stem}", path, want))
    return found


def is_it(code: CodeSeen, want: str | bytes) -> bool:
    one = code.sighting
    return one.text == want.strip() or one.text == want if isinstance(want, str) else one.data == want


@with_photos
@with_zbar
def test_real_photos_are_read_and_nothing_else_is() -> None:
    """Shares of all photos, not of a union of engines: ``benchmarks/reading.py`` has that."""
    ean = [want.strip() for name, _, want in photos() if name.startswith("ean") and isinstance(want, str)]
    ladder = Ladder(ReadRules(wanted=EVERYTHING, goods=goods_numbers(ean), strict=False), budget_us=None)
    seen, decoded, accepted, wrong = Counter[str](), Counter[str](), Counter[str](), list[str]()
    for name, path, want in photos():
        pixels = read_picture(path)
        if pixels is None:
            continue
        codes, group = ladder.read(pixels).codes, name.partition("-")[0]
        right = [] if want is None else [code for code in codes if is_it(code, want)]
        seen[group] += want is not None
        decoded[group] += bool(right)
        accepted[group] += any(code.why for code in right)
        if any(code.why and code not in right for code in codes) and name not in WRONG_TRUTH:
            wrong.append(name)
    assert wrong == []
    for group, share in {
        "code128": 1,
        "qrcode": 0.96,
        "datamatrix": 0.98,
        "code39": 0.80,
        "itf": 0.80,
    }.items():
        assert accepted[group] >= share * seen[group], group
    assert decoded["code39"] == seen["code39"]
    assert decoded["itf"] == seen["itf"]
    assert accepted["ean8"] == seen["ean8"]
    assert accepted["ean13"] >= 0.8 * seen["ean13"]


def test_a_camera_reads_labels_at_any_angle_and_never_wrongly() -> None:
    ladder = Ladder(ReadRules(wanted=frozenset({Symbology.CODE128})), budget_us=None)
    for scenes, share in ((typical(11, 8), 1.0), (turned(11, every=20), 1.0), (mixed(11, 16), 0.4)):
        tried = read = 0
        for scene in scenes:
            counted = {code.sighting.text for code in ladder.read(scene.pixels).codes if code.why}
            assert counted <= {code.text for code in scene.codes}, scene.damage
            tried, read = tried + 1, read + (scene.codes[0].text in counted)
        assert read >= share * tried


def test_what_counts_is_there_however_hard_it_is_to_read() -> None:
    """A slice of ``benchmarks.misreads``, which reads 20,000."""
    hard = count("degraded", degraded(11, DEGRADED))
    assert [what for _, _, what in hard.wrong] == []
    assert hard.true.total() >= DEGRADED // 8, "hard to read, not impossible"
    assert [what for _, _, what in count("negatives", negatives(11, NEGATIVE)).wrong] == []


def test_a_line_that_crosses_the_bars_aslant_reads_no_part_of_a_code() -> None:
    """Interleaved 2 of 5 of which both engines read six digits, where a scan line left it at its side."""
    (scene,) = (one for n, one in enumerate(degraded(2, 73)) if n == 72)
    assert scene.codes[0].symbology is Symbology.ITF
    assert count("degraded", [scene]).wrong == []


def test_mutated_pictures_raise_nothing() -> None:
    """A slice of ``benchmarks.broken_pictures``, which reads 20,000."""
    assert read_all(mutated_files(20_260_102, MUTATED)) > 0
