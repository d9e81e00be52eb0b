"""Byte pipes of the simulation: serial pacing, chunks, loss, flipped bits, delay, an unplugged cable.

``Pipe`` is pure: bytes and their moment in, pieces and their moments out. ``Cable`` runs two of them on
the virtual loop between a simulated device and the line's driver. Moments are integer µs.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, replace

from edge.model.units import US_PER_S, MonoUs
from simulators.network import VirtualTimeLoop
from simulators.seeds import SeededBits

BUFFER_BYTES = 65_536
"""What an end keeps unread (a tty's buffer is 4 KiB, a socket's larger); newer bytes are lost."""
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One direction. The default delivers each write whole and at once.

    ``baud`` 0: no pacing, else every byte takes ``bits`` bit times (10 for 8N1 and 7E1). ``chunk``: at
    most so many bytes in one piece, 0 any; drawn by seed from 1…chunk when ``ragged``. ``delay_us``
    plus up to ``jitter_us`` is added to each write, order is kept. ``loss_ppm`` and ``flip_ppm``: so
    many of a million bytes vanish, or arrive with one bit flipped.
    """

    baud: int = 0
    bits: int = 10
    chunk: int = 0
    ragged: bool = False
    delay_us: int = 0
    jitter_us: int = 0
    loss_ppm: int = 0
    flip_ppm: int = 0

    @property
    def immediate(self) -> bool:
        """What is written has arrived."""
        return not (self.baud or self.delay_us or self.jitter_us)


class Pipe:
    """One direction with its state: when the line is free again, and its seeded faults."""

    def __init__(self, wire: Wire, bits: SeededBits) -> None:
        self.wire = wire
        self.immediate = wire.immediate
        """For good: a wire may be made worse while it is used, not longer."""
        self.lost = 0
        """Bytes that vanished or were flipped so far: the ground truth of a test."""
        self.flipped = 0
        self._bits = bits
        self._free_us = 0
        self._last_us = 0

    @property
    def plain(self) -> bool:
        """Each write arrives as it is, whole and at once."""
        wire = self.wire
        return self.immediate and not (wire.chunk or wire.loss_ppm or wire.flip_ppm)

    def push(self, at_us: int, data: bytes) -> list[tuple[int, bytes]]:
        """The pieces of one write and when each arrives; moments never fall from call to call."""
        wire = self.wire
        if self.immediate and not wire.chunk:
            self._last_us = max(at_us, self._last_us)
            part = self._harmed(data) if wire.loss_ppm or wire.flip_ppm else data
            return [(self._last_us, part)] if part else []
        start_us = max(at_us, self._free_us)
        late_us = wire.delay_us + (self._bits.between(0, wire.jitter_us) if wire.jitter_us else 0)
        pieces: list[tuple[int, bytes]] = []
        first = 0
        while first < len(data):
            last = min(first + self._chunk(len(data)), len(data))
            part = data[first:last]
            if wire.loss_ppm or wire.flip_ppm:
                part = self._harmed(part)
            # A piece arrives with its last byte, as a driver hands it over.
            self._last_us = max(start_us + self._line_us(last) + late_us, self._last_us)
            if part:
                pieces.append((self._last_us, part))
            first = last
        self._free_us = start_us + self._line_us(len(data))
        return pieces

    def _chunk(self, size: int) -> int:
        wire = self.wire
        if not wire.chunk:
            return size
        return self._bits.between(1, wire.chunk) if wire.ragged else wire.chunk

    def _line_us(self, size: int) -> int:
        """How long the line is busy with so many bytes, rounded up."""
        baud = self.wire.baud
        return -(-size * self.wire.bits * US_PER_S // baud) if baud else 0

    def _harmed(self, part: bytes) -> bytes:
        wire = self.wire
        out = bytearray()
        for byte in part:
            if wire.loss_ppm and self._bits.below(PPM) < wire.loss_ppm:
                self.lost += 1
            elif wire.flip_ppm and self._bits.below(PPM) < wire.flip_ppm:
                self.flipped += 1
                out.append(byte ^ (1 << self._bits.below(8)))
            else:
                out.append(byte)
        return bytes(out)


WHOLE = Wire()
BYTE_BY_BYTE = Wire(baud=9600, chunk=1)
LOSSY = Wire(baud=9600, chunk=7, ragged=True, loss_ppm=3_000, flip_ppm=3_000)
DELAYED = Wire(baud=9600, chunk=40, ragged=True, delay_us=30_000, jitter_us=20_000)
FOUR_WIRES = {"whole": WHOLE, "byte_by_byte": BYTE_BY_BYTE, "lossy": LOSSY, "delayed": DELAYED}
"""Every codec is tested over these four (style.md rule 20). ``lossy`` alone harms bytes."""


def pipe_of(name: str, seed: int) -> Pipe:
    """One of the four pipes of the tests, by its name in ``FOUR_WIRES``."""
    return Pipe(FOUR_WIRES[name], SeededBits(seed, f"pipe/{name}"))


class PipeEnd:
    """One end of a cable (structurally ``edge.ports.byte_stream.ByteStream``)."""

    def __init__(
        self, loop: VirtualTimeLoop, send: Callable[["PipeEnd", bytes], None], failed: "Fail"
    ) -> None:
        self._loop = loop
        self._send = send
        self._failed = failed
        self._buffer = bytearray()
        self._last_us = 0
        self._waiter: asyncio.Future[None] | None = None
        self._broken: str = ""
        self.overrun = 0
        """Bytes lost because nobody read."""

    async def read(self) -> tuple[bytes, MonoUs]:
        """All that has arrived, at least one byte, and the moment of the last. One reader at a time."""
        while not self._buffer:
            if self._broken:
                raise self._failed(self._broken)
            if self._waiter is not None:
                raise RuntimeError("two readers on one end")
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._buffer)
        self._buffer.clear()
        return data, MonoUs(self._last_us)

    async def write(self, data: bytes) -> None:
        """Hand the bytes to the cable; does not wait until they are out."""
        if self._broken:
            raise self._failed(self._broken)
        self._send(self, data)

    async def close(self) -> None:
        self.break_off("closed here")

    def arrive(self, at_us: int, data: bytes) -> None:
        room = BUFFER_BYTES - len(self._buffer)
        if len(data) > room:
            self.overrun += len(data) - room
            data = data[:room]
        self._buffer += data
        self._last_us = at_us
        self._wake()

    def break_off(self, why: str) -> None:
        """From now on every call fails; what had arrived and was not read is gone."""
        self._broken = self._broken or why
        self._buffer.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


Fail = Callable[[str], Exception]


class Cable:
    """Between a simulated device, whose end stays, and the line's driver, which opens and closes its own.

    ``failed`` makes the exception that an end raises (the rig gives ``LinkFailed``). ``to_line`` and
    ``to_device`` may be replaced by ``rewire`` during the run.
    """

    def __init__(
        self,
        loop: VirtualTimeLoop,
        bits: SeededBits,
        *,
        to_line: Wire = WHOLE,
        to_device: Wire = WHOLE,
        failed: Fail = ConnectionResetError,
    ) -> None:
        self._loop = loop
        self._failed = failed
        self._context = Context()
        """Bytes under way belong to the cable: they survive the crash of who wrote them."""
        self._to_line = Pipe(to_line, bits.child("to_line"))
        self._to_device = Pipe(to_device, bits.child("to_device"))
        self._plain = self._to_line.plain
        self._near: PipeEnd | None = None
        self._hear: Callable[[bytes], object] | None = None
        self._plugged = True
        self.device = PipeEnd(loop, self._send, failed)

    async def open(self) -> PipeEnd:
        """The line's end, anew. Raises while unplugged. An end opened before is closed by it."""
        if not self._plugged:
            raise self._failed("the cable is unplugged")
        if self._near is not None:
            self._near.break_off("opened elsewhere")
        self._near = PipeEnd(self._loop, self._send, self._failed)
        return self._near

    def send(self, data: bytes) -> None:
        """The device speaks, without a coroutine: a UART does not wait."""
        if self._plain:  # most wires, 50 times a second
            self._arrive(True, self._loop.now_us(), data)
        else:
            self._send(self.device, data)

    def on_heard(self, hear: Callable[[bytes], object]) -> None:
        """What comes to the device's end goes to ``hear`` from now on, and nobody reads it."""
        self._hear = hear

    def unplug(self) -> None:
        """The line's end breaks, bytes of both sides vanish until ``plug``; the device runs on."""
        self._plugged = False
        if self._near is not None:
            self._near.break_off("the cable was pulled")
            self._near = None

    def plug(self) -> None:
        self._plugged = True

    def rewire(self, *, loss_ppm: int, flip_ppm: int) -> None:
        """Other fault rates from now on, both directions."""
        for pipe in (self._to_line, self._to_device):
            pipe.wire = replace(pipe.wire, loss_ppm=loss_ppm, flip_ppm=flip_ppm)
        self._plain = self._to_line.plain

    @property
    def harmed(self) -> int:
        """Bytes lost or flipped on the way to the line so far."""
        return self._to_line.lost + self._to_line.flipped

    def _send(self, source: PipeEnd, data: bytes) -> None:
        pipe = self._to_line if source is self.device else self._to_device
        for due_us, piece in pipe.push(self._loop.now_us(), data):
            if pipe.immediate:
                self._arrive(source is self.device, due_us, piece)
                continue
            self._loop.call_at(
                due_us / US_PER_S, self._arrive, source is self.device, due_us, piece, context=self._context
            )

    def _arrive(self, at_line: bool, due_us: int, piece: bytes) -> None:
        if not self._plugged:
            return
        if at_line:
            if self._near is not None:
                self._near.arrive(due_us, piece)
        elif self._hear is not None:
            self._context.run(self._hear, piece)
        else:
            self.device.arrive(due_us, piece)
