"""Types of the PLC's register layout; the layout itself is written by the codec and the simulated
PLC, each from docs/plc-contract.md."""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import NamedTuple

from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber, RingSeq
from edge.model.quick import quick
from edge.model.units import Ticks


class WordOrder(StrEnum):
    """Order of the bytes of a 32-bit value ABCD in two registers."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


class StateBit(IntFlag):
    """State bits of the PLC status block."""

    RUN = 1
    E_STOP = 2
    DOOR = 4
    PULL_CORD = 8
    ENCODER_FAULT = 16
    FULL_END = 32
    LATCHED = 64
    """A latched stop waits for a person's reset."""
    INDUCTION = 128
    """The infeed runs."""
    PURGING = 256
    JAM = 512


class ModeBit(IntFlag):
    """Mode bits of the PC status block."""

    PERMIT_INDUCTION = 1
    REQUEST_PURGE = 2
    REQUEST_STOP = 4


class CommandFlag(IntFlag):
    REVOKE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Wire base addresses (0-based holding registers) and limits of one PLC profile."""

    identity: int
    status: int
    ring: int
    pc_status: int
    command: int
    word_order: WordOrder
    max_block: int
    """Registers at once, at most 32."""
    read_write: bool
    """The device answers FC23."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcIdentity:
    contract: int
    map_version: int
    map_hash: int
    epoch: BootEpoch
    ring_capacity: int
    slot_size: int
    exits: int
    ticks_per_m: int
    max_block: int
    scan_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcBits:
    """The status bits whose change is an input of the core."""

    state: StateBit
    exits_full: int
    diverters_home: int
    zones_held: int
    zones_untrusted: int
    gates: int


class PlcStatus(NamedTuple):
    """One status block. ``ticks`` is raw (modulo 2³²) here; the link unwraps it."""

    epoch: BootEpoch
    heartbeat: int
    heartbeat_echo: int
    plc_ms: int
    ticks: Ticks
    bits: PlcBits
    eyes_occupied: int
    last_seq: CommandSeq
    last_status: int
    last_crc: int
    ring_head: RingSeq


class PcStatus(NamedTuple):
    """What the PC tells the PLC every cycle."""

    heartbeat: int
    mode: ModeBit
    gates: int
    zones_hold: int
    release_number: PlcNumber
    exits_enabled: int
    ring_ack: RingSeq
    indicators: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PlcCommand:
    epoch: BootEpoch
    number: PlcNumber
    exit: ExitNo
    revoke: bool
    seq: CommandSeq
