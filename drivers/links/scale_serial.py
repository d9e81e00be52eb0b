"""A scale, serial or TCP: frames in, samples out, silence is a failure; one that is asked is asked anew."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from drivers.links.sessions import Hearing, heard_within, opened
from edge.model.ids import DeviceId, ScaleId
from edge.model.units import US_PER_MS, MonoUs
from edge.model.weight import WeightSample
from edge.ports.byte_stream import ByteStream, LinkFailed, OpenStream
from edge.ports.sinks import SampleSink

MAX_TOGETHER = 3
"""Frames that one read may bring, when this process was slow to look."""
MIN_SPACING_US = 1 * US_PER_MS
"""No cable is faster: 17 bytes take 1.5 ms at 115,200 baud. Frames closer together come from a buffer."""


class ScaleCodec(Protocol):
    """Frames of one scale protocol; sans-IO, never raises.

    ``greeting`` begins a session, ``request`` is sent anew after each answer (``answers`` counts them),
    ``zero`` sets the scale's zero; each is empty where the protocol has no such thing.
    """

    @property
    def greeting(self) -> bytes: ...

    @property
    def request(self) -> bytes: ...

    @property
    def zero(self) -> bytes: ...

    @property
    def answers(self) -> int: ...

    def feed(self, data: bytes, at_us: MonoUs) -> tuple[WeightSample, ...]: ...


class ScaleLink:
    """``edge.ports.link.Link`` of a scale, over whatever ``open_stream`` opens.

    Up at the first good frame after the backlog, which only sets the pace; down when none has come for
    ``stale_ms``, which is more than twice the time between frames.
    """

    def __init__(
        self,
        *,
        device: DeviceId,
        scale: ScaleId,
        stale_ms: int,
        open_stream: OpenStream,
        make_codec: Callable[[], ScaleCodec],
        sink: SampleSink,
    ) -> None:
        """``make_codec`` gives a new codec to each session: no half frame outlives its cable."""
        self._device = device
        self._scale = scale
        self._stale_ms = stale_ms
        self._open_stream = open_stream
        self._make_codec = make_codec
        self._sink = sink
        self._zero_wanted = False

    @property
    def device(self) -> DeviceId:
        return self._device

    def zero(self) -> None:
        """Tell the scale to set its zero, with the next frame; nothing where it cannot be told."""
        self._zero_wanted = True

    async def session(self, went_up: Callable[[], None]) -> None:
        codec = self._make_codec()
        self._zero_wanted = False
        async with opened(self._open_stream, codec.feed) as stream:
            if codec.greeting:
                await stream.write(codec.greeting)
            try:
                async with heard_within(self._stale_ms * US_PER_MS) as hearing:
                    await self._serve(stream, codec, hearing, went_up)
            except TimeoutError as error:
                raise LinkFailed(f"{self._device}: silent for {self._stale_ms} ms") from error

    async def _serve(
        self, stream: ByteStream, codec: ScaleCodec, hearing: Hearing, went_up: Callable[[], None]
    ) -> None:
        stale_us, request = self._stale_ms * US_PER_MS, codec.request
        before_us: MonoUs | None = None
        answers = 0
        while True:
            data, at_us = await stream.read()
            samples = codec.feed(data, at_us)
            if request and codec.answers != answers:
                answers = codec.answers
                await stream.write(request)
            if not samples:
                continue
            hearing.heard(at_us)
            if self._zero_wanted:
                await self._tell_zero(stream, codec)
            if before_us is None:
                went_up()
            else:
                for sample in paced(samples, at_us - before_us, stale_us // 2):
                    self._sink.weight_seen(self._scale, sample)
            before_us = at_us

    async def _tell_zero(self, stream: ByteStream, codec: ScaleCodec) -> None:
        self._zero_wanted = False
        if codec.zero:
            await stream.write(codec.zero)


def paced(samples: Sequence[WeightSample], span_us: int, max_span_us: int) -> Sequence[WeightSample]:
    """The samples of one read that surely are as new as they seem, ``span_us`` after the read before.

    A scale paces its frames evenly, so several are spread evenly over that time. None counts where the
    pace is broken (too many, too close, or after too long a silence): they have lain in a buffer, and
    an old weight is never given as a new one. The next frame in step counts again.
    """
    count = len(samples)
    if count > MAX_TOGETHER or not count * MIN_SPACING_US <= span_us <= max_span_us:
        return ()
    if count == 1:
        return samples
    return [
        replace(sample, at_us=MonoUs(sample.at_us - (count - 1 - i) * span_us // count))
        for i, sample in enumerate(samples)
    ]
