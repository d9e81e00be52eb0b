"""Codes as modules: True is ink. From other hands than our decoders' where there are any."""

import numpy as np
import segno
import zxingcpp
from barcode.codex import Code39, Code128
from barcode.ean import EAN8, EAN13
from barcode.errors import BarcodeError
from barcode.itf import ITF
from barcode.upc import UPCA
from numpy.typing import NDArray

from edge.model.codes import Code, Symbology

Modules = NDArray[np.bool_]
ITF_NARROW, ITF_WIDE = 1, 3


class SymbolUnprintable(Exception):
    """The text cannot be said in this symbology."""


def modules_of(code: Code) -> Modules:
    """One row for a linear code, a square (or so) for a matrix code; without quiet zones. Raises
    ``SymbolUnprintable``."""
    text = code.text
    try:
        match code.symbology:
            case Symbology.CODE128 | Symbology.UNKNOWN if not text.startswith("99"):
                return _row(Code128(text).build())
            case Symbology.CODE128 | Symbology.UNKNOWN:
                # python-barcode takes a leading 99 for a shift of code set, and leaves it out.
                return _zxing(text, zxingcpp.BarcodeFormat.Code128)[:1]
            case Symbology.CODE39:
                return _row(Code39(text, add_checksum=False).build())
            case Symbology.ITF:
                return _row(ITF(text, narrow=ITF_NARROW, wide=ITF_WIDE).build())
            case Symbology.EAN13:
                return _row(EAN13(text).build())
            case Symbology.EAN8:
                return _row(EAN8(text).build())
            case Symbology.UPCA:
                return _row(UPCA(text).build())
            case Symbology.QR:
                return np.array(segno.make(text, micro=False).matrix, np.bool_)
            case Symbology.DATAMATRIX:
                return _zxing(text, zxingcpp.BarcodeFormat.DataMatrix)
            case Symbology.UPCE:
                return _zxing(text, zxingcpp.BarcodeFormat.UPCE)[:1]
    except (BarcodeError, segno.DataOverflowError, ValueError) as error:
        raise SymbolUnprintable(f"{text!r} as {code.symbology.value}: {error}") from error


def _zxing(text: str, symbology: zxingcpp.BarcodeFormat) -> Modules:
    drawn = zxingcpp.create_barcode(text, symbology).to_image(scale=1, add_quiet_zones=False)
    return np.asarray(np.array(drawn) == 0, np.bool_)


def _row(built: list[str]) -> Modules:
    return np.array([[one == "1" for one in built[0]]], np.bool_)
