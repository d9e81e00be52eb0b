"""The PC status block: 12 words, written every cycle (docs/plc-contract.md section 1)."""

from drivers.codecs.plc.words import put_u16, put_u32
from edge.model.register_map import PcStatus, WordOrder

SIZE = 12


def encode_pc_status(status: PcStatus, order: WordOrder) -> tuple[int, ...]:
    """Raises ValueError for a value that does not fit, or a heartbeat of 0 (ours)."""
    if status.heartbeat == 0:
        raise ValueError("heartbeat 0 means nothing")
    return (
        put_u16(status.heartbeat),
        put_u16(int(status.mode)),
        put_u16(status.gates),
        put_u16(status.zones_hold),
        *put_u32(status.release_number, order),
        *put_u32(status.exits_enabled, order),
        *put_u32(status.ring_ack, order),
        put_u16(status.indicators),
        0,
    )
