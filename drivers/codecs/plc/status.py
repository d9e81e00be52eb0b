"""The PLC status block: 22 words of one instant, read every cycle (docs/plc-contract.md section 1)."""

from functools import lru_cache

from drivers.codecs.plc.words import Layout, Words, WrongBlock
from edge.model.ids import BootEpoch, CommandSeq, RingSeq
from edge.model.register_map import PlcBits, PlcStatus, StateBit, WordOrder
from edge.model.units import Ticks

_LAYOUT = Layout("status", "HHHIIHIIHHIHHHHI")
SIZE = _LAYOUT.size
_STATE_BITS = 0x3FF


def decode_status(words: Words, order: WordOrder) -> PlcStatus:
    """Raises ``WrongBlock``; ``ticks`` and ``plc_ms`` stay modulo 2³²."""
    (
        epoch,
        heartbeat,
        heartbeat_echo,
        plc_ms,
        ticks,
        state,
        exits_full,
        diverters_home,
        zones_held,
        zones_untrusted,
        eyes_occupied,
        gates,
        last_seq,
        last_status,
        last_crc,
        ring_head,
    ) = _LAYOUT.decode(words, order)
    if epoch == 0:
        raise WrongBlock("status block: boot epoch is 0")
    if heartbeat == 0:
        raise WrongBlock("status block: heartbeat is 0")
    if state & ~_STATE_BITS:
        raise WrongBlock(f"status block: state word 0x{state:04X} has bits that this contract lacks")
    return PlcStatus(
        BootEpoch(epoch),
        heartbeat,
        heartbeat_echo,
        plc_ms,
        Ticks(ticks),
        _bits(state, exits_full, diverters_home, zones_held, zones_untrusted, gates),
        eyes_occupied,
        CommandSeq(last_seq),
        last_status,
        last_crc,
        RingSeq(ring_head),
    )


@lru_cache(maxsize=64)
def _bits(
    state: int, exits_full: int, diverters_home: int, zones_held: int, zones_untrusted: int, gates: int
) -> PlcBits:
    """They stay the same for many a status."""
    return PlcBits(
        state=StateBit(state),
        exits_full=exits_full,
        diverters_home=diverters_home,
        zones_held=zones_held,
        zones_untrusted=zones_untrusted,
        gates=gates,
    )
