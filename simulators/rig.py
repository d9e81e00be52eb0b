"""The whole line in virtual time: the daemon itself, the hall, the ERP, and the checker beside them.

The only place in the simulators that knows the line process and the intake.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import assert_never

from api.intake import (
    Actor,
    Intake,
    Message,
    OrderPut,
    Refused,
    Taken,
    message_about,
    open_intake,
)
from api.intake import Outcome as Stored
from edge.app import InboxFailed, LinkFailed, VirtualLine, modbus_port, without_clock_steps
from edge.model.codes import Code
from edge.model.ids import JournalSeq, MessageId, OrderNo, ReaderId
from edge.model.line import OperatorAction
from edge.model.order import Goods, Order
from edge.model.route import SortPlan
from edge.model.units import UtcUs
from line_config.description import BenchPort, LineDescription, ScannerPort
from line_config.device_files import CameraFile
from line_config.model import (
    CameraSettings,
    HidSettings,
    SerialSettings,
    TcpClientSettings,
    TcpServerSettings,
)
from line_config.proof import largest_turnaround_ms
from line_config.slower import with_slower_plc
from simulators.collector import seldom_collected
from simulators.devices.camera_answers import CameraAnswers
from simulators.devices.plc.modbus_server import ModbusPlcServer
from simulators.devices.register_bus import RegisterBus
from simulators.devices.scale import ScaleIndicator
from simulators.devices.scale_platform import setup_of
from simulators.devices.scanner import Scanner, reader_setup
from simulators.fault_plan import BLOCK, FaultPlan
from simulators.faults import FaultLevel, LineFaultKind
from simulators.hall import Hall, HallSetup, order_source
from simulators.line_host import Bus, LineHost, WatchedBus
from simulators.loop import VirtualClock, VirtualLoop
from simulators.network import Network
from simulators.order_desk import OrderDesk
from simulators.pipes import Cable
from simulators.plans import plan_of
from simulators.seeds import SeededBits
from simulators.troubles import Troubles
from simulators.world.checker import Checker, Report
from simulators.world.parcel import Body
from simulators.world.truth import Truth

US_PER_MS = 1_000
US_PER_S = 1_000_000
UTC_US = 1_767_225_600 * US_PER_S
"""A run begins at 2026-01-01T00:00:00Z."""
COMMIT_US = (300, 20_000)
SLOW_COMMIT_PERMILLE = 20
LOOK_UP_US = (200, 3_000)
LOOK_EVERY_US = 20 * US_PER_S
SETTLE_US = 30 * US_PER_S
"""After the last parcel has left everything must have healed and ended within this time, and the line be
ready for the next one (reliability: liveness)."""
GOODS_AT_ONCE = 500
PROVE_ALL_FROM = 1_000
"""A run of so many parcels with faults comes to evaluate every invariant, or its faults are too tame."""
BY_CHANCE = frozenset({"access"})
"""Only what people do in a harsh run brings it about."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
PATIENCE_US = 300 * US_PER_S
"""Virtual time that each block of faults may cost beyond twice the parcels' pitch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One simulation. ``bus``: ``registers`` or ``modbus``. ``shuffle_seed``: see ``VirtualLoop``.

    ``crash_at`` names moments at which the line process is killed, counted over all of them (commits
    before and after, commands before and after their bytes, before the read-back). ``turnaround_ms``
    None: as quick as the simulated PLC is, or in a harsh run as slow as its seed draws it, and then
    ``line`` is described for that PLC. ``plan``: faults in place of those drawn by seed.
    """

    line: LineDescription
    parcels: int
    seed: int
    orders: Path | None = None
    faults: FaultLevel = FaultLevel.NONE
    bus: str = "registers"
    shuffle_seed: int | None = None
    crash_at: tuple[int, ...] = ()
    turnaround_ms: int | None = None
    plan: FaultPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    report: Report
    virtual_s: float
    wall_s: float
    moments: int
    """Moments at which a crash could have been asked for."""
    crashes: int
    notes: tuple[str, ...]
    unproved: tuple[str, ...] = ()
    """Invariants that a long run with faults never came to evaluate."""

    @property
    def good(self) -> bool:
        return not self.report.violated and not self.unproved

    def as_json(self) -> dict[str, object]:
        found = self.report.as_json()
        found["virtual_s"] = self.virtual_s
        found["wall_s"] = self.wall_s
        return found


ERP = Actor(id="simulated-erp", role="erp")


class InlineErp:
    """The intake as the ERP's side of the rig: in this process, without HTTP."""

    def __init__(self, intake: Intake, utc_us: Callable[[], UtcUs], rung: Callable[[], None]) -> None:
        self._intake = intake
        self._utc_us = utc_us
        self._rung = rung

    def _message(self, message_id: MessageId, *asked: object) -> Message:
        return message_about(message_id, self._utc_us(), *asked, by=ERP)

    def put_goods(self, message_id: MessageId, goods: Sequence[Goods]) -> None:
        for first in range(0, len(goods), GOODS_AT_ONCE):
            some = goods[first : first + GOODS_AT_ONCE]
            one = MessageId(f"{message_id}/{first}")
            self._took(self._intake.put_goods(self._message(one, *some), some))

    def put_orders(self, orders: Sequence[tuple[MessageId, Order]]) -> None:
        puts = [OrderPut(message=self._message(one, order), order=order) for one, order in orders]
        for answer in self._intake.put_orders(puts):
            self._took(answer)

    def hold(self, message_id: MessageId, order_no: OrderNo) -> None:
        self._took(self._intake.hold(self._message(message_id, "hold", order_no), order_no))

    def cancel(self, message_id: MessageId, order_no: OrderNo) -> None:
        self._took(self._intake.cancel(self._message(message_id, "cancel", order_no), order_no))

    def operate(self, message_id: MessageId, action: OperatorAction, subject: str) -> None:
        message = self._message(message_id, "operate", action.value, subject)
        self._took(self._intake.operate(message, action, subject, "simulation"))

    def use_plan(self, plan: SortPlan) -> None:
        """Put and activate."""
        self._took(self._intake.put_plan(self._message(MessageId("plan/put"), plan), plan))
        message = self._message(MessageId("plan/activate"), "activate", plan.id, plan.version)
        self._took(self._intake.activate_plan(message, plan.id, plan.version))

    def _took(self, answer: Taken | Refused) -> None:
        if isinstance(answer, Refused) or answer.outcome not in (Stored.STORED, Stored.UNCHANGED):
            raise RuntimeError(f"the intake refused what the simulated ERP sent: {answer}")
        self._rung()


class Rig:
    """One run on one virtual loop."""

    def __init__(self, run: Run, loop: VirtualLoop, data: Path) -> None:
        self._run = run
        self._loop = loop
        self._data = data
        self._line = run.line
        topology = run.line.topology
        self.clock = VirtualClock(loop, utc_at_zero_us=UTC_US)
        self._bits = SeededBits(run.seed, "rig")
        self.troubles = Troubles(loop.now_us, InboxFailed)
        journal = data / "journal" / "journal.db"
        self.shadow = without_clock_steps(topology)
        self._process: VirtualLine | None = None
        self.checker = Checker(topology, journal, run.seed, full_on_ms=run.line.full_on_ms)
        setup = HallSetup(
            line=run.line,
            seed=run.seed,
            parcels=run.parcels,
            orders=order_source(run.orders, run.seed),
            faults=run.faults,
            turnaround_ms=run.turnaround_ms,
            plan=run.plan,
        )
        self.hall = Hall(setup, loop, self._truth, self)
        self.notes = setup.orders.report
        self._intake = open_intake(data / "inbox" / "inbox.db", topology.chutes)
        self._erp = InlineErp(self._intake, self.clock.utc_us, self._ring)
        self._desk = OrderDesk(
            self.hall.erp, topology, self._erp, self._later, parcels=run.parcels, operate=self._erp.operate
        )
        self.hall.world.on_place.append(self._placed)
        self.host = LineHost(loop, self._make_line, run.crash_at)
        self._lives = 0
        self._operations = 0
        self._scanners: dict[str, Scanner] = {}
        self._cameras: dict[str, CameraAnswers] = {}
        self._reader_cables: dict[ReaderId, Cable] = {}
        self._callers: list[asyncio.Task[None]] = []
        self._scale: ScaleIndicator | None = None
        self._server: ModbusPlcServer | None = None
        self._cable: Cable | None = None

    # --- what the hall tells ------------------------------------------------------------------------

    def _truth(self, fact: Truth) -> None:
        self.checker.fact(fact)

    def _placed(self, body: Body) -> None:
        self._loop.call_soon(self._desk.placed, body.item.spec.index)

    def _later(self, us: int, call: Callable[[], None]) -> object:
        return self._loop.call_later(us / US_PER_S, call)

    def _ring(self) -> None:
        self.host.ring()

    # --- what the faults reach into (``LineSide``) ----------------------------------------------------

    def can(self, kind: LineFaultKind) -> bool:
        return True

    def clock_step(self, seconds: int) -> None:
        self.clock.step_wall(seconds * US_PER_S)

    def crash_line(self, down_ms: int) -> None:
        self._loop.call_soon(self.host.kill, down_ms * 1000)

    def operate(self, action: OperatorAction, subject: str) -> None:
        self._operations += 1
        message_id = MessageId(f"operator/{self._operations}")
        self._loop.call_soon(self._erp.operate, message_id, action, subject)

    def trouble(self, kind: LineFaultKind, duration_ms: int) -> None:
        self.troubles.begin(kind, self._loop.now_us() + duration_ms * 1000)

    # --- the run ------------------------------------------------------------------------------------

    async def play(self, progress: Callable[[int], None]) -> None:
        """Until every parcel has left and everything has settled."""
        hall = self.hall
        self._desk.open()
        self._erp.use_plan(plan_of(self._line.topology))
        await self._open_devices()
        hall.start()
        self.host.start()
        limit_us = self._limit_us()
        looked = placed = 0
        while not hall.empty:
            await asyncio.sleep(1)
            if self._loop.now_us() > limit_us:
                raise RuntimeError(f"{hall.world.placed} parcels placed after {limit_us // US_PER_S} s")
            if self._loop.now_us() - looked > LOOK_EVERY_US:
                looked = self._loop.now_us()
                self._look()
            self._still_runs()
            progress(hall.world.placed - placed)
            placed = hall.world.placed
        until_us = self._loop.now_us() + SETTLE_US
        while not self.host.settled:
            await asyncio.sleep(1)
            self._still_runs()
            if self._loop.now_us() > until_us:
                raise RuntimeError(f"not ready again {SETTLE_US // US_PER_S} s after the last parcel left")
        await self.host.stop()
        await self._close_devices()
        hall.stop()

    def _still_runs(self) -> None:
        if self.host.failed is not None:
            raise RuntimeError("the line process ended by itself") from self.host.failed

    def _look(self) -> None:
        """Judge what has ended by now."""
        if self._process is not None:
            self._process.flush()
        self.shadow.catch_up()
        self.checker.advance()

    def _limit_us(self) -> int:
        run, topology = self._run, self._line.topology
        nominal = run.parcels * 3600 * US_PER_S // topology.nominal_per_h
        blocks = 1 + run.parcels // BLOCK
        return nominal * 2 + PATIENCE_US * blocks

    # --- the line process ---------------------------------------------------------------------------

    def _make_line(self, host: LineHost) -> tuple[VirtualLine, WatchedBus]:
        """One process on the files that stand."""
        self._lives += 1
        bits = self._bits.child(f"life/{self._lives}")
        bus = WatchedBus(
            self._make_bus(), self._line.topology.plc.registers.command, host.moments, LinkFailed
        )
        line = VirtualLine(
            self._line,
            self._data,
            bus=bus,
            scale=None if self._cable is None else self._cable.open,
            serial={reader: one.open for reader, one in self._reader_cables.items()},
            settled=self._loop.call_settled,
            clock=self.clock,
            commit_us=lambda: self.troubles.commit_us(_commit_us(bits)),
            answer_us=lambda: self.troubles.answer_us(bits.between(*LOOK_UP_US)),
            before_commit=lambda _seq: host.moments.next(),
            after_commit=partial(self._committed, host),
            shadow=self.shadow,
            disk=self.troubles,
        )
        self._process = line
        return line, bus

    def _committed(self, host: LineHost, seq: JournalSeq) -> None:
        self.checker.commits.ended(seq, self._loop.now_us())
        host.moments.next()

    def _make_bus(self) -> Bus:
        plc = self._line.topology.plc
        if self._run.bus == "modbus":
            return modbus_port(plc)
        return RegisterBus(
            self.hall.registers, failed=LinkFailed, timeout_us=plc.timeout_ms * 1000, faults=self.hall.bus
        )

    async def _open_devices(self) -> None:
        """Everything at the other ends of the cables, before the line looks for it."""
        line, topology = self._line, self._line.topology
        plc = topology.plc
        if self._run.bus == "modbus":
            self._server = ModbusPlcServer(
                self.hall.registers,
                host=plc.host,
                port=plc.port,
                unit=plc.unit,
                read_write=plc.registers.read_write,
                faults=self.hall.bus,
            )
            await self._server.start()
        measured = {reader.id: reader for reader in topology.readers}
        ports: list[ScannerPort | BenchPort] = [*line.scanners, *line.bench_ports]
        for port in ports:
            if isinstance(port.file, CameraFile):
                self._plug_camera(port.reader, port.file)
                continue
            bits = self._bits.child(f"scanner/{port.reader}")
            setup = reader_setup(port.file, measured.get(port.reader))
            scanner = Scanner(self._loop, setup, bits, port.file.protocol)
            await self._join(scanner, port)
            self._scanners[port.reader] = scanner
        self.hall.world.on_label.append(self._labelled)
        if self.hall.benches is not None:
            self.hall.benches.on_scan.append(self._labelled)
        if topology.scale is not None and line.scale_port is not None:
            file = line.scale_port.file
            self._cable = Cable(self._loop, self._bits.child("scale/cable"), failed=LinkFailed)
            self._scale = ScaleIndicator(
                self._loop,
                setup_of(topology.scale, frame_rate_hz=file.frame_rate_hz, protocol=file.protocol),
                self._bits.child("scale"),
                self._cable.send,
            )
            self._cable.on_heard(self._scale.hear)
            self.hall.world.platform.listeners.append(self._scale.load)
            self.hall.line_faults.on_scale.append(self._scale.suffer)
            self._scale.start()

    def _plug_camera(self, reader: ReaderId, file: CameraFile) -> None:
        """Cameras of virtual time are timed reads without pixels."""
        bits = self._bits.child(f"camera/{reader}")
        wires = Cable(self._loop, bits.child("cable"), failed=LinkFailed)
        stamp_us = (file.stamp_min_ms * US_PER_MS, file.stamp_max_ms * US_PER_MS)
        self._cameras[reader] = camera = CameraAnswers(self._loop, bits, wires.send, stamp_us=stamp_us)
        self._reader_cables[reader] = wires
        camera.start(wires.on_heard)

    async def _join(self, scanner: Scanner, port: ScannerPort | BenchPort) -> None:
        """The reader's cable, the way round that the line expects it."""
        connection = port.connection
        match connection:
            case TcpClientSettings():
                await scanner.listen(connection.host, connection.port)
            case TcpServerSettings():
                self._callers.append(self._loop.create_task(scanner.call(connection.host, connection.port)))
            case SerialSettings() | HidSettings():
                # The latency that the reader draws is its last byte's: its cable adds nothing.
                wires = Cable(self._loop, self._bits.child(f"scanner/{port.reader}/cable"), failed=LinkFailed)
                scanner.plug(wires.send)
                self._reader_cables[port.reader] = wires
            case CameraSettings():
                raise RuntimeError(f"{port.reader}: a camera behind a scanner's file")
            case _:
                assert_never(connection)

    def _labelled(self, at_us: int, reader: str, codes: tuple[Code, ...]) -> None:
        eye = self._scanners.get(reader) or self._cameras[reader]
        eye.saw(at_us, codes)

    async def _close_devices(self) -> None:
        if self._scale is not None:
            self._scale.stop()
        for camera in self._cameras.values():
            camera.stop()
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        for scanner in self._scanners.values():
            await scanner.close()
        if self._server is not None:
            await self._server.stop()
        self._intake.close()


def _commit_us(bits: SeededBits) -> int:
    """Mostly quick, now and then as slow as a disk that is busy."""
    low, high = COMMIT_US
    return bits.between(low, high) if bits.chance(SLOW_COMMIT_PERMILLE) else bits.between(low, low * 10)


def simulate(run: Run, progress: Callable[[int], None] = lambda _placed: None) -> Outcome:
    """Play a run to its end and prove what it kept. Raises what a broken line or simulation raises."""
    began = time.monotonic()
    run = _with_drawn_plc(run)
    loop = VirtualLoop(network=Network(run.seed), shuffle_seed=run.shuffle_seed)
    with (
        seldom_collected(),
        tempfile.TemporaryDirectory(prefix="beltkeeper-simulate-", dir=_memory()) as folder,
    ):
        data = Path(folder)
        rig: list[Rig] = []

        async def main() -> None:
            rig.append(Rig(run, loop, data))
            await rig[0].play(progress)

        started_us = loop.now_us()
        loop.run(main())
        found = rig[0]
        _prove_clock_free(found)
        report = found.checker.finish()
        virtual_us = loop.now_us() - started_us
        wall_s = time.monotonic() - began
    return Outcome(
        report=report,
        virtual_s=virtual_us / US_PER_S,
        wall_s=round(wall_s, 3),
        moments=found.host.moments.passed,
        crashes=found.host.crashes,
        notes=tuple(found.notes),
        unproved=_unproved(run, report),
    )


def _unproved(run: Run, report: Report) -> tuple[str, ...]:
    if run.parcels < PROVE_ALL_FROM or run.faults is FaultLevel.NONE:
        return ()
    return tuple(name for name, n in report.checked.items() if n == 0 and name not in BY_CHANCE)


def _with_drawn_plc(run: Run) -> Run:
    """A harsh run has a PLC of 20–200 ms, as slow as lint proves that the line bears it."""
    if run.turnaround_ms is not None:
        return run
    plan = FaultPlan(run.line.topology, run.faults, run.seed)
    drawn = plan.turnaround_ms(largest_turnaround_ms(run.line))
    if drawn is None:
        return run
    line = with_slower_plc(run.line, max(drawn, run.line.plc.turnaround_ms))
    return replace(run, line=line, turnaround_ms=drawn)


def _prove_clock_free(rig: Rig) -> None:
    rig.shadow.finish()
    compared, differing = rig.shadow.compared, rig.shadow.differing
    findings = rig.checker.findings
    for place in range(compared):
        what = differing[place] if place < len(differing) else ""
        findings.hold("clock_free", not what, what, at_us=0)


def _memory() -> str | None:
    """A folder in memory where there is one: a simulated journal need not survive anything."""
    return str(MEMORY) if MEMORY.is_dir() else None
