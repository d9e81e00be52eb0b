"""What the codecs of scales share: what frames say is remembered, and what must agree is counted.

A scale says the same few frames over and over: reading one anew costs five times the rest of ``feed``.
"""

from collections.abc import Callable

from edge.model.units import Grams, MonoUs
from edge.model.weight import SampleState, WeightSample

FRAMES_KNOWN = 4_096
"""Frames whose meaning is remembered, mostly that the scale is empty."""
NO_VALUE = Grams(0)
DIGITS_OF_GRAMS = {"kg": -3, "g": 0}
"""Decimals that a number in the unit has when its last digit counts grams, less than none: −3 is 10³ g."""

Meaning = tuple[Grams, SampleState]
NO_WEIGHT: Meaning = (NO_VALUE, SampleState.NO_WEIGHT)


def grams(shown: int, decimals: int, unit: str) -> Grams:
    """``shown`` with so many of its digits behind the point (negative: dummy zeros), in ``kg`` or ``g``;
    rounded to the nearest gram, halves away from zero: kg with three decimals are exact."""
    power = decimals + DIGITS_OF_GRAMS[unit]
    if power <= 0:
        return Grams(shown * 10**-power)
    divisor = 10**power
    rounded = (2 * abs(shown) + divisor) // (2 * divisor)
    return Grams(-rounded if shown < 0 else rounded)


class Frames:
    """The frames of one scale. ``meaning`` reads one, None: these bytes are none. ``agreeing``: a value
    counts from so many equal frames in a row; more than 1 where a frame has no check sum. A frame before
    that says that the scale lives, and is no weight."""

    def __init__(self, meaning: Callable[[bytes], Meaning | None], agreeing: int) -> None:
        self._meaning = meaning
        self._agreeing = agreeing
        self.known: dict[bytes, Meaning] = {}
        """What frames say that came before."""
        self._last = b""
        self._equal = 0

    def agreed(self, frame: bytes) -> bool:
        """A frame came, and enough before it were equal."""
        self._equal = self._equal + 1 if frame == self._last else 1
        self._last = frame
        return self._equal >= self._agreeing

    def broken(self) -> None:
        """Something else came: a row of equal frames begins anew."""
        self._last = b""

    def learn(self, frame: bytes) -> Meaning | None:
        """What a frame says that is not known yet; None when these bytes are no frame."""
        meaning = self._meaning(frame)
        if meaning is not None:
            if len(self.known) >= FRAMES_KNOWN:
                self.known.clear()
            self.known[frame] = meaning
        return meaning


class SizedFrames:
    """Frames of one size that begin with ``start``, found again after any garbage; never raises, keeps
    less than one of them."""

    def __init__(
        self, size: int, start: int, meaning: Callable[[bytes], Meaning | None], agreeing: int
    ) -> None:
        self._size = size
        self._start = start
        self._frames = Frames(meaning, agreeing)
        self._buffer = b""
        self.rejected = 0
        """Bytes thrown away, for metrics."""

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[WeightSample, ...]:
        """The samples that ``data`` completes, all stamped ``at_us``, its arrival."""
        if not self._buffer and len(data) == self._size and data in self._frames.known:
            return (self._sample(data, self._frames.known[data], at_us),)  # as most come
        samples: list[WeightSample] = []
        frames, size, buffer, start = self._frames, self._size, self._buffer + data, 0
        while len(buffer) - start >= size:
            frame = buffer[start : start + size]
            meaning = frames.known.get(frame) or frames.learn(frame)
            if meaning is not None:
                start += size
                samples.append(self._sample(frame, meaning, at_us))
                continue
            following = buffer.find(self._start, start + 1)
            following = len(buffer) if following < 0 else following
            self.rejected += following - start
            frames.broken()
            start = following
        self._buffer = buffer[start:]
        return tuple(samples)

    def _sample(self, frame: bytes, meaning: Meaning, at_us: MonoUs) -> WeightSample:
        said, state = meaning if self._frames.agreed(frame) else NO_WEIGHT
        return WeightSample(at_us=at_us, grams=said, state=state)
