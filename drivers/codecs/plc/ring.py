"""The event ring: 10 words a slot (docs/plc-contract.md sections 1 and 3)."""

from typing import NamedTuple, TypedDict

from drivers.codecs.plc.words import Layout, Words, WrongBlock
from edge.model.divert import AbortCause, ConfirmReason, RingKind
from edge.model.events import (
    DivertAborted,
    DivertConfirmed,
    DivertFired,
    EyePassed,
    GatePassed,
    JamDetected,
    ParcelLost,
    ParcelUnexpected,
    RingEntry,
)
from edge.model.ids import BootEpoch, ExitNo, EyeNo, GateNo, PlcNumber, RingSeq
from edge.model.register_map import WordOrder
from edge.model.review import GateLane
from edge.model.units import Mm, MonoUs, Ticks

_LAYOUT = Layout("ring", "IHHIII")
SIZE = _LAYOUT.size
_KINDS = {int(kind): kind for kind in RingKind}
_NUMBERLESS = (RingKind.EYE, RingKind.CONFIRMED, RingKind.JAM, RingKind.GATE)
"""Kinds that may be about no parcel: a passage in a purge, one nobody waited for, a jam, a bench's gate."""


class RingSlot(NamedTuple):
    """One slot as written; ``ticks`` and ``plc_ms`` are raw (modulo 2³²)."""

    ring_seq: RingSeq
    kind: RingKind
    point: int
    arg: int
    number: PlcNumber
    ticks: int
    plc_ms: int


class _When(TypedDict):
    at_us: MonoUs
    epoch: BootEpoch
    ring_seq: RingSeq
    ticks: Ticks
    plc_ms: int


def slot_index(seq: RingSeq, capacity: int) -> int:
    """Where entry ``seq`` (1…) stands: (seq − 1) mod capacity."""
    return (seq - 1) % capacity


def decode_slot(words: Words, order: WordOrder) -> RingSlot:
    """Raises ``WrongBlock`` for a kind, point or number that the contract does not allow."""
    seq, kind_point, arg, number, ticks, plc_ms = _LAYOUT.decode(words, order)
    kind, point = _KINDS.get(kind_point >> 8), kind_point & 0xFF
    if seq == 0 or point == 0 or kind is None or (number == 0 and kind not in _NUMBERLESS):
        raise WrongBlock(f"ring slot: entry {seq}, kind:point 0x{kind_point:04X}, number {number}")
    return RingSlot(RingSeq(seq), kind, point, arg, PlcNumber(number), ticks, plc_ms)


def entry_of(slot: RingSlot, *, epoch: BootEpoch, ticks: Ticks, at_us: MonoUs) -> RingEntry:
    """The core's input for a slot; ``ticks`` are the slot's, unwrapped. Raises ``WrongBlock``."""
    when = _When(at_us=at_us, epoch=epoch, ring_seq=slot.ring_seq, ticks=ticks, plc_ms=slot.plc_ms)
    number, eye, to = slot.number, EyeNo(slot.point), ExitNo(slot.point)
    try:
        match slot.kind:
            case RingKind.EYE:
                return EyePassed(**when, number=number, eye=eye, length_mm=Mm(slot.arg))
            case RingKind.LOST:
                return ParcelLost(**when, number=number, eye=eye)
            case RingKind.UNEXPECTED:
                return ParcelUnexpected(**when, number=number, eye=eye, length_mm=Mm(slot.arg))
            case RingKind.FIRED:
                return DivertFired(**when, number=number, exit=to)
            case RingKind.ABORTED:
                return DivertAborted(**when, number=number, exit=to, cause=AbortCause(slot.arg))
            case RingKind.CONFIRMED:
                return DivertConfirmed(**when, number=number, exit=to, reason=ConfirmReason(slot.arg))
            case RingKind.JAM:
                return JamDetected(**when, eye=eye)
            case RingKind.GATE:
                return GatePassed(**when, gate=GateNo(slot.point), lane=GateLane(slot.arg))
    except ValueError as unknown:
        raise WrongBlock(f"ring slot: entry {slot.ring_seq}: {unknown}") from unknown
