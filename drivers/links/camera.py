"""A camera as the line sees it: another process, whose answers are as old as their frames' stamps."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import assert_never

from drivers.codecs.camera_messages import (
    CameraBeat,
    CameraEnds,
    CameraMessage,
    CameraMessages,
    CameraRead,
    Picture,
)
from drivers.codecs.camera_requests import KeepPicture, ParcelsPassing, encode_request
from drivers.links.sessions import heard_within, opened
from edge.model.ids import DeviceId, ReaderId, TrackId
from edge.model.units import US_PER_MS, MonoUs
from edge.ports.byte_stream import ByteStream, LinkFailed, OpenStream
from edge.ports.sinks import CodeSink

OLD_MS = 2_000
"""An answer about a frame this old is none: it lay somewhere."""
REQUESTS = 16
"""Asked for and not yet on their way; a newer request is worth more than an older one."""


class CameraLink:
    """``edge.ports.link.Link`` of a camera process.

    Up once the process has said that its pictures are good, down when it says otherwise or nothing for
    ``silent_ms``: nothing it has said before counts after that. Each answer is handed on ``answer_ms``
    after its frame's stamp, whenever it came: so that is the one moment the line reckons from. A later
    one is handed on too, and the core sees to it that it changes no decision but for the worse.
    """

    def __init__(
        self,
        *,
        device: DeviceId,
        reader: ReaderId,
        answer_ms: int,
        silent_ms: int,
        open_stream: OpenStream,
        make_codec: Callable[[], CameraMessages],
        sink: CodeSink,
    ) -> None:
        self._device = device
        self._reader = reader
        self._answer_us = answer_ms * US_PER_MS
        self._silent_ms = silent_ms
        self._open_stream = open_stream
        self._make_codec = make_codec
        self._sink = sink
        self._requests: deque[KeepPicture] = deque(maxlen=REQUESTS)
        self._passing: ParcelsPassing | None = None
        """What a triggered camera is to know; None: it is one that is told nothing."""
        self._known: ParcelsPassing | None = None
        """What the process at the other end knows of it."""
        self._asked = asyncio.Event()
        self.frames = self.missed = 0
        """Frames that came, and those of them that nobody looked at, over all its processes."""
        self._counted = (0, 0)
        """What the process at the other end last said of both."""
        self._soft = False
        """It was out of focus, and no sharp picture has come since: a process that was started anew does
        not know of it."""

    def keep(self, request: KeepPicture) -> None:
        """Ask for a picture; a camera that is away keeps none."""
        self._requests.append(request)
        self._asked.set()

    def passing(self, tracks: tuple[TrackId, ...] | None) -> None:
        """Tell a triggered camera which parcels are on their way to it; None: nobody knows."""
        self._passing = ParcelsPassing(tracks=tracks)
        self._asked.set()

    @property
    def device(self) -> DeviceId:
        return self._device

    async def session(self, went_up: Callable[[], None]) -> None:
        codec = self._make_codec()
        self._requests.clear()
        self._known = None
        up = False
        async with opened(self._open_stream, codec.feed) as stream, self._asking(stream):
            try:
                async with heard_within(self._silent_ms * US_PER_MS) as hearing:
                    while True:
                        data, at_us = await stream.read()
                        for message in codec.feed(data, at_us):
                            hearing.heard(at_us)
                            up = self._heard(message, at_us, up, went_up)
            except TimeoutError as error:
                raise LinkFailed(f"{self._device}: silent for {self._silent_ms} ms") from error

    @asynccontextmanager
    async def _asking(self, stream: ByteStream) -> AsyncIterator[None]:
        """Requests go out as they come, beside what is heard."""
        asking = asyncio.get_running_loop().create_task(self._ask(stream))
        try:
            yield
        finally:
            asking.cancel()
            (failure,) = await asyncio.gather(asking, return_exceptions=True)
            if isinstance(failure, Exception):
                raise failure

    async def _ask(self, stream: ByteStream) -> None:
        try:
            while True:
                self._asked.clear()
                if self._passing is not None and self._passing != self._known:
                    self._known = self._passing
                    await stream.write(encode_request(self._passing))
                while self._requests:
                    await stream.write(encode_request(self._requests.popleft()))
                await self._asked.wait()
        except LinkFailed:
            return  # whoever reads this stream sees its end too

    def _heard(self, message: CameraMessage, at_us: MonoUs, up: bool, went_up: Callable[[], None]) -> bool:
        """Whether it is up now."""
        match message:
            case CameraBeat():
                self._count(message.frames, message.missed)
                return self._picture(message.picture, up, went_up)
            case CameraRead():
                if up:
                    self._tell(message, at_us)
                return up
            case CameraEnds():
                raise LinkFailed(f"{self._device}: {message.why}")
            case _:
                assert_never(message)

    def _count(self, frames: int, missed: int) -> None:
        """A process that counts less than the last one said has begun anew."""
        before_frames, before_missed = self._counted if frames >= self._counted[0] else (0, 0)
        self._counted = (frames, missed)
        self.frames += frames - before_frames
        self.missed += max(0, missed - before_missed)

    def _picture(self, picture: Picture, up: bool, went_up: Callable[[], None]) -> bool:
        """Whether it is up now. A camera that comes up blind is waited for, not started anew."""
        self._soft = picture is Picture.OUT_OF_FOCUS or (self._soft and picture is not Picture.GOOD)
        if picture is Picture.GOOD or (picture is Picture.PLAIN and not self._soft):
            if not up:
                went_up()
            return True
        if up:
            raise LinkFailed(f"{self._device}: its pictures are {picture.value.replace('_', ' ')}")
        return False

    def _tell(self, read: CameraRead, at_us: MonoUs) -> None:
        if 0 <= at_us - read.grabbed_us <= OLD_MS * US_PER_MS:
            self._sink.codes_seen(self._reader, MonoUs(read.grabbed_us + self._answer_us), read.codes)
