"""A belt scale with a Mettler-Toledo indicator that sends its continuous output, whether heard or not.

Frame, status words and check sum are written from the WILDCAT technical manual E15609900A (12/00),
pages 6-4 and 6-5; what is known to the line's codec is not looked at.
"""

import argparse
import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from edge.model.topology import Scale
from simulators.devices.process import run_until_ended
from simulators.devices.pty_port import PtyPort
from simulators.feed import FeedMessage, LoadChanged, follow
from simulators.seeds import SeededBits

US_PER_MS = 1_000
US_PER_S = 1_000_000
BLOCK_STEPS = 256
"""Changes of load that are not settled yet; a parcel makes eight."""
FRAMES_KNOWN = 32_768
"""Every division of a scale of 60 kg, standing still and in motion."""
OVER_DIVISIONS = 9
"""An indicator shows its capacity and nine divisions more (OIML R 76, 4.2.3)."""


class Timers(Protocol):
    """What the scale needs of a loop, virtual or real."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object]) -> object: ...


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


def setup_of(scale: Scale, *, frame_rate_hz: int, noise_g: int = 1) -> ScaleSetup:
    """A scale that is just as good as the line's description believes, and no better."""
    return ScaleSetup(
        settle_us=scale.settle_ms * US_PER_MS,
        delay_us=scale.filter_ms * US_PER_MS,
        frame_us=US_PER_S // frame_rate_hz,
        reading_us=US_PER_S // min(scale.rate_hz, frame_rate_hz),
        noise_g=noise_g,
        division_g=scale.division_g,
        capacity_g=scale.capacity_g,
    )


MOST_SHOWN = 999_999
"""Six digits."""


@lru_cache(maxsize=FRAMES_KNOWN)
def continuous_frame(grams: int, motion: bool, out_of_range: bool) -> bytes:
    """Gross kilograms with three decimals (SWA 101), in steps of one (X1); tare 0; ``grams`` at most six
    digits either side of zero."""
    status_b = 0x30 | (0x02 if grams < 0 else 0) | (0x04 if out_of_range else 0) | (0x08 if motion else 0)
    body = bytes((0x02, 0x2D, status_b, 0x20)) + f"{abs(grams):6d}{0:6d}\r".encode()
    return body + bytes((-sum(body) & 0x7F,))


SCALE_FRAMES = {"mettler_toledo_continuous": continuous_frame}
"""Encoder of each protocol that the line can speak."""


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


class ScaleIndicator:
    """Sends a frame every ``frame_us`` to ``send``; call ``load`` as the load changes."""

    def __init__(
        self, timers: Timers, setup: ScaleSetup, bits: SeededBits, send: Callable[[bytes], object]
    ) -> None:
        self._timers = timers
        self._setup = setup
        self._platform = Platform(setup, bits)
        self._send = send
        self._next_us = 0
        self._silent_until_us = 0
        self._running = False
        self.load = self._platform.load

    def start(self) -> None:
        """From now on it sends."""
        self._running = True
        self._next_us = round(self._timers.time() * US_PER_S)
        self._tick()

    def stop(self) -> None:
        """It is switched off; what it has sent is on its way."""
        self._running = False

    def be_silent(self, until_us: int) -> None:
        """Fault: no frames until then."""
        self._silent_until_us = until_us

    def _tick(self) -> None:
        if not self._running:
            return
        now_us = self._next_us
        if now_us >= self._silent_until_us:
            self._send(self.frame(now_us))
        frame_us = self._setup.frame_us
        behind_us = round(self._timers.time() * US_PER_S) - now_us
        self._next_us = next_us = now_us + frame_us
        if behind_us >= frame_us:
            self._next_us = next_us = now_us + (1 + behind_us // frame_us) * frame_us
        self._timers.call_at(next_us / US_PER_S, self._tick)

    def frame(self, now_us: int) -> bytes:
        """The frame whose last byte arrives at ``now_us``."""
        setup = self._setup
        reading, motion = self._platform.read(now_us)
        division = setup.division_g
        shown = (abs(reading) + division // 2) // division * division
        shown = -shown if reading < 0 else shown
        over = shown > setup.capacity_g + OVER_DIVISIONS * division
        return continuous_frame(shown if shown < MOST_SHOWN else MOST_SHOWN, motion, over)


async def run(options: argparse.Namespace) -> None:
    """The scale as a process: follows the hall's feed, sends until it is ended."""
    setup = ScaleSetup(
        settle_us=options.settle_ms * US_PER_MS,
        delay_us=options.delay_ms * US_PER_MS,
        frame_us=US_PER_S // options.frame_rate_hz,
        reading_us=US_PER_S // options.frame_rate_hz,
        noise_g=options.noise_g,
        division_g=options.division_g,
        capacity_g=options.capacity_g,
    )
    port = PtyPort(options.pty)
    scale = ScaleIndicator(asyncio.get_running_loop(), setup, SeededBits(options.seed, "scale"), port.write)

    def take(message: FeedMessage) -> None:
        if isinstance(message, LoadChanged):
            scale.load(message.at_us, message.grams)

    scale.start()
    sys.stdout.write(f"sending {options.pty}\n")
    sys.stdout.flush()
    try:
        await follow(options.feed, take)
    finally:
        port.unplug()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.devices.scale", description=__doc__)
    parser.add_argument("--feed", type=Path, required=True, help="Unix socket of the plant process")
    parser.add_argument("--pty", type=Path, required=True, help="name for the line's end of the port")
    parser.add_argument("--settle-ms", type=int, default=150)
    parser.add_argument("--delay-ms", type=int, default=30)
    parser.add_argument("--frame-rate-hz", type=int, default=50)
    parser.add_argument("--noise-g", type=int, default=1)
    parser.add_argument("--division-g", type=int, default=5)
    parser.add_argument("--capacity-g", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    run_until_ended(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
