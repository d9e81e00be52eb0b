"""AIM symbology identifiers (ISO/IEC 15424): ``]``, a letter for the symbology, a modifier."""

from edge.model.codes import Code, Symbology

BY_LETTER = {
    "A": Symbology.CODE39,
    "C": Symbology.CODE128,
    "I": Symbology.ITF,
    "Q": Symbology.QR,
    "d": Symbology.DATAMATRIX,
}
EAN_BY_LENGTH = {8: Symbology.EAN8, 12: Symbology.UPCA, 13: Symbology.EAN13}
"""``]E`` is the whole family: UPC-A and UPC-E come as 13 digits, or 12 without the leading zero."""
IDENTIFIER_LENGTH = 3


def identified(text: str) -> Code | None:
    """``]C1…`` and the like as a code without its identifier; None where there is none, or no data.

    A symbology that the line does not know is ``unknown``, never guessed.
    """
    data = text[IDENTIFIER_LENGTH:]
    if not data or text[0] != "]":
        return None
    if text[1] == "E":
        return Code(text=data, symbology=EAN_BY_LENGTH.get(len(data), Symbology.UNKNOWN))
    return Code(text=data, symbology=BY_LETTER.get(text[1], Symbology.UNKNOWN))
