"""Composition root of the line process: configuration → drivers → core → runtime.

The only file that knows concrete drivers. ``LineApp`` is the whole daemon; what differs between a
hall and virtual time comes in as ``Wiring``.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from drivers.links.plc import PlcMailboxLink
from drivers.links.scale_serial import ScaleLink
from drivers.registry import bench_link, cable, camera_cable, reader_link, scale_link
from drivers.streams.modbus import ModbusTcpPort
from edge.core.line import LineCore
from edge.line_cameras import LineCameras
from edge.model.events import LineStarted
from edge.model.ids import BenchId, ChuteId, DeviceId, JournalSeq, ReaderId, Waybill
from edge.model.records import RecordBody
from edge.model.topology import PlcLink, Topology
from edge.model.units import US_PER_S
from edge.ports.byte_stream import LinkFailed, OpenStream
from edge.ports.clock import Clock
from edge.ports.inbox import Inbox, InboxFailed
from edge.ports.journal import Journal
from edge.ports.link import Link
from edge.ports.plc import BlockPort
from edge.runtime.belt_watch import BeltWatch
from edge.runtime.bench_ears import BenchEars
from edge.runtime.build import build_id
from edge.runtime.clock import LoopClock
from edge.runtime.disk_watch import Disk, DiskWatch
from edge.runtime.dispatcher import Dispatcher
from edge.runtime.doorbell import Doorbell
from edge.runtime.event_queue import EventQueue, Source
from edge.runtime.health import Health
from edge.runtime.inbox_follower import InboxFollower
from edge.runtime.line_loop import LineLoop
from edge.runtime.link_keeper import LinkKeeper
from edge.runtime.look_ups import LookUps
from edge.runtime.metrics import LineMetrics, MetricsSocket, line_now
from edge.runtime.notify import Notify
from edge.runtime.outputs import Outputs
from edge.runtime.recovery import Recovered, WithoutClockSteps, recover
from edge.runtime.supervisor import Supervisor
from edge.store.disk import RecordDisk
from edge.store.files import make_directory
from edge.store.inline_journal import InlineJournal
from edge.store.journal_writer import JournalWriter
from edge.store.places import Places
from edge.store.reader_thread import InlineInbox, ReaderThread
from edge.store.rows import encode
from line_config.description import LineDescription, ScannerPort
from line_config.device_files import ScannerFile
from line_config.model import CameraSettings

__all__ = [
    "InboxFailed",
    "LineApp",
    "LineFailed",
    "LinkFailed",
    "VirtualLine",
    "Wiring",
    "WithoutClockSteps",
    "modbus_port",
    "without_clock_steps",
]

QUEUE_ROOM = 2_048
LOOK_UP_ROOM = 512
"""More than this still to be worked off, and no more of the inbox is read."""
RING_ROOM_ROWS = 16_384
"""More than this not durable, and no more of the PLC's ring is read: it keeps 10 s of it. Four times what
stops induction, a quarter of what the writer bears."""
MIB = 1 << 20
GATHERED_ROWS = 500
"""Committed rows of a line in virtual time that may wait for a transaction of the file."""

log = structlog.get_logger("app")

CameraCommand = Callable[[str], tuple[str, ...]]
"""How to start the process of the camera of that name."""


class LineFailed(Exception):
    """The line process must end: its cause. The service manager starts it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the line is joined to.

    ``scanners``, ``benches`` and ``scale`` open the devices' cables, ``bus`` is the PLC's. ``settled`` calls
    back at the end of an instant of virtual time (None in real time); ``committed`` is called after
    each commit (the gateway's doorbell); ``observe`` sees every record once; ``disk`` is the record's,
    None where nobody has to look (virtual time); ``notify`` tells the service manager that the loop turns
    (None: there is none).
    """

    clock: Clock
    journal: Journal
    inbox: Inbox
    bus: BlockPort
    scanners: Mapping[ReaderId, OpenStream]
    benches: Mapping[BenchId, OpenStream]
    scale: OpenStream | None
    recovered: Recovered
    settled: Callable[[Callable[[], None]], None] | None
    committed: Callable[[], None]
    observe: Callable[[RecordBody], None]
    disk: Disk | None
    notify: Notify | None


class LineApp:
    """One run of the line process. ``run`` ends only by ``LineFailed`` or by being cancelled."""

    def __init__(self, line: LineDescription, wiring: Wiring) -> None:
        self._line = line
        self._wiring = wiring
        topology = line.topology
        clock = wiring.clock
        self.queue = queue = EventQueue(wiring.settled)
        self.health = Health(None if wiring.notify is None else wiring.notify.progress)
        self.outputs = Outputs(self.health)
        self.core = wiring.recovered.core
        self.belt = BeltWatch(topology, clock, queue.sink(Source.BELT), wiring.recovered.resume.epoch)
        self._cameras = LineCameras(line, self.belt)
        self.plc = PlcMailboxLink(
            topology=topology,
            bus=wiring.bus,
            clock=clock,
            events=queue.sink(Source.PLC),
            belt=self._cameras.belt,
            outputs=self.outputs.read,
            resume=wiring.recovered.resume,
            room=lambda: len(queue) < QUEUE_ROOM and wiring.journal.backlog < RING_ROOM_ROWS,
        )
        self._scale = self._scale_link()
        self._ears: dict[DeviceId, BenchEars] = {}
        self._look_ups = look_ups = LookUps(wiring.inbox, queue.sink(Source.LOOK_UP), clock)
        self.loop = LineLoop(
            core=self.core,
            journal=wiring.journal,
            queue=queue,
            dispatcher=Dispatcher(
                plc=self.plc,
                belt=self.belt,
                outputs=self.outputs,
                look_ups=look_ups,
                set_zero=self._set_zero,
                archive=self._cameras.archive,
                failed=self._fail,
            ),
            clock=clock,
            health=self.health,
            limits=line.store,
            observe=self._cameras.observe(wiring.observe),
            committed=wiring.committed,
            failed=self._fail,
            cursor=wiring.recovered.cursor,
            rows_since_snapshot=wiring.recovered.rows_since_snapshot,
        )
        self.follower = InboxFollower(
            wiring.inbox,
            queue,
            clock,
            cursor=wiring.recovered.cursor,
            wanted=self.core.wanted,
            room=lambda: (
                len(queue) < QUEUE_ROOM
                and len(look_ups) < LOOK_UP_ROOM
                and wiring.journal.backlog <= line.store.max_backlog_rows
            ),
        )
        links = self._links()
        self._cameras.begin(
            ((reader.id, link) for reader, link in zip(topology.readers, links, strict=False)),
            self.core.state.tracks.values(),
        )
        self._keepers = tuple(
            LinkKeeper(link, queue.sink(Source.DEVICE, rank), clock)
            for rank, link in enumerate([*links, self.plc])
        )
        self._disk = None if wiring.disk is None else DiskWatch(wiring.disk, queue.sink(Source.STORE), clock)
        self._supervisor = Supervisor(self._died)
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def devices_up(self) -> dict[DeviceId, bool]:
        """Which links are up now."""
        return {keeper.device: keeper.up for keeper in self._keepers}

    def frames_seen(self) -> dict[ReaderId, tuple[int, int]]:
        """Of each camera's frames: how many came, and how many nobody looked at."""
        return self._cameras.frames()

    def devices_heard(self) -> dict[DeviceId, int]:
        """Microseconds since each device's last word; without those that have said none in this run."""
        now = self._wiring.clock.now_us()
        benches = {device: ears.heard_us for device, ears in self._ears.items() if ears.heard_us is not None}
        return {device: now - at_us for device, at_us in (self.belt.heard() | benches).items()}

    def _links(self) -> list[Link]:
        topology, wiring = self._line.topology, self._wiring
        links: list[Link] = [
            reader_link(reader, port.file, topology.read, wiring.scanners[reader.id], self.belt)
            for reader, port in zip(topology.readers, self._line.scanners, strict=True)
        ]
        for rank, (bench, port) in enumerate(zip(topology.benches, self._line.bench_ports, strict=True)):
            ears = self._ears[bench.device] = BenchEars(self.queue.sink(Source.BENCH, rank))
            links.append(bench_link(bench, port.file, topology.read, wiring.benches[bench.id], ears))
        if self._scale is not None:
            links.append(self._scale)
        return links

    def _scale_link(self) -> ScaleLink | None:
        scale, port, cable = self._line.topology.scale, self._line.scale_port, self._wiring.scale
        if scale is None or port is None or cable is None:
            return None
        return scale_link(scale, port.file, cable, self.belt)

    def _set_zero(self) -> None:
        if self._scale is not None:
            self._scale.zero()

    def callback_raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's exception handler: asyncio only logs what a callback raises, and goes on without
        what that callback was to do. Here it ends the process; but for a connection's own, which asyncio
        has closed: its link sees that, and opens it again."""
        error = context.get("exception")
        if "transport" in context:
            log.error("a connection broke", why=context["message"], cause=repr(error))
            return
        failed = LineFailed(f"{context['message']}: {error!r}")
        failed.__cause__ = error
        self._fail(failed)

    def _died(self, name: str, error: BaseException | None) -> None:
        failed = LineFailed(f"task {name} ended: {error!r}")
        failed.__cause__ = error
        self._fail(failed)

    def _fail(self, error: BaseException) -> None:
        """First cause wins; from here on the heartbeat stands still."""
        self.health.fail(repr(error))
        if not self._failed.done():
            self._failed.set_exception(error)

    async def run(self) -> None:
        """Recover what stands, take in the inbox, then let the devices in."""
        clock = self._wiring.clock
        started = LineStarted(
            at_us=clock.now_us(),
            build=build_id(),
            config_hash=sha256(encode(self._line.topology).encode()).hexdigest()[:16],
            chutes_disabled=tuple(self.core.state.disabled),
            replay_differs=self._wiring.recovered.differs_at is not None,
        )
        try:
            self.loop.begin(started)
            self._supervisor.start("look-ups", self._look_ups.run())
            if self._disk is not None:
                self._disk.look()
            await self.follower.catch_up(self.loop.drain)
            self._supervisor.start("line loop", self.loop.run())
            self._supervisor.start("inbox", self.follower.run())
            if self._disk is not None:
                self._supervisor.start("disk", self._disk.run())
            for keeper in self._keepers:
                self._supervisor.start(f"link {keeper.device}", keeper.run())
            if self._wiring.notify is not None:
                self._wiring.notify.ready()
            await self._failed
        except asyncio.CancelledError:
            await self._close()
            if not self.health.failed:
                self.loop.finish()
            raise
        finally:
            await self._close()

    async def _close(self) -> None:
        """Idempotent."""
        await self._supervisor.stop()
        self.belt.close()


class VirtualLine:
    """A line process in virtual time: the same app on a journal and an inbox that are called inline.

    ``scale`` and ``serial`` open the cables of devices on serial ports, and of cameras: virtual time has
    no others.
    ``commit_us`` and ``answer_us`` draw how long a commit and a look-up take; ``before_commit`` and
    ``after_commit`` are told the last row of each commit, ``shadow`` all that is durable. ``flush``
    comes before anyone else reads the journal. ``crash`` ends it as kill -9 would: what was not committed
    never happened.
    """

    def __init__(
        self,
        line: LineDescription,
        data: Path,
        *,
        bus: BlockPort,
        scale: OpenStream | None,
        serial: Mapping[ReaderId, OpenStream],
        settled: Callable[[Callable[[], None]], None],
        clock: Clock,
        commit_us: Callable[[], int],
        answer_us: Callable[[], int],
        before_commit: Callable[[JournalSeq], None],
        after_commit: Callable[[JournalSeq], None],
        shadow: WithoutClockSteps,
        disk: Disk | None = None,
    ) -> None:
        topology, places = line.topology, Places(data)
        self._laps_count = topology.recirculation is not None
        self._journal = InlineJournal(
            places.journal,
            line_id=topology.line_id,
            timezone=topology.timezone,
            commit_us=commit_us,
            before_commit=before_commit,
            after_commit=after_commit,
            gathered_rows=GATHERED_ROWS,
            follower=shadow,
        )
        self._inbox = InlineInbox(
            places.inbox, places.journal, answer_us, self._flush_about, _loop_chute(topology)
        )
        self.app = LineApp(
            line,
            Wiring(
                clock=clock,
                journal=self._journal,
                inbox=self._inbox,
                bus=bus,
                scanners={
                    port.reader: serial.get(port.reader) or _reader_cable(port, places, _no_camera)
                    for port in line.scanners
                },
                benches={
                    BenchId(port.reader): serial.get(port.reader) or cable(port.connection, port.file)
                    for port in line.bench_ports
                },
                scale=scale,
                recovered=recover(places.journal, topology),
                settled=settled,
                committed=_nothing,
                observe=_nothing,
                disk=disk,
                notify=None,
            ),
        )

    @property
    def open_tracks(self) -> int:
        return len(self.app.core.state.tracks)

    @property
    def ready(self) -> bool:
        """Everything is up and healed: induction is permitted."""
        return self.app.core.state.permitted

    def ring(self) -> None:
        """The doorbell: there is something in the inbox."""
        self.app.follower.ring()

    def _flush_about(self, waybills: tuple[Waybill, ...]) -> None:
        """Where laps count, every end of a waybill matters, not only that it shipped."""
        if self._laps_count:
            self._journal.flush()
        else:
            self._journal.flush_about(waybills)

    def flush(self) -> None:
        """What is committed is in the journal's file now."""
        self._journal.flush()

    async def run(self) -> None:
        await self.app.run()

    async def close(self) -> None:
        """After ``run`` was cancelled: what was appended becomes durable."""
        await self._journal.close()
        await self._inbox.close()

    def crash(self) -> None:
        self._journal.crash()


def _reader_cable(port: ScannerPort, places: Places, camera: CameraCommand) -> OpenStream:
    connection, file = port.connection, port.file
    if isinstance(connection, CameraSettings):
        path = places.camera(port.reader, connection.socket)
        return camera_cable(connection, path, camera(port.reader))
    assert isinstance(file, ScannerFile)
    return cable(connection, file)


def _no_camera(reader: str) -> tuple[str, ...]:
    raise ValueError(f"camera {reader}: virtual time starts no processes")


def modbus_port(plc: PlcLink) -> ModbusTcpPort:
    """The real Modbus client of a line's PLC; on a virtual loop it calls in memory."""
    return ModbusTcpPort.of(plc)


def _loop_chute(topology: Topology) -> ChuteId | None:
    """Where a lap ends, on a line that has a loop."""
    return None if topology.recirculation is None else topology.recirculation.chute


def _nothing(*_what: object) -> None:
    """Nobody listens."""


def without_clock_steps(topology: Topology) -> WithoutClockSteps:
    """Invariant 23 of one line's record; it is to be told of all from the first row on."""
    return WithoutClockSteps(lambda state: LineCore(topology, state))


async def opened(
    stack: AsyncExitStack,
    line: LineDescription,
    data: Path,
    utc_us: Callable[[], int],
    camera: CameraCommand,
) -> LineApp:
    """The line process on the files that stand; what was opened is closed by ``stack``, journal last."""
    topology, limits = line.topology, line.store
    places = Places(data)
    make_directory(places.journal.parent)
    disk = RecordDisk(
        places.journal.parent,
        places.pictures,
        wanted_bytes=limits.min_free_mb * MIB,
        ballast_bytes=limits.ballast_mb * MIB,
    )
    disk.prepare()
    journal = JournalWriter(places.journal, line_id=topology.line_id, timezone=topology.timezone)
    stack.push_async_callback(journal.close)
    recovered = recover(places.journal, topology)
    inbox = ReaderThread(places.inbox, places.journal, _loop_chute(topology))
    stack.push_async_callback(inbox.close)
    clock = LoopClock(asyncio.get_running_loop(), utc_us)
    notify = Notify(clock)
    stack.callback(notify.close)
    bell = Doorbell(places.line_bell, places.gateway_bell)
    metrics = LineMetrics(topology)
    scale = line.scale_port
    app = LineApp(
        line,
        Wiring(
            clock=clock,
            journal=journal,
            inbox=inbox,
            bus=modbus_port(topology.plc),
            scanners={port.reader: _reader_cable(port, places, camera) for port in line.scanners},
            benches={BenchId(port.reader): cable(port.connection, port.file) for port in line.bench_ports},
            scale=None if scale is None else cable(scale.connection, scale.file),
            recovered=recovered,
            settled=None,
            committed=bell.ring,
            observe=metrics.see,
            disk=disk,
            notify=notify,
        ),
    )
    metrics.watch(app.core.state, app.devices_up, app.devices_heard)
    metrics.watch_cameras(app.frames_seen)
    metrics.gauge("beltkeeper_queue_inputs", "Inputs that wait for the line loop.", lambda: len(app.queue))
    metrics.gauge("beltkeeper_journal_backlog_rows", "Rows not yet durable.", lambda: journal.backlog)
    metrics.gauge("beltkeeper_disk_free_bytes", "Free room where the journal lies.", disk.free_bytes)
    begun_s = clock.utc_us() / US_PER_S
    metrics.gauge("beltkeeper_start_time_seconds", "When this run began (Unix time).", lambda: begun_s)
    stack.callback(bell.close)
    bell.open(app.follower.ring)
    socket = MetricsSocket(
        places.line_metrics,
        metrics.registry,
        lambda: line_now(app.core.state, app.devices_up(), app.devices_heard()),
    )
    stack.push_async_callback(socket.close)
    await socket.open()
    return app
