"""The PC status block: 12 words, written every cycle (docs/plc-contract.md section 1)."""

from drivers.codecs.plc.words import Layout
from edge.model.register_map import PcStatus, WordOrder

_LAYOUT = Layout("PC status", "HHHHIIIHH")
SIZE = _LAYOUT.size


def encode_pc_status(status: PcStatus, order: WordOrder) -> tuple[int, ...]:
    """Raises ValueError for a value that does not fit, or a heartbeat of 0 (ours)."""
    if status.heartbeat == 0:
        raise ValueError("heartbeat 0 means nothing")
    return _LAYOUT.encode(
        (
            status.heartbeat,
            status.mode,
            status.gates,
            status.zones_hold,
            status.release_number,
            status.exits_enabled,
            status.ring_ack,
            status.indicators,
            0,
        ),
        order,
    )
