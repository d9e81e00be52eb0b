"""A simulated camera, the process that looks through it, and the line's end of that; over real sockets."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from drivers.codecs.camera_messages import CameraMessages
from drivers.codecs.camera_requests import KeepPicture
from drivers.links.camera import CameraLink
from drivers.streams.unix import ChildStream, open_child
from edge.model.codes import Code, Symbology
from edge.model.events import DeviceWentDown, DeviceWentUp, Event
from edge.model.ids import BootEpoch, DeviceId, PlcNumber, ReaderId, TrackId
from edge.model.pictures import PictureNote
from edge.model.units import MonoUs
from edge.runtime.clock import LoopClock
from edge.runtime.link_keeper import LinkKeeper
from edge.store.pictures import PictureArchive
from edge.store.places import Places
from simulators.devices.camera import CameraFrames

BACK_S = 5.0
"""A camera that hung or died is back within this."""
QUICK_S = 2.0
"""A start on a machine that has nothing else to do takes less."""
LONG_S = 60.0
"""Nothing is judged by this: on a busy machine it takes what it takes."""
LOOK_S = 2.0
"""A label whose frames came too late on a busy machine is shown again."""
JT1 = (Code(text="JT1234567890123", symbology=Symbology.CODE128),)
JT2 = (
    Code(text="JT2345678901234", symbology=Symbology.CODE128),
    Code(text="JT2345678901234", symbology=Symbology.QR),
)


def command(folder: Path, parent: int, *settings: str) -> list[str]:
    """The side camera of the demo's line, on the frames of this test; ``settings`` as with ``--set``."""
    arguments = ["camera", "camera", "side", "--data", str(folder), "--parent", str(parent)]
    source = f"readers.side.connection.source.socket={folder / 'frames'}"
    room = "store.min_free_mb=1"
    given = [part for one in (source, room, *settings) for part in ("--set", one)]
    return [sys.executable, "-m", "edge.cli", *arguments, *given]


def keep(track: int, from_us: int, to_us: int) -> KeepPicture:
    return KeepPicture(
        track=TrackId(track),
        epoch=BootEpoch(3),
        number=PlcNumber(track),
        from_us=MonoUs(from_us),
        to_us=MonoUs(to_us),
    )


class Bench:
    """A simulated camera, the process that looks through it, and the line's end of that."""

    def __init__(self, folder: Path, *settings: str) -> None:
        """``settings`` of the line, as with ``--set``."""
        self.folder = folder
        self.settings = settings
        self.frames = CameraFrames((1280, 1024), 7)
        self.seen: list[tuple[int, tuple[Code, ...]]] = []
        self.events: list[Event] = []
        self.streams: list[ChildStream] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._start_s = 0.0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.frames.listen(self.folder / "frames")
        self.link = link = CameraLink(
            device=DeviceId("side"),
            reader=ReaderId("side"),
            answer_ms=100,
            silent_ms=1_000,
            open_stream=self._opened,
            make_codec=CameraMessages,
            sink=self,
        )
        keeper = LinkKeeper(link, self, LoopClock(loop, lambda: 0))
        self._tasks = [loop.create_task(self.frames.idle()), loop.create_task(keeper.run())]
        began_s = loop.time()
        await self.until(lambda: self.went(DeviceWentUp) == 1)
        self._start_s = loop.time() - began_s
        del self.events[:-1]  # on a busy machine it may have been given up and started anew before

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.frames.close()

    async def _opened(self) -> ChildStream:
        words = command(self.folder, os.getpid(), *self.settings)
        socket = self.folder / "cameras/side.socket"
        stream = await open_child(words, socket, start_ms=round(LONG_S * 1_000))
        self.streams.append(stream)
        return stream

    @property
    def back_s(self) -> float:
        """One that hung or died is back within this; on a busy machine its start takes longer."""
        return BACK_S if self._start_s <= QUICK_S else BACK_S + self._start_s

    def codes_seen(self, reader: ReaderId, at_us: MonoUs, codes: tuple[Code, ...]) -> None:
        self.seen.append((at_us, codes))

    def post(self, event: Event) -> None:
        self.events.append(event)

    def why(self) -> list[str]:
        """The causes for which it went down, in order."""
        return [event.why for event in self.events if isinstance(event, DeviceWentDown)]

    def went(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    async def until(
        self, true: Callable[[], object], within_s: float = LONG_S, *, look_s: float = 0.01
    ) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(look_s)

    async def kept(
        self, track: int, codes: tuple[Code, ...], good: Callable[[PictureNote], object]
    ) -> PictureNote:
        """Show the label and ask for a picture of the last seconds, until there is a good one: on a busy
        machine a frame may come too late to be read whole. Without codes: a label that cannot be read."""
        side, loop = ReaderId("side"), asyncio.get_running_loop()
        archive = PictureArchive(Places(self.folder).pictures, [side])
        async with asyncio.timeout(LONG_S):
            while True:
                if codes:
                    await self.shows(codes)
                else:
                    self.frames.saw(round(loop.time() * 1_000_000), ())
                await asyncio.sleep(1)
                now_us = round(loop.time() * 1_000_000)
                self.link.keep(keep(track, now_us - 2_500_000, now_us))
                await asyncio.sleep(1)
                note = archive.note(side, TrackId(track))
                if note is not None and good(note):
                    return note

    async def shows(self, codes: tuple[Code, ...]) -> int:
        """A label passes; how long after its light its answer is due, in µs."""
        self.frames.printed(codes)
        before = len(self.seen)
        while True:
            at_us = round(asyncio.get_running_loop().time() * 1_000_000)
            self.frames.saw(at_us, codes)
            with contextlib.suppress(TimeoutError):
                await self.until(lambda: len(self.seen) > before, LOOK_S)
                break
        due_us, told = self.seen[-1]
        assert set(told) == set(codes)
        return due_us - at_us
