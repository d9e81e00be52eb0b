"""What a scale's indicator reads of the loads on its platform: filter, settling, noise."""

from collections import deque
from dataclasses import dataclass

from edge.model.topology import Scale
from simulators.seeds import SeededBits

US_PER_MS = 1_000
US_PER_S = 1_000_000
BLOCK_STEPS = 256
"""Changes of load that are not settled yet; a parcel makes eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSetup:
    """``settle_us``: from a change of load to a still reading. ``delay_us``: from the load to the last
    byte of the frame that tells it (filter and transmission). ``frame_us`` between two frames,
    ``reading_us`` between two independent readings. ``noise_g``: largest error of a reading, either way.
    """

    settle_us: int
    delay_us: int
    frame_us: int
    reading_us: int
    noise_g: int
    division_g: int
    capacity_g: int
    protocol: str = "mettler_toledo_continuous"


def setup_of(
    scale: Scale,
    *,
    frame_rate_hz: int,
    noise_g: int = 1,
    protocol: str = "mettler_toledo_continuous",
) -> ScaleSetup:
    """A scale that is just as good as the line's description believes, and no better."""
    return ScaleSetup(
        settle_us=scale.settle_ms * US_PER_MS,
        delay_us=scale.filter_ms * US_PER_MS,
        frame_us=US_PER_S // frame_rate_hz,
        reading_us=US_PER_S // min(scale.rate_hz, frame_rate_hz),
        noise_g=noise_g,
        division_g=scale.division_g,
        capacity_g=scale.capacity_g,
        protocol=protocol,
    )


class Platform:
    """The physics: what the indicator reads of the loads that were put on, at one moment.

    A change of load of D grams still shows D·(1 − t/settle)⁴ of error t after it: fast at first, then a
    long tail, and exactly nothing once it has settled. Integers only.
    """

    def __init__(self, setup: ScaleSetup, bits: SeededBits) -> None:
        self._setup = setup
        self._noise_of = bits.drawer(-setup.noise_g, setup.noise_g) if setup.noise_g else None
        self._settle_power = setup.settle_us**4
        self._grams = 0
        self._steps: deque[tuple[int, int, int]] = deque(maxlen=BLOCK_STEPS)
        """(at_us, grams from then on, change)."""
        self._read_us = -1
        self._noise = 0

    def load(self, at_us: int, grams: int) -> None:
        """So much rests on it from ``at_us`` on; moments never fall."""
        before = self._steps[-1][1] if self._steps else self._grams
        if grams != before:
            self._steps.append((at_us, grams, grams - before))

    @property
    def settled(self) -> bool:
        """What was read last is the load."""
        return not self._steps

    def read(self, now_us: int) -> tuple[int, bool]:
        """Grams, not yet rounded, and whether they move, as the frame that ends at ``now_us`` has them;
        moments never fall."""
        setup = self._setup
        if self._read_us < 0 or now_us - self._read_us >= setup.reading_us:
            self._read_us = now_us
            if self._noise_of is not None:
                self._noise = self._noise_of()
        steps = self._steps
        if steps:
            seen_us = self._read_us - setup.delay_us
            settled_us = seen_us - setup.settle_us
            while steps and steps[0][0] <= settled_us:
                self._grams = steps.popleft()[1]
            if steps:
                return self._unsettled(seen_us)
        return self._grams + self._noise, False

    def _unsettled(self, seen_us: int) -> tuple[int, bool]:
        grams, settle_us, error = self._grams, self._setup.settle_us, 0
        for at_us, after, change in self._steps:
            if at_us > seen_us:
                break
            left = settle_us - (seen_us - at_us)
            grams = after
            error += change * left**4
        error //= self._settle_power
        return grams - error + self._noise, abs(error) > self._setup.division_g
