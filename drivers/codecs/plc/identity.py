"""The identity block: 16 words, read at connect (docs/plc-contract.md section 1, ID-7…ID-9)."""

from drivers.codecs.plc.words import Layout, Words, WrongBlock
from edge.model.ids import BootEpoch
from edge.model.register_map import PlcIdentity, WordOrder

_LAYOUT = Layout("identity", "HHIIIHHHHIHH")
SIZE = _LAYOUT.size
CONTRACT = 1
TEST_U32 = 0x1234_5678
TEST_FLOAT = 0x3F80_0000
"""1.0 as IEEE 754 single."""
SLOT_SIZE = 10
MIN_CAPACITY = 256
"""RING-4."""


def decode_identity(words: Words, order: WordOrder) -> PlcIdentity:
    """Raises ``WrongBlock`` naming the first word that this contract does not allow.

    What depends on the line (map, exits, ticks) is only carried over, to be compared by the caller.
    """
    (
        contract,
        map_version,
        map_hash,
        test_u32,
        test_float,
        epoch,
        ring_capacity,
        slot_size,
        exits,
        ticks_per_m,
        max_block,
        scan_ms,
    ) = _LAYOUT.decode(words, order)
    if contract != CONTRACT:
        raise WrongBlock(f"contract {contract}, this line speaks {CONTRACT}")
    for found, expected, name in ((test_u32, TEST_U32, "0x12345678"), (test_float, TEST_FLOAT, "1.0")):
        if found != expected:
            raise WrongBlock(
                f"self-test word {name} reads as 0x{found:08X}: word order is not {order} or the base is off"
            )
    if epoch == 0:
        raise WrongBlock("boot epoch is 0")
    if ring_capacity < MIN_CAPACITY:
        raise WrongBlock(f"ring of {ring_capacity} slots, at least {MIN_CAPACITY} are due")
    if slot_size != SLOT_SIZE:
        raise WrongBlock(f"ring slots of {slot_size} words instead of {SLOT_SIZE}")
    return PlcIdentity(
        contract=contract,
        map_version=map_version,
        map_hash=map_hash,
        epoch=BootEpoch(epoch),
        ring_capacity=ring_capacity,
        slot_size=slot_size,
        exits=exits,
        ticks_per_m=ticks_per_m,
        max_block=max_block,
        scan_ms=scan_ms,
    )
