"""The PLC status block: 22 words of one instant, read every cycle (docs/plc-contract.md section 1)."""

from functools import lru_cache

from drivers.codecs.plc.words import Words, WrongBlock, sized, u32
from edge.model.ids import BootEpoch, CommandSeq, RingSeq
from edge.model.register_map import PlcBits, PlcStatus, StateBit, WordOrder
from edge.model.units import Ticks

SIZE = 22
_STATE_BITS = 0x3FF


def decode_status(words: Words, order: WordOrder) -> PlcStatus:
    """Raises ``WrongBlock``; ``ticks`` and ``plc_ms`` stay modulo 2³²."""
    sized(words, SIZE, "status")
    if words[0] == 0:
        raise WrongBlock("status block: boot epoch is 0")
    if words[1] == 0:
        raise WrongBlock("status block: heartbeat is 0")
    if words[7] & ~_STATE_BITS:
        raise WrongBlock(f"status block: state word 0x{words[7]:04X} has bits that this contract lacks")
    return PlcStatus(
        epoch=BootEpoch(words[0]),
        heartbeat=words[1],
        heartbeat_echo=words[2],
        plc_ms=u32(words, 3, order),
        ticks=Ticks(u32(words, 5, order)),
        bits=_bits(tuple(words[7:14]), words[16], order),
        eyes_occupied=u32(words, 14, order),
        last_seq=CommandSeq(words[17]),
        last_status=words[18],
        last_crc=words[19],
        ring_head=RingSeq(u32(words, 20, order)),
    )


@lru_cache(maxsize=64)
def _bits(words: tuple[int, ...], gates: int, order: WordOrder) -> PlcBits:
    """Words 7–13 and 16; they stay the same for many a status."""
    return PlcBits(
        state=StateBit(words[0]),
        exits_full=u32(words, 1, order),
        diverters_home=u32(words, 3, order),
        zones_held=words[5],
        zones_untrusted=words[6],
        gates=gates,
    )
