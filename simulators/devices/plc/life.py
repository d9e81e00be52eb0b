"""One life of the PLC, from a start to the next: the parts of the program, joined."""

from collections.abc import Sequence
from functools import partial

from edge.model.divert import AbortCause
from edge.model.ids import BootEpoch
from edge.model.register_map import ModeBit, PlcIdentity, StateBit
from edge.model.topology import Topology
from simulators.cables import Actuators, Sensors
from simulators.devices.plc.agenda import Agenda
from simulators.devices.plc.bank import Area, RegisterBank
from simulators.devices.plc.belt import Belt
from simulators.devices.plc.commands import Commands
from simulators.devices.plc.confirm import Confirming
from simulators.devices.plc.diverting import Diverting
from simulators.devices.plc.encoder import EncoderWatch
from simulators.devices.plc.gates import Gates
from simulators.devices.plc.geometry import Geometry
from simulators.devices.plc.lanes import Lanes
from simulators.devices.plc.moment import Moment
from simulators.devices.plc.outcomes import Outcomes
from simulators.devices.plc.pc import PcWatch
from simulators.devices.plc.registers import (
    COMMAND_WORDS,
    IDENTITY_WORDS,
    PACKERS,
    PC_STATUS_WORDS,
    SLOT_WORDS,
    STATUS_WORDS,
    encode_identity,
    encode_status,
)
from simulators.devices.plc.ring import EventRing
from simulators.devices.plc.settings import PlcSettings
from simulators.devices.plc.stops import Latch, LineStates
from simulators.devices.plc.tracking import Tracking
from simulators.devices.plc.zones import HeldZone

CONTRACT = 1
HEARTBEAT_MAX = 65_535
RUN, E_STOP, DOOR, PULL_CORD, ENCODER_FAULT, FULL_END, LATCHED, INDUCTION, PURGING, JAM = (
    bit.value for bit in StateBit
)
REQUEST_STOP, REQUEST_PURGE = int(ModeBit.REQUEST_STOP), int(ModeBit.REQUEST_PURGE)
"""As plain ints: both status blocks are read every cycle."""
SOONEST_US = 500
"""A belt that moves slower than it should would else be asked for ever shorter waits; at 2 m/s 1 mm."""


class PlcLife:
    """Starts with the belt off and latched, whatever the sensors say."""

    _actuators: Actuators

    def __init__(
        self, *, topology: Topology, settings: PlcSettings, geometry: Geometry, epoch: int, sensors: Sensors
    ) -> None:
        self._topology = topology
        self._sensors = sensors
        self._levels = sensors.levels
        self._pack = PACKERS[topology.plc.registers.word_order]
        self._scan_ms = topology.plc.scan_ms
        self._coast_us = settings.ramp_ms * 1000
        self.epoch = epoch
        self.now = now = Moment(
            us=sensors.at_us,
            encoder_ticks=sensors.encoder_ticks,
            first_ticks=settings.ticks,
            first_ms=settings.ms,
        )
        self._by_ticks = by_ticks = Agenda()
        self._by_us = by_us = Agenda()
        self._geometry = geometry
        self._dirty_pc = False
        self._dirty_command = False
        self.belt = Belt(now, geometry)
        self.ring = EventRing(
            now, capacity=topology.plc.ring_capacity, pack=self._pack, on_overflow=self._overflowed
        )
        self.outcomes = Outcomes(settings.outcomes)
        self.gates = Gates(ring=self.ring, eyes=sensors.gate_eyes)
        self.pc = PcWatch(
            now=now,
            by_us=by_us,
            order=topology.plc.registers.word_order,
            limit_us=topology.plc.heartbeat_ms * 1000,
            on_stale=self._went_stale,
        )
        self.lanes = Lanes(
            now=now,
            by_us=by_us,
            exits=len(topology.exits),
            settings=settings,
            on_end_full=partial(self._latch, Latch.FULL_END),
        )
        self.diverting = Diverting(
            now=now,
            by_ticks=by_ticks,
            by_us=by_us,
            belt=self.belt,
            ring=self.ring,
            outcomes=self.outcomes,
            pc=self.pc,
            lanes=self.lanes,
            home_margin_us=settings.home_margin_ms * 1000,
            on_not_home=partial(self._latch, Latch.NOT_HOME),
        )
        self._build_line(settings, by_ticks, by_us)
        self.bank = RegisterBank(self._areas(), topology.plc.registers.max_block)
        self._driven: tuple[bool, bool, tuple[int, ...], int, int, int] | None = None
        self._drive()

    def _build_line(self, settings: PlcSettings, by_ticks: Agenda, by_us: Agenda) -> None:
        now = self.now
        self.tracking = Tracking(
            now=now,
            by_ticks=by_ticks,
            belt=self.belt,
            ring=self.ring,
            diverting=self.diverting,
            distrusted=self._distrusted,
            on_jam=partial(self._latch, Latch.JAM),
        )
        self.confirming = Confirming(
            now=now, belt=self.belt, ring=self.ring, tracking=self.tracking, diverting=self.diverting
        )
        self.zone: HeldZone | None = None
        if self._geometry.zone is not None:
            self.zone = HeldZone(
                now=now,
                by_ticks=by_ticks,
                by_us=by_us,
                belt=self.belt,
                diverting=self.diverting,
                pc=self.pc,
                plan=self._geometry.zone,
            )
            self.tracking.on_entered = self.zone.entered
            self.tracking.on_left = self.zone.left
        self.encoder = EncoderWatch(
            now=now,
            by_us=by_us,
            geometry=self._geometry,
            window_us=settings.encoder_ms * 1000,
            ramp_us=settings.ramp_ms * 1000,
            on_fault=self._encoder_failed,
        )
        self.line = LineStates(
            now=now,
            by_ticks=by_ticks,
            by_us=by_us,
            belt=self.belt,
            diverting=self.diverting,
            tracking=self.tracking,
            lanes=self.lanes,
            settings=settings,
            on_belt=self.encoder.switched,
        )
        self.commands = Commands(
            now=now,
            by_us=by_us,
            epoch=self.epoch,
            belt=self.belt,
            diverting=self.diverting,
            outcomes=self.outcomes,
            pc=self.pc,
            lanes=self.lanes,
            misfit_us=settings.crc_scans * self._scan_ms * 1000,
        )
        sensors = self._sensors
        for index, passage in enumerate(self.tracking.passages):
            passage.blocked = bool(sensors.eyes >> index & 1)
            passage.at_ticks, passage.at_ms = now.ticks, now.ms
        self.diverting.home_seen(sensors.home)
        self.lanes.sense(sensors.lane_full, sensors.end_full)
        self._sense_line(sensors)

    def update(self, sensors: Sensors) -> tuple[Actuators, int | None]:
        """Everything due by now, then what the PC wrote, then the edges."""
        now, by_ticks, by_us = self.now, self._by_ticks, self._by_us
        now.set(sensors.at_us, sensors.encoder_ticks)
        if by_us.first <= now.us or by_ticks.first <= now.ticks:
            self._run_due()
        if self._dirty_pc:
            self._take_pc_status()
        if self._dirty_command:
            self._dirty_command = False
            self.commands.written()
        before, self._sensors = self._sensors, sensors
        levels = sensors.levels
        if levels != self._levels:
            self._levels = levels
            self._sense(sensors, before)
        self.line.settle()
        if (by_us.first <= now.us or by_ticks.first <= now.ticks) and self._run_due():
            self.line.settle()
        return self._drive(), self.wake_us()

    def _sense(self, sensors: Sensors, before: Sensors) -> None:
        """What changed since the last update; each part knows what it was shown last."""
        if sensors.home != before.home:
            self.diverting.home_seen(sensors.home)
        if sensors.lane_full != before.lane_full or sensors.end_full != before.end_full:
            self.lanes.sense(sensors.lane_full, sensors.end_full)
        if sensors.eyes != before.eyes:
            self._sense_eyes(sensors.eyes, before.eyes)
        if sensors.confirm & ~before.confirm:
            self._sense_confirm(sensors.confirm & ~before.confirm)
        if sensors.gate_eyes != before.gate_eyes:
            self.gates.sense(sensors.gate_eyes)
        # After the eyes: who is at the induction eye in this instant is marked as well.
        self._sense_line(sensors)

    def tick(self, at_us: int, encoder_ticks: int) -> bool:
        """Only time and the belt moved: so do the clocks. False: something is due by the belt."""
        self.now.set(at_us, encoder_ticks)
        due = self._by_ticks.next_due()
        return due is None or due > self.now.ticks

    def wake_us(self) -> int | None:
        """When something is due next; ticks are turned to time at the belt's nominal speed."""
        wake = self._by_us.next_due()
        due = self._by_ticks.next_due()
        if due is None:
            return wake
        if self.line.belt:
            ahead = max(SOONEST_US, self._geometry.us_for(due - self.now.ticks))
        elif self.now.us < self.line.switched_us + self._coast_us:
            ahead = self._scan_ms * 1000
        else:
            return wake
        ahead += self.now.us
        return ahead if wake is None or ahead < wake else wake

    def _run_due(self) -> bool:
        """Run what is due; True if anything was."""
        by_ticks, by_us, now = self._by_ticks, self._by_us, self.now
        ran = False
        while (by_ticks.first <= now.ticks and by_ticks.run(now.ticks)) or (
            by_us.first <= now.us and by_us.run(now.us)
        ):
            ran = True
        return ran

    def _sense_line(self, sensors: Sensors) -> None:
        self.line.sense(
            safety=sensors.e_stop or sensors.door or sensors.pull_cord,
            ready=sensors.ready,
            reset=sensors.reset,
        )

    def _sense_eyes(self, eyes: int, before: int) -> None:
        changed = eyes ^ before
        while changed:
            # From the end of the belt: a parcel in front is gone before the next is seen.
            index = changed.bit_length() - 1
            changed ^= 1 << index
            self.tracking.edge(index, bool(eyes >> index & 1))

    def _sense_confirm(self, risen: int) -> None:
        for index in range(len(self._geometry.exits)):
            if risen >> index & 1:
                self.confirming.blocked(index)

    def _take_pc_status(self) -> None:
        self._dirty_pc = False
        self.pc.written()
        status = self.pc.status
        self.ring.acknowledge(status.ring_ack)
        self.gates.written(status.gates)
        mode = int(status.mode)
        self.line.wanted(stop=bool(mode & REQUEST_STOP), purge=bool(mode & REQUEST_PURGE))
        if self.zone is not None:
            self.zone.written()

    def _distrusted(self, origin: int) -> bool:
        return self.ring.overflowed or self.line.distrusts(self.now.ticks - origin)

    def _went_stale(self) -> None:
        self.diverting.drop_all(AbortCause.STALE_HEARTBEAT)

    def _overflowed(self) -> None:
        self.line.untrust_all()

    def _latch(self, cause: int) -> None:
        self.line.latched(cause)

    def _encoder_failed(self) -> None:
        if self.zone is not None:
            self.zone.release()
        self.line.encoder_failed()

    def _drive(self) -> Actuators:
        line, pc = self.line, self.pc.status
        fresh = self.pc.fresh
        induction = (
            line.belt
            and fresh
            and not line.latch
            and not line.purging
            and not self.tracking.jammed
            and self.pc.permits
        )
        driven = (
            line.belt,
            induction,
            self.diverting.sides,
            0 if self.zone is None else self.zone.held,
            self.gates.open if fresh else 0,
            pc.indicators,
        )
        if driven != self._driven:
            self._driven = driven
            self._actuators = Actuators(
                belt=driven[0],
                induction=driven[1],
                diverters=driven[2],
                zones_hold=driven[3],
                gates=driven[4],
                indicators=driven[5],
            )
        return self._actuators

    def _areas(self) -> tuple[Area, ...]:
        registers = self._topology.plc.registers
        ring = self.ring
        identity = encode_identity(self._identity(), self._pack)
        return (
            Area(base=registers.identity, size=IDENTITY_WORDS, words=lambda: identity),
            Area(base=registers.status, size=STATUS_WORDS, words=self._status_words),
            Area(base=registers.ring, size=ring.capacity * SLOT_WORDS, words=lambda: ring.words),
            Area(
                base=registers.pc_status,
                size=PC_STATUS_WORDS,
                words=lambda: self.pc.words,
                store=self._store_pc_status,
            ),
            Area(
                base=registers.command,
                size=COMMAND_WORDS,
                words=lambda: self.commands.words,
                store=self._store_command,
            ),
        )

    def _store_pc_status(self, offset: int, values: Sequence[int]) -> None:
        self.pc.words[offset : offset + len(values)] = values
        self._dirty_pc = True

    def _store_command(self, offset: int, values: Sequence[int]) -> None:
        self.commands.words[offset : offset + len(values)] = values
        self._dirty_command = True

    def _identity(self) -> PlcIdentity:
        plc = self._topology.plc
        return PlcIdentity(
            contract=CONTRACT,
            map_version=plc.map_version,
            map_hash=self._topology.map_hash,
            epoch=BootEpoch(self.epoch),
            ring_capacity=plc.ring_capacity,
            slot_size=SLOT_WORDS,
            exits=len(self._topology.exits),
            ticks_per_m=self._topology.ticks_per_m,
            max_block=plc.registers.max_block,
            scan_ms=plc.scan_ms,
        )

    def _status_words(self) -> tuple[int, ...]:
        """The status block as of the last update."""
        now, sensors, commands = self.now, self._sensors, self.commands
        return encode_status(
            epoch=self.epoch,
            heartbeat=now.ms // self._scan_ms % HEARTBEAT_MAX + 1,
            heartbeat_echo=self.pc.words[0],
            plc_ms=now.ms,
            ticks=now.ticks,
            state=self._state(),
            exits_full=self.lanes.exits_full,
            diverters_home=sensors.home,
            zones_held=self._actuators.zones_hold,
            zones_untrusted=self.belt.zones_untrusted,
            eyes_occupied=sensors.eyes,
            gates=self._actuators.gates,
            last_seq=commands.last_seq,
            last_status=commands.last_status,
            last_crc=commands.last_crc,
            ring_head=self.ring.head,
            pack=self._pack,
        )

    def _state(self) -> int:
        line, sensors = self.line, self._sensors
        latch = line.latch
        return (
            line.belt * RUN
            | sensors.e_stop * E_STOP
            | sensors.door * DOOR
            | sensors.pull_cord * PULL_CORD
            | bool(latch & Latch.ENCODER) * ENCODER_FAULT
            | bool(latch & Latch.FULL_END) * FULL_END
            | bool(latch) * LATCHED
            | self._actuators.induction * INDUCTION
            | line.purging * PURGING
            | self.tracking.jammed * JAM
        )
