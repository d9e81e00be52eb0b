"""A scale with an indicator that talks whether heard or not, or, in MT-SICS, as it is asked.

What goes over the cable is in ``scale_frames``. How a scale of MT-SICS takes commands (SIR repeats until
the next weighing command, Z waits for nothing and sets zero within 2 % of the capacity) is from the
operating instructions of the JS balances, page 30, and OIML R 76, 4.5.1.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from simulators.devices.process import run_until_ended
from simulators.devices.pty_port import PtyPort
from simulators.devices.scale_frames import ASKED, MOST_SHOWN, SCALE_FRAMES
from simulators.devices.scale_platform import US_PER_MS, US_PER_S, Platform, ScaleSetup
from simulators.devices.tcp_port import TcpPort
from simulators.faults import LineFault, LineFaultKind
from simulators.feed import FeedMessage, LoadChanged, ScaleUpset, follow
from simulators.seeds import SeededBits

OVER_DIVISIONS = 9
"""An indicator shows its capacity and nine divisions more (OIML R 76, 4.2.3)."""
UNDER_DIVISIONS = 20
"""So far below zero it shows nothing (OIML R 76, 4.2.3)."""
ZERO_PERMILLE = 20
"""Zero can be set within ±2 % of the capacity (OIML R 76, 4.5.1)."""
HOLDS_QUARTERS = 3
"""It shows the division that it shows until the reading is three quarters of one away: no indicator flickers
between two."""
HEARD_BYTES = 64
"""A longer command is none."""


class Timers(Protocol):
    """What the scale needs of a loop, virtual or real."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object]) -> object: ...


class ScaleIndicator:
    """Sends a frame every ``frame_us`` to ``send``, or as it is asked; call ``load`` as the load changes
    and ``hear`` with what the line says."""

    def __init__(
        self, timers: Timers, setup: ScaleSetup, bits: SeededBits, send: Callable[[bytes], object]
    ) -> None:
        self._timers = timers
        self._setup = setup
        self._platform = Platform(setup, bits)
        self._say = SCALE_FRAMES[setup.protocol]
        self._asked = setup.protocol in ASKED
        self._send = send
        self._next_us = 0
        self._silent_until_us = 0
        self._frozen_until_us = 0
        self._frozen = b""
        self._zero_g = 0
        """What it takes for nothing: a drift less what was set to zero."""
        self._shown = 0
        self._heard = b""
        self._running = False
        self._repeats = False
        self._timed = False
        """A tick is due."""
        self.load = self._platform.load

    def start(self) -> None:
        """From now on it sends, or listens."""
        self._running = True
        if not self._asked:
            self._repeat()

    def stop(self) -> None:
        """It is switched off; what it has sent is on its way."""
        self._running = self._repeats = False

    def be_silent(self, until_us: int) -> None:
        """Fault: no frames until then."""
        self._silent_until_us = until_us

    def freeze(self, until_us: int) -> None:
        """Fault: as soon as it has settled it goes on saying what it says then, whatever lies on it."""
        now_us = round(self._timers.time() * US_PER_S)
        if now_us >= until_us or now_us < self._frozen_until_us:
            return
        frame = self.frame(now_us)
        if self._platform.settled:
            self._frozen, self._frozen_until_us = frame, until_us
        else:
            self._timers.call_at((now_us + self._setup.frame_us) / US_PER_S, partial(self.freeze, until_us))

    def drift(self, grams: int) -> None:
        """Fault: so much more is shown of everything, until zero is set."""
        self._zero_g += grams

    def suffer(self, fault: LineFault, at_us: int) -> None:
        """A fault of the plan (``simulators.faults``)."""
        until_us = at_us + fault.duration_ms * US_PER_MS
        match fault.kind:
            case LineFaultKind.SCALE_SILENT:
                self.be_silent(until_us)
            case LineFaultKind.SCALE_FROZEN:
                self.freeze(until_us)
            case LineFaultKind.SCALE_DRIFT:
                self.drift(fault.arg)
            case _:
                raise ValueError(f"{fault.kind} is not a scale's")

    def hear(self, data: bytes) -> None:
        """Bytes from the line; a scale that only talks does not listen."""
        if not self._asked or not self._running:
            return
        *commands, rest = (self._heard + data).split(b"\r\n")
        self._heard = rest if len(rest) <= HEARD_BYTES else b""
        for command in commands:
            self._obey(command)

    def _obey(self, command: bytes) -> None:
        now_us = round(self._timers.time() * US_PER_S)
        if now_us < self._silent_until_us:
            return
        match command:
            case b"SIR":
                self._repeat()
            case b"SI" | b"S":
                self._repeats = False
                due_us = now_us + self._setup.frame_us
                self._timers.call_at(due_us / US_PER_S, partial(self._answer, command, due_us))
            case b"Z":
                self._send(self._set_zero(now_us))
            case _:
                self._send(b"ES\r\n")

    def _answer(self, command: bytes, now_us: int) -> None:
        """With its next reading; to S, which wants a stable one, that there is none."""
        if self._running:
            frame = self.frame(now_us)
            self._send(b"S I\r\n" if command == b"S" and frame.startswith(b"S D") else frame)

    def _set_zero(self, now_us: int) -> bytes:
        reading, motion = self._platform.read(now_us)
        range_g = self._setup.capacity_g * ZERO_PERMILLE // 1_000
        if motion:
            return b"Z I\r\n"
        if abs(reading) > range_g:
            return b"Z +\r\n" if reading > 0 else b"Z -\r\n"
        self._zero_g = -reading
        return b"Z A\r\n"

    def _repeat(self) -> None:
        self._repeats = True
        if not self._timed:
            self._timed = True
            self._next_us = round(self._timers.time() * US_PER_S)
            self._tick()

    def _tick(self) -> None:
        if not self._repeats:
            self._timed = False
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
        if now_us < self._frozen_until_us:
            return self._frozen
        setup = self._setup
        reading, motion = self._platform.read(now_us)
        reading += self._zero_g
        division = setup.division_g
        if abs(reading - self._shown) * 4 > division * HOLDS_QUARTERS:
            shown = (abs(reading) + division // 2) // division * division
            self._shown = shown if reading >= 0 else -shown
        shown = self._shown
        if shown < 0:
            return self._say(shown, motion, -shown > UNDER_DIVISIONS * division)
        over = shown > setup.capacity_g + OVER_DIVISIONS * division
        return self._say(shown if shown < MOST_SHOWN else MOST_SHOWN, motion, over)


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
        protocol=options.protocol,
    )
    loop = asyncio.get_running_loop()
    port: PtyPort | TcpPort
    if options.pty is not None:
        port, ready = PtyPort(options.pty), f"sending {options.pty}"
    else:
        host, _, number = options.listen.rpartition(":")
        port = TcpPort()
        ready = f"listening {host}:{await port.listen(host, int(number))}"
    scale = ScaleIndicator(loop, setup, SeededBits(options.seed, "scale"), port.write)
    port.on_heard(scale.hear)

    def take(message: FeedMessage) -> None:
        if isinstance(message, LoadChanged):
            scale.load(message.at_us, message.grams)
        elif isinstance(message, ScaleUpset):
            scale.suffer(message.fault, message.at_us)

    scale.start()
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    try:
        await follow(options.feed, take)
    finally:
        port.unplug()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.devices.scale", description=__doc__)
    parser.add_argument("--feed", type=Path, required=True, help="Unix socket of the plant process")
    cable = parser.add_mutually_exclusive_group(required=True)
    cable.add_argument("--pty", type=Path, help="name for the line's end of a serial port")
    cable.add_argument("--listen", metavar="HOST:PORT", help="as a device server")
    parser.add_argument("--protocol", choices=sorted(SCALE_FRAMES), default="mettler_toledo_continuous")
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
