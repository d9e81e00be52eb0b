"""A simulated camera, the process that looks through it, and the line's end of that; over real sockets."""

import asyncio
import contextlib
import os
import sys
from bisect import bisect_right
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
LOOK_S = 3.0
"""A label whose frames came too late on a busy machine is shown again once an answer would be too old for the
link (2 s)."""
ANSWER_MS = 100
SILENT_MS = 1_000
TRIES = 3
STOOD_STILL = ("silent for", "no frame for", "a frame is being read for", "nothing for")
"""Why a camera goes down also when it, or what it looks at, gets no time on a busy machine."""
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
        self._shown_us: list[int] = []
        self._labels = [0]
        """Which label was shown each time; first 0 for what is told of none."""

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.frames.listen(self.folder / "frames")
        self.link = link = CameraLink(
            device=DeviceId("side"),
            reader=ReaderId("side"),
            answer_ms=ANSWER_MS,
            silent_ms=SILENT_MS,
            open_stream=self._opened,
            make_codec=CameraMessages,
            sink=self,
        )
        self._keeper = LinkKeeper(link, self, LoopClock(loop, lambda: 0))
        self._tasks = [loop.create_task(self.frames.idle()), loop.create_task(self._keeper.run())]
        began_s = loop.time()
        await self.until(lambda: self.up)
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

    @property
    def up(self) -> bool:
        return self._keeper.up

    def why(self) -> list[str]:
        """The causes for which it went down, in order, but for those that this machine may be itself."""
        return [one for one in self.causes() if not any(still in one for still in STOOD_STILL)]

    def causes(self) -> list[str]:
        """All of them."""
        return [event.why for event in self.events if isinstance(event, DeviceWentDown)]

    def went(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def read(self) -> list[set[Code]]:
        """The codes of each label that was read, in order: a busy machine may tell them one by one, and those
        of a label that was shown again once each time."""
        labels: dict[int, set[Code]] = {}
        told: set[tuple[int, Code]] = set()
        for due_us, codes in self.seen:
            showing = self._showing(due_us)
            assert told.isdisjoint((showing, code) for code in codes), "a code in two frames is told once"
            told |= {(showing, code) for code in codes}
            labels.setdefault(self._labels[showing], set()).update(codes)
        return list(labels.values())

    def _showing(self, due_us: int) -> int:
        """Number of the showing that this answers, the first is 1; 0: none."""
        return bisect_right(self._shown_us, due_us - ANSWER_MS * 1_000)

    async def goes_down(self, spoil: Callable[[], None], heal: Callable[[], None]) -> None:
        """Spoilt until it is down for a cause of its own. One that went down because this machine stood still
        may never tell of what is wrong: it is healed, and spoilt anew."""
        async with asyncio.timeout(LONG_S):
            while not self.why():
                heal()
                await self.until(lambda: self.up)
                spoil()
                await self.until(lambda: not self.up)

    async def comes_back(self, end: Callable[[], None]) -> None:
        """Up again in time after its end, of a few times at least once: other work may hold up its start."""
        took_s: list[float] = []
        while len(took_s) < TRIES:
            took_s.append(await self._away_s(end))
            if took_s[-1] <= self.back_s:
                return
        raise AssertionError(f"back after {took_s} s")

    async def _away_s(self, end: Callable[[], None]) -> float:
        loop = asyncio.get_running_loop()
        await self.until(lambda: self.up)
        ended_s, ups = loop.time(), self.went(DeviceWentUp)
        end()
        await self.until(lambda: self.went(DeviceWentUp) > ups)
        return loop.time() - ended_s

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
        """A label passes, and again until all its codes were told; how long after its light the answer is
        due, in µs."""
        self.frames.printed(codes)
        label, loop = self._labels[-1] + 1, asyncio.get_running_loop()
        async with asyncio.timeout(LONG_S):
            while not self._told_of(label) >= set(codes):
                at_us = round(loop.time() * 1_000_000)
                self._shown_us.append(at_us)
                self._labels.append(label)
                self.frames.saw(at_us, codes)
                with contextlib.suppress(TimeoutError):
                    await self.until(lambda: self._told_of(label) >= set(codes), LOOK_S)
        assert self._told_of(label) == set(codes)
        due_us, _ = self.seen[-1]
        return due_us - self._shown_us[self._showing(due_us) - 1]

    def _told_of(self, label: int) -> set[Code]:
        answers = [codes for due_us, codes in self.seen if self._labels[self._showing(due_us)] == label]
        return {code for codes in answers for code in codes}
