"""Golden block table of docs/plc-contract.md: words written by hand, with what they mean.

Data only. It judges both implementations of the layout, the driver's codec and the simulated PLC,
which share no code.
"""

from dataclasses import dataclass

from edge.model.ids import BootEpoch, CommandSeq, ExitNo, PlcNumber, RingSeq
from edge.model.register_map import (
    ModeBit,
    PcStatus,
    PlcBits,
    PlcCommand,
    PlcIdentity,
    PlcStatus,
    StateBit,
    WordOrder,
)
from edge.model.units import Ticks

BASES = {"identity": 0, "status": 16, "ring": 64, "pc_status": 4096, "command": 4112}
"""Default wire addresses (edge.model.register_map.RegisterMap names)."""

SIZES = {"identity": 16, "status": 22, "ring": 10, "pc_status": 12, "command": 7}
"""Words in a block; for the ring in one slot."""

LAYOUT: dict[str, tuple[tuple[int, int, str], ...]] = {
    "identity": (
        (0, 1, "contract"),
        (1, 1, "map_version"),
        (2, 2, "map_hash"),
        (4, 2, "test_u32"),
        (6, 2, "test_float"),
        (8, 1, "epoch"),
        (9, 1, "ring_capacity"),
        (10, 1, "slot_size"),
        (11, 1, "exits"),
        (12, 2, "ticks_per_m"),
        (14, 1, "max_block"),
        (15, 1, "scan_ms"),
    ),
    "status": (
        (0, 1, "epoch"),
        (1, 1, "heartbeat"),
        (2, 1, "heartbeat_echo"),
        (3, 2, "plc_ms"),
        (5, 2, "ticks"),
        (7, 1, "state"),
        (8, 2, "exits_full"),
        (10, 2, "diverters_home"),
        (12, 1, "zones_held"),
        (13, 1, "zones_untrusted"),
        (14, 2, "eyes_occupied"),
        (16, 1, "gates"),
        (17, 1, "last_seq"),
        (18, 1, "last_status"),
        (19, 1, "last_crc"),
        (20, 2, "ring_head"),
    ),
    "ring": (
        (0, 2, "ring_seq"),
        (2, 1, "kind_point"),
        (3, 1, "arg"),
        (4, 2, "number"),
        (6, 2, "ticks"),
        (8, 2, "plc_ms"),
    ),
    "pc_status": (
        (0, 1, "heartbeat"),
        (1, 1, "mode"),
        (2, 1, "gates"),
        (3, 1, "zones_hold"),
        (4, 2, "release_number"),
        (6, 2, "exits_enabled"),
        (8, 2, "ring_ack"),
        (10, 1, "indicators"),
        (11, 1, "reserved"),
    ),
    "command": (
        (0, 1, "epoch"),
        (1, 2, "number"),
        (3, 1, "exit"),
        (4, 1, "flags"),
        (5, 1, "crc"),
        (6, 1, "seq"),
    ),
}
"""block -> (offset, words, name), as in section 1 of the contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    order: WordOrder
    words: tuple[int, ...]
    meaning: PlcIdentity
    map_hash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    order: WordOrder
    words: tuple[int, ...]
    meaning: PlcStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """``kind`` is edge.model.divert.RingKind's value; ticks and plc_ms are raw (modulo 2³²)."""

    order: WordOrder
    words: tuple[int, ...]
    ring_seq: int
    kind: int
    point: int
    arg: int
    number: int
    ticks: int
    plc_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PcStatusRow:
    order: WordOrder
    words: tuple[int, ...]
    meaning: PcStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """The same words in every word order."""

    words: tuple[int, ...]
    meaning: PlcCommand
    crc: int


_IDENTITY = PlcIdentity(
    contract=1,
    map_version=3,
    map_hash=0xA1B2C3D4,
    epoch=BootEpoch(7),
    ring_capacity=256,
    slot_size=10,
    exits=9,
    ticks_per_m=70_000,
    max_block=32,
    scan_ms=5,
)

IDENTITY: tuple[IdentityRow, ...] = (
    IdentityRow(
        order=WordOrder.ABCD,
        words=(1, 3, 0xA1B2, 0xC3D4, 0x1234, 0x5678, 0x3F80, 0, 7, 256, 10, 9, 0x0001, 0x1170, 32, 5),
        meaning=_IDENTITY,
        map_hash=0xA1B2C3D4,
    ),
    IdentityRow(
        order=WordOrder.CDAB,
        words=(1, 3, 0xC3D4, 0xA1B2, 0x5678, 0x1234, 0, 0x3F80, 7, 256, 10, 9, 0x1170, 0x0001, 32, 5),
        meaning=_IDENTITY,
        map_hash=0xA1B2C3D4,
    ),
    IdentityRow(
        order=WordOrder.BADC,
        words=(1, 3, 0xB2A1, 0xD4C3, 0x3412, 0x7856, 0x803F, 0, 7, 256, 10, 9, 0x0100, 0x7011, 32, 5),
        meaning=_IDENTITY,
        map_hash=0xA1B2C3D4,
    ),
    IdentityRow(
        order=WordOrder.DCBA,
        words=(1, 3, 0xD4C3, 0xB2A1, 0x7856, 0x3412, 0, 0x803F, 7, 256, 10, 9, 0x7011, 0x0100, 32, 5),
        meaning=_IDENTITY,
        map_hash=0xA1B2C3D4,
    ),
)

_STATUS = PlcStatus(
    epoch=BootEpoch(7),
    heartbeat=513,
    heartbeat_echo=1027,
    plc_ms=0x0001_E240,
    ticks=Ticks(0xFFFF_FF01),
    bits=PlcBits(
        state=StateBit.RUN | StateBit.FULL_END | StateBit.INDUCTION,
        exits_full=0x0001_0008,
        diverters_home=0x0000_000F,
        zones_held=1,
        zones_untrusted=1,
        gates=3,
    ),
    eyes_occupied=0x0002_0004,
    last_seq=CommandSeq(101),
    last_status=9,
    last_crc=0xD45E,
    ring_head=RingSeq(0x0001_0002),
)

STATUS: tuple[StatusRow, ...] = (
    StatusRow(
        order=WordOrder.ABCD,
        words=(
            *(7, 513, 1027, 0x0001, 0xE240, 0xFFFF, 0xFF01, 161, 0x0001, 0x0008, 0, 15),
            *(1, 1, 0x0002, 0x0004, 3, 101, 9, 0xD45E, 0x0001, 0x0002),
        ),
        meaning=_STATUS,
    ),
    StatusRow(
        order=WordOrder.CDAB,
        words=(
            *(7, 513, 1027, 0xE240, 0x0001, 0xFF01, 0xFFFF, 161, 0x0008, 0x0001, 15, 0),
            *(1, 1, 0x0004, 0x0002, 3, 101, 9, 0xD45E, 0x0002, 0x0001),
        ),
        meaning=_STATUS,
    ),
    StatusRow(
        order=WordOrder.DCBA,
        words=(
            *(7, 513, 1027, 0x40E2, 0x0100, 0x01FF, 0xFFFF, 161, 0x0800, 0x0100, 0x0F00, 0),
            *(1, 1, 0x0400, 0x0200, 3, 101, 9, 0xD45E, 0x0200, 0x0100),
        ),
        meaning=_STATUS,
    ),
)


def _abcd(
    words: tuple[int, ...], ring_seq: int, kind: int, point: int, arg: int, number: int, ticks: int, ms: int
) -> SlotRow:
    return SlotRow(
        order=WordOrder.ABCD,
        words=words,
        ring_seq=ring_seq,
        kind=kind,
        point=point,
        arg=arg,
        number=number,
        ticks=ticks,
        plc_ms=ms,
    )


SLOTS: tuple[SlotRow, ...] = (
    # EYE 3, 300 mm, parcel 18
    _abcd((0, 1, 0x0103, 300, 0, 18, 0x0001, 0x86A0, 0, 5000), 1, 1, 3, 300, 18, 100_000, 5000),
    # EYE 2 in a purge: no parcel
    _abcd((0, 2, 0x0102, 212, 0, 0, 0, 1, 0, 2), 2, 1, 2, 212, 0, 1, 2),
    # LOST at eye 5
    _abcd((0, 258, 0x0205, 0, 0x0001, 0x0000, 0, 7, 0, 8), 258, 2, 5, 0, 65_536, 7, 8),
    # UNEXPECTED at eye 4, 250 mm
    _abcd((0, 259, 0x0304, 250, 0, 19, 0, 9, 0, 10), 259, 3, 4, 250, 19, 9, 10),
    # FIRED for exit 5
    _abcd((1, 0, 0x0405, 0, 0, 18, 0, 11, 0, 12), 65_536, 4, 5, 0, 18, 11, 12),
    # ABORTED for exit 5, exit full
    _abcd((1, 1, 0x0505, 5, 0, 18, 0, 13, 0, 14), 65_537, 5, 5, 5, 18, 13, 14),
    # CONFIRMED at exit 10 (the end of a line of nine exits), straight; ticks and ms about to wrap
    _abcd(
        (1, 2, 0x060A, 2, 0, 18, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE),
        65_538, 6, 10, 2, 18, 0xFFFF_FFFF, 0xFFFF_FFFE,
    ),
    # JAM at eye 6
    _abcd((1, 3, 0x0706, 0, 0, 0, 0, 15, 0, 16), 65_539, 7, 6, 0, 0, 15, 16),
    SlotRow(
        order=WordOrder.CDAB,
        words=(1, 0, 0x0103, 300, 18, 0, 0x86A0, 0x0001, 5000, 0),
        ring_seq=1, kind=1, point=3, arg=300, number=18, ticks=100_000, plc_ms=5000,
    ),
    SlotRow(
        order=WordOrder.BADC,
        words=(0, 0x0100, 0x0103, 300, 0, 0x1200, 0x0100, 0xA086, 0, 0x8813),
        ring_seq=1, kind=1, point=3, arg=300, number=18, ticks=100_000, plc_ms=5000,
    ),
)  # fmt: skip

_PC_STATUS = PcStatus(
    heartbeat=42,
    mode=ModeBit.PERMIT_INDUCTION | ModeBit.REQUEST_STOP,
    gates=2,
    zones_hold=1,
    release_number=PlcNumber(0x0001_0012),
    exits_enabled=0x0000_01FF,
    ring_ack=RingSeq(0x0001_0001),
    indicators=0x8001,
)

PC_STATUS: tuple[PcStatusRow, ...] = (
    PcStatusRow(
        order=WordOrder.ABCD,
        words=(42, 5, 2, 1, 0x0001, 0x0012, 0, 0x01FF, 0x0001, 0x0001, 0x8001, 0),
        meaning=_PC_STATUS,
    ),
    PcStatusRow(
        order=WordOrder.CDAB,
        words=(42, 5, 2, 1, 0x0012, 0x0001, 0x01FF, 0, 0x0001, 0x0001, 0x8001, 0),
        meaning=_PC_STATUS,
    ),
    PcStatusRow(
        order=WordOrder.DCBA,
        words=(42, 5, 2, 1, 0x1200, 0x0100, 0xFF01, 0, 0x0100, 0x0100, 0x8001, 0),
        meaning=_PC_STATUS,
    ),
)

COMMANDS: tuple[CommandRow, ...] = (
    CommandRow(
        words=(1, 0, 18, 5, 0, 0xD45E, 101),
        meaning=PlcCommand(
            epoch=BootEpoch(1), number=PlcNumber(18), exit=ExitNo(5), revoke=False, seq=CommandSeq(101)
        ),
        crc=0xD45E,
    ),
    CommandRow(
        words=(1, 0, 18, 9, 1, 0x145F, 102),
        meaning=PlcCommand(
            epoch=BootEpoch(1), number=PlcNumber(18), exit=ExitNo(9), revoke=True, seq=CommandSeq(102)
        ),
        crc=0x145F,
    ),
    CommandRow(
        words=(0xBEEF, 0x1234, 0x5678, 3, 0, 0x0356, 65_535),
        meaning=PlcCommand(
            epoch=BootEpoch(0xBEEF),
            number=PlcNumber(0x1234_5678),
            exit=ExitNo(3),
            revoke=False,
            seq=CommandSeq(65_535),
        ),
        crc=0x0356,
    ),
)
