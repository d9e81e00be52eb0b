"""The identity block: 16 words, read at connect (docs/plc-contract.md section 1, ID-7…ID-9)."""

from drivers.codecs.plc.words import Words, WrongBlock, sized, u32
from edge.model.ids import BootEpoch
from edge.model.register_map import PlcIdentity, WordOrder

SIZE = 16
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
    sized(words, SIZE, "identity")
    if words[0] != CONTRACT:
        raise WrongBlock(f"contract {words[0]}, this line speaks {CONTRACT}")
    for at, expected, name in ((4, TEST_U32, "0x12345678"), (6, TEST_FLOAT, "1.0")):
        found = u32(words, at, order)
        if found != expected:
            raise WrongBlock(
                f"self-test word {name} reads as 0x{found:08X}: word order is not {order} or the base is off"
            )
    if words[8] == 0:
        raise WrongBlock("boot epoch is 0")
    if words[9] < MIN_CAPACITY:
        raise WrongBlock(f"ring of {words[9]} slots, at least {MIN_CAPACITY} are due")
    if words[10] != SLOT_SIZE:
        raise WrongBlock(f"ring slots of {words[10]} words instead of {SLOT_SIZE}")
    return PlcIdentity(
        contract=words[0],
        map_version=words[1],
        map_hash=u32(words, 2, order),
        epoch=BootEpoch(words[8]),
        ring_capacity=words[9],
        slot_size=words[10],
        exits=words[11],
        ticks_per_m=u32(words, 12, order),
        max_block=words[14],
        scan_ms=words[15],
    )
