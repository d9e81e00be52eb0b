"""MT-SICS, levels 0 and 1: a scale that is asked (S, SI, SIR), zeroed (Z) and tared (T).

``S status value unit`` CR LF, the value ten characters wide: reference manual 11781363, pages 8 and 9;
status S stable, D dynamic, I not now, + over, - under: operating instructions of the AT balances, page
87. The commands: operating instructions of the JS balances, page 30. There is no check sum: a value
counts only from ``agreeing`` equal answers in a row.
"""

import re

from drivers.codecs.scale_frames import NO_VALUE, NO_WEIGHT, Frames, Meaning, grams
from edge.model.units import MonoUs
from edge.model.weight import SampleState, WeightSample

END = b"\r\n"
MAX_BYTES = 64
"""Longer than any answer of these commands."""
WEIGHT = re.compile(rb"S ([SD]) (?=.{10} ) *(-?)(\d{1,9})(?:\.(\d{1,6}))? (\S{1,5}) *")
STATES = {b"S": SampleState.OK, b"D": SampleState.MOTION}
STATUS: dict[bytes, Meaning] = {
    b"S I": NO_WEIGHT,
    b"S L": NO_WEIGHT,
    b"S +": (NO_VALUE, SampleState.OVER),
    b"S -": (NO_VALUE, SampleState.UNDER),
}
"""An answer without a value is no weight: what was said before it does not stand."""
OTHERS = re.compile(rb"[TZ] (?:[AILS+-])(?: .*)?|E[LST]")
"""Answers to a zero or a tare, and those of a scale that did not understand."""


class SicsCodec:
    """The answers of one scale, and what it is told; never raises, keeps < 64 bytes.

    ``unit``: of the scale; an answer in any other one is no weight. ``ask``: ``SIR``, once, and it
    repeats by itself; ``SI`` or ``S`` (stable values only): anew after each answer.
    """

    def __init__(self, *, unit: str, agreeing: int, ask: str) -> None:
        self._unit = unit
        self._frames = Frames(self._meaning, agreeing)
        self._buffer = b""
        self.greeting = command(ask)
        self.request = b"" if ask == "SIR" else self.greeting
        self.zero = command("Z")
        self.answers = 0
        """Whole lines so far, whatever they said."""
        self.rejected = 0
        """Bytes thrown away, for metrics."""

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[WeightSample, ...]:
        """The samples that ``data`` completes, all stamped ``at_us``, its arrival."""
        samples: list[WeightSample] = []
        frames = self._frames
        *lines, rest = (self._buffer + data).split(END)
        self.answers += len(lines)
        for line in lines:
            meaning = frames.known.get(line) or frames.learn(line)
            if meaning is None:
                if not OTHERS.fullmatch(line):
                    self.rejected += len(line)
                    frames.broken()
            else:
                said, state = meaning if frames.agreed(line) else NO_WEIGHT
                samples.append(WeightSample(at_us=at_us, grams=said, state=state))
        if len(rest) >= MAX_BYTES:
            self.rejected += len(rest)
            frames.broken()
            rest = rest[-1:] if rest.endswith(b"\r") else b""
        self._buffer = rest
        return tuple(samples)

    def _meaning(self, line: bytes) -> Meaning | None:
        found = WEIGHT.fullmatch(line)
        if found is None:
            return STATUS.get(line)
        status, sign, digits, decimals, unit = found.groups(b"")
        if unit != self._unit.encode():
            return NO_WEIGHT
        shown = int(digits + decimals)
        return grams(-shown if sign else shown, len(decimals), self._unit), STATES[status]


def command(name: str) -> bytes:
    """``S``, ``SI``, ``SIR``, ``Z`` or ``T`` as it goes over the cable."""
    return name.encode() + END
