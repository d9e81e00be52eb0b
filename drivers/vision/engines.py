"""The decoders, each behind the same function: pixels and symbologies in, sightings out.

Neither may raise, whatever the picture: pyzbar raises ``ValueError`` on some QR codes (reliability.md
section 3), and a decoder's fault must cost one frame at most.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import zxingcpp

from drivers.vision.charset import text_of
from drivers.vision.sightings import MATRIX, RETAIL, Engine, Pixels, Place, Sighting, retail, upright_place
from edge.model.codes import Symbology

if TYPE_CHECKING:
    from pyzbar import pyzbar

_F = zxingcpp.BarcodeFormat
_ZXING = {
    Symbology.CODE128: _F.Code128,
    Symbology.CODE39: _F.Code39,
    Symbology.ITF: _F.ITF,
    Symbology.EAN13: _F.EAN13,
    Symbology.EAN8: _F.EAN8,
    Symbology.UPCA: _F.UPCA,
    Symbology.UPCE: _F.UPCE,
    Symbology.QR: _F.QRCode,
    Symbology.DATAMATRIX: _F.DataMatrix,
}
_RETAIL = {
    _F.EAN13: Symbology.EAN13,
    _F.EAN8: Symbology.EAN8,
    _F.UPCA: Symbology.UPCA,
    _F.UPCE: Symbology.UPCE,
}
"""Told apart by format, the others by family: a Code 32 is a Code 39 that says what it holds."""
_FAMILIES = {
    _F.Code128: Symbology.CODE128,
    _F.Code39: Symbology.CODE39,
    _F.ITF: Symbology.ITF,
    _F.QRCode: Symbology.QR,
    _F.DataMatrix: Symbology.DATAMATRIX,
}
_ZBAR = {
    "CODE128": Symbology.CODE128,
    "CODE39": Symbology.CODE39,
    "I25": Symbology.ITF,
    "EAN13": Symbology.EAN13,
    "EAN8": Symbology.EAN8,
    "UPCA": Symbology.UPCA,
    "UPCE": Symbology.UPCE,
    "QRCODE": Symbology.QR,
}
_LOCAL, _ONE_LEVEL = zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram
FNC1 = "\x1d"


def zxing(
    pixels: Pixels, wanted: frozenset[Symbology], *, thorough: bool, one_level: bool = False
) -> tuple[Sighting, ...]:
    """What zxing-cpp sees. ``thorough``: turned, smaller and inverted as well, else only as it lies.
    ``one_level``: dark is what is darker than one grey for all of the picture, not than what is around it."""
    formats = [_ZXING[one] for one in sorted(wanted) if one in _ZXING]
    if not formats or 0 in pixels.shape:
        return ()
    try:
        found = zxingcpp.read_barcodes(
            pixels,
            zxingcpp.BarcodeFormats(formats),
            try_rotate=thorough,
            try_downscale=thorough,
            try_invert=thorough,
            binarizer=_ONE_LEVEL if one_level else _LOCAL,
            text_mode=zxingcpp.TextMode.Plain,
        )
    except Exception:  # noqa: BLE001 - theirs: a decoder's fault costs this look, never the process
        return ()
    return tuple(one for one in (_of_zxing(one, wanted) for one in found) if one is not None)


def _of_zxing(one: zxingcpp.Barcode, wanted: frozenset[Symbology]) -> Sighting | None:
    symbology = _RETAIL.get(one.format) or _FAMILIES.get(one.symbology)
    data, text = bytes(one.bytes), one.text
    if symbology is None or not data:
        return None
    if symbology in RETAIL:
        symbology, text = retail(symbology, text, wanted)
        data = text.encode()
    elif symbology in MATRIX:
        text = text_of(data, text) or ""
    binary = not text or one.content_type == zxingcpp.ContentType.Binary
    found = one.position
    spots = (found.top_left, found.top_right, found.bottom_right, found.bottom_left)
    (a, b, c, d) = ((float(spot.x), float(spot.y)) for spot in spots)
    return Sighting(
        symbology=symbology,
        text="" if binary else text.removeprefix(FNC1),
        data=data,
        binary=binary,
        engine=Engine.ZXING,
        place=Place((a, b, c, d)),
    )


@lru_cache(maxsize=1)
def zbar_missing() -> str:
    """Why zbar cannot be used here; empty if it can. Its library is Debian's ``libzbar0``."""
    try:
        from pyzbar import pyzbar
    except (ImportError, OSError) as error:
        return f"zbar is not there ({error}): one engine reads, and two frames must agree; install libzbar0"
    return "" if callable(pyzbar.decode) else "pyzbar has no decoder"


def zbar(pixels: Pixels, wanted: frozenset[Symbology]) -> tuple[Sighting, ...]:
    """What zbar sees; nothing where it is not installed. It finds UPC-A only where it looks for EAN-13."""
    asked = wanted | {Symbology.EAN13} if Symbology.UPCA in wanted else wanted
    names = [name for name, symbology in _ZBAR.items() if symbology in asked]
    if not names or 0 in pixels.shape or zbar_missing():
        return ()
    from pyzbar import pyzbar

    try:
        found = pyzbar.decode(pixels, [pyzbar.ZBarSymbol[name] for name in names])
    except Exception:  # noqa: BLE001 - theirs: it raises ValueError on some QR codes
        return ()
    return tuple(_of_zbar(one, wanted) for one in found if one.type in _ZBAR and one.data)


def _of_zbar(one: "pyzbar.Decoded", wanted: frozenset[Symbology]) -> Sighting:
    rect = one.rect
    found = upright_place(rect.left, rect.top, rect.left + rect.width, rect.top + rect.height)
    try:
        text = one.data.decode()
    except UnicodeDecodeError:
        text = ""
    symbology = _ZBAR[one.type]
    if symbology in RETAIL:
        symbology, text = retail(symbology, text, wanted)
    return Sighting(
        symbology=symbology,
        text=text.removeprefix(FNC1),
        data=bytes(one.data),
        binary=not text,
        engine=Engine.ZBAR,
        place=found,
    )
