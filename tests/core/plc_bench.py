"""A bench for the simulated PLC: a straight belt, parcels, a PC that says what the test wants.

One tick is one millimetre and, while the belt runs, one millisecond. The belt starts and stops at
once; a parcel whose leading edge meets an arm that is out leaves the belt there, and its confirm
eye sees it in the middle of its window.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.model.divert import CommandStatus, RingKind
from edge.model.ids import ChuteId, DeviceId, ExitNo, EyeNo, ScaleId, ZoneNo
from edge.model.register_map import ModeBit, RegisterMap, StateBit, WordOrder
from edge.model.topology import (
    Diverter,
    Exit,
    Eye,
    EyeRole,
    PlcLink,
    ReadPolicy,
    Scale,
    ScaleKind,
    Topology,
    WeighPolicy,
)
from edge.model.units import Grams, Mm
from simulators.cables import Actuators, Sensors
from simulators.devices.plc.program import PlcProgram
from simulators.devices.plc.registers import command_crc, pack_abcd, unpack
from simulators.devices.plc.settings import PlcSettings

SPEED_MM_S = 1000
HEARTBEAT_MS = 400
EYES_MM = (0, 700, 2000, 4500, 5500, 7000)
ROLES = (
    EyeRole.INDUCTION,
    EyeRole.READER,
    EyeRole.TRACKING,
    EyeRole.DIVERTER,
    EyeRole.DIVERTER,
    EyeRole.END,
)
DIVERTERS_MM = (4000, 5000)
FIRE_BEFORE_MM = 126
COMMIT_BEFORE_MM = 151
CONFIRM_MM = (200, 800)
"""Exits 1 and 2 are left and right of diverter 1, exits 3 and 4 of diverter 2; 5 is the end."""

STATIC_EYES_MM = (0, 700, 1400, 2200, 4500, 5500, 7000)
STATIC_ROLES = (*ROLES[:2], EyeRole.SCALE_INFEED, EyeRole.SCALE_OUTFEED, *ROLES[3:])


def registers(order: WordOrder = WordOrder.ABCD) -> RegisterMap:
    return RegisterMap(
        identity=0,
        status=16,
        ring=64,
        pc_status=4096,
        command=4112,
        word_order=order,
        max_block=32,
        read_write=True,
    )


def bench_topology(*, static: bool = False, order: WordOrder = WordOrder.ABCD) -> Topology:
    eyes_mm, roles = (STATIC_EYES_MM, STATIC_ROLES) if static else (EYES_MM, ROLES)
    exits: list[Exit] = []
    for index, position in enumerate(DIVERTERS_MM):
        for side in ("left", "right"):
            no = len(exits) + 1
            exits.append(
                Exit(
                    no=ExitNo(no),
                    id=f"x{no}",
                    diverter=f"d{index + 1}",
                    side=side,
                    position_mm=Mm(position),
                    commit_mm=Mm(position - COMMIT_BEFORE_MM),
                    deadline_mm=Mm(position - 400),
                    confirm_from_mm=Mm(position + CONFIRM_MM[0]),
                    confirm_to_mm=Mm(position + CONFIRM_MM[1]),
                )
            )
    return Topology(
        line_id="bench",
        timezone="Asia/Shanghai",
        map_hash=0xA1B2C3D4,
        speed_mm_s=SPEED_MM_S,
        max_speed_mm_s=1050,
        ticks_per_m=1000,
        length_min_mm=Mm(200),
        length_mean_mm=Mm(300),
        length_max_mm=Mm(400),
        gap_min_mm=Mm(600),
        nominal_per_h=3600,
        track_tolerance_mm=Mm(50),
        length_tolerance_mm=Mm(30),
        eyes=tuple(
            Eye(no=EyeNo(i + 1), id=f"e{i + 1}", role=role, position_mm=Mm(mm))
            for i, (mm, role) in enumerate(zip(eyes_mm, roles, strict=True))
        ),
        readers=(),
        scale=_static_scale() if static else None,
        weigh=WeighPolicy(tolerance_g=Grams(50), tolerance_permille=20, max_weight_g=Grams(30_000)),
        read=ReadPolicy(symbologies=(), patterns=(), no_read=()),
        decision_mm=Mm(2500),
        diverters=tuple(
            Diverter(id=f"d{i + 1}", position_mm=Mm(mm), zone_mm=Mm(350), actuator_ms=120, change_ms=120)
            for i, mm in enumerate(DIVERTERS_MM)
        ),
        exits=tuple(exits),
        end_mm=Mm(eyes_mm[-1]),
        chutes=(),
        default_chute=ChuteId("end"),
        reason_chutes=(),
        plc=PlcLink(
            device=DeviceId("plc"),
            host="127.0.0.1",
            port=502,
            unit=1,
            registers=registers(order),
            turnaround_ms=5,
            timeout_ms=100,
            cycle_ms=100,
            heartbeat_ms=HEARTBEAT_MS,
            map_version=3,
            scan_ms=5,
            ring_capacity=256,
        ),
    )


def _static_scale() -> Scale:
    return Scale(
        id=ScaleId("s"),
        device=DeviceId("s"),
        kind=ScaleKind.STATIC,
        infeed_eye=EyeNo(3),
        outfeed_eye=EyeNo(4),
        zone=ZoneNo(1),
        settle_ms=150,
        filter_ms=30,
        rate_hz=50,
        min_samples=6,
        spread_g=Grams(10),
        stable_ms=300,
        hold_timeout_ms=1500,
        min_weight_g=Grams(20),
        capacity_g=Grams(60_000),
        division_g=Grams(5),
        stale_ms=200,
        zero_every_ms=600_000,
        zero_within_ms=30_000,
        zero_g=Grams(10),
        checks=(),
    )


@dataclass(slots=True, eq=False)
class Parcel:
    """``lead``: where its leading edge is, mm. ``exit``: 0 on the belt, else where it left."""

    lead: int
    length: int
    exit: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One ring entry, decoded here by hand."""

    seq: int
    kind: RingKind
    point: int
    arg: int
    number: int
    ticks: int
    ms: int

    @property
    def short(self) -> tuple[RingKind, int, int, int]:
        """kind, point, arg, number: what most tests compare."""
        return self.kind, self.point, self.arg, self.number


REST = Sensors(
    at_us=0,
    encoder_ticks=0,
    eyes=0,
    confirm=0,
    home=0b11,
    lane_full=0,
    end_full=False,
    e_stop=False,
    door=False,
    pull_cord=False,
    reset=False,
    ready=True,
)


@dataclass(slots=True)
class Pc:
    """What the bench's PC writes every 100 ms while ``alive``."""

    alive: bool = True
    beat: int = 0
    mode: ModeBit = ModeBit.PERMIT_INDUCTION
    gates: int = 0
    hold: int = 0
    release: int = 0
    enabled: int = 0b1111
    ack: int | None = None
    """None: everything read so far."""
    indicators: int = 0


@dataclass(slots=True)
class Bench:
    topology: Topology = field(default_factory=bench_topology)
    settings: PlcSettings = field(default_factory=PlcSettings)
    now_us: int = 0
    ticks: int = 0
    """Of the encoder."""
    encoder_slips: bool = False
    """The encoder stands although the belt runs."""
    ghost_ticks: bool = False
    """The encoder counts although the belt stands."""
    inputs: Sensors = REST
    """Levels that are no parcel's; ``home`` bits cleared here stay cleared."""
    obstacles: int = 0
    """Eyes blocked by something that does not move."""
    parcels: list[Parcel] = field(default_factory=list)
    pc: Pc = field(default_factory=Pc)
    seq: int = 0
    program: PlcProgram = field(init=False)
    out: Actuators = field(init=False)
    wake: int | None = None
    read_to: int = 0

    def __post_init__(self) -> None:
        self.program = PlcProgram(self.topology, self.settings)
        self.out = self.program.off()
        self.step()

    def sensors(self) -> Sensors:
        eyes, confirm = self.obstacles, 0
        for parcel in self.parcels:
            if parcel.exit:
                exit_ = self.topology.exits[parcel.exit - 1]
                middle = (exit_.confirm_from_mm + exit_.confirm_to_mm) // 2
                if parcel.lead >= middle > parcel.lead - parcel.length:
                    confirm |= 1 << parcel.exit - 1
                continue
            for index, eye in enumerate(self.topology.eyes):
                if parcel.lead >= eye.position_mm > parcel.lead - parcel.length:
                    eyes |= 1 << index
        home = self.inputs.home
        for index, side in enumerate(self.out.diverters):
            if side:
                home &= ~(1 << index)
        return self.inputs._replace(
            at_us=self.now_us,
            encoder_ticks=self.ticks,
            eyes=eyes,
            confirm=self.inputs.confirm | confirm,
            home=home,
        )

    def step(self) -> None:
        """The program once, with what the sensors say now."""
        for _ in range(3):
            self.out, self.wake = self.program.update(self.sensors())

    def run(self, ms: int) -> None:
        """Time passes; the program is called when something changes or is due, the PC every 100 ms."""
        end_us = self.now_us + ms * 1000
        while self.now_us < end_us:
            quiet = min((end_us - self.now_us) // 1000, self._quiet_ms())
            self.now_us += quiet * 1000
            self._move(quiet)
            if self.pc.alive and self.now_us % 100_000 == 0:
                self.beat()
            self.out, self.wake = self.program.update(self.sensors())

    def _quiet_ms(self) -> int:
        """Milliseconds until an edge, a wake or a beat; at least one."""
        until = 100 - self.now_us // 1000 % 100
        if self.wake is not None:
            until = min(until, -(-(self.wake - self.now_us) // 1000))
        for parcel in self.parcels:
            for mark in self._marks(parcel):
                if mark > parcel.lead:
                    until = min(until, mark - parcel.lead)
        return max(until, 1)

    def _marks(self, parcel: Parcel) -> tuple[int, ...]:
        """Positions of the leading edge at which some level changes."""
        if parcel.exit:
            exit_ = self.topology.exits[parcel.exit - 1]
            edges: tuple[int, ...] = ((exit_.confirm_from_mm + exit_.confirm_to_mm) // 2,)
        else:
            edges = tuple(eye.position_mm for eye in self.topology.eyes)
        tails = tuple(edge + parcel.length for edge in edges)
        return (*edges, *tails, *DIVERTERS_MM)

    def _move(self, ms: int) -> None:
        if (self.out.belt and not self.encoder_slips) or (self.ghost_ticks and not self.out.belt):
            self.ticks += ms
        if not self.out.belt:
            return
        for parcel in self.parcels:
            if self.out.zones_hold and 1400 <= parcel.lead <= 2200 and not parcel.exit:
                continue
            parcel.lead += ms
            if not parcel.exit and parcel.lead in DIVERTERS_MM:
                arm = DIVERTERS_MM.index(parcel.lead)
                side = self.out.diverters[arm]
                if side:
                    parcel.exit = 2 * arm + side

    def beat(self) -> None:
        """The PC writes its status block once."""
        pc = self.pc
        pc.beat = pc.beat % 65_535 + 1
        ack = self.status("ring_head") if pc.ack is None else pc.ack
        self.write(
            4096,
            pc.beat, int(pc.mode), pc.gates, pc.hold,
            *pack_abcd(pc.release), *pack_abcd(pc.enabled), *pack_abcd(ack),
            pc.indicators, 0,
        )  # fmt: skip

    def write(self, address: int, *values: int) -> None:
        self.program.write(address, values)
        self.step()

    def ready(self) -> "Bench":
        """Started, reset, purged, with a live PC; the ring read."""
        self.run(300)
        self.press_reset()
        self.run(self.topology.end_mm + 1300)
        assert StateBit.INDUCTION in self.state
        self.entries()
        return self

    def press_reset(self) -> None:
        self.inputs = self.inputs._replace(reset=True)
        self.step()
        self.inputs = self.inputs._replace(reset=False)
        self.step()

    def sense(self, **levels: object) -> None:
        """Change inputs that are no parcel's."""
        self.inputs = self.inputs._replace(**levels)  # type: ignore[arg-type]
        self.step()

    def put(self, length: int = 300, lead: int = 0) -> Parcel:
        """A parcel whose leading edge is at ``lead`` now."""
        parcel = Parcel(lead, length)
        self.parcels.append(parcel)
        self.step()
        return parcel

    def run_to(self, parcel: Parcel, lead: int) -> None:
        """Until its leading edge is there, if the belt only runs."""
        self.run(lead - parcel.lead)
        assert parcel.lead == lead

    def command(
        self,
        number: int,
        exit_no: int,
        *,
        revoke: bool = False,
        seq: int | None = None,
        epoch: int | None = None,
    ) -> CommandStatus:
        """Write one whole, fitting block; the status read back."""
        self.seq = self.seq % 65_535 + 1 if seq is None else seq
        block = [
            self.program.epoch if epoch is None else epoch,
            *pack_abcd(number),
            exit_no,
            int(revoke),
            0,
            self.seq,
        ]
        block[5] = command_crc(block)
        self.write(4112, *block)
        return self.answer()

    def revoke(self, number: int) -> CommandStatus:
        return self.command(number, len(self.topology.exits) + 1, revoke=True)

    def status(self, name: str) -> int:
        """One field of the status block."""
        offsets = {
            "epoch": 0, "heartbeat": 1, "heartbeat_echo": 2, "plc_ms": 3, "ticks": 5, "state": 7,
            "exits_full": 8, "diverters_home": 10, "zones_held": 12, "zones_untrusted": 13,
            "eyes_occupied": 14, "gates": 16, "last_seq": 17, "last_status": 18, "last_crc": 19,
            "ring_head": 20,
        }  # fmt: skip
        words = self.program.read(16, 22)
        at = offsets[name]
        if name in ("plc_ms", "ticks", "exits_full", "diverters_home", "eyes_occupied", "ring_head"):
            return unpack(words[at], words[at + 1], WordOrder.ABCD)
        return words[at]

    @property
    def state(self) -> StateBit:
        return StateBit(self.status("state"))

    def answer(self) -> CommandStatus:
        return CommandStatus(self.status("last_status"))

    def entries(self) -> list[Entry]:
        """Ring entries not yet read by the test."""
        head = self.status("ring_head")
        found = []
        for seq in range(self.read_to + 1, head + 1):
            at = 64 + 10 * ((seq - 1) % self.topology.plc.ring_capacity)
            w = self.program.read(at, 10)
            found.append(
                Entry(
                    w[0] << 16 | w[1], RingKind(w[2] >> 8), w[2] & 0xFF, w[3],
                    w[4] << 16 | w[5], w[6] << 16 | w[7], w[8] << 16 | w[9],
                )
            )  # fmt: skip
        self.read_to = head
        return found

    def shorts(self) -> list[tuple[RingKind, int, int, int]]:
        return [entry.short for entry in self.entries()]


class PlcRegisters:
    """The registers of a program on a bench, without a belt: ``step`` brings it up to now."""

    def __init__(self, program: PlcProgram, step: Callable[[], None]) -> None:
        self._program = program
        self._step = step

    def read(self, address: int, count: int) -> tuple[int, ...]:
        self._step()
        return self._program.read(address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        self._step()
        self._program.write(address, values)
        self._step()
