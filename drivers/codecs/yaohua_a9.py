"""Yaohua XK3190-A9 and its kin, continuous output (tF=0).

``STX sign d5…d0 point xorH xorL ETX``: "+" or "-", six digits, highest first, the number of decimals
"0" to "4", and the exclusive or of bytes 2 to 9 as two hexadecimal digits: XK3190-A26 manual, page 10,
continuous communication format 0, and XK3190-A23p, pages 20 and 21, the same; how a nibble becomes a
character: XK3190-A9+, page 11, note 1. A frame has neither a unit, which is the one that the indicator
was set up with, nor a word about motion: no value of it counts as stable. An overload is not told. The
check sum lets no single bit error pass, and 1 % of the double ones.
"""

from drivers.codecs.scale_frames import Meaning, SizedFrames, grams
from edge.model.weight import SampleState

SIZE, STX, ETX = 12, 0x02, 0x03
SIGN, DIGITS, POINT, CHECKED, XOR = 1, slice(2, 8), 8, slice(1, 9), slice(9, 11)
PLUS, MINUS = 0x2B, 0x2D
MOST_DECIMALS = 4


class A9Codec(SizedFrames):
    """Frames of one scale; never raises, keeps < 12 bytes of them. ``unit``: what its digits count."""

    greeting = request = zero = b""
    answers = 0
    """It talks without being asked, and cannot be told anything."""

    def __init__(self, *, unit: str, agreeing: int) -> None:
        self._unit = unit
        super().__init__(SIZE, STX, self._meaning, agreeing)

    def _meaning(self, frame: bytes) -> Meaning | None:
        if frame[0] != STX or frame[-1] != ETX or frame[XOR] != check(frame[CHECKED]):
            return None
        sign, digits, decimals = frame[SIGN], frame[DIGITS], frame[POINT] - 0x30
        if sign not in (PLUS, MINUS) or not digits.isdigit() or not 0 <= decimals <= MOST_DECIMALS:
            return None
        shown = -int(digits) if sign == MINUS else int(digits)
        return grams(shown, decimals, self._unit), SampleState.MOTION


def check(checked: bytes) -> bytes:
    """The exclusive or of the bytes, as two capital hexadecimal digits."""
    found = 0
    for byte in checked:
        found ^= byte
    return b"%02X" % found
