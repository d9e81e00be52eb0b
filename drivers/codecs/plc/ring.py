"""The event ring: 10 words a slot (docs/plc-contract.md sections 1 and 3)."""

from typing import NamedTuple, TypedDict

from drivers.codecs.plc.words import Words, WrongBlock, sized, u32
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

SIZE = 10
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
    sized(words, SIZE, "ring")
    seq = RingSeq(u32(words, 0, order))
    kind, point = _KINDS.get(words[2] >> 8), words[2] & 0xFF
    number = PlcNumber(u32(words, 4, order))
    if seq == 0 or point == 0 or kind is None or (number == 0 and kind not in _NUMBERLESS):
        raise WrongBlock(f"ring slot: entry {seq}, kind:point 0x{words[2]:04X}, number {number}")
    return RingSlot(
        ring_seq=seq,
        kind=kind,
        point=point,
        arg=words[3],
        number=number,
        ticks=u32(words, 6, order),
        plc_ms=u32(words, 8, order),
    )


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
