"""A reader that sends text: its answers out, each stamped with the arrival of its last byte."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Protocol

from drivers.codecs.reader_events import ReaderAnswered, ReaderEvent
from drivers.links.sessions import Hearing, heard_within, opened
from edge.model.ids import DeviceId, ReaderId
from edge.model.units import US_PER_MS, MonoUs
from edge.ports.byte_stream import ByteStream, LinkFailed, OpenStream
from edge.ports.sinks import CodeSink

MAX_TOGETHER = 8
"""Answers that one read may bring: a label with that many codes, each in a message of its own. More
lay in a buffer while the belt moved on: whose they are nobody knows."""


class ScannerCodec(Protocol):
    """Messages of one reader protocol; sans-IO, never raises."""

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[ReaderEvent, ...]: ...

    def silent(self) -> tuple[ReaderEvent, ...]:
        """The cable has been silent for the protocol's end-of-message time."""
        ...


class ScannerLink:
    """``edge.ports.link.Link`` of a reader, over whatever ``open_stream`` opens.

    Up once connected and past the backlog. ``silence_ms``: end of message for readers without a
    terminator, 0 for the others. ``stale_ms``: for readers with a heartbeat, 0 for the others, which
    may have nothing to say for hours; their cable's end is TCP's to notice, or the serial port's.
    """

    def __init__(
        self,
        *,
        device: DeviceId,
        reader: ReaderId,
        silence_ms: int,
        stale_ms: int,
        open_stream: OpenStream,
        make_codec: Callable[[], ScannerCodec],
        sink: CodeSink,
        max_together: int = MAX_TOGETHER,
    ) -> None:
        """``make_codec`` gives a new codec to each session: no half message outlives its cable.
        ``max_together``: answers that one read may bring; a longer burst is dropped."""
        self._device = device
        self._reader = reader
        self._silence_us = silence_ms * US_PER_MS
        self._stale_ms = stale_ms
        self._open_stream = open_stream
        self._make_codec = make_codec
        self._sink = sink
        self._max_together = max_together

    @property
    def device(self) -> DeviceId:
        return self._device

    async def session(self, went_up: Callable[[], None]) -> None:
        codec = self._make_codec()
        async with opened(self._open_stream, codec.feed) as stream:
            went_up()
            listening = heard_within(self._stale_ms * US_PER_MS) if self._stale_ms else nullcontext()
            try:
                async with listening as hearing:
                    await self._serve(stream, codec, hearing)
            except TimeoutError as error:
                raise LinkFailed(f"{self._device}: silent for {self._stale_ms} ms") from error

    async def _serve(self, stream: ByteStream, codec: ScannerCodec, hearing: Hearing | None) -> None:
        quiet = in_step = not self._silence_us
        while True:
            try:
                async with nullcontext() if quiet else heard_within(self._silence_us):
                    data, at_us = await stream.read()
            except TimeoutError:
                events = codec.silent()
                if not in_step:  # the first silence ends the backlog of a reader without a terminator
                    events = ()
                quiet = in_step = True
            else:
                events, quiet = codec.feed(data, at_us), not self._silence_us
            if events and hearing is not None:
                hearing.heard(events[-1].at_us)
            self._tell([event for event in events if isinstance(event, ReaderAnswered)])

    def _tell(self, answers: list[ReaderAnswered]) -> None:
        if len(answers) > self._max_together:
            return
        for answer in answers:
            self._sink.codes_seen(self._reader, answer.at_us, answer.codes)
