"""Picture files that a disk, a cable or a hand has changed, by seed."""

from collections.abc import Iterator

import cv2

from simulators.labels.contents import PRINTS
from simulators.labels.printed import LabelPrint, print_label
from simulators.seeds import SeededBits

KINDS = (".png", ".jpg", ".webp", ".bmp", ".tiff")
LABELS = 8
MAX_CHANGES = 20
CUT_PERMILLE = 300


def mutated_files(seed: int, count: int) -> Iterator[bytes]:
    """Each a label of one code with up to ``MAX_CHANGES`` wrong bytes; some end early."""
    bits = SeededBits(seed, "pictures")
    labels = [print_label(LabelPrint(codes=(bits.pick(PRINTS)(bits),), module_px=2)) for _ in range(LABELS)]
    whole = [cv2.imencode(kind, label)[1].tobytes() for label in labels for kind in KINDS]
    for _ in range(count):
        changed = bytearray(bits.pick(whole))
        for _ in range(bits.between(1, MAX_CHANGES)):
            changed[bits.below(len(changed))] = bits.below(256)
        end = bits.between(1, len(changed)) if bits.chance(CUT_PERMILLE) else len(changed)
        yield bytes(changed[:end])
