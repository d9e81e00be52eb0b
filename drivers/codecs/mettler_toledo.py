"""Mettler-Toledo standard continuous output.

``STX SWA SWB SWC weight6 tare6 CR [checksum]``; status words and check sum as in the WILDCAT technical
manual E15609900A (12/00), pages 6-4 and 6-5, tables 6-8 to 6-11, and Ohaus Defender 5000, page EN-68,
tables 5-3 and 5-4 (further units, expanded data). Bits that those manuals call constant are not
judged: clones set them otherwise. The check sum lets no single bit error pass, and 2 % of the double ones.
"""

from drivers.codecs.scale_frames import NO_VALUE, NO_WEIGHT, Meaning, SizedFrames, grams
from edge.model.weight import SampleState

STX, CR = 0x02, 0x0D
NET, NEGATIVE, OUT_OF_RANGE, MOTION, KILOGRAMS, ZERO_NOT_CAPTURED = 1, 2, 4, 8, 16, 64  # SWB
UNIT, EXPANDED = 7, 16  # SWC
LOWEST_STATUS = 0x20
"""Every status word has bit 5 or 6 set, in every clone: it is printable, and no STX or CR."""
NO_DECIMALS = 2
"""SWA bits 0–2: 0 two dummy zeros, 2 none, 5 three decimals, 7 five."""


class ContinuousCodec(SizedFrames):
    """Frames of one scale; never raises, keeps < 18 bytes of them.

    ``unit``: of the scale; a frame in any other one is no weight. ``checksum``: the indicator sends it
    (else its frames are 17 bytes). ``power_up_bit``: SWB bit 6 means "zero not captured"; False for
    clones in which it is always 1.
    """

    greeting = request = zero = b""
    answers = 0
    """It talks without being asked, and cannot be told anything."""

    def __init__(self, *, unit: str, checksum: bool, agreeing: int, power_up_bit: bool = True) -> None:
        self._unit = unit
        self._checksum = checksum
        self._faults = OUT_OF_RANGE | (ZERO_NOT_CAPTURED if power_up_bit else 0)
        super().__init__(18 if checksum else 17, STX, self._meaning, agreeing)

    def _whole(self, frame: bytes) -> bool:
        framed = frame[0] == STX and frame[16] == CR and min(frame[1:4]) >= LOWEST_STATUS and frame.isascii()
        if not self._checksum:
            return framed and all(field.strip(b" ").isdigit() for field in (frame[4:10], frame[10:16]))
        # Two's complement of the low seven bits' sum: with it, the sum is 0.
        return framed and sum(frame) & 0x7F == 0

    def _meaning(self, frame: bytes) -> Meaning | None:
        if not self._whole(frame):
            return None
        swa, swb, swc = frame[1], frame[2], frame[3]
        if swb & self._faults:
            return NO_VALUE, _fault(swb)
        weight, tare = frame[4:10].lstrip(b" "), frame[10:16].lstrip(b" ")
        net = swb & NET
        if _unit(swb, swc) != self._unit or not weight.isdigit() or (net and not tare.isdigit()):
            return NO_WEIGHT
        shown = (-int(weight) if swb & NEGATIVE else int(weight)) + (int(tare) if net else 0)
        state = SampleState.MOTION if swb & MOTION else SampleState.OK
        return grams(shown, (swa & 7) - NO_DECIMALS, self._unit), state


def _fault(swb: int) -> SampleState:
    if not swb & OUT_OF_RANGE:
        return SampleState.NO_WEIGHT
    return SampleState.UNDER if swb & NEGATIVE else SampleState.OVER


def _unit(swb: int, swc: int) -> str:
    """``kg`` or ``g``; empty: pounds, tons, ounces, none, or a value expanded by ten."""
    if swc & EXPANDED:
        return ""
    if swc & UNIT == 0 and swb & KILOGRAMS:
        return "kg"
    return "g" if swc & UNIT == 1 else ""
