"""`beltkeeper read` on what people really give it: every kind of picture, and what is none."""

import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.streams import frame_sources
from drivers.streams.frame_sources import read_picture
from edge import cli
from edge.model.codes import Code, Symbology
from edge.reading import SYMBOLOGIES, WrongOptions, goods_of, read_files
from simulators.labels.printed import LabelPrint, print_label

TEXT = "JT1234567890123"
LABEL = print_label(LabelPrint(codes=(Code(text=TEXT, symbology=Symbology.CODE128),), module_px=3))
GREY = Image.fromarray(LABEL)
EVERYTHING = frozenset(SYMBOLOGIES)
MEMORY = 1_500 << 20
"""Of the command's address space; a bomb unpacks to 900 MB more."""


def with_ink_in_alpha() -> Image.Image:
    """Black everywhere, and paper where it can be seen through."""
    pixels = np.zeros((*LABEL.shape, 4), np.uint8)
    pixels[..., 3] = 255 - LABEL
    return Image.fromarray(pixels)


def turned_by_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def save(folder: Path, name: str) -> Path:
    path = folder / name.replace(" ", "_")
    match name:
        case "cmyk.jpg" | "cmyk.tif":
            GREY.convert("CMYK").save(path)
        case "rgba.png" | "la.png":
            GREY.convert(path.stem.upper()).save(path)
        case "palette.png":
            GREY.convert("P").save(path)
        case "one bit.png":
            GREY.convert("1").save(path)
        case "16 bit.png":
            Image.fromarray(LABEL.astype(np.uint16) * 257).save(path)
        case "float.tif":
            Image.fromarray((LABEL / 255).astype(np.float32)).save(path)
        case "32 bit.tif":
            Image.fromarray(LABEL.astype(np.int32) * 1_000).save(path)
        case "alpha.png":
            with_ink_in_alpha().save(path)
        case "exif.jpg":
            GREY.save(path, exif=turned_by_exif())
        case _:
            GREY.save(path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "cmyk.jpg",
        "cmyk.tif",
        "rgba.png",
        "la.png",
        "palette.png",
        "one bit.png",
        "16 bit.png",
        "float.tif",
        "32 bit.tif",
        "alpha.png",
        "exif.jpg",
        "grey.webp",
        "grey.bmp",
    ],
)
def test_a_picture_of_any_kind_is_read(tmp_path: Path, name: str) -> None:
    path = str(save(tmp_path, name))
    (entry,) = read_files([path], EVERYTHING, frozenset())
    codes = entry["codes"]
    assert isinstance(codes, list)
    assert [(code["text"], code["agreed"]) for code in codes] == [(TEXT, True)]


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_of_16_bits_those_that_a_camera_fills_are_seen(tmp_path: Path, bits: int) -> None:
    """All 256 greys of a ramp, and a label in little light."""
    ramp = np.repeat(np.linspace(0, (1 << bits) - 1, 512).astype(np.uint16)[None, :], 64, axis=0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    pixels = read_picture(tmp_path / "ramp.png")
    assert pixels is not None
    assert len(np.unique(pixels)) == 256
    Image.fromarray(LABEL.astype(np.uint16)).save(tmp_path / "dark.png")
    (entry,) = read_files([str(tmp_path / "dark.png")], EVERYTHING, frozenset())
    assert [code["text"] for code in entry["codes"]] == [TEXT]  # type: ignore[attr-defined]


def test_a_damaged_picture_and_one_that_is_too_large_are_told_apart_and_nothing_beside(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    GREY.save(tmp_path / "whole.png")
    damaged = bytearray((tmp_path / "whole.png").read_bytes())
    damaged[60:90] = bytes(30)
    (tmp_path / "damaged.png").write_bytes(damaged)
    GREY.save(tmp_path / "whole.jpg")
    cut = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(cut[: len(cut) * 2 // 3])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "large.pgm").write_bytes(b"P5 20000 20000 255\n" + bytes(100))
    Image.new("1", (30_000, 30_000)).save(tmp_path / "large.png")
    names = ["damaged.png", "text.png", "large.pgm", "large.png", "cut.jpg"]
    entries = read_files([str(tmp_path / name) for name in names], EVERYTHING, frozenset())
    why = [str(entry.get("why", "")) for entry in entries]
    assert why[:2] == ["no picture that can be decoded: damaged, or of an unknown kind"] * 2
    assert why[2:4] == ["a picture of more than 64 megapixels"] * 2
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("size", [(1, 1), (1, 4_000), (4_000, 1), (2, 2), (3, 900)])
def test_a_picture_of_any_size_is_an_entry(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "small.png"
    Image.new("L", size, 128).save(path)
    (entry,) = read_files([str(path)], EVERYTHING, frozenset())
    assert (entry["codes"], entry["why"]) == ([], "no code found")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38])
def test_a_picture_of_numbers_that_are_none_is_an_entry(tmp_path: Path, value: float) -> None:
    path = tmp_path / "odd.tif"
    Image.fromarray(np.full((64, 64), value, np.float32)).save(path)
    pixels = read_picture(path)
    assert pixels is not None
    assert pixels.dtype == np.uint8


def test_what_is_no_plain_file_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "large.png").write_bytes(bytes(101))
    monkeypatch.setattr(frame_sources, "MAX_FILE_BYTES", 100)
    names = [
        str(tmp_path / "pipe.png"),
        "/dev/zero",
        str(tmp_path),
        "",
        str(tmp_path / "large.png"),
        "x" * 300,
    ]
    entries = read_files(names, EVERYTHING, frozenset())
    assert [entry["image"] for entry in entries] == names
    reasons = [str(entry["why"]).removeprefix("cannot be read: ") for entry in entries]
    assert reasons[:4] == ["no plain file", "no plain file", "Is a directory", "Is a directory"]
    assert reasons[4:] == ["more than 0 MB", "File name too long"]


def bomb(path: Path, side: int) -> None:
    """A PNG of black, one bit a pixel: 100 kB for 900 megapixels."""
    packer, row = zlib.compressobj(9), bytes(1 + side // 8)
    data = b"".join([packer.compress(row) for _ in range(side)]) + packer.flush()
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def test_the_commands_limit_is_the_sources() -> None:
    assert cli.MAX_PICTURE_PIXELS == frame_sources.MAX_PIXELS


def test_the_command_takes_any_path_and_no_bomb(tmp_path: Path) -> None:
    bomb(tmp_path / "bomb.png", 30_000)
    odd = os.fsencode(tmp_path) + b"/\xffodd.png"
    Path(os.fsdecode(odd)).write_bytes(save(tmp_path, "plain.png").read_bytes())
    found = tmp_path / "found.json"
    arguments = ["read", os.fsdecode(odd), str(tmp_path / "bomb.png"), "--json", str(found)]
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli", *arguments],
        capture_output=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.returncode == 0, done.stderr
    first, second = json.loads(found.read_text("utf-8"))
    assert os.fsencode(first["image"]) == odd
    assert first["codes"][0]["text"] == TEXT
    assert second["why"] == "a picture of more than 64 megapixels"
    assert rb"\udcffodd.png" in done.stdout


@pytest.mark.parametrize(
    ("content", "barcodes"),
    [
        ("编码,名称,barcode\nA,杯子,6901234567892\n".encode("gbk"), {"6901234567892"}),
        (b'"sku" , barcode \nA,6901234567892\n', {"6901234567892"}),
        (b"barcode\r\n 6901234567892 \r\n\r\n12345670\r\n", {"6901234567892", "12345670", "0000012345670"}),
        (b"barcode,sku\n", set[str]()),
    ],
)
def test_goods_lists_as_people_have_them(tmp_path: Path, content: bytes, barcodes: set[str]) -> None:
    path = tmp_path / "goods.csv"
    path.write_bytes(content)
    assert goods_of(path) == barcodes


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no column barcode in its head, which has nothing"),
        (b"Barcode\n1\n", "no column barcode in its head, which has Barcode"),
        (b"sku;barcode\nA;1\n", "which has sku;barcode"),
        ("sku\tbarcode\n".encode("utf-16"), "neither UTF-8 nor GBK"),
        (b'barcode\n"' + b"x" * 200_000 + b'"\n', "no CSV: field larger than"),
    ],
    ids=["empty", "another case", "semicolons", "UTF-16", "a huge cell"],
)
def test_a_goods_list_that_is_none_is_said_so(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "goods.csv"
    path.write_bytes(content)
    with pytest.raises(WrongOptions) as wrong:
        goods_of(path)
    assert why in str(wrong.value)
    assert "\n" not in str(wrong.value)
