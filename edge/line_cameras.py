"""The line's end of its cameras: what it asks them, and what it tells those that are triggered."""

from collections.abc import Callable, Iterable

from drivers.codecs.camera_requests import KeepPicture
from drivers.links.camera import CameraLink
from edge.core.state import Track
from edge.model.commands import ArchiveImage
from edge.model.ids import ReaderId, TrackId
from edge.model.records import RecordBody
from edge.ports.link import Link
from edge.ports.sinks import BeltSink
from edge.runtime.belt_watch import BeltWatch
from edge.runtime.passing import OnItsWay, Passing
from line_config.description import LineDescription
from line_config.model import CameraSettings


class LineCameras:
    """``belt`` is where the PLC's statuses go: past the triggered cameras' passages, where there are any."""

    def __init__(self, line: LineDescription, belt: BeltWatch) -> None:
        self._watch = belt
        self._links: dict[ReaderId, CameraLink] = {}
        triggered = [
            port.reader
            for port in line.scanners
            if isinstance(port.connection, CameraSettings) and port.connection.trigger != "free_running"
        ]
        self._passing = Passing(line.topology, triggered, belt, self._tell) if triggered else None
        self.belt: BeltSink = belt if self._passing is None else self._passing

    def begin(self, links: Iterable[tuple[ReaderId, Link]], tracks: Iterable[Track]) -> None:
        """The links of all readers, and what is on the belt of a recovered line."""
        self._links = {reader: link for reader, link in links if isinstance(link, CameraLink)}
        if self._passing is not None:
            self._passing.begin(
                [OnItsWay(track=one.id, origin=one.origin, length_mm=one.length_mm) for one in tracks]
            )

    def observe(self, then: Callable[[RecordBody], None]) -> Callable[[RecordBody], None]:
        """``then``, with the passages told of before."""
        passing = self._passing
        if passing is None:
            return then

        def both(body: RecordBody) -> None:
            passing.observe(body)
            then(body)

        return both

    def frames(self) -> dict[ReaderId, tuple[int, int]]:
        """By camera: frames that came in this run, and those of them that nobody looked at."""
        return {reader: (link.frames, link.missed) for reader, link in self._links.items()}

    def archive(self, command: ArchiveImage) -> None:
        """A picture is only ever worth less than what it would hold up: nothing waits for it."""
        camera = self._links.get(command.reader)
        from_us = self._watch.passed_us(command.from_ticks)
        to_us = self._watch.passed_us(command.to_ticks)
        if camera is not None and from_us is not None and to_us is not None:
            camera.keep(
                KeepPicture(
                    track=command.track,
                    epoch=command.epoch,
                    number=command.number,
                    from_us=from_us,
                    to_us=to_us,
                )
            )

    def _tell(self, reader: ReaderId, tracks: tuple[TrackId, ...] | None) -> None:
        if reader in self._links:
            self._links[reader].passing(tracks)
