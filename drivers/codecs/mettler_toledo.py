"""Mettler-Toledo standard continuous output.

``STX SWA SWB SWC weight6 tare6 CR [checksum]``; status words and check sum as in the WILDCAT technical
manual E15609900A (12/00), pages 6-4 and 6-5, tables 6-8 to 6-11, and Ohaus Defender 5000, page EN-68,
tables 5-3 and 5-4 (further units, expanded data). Bits that those manuals call constant are not
judged: clones set them otherwise. The check sum lets no single bit error pass, and 2 % of the double ones.
"""

from edge.model.units import Grams, MonoUs
from edge.model.weight import SampleState, WeightSample

STX, CR = 0x02, 0x0D
NET, NEGATIVE, OUT_OF_RANGE, MOTION, KILOGRAMS, ZERO_NOT_CAPTURED = 1, 2, 4, 8, 16, 64  # SWB
UNIT, EXPANDED = 7, 16  # SWC
LOWEST_STATUS = 0x20
"""Every status word has bit 5 or 6 set, in every clone: it is printable, and no STX or CR."""
NANOGRAMS = {0: 453_592_370_000, 1: 10**9, 2: 10**15, 3: 28_349_523_125}
"""Of one lb, g, t, oz (SWC bits 0–2); exact."""
KILOGRAM = 10**12
NO_VALUE = Grams(0)
FRAMES_KNOWN = 4_096
"""Frames whose meaning is remembered: a scale says the same ones over and over, mostly that it is empty."""

Meaning = tuple[Grams, SampleState]


class ContinuousCodec:
    """Frames of one scale, found again after any garbage; never raises, keeps < 18 bytes of them.

    ``checksum``: the indicator sends it (else its frames are 17 bytes). ``agreeing``: a value counts
    from so many equal frames in a row; more than 1 where there is no check sum. ``power_up_bit``:
    SWB bit 6 means "zero not captured"; False for clones in which it is always 1.
    Values are rounded to the nearest gram, halves away from zero: kg with three decimals, and
    anything coarser, is exact.
    """

    def __init__(self, *, checksum: bool, agreeing: int, power_up_bit: bool = True) -> None:
        self._checksum = checksum
        self._size = 18 if checksum else 17
        self._agreeing = agreeing
        self._faults = OUT_OF_RANGE | (ZERO_NOT_CAPTURED if power_up_bit else 0)
        self._buffer = b""
        self._last = b""
        self._equal = 0
        self._known: dict[bytes, Meaning] = {}
        """What each whole frame says: reading one anew costs five times the rest of ``feed``."""
        self.rejected = 0
        """Bytes thrown away, for metrics."""

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[WeightSample, ...]:
        """The samples that ``data`` completes, all stamped ``at_us``, its arrival."""
        samples: list[WeightSample] = []
        size, buffer, start = self._size, self._buffer + data, 0
        while len(buffer) - start >= size:
            frame = buffer[start : start + size]
            meaning = self._known.get(frame) or self._learn(frame)
            if meaning is not None:
                start += size
                if self._agreed(frame):
                    samples.append(WeightSample(at_us=at_us, grams=meaning[0], state=meaning[1]))
                continue
            following = buffer.find(STX, start + 1)
            following = len(buffer) if following < 0 else following
            self.rejected += following - start
            self._last, start = b"", following
        self._buffer = buffer[start:]
        return tuple(samples)

    def _learn(self, frame: bytes) -> Meaning | None:
        """The meaning of a frame not known yet; None when these bytes are no whole frame."""
        if not self._whole(frame):
            return None
        if len(self._known) >= FRAMES_KNOWN:
            self._known.clear()
        meaning = self._known[frame] = self._meaning(frame)
        return meaning

    def _whole(self, frame: bytes) -> bool:
        framed = frame[0] == STX and frame[16] == CR and min(frame[1:4]) >= LOWEST_STATUS and frame.isascii()
        if not self._checksum:
            return framed and all(field.strip(b" ").isdigit() for field in (frame[4:10], frame[10:16]))
        # Two's complement of the low seven bits' sum: with it, the sum is 0.
        return framed and sum(frame) & 0x7F == 0

    def _agreed(self, frame: bytes) -> bool:
        self._equal = self._equal + 1 if frame == self._last else 1
        self._last = frame
        return self._equal >= self._agreeing

    def _meaning(self, frame: bytes) -> Meaning:
        swa, swb, swc = frame[1], frame[2], frame[3]
        if swb & self._faults:
            return NO_VALUE, _fault(swb)
        weight, tare = frame[4:10].lstrip(b" "), frame[10:16].lstrip(b" ")
        net, unit = swb & NET, KILOGRAM if swb & KILOGRAMS and not swc & UNIT else NANOGRAMS.get(swc & UNIT)
        if swc & EXPANDED or unit is None or not weight.isdigit() or (net and not tare.isdigit()):
            return NO_VALUE, SampleState.NO_WEIGHT
        shown = (-int(weight) if swb & NEGATIVE else int(weight)) + (int(tare) if net else 0)
        state = SampleState.MOTION if swb & MOTION else SampleState.OK
        return _grams(shown, unit, swa & 7), state


def _fault(swb: int) -> SampleState:
    if not swb & OUT_OF_RANGE:
        return SampleState.NO_WEIGHT
    return SampleState.UNDER if swb & NEGATIVE else SampleState.OVER


def _grams(shown: int, unit_ng: int, decimal: int) -> Grams:
    """``decimal``: SWA bits 0–2: 0 two dummy zeros, 2 none, 5 three decimals, 7 five."""
    scaled = abs(shown) * unit_ng * 100
    divisor = 10 ** (9 + decimal)
    grams = (2 * scaled + divisor) // (2 * divisor)
    return Grams(-grams if shown < 0 else grams)
