"""The simulated PLC drives the simulated belt of each packaged line; a PC decides by seed."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from drivers.codecs.plc.status import SIZE, decode_status
from edge.model.divert import CommandStatus, ConfirmReason, RingKind
from edge.model.register_map import ModeBit, PlcStatus, StateBit
from edge.model.topology import ScaleKind, Topology
from line_config.load import load_line
from simulators.devices.plc.program import PlcProgram
from simulators.devices.plc.registers import PACKERS, command_crc, pack_abcd
from simulators.plant import Plant
from simulators.seeds import SeededBits
from simulators.world.belt import World
from simulators.world.parcel import ParcelSpec
from simulators.world.people import Crew, Infeed
from simulators.world.truth import Left, Truth
from tests.clauses import clause

CYCLE_US = 100_000


@dataclass
class Parcels:
    """A source of parcels with lengths drawn from the line's range."""

    topology: Topology
    bits: SeededBits
    left: int
    index: int = 0

    def take(self) -> ParcelSpec | None:
        if self.left == 0:
            return None
        self.left -= 1
        self.index += 1
        return ParcelSpec(
            index=self.index - 1,
            length_mm=self.bits.between(self.topology.length_min_mm, self.topology.length_max_mm),
            weight_g=500,
            order_no="",
            waybill="",
            labels=(),
            candidates=(),
        )


@dataclass
class SeededPc:
    """Reads the ring every cycle and commands each number, at its deadline, to a drawn exit."""

    plant: Plant
    topology: Topology
    bits: SeededBits
    beat: int = 0
    seq: int = 0
    read_to: int = 0
    release: int = 0
    origins: dict[int, int] = field(default_factory=dict)
    wanted: dict[int, int] = field(default_factory=dict)
    answers: Counter[CommandStatus] = field(default_factory=Counter)
    reasons: Counter[ConfirmReason] = field(default_factory=Counter)
    kinds: Counter[RingKind] = field(default_factory=Counter)
    induction_us: int = 0

    def cycle(self, now_us: int) -> None:
        status = self.status(now_us)
        for seq in range(self.read_to + 1, status.ring_head + 1):
            self._read(now_us, seq)
        self.read_to = status.ring_head
        self.beat = self.beat % 65_535 + 1
        pack = PACKERS[self.topology.plc.registers.word_order]
        hold = int(self.topology.scale is not None and self.topology.scale.kind is ScaleKind.STATIC)
        words = (
            self.beat,
            ModeBit.PERMIT_INDUCTION.value,
            0,
            hold,
            *pack(self.release),
            *pack((1 << len(self.topology.exits)) - 1),
            *pack(self.read_to),
            0,
            0,
        )
        self.plant.write(now_us, self.topology.plc.registers.pc_status, words)
        self._decide(now_us)

    def status(self, now_us: int) -> PlcStatus:
        self.plant.advance(now_us)
        registers = self.topology.plc.registers
        return decode_status(self.plant.program.read(registers.status, SIZE), registers.word_order)

    def _read(self, now_us: int, seq: int) -> None:
        plc = self.topology.plc
        slot = self.plant.read(now_us, plc.registers.ring + 10 * ((seq - 1) % plc.ring_capacity), 10)
        kind, point, number = RingKind(slot[2] >> 8), slot[2] & 0xFF, slot[4] << 16 | slot[5]
        self.kinds[kind] += 1
        if kind is RingKind.EYE and number:
            eye = self.topology.eyes[point - 1]
            self.origins[number] = (
                slot[6] << 16 | slot[7]
            ) - eye.position_mm * self.topology.ticks_per_m // 1000
            scale = self.topology.scale
            if scale is not None and point == scale.infeed_eye:
                self.release = number - 1
        if kind is RingKind.CONFIRMED:
            self.reasons[ConfirmReason(slot[3])] += 1
            self.origins.pop(number, None)

    def _decide(self, now_us: int) -> None:
        status = self.status(now_us)
        for number, origin in self.origins.items():
            at_mm = (status.ticks - origin) % 2**32 * 1000 // self.topology.ticks_per_m
            if number in self.wanted or at_mm < self.topology.decision_mm:
                continue
            exit_no = self.wanted[number] = self.bits.between(0, len(self.topology.exits))
            if exit_no:
                self._command(now_us, number, exit_no)

    def _command(self, now_us: int, number: int, exit_no: int) -> None:
        self.seq = self.seq % 65_535 + 1
        block = [self.plant.program.epoch, *pack_abcd(number), exit_no, 0, 0, self.seq]
        block[5] = command_crc(block)
        self.plant.write(now_us, self.topology.plc.registers.command, block)
        self.answers[CommandStatus(self.status(now_us).last_status)] += 1


@clause("TRK-9", "DIV-5", "DIV-9", "STOP-6")
@pytest.mark.parametrize("name", ["demo", "small", "fast"])
def test_every_parcel_ends_where_it_was_commanded(name: str) -> None:
    topology = load_line(name).topology
    bits = SeededBits(11, name)
    truths: list[Truth] = []
    world = World(topology, bits.child("world"), truths.append)
    plant = Plant(world, PlcProgram(topology))
    parcels = 60 if name != "small" else 20
    Infeed(world, Parcels(topology, bits.child("parcels"), parcels), bits.child("infeed"))
    Crew(world, bits.child("crew"))
    pc = SeededPc(plant, topology, bits.child("pc"))
    plant.power(True)
    now_us = 0
    gone: list[Left] = []
    while len(gone) < parcels and now_us < 600_000_000:
        now_us += CYCLE_US
        plant.advance(now_us)
        pc.cycle(now_us)
        gone = [truth for truth in truths if isinstance(truth, Left)]
    plant.advance(now_us + 1_000_000)
    pc.cycle(now_us + 1_000_000)
    assert len(gone) == parcels
    assert pc.answers == {CommandStatus.APPLIED: sum(1 for exit_no in pc.wanted.values() if exit_no)}
    assert RingKind.LOST not in pc.kinds and RingKind.UNEXPECTED not in pc.kinds
    assert set(pc.reasons) == {ConfirmReason.COMMANDED, ConfirmReason.STRAIGHT}
    end = len(topology.exits) + 1
    by_number = {left.parcel: left.exit for left in gone}
    assert by_number == {number: exit_no or end for number, exit_no in pc.wanted.items()}
    assert StateBit.LATCHED not in pc.status(now_us + 1_000_000).bits.state
