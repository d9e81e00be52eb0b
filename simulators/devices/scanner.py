"""A reader with a TCP or a serial port, as its makers' manuals have it.

It answers each look at a label, after its own latency, with one message of text; a look in vain is its
no-read text. It says what it says to whoever is connected; with nobody there it is lost. Makers: Cognex
DataMan, Keyence SR, Datalogic Matrix, Hikrobot ID all send such free text over TCP, with an optional
AIM identifier (ISO/IEC 15424) before each code.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.model.codes import Code, Symbology
from edge.model.topology import Reader
from line_config.device_files import ScannerFile, ScannerProtocol
from line_config.load import read_packaged
from line_config.packaged import packaged_names
from line_config.problems import LineConfigError
from simulators.devices.keyboard import typed_events
from simulators.devices.process import run_until_ended
from simulators.devices.pty_port import PtyPort
from simulators.feed import FeedMessage, LabelSeen, follow
from simulators.seeds import SeededBits

US_PER_MS = 1_000
US_PER_S = 1_000_000
HELD_LIMIT = 256
"""Messages that a stalled reader keeps; the oldest are lost."""
RECONNECT_S = 0.2
NO_READ = "NoRead"
"""What it says where its device file names no other text."""
BEATS_IN_TIME = 3
"""Heart-beats in the time after which a silent reader is given up."""
AIM = {
    Symbology.CODE128: "]C0",
    Symbology.CODE39: "]A0",
    Symbology.ITF: "]I0",
    Symbology.EAN13: "]E0",
    Symbology.EAN8: "]E4",
    Symbology.UPCA: "]E0",
    Symbology.UPCE: "]E0",
    Symbology.QR: "]Q1",
    Symbology.DATAMATRIX: "]d1",
    Symbology.UNKNOWN: "]X0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSetup:
    """How the reader was set up. A latency is drawn for each answer, both ends included."""

    latency_min_us: int
    latency_max_us: int
    prefix: str = ""
    terminator: str = "\r\n"
    separator: str = ";"
    aim: bool = True
    no_read: str = NO_READ
    heartbeat: str = ""
    beat_us: int = 0
    """Between two heart-beats, where it is set to send them."""


def reader_setup(file: ScannerFile, measured: Reader | None = None) -> ReaderSetup:
    """A reader set up as its device file says, as quick as the line has ``measured`` it."""
    quick = measured or file
    return ReaderSetup(
        latency_min_us=quick.latency_min_ms * US_PER_MS,
        latency_max_us=quick.latency_max_ms * US_PER_MS,
        prefix=file.prefix,
        terminator=file.terminator,
        separator=file.separator,
        aim=file.aim_identifiers,
        no_read=file.no_read[0] if file.no_read else NO_READ,
        heartbeat=file.heartbeat,
        beat_us=file.stale_ms * US_PER_MS // BEATS_IN_TIME,
    )


def text_message(codes: Sequence[Code], setup: ReaderSetup) -> bytes:
    """One answer as it goes over the wire; without a separator each code is a message of its own."""
    told = [(AIM[code.symbology] if setup.aim else "") + code.text for code in codes] or [setup.no_read]
    bodies = [setup.separator.join(told)] if setup.separator else told
    return "".join(f"{setup.prefix}{body}{setup.terminator}" for body in bodies).encode()


def keyed_message(codes: Sequence[Code], setup: ReaderSetup) -> bytes:
    """The same, typed as a keyboard of Linux hands it on."""
    return typed_events(text_message(codes, setup).decode())


SCANNER_MESSAGES = {"text_lines": text_message, "hid_keyboard": keyed_message}
"""Encoder of each protocol that the line can understand."""


class Scanner:
    """One reader. ``saw`` is its eye, its connections are its mouth."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        setup: ReaderSetup,
        bits: SeededBits,
        protocol: ScannerProtocol = "text_lines",
    ) -> None:
        self._loop = loop
        self._setup = setup
        self._encode = SCANNER_MESSAGES[protocol]
        self._bits = bits
        self._ears: list[asyncio.Transport] = []
        self._wires: list[Callable[[bytes], object]] = []
        self._server: asyncio.AbstractServer | None = None
        self._last_us = 0
        self._held: list[bytes] | None = None
        self._off = False
        if setup.beat_us:
            loop.call_later(setup.beat_us / US_PER_S, self._beat)

    def _beat(self) -> None:
        setup = self._setup
        self.say(f"{setup.prefix}{setup.heartbeat}{setup.terminator}".encode())
        self._loop.call_later(setup.beat_us / US_PER_S, self._beat)

    def saw(self, at_us: int, codes: Sequence[Code]) -> None:
        """A look at ``at_us``; its answer goes out when the latency drawn is over, never before an
        earlier one's."""
        latency_us = self._bits.between(self._setup.latency_min_us, self._setup.latency_max_us)
        self._last_us = max(self._last_us, at_us + latency_us)
        self._loop.call_at(self._last_us / US_PER_S, self.say, self._encode(codes, self._setup))

    def say(self, data: bytes) -> None:
        """Bytes to everyone connected, now; for faults, any bytes."""
        if self._off:
            return
        if self._held is not None:
            self._held = [*self._held, data][-HELD_LIMIT:]
            return
        for ear in self._ears:
            ear.write(data)
        for send in self._wires:
            send(data)

    def stall(self, until_us: int) -> None:
        """Its network port hangs until then, and what it had to say comes in one burst, long stale."""
        if self._held is None:
            self._held = []
        self._loop.call_at(until_us / US_PER_S, self._resume)

    def switch_off(self) -> None:
        """Its power is gone: connections break, nothing is said."""
        self._off = True
        for ear in tuple(self._ears):
            ear.abort()

    def switch_on(self) -> None:
        self._off = False

    def plug(self, send: Callable[[bytes], object]) -> None:
        """A serial port, which takes bytes whether anybody listens or not."""
        self._wires.append(send)

    async def listen(self, host: str, port: int) -> None:
        """Answer calls; port 0 takes a free one (see ``port``)."""
        self._server = await self._loop.create_server(lambda: _Ear(self), host, port)

    @property
    def port(self) -> int:
        assert isinstance(self._server, asyncio.Server)
        return int(self._server.sockets[0].getsockname()[1])

    async def call(self, host: str, port: int) -> None:
        """The other way round: call the line, and again whenever the line has hung up; for ever."""
        while True:
            try:
                _, ear = await self._loop.create_connection(lambda: _Ear(self), host, port)
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            await ear.gone

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for ear in tuple(self._ears):
            ear.close()

    def _resume(self) -> None:
        held, self._held = self._held or [], None
        if held:
            self.say(b"".join(held))

    def connected(self, ear: asyncio.Transport) -> None:
        if self._off:
            ear.abort()
        else:
            self._ears.append(ear)

    def hung_up(self, ear: asyncio.Transport) -> None:
        if ear in self._ears:
            self._ears.remove(ear)


class _Ear(asyncio.Protocol):
    """One connection; what the line says to a reader is ignored."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._scanner.connected(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._scanner.hung_up(self._transport)
        if not self.gone.done():
            self.gone.set_result(None)


async def run(options: argparse.Namespace) -> None:
    """The reader as a process: follows the hall's feed, serves until it is ended."""
    file, problems = read_packaged(ScannerFile, "devices", "scanners", f"{options.device}.yaml")
    if file is None:
        raise LineConfigError(problems)
    bits = SeededBits(options.seed, f"scanner/{options.reader}")
    scanner = Scanner(asyncio.get_running_loop(), reader_setup(file), bits, file.protocol)

    def take(message: FeedMessage) -> None:
        if isinstance(message, LabelSeen) and message.reader == options.reader:
            scanner.saw(message.at_us, message.codes)

    if options.pty is None:
        host, _, number = options.listen.rpartition(":")
        await scanner.listen(host, int(number))
        await _serve(f"listening {host}:{scanner.port}", options.feed, take)
        return
    port = PtyPort(options.pty)
    scanner.plug(port.write)
    try:
        await _serve(f"sending {options.pty}", options.feed, take)
    finally:
        port.unplug()


async def _serve(ready: str, feed: Path, take: Callable[[FeedMessage], None]) -> None:
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    await follow(feed, take)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.devices.scanner", description=__doc__)
    parser.add_argument("--feed", type=Path, required=True, help="Unix socket of the plant process")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", metavar="HOST:PORT")
    where.add_argument("--pty", type=Path, help="name for the line's end of its serial port")
    parser.add_argument("--reader", required=True, help="id of the reader in the line's description")
    parser.add_argument("--device", default="tcp_line_reader", choices=packaged_names("devices", "scanners"))
    parser.add_argument("--seed", type=int, default=0)
    run_until_ended(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
